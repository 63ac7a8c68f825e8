//! Groups of users, which nest to any depth. Roles that are given to a group reach its members and those of the groups
//! inside it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Entity, Field, Id, Meta, Owner, Resource, Role, Tenant, Timestamp, UniqueKey, User, Value,
    record::{has_meta, meta_value},
    validate,
};

/// A group of users, of one tenant or of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The name, unique within the tenant or among the platform's groups.
    pub name: String,
    /// The tenant that it belongs to; none for a group of the platform.
    pub tenant_id: Option<Id<Tenant>>,
    /// The roles that reach its members.
    pub roles: Vec<Id<Role>>,
}

impl Entity for Group {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(None, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::GroupName { tenant: self.tenant_id, name: self.name.clone() }]
    }

    fn display_name(&self) -> &str {
        &self.name
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Name => Value::text(&self.name),
            Field::TenantId => Value::id(self.tenant_id),
            Field::Roles => Value::words(&self.roles),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// That a user is in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The group.
    pub group_id: Id<Group>,
    /// The user.
    pub user_id: Id<User>,
    /// The group's tenant.
    pub tenant_id: Option<Id<Tenant>>,
}

impl Entity for Membership {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(None, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::Membership { group: self.group_id, user: self.user_id }]
    }

    fn display_name(&self) -> &'static str {
        "membership"
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::GroupId => Value::id(Some(self.group_id)),
            Field::UserId => Value::id(Some(self.user_id)),
            Field::TenantId => Value::id(self.tenant_id),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// That a group is inside another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nesting {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The group outside.
    pub group_id: Id<Group>,
    /// The group inside.
    pub child_id: Id<Group>,
    /// The tenant of the group outside.
    pub tenant_id: Option<Id<Tenant>>,
}

impl Entity for Nesting {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(None, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::Nesting { group: self.group_id, child: self.child_id }]
    }

    fn display_name(&self) -> &'static str {
        "nesting"
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::GroupId => Value::id(Some(self.group_id)),
            Field::ChildId => Value::id(Some(self.child_id)),
            Field::TenantId => Value::id(self.tenant_id),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The body that creates a group.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupCreate)]
pub struct NewGroup {
    /// The name, unique within the tenant or among the platform's groups.
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Support")]
    pub name: String,
    /// The tenant that it belongs to; none for a group of the platform.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
}

/// The fields of a group that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupEdit)]
pub struct EditGroup {
    /// The name, unique within the tenant or among the platform's groups.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
}

/// A group as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub struct GroupView {
    /// The identifier, `grp_…`.
    #[schema(value_type = String)]
    pub id: Id<Group>,
    /// The name.
    pub name: String,
    /// The tenant that it belongs to; null for a group of the platform.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// The roles that reach its members.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for Group {
    const FILTERS: &'static [Field] = &[Field::TenantId, Field::Name];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::UpdatedAt];

    type New = NewGroup;
    type Edit = EditGroup;
    type View = GroupView;

    fn edit(&self) -> EditGroup {
        EditGroup { name: self.name.clone() }
    }

    fn view(&self, _now: Timestamp) -> GroupView {
        GroupView {
            id: self.meta.id,
            name: self.name.clone(),
            tenant_id: self.tenant_id,
            roles: self.roles.clone(),
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
