//! Keyward's own answer about a key: `POST /api/v1/keys/verify`.

use keyward_crypto::credential::{self, CredentialKind};
use keyward_model::{
    ScopeSet, Timestamp,
    admission::{KeyFacts, Reason, Refusal},
};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::json;

use super::{BoxError, BoxFuture, KeyChecker, KeyError, KeyQuestion};
use crate::{
    BuildError,
    builder::safe_issuer,
    fetch::{Http, read},
};

/// The longest answer that is read, in bytes.
const MAX_LEN: usize = 256 << 10;
/// The longest sentence for people that is passed on, in bytes.
const MAX_DETAIL: usize = 500;

/// Where the service token comes from that a guard asks Keyward with. It needs the permission `keys:verify`.
///
/// A closure is one. With `keyward-client`, which keeps tokens and renews them:
///
/// ```
/// # use keyward_client::KeywardClient;
/// # use keyward_guard::{BuildError, RemoteKeys};
/// # fn example(client: KeywardClient) -> Result<RemoteKeys, BuildError> {
/// RemoteKeys::new("https://keyward.example", move |refused: Option<String>| {
///     let client = client.clone();
///     async move {
///         if let Some(token) = refused {
///             client.reject(&token);
///         }
///         Ok(client.token().await?.secret().to_owned())
///     }
/// })
/// # }
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is good now. It is asked for with every question, so it should be the same one for as long as that is
    /// good; after Keyward refused one, with that, which then is not to be handed out again.
    fn token<'a>(&'a self, refused: Option<&'a str>) -> BoxFuture<'a, Result<String, BoxError>>;
}

impl<F, Fut> TokenSource for F
where
    F: Fn(Option<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, BoxError>> + Send + 'static,
{
    fn token<'a>(&'a self, refused: Option<&'a str>) -> BoxFuture<'a, Result<String, BoxError>> {
        Box::pin(self(refused.map(str::to_owned)))
    }
}

/// Asks Keyward about keys. What has not the form of a key, or a wrong checksum, is refused without asking.
pub struct RemoteKeys {
    url: Url,
    http: Http,
    tokens: Box<dyn TokenSource>,
}

impl std::fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteKeys").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// The answer of Keyward.
#[derive(Deserialize)]
struct Verdict {
    valid: bool,
    code: Option<String>,
    detail: Option<String>,
    key_id: Option<String>,
    tenant_id: Option<String>,
    #[serde(default)]
    permissions: ScopeSet,
    environment: Option<String>,
    expires_at: Option<Timestamp>,
    kind: Option<String>,
}

impl RemoteKeys {
    /// Asks the Keyward at this address, with tokens from there.
    pub fn new(issuer: &str, tokens: impl TokenSource) -> Result<Self, BuildError> {
        Self::build(issuer, Box::new(tokens), false)
    }

    /// The same over plain HTTP: everybody on the way can read the keys and the token.
    pub fn new_insecure(issuer: &str, tokens: impl TokenSource) -> Result<Self, BuildError> {
        Self::build(issuer, Box::new(tokens), true)
    }

    fn build(issuer: &str, tokens: Box<dyn TokenSource>, allow_insecure: bool) -> Result<Self, BuildError> {
        let mut url = safe_issuer(issuer, allow_insecure)?;
        let path = format!("{}/api/v1/keys/verify", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self { url, http: Http::new()?, tokens })
    }

    async fn ask(&self, question: KeyQuestion<'_>) -> Result<Verdict, BoxError> {
        let body = json!({
            "key": question.key,
            "permissions": [],
            "environment": question.environment,
            "ip": question.address,
        });
        let mut body = body;
        if question.environment.is_none() {
            body.as_object_mut().map(|members| members.remove("environment"));
        }
        let send = |token: String| self.http.post(self.url.clone()).bearer_auth(token).json(&body).send();
        let token = self.tokens.token(None).await?;
        let mut response = send(token.clone()).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // It was revoked, or its source does not know when it expires.
            response = send(self.tokens.token(Some(&token)).await?).await?;
        }
        Ok(read(response, MAX_LEN).await?.json()?)
    }
}

impl KeyChecker for RemoteKeys {
    fn precheck(&self, key: &str) -> Result<(), Refusal> {
        kind(key).map(|_| ()).ok_or_else(unknown)
    }

    fn check<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<KeyFacts, KeyError>> {
        Box::pin(async move {
            let is_publishable = kind(question.key).ok_or_else(unknown)?;
            let verdict = self.ask(question).await.map_err(KeyError::Unavailable)?;
            facts(verdict, is_publishable)
        })
    }
}

fn unknown() -> Refusal {
    Refusal::new(Reason::KeyInvalid, "There is no such API key.")
}

/// Whether a key is a publishable one; nothing when it is none at all.
fn kind(key: &str) -> Option<bool> {
    match credential::check(key)?.0 {
        CredentialKind::ApiKey => Some(false),
        CredentialKind::TenantKey => Some(true),
        _ => None,
    }
}

/// What Keyward's answer comes to. It must fit the form of the key: a secret key without an identifier would count as the
/// publishable one, of which less is asked.
fn facts(verdict: Verdict, is_publishable: bool) -> Result<KeyFacts, KeyError> {
    if !verdict.valid {
        return Err(KeyError::Refused(refusal(verdict.code.as_deref(), verdict.detail)));
    }
    let kind_fits = verdict.kind.as_deref().is_none_or(|kind| (kind == "publishable") == is_publishable);
    let id_fits = verdict.key_id.as_deref().is_none_or(str::is_empty) == is_publishable;
    let tenant_id = verdict.tenant_id.filter(|id| !id.is_empty() && kind_fits && id_fits);
    let strange = || KeyError::Unavailable("the answer about the key does not fit the key".into());
    let tenant_id = tenant_id.ok_or_else(strange)?;
    if is_publishable {
        let permissions = ScopeSet::default();
        return Ok(KeyFacts { key_id: None, tenant_id, permissions, environment: None, expires_at: None });
    }
    let Verdict { key_id, permissions, environment, expires_at, .. } = verdict;
    Ok(KeyFacts { key_id, tenant_id, permissions, environment, expires_at })
}

fn refusal(code: Option<&str>, detail: Option<String>) -> Refusal {
    let (reason, plain) = match code {
        Some("key_expired") => (Reason::KeyExpired, "The API key has expired."),
        Some("key_revoked") => (Reason::KeyRevoked, "The API key no longer works."),
        Some("token_wrong_environment") => {
            (Reason::TokenWrongEnvironment, "The API key is for another environment.")
        }
        // No permission was asked for, so this is about the address.
        Some("permission_denied") => {
            (Reason::PermissionDenied, "The API key can't be used from this address.")
        }
        Some("rate_limited") => (Reason::RateLimited, "There were too many attempts with API keys."),
        // No other answer makes a key good.
        _ => return unknown(),
    };
    Refusal::new(reason, detail.filter(|told| told.len() <= MAX_DETAIL).unwrap_or_else(|| plain.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn outcome(body: &Value, is_publishable: bool) -> String {
        match facts(serde_json::from_value(body.clone()).unwrap(), is_publishable) {
            Ok(facts) => format!("{:?} {} {}", facts.key_id, facts.tenant_id, facts.permissions),
            Err(KeyError::Refused(refusal)) => refusal.reason.code().to_owned(),
            Err(KeyError::Unavailable(_)) => "unavailable".to_owned(),
        }
    }

    #[test]
    fn an_answer_must_fit_the_key() {
        let secret = json!({ "valid": true, "code": null, "key_id": "key_1", "tenant_id": "tnt_1",
            "permissions": ["points:read"], "missing": [], "environment": "production", "kind": "secret" });
        let publishable = json!({ "valid": true, "code": null, "key_id": null, "tenant_id": "tnt_1",
            "permissions": [], "missing": [], "kind": "publishable" });
        assert_eq!(outcome(&secret, false), "Some(\"key_1\") tnt_1 points:read");
        assert_eq!(outcome(&publishable, true), "None tnt_1 ");
        assert_eq!(outcome(&secret, true), "unavailable");
        assert_eq!(outcome(&publishable, false), "unavailable");
        for (member, value) in
            [("key_id", json!(null)), ("key_id", json!("")), ("kind", json!("publishable"))]
        {
            let mut strange = secret.clone();
            strange[member] = value;
            assert_eq!(outcome(&strange, false), "unavailable", "{member}");
        }
        let mut nowhere = secret.clone();
        nowhere["tenant_id"] = json!(null);
        assert_eq!(outcome(&nowhere, false), "unavailable");
    }

    #[test]
    fn a_refusal_is_never_good() {
        for (code, reason) in [
            ("key_invalid", "key_invalid"),
            ("key_expired", "key_expired"),
            ("key_revoked", "key_revoked"),
            ("token_wrong_environment", "token_wrong_environment"),
            ("rate_limited", "rate_limited"),
            ("permission_denied", "permission_denied"),
            ("something_new", "key_invalid"),
        ] {
            let body = json!({ "valid": false, "code": code, "key_id": "key_1", "tenant_id": "tnt_1" });
            assert_eq!(outcome(&body, false), reason);
        }
        assert_eq!(outcome(&json!({ "valid": false }), false), "key_invalid");
    }
}
