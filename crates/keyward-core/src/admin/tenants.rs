//! Rules of tenants.

use keyward_crypto::credential::{Credential, CredentialKind};
use keyward_model::{Action, EditTenant, Entity, Id, NewTenant, Partner, Tenant};

use super::{Administered, Draft, Work, limits};
use crate::Error;

impl Administered for Tenant {
    const COLLECTION: &'static str = "tenants";
    const CREATED: Action = Action::TENANT_CREATED;
    const UPDATED: Action = Action::TENANT_UPDATED;
    const DELETED: Action = Action::TENANT_DELETED;

    async fn create(work: &Work<'_>, new: NewTenant) -> Result<Draft<Self>, Error> {
        let publishable = Credential::generate(CredentialKind::TenantKey, true, work.random());
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            slug: new.slug,
            status: new.status,
            contact_email: new.contact_email,
            partner_id: new.partner_id,
            settings: new.settings,
            branding: new.branding,
            publishable_key: publishable.expose().to_owned(),
        });
        belongs_to(work, &mut draft, new.partner_id).await?;
        Ok(draft)
    }

    async fn update(work: &Work<'_>, current: &Self, edit: EditTenant) -> Result<Draft<Self>, Error> {
        let moves = edit.partner_id.filter(|partner| current.partner_id != Some(*partner));
        let mut draft = Draft::plain(Self {
            name: edit.name,
            status: edit.status,
            contact_email: edit.contact_email,
            partner_id: edit.partner_id,
            settings: edit.settings,
            branding: edit.branding,
            ..current.clone()
        });
        belongs_to(work, &mut draft, moves).await?;
        Ok(draft)
    }
}

/// Makes sure that the partner is there, and still is when the tenant is written.
async fn belongs_to(
    work: &Work<'_>,
    draft: &mut Draft<Tenant>,
    partner: Option<Id<Partner>>,
) -> Result<(), Error> {
    if let Some(id) = partner {
        let partner = work.reference(id, "/partner_id").await?;
        draft.with.expect.push((partner.id().any(), partner.meta.version));
        limits::tenants(work, &partner, &mut draft.with).await?;
    }
    Ok(())
}
