//! Roles: named sets of permissions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Entity, Field, Id, Meta, Owner, Resource, ScopeSet, Tenant, Timestamp, UniqueKey, Value,
    record::{has_meta, meta_value},
    validate,
};

/// A named set of permissions, of one tenant or of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The name, unique within the tenant or among the platform's roles.
    pub name: String,
    /// The tenant that it belongs to; none for a role of the platform.
    pub tenant_id: Option<Id<Tenant>>,
    /// What it allows.
    pub permissions: ScopeSet,
}

impl Entity for Role {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(None, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::RoleName { tenant: self.tenant_id, name: self.name.clone() }]
    }

    fn display_name(&self) -> &str {
        &self.name
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Name => Value::text(&self.name),
            Field::TenantId => Value::id(self.tenant_id),
            Field::Permissions => Value::words(self.permissions.iter()),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// The body that creates a role.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleCreate)]
pub struct NewRole {
    /// The name, unique within the tenant or among the platform's roles.
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "points-manager")]
    pub name: String,
    /// The tenant that it belongs to; none for a role of the platform.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// What it allows: permissions of the catalogue.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
}

/// The fields of a role that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleEdit)]
pub struct EditRole {
    /// The name, unique within the tenant or among the platform's roles.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// What it allows: permissions of the catalogue.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
}

/// A role as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleView {
    /// The identifier, `rol_…`.
    #[schema(value_type = String)]
    pub id: Id<Role>,
    /// The name.
    pub name: String,
    /// The tenant that it belongs to; null for a role of the platform.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// What it allows.
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for Role {
    const FILTERS: &'static [Field] = &[Field::TenantId, Field::Name];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::UpdatedAt];

    type New = NewRole;
    type Edit = EditRole;
    type View = RoleView;

    fn edit(&self) -> EditRole {
        EditRole { name: self.name.clone(), permissions: self.permissions.clone() }
    }

    fn view(&self, _now: Timestamp) -> RoleView {
        RoleView {
            id: self.meta.id,
            name: self.name.clone(),
            tenant_id: self.tenant_id,
            permissions: self.permissions.clone(),
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
