//! Partners, which own tenants.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Entity, Field, Id, Meta, Owner, Resource, TenancyStatus, Timestamp, UniqueKey, Value,
    record::{has_meta, meta_value},
    validate,
};

/// A partner of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The display name.
    pub name: String,
    /// The name in client identifiers; unique among partners, and fixed for good.
    pub slug: String,
    /// Whether it is in use.
    pub status: TenancyStatus,
    /// Whom to write to.
    pub contact_email: Option<String>,
    /// How many tenants it may have; none means no limit.
    pub max_tenants: Option<u32>,
    /// How many users each of its tenants may have; none means no limit.
    pub max_users_per_tenant: Option<u32>,
    /// How many applications each of its tenants may have; none means no limit.
    pub max_applications_per_tenant: Option<u32>,
}

impl Entity for Partner {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::Partner(self.meta.id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::PartnerSlug(self.slug.clone())]
    }

    fn display_name(&self) -> &str {
        &self.name
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Name => Value::text(&self.name),
            Field::Slug => Value::text(&self.slug),
            Field::Status => Value::text(self.status.as_str()),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name, &self.slug]
    }
}

/// The body that creates a partner.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartnerCreate)]
pub struct NewPartner {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Northwind")]
    pub name: String,
    /// 1 to 64 characters of `a-z`, `0-9` and `-`; unique among partners.
    #[validate(custom(function = "validate::slug"))]
    #[schema(example = "northwind", pattern = "^[a-z0-9-]{1,64}$")]
    pub slug: String,
    /// Whether it is in use.
    #[serde(default)]
    pub status: TenancyStatus,
    /// Whom to write to.
    #[serde(default)]
    #[validate(email(code = "invalid_email", message = "must be an e-mail address"))]
    pub contact_email: Option<String>,
    /// How many tenants it may have; no limit when left out.
    #[serde(default)]
    pub max_tenants: Option<u32>,
    /// How many users each of its tenants may have; no limit when left out.
    #[serde(default)]
    pub max_users_per_tenant: Option<u32>,
    /// How many applications each of its tenants may have; no limit when left out.
    #[serde(default)]
    pub max_applications_per_tenant: Option<u32>,
}

/// The fields of a partner that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartnerEdit)]
pub struct EditPartner {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// Whether it is in use.
    pub status: TenancyStatus,
    /// Whom to write to.
    #[serde(default)]
    #[validate(email(code = "invalid_email", message = "must be an e-mail address"))]
    pub contact_email: Option<String>,
    /// How many tenants it may have; null means no limit.
    #[serde(default)]
    pub max_tenants: Option<u32>,
    /// How many users each of its tenants may have; null means no limit.
    #[serde(default)]
    pub max_users_per_tenant: Option<u32>,
    /// How many applications each of its tenants may have; null means no limit.
    #[serde(default)]
    pub max_applications_per_tenant: Option<u32>,
}

/// A partner as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Partner)]
pub struct PartnerView {
    /// The identifier, `prt_…`.
    #[schema(value_type = String)]
    pub id: Id<Partner>,
    /// The display name.
    pub name: String,
    /// The name in client identifiers.
    pub slug: String,
    /// Whether it is in use.
    pub status: TenancyStatus,
    /// Whom to write to.
    pub contact_email: Option<String>,
    /// How many tenants it may have; null means no limit.
    pub max_tenants: Option<u32>,
    /// How many users each of its tenants may have; null means no limit.
    pub max_users_per_tenant: Option<u32>,
    /// How many applications each of its tenants may have; null means no limit.
    pub max_applications_per_tenant: Option<u32>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for Partner {
    const FILTERS: &'static [Field] = &[Field::Status, Field::Slug];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::Slug, Field::UpdatedAt];

    type New = NewPartner;
    type Edit = EditPartner;
    type View = PartnerView;

    fn edit(&self) -> EditPartner {
        EditPartner {
            name: self.name.clone(),
            status: self.status,
            contact_email: self.contact_email.clone(),
            max_tenants: self.max_tenants,
            max_users_per_tenant: self.max_users_per_tenant,
            max_applications_per_tenant: self.max_applications_per_tenant,
        }
    }

    fn view(&self, _now: Timestamp) -> PartnerView {
        PartnerView {
            id: self.meta.id,
            name: self.name.clone(),
            slug: self.slug.clone(),
            status: self.status,
            contact_email: self.contact_email.clone(),
            max_tenants: self.max_tenants,
            max_users_per_tenant: self.max_users_per_tenant,
            max_applications_per_tenant: self.max_applications_per_tenant,
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
