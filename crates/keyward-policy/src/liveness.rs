//! Liveness: is a credential, and everything above it, alive now?
//!
//! Every path that accepts a credential asks here. Expiry is judged at use, never by a sweeper.

use keyward_model::{
    Agent, ApiKey, Application, Grant, IdentityProvider, Partner, RefreshToken, Secret, Session, Status,
    TenancyStatus, Tenant, Timestamp, User,
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
    /// The session was ended, or lasted too long.
    SessionEnded,
    /// The identity provider by which the person signed in is disabled.
    ProviderDisabled,
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
            Self::SessionEnded => "session_ended",
            Self::ProviderDisabled => "provider_disabled",
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
            Self::SessionEnded => "The session has ended. Sign in again.".to_owned(),
            Self::ProviderDisabled => "The identity provider is disabled.".to_owned(),
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

/// What is deleted is unknown, whatever it belonged to; else what is above comes first.
fn below(above: Result<(), Dead>, itself: Result<(), Dead>) -> Result<(), Dead> {
    if itself == Err(Dead::Unknown) { itself } else { above.and(itself) }
}

/// Whether the tenant or partner that something belongs to, if any, is alive.
fn owner(in_tenant: bool, in_partner: bool, above: Tenancy<'_>) -> Result<(), Dead> {
    match (in_tenant, in_partner) {
        (true, _) => tenancy(above),
        (false, true) => partner(above.partner),
        (false, false) => Ok(()),
    }
}

fn enabled(deleted_at: Option<Timestamp>, status: Status, disabled: Dead) -> Result<(), Dead> {
    match status {
        _ if deleted_at.is_some() => Err(Dead::Unknown),
        Status::Active => Ok(()),
        Status::Disabled => Err(disabled),
    }
}

/// Whether an application and all that it belongs to are alive at `now`.
pub fn application(application: &Application, above: Tenancy<'_>, now: Timestamp) -> Result<(), Dead> {
    let owner = owner(application.tenant_id.is_some(), application.partner_id.is_some(), above);
    below(owner, application_itself(application, now))
}

/// Whether an application is alive at `now`, whatever it belongs to.
pub fn application_itself(application: &Application, now: Timestamp) -> Result<(), Dead> {
    enabled(application.meta.deleted_at, application.status, Dead::ClientDisabled)?;
    if application.expires_at <= now { Err(Dead::ClientExpired(application.expires_at)) } else { Ok(()) }
}

/// Whether an agent is alive, whatever it belongs to.
pub fn agent_itself(agent: &Agent) -> Result<(), Dead> {
    enabled(agent.meta.deleted_at, agent.status, Dead::ClientDisabled)
}

/// Whether a user and all that they belong to are alive.
pub fn user(user: &User, above: Tenancy<'_>) -> Result<(), Dead> {
    below(owner(user.tenant_id.is_some(), user.partner_id.is_some(), above), user_itself(user))
}

/// Whether a user is alive, whatever they belong to.
pub fn user_itself(user: &User) -> Result<(), Dead> {
    enabled(user.meta.deleted_at, user.status, Dead::UserDisabled)
}

/// Whether an identity provider and all that it belongs to are alive.
pub fn provider(provider: &IdentityProvider, above: Tenancy<'_>) -> Result<(), Dead> {
    let owner = owner(provider.tenant_id.is_some(), provider.partner_id.is_some(), above);
    below(owner, enabled(provider.meta.deleted_at, provider.status, Dead::ProviderDisabled))
}

/// Whether the tokens and sign-ins of a user from this moment still count: a reset of what they prove themselves with
/// makes everything void that was opened before.
pub fn user_since(user: &User, moment: Timestamp) -> Result<(), Dead> {
    let counts = user.valid_after.is_none_or(|after| moment >= after);
    if counts { Ok(()) } else { Err(Dead::SessionEnded) }
}

/// Whether a session is alive at `now`, whatever its person is: not ended, within its time, and used within the last
/// `idle_seconds`.
pub fn session_itself(session: &Session, idle_seconds: i64, now: Timestamp) -> Result<(), Dead> {
    let idle = session.last_active_at.plus_seconds(idle_seconds) <= now;
    let ended = session.revoked_at.is_some() || session.meta.deleted_at.is_some();
    if ended || idle || session.expires_at <= now { Err(Dead::SessionEnded) } else { Ok(()) }
}

/// Whether a refresh token still counts at `now`, and what was obtained with it. It may outlive the time of the session in
/// which it was allowed, but not its end.
pub fn refresh_token(token: &RefreshToken, session: &Session, now: Timestamp) -> Result<(), Dead> {
    let is_over = token.revoked_at.is_some() || token.meta.deleted_at.is_some() || token.expires_at <= now;
    let ended = session.revoked_at.is_some() || session.meta.deleted_at.is_some();
    if is_over || ended { Err(Dead::SessionEnded) } else { Ok(()) }
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
    below(tenancy(above), api_key_itself(key, now))
}

/// Whether an API key is alive at `now`, whatever its tenant is.
pub fn api_key_itself(key: &ApiKey, now: Timestamp) -> Result<(), Dead> {
    match (key.revoked_at, key.expires_at) {
        _ if key.meta.deleted_at.is_some() => Err(Dead::Unknown),
        (Some(at), _) => Err(Dead::KeyRevoked(at)),
        (None, Some(at)) if at <= now => Err(Dead::KeyExpired(at)),
        _ => enabled(None, key.status, Dead::KeyDisabled),
    }
}

/// Whether a grant is alive at `now`: not expired, in the application's environment, its tenant alive.
pub fn grant(grant: &Grant, environment: &str, above: Tenancy<'_>, now: Timestamp) -> Result<(), Dead> {
    tenancy(above)?;
    let expired = grant.expires_at.is_some_and(|at| at <= now);
    if expired || grant.environment != environment { Err(Dead::Unknown) } else { Ok(()) }
}
