//! Who sent a request: the bearer token that it brought (RFC 6750 section 2.1), if that works now.

use keyward_crypto::access_token::TokenError;
use keyward_model::{
    ADMIN_WRITE, ApplicationReach, Entity, Timestamp,
    admission::{Reason, Refusal, bearer},
};
use keyward_policy::liveness::Dead;

use crate::{
    Caller, Error, Keyward, Origin,
    oauth::{Holder, LiveToken},
};

impl Keyward {
    /// The token in the value of an `Authorization` header, if there is one. It must be for one of these audiences, work
    /// now, and its holder not act too often.
    pub(crate) async fn presented_token(
        &self,
        authorization: Option<&str>,
        audiences: &[&str],
        now: Timestamp,
    ) -> Result<Option<Result<LiveToken, Refusal>>, Error> {
        let token = match authorization.and_then(bearer) {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(token)) => token,
        };
        let claims = match self.verify_token(token, audiences, now) {
            Ok(claims) => claims,
            Err(error) => return Ok(Some(Err(not_verified(error)))),
        };
        let live = self.live_token(claims, now).await?.map_err(dead);
        Ok(Some(live.and_then(|live| self.may_act(&live, now).map(|()| live))))
    }

    /// An agent's rate holds for what it does, not only for the tokens that it obtains.
    fn may_act(&self, live: &LiveToken, now: Timestamp) -> Result<(), Refusal> {
        let Holder::Client(client) = &live.holder else { return Ok(()) };
        let rate = client.agent.as_ref().and_then(|agent| agent.rate_limit_rpm);
        self.inner.limits.check_of(client.holder, rate, now).map_err(|seconds| {
            let detail = format!("The agent acts too often. Wait {seconds} seconds.");
            Refusal::new(Reason::RateLimited, detail)
        })
    }

    /// Finds out who sent a request to the admin API, from the value of its `Authorization` header.
    pub async fn authenticate(&self, authorization: Option<&str>, _origin: &Origin) -> Result<Caller, Error> {
        let audience = &*self.inner.options.admin_audience;
        let token = self.presented_token(authorization, &[audience], self.now()).await?;
        let live = token.ok_or_else(Refusal::no_token)??;
        let credential = live.claims.credential_id.clone();
        Ok(match &live.holder {
            Holder::Client(client) => {
                let application = &client.application;
                // A token for tenants administrates nothing, whatever its application could have asked for.
                let global = application.reach == ApplicationReach::Global && live.tenants.is_none();
                Caller::service(client.subject(), global, live.scopes, credential, application.owner())
            }
            Holder::Person(person) if live.is_own() || live.scopes.contains(ADMIN_WRITE) => {
                Caller::user(&person.user, live.scopes, credential)
            }
            // By an application a person does what both may: their tier stays with themselves.
            Holder::Person(person) => Caller::user_without_tier(&person.user, live.scopes, credential),
        })
    }
}

fn not_verified(error: TokenError) -> Refusal {
    let (reason, detail) = match error {
        TokenError::Expired => (Reason::TokenExpired, "The token has expired."),
        TokenError::WrongAudience => (Reason::TokenWrongAudience, "The token is for another API."),
        _ => (Reason::TokenMalformed, "The token is not an access token of this issuer."),
    };
    Refusal::new(reason, detail)
}

/// A dead token's refusal. It proves possession of the credential, so its holder may know what is wrong.
fn dead(dead: Dead) -> Refusal {
    let detail = match dead {
        Dead::Unknown => "The token no longer works.".to_owned(),
        dead => dead.message(),
    };
    Refusal::new(Reason::TokenRevoked, detail)
}
