//! Whether an access token works now for an API, and for what.

use keyward_crypto::access_token::TokenError;
use keyward_model::{
    Action, Changes, Event, Id, Outcome, Subject, Timestamp,
    admission::{Reason, Refusal, TokenFacts},
};

use crate::{
    Error, Keyward, Origin,
    oauth::{Holder, LiveToken},
};

impl Keyward {
    /// The token, if it is for one of these audiences and works now.
    pub(super) async fn look_up_token(
        &self,
        token: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Result<LiveToken, Refusal>, Error> {
        let claims = match self.verify_token(token, &[audience], now) {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(refused(error))),
        };
        let live = match self.live_token(claims, now).await? {
            Ok(live) => live,
            Err(keyward_policy::liveness::Dead::Unknown) => {
                return Ok(Err(Refusal::new(Reason::TokenRevoked, "The token no longer works.")));
            }
            Err(dead) => return Ok(Err(Refusal::new(Reason::TokenRevoked, dead.message()))),
        };
        Ok(self.may_check(&live, now).map(|()| live))
    }

    /// An agent's rate holds for what it does, not only for the tokens that it obtains.
    fn may_check(&self, live: &LiveToken, now: Timestamp) -> Result<(), Refusal> {
        let Holder::Client(client) = &live.holder else { return Ok(()) };
        let rate = client.agent.as_ref().and_then(|agent| agent.rate_limit_rpm);
        self.inner.limits.check_of(client.holder, rate, now).map_err(|seconds| {
            let detail = format!("The agent acts too often. Wait {seconds} seconds.");
            Refusal::new(Reason::RateLimited, detail)
        })
    }

    /// Writes down that a good token was not enough.
    pub(super) async fn deny_token(
        &self,
        live: &LiveToken,
        refusal: &Refusal,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let resource = (!refusal.required.is_empty()).then(|| Subject {
            kind: "permission".into(),
            id: None,
            name: Some(refusal.required.to_string()),
        });
        let event = Event {
            id: Id::generate(now, &*self.inner.random),
            occurred_at: now,
            action: Action::ACCESS_DENIED,
            outcome: Outcome::Denied,
            reason: Some(refusal.reason.code().to_owned()),
            actor: live.holder.subject(),
            resource,
            tenant_id: live.holder.tenant_id(),
            partner_id: live.holder.partner_id(),
            changes: Changes::default(),
            context: origin.context(live.claims.credential_id.clone()),
        };
        Ok(self.inner.writer.append(event).await?)
    }
}

/// What a token that works says.
pub(super) fn facts(live: &LiveToken) -> TokenFacts {
    TokenFacts {
        subject: live.claims.sub.to_string(),
        client_id: live.claims.client_id.to_string(),
        scopes: live.scopes.clone(),
        tenants: live.tenants.clone(),
        environment: Some(live.claims.env.to_string()),
    }
}

fn refused(error: TokenError) -> Refusal {
    match error {
        TokenError::Expired => Refusal::new(Reason::TokenExpired, "The token has expired."),
        TokenError::WrongAudience => {
            Refusal::new(Reason::TokenWrongAudience, "The token is for another API.")
        }
        _ => Refusal::new(Reason::TokenMalformed, "The token is not an access token of this issuer."),
    }
}
