//! Sessions: people who are signed in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Entity, Field, Id, IdentityProvider, Meta, Owner, Partner, Tenant, Timestamp, UniqueKey, User, Value,
    record::{has_meta, meta_value},
};

/// A person who is signed in somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The person.
    pub user_id: Id<User>,
    /// The person's partner.
    pub partner_id: Option<Id<Partner>>,
    /// The person's tenant.
    pub tenant_id: Option<Id<Tenant>>,
    /// How the person signed in, for example `password`.
    pub method: String,
    /// The identity provider by which the person signed in, if they did.
    pub provider_id: Option<Id<IdentityProvider>>,
    /// The keyed hash of its cookie; another one with every sign-in and step-up.
    pub hash: [u8; 32],
    /// What the person proved who they are with (RFC 8176), for example `pwd` and `otp`.
    pub amr: Vec<String>,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// The address at sign-in.
    pub ip: Option<String>,
    /// The `User-Agent` at sign-in.
    pub user_agent: Option<String>,
    /// When it was last used.
    pub last_active_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was ended, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Entity for Session {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::SessionHash(self.hash)]
    }

    fn display_name(&self) -> &'static str {
        "session"
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::UserId => Value::id(Some(self.user_id)),
            Field::PartnerId => Value::id(self.partner_id),
            Field::TenantId => Value::id(self.tenant_id),
            Field::ExpiresAt => Value::Time(self.expires_at),
            Field::ProviderId => Value::id(self.provider_id),
            Field::RevokedAt => self.revoked_at.map_or(Value::Null, Value::Time),
            Field::LastActiveAt => Value::Time(self.last_active_at),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// A session as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// The identifier, `ses_…`.
    #[schema(value_type = String)]
    pub id: Id<Session>,
    /// The person.
    #[schema(value_type = String)]
    pub user_id: Id<User>,
    /// The person's partner.
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// The person's tenant.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// `active`, `expired` or `revoked`.
    pub state: &'static str,
    /// How the person signed in.
    pub method: String,
    /// The identity provider by which the person signed in, if they did.
    #[schema(value_type = Option<String>)]
    pub provider_id: Option<Id<IdentityProvider>>,
    /// The address at sign-in.
    pub ip: Option<String>,
    /// The `User-Agent` at sign-in.
    pub user_agent: Option<String>,
    /// When the person signed in.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used.
    #[schema(value_type = String, format = DateTime)]
    pub last_active_at: Timestamp,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was ended, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}

impl Session {
    /// The fields by which a list can be filtered.
    pub const FILTERS: &'static [Field] = &[Field::UserId, Field::TenantId, Field::PartnerId];
    /// The fields by which a list can be sorted.
    pub const SORTS: &'static [Field] = &[Field::CreatedAt, Field::ExpiresAt];

    /// How it is read at `now`.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> SessionView {
        let state = match self.revoked_at {
            Some(_) => "revoked",
            None if self.expires_at <= now => "expired",
            None => "active",
        };
        SessionView {
            id: self.meta.id,
            user_id: self.user_id,
            partner_id: self.partner_id,
            tenant_id: self.tenant_id,
            state,
            method: self.method.clone(),
            provider_id: self.provider_id,
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            created_at: self.meta.created_at,
            last_active_at: self.last_active_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
        }
    }
}
