//! The documents by which libraries find everything, and the published keys.

use serde_json::{Value, json};

use crate::support::{ISSUER, TestApp, admin, decode, get};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OIDC: &str = "/.well-known/openid-configuration";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const JWKS: &str = "/.well-known/jwks.json";

async fn document(app: &TestApp, path: &str) -> Value {
    let reply = app.send(get(path)).await.expect(200, path);
    assert!(reply.header("content-type").starts_with("application/json"), "{path}");
    reply.json()
}

#[track_caller]
fn contains(list: &Value, value: &str) {
    let found = list.as_array().is_some_and(|list| list.contains(&json!(value)));
    assert!(found, "{value} is not in {list}");
}

#[actix_web::test]
async fn metadata_of_the_server() {
    let app = TestApp::start().await;
    for path in [OAUTH, OIDC] {
        let it = document(&app, path).await;
        assert_eq!(it["issuer"], ISSUER, "{path}");
        assert_eq!(it["token_endpoint"], format!("{ISSUER}/oauth2/token"), "{path}");
        assert_eq!(it["jwks_uri"], format!("{ISSUER}{JWKS}"), "{path}");
        contains(&it["grant_types_supported"], "client_credentials");
        contains(&it["token_endpoint_auth_methods_supported"], "client_secret_basic");
        contains(&it["token_endpoint_auth_methods_supported"], "client_secret_post");
        assert!(it["response_types_supported"].is_array(), "required by RFC 8414: {path}");
        for never in ["password", "implicit"] {
            let list = it["grant_types_supported"].as_array().unwrap();
            assert!(!list.contains(&json!(never)), "{never} does not exist: {path}");
        }
    }
    let it = document(&app, OAUTH).await;
    assert_eq!(it["introspection_endpoint"], format!("{ISSUER}/oauth2/introspect"));
    assert_eq!(it["revocation_endpoint"], format!("{ISSUER}/oauth2/revoke"));
}

/// PKCE with S256 and nothing else, in both documents.
#[actix_web::test]
async fn code_challenge_methods() {
    let app = TestApp::start().await;
    for path in [OAUTH, OIDC] {
        let it = document(&app, path).await;
        assert_eq!(it["code_challenge_methods_supported"], json!(["S256"]), "{path}");
    }
}

/// RFC 9728 for the admin API, and the way from a refusal to it.
#[actix_web::test]
async fn metadata_of_the_admin_api() {
    let app = TestApp::start().await;
    let it = document(&app, RESOURCE).await;
    assert_eq!(it["resource"], format!("{ISSUER}/api"));
    assert_eq!(it["authorization_servers"], json!([ISSUER]));
    contains(&it["scopes_supported"], "admin:read");
    contains(&it["scopes_supported"], "admin:write");
    let refused = app.send(get(&admin("tenants"))).await.expect(401, "no token");
    let challenge = refused.header("www-authenticate");
    let url = challenge.split("resource_metadata=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let path = url.strip_prefix(ISSUER).unwrap_or_else(|| panic!("{url} is not at the issuer"));
    assert_eq!(document(&app, path).await, it);
    // Where RFC 9728 section 3.1 has it for a resource with a path.
    assert_eq!(document(&app, &format!("{RESOURCE}/api")).await, it);
}

/// The public address is configured: what a request says of it counts for nothing.
#[actix_web::test]
async fn host_headers_count_for_nothing() {
    let app = TestApp::start().await;
    for path in [OAUTH, OIDC, RESOURCE, JWKS] {
        let plain = app.send(get(path)).await.text();
        let forged = get(path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .header("forwarded", "host=evil.example;proto=https");
        assert_eq!(app.send(forged).await.text(), plain, "{path}");
        assert!(!plain.contains("evil"));
    }
    let token = {
        let (id, secret) = (&app.root.client_id, &app.root.secret);
        let grant = [("grant_type", "client_credentials")];
        let request = crate::support::post("/oauth2/token").basic(id, secret).form(&grant);
        app.send(request.header("host", "evil.example").header("x-forwarded-host", "evil.example")).await
    };
    let token = token.expect(200, "a token").json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(decode(&token).text("iss"), ISSUER);
}

/// Public members only, each key with a name of its own, a use and an algorithm.
#[actix_web::test]
async fn the_published_keys() {
    let app = TestApp::start().await;
    let reply = app.send(get(JWKS)).await.expect(200, "the JWKS");
    let content_type = reply.header("content-type");
    assert!(
        ["application/json", "application/jwk-set+json"].iter().any(|known| content_type.starts_with(known))
    );
    assert!(
        reply.header("cache-control").contains("max-age="),
        "cacheable: {}",
        reply.header("cache-control")
    );
    assert!(!reply.header("cache-control").contains("no-store"));
    let keys = reply.json()["keys"].as_array().unwrap().clone();
    let mut algorithms: Vec<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "RS256"]);
    let mut names = std::collections::BTreeSet::new();
    for key in &keys {
        assert!(names.insert(key["kid"].as_str().unwrap().to_owned()), "kid is repeated: {key}");
        assert_eq!(key["use"], "sig");
        let expected: &[&str] = match key["alg"].as_str().unwrap() {
            "ES256" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            "EdDSA" => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "e", "kid", "kty", "n", "use"],
        };
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!members.contains(&private), "{private} is private: {key}");
        }
        for member in expected {
            assert!(members.contains(member), "{member} is missing: {key}");
        }
    }
}

/// The documents are read without a token, by GET.
#[actix_web::test]
async fn methods() {
    let app = TestApp::start().await;
    for path in [OAUTH, OIDC, RESOURCE, JWKS] {
        for method in ["POST", "PUT", "DELETE"] {
            let request = crate::support::call(method.parse().unwrap(), path);
            app.send(request).await.expect(405, &format!("{method} {path}"));
        }
    }
}
