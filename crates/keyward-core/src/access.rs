//! Access to other APIs by Keyward's tokens, checked in-process.

use keyward_model::{Action, Changes, Event, Id, Outcome, ScopeSet, Subject};
use keyward_policy::liveness::Dead;

use crate::{
    Error, Keyward, Origin,
    authentication::{bearer, refused, unauthenticated},
};

/// What an access token allows.
#[derive(Clone, Debug)]
pub struct Access {
    /// The client that it was issued to.
    pub client_id: String,
    /// The environment.
    pub environment: String,
    /// The tenants, as far as the client still has them; none for a token of the whole platform.
    pub tenants: Option<Vec<String>>,
    /// The permissions, as far as the client still has them.
    pub scopes: ScopeSet,
}

impl Keyward {
    /// Checks the token of an `Authorization` header for an API: it must be for `audience`, work now, and hold
    /// `permission`. A refusal for want of the permission is in the audit log before this returns.
    pub async fn check_access(
        &self,
        authorization: Option<&str>,
        audience: &str,
        permission: &str,
        origin: &Origin,
    ) -> Result<Access, Error> {
        let now = self.now();
        let claims = self.verify_token(bearer(authorization)?, &[audience], now).map_err(refused)?;
        let live = match self.live_token(claims, now).await? {
            Ok(live) => live,
            Err(Dead::Unknown) => return Err(unauthenticated("token_revoked", "The token no longer works.")),
            Err(dead) => return Err(unauthenticated("token_revoked", dead.message())),
        };
        if live.scopes.contains(permission) {
            return Ok(Access {
                client_id: live.claims.client_id.to_string(),
                environment: live.claims.env.to_string(),
                tenants: live.tenants,
                scopes: live.scopes,
            });
        }
        let event = Event {
            id: Id::generate(now, &*self.inner.random),
            occurred_at: now,
            action: Action::ACCESS_DENIED,
            outcome: Outcome::Denied,
            reason: Some("permission_denied".to_owned()),
            actor: live.holder.subject(),
            resource: Some(Subject {
                kind: "permission".into(),
                id: None,
                name: Some(permission.to_owned()),
            }),
            tenant_id: live.holder.tenant_id(),
            partner_id: live.holder.partner_id(),
            changes: Changes::default(),
            context: origin.context(live.claims.credential_id.clone()),
        };
        self.inner.writer.append(event).await?;
        Err(Error::Forbidden {
            detail: format!("The token lacks the permission {permission}."),
            required: vec![permission.to_owned()],
            held: live.scopes,
        })
    }
}
