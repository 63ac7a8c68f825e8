//! What all records have in common.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AnyId, Group, Id, Identified, IdentityProvider, Kind, Partner, Tenant, Timestamp, User};

/// Identity, version and times of a record.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Meta<R: Identified> {
    /// The record's identifier.
    pub id: Id<R>,
    /// 1 when created, one more with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted, if it was. A deleted record exists for storage only.
    pub deleted_at: Option<Timestamp>,
}

impl<R: Identified> Clone for Meta<R> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<R: Identified> Meta<R> {
    /// The first version of a record that is created now.
    #[must_use]
    pub fn new(id: Id<R>, now: Timestamp) -> Self {
        Self { id, version: 1, created_at: now, updated_at: now, deleted_at: None }
    }
}

/// Who a record belongs to, and with that who can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The platform alone.
    Platform,
    /// The platform, but everyone may read it: the permission catalogue.
    Everyone,
    /// A partner.
    Partner(Id<Partner>),
    /// A tenant; its partner sees it too.
    Tenant(Id<Tenant>),
}

impl Owner {
    /// The owner that a record's two owner columns name.
    #[must_use]
    pub fn of(partner_id: Option<Id<Partner>>, tenant_id: Option<Id<Tenant>>) -> Self {
        match (tenant_id, partner_id) {
            (Some(tenant), _) => Self::Tenant(tenant),
            (None, Some(partner)) => Self::Partner(partner),
            (None, None) => Self::Platform,
        }
    }

    /// The owning tenant, if it is one.
    #[must_use]
    pub fn tenant(self) -> Option<Id<Tenant>> {
        if let Self::Tenant(id) = self { Some(id) } else { None }
    }
}

/// How far a caller can see. Outside of it nothing exists: reads find nothing, lists and totals leave it out.
///
/// Only policy derives a reach from an authenticated caller; everything else passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    Platform,
    /// A partner, its tenants and what is in them.
    Partner(Id<Partner>),
    /// One tenant and what is in it.
    Tenant(Id<Tenant>),
}

impl Reach {
    /// Whether a record of `owner` is inside, where `partner_of` is the current partner of the owning tenant, if any.
    #[must_use]
    pub fn covers(&self, owner: Owner, partner_of_tenant: Option<Id<Partner>>) -> bool {
        match (*self, owner) {
            (Self::Platform, _) | (_, Owner::Everyone) => true,
            (Self::Partner(partner), Owner::Partner(of)) => partner == of,
            (Self::Partner(partner), Owner::Tenant(_)) => partner_of_tenant == Some(partner),
            (Self::Tenant(tenant), Owner::Tenant(of)) => tenant == of,
            (_, Owner::Platform) | (Self::Tenant(_), Owner::Partner(_)) => false,
        }
    }
}

/// Whether a partner or tenant is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenancyStatus {
    /// In use.
    #[default]
    Active,
    /// Stopped, with everything below it, until it is active again.
    Suspended,
}

/// Whether a credential or principal may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    #[default]
    Active,
    /// Switched off, reversibly.
    Disabled,
}

/// What a credential's status, expiry and revocation come to at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Works.
    Active,
    /// Works, and expires within 30 days.
    Expiring,
    /// Its expiry has passed.
    Expired,
    /// Switched off.
    Disabled,
    /// Stopped for good.
    Revoked,
}

/// How long before its expiry a credential counts as expiring, in seconds.
pub const EXPIRING_SECONDS: i64 = 30 * 86_400;

impl State {
    /// The state at `now` of something with this status and expiry that was not revoked.
    #[must_use]
    pub fn at(now: Timestamp, status: Status, expires_at: Option<Timestamp>) -> Self {
        match (status, expires_at) {
            (_, Some(at)) if at <= now => Self::Expired,
            (Status::Disabled, _) => Self::Disabled,
            (Status::Active, Some(at)) if at <= now.plus_seconds(EXPIRING_SECONDS) => Self::Expiring,
            (Status::Active, _) => Self::Active,
        }
    }
}

/// Names an enum's variants as they appear in JSON and in the database.
macro_rules! text_enum {
    ($type:ty { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $type {
            /// The value as it is written in JSON and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::UnknownValue;

            fn from_str(text: &str) -> Result<Self, $crate::UnknownValue> {
                match text { $($text => Ok(Self::$variant),)+ _ => Err($crate::UnknownValue) }
            }
        }
    };
}
pub(crate) use text_enum;

/// A text that is none of an enum's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known values")]
pub struct UnknownValue;

text_enum!(TenancyStatus { Active = "active", Suspended = "suspended" });
text_enum!(Status { Active = "active", Disabled = "disabled" });

/// A key that no two records may have at the same time, deleted ones left aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UniqueKey {
    /// A partner's slug.
    PartnerSlug(String),
    /// A tenant's slug.
    TenantSlug(String),
    /// The label-independent name of a row of the permission catalogue.
    PermissionResource(String),
    /// A role's name within its owner.
    RoleName {
        /// The tenant, or none for the platform's own roles.
        tenant: Option<Id<Tenant>>,
        /// The role's name.
        name: String,
    },
    /// A client identifier as applications send it.
    ClientId(String),
    /// A user's e-mail address in lower case.
    UserEmail(String),
    /// A group's name within its owner.
    GroupName {
        /// The tenant, or none for the platform's own groups.
        tenant: Option<Id<Tenant>>,
        /// The group's name.
        name: String,
    },
    /// A user in a group.
    Membership {
        /// The group.
        group: Id<Group>,
        /// The user.
        user: Id<User>,
    },
    /// A group in another.
    Nesting {
        /// The group outside.
        group: Id<Group>,
        /// The group inside.
        child: Id<Group>,
    },
    /// A signing key's `kid`.
    SigningKeyKid(String),
    /// The `jti` of a revoked token.
    RevokedJti(String),
    /// The keyed hash of an API key.
    ApiKeyHash([u8; 32]),
    /// A tenant's publishable key.
    PublishableKey(String),
    /// The person whose authenticators they are.
    AuthenticatorsOf(Id<User>),
    /// An account at an identity provider.
    SubjectAtProvider {
        /// The provider.
        provider: Id<IdentityProvider>,
        /// The account's identifier there.
        subject: String,
    },
    /// The keyed hash of a session's cookie.
    SessionHash([u8; 32]),
}

impl UniqueKey {
    /// The kind of record that has such a key.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::PartnerSlug(_) => Kind::Partner,
            Self::TenantSlug(_) | Self::PublishableKey(_) => Kind::Tenant,
            Self::PermissionResource(_) => Kind::Permission,
            Self::RoleName { .. } => Kind::Role,
            Self::ClientId(_) => Kind::Application,
            Self::UserEmail(_) => Kind::User,
            Self::GroupName { .. } => Kind::Group,
            Self::Membership { .. } => Kind::Membership,
            Self::Nesting { .. } => Kind::Nesting,
            Self::SigningKeyKid(_) => Kind::SigningKey,
            Self::RevokedJti(_) => Kind::Revocation,
            Self::ApiKeyHash(_) => Kind::ApiKey,
            Self::AuthenticatorsOf(_) => Kind::Authenticators,
            Self::SubjectAtProvider { .. } => Kind::FederatedIdentity,
            Self::SessionHash(_) => Kind::Session,
        }
    }

    /// The name of the field that holds the key.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::PartnerSlug(_) | Self::TenantSlug(_) => "slug",
            Self::PermissionResource(_) => "resource",
            Self::RoleName { .. } | Self::GroupName { .. } => "name",
            Self::ClientId(_) => "client_id",
            Self::UserEmail(_) => "email",
            Self::Membership { .. } | Self::AuthenticatorsOf(_) => "user_id",
            Self::SubjectAtProvider { .. } => "subject",
            Self::Nesting { .. } => "group_id",
            Self::SigningKeyKid(_) => "kid",
            Self::RevokedJti(_) => "jti",
            Self::ApiKeyHash(_) | Self::SessionHash(_) => "value",
            Self::PublishableKey(_) => "publishable_key",
        }
    }
}

/// A field by which lists are filtered or sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// When the record was created.
    CreatedAt,
    /// When the record was last changed.
    UpdatedAt,
    /// When the credential expires.
    ExpiresAt,
    /// The display name, or for a permission row its label.
    Name,
    /// The slug.
    Slug,
    /// The status.
    Status,
    /// The owning partner.
    PartnerId,
    /// The owning tenant.
    TenantId,
    /// The application or agent that a secret belongs to.
    HolderId,
    /// The group of a membership, or the group outside of a nesting.
    GroupId,
    /// The user of a membership or session.
    UserId,
    /// The identity provider of an account.
    ProviderId,
    /// The group inside of a nesting.
    ChildId,
    /// The person who answers for an agent.
    OwnerId,
    /// A user's e-mail address.
    Email,
    /// A user's tier of administration.
    AdminRole,
    /// An identity provider's protocol.
    Kind,
    /// The client identifier as applications send it.
    ClientId,
    /// The application's type.
    Type,
    /// The application's reach.
    Reach,
    /// The environment.
    Environment,
    /// The catalogue row's name.
    Resource,
    /// When a session was ended, if it was.
    RevokedAt,
    /// When a session was last used.
    LastActiveAt,
    /// From when on an API key may be due to be revoked for want of use.
    RetiresFrom,
    /// The roles of a user, group or application, those of an application's grants included: identifiers with a space
    /// between. Lists are narrowed by one of them and never sorted so.
    Roles,
    /// The permissions of a role, application, API key or agent, with a space between. Lists are narrowed by one of them
    /// and never sorted so.
    Permissions,
}

text_enum!(Field {
    CreatedAt = "created_at",
    UpdatedAt = "updated_at",
    ExpiresAt = "expires_at",
    Name = "name",
    Slug = "slug",
    Status = "status",
    PartnerId = "partner_id",
    TenantId = "tenant_id",
    HolderId = "holder_id",
    GroupId = "group_id",
    UserId = "user_id",
    ProviderId = "provider_id",
    ChildId = "child_id",
    OwnerId = "owner_id",
    Email = "email",
    AdminRole = "admin_role",
    Kind = "kind",
    ClientId = "client_id",
    Type = "type",
    Reach = "reach",
    Environment = "environment",
    Resource = "resource",
    RevokedAt = "revoked_at",
    LastActiveAt = "last_active_at",
    RetiresFrom = "retires_from",
    Roles = "roles",
    Permissions = "permissions",
});

/// The value of a [`Field`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing; sorts first.
    Null,
    /// A text; ids too. Sorts by its bytes.
    Text(String),
    /// A moment.
    Time(Timestamp),
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An identifier as a value; nothing when there is none.
    #[must_use]
    pub fn id(id: Option<impl Into<AnyId>>) -> Self {
        id.map_or(Self::Null, |id| Self::Text(id.into().to_string()))
    }

    /// Words with a space between.
    #[must_use]
    pub fn words(words: impl IntoIterator<Item = impl ToString>) -> Self {
        let words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
        Self::Text(words.join(" "))
    }
}
