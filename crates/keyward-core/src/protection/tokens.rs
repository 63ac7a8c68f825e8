//! What an access token that works is good for, and that it was not enough.

use keyward_model::{
    Action, Changes, Event, Id, Outcome, Subject, Timestamp,
    admission::{Refusal, TokenFacts},
};

use crate::{Error, Keyward, Origin, oauth::LiveToken};

impl Keyward {
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
