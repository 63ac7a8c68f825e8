//! Authorization codes: good once, for a minute, for the application that asked, and for whoever knows the verifier.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_crypto::digest;
use keyward_model::{
    Action, Application, Entity, Event, Id, Meta, Reach, RefreshToken, Revocation, Revoked, ScopeSet,
    Session, Subject, Timestamp, User,
};
use keyward_store::{Change, StoreError, StoreExt, Ticket, TicketKey};
use serde::{Deserialize, Serialize};

use super::{
    Authenticated, OAuthError, OAuthErrorCode, TokenReply, TokenRequest,
    person_token::{Bearer, PersonToken},
};
use crate::{Keyward, MAX_TOKEN_LIFETIME, Origin, SignInError, directory::SessionMark};

const CODES: &str = "code";
const USED: &str = "used_code";
/// How long a code lives, in seconds (RFC 6749 section 4.1.2 has ten minutes at most).
const LIVES: i64 = 60;

/// What a code stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) application: Id<Application>,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) user: Id<User>,
    pub(super) session: Id<Session>,
    pub(super) nonce: Option<String>,
    pub(super) authenticated_at: Timestamp,
    pub(super) amr: Vec<String>,
    pub(super) audience: String,
    pub(super) scope: ScopeSet,
}

/// A code to be made, with what the person allowed along with it.
pub(super) struct NewCode {
    pub(super) code: Code,
    pub(super) consent: Option<(TicketKey, String)>,
}

/// What was obtained with a code, so that it can be ended when the code comes a second time.
#[derive(Serialize, Deserialize)]
struct Obtained {
    application: Id<Application>,
    jti: String,
    family: Option<Id<RefreshToken>>,
}

fn key(namespace: &str, code: &str) -> TicketKey {
    TicketKey::new(namespace, digest::hex(&digest::sha256(code.as_bytes())))
}

fn invalid_grant(description: &str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidGrant, description)
}

impl Keyward {
    pub(super) async fn new_code(&self, new: NewCode, event: Event) -> Result<String, SignInError> {
        let mut bytes = [0; 32];
        self.random().fill(&mut bytes);
        let code = URL_SAFE_NO_PAD.encode(bytes);
        let value =
            serde_json::to_string(&new.code).map_err(|error| SignInError::Unavailable(error.into()))?;
        let expires_at = Some(self.now().plus_seconds(LIVES));
        let mut change = Change::default();
        change.tickets.push(Ticket { key: key(CODES, &code), value, expires_at });
        if let Some((key, value)) = new.consent {
            if self.inner.store.ticket(&key, self.now()).await?.is_some() {
                change.consume.push(key.clone());
            }
            change.tickets.push(Ticket { key, value, expires_at: None });
        }
        self.commit(change, vec![event]).await?;
        Ok(code)
    }

    /// Tokens for a code (RFC 6749 section 4.1.3).
    pub(super) async fn redeem(
        &self,
        request: &TokenRequest,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<TokenReply, OAuthError> {
        let presented = request.code.as_deref();
        let presented =
            presented.ok_or_else(|| OAuthError::invalid_request("The parameter code is missing."))?;
        let ticket = self.inner.store.ticket(&key(CODES, presented), now).await?;
        let Some(ticket) = ticket else {
            self.end_what_was_obtained(presented, client, origin, now).await?;
            return Err(invalid_grant("The code is unknown, was used, or is too old."));
        };
        let code: Code = serde_json::from_str(&ticket.value).map_err(|error| OAuthError::failed(&error))?;
        // Whoever is wrong about anything does not use the code up: that is for its own application.
        if code.application.any() != client.client.holder {
            return Err(
                invalid_grant("The code is unknown, was used, or is too old.").because("wrong_client")
            );
        }
        if request.redirect_uri.as_deref() != Some(&code.redirect_uri) {
            return Err(invalid_grant("The redirect_uri is not that of the authorization request."));
        }
        if !is_verified(request.code_verifier.as_deref(), &code.challenge) {
            return Err(invalid_grant("The code_verifier does not belong to the code_challenge."));
        }
        if request.resource.as_ref().is_some_and(|resource| *resource != code.audience) {
            let code = OAuthErrorCode::InvalidTarget;
            return Err(OAuthError::new(code, "The resource is not that of the authorization request."));
        }
        self.obtained(&code, presented, client, origin, now).await
    }

    async fn obtained(
        &self,
        code: &Code,
        presented: &str,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<TokenReply, OAuthError> {
        let bearer =
            self.bearer(code.user, SessionMark::Id(code.session), code.authenticated_at, now).await?;
        let family = code.scope.contains("offline_access").then(|| self.new_family(code, &bearer, now));
        let token = PersonToken {
            client: &client.client,
            bearer: &bearer,
            scope: &code.scope,
            audience: &code.audience,
            nonce: code.nonce.as_deref(),
            amr: Some(&code.amr),
            refresh: family.as_ref(),
        };
        let (reply, event, jti) = self.person_tokens(&token, origin, now)?;
        let kept = Obtained { application: code.application, jti, family: family.as_ref().map(Entity::id) };
        let value = serde_json::to_string(&kept).map_err(|error| OAuthError::failed(&error))?;
        let until = now.plus_seconds(i64::from(MAX_TOKEN_LIFETIME));
        let mut change = Change::default();
        change.consume.push(key(CODES, presented));
        change.tickets.push(Ticket { key: key(USED, presented), value, expires_at: Some(until) });
        let change = match family {
            Some(family) => change.create(family),
            None => change,
        };
        match self.commit(change, vec![event]).await {
            Ok(_) => Ok(reply),
            Err(StoreError::Stale | StoreError::Taken(_)) => {
                // Used at the same moment by somebody else: one of the two is not who they say.
                self.end_what_was_obtained(presented, client, origin, now).await?;
                Err(invalid_grant("The code is unknown, was used, or is too old."))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn new_family(&self, code: &Code, bearer: &Bearer, now: Timestamp) -> RefreshToken {
        let user = &bearer.person.user;
        RefreshToken {
            meta: Meta::new(Id::generate(now, self.random()), now),
            user_id: user.id(),
            partner_id: user.partner_id,
            tenant_id: user.tenant_id,
            application_id: code.application,
            session_id: code.session,
            scope: code.scope.clone(),
            audience: code.audience.clone(),
            authenticated_at: code.authenticated_at,
            generation: 1,
            rotated_at: now,
            expires_at: now.plus_seconds(i64::from(self.sign_in_policy().policy.refresh_seconds)),
            revoked_at: None,
        }
    }

    /// A code that comes a second time was stolen, before or now: what was obtained with it ends (RFC 6749 section 4.1.2).
    async fn end_what_was_obtained(
        &self,
        presented: &str,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), OAuthError> {
        let used = self.inner.store.ticket(&key(USED, presented), now).await?;
        let used = used.and_then(|used| serde_json::from_str::<Obtained>(&used.value).ok());
        // Another application says nothing about a code that was never its own.
        let Some(obtained) = used.filter(|used| used.application.any() == client.client.holder) else {
            return Ok(());
        };
        if let Some(family) = obtained.family {
            let found: Option<RefreshToken> = self.inner.store.get_as(&Reach::Platform, family).await?;
            if let Some(family) = found {
                self.end_family(&family, "code_used_twice", client, origin, now).await?;
            }
        }
        let revocation = Revocation {
            meta: Meta::new(Id::generate(now, self.random()), now),
            of: Revoked::Jti,
            name: obtained.jti.clone(),
            before: None,
            expires_at: now.plus_seconds(i64::from(MAX_TOKEN_LIFETIME)),
        };
        let event = Event {
            reason: Some("code_used_twice".to_owned()),
            resource: Some(Subject::token(&obtained.jti)),
            ..self.client_event(Action::TOKEN_REVOKED, client, origin, now)
        };
        match self.commit(Change::default().create(revocation), vec![event]).await {
            Ok(_) | Err(StoreError::Taken(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the verifier has the form that it must have, and the challenge is its SHA-256 (RFC 7636 sections 4.1, 4.6).
fn is_verified(verifier: Option<&str>, challenge: &str) -> bool {
    let Some(verifier) = verifier else { return false };
    let unreserved = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
    (43..=128).contains(&verifier.len())
        && verifier.chars().all(unreserved)
        && URL_SAFE_NO_PAD.encode(digest::sha256(verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn the_example_of_the_rfc() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_verified(Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), challenge));
        for wrong in [None, Some(""), Some(challenge), Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK")] {
            assert!(!is_verified(wrong, challenge), "{wrong:?}");
        }
    }
}
