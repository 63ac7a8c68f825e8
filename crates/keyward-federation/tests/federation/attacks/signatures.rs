//! Signatures by the wrong key, by the wrong algorithm, or of the wrong thing.

use ring::hmac;
use serde_json::json;

use super::{attack, withstands};
use crate::support::{
    CLIENT_SECRET,
    provider::{KEY, RSA, STRANGER, encode, signed},
};

fn hs256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

#[tokio::test]
async fn algorithms() {
    withstands(&[
        attack("alg none, no signature", ("signature", "wrong_algorithm"), |script| {
            script.header["alg"] = "none".into();
            script.signer = |_| Vec::new();
        }),
        attack("alg none, announced", ("signature", "wrong_algorithm"), |script| {
            script.header["alg"] = "none".into();
            script.signer = |_| Vec::new();
            script.says("id_token_signing_alg_values_supported", json!(["none", "ES256"]));
        }),
        attack("HS256 by the public key", ("signature", "wrong_algorithm"), |script| {
            script.header["alg"] = "HS256".into();
            script.signer = |message| hs256(KEY.public_jwk().to_string().as_bytes(), message);
            script.says("id_token_signing_alg_values_supported", json!(["HS256", "ES256"]));
        }),
        attack("HS256 by the client secret", ("signature", "wrong_algorithm"), |script| {
            script.header["alg"] = "HS256".into();
            script.signer = |message| hs256(CLIENT_SECRET.as_bytes(), message);
            script.says("id_token_signing_alg_values_supported", json!(["HS256", "ES256"]));
        }),
        attack("HS256 by a published symmetric key", ("signature", "wrong_algorithm"), |script| {
            script.header = json!({ "alg": "HS256", "kid": "oct" });
            script.signer = |message| hs256(b"known to everybody", message);
            let symmetric = json!({ "kty": "oct", "kid": "oct", "k": encode("known to everybody") });
            script.jwks["keys"].as_array_mut().unwrap().push(symmetric);
            script.says("id_token_signing_alg_values_supported", json!(["HS256", "ES256"]));
        }),
    ])
    .await;
}

#[tokio::test]
async fn keys_and_forms() {
    withstands(&[
        attack("a kid that nobody publishes", ("signature", "unknown_key"), |script| {
            script.header["kid"] = "another".into();
        }),
        attack("no kid, and two keys that suit", ("signature", "unknown_key"), |script| {
            script.header = json!({ "alg": "ES256" });
            script.jwks = json!({ "keys": [KEY.public_jwk(), STRANGER.public_jwk()] });
        })
        .control(|script| {
            script.header = json!({ "alg": "ES256" });
            script.jwks = json!({ "keys": [KEY.public_jwk(), RSA.public_jwk()] });
        }),
        attack("a stranger's key under the right kid", ("signature", "bad_signature"), |script| {
            script.signer = |message| signed(&STRANGER, message);
        }),
        attack("a stranger's key in the header", ("signature", "bad_signature"), |script| {
            script.header["jwk"] = STRANGER.public_jwk().clone();
            script.signer = |message| signed(&STRANGER, message);
        }),
        attack("a stranger's key at an address in the header", ("signature", "unknown_key"), |script| {
            script.header =
                json!({ "alg": "ES256", "kid": STRANGER.kid(), "jku": format!("{}/jwks", script.trap) });
            script.signer = |message| signed(&STRANGER, message);
        }),
        attack("the kid of a key of another type", ("signature", "wrong_algorithm"), |script| {
            script.header["kid"] = RSA.kid().into();
            script.jwks = json!({ "keys": [KEY.public_jwk(), RSA.public_jwk()] });
        })
        .control(|script| {
            script.header = json!({ "alg": "RS256", "kid": RSA.kid() });
            script.signer = |message| signed(&RSA, message);
            script.jwks = json!({ "keys": [KEY.public_jwk(), RSA.public_jwk()] });
        }),
        attack(
            "an algorithm that the provider does not announce",
            ("signature", "wrong_algorithm"),
            |script| {
                script.says("id_token_signing_alg_values_supported", json!(["RS256"]));
            },
        ),
        attack("a key for encryption", ("keys", "no_keys"), |script| {
            script.jwks["keys"][0]["use"] = "enc".into();
        }),
        attack("another type of token", ("signature", "wrong_type"), |script| {
            script.header["typ"] = "at+jwt".into();
        })
        .control(|script| script.header = json!({ "alg": "ES256", "kid": KEY.kid() })),
        attack("a critical header", ("signature", "malformed"), |script| {
            script.header["crit"] = json!(["exp"]);
        }),
        attack("a header that says something twice", ("signature", "malformed"), |script| {
            script.id_token = |token| {
                let header = format!(r#"{{"alg":"none","kid":"{}","alg":"ES256"}}"#, KEY.kid());
                let (_, rest) = token.split_once('.').unwrap();
                format!("{}.{rest}", encode(header))
            };
        }),
        attack("claims that were changed", ("signature", "bad_signature"), |script| {
            script.id_token = |token| {
                let parts: Vec<&str> = token.split('.').collect();
                format!("{}.{}.{}", parts[0], encode(r#"{"sub":"root"}"#), parts[2])
            };
        }),
        attack("a signature that was cut", ("signature", "bad_signature"), |script| {
            script.signer = |message| signed(&KEY, message)[..60].to_vec();
        }),
        attack("a signature of zeros", ("signature", "bad_signature"), |script| {
            script.signer = |_| vec![0; 64];
        }),
        attack("an encrypted token", ("signature", "wrong_algorithm"), |script| {
            script.header = json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": KEY.kid() });
            script.id_token = |token| format!("{token}.e30.e30");
        }),
        attack("a token of five parts", ("signature", "bad_signature"), |script| {
            script.id_token = |token| format!("{token}.e30.e30");
        }),
        attack("no token at all", ("signature", "malformed"), |script| script.id_token = |_| String::new()),
    ])
    .await;
}
