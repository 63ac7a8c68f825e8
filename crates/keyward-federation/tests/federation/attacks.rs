//! What a hostile provider, or whoever stands between, may try. Each attack comes with a control: a sign-in without its one
//! defect, which has to succeed, or the attack proves nothing.

use keyward_crypto::digest::sha256;
use ring::hmac;
use serde_json::{Value, json};

use crate::support::{
    CLIENT_ID, CLIENT_SECRET, now,
    provider::{KEY, RSA, STRANGER, Script, encode, sign_in, signed},
    server::Reply,
};

type Bend = fn(&mut Script);

struct Attack {
    name: &'static str,
    /// Step and reason of the refusal.
    refused: (&'static str, &'static str),
    bend: Bend,
    control: Bend,
}

/// An attack whose control is the unchanged provider.
fn attack(name: &'static str, refused: (&'static str, &'static str), bend: Bend) -> Attack {
    Attack { name, refused, bend, control: |_| {} }
}

impl Attack {
    fn control(mut self, control: Bend) -> Self {
        self.control = control;
        self
    }
}

async fn withstands(attacks: &[Attack]) {
    for Attack { name, refused, bend, control } in attacks {
        let controlled = sign_in(control).await;
        assert!(controlled.is_ok(), "the control of {name:?}: {controlled:?}");
        let error = sign_in(bend).await.expect_err(name);
        assert_eq!((error.step, error.reason), *refused, "{name}: {error}");
        for secret in [CLIENT_SECRET, "acc3ss", "c0de"] {
            assert!(!error.detail.contains(secret), "{name} tells a secret: {error}");
        }
        assert!(error.detail.ends_with('.') && error.detail.len() < 1_000, "{name} is no sentence: {error}");
    }
}

fn hs256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn seconds(from_now: i64) -> Value {
    (now().unix_seconds() + from_now).into()
}

#[tokio::test]
async fn signatures() {
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
            script.jwks["keys"][0]["use"] = "enc".into()
        }),
        attack("another type of token", ("signature", "wrong_type"), |script| {
            script.header["typ"] = "at+jwt".into();
        })
        .control(|script| script.header = json!({ "alg": "ES256", "kid": KEY.kid() })),
        attack("a critical header", ("signature", "malformed"), |script| {
            script.header["crit"] = json!(["exp"])
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
            script.signer = |_| vec![0; 64]
        }),
        attack("an encrypted token", ("signature", "malformed"), |script| {
            script.id_token = |token| format!("{token}.e30.e30");
        }),
        attack("no token at all", ("signature", "malformed"), |script| script.id_token = |_| String::new()),
    ])
    .await;
}

#[tokio::test]
async fn claims() {
    let (issuer, audience) = (("id_token", "wrong_issuer"), ("id_token", "wrong_audience"));
    let (malformed, nonce, subject) =
        (("id_token", "malformed"), ("id_token", "wrong_nonce"), ("id_token", "bad_subject"));
    withstands(&[
        attack("another issuer", issuer, |script| script.claim("iss", json!("https://other.example"))),
        attack("the issuer with a slash", issuer, |script| {
            script.claim("iss", json!(format!("{}/", script.issuer)))
        }),
        attack("no issuer", issuer, |script| script.claim("iss", None)),
        attack("issuers", malformed, |script| script.claim("iss", json!([script.issuer]))),
        attack("another audience", audience, |script| script.claim("aud", json!("other"))),
        attack("other audiences", audience, |script| script.claim("aud", json!(["other", "others"])))
            .control(|script| script.claim("aud", json!([CLIENT_ID]))),
        attack("no audience", malformed, |script| script.claim("aud", None)),
        attack("an audience that is no text", malformed, |script| script.claim("aud", json!([CLIENT_ID, 1]))),
        attack("several audiences without azp", audience, |script| {
            script.claim("aud", json!([CLIENT_ID, "other"]))
        })
        .control(|script| {
            script.claim("aud", json!([CLIENT_ID, "other"]));
            script.claim("azp", json!(CLIENT_ID));
        }),
        attack("another azp", audience, |script| script.claim("azp", json!("other")))
            .control(|script| script.claim("azp", json!(CLIENT_ID))),
        attack("expired", ("id_token", "expired"), |script| script.claim("exp", seconds(-60)))
            .control(|script| script.claim("exp", seconds(-59))),
        attack("no expiry", malformed, |script| script.claim("exp", None)),
        attack("an expiry that is a text", malformed, |script| script.claim("exp", json!("4000000000"))),
        attack("an expiry with a fraction", malformed, |script| script.claim("exp", json!(4e9))),
        attack("an expiry that is null", malformed, |script| script.claim("exp", json!(null))),
        attack("an expiry before all time", ("id_token", "expired"), |script| {
            script.claim("exp", json!(i64::MIN))
        }),
        attack("issued in the future", ("id_token", "not_yet_valid"), |script| {
            script.claim("iat", seconds(61))
        })
        .control(|script| script.claim("iat", seconds(60))),
        attack("never issued", malformed, |script| script.claim("iat", None)),
        attack("good from later on", ("id_token", "not_yet_valid"), |script| {
            script.claim("nbf", seconds(61))
        })
        .control(|script| script.claim("nbf", seconds(60))),
        attack("good from a text on", malformed, |script| script.claim("nbf", json!("0"))),
        attack("no nonce", nonce, |script| script.nonce = false),
        attack("another nonce", nonce, |script| script.claim("nonce", json!("another"))),
        attack("a nonce that is empty", nonce, |script| script.claim("nonce", json!(""))),
        attack("a nonce that is no text", malformed, |script| script.claim("nonce", json!(["x"]))),
        attack("the hash of another access token", ("id_token", "wrong_access_token"), |script| {
            script.claim("at_hash", json!(encode(&sha256(b"other")[..16])));
        })
        .control(|script| script.claim("at_hash", json!(encode(&sha256(b"acc3ss")[..16])))),
        attack("nobody", subject, |script| script.claim("sub", None)),
        attack("a subject that is empty", subject, |script| script.claim("sub", json!(""))),
        attack("a subject that is too long", subject, |script| script.claim("sub", json!("s".repeat(256))))
            .control(|script| script.claim("sub", json!("s".repeat(255)))),
        attack("a subject that is a number", malformed, |script| script.claim("sub", json!(1))),
        attack("two subjects", malformed, |script| {
            script.payload = |payload| payload.replacen('{', r#"{"sub":"root","#, 1);
        }),
        attack("two addresses, deep inside", malformed, |script| {
            script.payload = |payload| payload.replacen('{', r#"{"address":{"a":1,"a":2},"#, 1);
        })
        .control(|script| {
            script.payload = |payload| payload.replacen('{', r#"{"address":{"a":1,"b":2},"#, 1)
        }),
        attack("claims that are a list", malformed, |script| {
            script.payload = |payload| format!("[{payload}]")
        }),
        attack("a token of 65 KiB", ("id_token", "too_large"), |script| {
            script.claim("padding", json!("x".repeat(49 << 10)));
        })
        .control(|script| script.claim("padding", json!("x".repeat(40 << 10)))),
        attack("a token of 1 MB", ("token", "too_large"), |script| {
            script.claim("padding", json!("x".repeat(750_000)));
        }),
    ])
    .await;
}

#[tokio::test]
async fn authentication_that_is_not_fresh() {
    let stale = ("id_token", "not_fresh");
    withstands(&[
        attack("without a time", stale, |script| {
            script.fresh = true;
            script.claim("auth_time", None);
        })
        .control(|script| script.claim("auth_time", None)),
        attack("long ago", stale, |script| {
            script.fresh = true;
            script.claim("auth_time", seconds(-61));
        })
        .control(|script| {
            script.fresh = true;
            script.claim("auth_time", seconds(-60));
        }),
        attack("in the future", stale, |script| {
            script.fresh = true;
            script.claim("auth_time", seconds(61));
        })
        .control(|script| script.fresh = true),
        attack("at a time that is a text", ("id_token", "malformed"), |script| {
            script.fresh = true;
            script.claim("auth_time", json!(seconds(0).to_string()));
        })
        .control(|script| script.claim("auth_time", seconds(-86_400))),
    ])
    .await;
}

#[tokio::test]
async fn answers_by_the_browser() {
    let (issuer, malformed) = (("answer", "wrong_issuer"), ("answer", "malformed"));
    withstands(&[
        attack("from another issuer", issuer, |script| {
            script.answers(&[("code", "c0de"), ("iss", &script.trap.clone())])
        }),
        attack("from another issuer, which refuses", issuer, |script| {
            script.answers(&[("error", "access_denied"), ("iss", &script.trap.clone())]);
        }),
        attack("from nobody", ("answer", "issuer_missing"), |script| script.answers(&[("code", "c0de")]))
            .control(|script| {
                script.answers(&[("code", "c0de")]);
                script.says("authorization_response_iss_parameter_supported", None);
            }),
        attack("from another issuer, unannounced", issuer, |script| {
            script.answers(&[("code", "c0de"), ("iss", &script.trap.clone())]);
            script.says("authorization_response_iss_parameter_supported", None);
        }),
        attack("from two issuers", malformed, |script| {
            let issuer = script.issuer.clone();
            script.answers(&[("code", "c0de"), ("iss", &issuer), ("iss", &issuer)]);
        }),
        attack("with two codes", malformed, |script| {
            script.answer.push(("code".to_owned(), "c0de".to_owned()))
        }),
        attack("without a code", malformed, |script| script.answers(&[("iss", &script.issuer.clone())])),
        attack("with a code that is empty", malformed, |script| {
            script.answers(&[("code", ""), ("iss", &script.issuer.clone())]);
        }),
        attack("with a code without end", malformed, |script| {
            script.answers(&[("code", &"x".repeat(8_193)), ("iss", &script.issuer.clone())]);
        })
        .control(|script| script.answers(&[("code", &"x".repeat(8_192)), ("iss", &script.issuer.clone())])),
        attack("with a refusal", ("answer", "refused_by_provider"), |script| {
            let issuer = script.issuer.clone();
            script.answers(&[
                ("error", "access_denied"),
                ("error_description", "<b>no</b>\r\n"),
                ("iss", &issuer),
            ]);
        }),
        attack("with a refusal beside a code", ("answer", "refused_by_provider"), |script| {
            script.answer.push(("error".to_owned(), "access_denied".to_owned()));
        }),
        attack("of a trip to another provider", ("answer", "other_provider"), |script| {
            script.remembered = |text| text.replace("idp_test", "idp_other");
        }),
        attack("of a trip to another issuer", ("answer", "other_provider"), |script| {
            script.remembered = |text| text.replace("http://127.0.0.1", "http://127.0.0.9");
        }),
        attack("of a trip that nothing is known of", ("answer", "not_remembered"), |script| {
            script.remembered = |_| "{}".to_owned();
        }),
    ])
    .await;
}

#[tokio::test]
async fn documents() {
    let (incomplete, not_json, refused) = ("incomplete", "not_json", "address_refused");
    withstands(&[
        attack("discovery of another issuer", ("discovery", "wrong_issuer"), |script| {
            script.says("issuer", json!("https://other.example"));
        }),
        attack("discovery with a slash more", ("discovery", "wrong_issuer"), |script| {
            script.says("issuer", json!(format!("{}/", script.issuer)));
        }),
        attack("discovery without keys", ("discovery", incomplete), |script| script.says("jwks_uri", None)),
        attack("discovery with a number for an address", ("discovery", incomplete), |script| {
            script.says("token_endpoint", json!(1));
        }),
        attack("discovery without the code flow", ("discovery", "no_code_flow"), |script| {
            script.says("response_types_supported", json!(["id_token"]));
        })
        .control(|script| script.says("response_types_supported", None)),
        attack("discovery that sends the browser to a script", ("discovery", "bad_endpoint"), |script| {
            script.says("authorization_endpoint", json!("javascript:alert(1)"));
        }),
        attack("discovery that says something twice", ("discovery", not_json), |script| {
            let text =
                script.metadata.to_string().replacen('{', r#"{"jwks_uri":"https://other.example","#, 1);
            script.instead.push(("/.well-known/openid-configuration", Reply::json(text)));
        }),
        attack("discovery elsewhere", ("discovery", "redirected"), |script| {
            let elsewhere = Reply::redirect(&format!("{}/elsewhere", script.issuer));
            script.instead.push(("/.well-known/openid-configuration", elsewhere));
            script.instead.push(("/elsewhere", Reply::json(script.metadata.to_string())));
        }),
        attack("discovery that is not there", ("discovery", "bad_status"), |script| {
            script.instead.push(("/.well-known/openid-configuration", Reply::status(500, "{}")));
        }),
        attack("keys at another address of the machine", ("keys", refused), |script| {
            script.says("jwks_uri", json!(format!("{}/jwks", script.trap)));
        }),
        attack("keys at a cloud's metadata service", ("keys", refused), |script| {
            script.says("jwks_uri", json!("https://169.254.169.254/jwks"));
        }),
        attack("keys in a file", ("keys", "bad_address"), |script| {
            script.says("jwks_uri", json!("file:///etc/passwd"))
        }),
        attack("keys elsewhere", ("keys", "redirected"), |script| {
            script.instead.push(("/jwks", Reply::redirect(&format!("{}/elsewhere", script.issuer))));
            script.instead.push(("/elsewhere", Reply::json(script.jwks.to_string())));
        }),
        attack("10,000 keys", ("keys", "too_many_keys"), |script| {
            script.jwks = json!({ "keys": vec![json!({ "kty": "RSA" }); 10_000] });
        })
        .control(|script| {
            let keys = script.jwks["keys"].as_array_mut().unwrap();
            keys.extend(vec![json!({ "kty": "RSA" }); 99]);
        }),
        attack("no keys", ("keys", "no_keys"), |script| script.jwks = json!({ "keys": [] })),
        attack("keys that are no list", ("keys", incomplete), |script| script.jwks = json!({ "keys": {} })),
        attack("keys that are said twice", ("keys", not_json), |script| {
            let text = script.jwks.to_string().replacen('{', r#"{"keys":[],"#, 1);
            script.instead.push(("/jwks", Reply::json(text)));
        }),
    ])
    .await;
}

#[tokio::test]
async fn tokens_and_userinfo() {
    let refused = "address_refused";
    withstands(&[
        attack("the code to another address of the machine", ("token", refused), |script| {
            script.says("token_endpoint", json!(format!("{}/token", script.trap)));
        }),
        attack("the code elsewhere", ("token", "redirected"), |script| {
            script.instead.push(("/token", Reply::redirect(&format!("{}/elsewhere", script.issuer))));
        }),
        attack("a code that is refused", ("token", "code_refused"), |script| {
            script.instead.push(("/token", Reply::status(400, r#"{"error":"invalid_grant"}"#)));
        }),
        attack("a client that is refused, its secret repeated", ("token", "client_refused"), |script| {
            let description = format!("wrong secret {CLIENT_SECRET} for code c0de");
            let body = json!({ "error": "invalid_client", "error_description": description });
            script.instead.push(("/token", Reply::status(401, &body.to_string())));
        }),
        attack("an error without words", ("token", "bad_status"), |script| {
            script.instead.push(("/token", Reply::status(502, "<html>")));
        }),
        attack("a reply without an ID token", ("token", "no_id_token"), |script| {
            let body = r#"{"access_token":"acc3ss","token_type":"Bearer"}"#;
            script.instead.push(("/token", Reply::json(body)));
        }),
        attack("a reply that says something twice", ("token", "not_json"), |script| {
            script.instead.push(("/token", Reply::json(r#"{"id_token":"a","id_token":"b"}"#)));
        }),
        attack("userinfo about somebody else", ("userinfo", "wrong_subject"), |script| {
            script.claim("email", None);
            script.userinfo["sub"] = "another".into();
        })
        .control(|script| script.claim("email", None)),
        attack("userinfo about nobody", ("userinfo", "wrong_subject"), |script| {
            script.claim("email", None);
            script.userinfo = json!({ "email": "ada@userinfo.example" });
        })
        .control(|script| script.userinfo = json!("not asked, as the ID token has an address")),
        attack("userinfo that says something twice", ("userinfo", "not_json"), |script| {
            script.claim("email", None);
            let body = r#"{"sub":"248289761001","email":"a@a.example","email":"b@b.example"}"#;
            script.instead.push(("/userinfo", Reply::json(body)));
        }),
        attack("userinfo at another address of the machine", ("userinfo", refused), |script| {
            script.claim("email", None);
            script.says("userinfo_endpoint", json!(format!("{}/userinfo", script.trap)));
        })
        .control(|script| {
            script.claim("email", None);
            script.says("userinfo_endpoint", None);
        }),
        attack("userinfo that fails", ("userinfo", "bad_status"), |script| {
            script.claim("email", None);
            script.instead.push(("/userinfo", Reply::status(500, "")));
        }),
    ])
    .await;
}
