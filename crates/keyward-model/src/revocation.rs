//! What was revoked before its expiry, as it is stored and told to those who verify tokens offline.

use serde::{Deserialize, Serialize};

use crate::{
    Entity, Field, Meta, Owner, Timestamp, UniqueKey, Value,
    meta::text_enum,
    record::{has_meta, meta_value},
};

/// That tokens, or a key, no longer count. It lives until the last token that it is about would have expired.
///
/// Of several about the same thing the latest counts, so that what was disabled can come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// What kind of thing it is about.
    pub of: Revoked,
    /// Which one; empty where there is only one.
    pub name: String,
    /// Up to which moment of issue tokens are dead; none means all of them.
    pub before: Option<Timestamp>,
    /// When the last token that it is about would have expired; afterwards the record can go.
    pub expires_at: Timestamp,
}

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revoked {
    /// The token with this `jti`.
    Jti,
    /// What a secret obtained, or an API key.
    Credential,
    /// The tokens of a client, because it was disabled or lost rights.
    Client,
    /// The tokens of a client, because somebody said so.
    ClientTokens,
    /// The tokens of a user.
    Subject,
    /// The tenant, in all tokens that name it, because it was suspended or deleted.
    Tenant,
    /// The same, because somebody said so.
    TenantTokens,
    /// A client's grant for a tenant, named `{client_id}/{tenant_id}`.
    Grant,
    /// What was signed by the key with this `kid`.
    Key,
    /// All tokens, because rights that many of them carry were taken away.
    Rights,
    /// All tokens, because somebody said so.
    All,
}

text_enum!(Revoked {
    Jti = "jti",
    Credential = "credential",
    Client = "client",
    ClientTokens = "client_tokens",
    Subject = "subject",
    Tenant = "tenant",
    TenantTokens = "tenant_tokens",
    Grant = "grant",
    Key = "key",
    Rights = "rights",
    All = "all",
});

impl Revoked {
    /// The text by which the revocation feed knows a thing of this kind: `{kind}:{name}`, or the kind alone where there
    /// is only one.
    #[must_use]
    pub fn subject(self, name: &str) -> String {
        match self {
            Self::Rights | Self::All => self.as_str().to_owned(),
            Self::ClientTokens => Self::Client.subject(name),
            Self::TenantTokens => Self::Tenant.subject(name),
            _ => format!("{}:{name}", self.as_str()),
        }
    }
}

impl Entity for Revocation {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::Platform
    }

    fn keys(&self) -> Vec<UniqueKey> {
        match self.of {
            Revoked::Jti => vec![UniqueKey::RevokedJti(self.name.clone())],
            _ => Vec::new(),
        }
    }

    fn display_name(&self) -> &str {
        &self.name
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::Kind => Value::text(self.of.as_str()),
            Field::Name => Value::text(&self.name),
            Field::ExpiresAt => Value::Time(self.expires_at),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.name]
    }
}
