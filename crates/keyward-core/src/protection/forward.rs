//! Deciding on a request for a proxy, by the credentials that it brought.

use keyward_model::{
    Timestamp,
    admission::{Admitted, Mode, Reason, Refusal, Requirement, admit},
};

use super::{keys::Checked, tokens::facts};
use crate::{Error, Keyward, Origin, oauth::LiveToken};

/// The credentials of a request, as they were sent; each at most once.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    /// The value of `Authorization`.
    pub authorization: Option<&'a str>,
    /// The value of `X-Api-Key`.
    pub api_key: Option<&'a str>,
}

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented").finish_non_exhaustive()
    }
}

impl Keyward {
    /// Whether a request may pass: its credentials must meet the requirement, and a token be for `audience`, or for the
    /// configured one. A refusal of somebody who is known is in the audit log before this returns.
    pub async fn forward_auth(
        &self,
        presented: Presented<'_>,
        requirement: &Requirement,
        audience: Option<&str>,
        origin: &Origin,
    ) -> Result<Result<Admitted, Refusal>, Error> {
        let now = self.now();
        let audience = audience.unwrap_or(&self.inner.options.audience);
        let authorization = presented.authorization.filter(|_| requirement.mode != Mode::ApiKey);
        let token = self.presented_token(authorization, &[audience], now).await?;
        let wants_key = requirement.mode != Mode::Bearer;
        let key = match presented.api_key.filter(|key| wants_key && !key.is_empty()) {
            None => None,
            Some(key) => Some(self.look_up_key(key.trim(), origin.ip.as_deref(), now).await?),
        };
        let token_facts = token.as_ref().map(|token| token.as_ref().map(facts).map_err(Clone::clone));
        let key_facts = key.as_ref().map(|key| key.outcome.clone());
        let decision = admit(requirement, token_facts, key_facts);
        match &decision {
            Ok(_) => {
                if let Some(key) = key.and_then(|checked| checked.key) {
                    self.count_use(&key, origin.ip.as_deref(), now);
                }
            }
            Err(refusal) => self.denied(token.as_ref(), key.as_ref(), refusal, origin, now).await?,
        }
        Ok(decision)
    }

    /// Writes a refusal down once: at the token when it is good, else at the key when it is known.
    async fn denied(
        &self,
        token: Option<&Result<LiveToken, Refusal>>,
        key: Option<&Checked>,
        refusal: &Refusal,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key_is_at_fault = key.is_some_and(|key| key.outcome.is_err());
        match token {
            Some(Ok(live)) if !key_is_at_fault && refusal.reason != Reason::CredentialsMissing => {
                self.deny_token(live, refusal, origin, now).await
            }
            _ => self.deny_key(key.and_then(|key| key.key.as_deref()), refusal.reason, origin, now).await,
        }
    }
}
