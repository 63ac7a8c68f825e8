//! Partners, which own tenants.

use crate::{Entity, Field, Meta, Owner, TenancyStatus, UniqueKey, Value, record::meta_value};

/// A partner of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The display name.
    pub name: String,
    /// The name in addresses, unique among partners.
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
    fn meta(&self) -> &Meta<Self> {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta<Self> {
        &mut self.meta
    }

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
