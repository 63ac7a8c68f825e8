//! Refresh tokens: what an application obtains new access tokens with while a person's session lasts.

use serde::{Deserialize, Serialize};

use crate::{
    Application, Entity, Field, Id, Meta, Owner, Partner, ScopeSet, Session, Tenant, Timestamp, UniqueKey,
    User, Value,
    record::{has_meta, meta_value},
};

/// A refresh token with all of its successors: a family (RFC 9700 section 4.14.2). No token is stored, nor a hash of one:
/// each is made of the family, its generation, and a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The person for whom the application acts.
    pub user_id: Id<User>,
    /// The person's partner.
    pub partner_id: Option<Id<Partner>>,
    /// The person's tenant.
    pub tenant_id: Option<Id<Tenant>>,
    /// The application.
    pub application_id: Id<Application>,
    /// The session in which the person allowed it, and with which it ends.
    pub session_id: Id<Session>,
    /// What was allowed: permissions and the scopes of OpenID Connect. No refresh widens it.
    pub scope: ScopeSet,
    /// The API that its tokens are for.
    pub audience: String,
    /// When the person authenticated.
    pub authenticated_at: Timestamp,
    /// Which token of the family is the present one, from 1.
    pub generation: i64,
    /// When the present one was made.
    pub rotated_at: Timestamp,
    /// When the family ends at the latest.
    pub expires_at: Timestamp,
    /// When the family was ended, if it was: one of its tokens was used twice, or revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Entity for RefreshToken {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        Vec::new()
    }

    fn display_name(&self) -> &'static str {
        "refresh token"
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::UserId => Value::id(Some(self.user_id)),
            Field::PartnerId => Value::id(self.partner_id),
            Field::TenantId => Value::id(self.tenant_id),
            Field::ExpiresAt => Value::Time(self.expires_at),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        Vec::new()
    }
}
