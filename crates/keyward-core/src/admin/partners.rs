//! Rules of partners.

use keyward_model::{Action, EditPartner, NewPartner, Partner};

use super::{Administered, Draft, Work};
use crate::Error;

impl Administered for Partner {
    const COLLECTION: &'static str = "partners";
    const CREATED: Action = Action::PARTNER_CREATED;
    const UPDATED: Action = Action::PARTNER_UPDATED;
    const DELETED: Action = Action::PARTNER_DELETED;

    async fn create(work: &Work<'_>, new: NewPartner) -> Result<Draft<Self>, Error> {
        Ok(Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            slug: new.slug,
            status: new.status,
            contact_email: new.contact_email,
            max_tenants: new.max_tenants,
            max_users_per_tenant: new.max_users_per_tenant,
            max_applications_per_tenant: new.max_applications_per_tenant,
        }))
    }

    /// A limit may be set below what there is: it then holds for what comes.
    async fn update(_work: &Work<'_>, current: &Self, edit: EditPartner) -> Result<Draft<Self>, Error> {
        Ok(Draft::plain(Self {
            name: edit.name,
            status: edit.status,
            contact_email: edit.contact_email,
            max_tenants: edit.max_tenants,
            max_users_per_tenant: edit.max_users_per_tenant,
            max_applications_per_tenant: edit.max_applications_per_tenant,
            ..current.clone()
        }))
    }
}
