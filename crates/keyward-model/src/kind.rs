//! The kinds of things that have identifiers.

/// A kind of record, actor or event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A partner, which owns tenants.
    Partner,
    /// A tenant.
    Tenant,
    /// A named set of permissions.
    Role,
    /// A row of the permission catalogue.
    Permission,
    /// An OAuth client.
    Application,
    /// A secret of an application or agent.
    Secret,
    /// A person.
    User,
    /// A group of users.
    Group,
    /// That a user is in a group.
    Membership,
    /// That a group is inside another.
    Nesting,
    /// Where people sign in.
    IdentityProvider,
    /// The identity of an AI agent.
    Agent,
    /// A tenant's static credential.
    ApiKey,
    /// What a person proves with who they are.
    Authenticators,
    /// A person's account at an identity provider.
    FederatedIdentity,
    /// A person who is signed in.
    Session,
    /// What an application obtains new tokens with while a session lasts.
    RefreshToken,
    /// A key that signs tokens.
    SigningKey,
    /// That tokens or a key no longer count.
    Revocation,
    /// An event of the audit log.
    Event,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Partner,
        Self::Tenant,
        Self::Role,
        Self::Permission,
        Self::Application,
        Self::Secret,
        Self::User,
        Self::Group,
        Self::Membership,
        Self::Nesting,
        Self::IdentityProvider,
        Self::Agent,
        Self::ApiKey,
        Self::Authenticators,
        Self::FederatedIdentity,
        Self::Session,
        Self::RefreshToken,
        Self::SigningKey,
        Self::Revocation,
        Self::Event,
    ];

    /// What identifiers of this kind begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Partner => "prt",
            Self::Tenant => "tnt",
            Self::Role => "rol",
            Self::Permission => "per",
            Self::Application => "app",
            Self::Secret => "sec",
            Self::User => "usr",
            Self::Group => "grp",
            Self::Membership => "mbr",
            Self::Nesting => "nst",
            Self::IdentityProvider => "idp",
            Self::Agent => "agt",
            Self::ApiKey => "key",
            Self::Authenticators => "aut",
            Self::FederatedIdentity => "fid",
            Self::Session => "ses",
            Self::RefreshToken => "rft",
            Self::SigningKey => "sgk",
            Self::Revocation => "rvk",
            Self::Event => "evt",
        }
    }

    /// The kind's name in the audit log and in error messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Tenant => "tenant",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::Application => "application",
            Self::Secret => "secret",
            Self::User => "user",
            Self::Group => "group",
            Self::Membership => "membership",
            Self::Nesting => "nesting",
            Self::IdentityProvider => "identity_provider",
            Self::Agent => "agent",
            Self::ApiKey => "api_key",
            Self::Authenticators => "authenticators",
            Self::FederatedIdentity => "federated_identity",
            Self::Session => "session",
            Self::RefreshToken => "refresh_token",
            Self::SigningKey => "signing_key",
            Self::Revocation => "revocation",
            Self::Event => "event",
        }
    }

    /// The kind whose identifiers begin with `prefix`.
    #[must_use]
    pub fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }
}
