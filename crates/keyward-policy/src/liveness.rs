//! Liveness: is a credential, and everything above it, alive now?
//!
//! Every path that accepts a credential asks here. Expiry is judged at use, never by a sweeper.

use keyward_model::{
    ApiKey, Application, Grant, Partner, Secret, Status, TenancyStatus, Tenant, Timestamp, User,
};

/// Why something is dead. [`message`](Dead::message) is for callers that proved possession of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// Deleted, or never there: strangers can't tell.
    Unknown,
    /// The application is disabled.
    ClientDisabled,
    /// The application expired then.
    ClientExpired(Timestamp),
    /// The secret was revoked then.
    SecretRevoked(Timestamp),
    /// The secret expired then.
    SecretExpired(Timestamp),
    /// The user is disabled.
    UserDisabled,
    /// The API key is disabled.
    KeyDisabled,
    /// The API key was revoked then.
    KeyRevoked(Timestamp),
    /// The API key expired then.
    KeyExpired(Timestamp),
    /// The tenant is suspended.
    TenantSuspended,
    /// The partner is suspended.
    PartnerSuspended,
}

impl Dead {
    /// The cause in a word, for the audit log and for metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::ClientDisabled => "client_disabled",
            Self::ClientExpired(_) => "client_expired",
            Self::SecretRevoked(_) => "secret_revoked",
            Self::SecretExpired(_) => "secret_expired",
            Self::UserDisabled => "user_disabled",
            Self::KeyDisabled => "key_disabled",
            Self::KeyRevoked(_) => "key_revoked",
            Self::KeyExpired(_) => "key_expired",
            Self::TenantSuspended => "tenant_suspended",
            Self::PartnerSuspended => "partner_suspended",
        }
    }

    /// The cause as a sentence that says exactly what is wrong.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::Unknown => "The client is unknown or its secret is wrong.".to_owned(),
            Self::ClientDisabled => "This client is disabled.".to_owned(),
            Self::ClientExpired(at) => format!("This client expired on {}.", at.date_for_people()),
            Self::SecretRevoked(at) => format!("This client secret was revoked on {}.", at.date_for_people()),
            Self::SecretExpired(at) => format!("This client secret expired on {}.", at.date_for_people()),
            Self::UserDisabled => "This user is disabled.".to_owned(),
            Self::KeyDisabled => "This API key is disabled.".to_owned(),
            Self::KeyRevoked(at) => format!("This API key was revoked on {}.", at.date_for_people()),
            Self::KeyExpired(at) => format!("This API key expired on {}.", at.date_for_people()),
            Self::TenantSuspended => "The tenant is suspended.".to_owned(),
            Self::PartnerSuspended => "The partner is suspended.".to_owned(),
        }
    }
}

/// A tenant, and the partner that owns it, if any.
#[derive(Clone, Copy, Debug)]
pub struct Tenancy<'a> {
    /// The tenant, as far as it can be found.
    pub tenant: Option<&'a Tenant>,
    /// The tenant's partner, as far as it has one that can be found.
    pub partner: Option<&'a Partner>,
}

/// Whether a partner is alive.
pub fn partner(partner: Option<&Partner>) -> Result<(), Dead> {
    match partner {
        Some(partner) if partner.meta.deleted_at.is_none() => match partner.status {
            TenancyStatus::Active => Ok(()),
            TenancyStatus::Suspended => Err(Dead::PartnerSuspended),
        },
        _ => Err(Dead::Unknown),
    }
}

/// Whether a tenant and its partner are alive.
pub fn tenancy(above: Tenancy<'_>) -> Result<(), Dead> {
    let Some(tenant) = above.tenant.filter(|tenant| tenant.meta.deleted_at.is_none()) else {
        return Err(Dead::Unknown);
    };
    if tenant.partner_id.is_some() {
        partner(above.partner)?;
    }
    match tenant.status {
        TenancyStatus::Active => Ok(()),
        TenancyStatus::Suspended => Err(Dead::TenantSuspended),
    }
}

/// Whether an application and all that it belongs to are alive at `now`.
pub fn application(application: &Application, above: Tenancy<'_>, now: Timestamp) -> Result<(), Dead> {
    if application.meta.deleted_at.is_some() {
        return Err(Dead::Unknown);
    }
    if application.tenant_id.is_some() {
        tenancy(above)?;
    } else if application.partner_id.is_some() {
        partner(above.partner)?;
    }
    if application.status == Status::Disabled {
        return Err(Dead::ClientDisabled);
    }
    if application.expires_at <= now {
        return Err(Dead::ClientExpired(application.expires_at));
    }
    Ok(())
}

/// Whether a user and all that they belong to are alive.
pub fn user(user: &User, above: Tenancy<'_>) -> Result<(), Dead> {
    if user.meta.deleted_at.is_some() {
        return Err(Dead::Unknown);
    }
    if user.tenant_id.is_some() {
        tenancy(above)?;
    } else if user.partner_id.is_some() {
        partner(above.partner)?;
    }
    if user.status == Status::Disabled { Err(Dead::UserDisabled) } else { Ok(()) }
}

/// Whether a secret may still obtain tokens at `now`.
pub fn secret(secret: &Secret, now: Timestamp) -> Result<(), Dead> {
    secret_tokens(secret)?;
    match secret.expires_at {
        Some(at) if at <= now => Err(Dead::SecretExpired(at)),
        _ => Ok(()),
    }
}

/// Whether the tokens that a secret obtained still work: its revocation ends them, its expiry does not.
pub fn secret_tokens(secret: &Secret) -> Result<(), Dead> {
    match secret.revoked_at {
        _ if secret.meta.deleted_at.is_some() => Err(Dead::Unknown),
        Some(at) => Err(Dead::SecretRevoked(at)),
        None => Ok(()),
    }
}

/// Whether an API key and its tenant are alive at `now`.
pub fn api_key(key: &ApiKey, above: Tenancy<'_>, now: Timestamp) -> Result<(), Dead> {
    if key.meta.deleted_at.is_some() {
        return Err(Dead::Unknown);
    }
    tenancy(above)?;
    if let Some(at) = key.revoked_at {
        return Err(Dead::KeyRevoked(at));
    }
    match key.expires_at {
        Some(at) if at <= now => Err(Dead::KeyExpired(at)),
        _ if key.status == Status::Disabled => Err(Dead::KeyDisabled),
        _ => Ok(()),
    }
}

/// Whether a grant is alive at `now`: not expired, in the application's environment, its tenant alive.
pub fn grant(grant: &Grant, environment: &str, above: Tenancy<'_>, now: Timestamp) -> Result<(), Dead> {
    tenancy(above)?;
    let expired = grant.expires_at.is_some_and(|at| at <= now);
    if expired || grant.environment != environment { Err(Dead::Unknown) } else { Ok(()) }
}
