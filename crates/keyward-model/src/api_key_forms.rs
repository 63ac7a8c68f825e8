//! How API keys are created, changed, rotated and read through the admin API.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    ApiKey, ApiKeyKind, Caller, Field, Id, Resource, ScopeSet, State, Status, Tenant, Timestamp, Usage,
    secret::callers, validate,
};

/// The body that creates an API key.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyCreate)]
pub struct NewApiKey {
    /// What it is for.
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Till in Zurich")]
    pub name: String,
    /// The tenant that it is good for.
    #[schema(value_type = String)]
    pub tenant_id: Id<Tenant>,
    /// What it is: `secret`. The publishable key is the tenant's own.
    #[serde(default)]
    pub kind: ApiKeyKind,
    /// What it permits.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["points:read"]))]
    pub permissions: ScopeSet,
    /// One of the configured environments; the first when left out.
    #[serde(default)]
    pub environment: Option<String>,
    /// When it stops working; never by itself when left out. A date alone means 23:59:59 UTC.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The addresses and networks that it may be used from; from everywhere when empty.
    #[serde(default)]
    #[validate(custom(function = "validate::networks"))]
    #[schema(example = json!(["203.0.113.7", "10.0.0.0/8"]))]
    pub allowed_ips: Vec<String>,
    /// Whether it may be used.
    #[serde(default)]
    pub status: Status,
    /// After how many hours without use it is revoked by itself, once it has a successor.
    #[serde(default)]
    #[validate(custom(function = "validate::quiet_hours"))]
    pub retire_after_quiet_hours: Option<u32>,
}

/// The fields of an API key that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyEdit)]
pub struct EditApiKey {
    /// What it is for.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// What it permits.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
    /// The addresses and networks that it may be used from; from everywhere when empty.
    #[serde(default)]
    #[validate(custom(function = "validate::networks"))]
    pub allowed_ips: Vec<String>,
    /// Whether it may be used.
    pub status: Status,
    /// After how many hours without use it is revoked by itself, once it has a successor; null means never.
    #[serde(default)]
    #[validate(custom(function = "validate::quiet_hours"))]
    pub retire_after_quiet_hours: Option<u32>,
}

/// The body that makes an API key's successor.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRotate)]
pub struct RotateApiKey {
    /// How long the old key goes on working, 0 to 31,536,000 seconds; a day when left out.
    #[serde(default = "a_day")]
    #[validate(range(max = 31_536_000, code = "out_of_range", message = "must be 0 to 31,536,000 seconds"))]
    #[schema(default = 86_400)]
    pub overlap_seconds: u32,
    /// After how many hours without use the old key is revoked by itself, even before its overlap ends; as it was when
    /// left out.
    #[serde(default)]
    #[validate(custom(function = "validate::quiet_hours"))]
    pub retire_after_quiet_hours: Option<u32>,
}

const fn a_day() -> u32 {
    86_400
}

/// An API key as it is read: never its value.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// The identifier, `key_…`.
    #[schema(value_type = String)]
    pub id: Id<ApiKey>,
    /// What it is for.
    pub name: String,
    /// The tenant that it is good for.
    #[schema(value_type = String)]
    pub tenant_id: Id<Tenant>,
    /// What it is.
    pub kind: ApiKeyKind,
    /// What it permits.
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
    /// The environment that it is good in.
    pub environment: String,
    /// When it stops working; null means never by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The addresses and networks that it may be used from; from everywhere when empty.
    pub allowed_ips: Vec<String>,
    /// Whether it may be used.
    pub status: Status,
    /// What status, expiry and revocation come to now.
    pub state: State,
    /// The beginning of the key, by which people recognise it.
    #[schema(example = "kwk_live_4f2K")]
    pub hint: String,
    /// When it was last used; at most 60 seconds behind.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// How often it was used.
    pub use_count: u64,
    /// Who used it, the latest first.
    pub callers: Vec<Caller>,
    /// The key that it takes the place of.
    #[schema(value_type = Option<String>)]
    pub predecessor_id: Option<Id<ApiKey>>,
    /// The key that takes its place.
    #[schema(value_type = Option<String>)]
    pub successor_id: Option<Id<ApiKey>>,
    /// When it was stopped for good, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// After how many hours without use it is revoked by itself, once it has a successor.
    pub retire_after_quiet_hours: Option<u32>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl ApiKey {
    /// How it is read at `now`, with the evidence of its use.
    #[must_use]
    pub fn view_with(&self, now: Timestamp, usage: &[Usage]) -> ApiKeyView {
        let callers = callers(usage);
        ApiKeyView {
            last_used_at: callers.first().map(|caller| caller.last_used_at),
            use_count: callers.iter().map(|caller| caller.count).sum(),
            callers,
            ..self.view(now)
        }
    }
}

impl Resource for ApiKey {
    const FILTERS: &'static [Field] = &[Field::TenantId, Field::Environment, Field::Status];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::UpdatedAt, Field::ExpiresAt];

    type New = NewApiKey;
    type Edit = EditApiKey;
    type View = ApiKeyView;

    fn edit(&self) -> EditApiKey {
        EditApiKey {
            name: self.name.clone(),
            permissions: self.permissions.clone(),
            allowed_ips: self.allowed_ips.clone(),
            status: self.status,
            retire_after_quiet_hours: self.retire_after_quiet_hours,
        }
    }

    fn view(&self, now: Timestamp) -> ApiKeyView {
        ApiKeyView {
            id: self.meta.id,
            name: self.name.clone(),
            tenant_id: self.tenant_id,
            kind: ApiKeyKind::Secret,
            permissions: self.permissions.clone(),
            environment: self.environment.clone(),
            expires_at: self.expires_at,
            allowed_ips: self.allowed_ips.clone(),
            status: self.status,
            state: self.state(now),
            hint: self.hint.clone(),
            last_used_at: None,
            use_count: 0,
            callers: Vec::new(),
            predecessor_id: self.predecessor_id,
            successor_id: self.successor_id,
            revoked_at: self.revoked_at,
            retire_after_quiet_hours: self.retire_after_quiet_hours,
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
