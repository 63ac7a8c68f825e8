//! Applications: OAuth clients, and what they are granted.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Entity, Field, Id, Meta, Owner, Partner, Role, ScopeSet, State, Status, Tenant, Timestamp, UniqueKey,
    Value,
    meta::text_enum,
    record::{has_meta, meta_value},
};

/// What kind of OAuth client an application is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// A machine that holds secrets: client credentials. The console calls it an API client.
    Service,
    /// A server-side web application.
    Web,
    /// An application in the browser.
    Spa,
    /// An application on a device.
    Native,
}

/// Whose an application is; fixed at creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationReach {
    /// The platform's.
    Global,
    /// A partner's.
    Partner,
    /// A tenant's.
    Tenant,
}

/// The signature algorithm of an application's access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum TokenAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

text_enum!(ApplicationType { Service = "service", Web = "web", Spa = "spa", Native = "native" });
text_enum!(ApplicationReach { Global = "global", Partner = "partner", Tenant = "tenant" });
text_enum!(TokenAlgorithm { Es256 = "ES256", EdDsa = "EdDSA", Rs256 = "RS256" });

impl TokenAlgorithm {
    /// Every algorithm, the default first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];
}

/// What an application may do in one tenant, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The tenant.
    #[schema(value_type = String)]
    pub tenant_id: Id<Tenant>,
    /// The environment, which is the application's.
    pub environment: String,
    /// Permissions that are granted directly.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
    /// Roles whose permissions are granted.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
    /// When the grant ends; none means with the application.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// An OAuth client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The display name.
    pub name: String,
    /// What kind of client it is; fixed at creation.
    pub kind: ApplicationType,
    /// Whose it is; fixed at creation.
    pub reach: ApplicationReach,
    /// The owning partner, when the reach is `partner`.
    pub partner_id: Option<Id<Partner>>,
    /// The owning tenant, when the reach is `tenant`.
    pub tenant_id: Option<Id<Tenant>>,
    /// The client identifier as the application sends it; fixed at creation.
    pub client_id: String,
    /// The environment that it belongs to; fixed at creation.
    pub environment: String,
    /// Whether it may be used.
    pub status: Status,
    /// When it expires; no token outlives it.
    pub expires_at: Timestamp,
    /// What people should know about it.
    pub notes: Option<String>,
    /// Roles whose permissions it has.
    pub roles: Vec<Id<Role>>,
    /// Permissions that it has directly.
    pub allowed_scopes: ScopeSet,
    /// How long its tokens live, in seconds; none means as configured.
    pub token_lifetime: Option<u32>,
    /// How its tokens are signed.
    pub token_alg: TokenAlgorithm,
    /// Where sign-in may send the browser back to.
    pub redirect_uris: Vec<String>,
    /// Which origins may call from a browser.
    pub allowed_origins: Vec<String>,
    /// Whether it may exchange tokens (RFC 8693).
    pub token_exchange_allowed: bool,
    /// What it may do in which tenants, when it is not a tenant's own.
    pub grants: Vec<Grant>,
}

impl Application {
    /// Its state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        State::at(now, self.status, Some(self.expires_at))
    }
}

impl Entity for Application {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::ClientId(self.client_id.clone())]
    }

    fn display_name(&self) -> &str {
        &self.client_id
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Name => Value::text(&self.name),
            Field::ClientId => Value::text(&self.client_id),
            Field::Type => Value::text(self.kind.as_str()),
            Field::Reach => Value::text(self.reach.as_str()),
            Field::Status => Value::text(self.status.as_str()),
            Field::Environment => Value::text(&self.environment),
            Field::ExpiresAt => Value::Time(self.expires_at),
            Field::PartnerId => Value::id(self.partner_id),
            Field::TenantId => Value::id(self.tenant_id),
            Field::Roles => {
                Value::words(self.roles.iter().chain(self.grants.iter().flat_map(|grant| &grant.roles)))
            }
            Field::Permissions => Value::words(self.allowed_scopes.iter()),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        let mut texts = vec![self.name.as_str(), self.client_id.as_str()];
        texts.extend(self.notes.as_deref());
        texts
    }
}
