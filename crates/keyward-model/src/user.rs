//! Users: people. One with an admin role or with permissions is staff.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Entity, Field, Id, Meta, Owner, Partner, Preferences, Resource, Role, Status, Tenant, Timestamp,
    UniqueKey, Value,
    meta::text_enum,
    record::{has_meta, meta_value},
    validate,
};

/// A tier of administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Administrates one tenant.
    TenantAdmin,
    /// Administrates a partner, its tenants and all inside.
    PartnerAdmin,
    /// Administrates everything.
    SuperAdmin,
}

text_enum!(AdminRole {
    TenantAdmin = "tenant_admin",
    PartnerAdmin = "partner_admin",
    SuperAdmin = "super_admin",
});

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The address by which the person signs in; unique, whatever its case.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// The tier of administration, if any.
    pub admin_role: Option<AdminRole>,
    /// The partner that the person belongs to.
    pub partner_id: Option<Id<Partner>>,
    /// The tenant that the person belongs to.
    pub tenant_id: Option<Id<Tenant>>,
    /// Whether the person may sign in.
    pub status: Status,
    /// An open document for the platform's own attributes.
    pub custom_attributes: Json,
    /// The roles that were given directly.
    pub roles: Vec<Id<Role>>,
    /// The sign-in methods and tokens from before this moment no longer count.
    pub valid_after: Option<Timestamp>,
    /// How the person wants pages.
    #[serde(default)]
    pub preferences: Preferences,
}

impl Entity for User {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::UserEmail(self.email.to_lowercase())]
    }

    fn display_name(&self) -> &str {
        &self.email
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Email => Value::text(&self.email),
            Field::Name => Value::text(&self.name),
            Field::AdminRole => self.admin_role.map_or(Value::Null, |role| Value::text(role.as_str())),
            Field::Status => Value::text(self.status.as_str()),
            Field::PartnerId => Value::id(self.partner_id),
            Field::TenantId => Value::id(self.tenant_id),
            Field::Roles => Value::words(&self.roles),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.email, &self.name]
    }
}

/// The body that creates a user.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserCreate)]
pub struct NewUser {
    /// The address by which the person signs in; unique, whatever its case.
    #[validate(email(code = "invalid_email", message = "must be an e-mail address"))]
    #[schema(example = "ada@acme.example")]
    pub email: String,
    /// What the person is called; the address when left out.
    #[serde(default)]
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Ada Lovelace")]
    pub name: Option<String>,
    /// The tier of administration, if any.
    #[serde(default)]
    pub admin_role: Option<AdminRole>,
    /// The partner that the person belongs to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// The tenant that the person belongs to.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// Whether the person may sign in.
    #[serde(default)]
    pub status: Status,
    /// An open document for the platform's own attributes.
    #[serde(default = "validate::empty_document")]
    #[validate(custom(function = "validate::open_document"))]
    #[schema(value_type = Object)]
    pub custom_attributes: Json,
}

/// The fields of a user that can be changed. A password is never among them.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserEdit)]
pub struct EditUser {
    /// The address by which the person signs in.
    #[validate(email(code = "invalid_email", message = "must be an e-mail address"))]
    pub email: String,
    /// What the person is called.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// The tier of administration, if any.
    #[serde(default)]
    pub admin_role: Option<AdminRole>,
    /// Whether the person may sign in.
    pub status: Status,
    /// An open document for the platform's own attributes.
    #[serde(default = "validate::empty_document")]
    #[validate(custom(function = "validate::open_document"))]
    #[schema(value_type = Object)]
    pub custom_attributes: Json,
}

/// A user as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The identifier, `usr_…`.
    #[schema(value_type = String)]
    pub id: Id<User>,
    /// The address by which the person signs in.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// The tier of administration; null when there is none.
    pub admin_role: Option<AdminRole>,
    /// The partner that the person belongs to.
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// The tenant that the person belongs to.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// Whether the person may sign in.
    pub status: Status,
    /// An open document for the platform's own attributes.
    #[schema(value_type = Object)]
    pub custom_attributes: Json,
    /// The roles that were given directly.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
    /// When the user was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the user was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for User {
    const FILTERS: &'static [Field] =
        &[Field::TenantId, Field::PartnerId, Field::Status, Field::AdminRole, Field::Email];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::Email, Field::UpdatedAt];

    type New = NewUser;
    type Edit = EditUser;
    type View = UserView;

    fn edit(&self) -> EditUser {
        EditUser {
            email: self.email.clone(),
            name: self.name.clone(),
            admin_role: self.admin_role,
            status: self.status,
            custom_attributes: self.custom_attributes.clone(),
        }
    }

    fn view(&self, _now: Timestamp) -> UserView {
        UserView {
            id: self.meta.id,
            email: self.email.clone(),
            name: self.name.clone(),
            admin_role: self.admin_role,
            partner_id: self.partner_id,
            tenant_id: self.tenant_id,
            status: self.status,
            custom_attributes: self.custom_attributes.clone(),
            roles: self.roles.clone(),
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
