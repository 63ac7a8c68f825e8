//! Authority: may this principal do this to that?

use std::borrow::Cow;

use keyward_model::{
    ADMIN_READ, ADMIN_WRITE, AdminRole, Id, Kind, Owner, PLATFORM_SCOPES, Partner, Reach, Scope, ScopeSet,
    User,
};

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
    /// A person.
    User {
        /// The tier of administration, if any.
        tier: Option<AdminRole>,
        /// How far the person sees.
        reach: Reach,
        /// The permissions that the person has now, through roles given directly and through groups.
        permissions: ScopeSet,
    },
}

impl Principal {
    /// A person with these permissions.
    #[must_use]
    pub fn user(user: &User, permissions: ScopeSet) -> Self {
        let reach = match (user.admin_role, user.partner_id, user.tenant_id) {
            (Some(AdminRole::SuperAdmin), ..) | (None, None, None) => Reach::Platform,
            (_, _, Some(tenant)) => Reach::Tenant(tenant),
            (_, Some(partner), None) => Reach::Partner(partner),
            // An administrator of a tier without a place in it sees what is in the tenant that there never is.
            (Some(_), None, None) => Reach::Tenant(Id::NOBODY),
        };
        Self::User { tier: user.admin_role, reach, permissions }
    }
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
    /// It belongs to another tier.
    #[error("Access denied")]
    AccessDenied,
    /// The principal lacks this permission.
    #[error("this needs the permission {0}")]
    Missing(Cow<'static, str>),
}

/// Whether an identity provider may say who a person is: one of the platform of anybody, one of a partner of the partner's people and
/// those of its tenants, one of a tenant of the tenant's people. Whoever runs a provider could be everybody it vouches for, so
/// none vouches for people above it. `partner` is the person's, or their tenant's.
#[must_use]
pub fn may_vouch(provider: Owner, person: Owner, partner: Option<Id<Partner>>) -> bool {
    match provider {
        Owner::Platform => true,
        Owner::Partner(of) => partner == Some(of),
        Owner::Tenant(_) => provider == person,
        Owner::Everyone => false,
    }
}

/// How far a principal can see.
#[must_use]
pub fn reach(principal: &Principal) -> Reach {
    match principal {
        // A service that is not global is refused before it can look at anything.
        Principal::Operator | Principal::Service { .. } => Reach::Platform,
        Principal::User { reach, .. } => *reach,
    }
}

/// Who may do what to a kind, apart from how far they see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Domain {
    /// Written by the platform, read by every administrator: tenants, partners, the catalogue.
    Hierarchy,
    /// For the platform alone.
    Platform,
    /// Written by the administrators within whose reach it is.
    Inside,
}

const fn domain(kind: Kind) -> Domain {
    match kind {
        Kind::Partner | Kind::Tenant | Kind::Permission => Domain::Hierarchy,
        Kind::SigningKey | Kind::Revocation => Domain::Platform,
        Kind::Role
        | Kind::Application
        | Kind::Secret
        | Kind::User
        | Kind::Group
        | Kind::Membership
        | Kind::Nesting
        | Kind::IdentityProvider
        | Kind::Agent
        | Kind::ApiKey
        | Kind::Authenticators
        | Kind::FederatedIdentity
        | Kind::Session
        | Kind::RefreshToken
        | Kind::Event => Domain::Inside,
    }
}

/// The permissions by which people without an admin role may look at a kind, or change it.
#[must_use]
pub fn staff_permission(kind: Kind, read: bool) -> Option<String> {
    let collection = match kind {
        Kind::Role => "roles",
        Kind::Application | Kind::Secret => "applications",
        Kind::User | Kind::Authenticators | Kind::FederatedIdentity => "users",
        Kind::Group | Kind::Membership | Kind::Nesting => "groups",
        Kind::IdentityProvider => "identity-providers",
        Kind::Agent => "agents",
        Kind::ApiKey => "api-keys",
        Kind::Session | Kind::RefreshToken => "sessions",
        Kind::Event => "audit",
        Kind::Partner | Kind::Tenant | Kind::Permission | Kind::SigningKey | Kind::Revocation => return None,
    };
    Some(format!("keyward:{collection}:{}", if read { "read" } else { "write" }))
}

/// Whether `principal` may do `action` to `target`.
pub fn decide(principal: &Principal, action: Action, target: Target) -> Result<Permit, Refusal> {
    match principal {
        Principal::Operator | Principal::User { tier: Some(AdminRole::SuperAdmin), .. } => Ok(Permit(())),
        Principal::Service { global, scopes } => decide_service(*global, scopes, action, target),
        Principal::User { tier: Some(_), reach, .. } => decide_admin(*reach, action, target),
        Principal::User { tier: None, reach, permissions } => {
            decide_staff(*reach, permissions, action, target)
        }
    }
}

fn decide_service(
    global: bool,
    scopes: &ScopeSet,
    action: Action,
    target: Target,
) -> Result<Permit, Refusal> {
    let (read, write) = (scopes.contains(ADMIN_READ), scopes.contains(ADMIN_WRITE));
    if !global || !(read || write) {
        return Err(Refusal::NoPlatformScope);
    }
    // Whoever may change may look; signing keys may only be looked at by those who may change.
    if write || (action.is_read() && target.kind != Kind::SigningKey) {
        return Ok(Permit(()));
    }
    Err(Refusal::Missing(ADMIN_WRITE.into()))
}

fn decide_admin(reach: Reach, action: Action, target: Target) -> Result<Permit, Refusal> {
    let allowed = match domain(target.kind) {
        Domain::Hierarchy => action.is_read(),
        Domain::Platform => false,
        Domain::Inside => action.is_read() || target.owner.is_none_or(|owner| is_inside(reach, owner)),
    };
    if allowed { Ok(Permit(())) } else { Err(Refusal::AccessDenied) }
}

/// Whether something of this owner can be inside the reach. Which tenants a partner has, storage knows: what it found
/// within the reach is there.
fn is_inside(reach: Reach, owner: Owner) -> bool {
    match (reach, owner) {
        (Reach::Platform, _) | (Reach::Partner(_), Owner::Tenant(_)) => true,
        (Reach::Partner(partner), Owner::Partner(of)) => partner == of,
        (Reach::Tenant(tenant), Owner::Tenant(of)) => tenant == of,
        _ => false,
    }
}

fn decide_staff(reach: Reach, held: &ScopeSet, action: Action, target: Target) -> Result<Permit, Refusal> {
    let Some(read) = staff_permission(target.kind, true) else {
        // The catalogue tells what there is to be granted; it is for whoever administrates anything.
        let administrates = held.iter().any(|scope| scope.as_str().starts_with("keyward:"));
        let is_catalogue = target.kind == Kind::Permission && action.is_read() && administrates;
        return if is_catalogue { Ok(Permit(())) } else { Err(Refusal::AccessDenied) };
    };
    // The name of the write permission exists wherever that of the read permission does.
    let write = staff_permission(target.kind, false).unwrap_or_default();
    if held.contains(&write) || (action.is_read() && held.contains(&read)) {
        let reached = action.is_read() || target.owner.is_none_or(|owner| is_inside(reach, owner));
        return if reached { Ok(Permit(())) } else { Err(Refusal::AccessDenied) };
    }
    Err(Refusal::Missing(if action.is_read() { read } else { write }.into()))
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
            Err(Refusal::Missing(ADMIN_WRITE.into()))
        );
        assert_eq!(allowed(&service(true, "admin:write"), Action::List), Ok(()));
        assert_eq!(allowed(&Principal::Operator, Action::Delete), Ok(()));
    }

    #[test]
    fn no_provider_vouches_for_people_above_it() {
        let tenant = Owner::Tenant("tnt_00000000000000000000000001".parse().unwrap());
        let other = Owner::Tenant("tnt_00000000000000000000000002".parse().unwrap());
        let id = "prt_00000000000000000000000001".parse().unwrap();
        let partner = Owner::Partner(id);
        let people = [(Owner::Platform, None), (partner, Some(id)), (tenant, Some(id)), (other, None)];
        let vouched = |provider| people.map(|(person, of)| may_vouch(provider, person, of));
        assert_eq!(vouched(Owner::Platform), [true; 4]);
        assert_eq!(vouched(partner), [false, true, true, false]);
        assert_eq!(vouched(tenant), [false, false, true, false]);
        assert_eq!(vouched(other), [false, false, false, true]);
    }

    #[test]
    fn signing_keys_are_for_those_who_may_change() {
        let keys = Target::collection(Kind::SigningKey);
        let read_only = service(true, "admin:read");
        let missing = Err(Refusal::Missing(ADMIN_WRITE.into()));
        assert_eq!(decide(&read_only, Action::List, keys).map(|_| ()), missing);
        assert!(decide(&service(true, "admin:write"), Action::List, keys).is_ok());
        assert_eq!(required(Action::List, Kind::SigningKey), ["admin:write"]);
        assert_eq!(required(Action::List, Kind::Tenant), ["admin:read", "admin:write"]);
    }

    #[test]
    fn tiers_write_what_is_inside_and_never_the_hierarchy() {
        let tenant = "tnt_00000000000000000000000001".parse().unwrap();
        let other = "tnt_00000000000000000000000002".parse().unwrap();
        let admin = Principal::User {
            tier: Some(AdminRole::TenantAdmin),
            reach: Reach::Tenant(tenant),
            permissions: ScopeSet::default(),
        };
        let may = |action, kind, owner| decide(&admin, action, Target::object(kind, owner)).map(|_| ());
        assert_eq!(may(Action::Create, Kind::User, Owner::Tenant(tenant)), Ok(()));
        assert_eq!(may(Action::Create, Kind::User, Owner::Tenant(other)), Err(Refusal::AccessDenied));
        assert_eq!(may(Action::Create, Kind::Role, Owner::Platform), Err(Refusal::AccessDenied));
        assert_eq!(may(Action::Update, Kind::Tenant, Owner::Tenant(tenant)), Err(Refusal::AccessDenied));
        assert_eq!(may(Action::Read, Kind::Tenant, Owner::Tenant(tenant)), Ok(()));
        assert_eq!(may(Action::List, Kind::SigningKey, Owner::Platform), Err(Refusal::AccessDenied));
    }

    #[test]
    fn staff_need_the_permission_for_the_kind() {
        let tenant = "tnt_00000000000000000000000001".parse().unwrap();
        let staff = |permissions: &str| Principal::User {
            tier: None,
            reach: Reach::Tenant(tenant),
            permissions: permissions.parse().unwrap(),
        };
        let target = Target::object(Kind::Application, Owner::Tenant(tenant));
        let may = |permissions: &str, action| decide(&staff(permissions), action, target).map(|_| ());
        let missing = |name: &'static str| Err(Refusal::Missing(name.into()));
        assert_eq!(may("", Action::List), missing("keyward:applications:read"));
        assert_eq!(may("keyward:users:write", Action::List), missing("keyward:applications:read"));
        assert_eq!(may("keyward:applications:read", Action::List), Ok(()));
        assert_eq!(may("keyward:applications:read", Action::Update), missing("keyward:applications:write"));
        assert_eq!(may("keyward:applications:write", Action::Read), Ok(()));
        let partners = Target::collection(Kind::Partner);
        let refused = decide(&staff("keyward:users:write"), Action::List, partners).map(|_| ());
        assert_eq!(refused, Err(Refusal::AccessDenied));
    }
}
