//! Rules of roles.

use keyward_model::{Action, EditRole, Entity, NewRole, Owner, Role};

use super::{Administered, Draft, Work};
use crate::Error;

impl Administered for Role {
    const COLLECTION: &'static str = "roles";
    const CREATED: Action = Action::ROLE_CREATED;
    const UPDATED: Action = Action::ROLE_UPDATED;
    const DELETED: Action = Action::ROLE_DELETED;

    async fn create(work: &Work<'_>, new: NewRole) -> Result<Draft<Self>, Error> {
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            tenant_id: new.tenant_id,
            permissions: new.permissions,
        });
        if let Some(id) = new.tenant_id {
            let tenant = work.reference(id, "/tenant_id").await?;
            draft.with.expect.push((tenant.id().any(), tenant.meta.version));
        }
        let owner = Owner::of(None, new.tenant_id);
        work.grantable(&draft.record.permissions, owner, "/permissions").await?;
        Ok(draft)
    }

    async fn update(work: &Work<'_>, current: &Self, edit: EditRole) -> Result<Draft<Self>, Error> {
        // What the role has already may stay, whether the catalogue still knows it or not.
        let added = edit.permissions.difference(&current.permissions);
        work.grantable(&added, current.owner(), "/permissions").await?;
        Ok(Draft::plain(Self { name: edit.name, permissions: edit.permissions, ..current.clone() }))
    }
}
