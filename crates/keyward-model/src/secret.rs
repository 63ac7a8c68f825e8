//! Secrets of applications and agents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AnyId, Entity, Field, Id, Meta, Owner, Partner, State, Status, Tenant, Timestamp, UniqueKey, Usage,
    Value,
    record::{has_meta, meta_value},
};

/// A secret of an application or agent; only a keyed hash of it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The application or agent whose secret it is.
    pub holder_id: AnyId,
    /// The holder's partner.
    pub partner_id: Option<Id<Partner>>,
    /// The holder's tenant.
    pub tenant_id: Option<Id<Tenant>>,
    /// The beginning of the secret, by which people recognise it.
    pub hint: String,
    /// HMAC-SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it stops working; none means with the application.
    pub expires_at: Option<Timestamp>,
    /// When it was stopped for good, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Secret {
    /// Its state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoked_at.is_some() {
            State::Revoked
        } else {
            State::at(now, Status::Active, self.expires_at)
        }
    }

    /// How it is read at `now`, with the evidence of its use.
    #[must_use]
    pub fn view(&self, now: Timestamp, usage: &[Usage]) -> SecretView {
        let callers = callers(usage);
        SecretView {
            id: self.meta.id,
            hint: self.hint.clone(),
            state: self.state(now),
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: callers.first().map(|caller| caller.last_used_at),
            last_used_address: callers.first().map(|caller| caller.address.clone()),
            use_count: callers.iter().map(|caller| caller.count).sum(),
            callers,
            created_at: self.meta.created_at,
        }
    }
}

impl Entity for Secret {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        Vec::new()
    }

    fn display_name(&self) -> &str {
        &self.hint
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::HolderId => Value::id(Some(self.holder_id)),
            Field::TenantId => Value::id(self.tenant_id),
            Field::PartnerId => Value::id(self.partner_id),
            Field::ExpiresAt => self.expires_at.map_or(Value::Null, Value::Time),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.hint]
    }
}

/// An address that used a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Caller {
    /// The caller's IP address.
    pub address: String,
    /// How often it used the credential.
    pub count: u64,
    /// When it did so first.
    #[schema(value_type = String, format = DateTime)]
    pub first_used_at: Timestamp,
    /// When it did so last.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
}

/// The callers that the evidence of use of one credential tells of, whatever the days, the latest first.
pub(crate) fn callers(usage: &[Usage]) -> Vec<Caller> {
    let mut by_address: BTreeMap<&str, Caller> = BTreeMap::new();
    for row in usage {
        by_address
            .entry(&row.address)
            .and_modify(|caller| {
                caller.count += row.count;
                caller.first_used_at = caller.first_used_at.min(row.first_used_at);
                caller.last_used_at = caller.last_used_at.max(row.last_used_at);
            })
            .or_insert_with(|| row.into());
    }
    let mut callers: Vec<Caller> = by_address.into_values().collect();
    callers.sort_by_key(|caller| std::cmp::Reverse(caller.last_used_at));
    callers
}

impl From<&Usage> for Caller {
    fn from(usage: &Usage) -> Self {
        Self {
            address: usage.address.clone(),
            count: usage.count,
            first_used_at: usage.first_used_at,
            last_used_at: usage.last_used_at,
        }
    }
}

/// A secret as it is read: never its value.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Secret)]
pub struct SecretView {
    /// The identifier, `sec_…`.
    #[schema(value_type = String)]
    pub id: Id<Secret>,
    /// The beginning of the secret, by which people recognise it.
    #[schema(example = "kws_live_4f2K")]
    pub hint: String,
    /// What expiry and revocation come to now.
    pub state: State,
    /// When it stops working; null means with the application.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was stopped for good, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// When it was last used; at most 60 seconds behind.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// From which address it was last used.
    pub last_used_address: Option<String>,
    /// How often it was used.
    pub use_count: u64,
    /// Who used it, the latest first.
    pub callers: Vec<Caller>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The body that makes another secret.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretCreate)]
pub struct NewSecret {
    /// When it stops working; never on its own when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}
