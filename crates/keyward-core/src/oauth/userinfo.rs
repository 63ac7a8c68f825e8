//! What applications learn of a person (OpenID Connect Core section 5.3), and signing out on their behalf (OpenID Connect
//! RP-Initiated Logout).

use keyward_model::{
    ScopeSet,
    admission::{Reason, Refusal},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Holder, person_token::about};
use crate::{Error, Keyward};

/// What an ID token says that is needed to sign out.
#[derive(Deserialize)]
struct Hint {
    iss: String,
    aud: String,
    sid: String,
}

/// Who wants a person to be signed out, and where the browser goes then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOut {
    /// The session that an ID token names; nobody needs to ask its person.
    pub session: Option<String>,
    /// Where the browser goes: an address that is registered for the application.
    pub location: Option<String>,
}

impl Keyward {
    /// What the person whose token it is has allowed the application to know.
    pub async fn userinfo(&self, authorization: Option<&str>) -> Result<Map<String, Value>, Error> {
        let token = self.presented_token(authorization, &self.audiences(), self.now()).await?;
        let live = token.ok_or_else(Refusal::no_token)??;
        let scope: ScopeSet = live.claims.scope.parse().unwrap_or_default();
        match &live.holder {
            Holder::Person(person) if scope.contains("openid") => Ok(about(person, &scope)),
            _ => {
                let detail = "The token is not one of a person who allowed openid.";
                Err(Refusal::new(Reason::PermissionDenied, detail).into())
            }
        }
    }

    /// Judges a request to sign out: nobody is sent to an address that is not registered.
    pub async fn sign_out_asked(
        &self,
        id_token_hint: Option<&str>,
        client_id: Option<&str>,
        redirect_uri: Option<&str>,
        state: Option<&str>,
    ) -> Result<SignOut, Error> {
        let hint = id_token_hint.and_then(|token| self.hint(token));
        let client_id = hint.as_ref().map(|hint| hint.aud.as_str()).or(client_id);
        let location = match (client_id, redirect_uri) {
            (Some(client_id), Some(uri)) => {
                let entry = self.inner.directory.client(client_id).await?;
                let known = |client: &crate::directory::Client| {
                    client.application.redirect_uris.iter().any(|known| known == uri)
                };
                let is_known = entry.client.as_ref().is_some_and(|client| known(client));
                is_known.then(|| url::Url::parse(uri).ok()).flatten().map(|mut url| {
                    if let Some(state) = state {
                        url.query_pairs_mut().append_pair("state", state);
                    }
                    String::from(url)
                })
            }
            _ => None,
        };
        Ok(SignOut { session: hint.map(|hint| hint.sid), location })
    }

    /// An ID token that was issued here, expired or not.
    fn hint(&self, token: &str) -> Option<Hint> {
        let verified = self.inner.keys.with_verifying(|keys| keys.verify_compact(token, &["JWT"])).ok()?;
        let hint: Hint = serde_json::from_slice(&verified.payload).ok()?;
        (hint.iss == self.options().issuer).then_some(hint)
    }
}
