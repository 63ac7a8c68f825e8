//! Token revocation (RFC 7009).

use keyward_model::{Action, Changes, Event, Id, Meta, Outcome, Revocation, Revoked, Subject, Timestamp};
use keyward_store::{Change, StoreError};

use super::{ClientAuth, OAuthError, authenticate::About};
use crate::{Keyward, Origin};

impl Keyward {
    /// Ends a token of the asking client, at once on this node. Tokens of others and what is no token are left as they
    /// are, without a word.
    pub async fn revoke(&self, auth: ClientAuth, token: &str, origin: &Origin) -> Result<(), OAuthError> {
        let now = self.now();
        let mut about = About::default();
        let authenticated = self.authenticate_client(&auth, origin, now, &mut about).await?;
        if self.revoke_refresh_token(token, &authenticated, origin, now).await? {
            return Ok(());
        }
        let Some(live) = self.look_at(token, now).await? else { return Ok(()) };
        if !live.is_of(&authenticated.client) {
            return Ok(());
        }
        let expires_at = Timestamp::from_unix_millis(live.claims.exp.saturating_mul(1_000)).unwrap_or(now);
        let revocation = Revocation {
            meta: Meta::new(Id::generate(now, &*self.inner.random), now),
            of: Revoked::Jti,
            name: live.claims.jti.clone(),
            before: None,
            expires_at,
        };
        let event = Event {
            id: Id::generate(now, &*self.inner.random),
            occurred_at: now,
            action: Action::TOKEN_REVOKED,
            outcome: Outcome::Success,
            reason: None,
            actor: about.actor(),
            resource: Some(Subject::token(&live.claims.jti)),
            tenant_id: live.holder.tenant_id(),
            partner_id: live.holder.partner_id(),
            changes: Changes::default(),
            context: origin.context(about.credential_id.clone()),
        };
        match self.commit(Change::default().create(revocation), vec![event]).await {
            // Taken: somebody was quicker, and the token is dead all the same.
            Ok(_) => Ok(()),
            Err(StoreError::Taken(_)) => {
                self.inner.directory.follow().await.map(|_| ()).map_err(OAuthError::from)
            }
            Err(error) => Err(error.into()),
        }
    }
}
