//! Refreshing (RFC 6749 section 6): each token once, with a short grace for a retry, and the end of all when one comes
//! back later (RFC 9700 section 4.14.2).

use keyward_crypto::refresh::RefreshTokens;
use keyward_model::{Action, Entity, Event, Id, Outcome, Reach, RefreshToken, ScopeSet, Subject, Timestamp};
use keyward_store::{Change, StoreError, StoreExt};

use super::{
    Authenticated, OAuthError, OAuthErrorCode, TokenReply, TokenRequest, identity_scopes,
    person_token::PersonToken,
};
use crate::{
    Call, Caller, Keyward, Origin,
    admin::{ATTEMPTS, Work, next_version},
    directory::{Client, SessionMark},
};

/// How long after it was used a token still leads to the same successor, in seconds: for an answer that got lost.
const GRACE: i64 = 10;

fn dead() -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidGrant, "The refresh token is unknown, was used, or has ended.")
}

impl Keyward {
    /// The family that a refresh token of this client belongs to, and the token's generation.
    async fn family(&self, token: &str, client: &Client) -> Result<Option<(RefreshToken, i64)>, OAuthError> {
        let Some(presented) = RefreshTokens::read(token) else { return Ok(None) };
        let id: Id<RefreshToken> = Id::from_uuid(uuid::Uuid::from_bytes(presented.family));
        let found: Option<RefreshToken> = self.inner.store.get_as(&Reach::Platform, id).await?;
        let own = found.filter(|family| family.application_id.any() == client.holder);
        Ok(own.and_then(|family| {
            let generation = self.inner.refresh_tokens.generation(&presented, family.generation)?;
            Some((family, generation))
        }))
    }

    /// The text of a family's present token.
    pub(super) fn refresh_token(&self, family: &RefreshToken, client: &Client) -> String {
        let live = crate::Options::is_live(&client.application.environment);
        let number = family.id().uuid().into_bytes();
        self.inner.refresh_tokens.token(number, family.generation, live).expose().to_owned()
    }

    /// New tokens for a refresh token.
    pub(super) async fn refresh(
        &self,
        request: &TokenRequest,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<TokenReply, OAuthError> {
        let token = request.refresh_token.as_deref();
        let token =
            token.ok_or_else(|| OAuthError::invalid_request("The parameter refresh_token is missing."))?;
        for _ in 0..ATTEMPTS {
            let Some((family, generation)) = self.family(token, &client.client).await? else {
                return Err(dead());
            };
            if family.revoked_at.is_some() || family.expires_at <= now {
                return Err(dead());
            }
            let is_retry = generation == family.generation - 1 && now < family.rotated_at.plus_seconds(GRACE);
            if generation != family.generation && !is_retry {
                self.end_family(&family, "refresh_token_used_twice", client, origin, now).await?;
                return Err(dead().because("refresh_token_used_twice"));
            }
            match self.refreshed(request, &family, is_retry, client, origin, now).await {
                Err(Refreshing::Again) => {}
                Err(Refreshing::Refused(error)) => return Err(error),
                Ok(reply) => return Ok(reply),
            }
        }
        Err(OAuthError::unavailable())
    }

    async fn refreshed(
        &self,
        request: &TokenRequest,
        family: &RefreshToken,
        is_retry: bool,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<TokenReply, Refreshing> {
        let scope = narrowed(request.scope.as_deref(), &family.scope)?;
        if request.resource.as_ref().is_some_and(|resource| *resource != family.audience) {
            let code = OAuthErrorCode::InvalidTarget;
            return Err(OAuthError::new(code, "The refresh token is for another resource.").into());
        }
        let bearer = self
            .bearer(family.user_id, SessionMark::Family(family.id()), family.authenticated_at, now)
            .await?;
        let next = if is_retry {
            family.clone()
        } else {
            let generation = family.generation + 1;
            RefreshToken { generation, rotated_at: now, ..next_version(family, now) }
        };
        let token = PersonToken {
            client: &client.client,
            bearer: &bearer,
            scope: &scope,
            audience: &family.audience,
            nonce: None,
            amr: None,
            refresh: Some(&next),
        };
        let (reply, event, _) = self.person_tokens(&token, origin, now)?;
        let mut change = Change::default();
        if is_retry {
            // The family must still be what this was judged on.
            change.expect.push((family.id().any(), family.meta.version));
        } else {
            change = change.replace(family.meta.version, next);
        }
        match self.commit(change, vec![event]).await {
            Ok(_) => Ok(reply),
            Err(StoreError::Stale) => Err(Refreshing::Again),
            Err(error) => Err(OAuthError::from(error).into()),
        }
    }

    /// Ends a refresh token with all its successors.
    pub(super) async fn end_family(
        &self,
        family: &RefreshToken,
        reason: &str,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), OAuthError> {
        let mut family = family.clone();
        for _ in 0..ATTEMPTS {
            if family.revoked_at.is_some() {
                return Ok(());
            }
            let ended = RefreshToken { revoked_at: Some(now), ..next_version(&family, now) };
            let event = Event {
                reason: Some(reason.to_owned()),
                outcome: Outcome::Success,
                resource: Some(Subject::record(family.id(), family.display_name())),
                tenant_id: family.tenant_id,
                ..self.client_event(Action::REFRESH_TOKEN_REVOKED, client, origin, now)
            };
            let call = Call { caller: Caller::system(), origin: origin.clone(), idempotency: None };
            let change = Change::default().replace(family.meta.version, ended.clone());
            let change = Work::begin(self, &call).told(change, &family, &ended).await;
            match self.commit(change?, vec![event]).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Stale) => {
                    let again = self.inner.store.get_as(&Reach::Platform, family.id()).await;
                    let Some(again) = again? else { return Ok(()) };
                    family = again;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(OAuthError::unavailable())
    }

    /// Ends a refresh token of the asking client, if the text is one.
    pub(super) async fn revoke_refresh_token(
        &self,
        token: &str,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<bool, OAuthError> {
        let Some((family, _)) = self.family(token, &client.client).await? else {
            return Ok(RefreshTokens::read(token).is_some());
        };
        self.end_family(&family, "revoked_by_client", client, origin, now).await?;
        Ok(true)
    }

    /// A refresh token of the asking client that would work now: its scope, its person, and when it ends.
    pub(super) async fn live_refresh_token(
        &self,
        token: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Option<RefreshToken>, OAuthError> {
        let Some((family, generation)) = self.family(token, client).await? else { return Ok(None) };
        let works = family.revoked_at.is_none() && family.expires_at > now && generation == family.generation;
        if !works {
            return Ok(None);
        }
        let bearer =
            self.bearer(family.user_id, SessionMark::Family(family.id()), family.authenticated_at, now).await;
        Ok(bearer.is_ok().then_some(family))
    }
}

/// What a refresh asks for: all that was allowed, or a part of it.
fn narrowed(asked: Option<&str>, allowed: &ScopeSet) -> Result<ScopeSet, OAuthError> {
    let invalid = || OAuthError::new(OAuthErrorCode::InvalidScope, "A refresh never widens the scope.");
    let Some(asked) = asked else { return Ok(allowed.clone()) };
    let asked: ScopeSet = asked.parse().map_err(|_| invalid())?;
    let kept = identity_scopes().intersection(allowed);
    if asked.is_subset(allowed) { Ok(asked.union(&kept)) } else { Err(invalid()) }
}

enum Refreshing {
    Again,
    Refused(OAuthError),
}

impl From<OAuthError> for Refreshing {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}
