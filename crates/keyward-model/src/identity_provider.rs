//! Identity providers: where people of a tenant, a partner or the platform sign in.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Entity, Field, Id, Meta, Owner, Partner, Resource, Status, Tenant, Timestamp, UniqueKey, Value,
    meta::text_enum,
    record::{has_meta, meta_value},
    validate,
};

/// The protocol of an identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// `OpenID` Connect.
    Oidc,
    /// SAML 2.0.
    Saml,
}

text_enum!(ProviderKind { Oidc = "oidc", Saml = "saml" });

/// An identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The display name.
    pub name: String,
    /// The protocol; fixed at creation.
    pub kind: ProviderKind,
    /// The owning partner.
    pub partner_id: Option<Id<Partner>>,
    /// The owning tenant.
    pub tenant_id: Option<Id<Tenant>>,
    /// Whether people may sign in by it.
    pub status: Status,
    /// How it is reached, secrets left out.
    pub config: Json,
    /// Its client secret, sealed under the master key.
    pub sealed_secret: Option<Vec<u8>>,
}

impl Entity for IdentityProvider {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        Vec::new()
    }

    fn display_name(&self) -> &str {
        &self.name
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Name => Value::text(&self.name),
            Field::Kind => Value::text(self.kind.as_str()),
            Field::Status => Value::text(self.status.as_str()),
            Field::PartnerId => Value::id(self.partner_id),
            Field::TenantId => Value::id(self.tenant_id),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// The body that creates an identity provider.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityProviderCreate)]
pub struct NewIdentityProvider {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Acme Entra ID")]
    pub name: String,
    /// The protocol.
    pub kind: ProviderKind,
    /// The owning partner.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// The owning tenant.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// Whether people may sign in by it.
    #[serde(default)]
    pub status: Status,
    /// For `oidc`: `issuer`, `client_id`, `client_secret`, `scopes`, `preset`. For `saml`: `entity_id`, `sso_url`, `certificate`,
    /// or `metadata`. For both: `email_domains`, whose people are sent there; `create_users`, whether accounts are made for
    /// people who have none; and `claim_roles` or `attribute_roles`, the roles that claims come to, by claim and value.
    #[validate(custom(function = "validate::provider_config"))]
    #[schema(value_type = Object, example = json!({ "issuer": "https://idp.example", "client_id": "keyward", "client_secret": "…", "scopes": ["openid", "email"] }))]
    pub config: Json,
}

/// The fields of an identity provider that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityProviderEdit)]
pub struct EditIdentityProvider {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// Whether people may sign in by it.
    pub status: Status,
    /// How it is reached. Changing where secrets are sent needs the secret again.
    #[validate(custom(function = "validate::provider_config"))]
    #[schema(value_type = Object)]
    pub config: Json,
}

/// An identity provider as it is read; its secret never is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IdentityProvider)]
pub struct IdentityProviderView {
    /// The identifier, `idp_…`.
    #[schema(value_type = String)]
    pub id: Id<IdentityProvider>,
    /// The display name.
    pub name: String,
    /// The protocol.
    pub kind: ProviderKind,
    /// The owning partner.
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// The owning tenant.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// Whether people may sign in by it.
    pub status: Status,
    /// How it is reached, secrets left out.
    #[schema(value_type = Object)]
    pub config: Json,
    /// Whether a client secret is stored.
    pub has_secret: bool,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for IdentityProvider {
    const FILTERS: &'static [Field] = &[Field::TenantId, Field::PartnerId, Field::Status, Field::Kind];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::UpdatedAt];

    type New = NewIdentityProvider;
    type Edit = EditIdentityProvider;
    type View = IdentityProviderView;

    fn edit(&self) -> EditIdentityProvider {
        EditIdentityProvider { name: self.name.clone(), status: self.status, config: self.config.clone() }
    }

    fn view(&self, _now: Timestamp) -> IdentityProviderView {
        IdentityProviderView {
            id: self.meta.id,
            name: self.name.clone(),
            kind: self.kind,
            partner_id: self.partner_id,
            tenant_id: self.tenant_id,
            status: self.status,
            config: self.config.clone(),
            has_secret: self.sealed_secret.is_some(),
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
