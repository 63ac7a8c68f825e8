//! Rules of the permission catalogue.

use keyward_model::{Action, EditPermission, NewPermission, Permission, Scope, ScopeSet};
use keyward_store::Change;

use super::{Administered, Draft, Work};
use crate::{Error, FieldError, oauth::IDENTITY_SCOPES};

impl Administered for Permission {
    const COLLECTION: &'static str = "permissions";
    const CREATED: Action = Action::PERMISSION_CREATED;
    const UPDATED: Action = Action::PERMISSION_UPDATED;
    const DELETED: Action = Action::PERMISSION_DELETED;

    async fn create(work: &Work<'_>, new: NewPermission) -> Result<Draft<Self>, Error> {
        not_reserved(new.view.as_ref(), &new.change)?;
        Ok(Draft::plain(Self {
            meta: work.meta(),
            label: new.label.unwrap_or_else(|| new.resource.clone()),
            resource: new.resource,
            view: new.view,
            change: new.change,
            built_in: false,
        }))
    }

    async fn update(_work: &Work<'_>, current: &Self, edit: EditPermission) -> Result<Draft<Self>, Error> {
        not_built_in(current)?;
        not_reserved(edit.view.as_ref(), &edit.change)?;
        Ok(Draft::plain(Self { label: edit.label, view: edit.view, change: edit.change, ..current.clone() }))
    }

    async fn delete(_work: &Work<'_>, current: &Self) -> Result<Change, Error> {
        not_built_in(current).map(|()| Change::default())
    }
}

/// Refuses permissions by the names of the scopes of `OpenID` Connect: who asks for those asks for something else.
fn not_reserved(view: Option<&Scope>, change: &ScopeSet) -> Result<(), Error> {
    let is_reserved = |scope: &Scope| IDENTITY_SCOPES.contains(&scope.as_str());
    let refuse = |pointer: &str| {
        let detail = format!("{} are names of OpenID Connect.", IDENTITY_SCOPES.join(", "));
        Err(Error::field(FieldError::new(pointer, "reserved", detail)))
    };
    if view.is_some_and(is_reserved) {
        return refuse("/view");
    }
    if change.iter().any(is_reserved) { refuse("/change") } else { Ok(()) }
}

fn not_built_in(row: &Permission) -> Result<(), Error> {
    if row.built_in {
        let detail = format!("Keyward itself needs the row {}.", row.resource);
        return Err(Error::Conflict { code: "built_in", detail });
    }
    Ok(())
}
