//! Rules of agents.

use keyward_model::{Action, Agent, EditAgent, Entity, Id, NewAgent, User};

use super::{Administered, Draft, Work, secrets};
use crate::{Error, FieldError};

impl Administered for Agent {
    const COLLECTION: &'static str = "agents";
    const CREATED: Action = Action::AGENT_CREATED;
    const UPDATED: Action = Action::AGENT_UPDATED;
    const DELETED: Action = Action::AGENT_DELETED;

    async fn create(work: &Work<'_>, new: NewAgent) -> Result<Draft<Self>, Error> {
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            tenant_id: new.tenant_id,
            owner_id: new.owner_id,
            allowed_tools: new.allowed_tools,
            allowed_scopes: new.allowed_scopes,
            rate_limit_rpm: new.rate_limit_rpm,
            status: new.status,
        });
        if let Some(id) = new.tenant_id {
            let tenant = work.reference(id, "/tenant_id").await?;
            draft.with.expect.push((tenant.id().any(), tenant.meta.version));
        }
        answered_for(work, &draft.record, draft.record.owner_id).await?;
        work.grantable(&draft.record.allowed_scopes, draft.record.owner(), "/allowed_scopes").await?;
        let (secret, shown) = secrets::make(work, &draft.record, None);
        draft.events.push(work.done(Action::SECRET_CREATED, &secret, &[]));
        draft.with = draft.with.create(secret);
        draft.shown.push(("secret", shown));
        Ok(draft)
    }

    async fn update(work: &Work<'_>, current: &Self, edit: EditAgent) -> Result<Draft<Self>, Error> {
        if edit.owner_id != current.owner_id {
            answered_for(work, current, edit.owner_id).await?;
        }
        let added = edit.allowed_scopes.difference(&current.allowed_scopes);
        work.grantable(&added, current.owner(), "/allowed_scopes").await?;
        Ok(Draft::plain(Self {
            name: edit.name,
            owner_id: edit.owner_id,
            allowed_tools: edit.allowed_tools,
            allowed_scopes: edit.allowed_scopes,
            rate_limit_rpm: edit.rate_limit_rpm,
            status: edit.status,
            ..current.clone()
        }))
    }
}

/// Refuses an owner that is nobody, or somebody of another tenant.
async fn answered_for(work: &Work<'_>, agent: &Agent, owner: Option<Id<User>>) -> Result<(), Error> {
    let Some(id) = owner else { return Ok(()) };
    let user = work.reference(id, "/owner_id").await?;
    if agent.tenant_id.is_some() && user.tenant_id.is_some() && user.tenant_id != agent.tenant_id {
        return Err(Error::field(FieldError::unknown_reference("/owner_id")));
    }
    Ok(())
}
