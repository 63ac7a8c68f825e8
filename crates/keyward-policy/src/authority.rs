//! Authority: may this principal do this to that?

use keyward_model::{ADMIN_READ, ADMIN_WRITE, Kind, Owner, PLATFORM_SCOPES, Reach, Scope, ScopeSet};

/// Who asks, as policy sees them. Whether they are alive was settled before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Somebody with access to the machine and its master key.
    Operator,
    /// A service token of an application.
    Service {
        /// Whether the application is global; others administrate nothing.
        global: bool,
        /// The permissions that the token has now.
        scopes: ScopeSet,
    },
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Listing a kind.
    List,
    /// Reading one.
    Read,
    /// Creating one.
    Create,
    /// Changing one.
    Update,
    /// Deleting one.
    Delete,
    /// An action with a name of its own, such as `renew`. It counts as a change.
    Act(&'static str),
}

impl Action {
    /// Whether it leaves everything as it is.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::List | Self::Read)
    }
}

/// What it is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The kind of thing.
    pub kind: Kind,
    /// Its owner; none for the collection as a whole.
    pub owner: Option<Owner>,
}

impl Target {
    /// All things of a kind.
    #[must_use]
    pub const fn collection(kind: Kind) -> Self {
        Self { kind, owner: None }
    }

    /// One thing, that exists or is about to.
    #[must_use]
    pub const fn object(kind: Kind, owner: Owner) -> Self {
        Self { kind, owner: Some(owner) }
    }
}

/// Proof that policy allowed something. Nothing can be written without one.
#[derive(Debug)]
#[must_use]
pub struct Permit(());

/// Why something was not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A service token without any permission for the admin API.
    #[error("Platform token requires admin:read or admin:write scope")]
    NoPlatformScope,
    /// The principal lacks this permission.
    #[error("this needs the permission {0}")]
    Missing(&'static str),
}

/// How far a principal can see.
#[must_use]
pub fn reach(principal: &Principal) -> Reach {
    match principal {
        // A principal that is not global is refused before it can look at anything.
        Principal::Operator | Principal::Service { .. } => Reach::Platform,
    }
}

/// Whether `principal` may do `action` to `target`.
pub fn decide(principal: &Principal, action: Action, target: Target) -> Result<Permit, Refusal> {
    let Principal::Service { global, scopes } = principal else {
        return Ok(Permit(()));
    };
    let (read, write) = (scopes.contains(ADMIN_READ), scopes.contains(ADMIN_WRITE));
    if !global || !(read || write) {
        return Err(Refusal::NoPlatformScope);
    }
    // Whoever may change may look; signing keys may only be looked at by those who may change.
    if write || (action.is_read() && target.kind != Kind::SigningKey) {
        return Ok(Permit(()));
    }
    Err(Refusal::Missing(ADMIN_WRITE))
}

/// The permissions of which a service token of a global application needs one, found by asking [`decide`].
#[must_use]
pub fn required(action: Action, kind: Kind) -> Vec<&'static str> {
    let alone = |permission: &&'static str| {
        let scopes = permission.parse::<Scope>().into_iter().collect();
        decide(&Principal::Service { global: true, scopes }, action, Target::collection(kind)).is_ok()
    };
    PLATFORM_SCOPES.into_iter().filter(alone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(global: bool, scopes: &str) -> Principal {
        Principal::Service { global, scopes: scopes.parse().unwrap() }
    }

    #[test]
    fn service_tokens_need_a_platform_scope_of_a_global_application() {
        let target = Target::collection(Kind::Tenant);
        let allowed = |principal: &Principal, action| decide(principal, action, target).map(|_| ());
        for principal in
            [service(false, "admin:read admin:write"), service(true, ""), service(true, "points:read")]
        {
            assert_eq!(allowed(&principal, Action::List), Err(Refusal::NoPlatformScope));
            assert_eq!(allowed(&principal, Action::Create), Err(Refusal::NoPlatformScope));
        }
        assert_eq!(allowed(&service(true, "admin:read"), Action::Read), Ok(()));
        assert_eq!(
            allowed(&service(true, "admin:read"), Action::Act("renew")),
            Err(Refusal::Missing(ADMIN_WRITE))
        );
        assert_eq!(allowed(&service(true, "admin:write"), Action::List), Ok(()));
        assert_eq!(allowed(&Principal::Operator, Action::Delete), Ok(()));
    }

    #[test]
    fn signing_keys_are_for_those_who_may_change() {
        let keys = Target::collection(Kind::SigningKey);
        let read_only = service(true, "admin:read");
        assert_eq!(decide(&read_only, Action::List, keys).map(|_| ()), Err(Refusal::Missing(ADMIN_WRITE)));
        assert!(decide(&service(true, "admin:write"), Action::List, keys).is_ok());
        assert_eq!(required(Action::List, Kind::SigningKey), ["admin:write"]);
        assert_eq!(required(Action::List, Kind::Tenant), ["admin:read", "admin:write"]);
    }
}
