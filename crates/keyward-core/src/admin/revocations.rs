//! Revoking tokens by name: one, or all that were issued up to a moment.

use keyward_crypto::feed;
use keyward_model::{Action, Kind, Owner, Revocation, Revoked, Subject, Tenant, Timestamp};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{ATTEMPTS, Work, busy};
use crate::{Call, Error, FieldError, Keyward, forms};

/// The body that revokes access tokens: one by its `jti`, or all, or those of a client or tenant, up to a moment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RevocationCreate)]
pub struct RevocationBody {
    /// The token.
    #[serde(default)]
    pub jti: Option<String>,
    /// All tokens that were issued up to this moment.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub before: Option<Timestamp>,
    /// Only those of this client.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Only those of this tenant; tokens of several tenants lose it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<keyward_model::Id<Tenant>>,
}

impl Keyward {
    /// Revokes tokens. They stop at once on this node, and within a second everywhere else.
    pub async fn revoke_tokens(&self, call: &Call, body: Value) -> Result<Value, Error> {
        let body: RevocationBody = forms::decode(body)?;
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let permit =
                work.may(Act::Act("revoke"), Target::object(Kind::Revocation, Owner::Platform)).await?;
            let (revocation, action) = work.asked(&body).await?;
            let subject = match revocation.of {
                Revoked::Jti => Subject::token(&revocation.name),
                of => Subject { kind: of.as_str().into(), id: Some(revocation.name.clone()), name: None },
            };
            let mut event = work.event_of(action);
            event.resource = Some(subject);
            event.tenant_id = body.tenant_id;
            let answer = json!({
                "jti": body.jti, "before": revocation.before, "client_id": body.client_id,
                "tenant_id": body.tenant_id, "expires_at": revocation.expires_at
            });
            match work.commit(&permit, Change::default().create(revocation), vec![event]).await {
                // Taken: the token was revoked before.
                Ok(_) | Err(StoreError::Taken(_)) => return Ok(answer),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}

impl Work<'_> {
    async fn asked(&self, body: &RevocationBody) -> Result<(Revocation, Action), Error> {
        let others = body.before.is_some() || body.client_id.is_some() || body.tenant_id.is_some();
        let refuse = |pointer, code, detail: &str| Err(Error::field(FieldError::new(pointer, code, detail)));
        if let Some(jti) = &body.jti {
            if others {
                return refuse("/jti", "contradiction", "One token has no other bounds.");
            }
            let Some(issued) = feed::issued_ms(jti) else {
                return refuse("/jti", "invalid_value", "This is no jti of a token from here.");
            };
            // Nothing says how long the token lives, so it is remembered for as long as any could.
            let at = Timestamp::from_unix_millis(issued).unwrap_or(self.now).min(self.now);
            let revocation = self.revocation(Revoked::Jti, jti, None);
            let lasts = revocation.expires_at.unix_seconds() - self.now.unix_seconds();
            let revocation = Revocation { expires_at: at.plus_seconds(lasts), ..revocation };
            return Ok((revocation, Action::TOKEN_REVOKED));
        }
        // Said in so many words: an empty body must not end every token that there is.
        let Some(before) = body.before else {
            return refuse("/before", "required", "Name a token by its jti, or a moment.");
        };
        if before > self.now {
            return refuse("/before", "in_the_future", "Tokens of the future can't be revoked.");
        }
        let (of, name) = match (&body.client_id, body.tenant_id) {
            (Some(_), Some(_)) => {
                return refuse("/tenant_id", "contradiction", "Name a client or a tenant, not both.");
            }
            (Some(client), None) => {
                if self.keyward.inner.directory.client(client).await?.client.is_none() {
                    return Err(Error::field(FieldError::unknown_reference("/client_id")));
                }
                (Revoked::ClientTokens, client.clone())
            }
            (None, Some(tenant)) => {
                let tenant: Tenant = self.reference(tenant, "/tenant_id").await?;
                (Revoked::TenantTokens, tenant.meta.id.to_string())
            }
            (None, None) => (Revoked::All, String::new()),
        };
        Ok((self.revocation(of, &name, Some(before)), Action::TOKENS_REVOKED))
    }
}
