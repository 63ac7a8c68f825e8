//! The permission catalogue: rows of the grid with a View and a Change column.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    Entity, Field, Id, Meta, Owner, Resource, Scope, ScopeSet, Timestamp, UniqueKey, Value,
    record::{has_meta, meta_value},
    validate,
};

/// Lets a service token of a global application read the admin API.
pub const ADMIN_READ: &str = "admin:read";
/// Lets a service token of a global application change things through the admin API.
pub const ADMIN_WRITE: &str = "admin:write";
/// Lets a service token check API keys.
pub const KEYS_VERIFY: &str = "keys:verify";

/// The permissions that belong to the platform: never in a tenant's application, role, key, agent or grant.
pub const PLATFORM_SCOPES: [&str; 2] = [ADMIN_READ, ADMIN_WRITE];

/// A row of the permission grid: a resource of the platform's API, and the permissions for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The row's name for programs, unique in the catalogue.
    pub resource: String,
    /// The row's name for people.
    pub label: String,
    /// The permission that the View column gives.
    pub view: Option<Scope>,
    /// The permissions that the Change column gives, those of View aside.
    pub change: ScopeSet,
    /// Whether Keyward itself needs the row, so that it can't be changed or deleted.
    pub built_in: bool,
}

impl Permission {
    /// All permissions of the row.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        self.change.iter().chain(&self.view).cloned().collect()
    }
}

impl Entity for Permission {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::Everyone
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::PermissionResource(self.resource.clone())]
    }

    fn display_name(&self) -> &str {
        &self.resource
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Resource => Value::text(&self.resource),
            Field::Name => Value::text(&self.label),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        let mut texts = vec![self.resource.as_str(), self.label.as_str()];
        texts.extend(self.view.iter().chain(self.change.iter()).map(Scope::as_str));
        texts
    }
}

fn resource_name(text: &str) -> Result<(), ValidationError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    if (1..=validate::MAX_SLUG_LEN).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(validate::error(
        "invalid_resource",
        "must be 1 to 64 letters, digits, hyphens, underscores, dots or colons",
    ))
}

fn some_scope(view: Option<&Scope>, change: &ScopeSet) -> Result<(), ValidationError> {
    if view.is_some() || !change.is_empty() {
        return Ok(());
    }
    Err(validate::error("required", "a row needs a permission in view or in change"))
}

fn new_has_scope(new: &NewPermission) -> Result<(), ValidationError> {
    some_scope(new.view.as_ref(), &new.change)
}

fn edit_has_scope(edit: &EditPermission) -> Result<(), ValidationError> {
    some_scope(edit.view.as_ref(), &edit.change)
}

/// The body that adds a row to the catalogue.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "new_has_scope"))]
#[schema(as = PermissionCreate)]
pub struct NewPermission {
    /// The row's name for programs, unique in the catalogue.
    #[validate(custom(function = "resource_name"))]
    #[schema(example = "users")]
    pub resource: String,
    /// The row's name for people; the resource when left out.
    #[serde(default)]
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Users")]
    pub label: Option<String>,
    /// The permission that the View column gives.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "read:users")]
    pub view: Option<Scope>,
    /// The permissions that the Change column gives beside that of View.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["create:users", "update:users", "delete:users"]))]
    pub change: ScopeSet,
}

/// The fields of a catalogue row that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "edit_has_scope"))]
#[schema(as = PermissionEdit)]
pub struct EditPermission {
    /// The row's name for people.
    #[validate(custom(function = "validate::name"))]
    pub label: String,
    /// The permission that the View column gives.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub view: Option<Scope>,
    /// The permissions that the Change column gives beside that of View.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub change: ScopeSet,
}

/// A row of the catalogue as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Permission)]
pub struct PermissionView {
    /// The identifier, `per_…`.
    #[schema(value_type = String)]
    pub id: Id<Permission>,
    /// The row's name for programs.
    pub resource: String,
    /// The row's name for people.
    pub label: String,
    /// The permission that the View column gives.
    #[schema(value_type = Option<String>)]
    pub view: Option<Scope>,
    /// The permissions that the Change column gives beside that of View.
    #[schema(value_type = Vec<String>)]
    pub change: ScopeSet,
    /// Whether Keyward itself needs the row, so that it can't be changed or deleted.
    pub built_in: bool,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for Permission {
    const FILTERS: &'static [Field] = &[Field::Resource];
    const SORTS: &'static [Field] = &[Field::Resource, Field::Name, Field::CreatedAt, Field::UpdatedAt];

    type New = NewPermission;
    type Edit = EditPermission;
    type View = PermissionView;

    fn edit(&self) -> EditPermission {
        EditPermission { label: self.label.clone(), view: self.view.clone(), change: self.change.clone() }
    }

    fn view(&self, _now: Timestamp) -> PermissionView {
        PermissionView {
            id: self.meta.id,
            resource: self.resource.clone(),
            label: self.label.clone(),
            view: self.view.clone(),
            change: self.change.clone(),
            built_in: self.built_in,
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
