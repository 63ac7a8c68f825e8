//! Whether an access token works now: its signature once, its life every time.

use std::sync::Arc;

use keyward_crypto::{
    access_token::{AccessTokenClaims, Expected, TokenError, check_claims, verify_access_token},
    digest::sha256,
    feed,
};
use keyward_model::{
    ApplicationReach, Entity, Id, Partner, RefreshToken, ScopeSet, Session, Subject, Tenant, Timestamp, User,
};
use keyward_policy::liveness::{self, Dead};
use keyward_store::StoreError;

use super::{identity_scopes, person_token::handed_on, prepare::entitlement};
use crate::{
    Keyward,
    directory::{Client, Person, Revoked, SessionMark},
    people::OWN_CLIENT,
};

/// How many verified tokens are remembered.
const REMEMBERED: usize = 50_000;

/// The tokens whose signature was found good, by the SHA-256 of the token.
pub(crate) struct Verified(quick_cache::sync::Cache<[u8; 32], Arc<AccessTokenClaims>>);

impl Verified {
    pub(crate) fn new() -> Self {
        Self(quick_cache::sync::Cache::new(REMEMBERED))
    }

    /// Forgets all, because a key was withdrawn.
    pub(crate) fn forget(&self) {
        self.0.clear();
    }
}

/// Who holds a token.
#[derive(Clone)]
pub(crate) enum Holder {
    /// An application or agent.
    Client(Arc<Client>),
    /// A person.
    Person(Arc<Person>),
}

impl Holder {
    /// How the audit log names the holder.
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Client(client) => client.subject(),
            Self::Person(person) => Subject::record(person.user.id(), &person.user.email),
        }
    }

    pub(crate) fn tenant_id(&self) -> Option<Id<Tenant>> {
        match self {
            Self::Client(client) => client.application.tenant_id,
            Self::Person(person) => person.user.tenant_id,
        }
    }

    pub(crate) fn partner_id(&self) -> Option<Id<Partner>> {
        match self {
            Self::Client(client) => client.partner_id(),
            Self::Person(person) => person.partner_id(),
        }
    }
}

/// A token that works now, with what it comes to now.
pub(crate) struct LiveToken {
    pub(crate) claims: Arc<AccessTokenClaims>,
    /// Who holds it.
    pub(crate) holder: Holder,
    /// Its permissions, as far as its holder still has them.
    pub(crate) scopes: ScopeSet,
    /// Its tenants, as far as its holder still has them.
    pub(crate) tenants: Option<Vec<String>>,
}

impl Keyward {
    /// Checks signature, type, issuer, audience and times.
    pub(crate) fn verify_token(
        &self,
        token: &str,
        audiences: &[&str],
        now: Timestamp,
    ) -> Result<Arc<AccessTokenClaims>, TokenError> {
        let expected = Expected { issuer: &self.inner.options.issuer, audiences, now, leeway_seconds: 0 };
        let key = sha256(token.as_bytes());
        if let Some(claims) = self.inner.verified.0.get(&key) {
            check_claims(&claims, &expected)?;
            return Ok(claims);
        }
        let claims = self.inner.keys.with_verifying(|keys| verify_access_token(keys, token, &expected))?;
        let claims = Arc::new(claims);
        self.inner.verified.0.insert(key, claims.clone());
        Ok(claims)
    }

    /// Whether a verified token, its credential, its application and all above are alive, and what is left of it.
    pub(crate) async fn live_token(
        &self,
        claims: Arc<AccessTokenClaims>,
        now: Timestamp,
    ) -> Result<Result<LiveToken, Dead>, StoreError> {
        let directory = &self.inner.directory;
        let Some(claims) = unrevoked(directory.revoked(&claims.jti).await?, claims) else {
            return Ok(Err(Dead::Unknown));
        };
        // Clients choose no identifier of this form, so a client can't be taken for a person.
        if let Ok(user) = claims.sub.parse::<Id<User>>() {
            let Some(person) = directory.person(user).await? else { return Ok(Err(Dead::Unknown)) };
            return self.live_person(person, claims, now).await;
        }
        let entry = directory.client(&claims.client_id).await?;
        Ok(entry.client.clone().ok_or(Dead::Unknown).and_then(|client| judge(client, claims, now)))
    }
}

impl LiveToken {
    /// Whether the token was issued to this client, for itself or for a person.
    pub(crate) fn is_of(&self, client: &Client) -> bool {
        match &self.holder {
            Holder::Client(holder) => holder.holder == client.holder,
            Holder::Person(_) => *self.claims.client_id == client.application.client_id,
        }
    }

    /// Whether a person uses it without an application in between.
    pub(crate) fn is_own(&self) -> bool {
        self.claims.client_id == OWN_CLIENT
    }
}

impl Keyward {
    /// Judges a person's token: with the session in which it was obtained, and the application that obtained it.
    async fn live_person(
        &self,
        person: Arc<Person>,
        claims: Arc<AccessTokenClaims>,
        now: Timestamp,
    ) -> Result<Result<LiveToken, Dead>, StoreError> {
        let directory = &self.inner.directory;
        let session = claims.credential_id.as_deref().and_then(session_mark);
        if let Some(mark) = session {
            let alive = match directory.session(mark).await? {
                Some(opened) => opened.is_alive(&person, self.idle_seconds(), now),
                None => Err(Dead::SessionEnded),
            };
            if let Err(dead) = alive {
                return Ok(Err(dead));
            }
        }
        if claims.client_id == OWN_CLIENT {
            let permissions = person.permissions.clone();
            return Ok(judge_person(person, claims, permissions));
        }
        let entry = directory.client(&claims.client_id).await?;
        let Some(client) = entry.client.clone() else { return Ok(Err(Dead::Unknown)) };
        let application = &client.application;
        // A token is bound to this application, not to a later one by the same name.
        let is_later = application.meta.created_at.unix_seconds() > claims.iat;
        if is_later || session.is_none() {
            return Ok(Err(Dead::Unknown));
        }
        if let Err(dead) = liveness::application(application, client.above(), now) {
            return Ok(Err(dead));
        }
        let catalogue = directory.catalogue().await?;
        let asked: ScopeSet = claims.scope.parse().unwrap_or_default();
        let scopes = asked.intersection(&handed_on(&person, &client, &catalogue).union(&identity_scopes()));
        Ok(judge_person(person, claims, scopes))
    }
}

/// By what the session of a person's token is found: the credential that obtained it.
fn session_mark(credential: &str) -> Option<SessionMark> {
    let session = credential.parse::<Id<Session>>().map(SessionMark::Id);
    session.or_else(|_| credential.parse::<Id<RefreshToken>>().map(SessionMark::Family)).ok()
}

/// When a token was issued, in milliseconds: its number says so more exactly than its claim.
fn issued_ms(claims: &AccessTokenClaims) -> i64 {
    feed::issued_ms(&claims.jti).unwrap_or(claims.iat.saturating_mul(1_000))
}

/// What is left of a token after revocations: nothing, or fewer tenants.
fn unrevoked(revoked: &Revoked, claims: Arc<AccessTokenClaims>) -> Option<Arc<AccessTokenClaims>> {
    let issued = issued_ms(&claims);
    if revoked.covers(&claims.jti, &claims.client_id, issued) {
        return None;
    }
    let tenants = claims.tenants.as_deref().unwrap_or_default();
    if !tenants.iter().any(|tenant| revoked.covers_tenant(tenant, issued)) {
        return Some(claims);
    }
    let mut left = (*claims).clone();
    left.tenants = left.tenants.map(|tenants| {
        let is_left = |tenant: &&String| !revoked.covers_tenant(tenant, issued);
        tenants.iter().filter(is_left).cloned().collect()
    });
    left.tenants.as_ref().is_some_and(|tenants| !tenants.is_empty()).then(|| Arc::new(left))
}

fn judge(client: Arc<Client>, claims: Arc<AccessTokenClaims>, now: Timestamp) -> Result<LiveToken, Dead> {
    let credential = claims.credential_id.as_deref();
    // The secret binds the token to this application, not to a later one by the same name.
    let secret = client.secrets.iter().find(|secret| Some(secret.id().to_string().as_str()) == credential);
    liveness::secret_tokens(secret.ok_or(Dead::Unknown)?)?;
    liveness::application(&client.application, client.above(), now)?;
    let (permissions, tenants) = remaining(&client, &claims, now)?;
    let asked: ScopeSet = claims.scope.parse().map_err(|_| Dead::Unknown)?;
    let had_any = !asked.is_empty();
    let scopes = asked.intersection(&permissions);
    if had_any && scopes.is_empty() {
        return Err(Dead::Unknown);
    }
    Ok(LiveToken { claims, holder: Holder::Client(client), scopes, tenants })
}

fn judge_person(
    person: Arc<Person>,
    claims: Arc<AccessTokenClaims>,
    scopes: ScopeSet,
) -> Result<LiveToken, Dead> {
    liveness::user(&person.user, person.above())?;
    let issued = Timestamp::from_unix_millis(issued_ms(&claims)).ok_or(Dead::Unknown)?;
    liveness::user_since(&person.user, issued)?;
    // A person's token is good for what the person may do now, and in those of its tenants that are the person's now.
    let tenants = match (claims.tenants.as_deref(), &person.tenants) {
        (None, None) => None,
        (Some(named), Some(own)) => {
            Some(named.iter().filter(|tenant| own.contains(tenant)).cloned().collect())
        }
        _ => return Err(Dead::Unknown),
    };
    let left = tenants.as_ref().is_none_or(|left: &Vec<String>| !left.is_empty());
    if !left && claims.tenants.as_ref().is_some_and(|named| !named.is_empty()) {
        return Err(Dead::Unknown);
    }
    Ok(LiveToken { claims, scopes, tenants, holder: Holder::Person(person) })
}

/// The tenants of the token that the client still has, and the permissions that it has for all of them.
fn remaining(
    client: &Client,
    claims: &AccessTokenClaims,
    now: Timestamp,
) -> Result<(ScopeSet, Option<Vec<String>>), Dead> {
    let Some(tenants) = &claims.tenants else {
        // A token for the whole platform needs an application that still has no tenants of its own.
        let is_platform = client.grants.is_empty() && client.application.reach == ApplicationReach::Global;
        return if is_platform { Ok((client.allowed.clone(), None)) } else { Err(Dead::Unknown) };
    };
    let mut left = Vec::with_capacity(tenants.len());
    let mut permissions: Option<ScopeSet> = None;
    for tenant in tenants.iter() {
        if let Ok(has) = entitlement(client, Some(tenant), now) {
            left.push(tenant.clone());
            permissions = Some(match permissions {
                None => has.permissions,
                Some(others) => others.intersection(&has.permissions),
            });
        }
    }
    permissions.map(|permissions| (permissions, Some(left))).ok_or(Dead::Unknown)
}
