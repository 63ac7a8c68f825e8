//! Sign-ins that succeed: what is asked, and what arrives.

use base64::{Engine, engine::general_purpose::STANDARD};
use keyward_core::Arrival;
use keyward_crypto::digest::sha256;
use keyward_federation::oidc::Oidc;
use keyward_model::SeededRandom;
use serde_json::{Value, json};

use crate::support::{
    CLIENT_ID, CLIENT_SECRET, RETURN_URL, configured, now, oidc,
    provider::{Provider, Script, encode, sign_in},
    query, trip,
};

async fn location(oidc: &Oidc, provider: &Provider, fresh: bool) -> String {
    let upstream = provider.script.lock().unwrap().upstream.clone();
    let random = SeededRandom::new(7);
    let asked = keyward_core::Trip { login_hint: Some("ada+1@acme.example"), ..trip(&random, fresh) };
    oidc.depart(&upstream, &asked).await.unwrap().location
}

#[tokio::test]
async fn the_request_for_a_code() {
    let provider = Provider::start(|script| {
        script.says("authorization_endpoint", json!(format!("{}/a?p=1#x", script.issuer)));
    })
    .await;
    let oidc = oidc();
    let asked = location(&oidc, &provider, false).await;
    assert!(asked.starts_with(&provider.server.url("/a?p=1&")) && !asked.contains('#'), "{asked}");
    let asked = query(&asked);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", RETURN_URL),
        ("scope", "openid email profile"),
        ("state", "the-state"),
        ("code_challenge_method", "S256"),
        ("login_hint", "ada+1@acme.example"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    assert_eq!((asked["nonce"].len(), asked["code_challenge"].len()), (43, 43));
    assert!(!asked.contains_key("prompt") && !asked.contains_key("max_age"));
    let fresh = query(&location(&oidc, &provider, true).await);
    assert_eq!((fresh["prompt"].as_str(), fresh["max_age"].as_str()), ("login", "0"));
    assert_eq!(provider.asked("/.well-known/openid-configuration").len(), 1, "the document is kept");
}

#[tokio::test]
async fn scopes_of_the_configuration() {
    for (scopes, asked) in [
        (json!(["openid", "email", "groups"]), "openid email groups"),
        (json!(["groups"]), "openid groups"),
        (json!([]), "openid email profile"),
    ] {
        let provider =
            Provider::start(|script| drop(script.upstream.config.insert("scopes".into(), scopes))).await;
        assert_eq!(query(&location(&oidc(), &provider, false).await)["scope"], asked);
    }
}

#[tokio::test]
async fn who_arrives() {
    let Arrival { subject, email, email_verified, name, claims, once } = sign_in(|_| {}).await.unwrap();
    assert_eq!(subject, "248289761001");
    assert_eq!((email.as_deref(), email_verified), (Some("ada@acme.example"), true));
    assert_eq!((name.as_deref(), once), (Some("Ada Lovelace"), None));
    assert_eq!(claims["groups"], json!(["staff", "admins"]));
    assert!(
        claims.contains_key("auth_time") && !claims.contains_key("nonce") && !claims.contains_key("locale")
    );
}

#[tokio::test]
async fn userinfo_adds_and_replaces_nothing() {
    let arrival = sign_in(|script| {
        script.claim("email", None);
        script.userinfo["name"] = "Somebody Else".into();
        script.userinfo["exp"] = 1.into();
        script.userinfo["azp"] = "other".into();
    })
    .await
    .unwrap();
    assert_eq!((arrival.email.as_deref(), arrival.email_verified), (Some("ada@userinfo.example"), false));
    assert_eq!((arrival.name.as_deref(), &arrival.claims["locale"]), (Some("Ada Lovelace"), &json!("en")));
    assert_eq!(arrival.claims["exp"], now().unix_seconds() + 300);
    assert!(!arrival.claims.contains_key("azp"));
}

#[tokio::test]
async fn names_and_addresses_as_providers_write_them() {
    for (claims, name, email) in [
        (json!({ "name": " Ada " }), Some("Ada"), Some("ada@acme.example")),
        (
            json!({ "name": "", "given_name": "Ada", "family_name": "King" }),
            Some("Ada King"),
            Some("ada@acme.example"),
        ),
        (json!({ "name": null, "family_name": "King", "email": "no address" }), Some("King"), None),
        (json!({ "name": 1, "email": 1 }), None, None),
        (json!({ "email": format!("{}@acme.example", "a".repeat(300)) }), Some("Ada Lovelace"), None),
    ] {
        let bend = |script: &mut Script| {
            for (name, value) in claims.as_object().unwrap() {
                script.claim(name, value.clone());
            }
        };
        let arrival = sign_in(bend).await.unwrap();
        assert_eq!((arrival.name.as_deref(), arrival.email.as_deref()), (name, email), "{claims}");
        assert_eq!(arrival.email_verified, email.is_some());
    }
}

/// What the token endpoint is sent: the header, and the fields of the form.
async fn token_request(
    methods: Option<Value>,
    secret: Option<&str>,
) -> (Option<String>, Vec<(String, String)>) {
    let secret = secret.map(str::to_owned);
    let provider = Provider::start(|script| {
        script.says("token_endpoint_auth_methods_supported", methods);
        script.upstream.client_secret = secret;
    })
    .await;
    provider.sign_in(&oidc()).await.unwrap();
    let request = provider.asked("/token").remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    (request.header("authorization").map(str::to_owned), request.form())
}

#[tokio::test]
async fn the_client_authenticates_as_the_provider_knows_it() {
    let field = |form: &[(String, String)], name: &str| {
        form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let both = json!(["client_secret_post", "client_secret_basic"]);
    for methods in [None, Some(both), Some(json!(["client_secret_basic"]))] {
        let (header, form) = token_request(methods, Some(CLIENT_SECRET)).await;
        let pair = STANDARD.decode(header.unwrap().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(pair, b"keyward%3Atest:s3cret+of+32+bytes%2C+at+least+%2B+%25%21");
        assert_eq!((field(&form, "client_id"), field(&form, "client_secret")), (None, None));
    }
    let post = Some(json!(["private_key_jwt", "client_secret_post"]));
    let (header, form) = token_request(post, Some(CLIENT_SECRET)).await;
    assert_eq!((header, field(&form, "client_id").as_deref()), (None, Some(CLIENT_ID)));
    assert_eq!(field(&form, "client_secret").as_deref(), Some(CLIENT_SECRET));
    let (header, form) = token_request(Some(json!(["none"])), None).await;
    assert_eq!((header, field(&form, "client_id").as_deref()), (None, Some(CLIENT_ID)));
    assert_eq!(field(&form, "client_secret"), None);
}

#[tokio::test]
async fn the_code_is_bound_to_the_request() {
    let provider = Provider::start(|_| {}).await;
    let (oidc, random) = (oidc(), SeededRandom::new(7));
    let upstream = provider.script.lock().unwrap().upstream.clone();
    // The same stream of random bytes: the same challenge as in the sign-in.
    let challenge = query(&oidc.depart(&upstream, &trip(&random, false)).await.unwrap().location);
    provider.sign_in(&oidc).await.unwrap();
    let form = provider.asked("/token").remove(0).form();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!((field("grant_type").as_str(), field("code").as_str()), ("authorization_code", "c0de"));
    assert_eq!(field("redirect_uri"), RETURN_URL);
    assert_eq!(encode(sha256(field("code_verifier").as_bytes())), challenge["code_challenge"]);
    let again = query(&oidc.depart(&upstream, &trip(&random, false)).await.unwrap().location);
    assert_ne!(again["nonce"], challenge["nonce"]);
    assert_ne!(again["code_challenge"], challenge["code_challenge"]);
}

#[tokio::test]
async fn nothing_is_asked_for_a_configuration_that_can_not_work() {
    let issuer = "https://id.acme.example";
    for (config, reason) in [
        (json!({ "client_id": "x" }), "bad_configuration"),
        (json!({ "issuer": issuer }), "bad_configuration"),
        (json!({ "issuer": issuer, "client_id": "x", "preset": "keycloak" }), "bad_configuration"),
        (json!({ "issuer": issuer, "client_id": "x", "preset": "google" }), "bad_configuration"),
        (
            json!({ "issuer": "https://login.microsoftonline.com/common/v2.0", "client_id": "x" }),
            "shared_issuer",
        ),
        (json!({ "issuer": "http://8.8.8.8", "client_id": "x" }), "not_encrypted"),
        (json!({ "issuer": "https://10.0.0.1", "client_id": "x" }), "address_refused"),
    ] {
        let random = SeededRandom::new(7);
        let departed = oidc().depart(&configured(config.clone(), None), &trip(&random, false)).await;
        assert_eq!(departed.unwrap_err().reason, reason, "{config}");
    }
}
