//! Agents: the identities of AI agents.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    Entity, Field, Id, Meta, Owner, Resource, ScopeSet, Status, Tenant, Timestamp, UniqueKey, User, Value,
    record::{has_meta, meta_value},
    validate,
};

/// The identity of an AI agent. It obtains tokens like an application of type `service`, by its own identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The display name.
    pub name: String,
    /// The tenant that it belongs to; none for an agent of the platform.
    pub tenant_id: Option<Id<Tenant>>,
    /// The person who answers for it.
    pub owner_id: Option<Id<User>>,
    /// The tools that it may call; they are in its tokens.
    pub allowed_tools: Vec<String>,
    /// Permissions that it may have.
    pub allowed_scopes: ScopeSet,
    /// How many tokens it may obtain, and checks it may pass, in a minute; none means as for any client.
    pub rate_limit_rpm: Option<u32>,
    /// Whether it may be used.
    pub status: Status,
}

impl Entity for Agent {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(None, self.tenant_id)
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
            Field::TenantId => Value::id(self.tenant_id),
            Field::OwnerId => Value::id(self.owner_id),
            Field::Status => Value::text(self.status.as_str()),
            Field::Permissions => Value::words(self.allowed_scopes.iter()),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// The body that creates an agent.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentCreate)]
pub struct NewAgent {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    #[schema(example = "Support assistant")]
    pub name: String,
    /// The tenant that it belongs to; none for an agent of the platform.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// The person who answers for it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub owner_id: Option<Id<User>>,
    /// The tools that it may call; they are in its tokens.
    #[serde(default)]
    #[validate(custom(function = "validate::tools"))]
    pub allowed_tools: Vec<String>,
    /// Permissions that it may have.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub allowed_scopes: ScopeSet,
    /// How many tokens it may obtain in a minute; as for any client when left out.
    #[serde(default)]
    #[validate(range(min = 1, max = 1_000_000, code = "out_of_range", message = "must be 1 to 1,000,000"))]
    pub rate_limit_rpm: Option<u32>,
    /// Whether it may be used.
    #[serde(default)]
    pub status: Status,
}

/// The fields of an agent that can be changed.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentEdit)]
pub struct EditAgent {
    /// The display name.
    #[validate(custom(function = "validate::name"))]
    pub name: String,
    /// The person who answers for it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub owner_id: Option<Id<User>>,
    /// The tools that it may call.
    #[serde(default)]
    #[validate(custom(function = "validate::tools"))]
    pub allowed_tools: Vec<String>,
    /// Permissions that it may have.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub allowed_scopes: ScopeSet,
    /// How many tokens it may obtain in a minute; null means as for any client.
    #[serde(default)]
    #[validate(range(min = 1, max = 1_000_000, code = "out_of_range", message = "must be 1 to 1,000,000"))]
    pub rate_limit_rpm: Option<u32>,
    /// Whether it may be used.
    pub status: Status,
}

/// An agent as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub struct AgentView {
    /// The identifier, `agt_…`.
    #[schema(value_type = String)]
    pub id: Id<Agent>,
    /// The display name.
    pub name: String,
    /// The client identifier with which it obtains tokens: its own identifier.
    #[schema(value_type = String)]
    pub client_id: Id<Agent>,
    /// The tenant that it belongs to.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// The person who answers for it.
    #[schema(value_type = Option<String>)]
    pub owner_id: Option<Id<User>>,
    /// The tools that it may call.
    pub allowed_tools: Vec<String>,
    /// Permissions that it may have.
    #[schema(value_type = Vec<String>)]
    pub allowed_scopes: ScopeSet,
    /// How many tokens it may obtain in a minute.
    pub rate_limit_rpm: Option<u32>,
    /// Whether it may be used.
    pub status: Status,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Resource for Agent {
    const FILTERS: &'static [Field] = &[Field::TenantId, Field::OwnerId, Field::Status];
    const SORTS: &'static [Field] = &[Field::CreatedAt, Field::Name, Field::UpdatedAt];

    type New = NewAgent;
    type Edit = EditAgent;
    type View = AgentView;

    fn edit(&self) -> EditAgent {
        EditAgent {
            name: self.name.clone(),
            owner_id: self.owner_id,
            allowed_tools: self.allowed_tools.clone(),
            allowed_scopes: self.allowed_scopes.clone(),
            rate_limit_rpm: self.rate_limit_rpm,
            status: self.status,
        }
    }

    fn view(&self, _now: Timestamp) -> AgentView {
        AgentView {
            id: self.meta.id,
            name: self.name.clone(),
            client_id: self.meta.id,
            tenant_id: self.tenant_id,
            owner_id: self.owner_id,
            allowed_tools: self.allowed_tools.clone(),
            allowed_scopes: self.allowed_scopes.clone(),
            rate_limit_rpm: self.rate_limit_rpm,
            status: self.status,
            created_at: self.meta.created_at,
            updated_at: self.meta.updated_at,
        }
    }
}
