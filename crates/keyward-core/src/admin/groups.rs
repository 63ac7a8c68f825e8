//! Rules of groups.

use keyward_model::{Action, EditGroup, Entity, Group, NewGroup};
use keyward_policy::Action as Act;
use serde_json::Value;

use super::{Administered, Document, Draft, IfMatch, RolesBody, Work};
use crate::{Call, Error, Keyward, forms};

impl Administered for Group {
    const COLLECTION: &'static str = "groups";
    const CREATED: Action = Action::GROUP_CREATED;
    const UPDATED: Action = Action::GROUP_UPDATED;
    const DELETED: Action = Action::GROUP_DELETED;

    async fn create(work: &Work<'_>, new: NewGroup) -> Result<Draft<Self>, Error> {
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            tenant_id: new.tenant_id,
            roles: Vec::new(),
        });
        if let Some(id) = new.tenant_id {
            let tenant = work.reference(id, "/tenant_id").await?;
            draft.with.expect.push((tenant.id().any(), tenant.meta.version));
        }
        Ok(draft)
    }

    async fn update(_work: &Work<'_>, current: &Self, edit: EditGroup) -> Result<Draft<Self>, Error> {
        Ok(Draft::plain(Self { name: edit.name, ..current.clone() }))
    }
}

impl Keyward {
    /// Replaces the roles of a group, which reach all that are in it.
    pub async fn put_group_roles(
        &self,
        call: &Call,
        id: &str,
        body: Value,
        condition: Option<IfMatch>,
    ) -> Result<Document, Error> {
        let body: RolesBody = forms::decode(body)?;
        let event = Action::GROUP_ROLES_REPLACED;
        self.change::<Group, _>(call, id, condition, Act::Act("put_roles"), event, async |work, current| {
            work.new_roles(&current.roles, &body.roles, current.owner(), "/roles").await?;
            Ok(Draft::plain(Group { roles: body.roles.clone(), ..current.clone() }))
        })
        .await
    }
}
