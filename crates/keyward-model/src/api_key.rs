//! API keys: static credentials of a tenant, restricted to chosen permissions.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{
    Entity, Field, Id, Meta, Owner, ScopeSet, State, Status, Tenant, Timestamp, UniqueKey, Value,
    meta::text_enum,
    record::{has_meta, meta_value},
};

/// A secret API key; only a keyed hash of it is stored. A tenant's publishable key is a field of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// What it is for.
    pub name: String,
    /// The tenant that it is good for.
    pub tenant_id: Id<Tenant>,
    /// What it permits.
    pub permissions: ScopeSet,
    /// The environment that it is good in.
    pub environment: String,
    /// Whether it may be used.
    pub status: Status,
    /// When it stops working; none means never by itself.
    pub expires_at: Option<Timestamp>,
    /// The networks that it may be used from; none means from everywhere.
    pub allowed_ips: Vec<String>,
    /// The beginning of the key, by which people recognise it.
    pub hint: String,
    /// HMAC-SHA-256 of the key.
    pub hash: [u8; 32],
    /// When it was stopped for good, if it was.
    pub revoked_at: Option<Timestamp>,
    /// The key that it takes the place of.
    pub predecessor_id: Option<Id<Self>>,
    /// The key that takes its place.
    pub successor_id: Option<Id<Self>>,
    /// When it got its successor.
    pub rotated_at: Option<Timestamp>,
    /// After how many hours without use it is revoked by itself, once it has a successor.
    pub retire_after_quiet_hours: Option<u32>,
}

/// What a key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyKind {
    /// It carries permissions, and is shown once.
    #[default]
    Secret,
}

text_enum!(ApiKeyKind { Secret = "secret" });

impl ApiKey {
    /// Its state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoked_at.is_some() { State::Revoked } else { State::at(now, self.status, self.expires_at) }
    }

    /// From when on it may be due to be revoked for want of use: so long after it got its successor.
    #[must_use]
    pub fn retires_from(&self) -> Option<Timestamp> {
        let hours = self.retire_after_quiet_hours.filter(|_| self.revoked_at.is_none())?;
        self.rotated_at.map(|at| at.plus_seconds(i64::from(hours) * 3_600))
    }

    /// Whether a caller at this address may use it.
    #[must_use]
    pub fn is_allowed_from(&self, address: Option<&str>) -> bool {
        if self.allowed_ips.is_empty() {
            return true;
        }
        let address = address.and_then(|address| address.parse::<std::net::IpAddr>().ok());
        address.is_some_and(|address| {
            let address = address.to_canonical();
            self.allowed_ips.iter().filter_map(|text| network(text)).any(|net| net.contains(&address))
        })
    }
}

/// The network that a text names: an address alone, or with the length of its prefix.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

impl Entity for ApiKey {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::Tenant(self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::ApiKeyHash(self.hash)]
    }

    fn display_name(&self) -> &str {
        &self.name
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Name => Value::text(&self.name),
            Field::TenantId => Value::id(Some(self.tenant_id)),
            Field::Environment => Value::text(&self.environment),
            Field::Status => Value::text(self.status.as_str()),
            Field::ExpiresAt => self.expires_at.map_or(Value::Null, Value::Time),
            Field::Permissions => Value::words(self.permissions.iter()),
            Field::RetiresFrom => self.retires_from().map_or(Value::Null, Value::Time),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name, &self.hint]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_addresses_with_or_without_a_prefix() {
        assert!(network("203.0.113.7").is_some_and(|net| net.prefix_len() == 32));
        assert!(network("10.0.0.0/8").is_some() && network("2001:db8::/32").is_some());
        assert!(network("example.org").is_none() && network("10.0.0.0/33").is_none());
    }
}
