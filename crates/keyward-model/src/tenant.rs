//! Tenants.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Entity, Field, Id, Meta, Owner, Partner, Resource, TenancyStatus, Timestamp, UniqueKey, Value,
    record::{has_meta, meta_value},
    validate,
};

/// A tenant of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The display name.
    pub name: String,
    /// The name in client identifiers; unique, and fixed for good.
    pub slug: String,
    /// Whether it is in use.
    pub status: TenancyStatus,
    /// Whom to write to.
    pub contact_email: Option<String>,
    /// The partner that owns it.
    pub partner_id: Option<Id<Partner>>,
    /// An open document for the platform's own settings.
    pub settings: Json,
    /// An open document for logos, colours and the like.
    pub branding: Json,
    /// The key that names the tenant and grants nothing.
    pub publishable_key: String,
}

impl Entity for Tenant {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::Tenant(self.meta.id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![
            UniqueKey::TenantSlug(self.slug.clone()),
            UniqueKey::PublishableKey(self.publishable_key.clone()),
        ]
    }

    fn display_name(&self) -> &str {
        &self.name
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Name => Value::text(&self.name),
            Field::Slug => Value::text(&self.slug),
            Field::Status => Value::text(self.status.as_str()),
            Field::PartnerId => Value::id(self.partner_id),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name, &self.slug]
    }
}

/// The body that creates a tenant.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantCreate)]
pub struct NewTenant {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Acme")]
    pub name: String,
    /// 1 to 64 characters of `a-z`, `0-9` and `-`; unique among tenants, and part of its client identifiers.
    #[validate(custom(function = "validate::slug"))]
    #[schema(example = "acme", pattern = "^[a-z0-9-]{1,64}$")]
    pub slug: String,
    /// Whether it is in use.
    #[serde(default)]
    pub status: TenancyStatus,
    /// Whom to write to.
    #[serde(default)]
    #[validate(email(code = "invalid_email", message = "must be an e-mail address"))]
    pub contact_email: Option<String>,
    /// The partner that owns it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// An open document for the platform's own settings.
    #[serde(default = "validate::empty_document")]
    #[validate(custom(function = "validate::open_document"))]
    #[schema(value_type = Object)]
    pub settings: Json,
    /// An open document for logos, colours and the like.
    #[serde(default = "validate::empty_document")]
    #[validate(custom(function = "validate::open_document"))]
    #[schema(value_type = Object)]
    pub branding: Json,
}

/// The fields of a tenant that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantEdit)]
pub struct EditTenant {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// Whether it is in use.
    pub status: TenancyStatus,
    /// Whom to write to.
    #[serde(default)]
    #[validate(email(code = "invalid_email", message = "must be an e-mail address"))]
    pub contact_email: Option<String>,
    /// The partner that owns it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// An open document for the platform's own settings.
    #[serde(default = "validate::empty_document")]
    #[validate(custom(function = "validate::open_document"))]
    #[schema(value_type = Object)]
    pub settings: Json,
    /// An open document for logos, colours and the like.
    #[serde(default = "validate::empty_document")]
    #[validate(custom(function = "validate::open_document"))]
    #[schema(value_type = Object)]
    pub branding: Json,
}

/// A tenant as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantView {
    /// The identifier, `tnt_…`.
    #[schema(value_type = String)]
    pub id: Id<Tenant>,
    /// The display name.
    pub name: String,
    /// The name in client identifiers.
    pub slug: String,
    /// Whether it is in use.
    pub status: TenancyStatus,
    /// Whom to write to.
    pub contact_email: Option<String>,
    /// The partner that owns it.
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// An open document for the platform's own settings.
    #[schema(value_type = Object)]
    pub settings: Json,
    /// An open document for logos, colours and the like.
    #[schema(value_type = Object)]
    pub branding: Json,
    /// The key that names the tenant and grants nothing; it is no secret.
    pub publishable_key: String,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for Tenant {
    const FILTERS: &'static [Field] = &[Field::Status, Field::PartnerId, Field::Slug];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::Slug, Field::UpdatedAt];

    type New = NewTenant;
    type Edit = EditTenant;
    type View = TenantView;

    fn edit(&self) -> EditTenant {
        EditTenant {
            name: self.name.clone(),
            status: self.status,
            contact_email: self.contact_email.clone(),
            partner_id: self.partner_id,
            settings: self.settings.clone(),
            branding: self.branding.clone(),
        }
    }

    fn view(&self, _now: Timestamp) -> TenantView {
        TenantView {
            id: self.meta.id,
            name: self.name.clone(),
            slug: self.slug.clone(),
            status: self.status,
            contact_email: self.contact_email.clone(),
            partner_id: self.partner_id,
            settings: self.settings.clone(),
            branding: self.branding.clone(),
            publishable_key: self.publishable_key.clone(),
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
