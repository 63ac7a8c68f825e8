//! Keyward's domain: ids, resources, permissions, lifecycles, audit events, and time.
//!
//! Pure data and rules without any input or output.

pub mod admission;
mod agent;
mod api_key;
mod api_key_forms;
mod application;
mod application_forms;
mod audit;
mod authenticators;
mod canonical;
mod group;
mod id;
mod identity_provider;
mod keys;
mod kind;
mod meta;
mod partner;
mod permission;
mod preferences;
mod record;
mod refresh_token;
mod revocation;
mod role;
mod scope;
mod secret;
mod session;
mod tenant;
mod time;
mod user;
pub mod validate;

pub use agent::{Agent, AgentView, EditAgent, NewAgent};
pub use api_key::{ApiKey, ApiKeyKind};
pub use api_key_forms::{ApiKeyView, EditApiKey, NewApiKey, RotateApiKey};
pub use application::{Application, ApplicationReach, ApplicationType, Grant, TokenAlgorithm};
pub use application_forms::{ApplicationView, EditApplication, NewApplication};
pub use audit::{
    Action, ChainHead, ChainedEvent, Changes, Context, Event, EventView, FieldChange, Outcome, Subject,
    Usage, hex,
};
pub use authenticators::{Authenticators, AuthenticatorsView, FederatedIdentity};
pub use group::{EditGroup, Group, GroupView, Membership, Nesting, NewGroup};
pub use id::{AnyId, Id, Identified, InvalidId, encode_uuid, new_uuid};
pub use identity_provider::{
    EditIdentityProvider, IdentityProvider, IdentityProviderView, NewIdentityProvider, ProviderKind,
};
pub use keys::SigningKey;
pub use kind::Kind;
pub use meta::{
    EXPIRING_SECONDS, Field, Meta, Owner, Reach, State, Status, TenancyStatus, UniqueKey, UnknownValue, Value,
};
pub use partner::{EditPartner, NewPartner, Partner, PartnerView};
pub use permission::{
    ADMIN_READ, ADMIN_WRITE, EditPermission, KEYS_VERIFY, NewPermission, PLATFORM_SCOPES, Permission,
    PermissionView,
};
pub use preferences::{FirstSteps, Preferences, Theme};
pub use record::{Entity, Record, Resource, WrongKind};
pub use refresh_token::RefreshToken;
pub use revocation::{Revocation, Revoked};
pub use role::{EditRole, NewRole, Role, RoleView};
pub use scope::{InvalidScope, MAX_SCOPE_LEN, Scope, ScopeSet};
pub use secret::{Caller, NewSecret, Secret, SecretView};
pub use session::{Session, SessionView};
pub use tenant::{EditTenant, NewTenant, Tenant, TenantView};
pub use time::{Clock, InvalidTimestamp, ManualClock, Random, SeededRandom, SystemClock, Timestamp};
pub use user::{AdminRole, EditUser, NewUser, User, UserView};
