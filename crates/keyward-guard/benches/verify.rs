//! What a guard costs beside the signature that it verifies: `cargo bench -p keyward-guard`.
//!
//! The targets: without memory at least 0.85 of what a bare verification by ring does in the same time, and with memory
//! at least ten times as much.

#![expect(clippy::unwrap_used, reason = "nothing here can fail but by a mistake of the benchmark")]

use std::{
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use keyward_crypto::jws::{Algorithm, SigningKey};
use keyward_guard::{Credentials, Guard, Protection};
use keyward_model::{Clock as _, SystemClock};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

const ISSUER: &str = "https://keyward.example";
const AUDIENCE: &str = "https://keyward.example/api";

/// A token as Keyward makes it for one tenant.
fn token(key: &SigningKey) -> String {
    let now = SystemClock.now().unix_seconds();
    let claims = json!({
        "iss": ISSUER, "sub": "acme.crm-sync", "aud": AUDIENCE, "exp": now + 36_000, "iat": now,
        "jti": "01m86n6k4wf2p88ntrd6tq40hy", "client_id": "acme.crm-sync", "scope": "points:adjust points:read",
        "env": "production", "tenants": ["tnt_01m86n6k4wf2p88ntrd6tq40hy"],
        "tenant_id": "tnt_01m86n6k4wf2p88ntrd6tq40hy", "credential_id": "sec_01m86n6k4wf2p88ntrd6tq40hy",
    });
    key.sign_compact("at+jwt", claims.to_string().as_bytes()).unwrap()
}

fn decoded(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

fn protection(key: &SigningKey, remembered: usize) -> Protection {
    let builder = Guard::builder(ISSUER).audience(AUDIENCE).environment("production");
    let guard = builder.jwks(json!({ "keys": [key.public_jwk()] })).remember_tokens(remembered).build();
    guard.unwrap().require("points:read")
}

/// Judges a request. With keys at hand nothing is waited for.
fn check(protection: &Protection, header: &[u8]) {
    let credentials = Credentials::new([header], []);
    let check = pin!(protection.check(&credentials));
    match check.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(caller)) => drop(black_box(caller)),
        Poll::Ready(Err(denial)) => panic!("{denial}"),
        Poll::Pending => panic!("nobody has to be asked"),
    }
}

fn verify(criterion: &mut Criterion) {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let token = token(&key);
    let header = format!("Bearer {token}");
    let mut group = criterion.benchmark_group("verify");

    let jwk = key.public_jwk();
    let point = [&[4][..], &decoded(&jwk["x"]), &decoded(&jwk["y"])].concat();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    group.bench_function("bare ring ES256", |bencher| {
        bencher.iter(|| public.verify(black_box(message.as_bytes()), black_box(&signature)).unwrap());
    });

    let forgetful = protection(&key, 0);
    group.bench_function("guard without memory", |bencher| {
        bencher.iter(|| check(&forgetful, black_box(header.as_bytes())));
    });

    let mindful = protection(&key, 10_000);
    group.bench_function("guard with memory", |bencher| {
        bencher.iter(|| check(&mindful, black_box(header.as_bytes())));
    });
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
