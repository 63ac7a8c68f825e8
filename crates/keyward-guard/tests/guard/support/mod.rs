//! What the tests share.

mod apis;
mod issuer;

use std::time::Duration;

use keyward_crypto::{
    credential::{Credential, CredentialKind},
    random::SystemRandom,
};
use keyward_guard::{BoxError, Builder, Caller, Credentials, Denial, Guard, Protection, RemoteKeys};
use serde_json::{Value, json};

pub(crate) use apis::{apis, send};
pub(crate) use issuer::{AUDIENCE, Issuer, SERVICE_TOKEN, key, now};

/// A guard for the tokens of an issuer.
pub(crate) fn builder(issuer: &Issuer) -> Builder {
    Guard::builder(&issuer.url).audience(AUDIENCE)
}

/// The same, which also takes keys.
pub(crate) fn builder_with_keys(issuer: &Issuer) -> Builder {
    builder(issuer).environment("production").api_keys(remote(issuer, SERVICE_TOKEN))
}

pub(crate) fn remote(issuer: &Issuer, token: &'static str) -> RemoteKeys {
    RemoteKeys::new(&issuer.url, move |_| async move { Ok::<_, BoxError>(token.to_owned()) }).unwrap()
}

/// A text with the form of a key.
pub(crate) fn made_up(kind: CredentialKind) -> String {
    Credential::generate(kind, true, &SystemRandom).expose().to_owned()
}

/// A secret key of a tenant that the issuer knows.
pub(crate) fn secret_key(issuer: &Issuer, tenant: &str, permissions: &[&str]) -> String {
    let key = made_up(CredentialKind::ApiKey);
    let verdict = json!({
        "valid": true, "code": null, "key_id": "key_1", "tenant_id": tenant, "permissions": permissions,
        "missing": [], "environment": "production", "kind": "secret",
    });
    issuer.state().verdicts.insert(key.clone(), verdict);
    key
}

/// The publishable key of a tenant.
pub(crate) fn publishable_key(issuer: &Issuer, tenant: &str) -> String {
    let key = made_up(CredentialKind::TenantKey);
    let verdict = json!({
        "valid": true, "code": null, "key_id": null, "tenant_id": tenant, "permissions": [], "missing": [],
        "environment": null, "kind": "publishable",
    });
    issuer.state().verdicts.insert(key.clone(), verdict);
    key
}

/// Judges a request with this token alone.
pub(crate) async fn check(protection: &Protection, token: &str) -> Result<Caller, Denial> {
    let header = format!("Bearer {token}");
    protection.check(&Credentials::new([header.as_bytes()], [])).await
}

/// Judges a request with this key alone.
pub(crate) async fn check_key(protection: &Protection, key: &str) -> Result<Caller, Denial> {
    protection.check(&Credentials::new([], [key.as_bytes()])).await
}

/// `ok`, or the code of the refusal.
pub(crate) fn outcome(result: &Result<Caller, Denial>) -> &'static str {
    result.as_ref().map_or_else(Denial::code, |_| "ok")
}

/// The outcome for this token.
pub(crate) async fn told(protection: &Protection, token: &str) -> &'static str {
    outcome(&check(protection, token).await)
}

/// Lets time jump for this thread.
pub(crate) async fn jump(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// Waits until something is so, but not long.
#[track_caller]
pub(crate) fn eventually<F: Future<Output = bool>>(check: impl Fn() -> F) -> impl Future<Output = Duration> {
    let at = std::panic::Location::caller();
    async move {
        let began = std::time::Instant::now();
        while !check().await {
            assert!(began.elapsed() < Duration::from_secs(10), "it never came to what is waited for at {at}");
            actix_web::rt::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }
}

/// No change to the usual claims.
pub(crate) fn usual() -> Value {
    json!({})
}
