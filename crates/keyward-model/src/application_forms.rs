//! How applications are created, changed and read through the admin API.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Application, ApplicationReach, ApplicationType, Field, Grant, Id, Partner, Resource, Role, ScopeSet,
    State, Status, Tenant, Timestamp, TokenAlgorithm, validate,
};

/// The body that creates an application.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationCreate)]
pub struct NewApplication {
    /// The display name; the client identifier when left out.
    #[serde(default)]
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "CRM sync")]
    pub name: Option<String>,
    /// What kind of client it is.
    #[serde(rename = "type")]
    pub kind: ApplicationType,
    /// Whose it is; `tenant` when a tenant is given, `partner` when a partner is given, else `global`.
    #[serde(default)]
    pub reach: Option<ApplicationReach>,
    /// The owning partner, when the reach is `partner`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// The owning tenant, when the reach is `tenant`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// The local part of the client identifier: 1 to 64 characters of `a-z`, `0-9` and `-`.
    #[validate(custom(function = "validate::slug"))]
    #[schema(example = "crm-sync", pattern = "^[a-z0-9-]{1,64}$")]
    pub client_id: String,
    /// One of the configured environments; the first when left out.
    #[serde(default)]
    pub environment: Option<String>,
    /// Whether it may be used.
    #[serde(default)]
    pub status: Status,
    /// When it expires; one year ahead when left out. A date alone means 23:59:59 UTC.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// What people should know about it.
    #[serde(default)]
    #[validate(custom(function = "validate::notes"))]
    pub notes: Option<String>,
    /// Roles whose permissions it has.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
    /// Permissions that it has directly.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["points:read"]))]
    pub allowed_scopes: ScopeSet,
    /// How long its tokens live, 60 to 86400 seconds; as configured when left out.
    #[serde(default)]
    #[validate(custom(function = "validate::token_lifetime"))]
    pub token_lifetime: Option<u32>,
    /// How its tokens are signed.
    #[serde(default)]
    pub token_alg: TokenAlgorithm,
    /// Where sign-in may send the browser back to; for interactive types only.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Which origins may call from a browser; for interactive types only.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Whether it may exchange tokens (RFC 8693).
    #[serde(default)]
    pub token_exchange_allowed: bool,
}

/// The fields of an application that can be changed. Its identifier, type, reach and expiry can't.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationEdit)]
pub struct EditApplication {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// Whether it may be used.
    pub status: Status,
    /// What people should know about it.
    #[serde(default)]
    #[validate(custom(function = "validate::notes"))]
    pub notes: Option<String>,
    /// Roles whose permissions it has.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
    /// Permissions that it has directly.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub allowed_scopes: ScopeSet,
    /// How long its tokens live, 60 to 86400 seconds; null means as configured.
    #[serde(default)]
    #[validate(custom(function = "validate::token_lifetime"))]
    pub token_lifetime: Option<u32>,
    /// How its tokens are signed.
    #[serde(default)]
    pub token_alg: TokenAlgorithm,
    /// Where sign-in may send the browser back to; for interactive types only.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Which origins may call from a browser; for interactive types only.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Whether it may exchange tokens (RFC 8693).
    #[serde(default)]
    pub token_exchange_allowed: bool,
}

/// An application as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Application)]
pub struct ApplicationView {
    /// The identifier, `app_…`.
    #[schema(value_type = String)]
    pub id: Id<Application>,
    /// The display name.
    pub name: String,
    /// What kind of client it is.
    #[serde(rename = "type")]
    pub kind: ApplicationType,
    /// Whose it is.
    pub reach: ApplicationReach,
    /// The owning partner.
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// The owning tenant.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// The client identifier as the application sends it.
    #[schema(example = "acme.crm-sync")]
    pub client_id: String,
    /// The environment that it belongs to.
    pub environment: String,
    /// Whether it may be used.
    pub status: Status,
    /// What status and expiry come to now.
    pub state: State,
    /// When it expires.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// What people should know about it.
    pub notes: Option<String>,
    /// Roles whose permissions it has.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
    /// Permissions that it has directly.
    #[schema(value_type = Vec<String>)]
    pub allowed_scopes: ScopeSet,
    /// How long its tokens live, in seconds; null means as configured.
    pub token_lifetime: Option<u32>,
    /// How its tokens are signed.
    pub token_alg: TokenAlgorithm,
    /// Where sign-in may send the browser back to.
    pub redirect_uris: Vec<String>,
    /// Which origins may call from a browser.
    pub allowed_origins: Vec<String>,
    /// Whether it may exchange tokens (RFC 8693).
    pub token_exchange_allowed: bool,
    /// What it may do in which tenants.
    pub grants: Vec<Grant>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for Application {
    const FILTERS: &'static [Field] = &[
        Field::TenantId,
        Field::PartnerId,
        Field::Status,
        Field::Type,
        Field::Reach,
        Field::Environment,
        Field::ClientId,
    ];
    const SORTS: &'static [Field] =
        &[Field::CreatedAt, Field::Name, Field::ClientId, Field::ExpiresAt, Field::UpdatedAt];

    type New = NewApplication;
    type Edit = EditApplication;
    type View = ApplicationView;

    fn edit(&self) -> EditApplication {
        EditApplication {
            name: self.name.clone(),
            status: self.status,
            notes: self.notes.clone(),
            roles: self.roles.clone(),
            allowed_scopes: self.allowed_scopes.clone(),
            token_lifetime: self.token_lifetime,
            token_alg: self.token_alg,
            redirect_uris: self.redirect_uris.clone(),
            allowed_origins: self.allowed_origins.clone(),
            token_exchange_allowed: self.token_exchange_allowed,
        }
    }

    fn view(&self, now: Timestamp) -> ApplicationView {
        ApplicationView {
            id: self.meta.id,
            name: self.name.clone(),
            kind: self.kind,
            reach: self.reach,
            partner_id: self.partner_id,
            tenant_id: self.tenant_id,
            client_id: self.client_id.clone(),
            environment: self.environment.clone(),
            status: self.status,
            state: self.state(now),
            expires_at: self.expires_at,
            notes: self.notes.clone(),
            roles: self.roles.clone(),
            allowed_scopes: self.allowed_scopes.clone(),
            token_lifetime: self.token_lifetime,
            token_alg: self.token_alg,
            redirect_uris: self.redirect_uris.clone(),
            allowed_origins: self.allowed_origins.clone(),
            token_exchange_allowed: self.token_exchange_allowed,
            grants: self.grants.clone(),
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
