//! What a person proves with who they are (NIST SP 800-63B calls it authenticators), accounts elsewhere included.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Entity, Field, Id, IdentityProvider, Meta, Owner, Partner, Tenant, Timestamp, UniqueKey, User, Value,
    record::{has_meta, meta_value},
};

/// A person's password, second factor and recovery codes. There is at most one such record for each person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticators {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The person.
    pub user_id: Id<User>,
    /// The person's partner.
    pub partner_id: Option<Id<Partner>>,
    /// The person's tenant.
    pub tenant_id: Option<Id<Tenant>>,
    /// The password as a PHC string of Argon2id, if there is one.
    pub password: Option<String>,
    /// When the password was chosen.
    pub password_changed_at: Option<Timestamp>,
    /// The secret of the second factor, sealed under the master key, if there is one.
    pub totp: Option<Vec<u8>>,
    /// The last time step (RFC 6238) whose code was used: no code is good twice.
    pub totp_step: i64,
    /// Keyed hashes of the recovery codes that are left.
    pub recovery_codes: Vec<[u8; 32]>,
}

/// What a person can prove who they are with, as it is read. Nothing of the secrets themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Authenticators)]
pub struct AuthenticatorsView {
    /// Whether a password was chosen.
    pub has_password: bool,
    /// When that was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub password_changed_at: Option<Timestamp>,
    /// Whether a second factor is set up.
    pub has_totp: bool,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
}

impl Authenticators {
    /// Those of a person who has none yet.
    #[must_use]
    pub fn none(meta: Meta<Self>, user: &User) -> Self {
        Self {
            meta,
            user_id: user.meta.id,
            partner_id: user.partner_id,
            tenant_id: user.tenant_id,
            password: None,
            password_changed_at: None,
            totp: None,
            totp_step: 0,
            recovery_codes: Vec::new(),
        }
    }

    /// How they are read.
    #[must_use]
    pub fn view(&self) -> AuthenticatorsView {
        AuthenticatorsView {
            has_password: self.password.is_some(),
            password_changed_at: self.password_changed_at,
            has_totp: self.totp.is_some(),
            recovery_codes_left: self.recovery_codes.len(),
        }
    }
}

impl Entity for Authenticators {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::AuthenticatorsOf(self.user_id)]
    }

    fn display_name(&self) -> &'static str {
        "authenticators"
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::UserId => Value::id(Some(self.user_id)),
            Field::PartnerId => Value::id(self.partner_id),
            Field::TenantId => Value::id(self.tenant_id),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// A person's account at an identity provider. Provider and subject are the one key by which it is found; an e-mail
/// address never is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedIdentity {
    /// Identity, version and times.
    pub meta: Meta<Self>,
    /// The person here.
    pub user_id: Id<User>,
    /// The person's partner.
    pub partner_id: Option<Id<Partner>>,
    /// The person's tenant.
    pub tenant_id: Option<Id<Tenant>>,
    /// The identity provider.
    pub provider_id: Id<IdentityProvider>,
    /// The person there: `sub`, or the `NameID`.
    pub subject: String,
    /// The address that the provider stated last.
    pub email: Option<String>,
}

impl Entity for FederatedIdentity {
    has_meta!();

    fn owner(&self) -> Owner {
        Owner::of(self.partner_id, self.tenant_id)
    }

    fn keys(&self) -> Vec<UniqueKey> {
        vec![UniqueKey::SubjectAtProvider { provider: self.provider_id, subject: self.subject.clone() }]
    }

    fn display_name(&self) -> &str {
        &self.subject
    }

    fn value(&self, field: Field) -> Value {
        match field {
            Field::UserId => Value::id(Some(self.user_id)),
            Field::ProviderId => Value::id(Some(self.provider_id)),
            Field::PartnerId => Value::id(self.partner_id),
            Field::TenantId => Value::id(self.tenant_id),
            other => meta_value(&self.meta, other),
        }
    }

    fn search_texts(&self) -> Vec<&str> {
        Vec::new()
    }
}
