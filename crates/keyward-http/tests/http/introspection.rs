//! Token introspection (RFC 7662): who may ask, and what is said.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Client, ISSUER, TestApp, call, decode, encode, made_up, post, scopes};

const PATH: &str = "/oauth2/introspect";

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
    token: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read", "points:adjust"]).await;
    let token = app.token(&client).await;
    Fixture { app, acme, client, token }
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[actix_web::test]
async fn what_it_says() {
    let Fixture { app, acme, client, token } = fixture().await;
    let seen = app.introspect(&client, &token).await;
    let claims = decode(&token);
    assert_eq!(seen["active"], true);
    for name in ["iss", "sub", "exp", "iat", "jti", "client_id", "env", "tenants", "tenant_id"] {
        assert_eq!(seen[name], claims.claims[name], "{name}");
    }
    assert_eq!(scopes(seen["scope"].as_str().unwrap()), claims.scopes());
    assert_eq!(seen["tenants"], json!([acme]));
    let audience = format!("{ISSUER}/api");
    assert!(seen["aud"] == json!(audience) || seen["aud"] == json!([audience]), "{seen}");
}

/// A client its own tokens; a global application with `admin:read` any token; everyone else nothing.
#[actix_web::test]
async fn who_may_ask() {
    let Fixture { app, acme, client, token } = fixture().await;
    let globex = app.tenant("globex").await;
    let reader = app.global("reader", &["admin:read"]).await;
    let writer = app.global("writer", &["admin:write"]).await;
    let points = app.global("points", &["points:read"]).await;
    let sibling = app.client(&acme, "sibling", &["points:read"]).await;
    let stranger = app.client(&globex, "crm-sync", &["points:read"]).await;
    let seen = app.introspect(&client, &token).await;
    assert_eq!(seen["active"], true, "its own");
    assert_eq!(app.introspect(&reader, &token).await, seen, "a global application with admin:read");
    for (name, other) in [
        ("a global application with admin:write only", &writer),
        ("a global application with neither", &points),
        ("another application of the tenant", &sibling),
        ("an application of another tenant", &stranger),
    ] {
        assert_eq!(app.introspect(other, &token).await, inactive(), "{name}");
        let own = app.token(other).await;
        assert_eq!(app.introspect(other, &own).await["active"], true, "{name} sees its own");
    }
    let of_reader = app.token(&reader).await;
    assert_eq!(
        app.introspect(&client, &of_reader).await,
        inactive(),
        "a tenant's client and the platform's token"
    );
}

/// Every doubt is `{"active": false}` and nothing more.
#[actix_web::test]
async fn what_is_no_token() {
    let Fixture { app, client, token, .. } = fixture().await;
    let parts: Vec<&str> = token.split('.').collect();
    let with_claim = |name: &str, value: Value| {
        let mut claims = decode(&token).claims;
        claims[name] = value;
        format!("{}.{}.{}", parts[0], encode(&claims), parts[2])
    };
    let with_header = |header: &Value| format!("{}.{}.{}", encode(header), parts[1], parts[2]);
    let kid = decode(&token).header["kid"].clone();
    let public = app.jwks().await;
    let cases = [
        ("garbage", "nonsense".to_owned()),
        ("cut short", token[..token.len() - 1].to_owned()),
        ("one character more", format!("{token}A")),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{token}.{}", parts[2])),
        ("a space in front", format!(" {token}")),
        ("padding", format!("{token}=")),
        ("a longer life", with_claim("exp", json!(4_102_444_800_u64))),
        ("an expiry that is text", with_claim("exp", json!("4102444800"))),
        ("no expiry", with_claim("exp", Value::Null)),
        ("more scope", with_claim("scope", json!("points:read admin:write"))),
        ("another client", with_claim("client_id", json!("root"))),
        ("alg none", format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "at+jwt" })), parts[1])),
        ("alg none with the signature", with_header(&json!({ "alg": "none", "typ": "at+jwt", "kid": kid }))),
        ("alg HS256", with_header(&json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }))),
        ("alg RS256", with_header(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid }))),
        ("another type", with_header(&json!({ "alg": "ES256", "typ": "JWT", "kid": kid }))),
        ("an unknown key", with_header(&json!({ "alg": "ES256", "typ": "at+jwt", "kid": "x" }))),
        ("its own key", with_header(&json!({ "alg": "ES256", "typ": "at+jwt", "jwk": public["keys"][0] }))),
        (
            "a key ID with a path",
            with_header(&json!({ "alg": "ES256", "typ": "at+jwt", "kid": "../../etc/passwd" })),
        ),
        ("a client secret", client.secret.clone()),
        ("a made-up refresh token", made_up('r', "live")),
        ("binary", URL_SAFE_NO_PAD.encode([0xFF; 64])),
    ];
    assert_eq!(app.introspect(&client, &token).await["active"], true, "the token itself");
    for (name, wrong) in cases {
        assert_eq!(app.introspect(&client, &wrong).await, inactive(), "{name}");
    }
}

#[actix_web::test]
async fn malformed_requests() {
    let Fixture { app, client, token, .. } = fixture().await;
    let (id, secret) = (client.client_id.as_str(), client.secret.as_str());
    let wrong = made_up('s', "live");
    let plain = || post(PATH).basic(id, secret);
    let own = [("client_id", id), ("client_secret", secret)];
    let cases = [
        ("by Basic", plain().form(&[("token", &token)]), 200, ""),
        ("by body", post(PATH).form(&[own[0], own[1], ("token", &token)]), 200, ""),
        ("a hint", plain().form(&[("token", &token), ("token_type_hint", "refresh_token")]), 200, ""),
        ("an unknown hint", plain().form(&[("token", &token), ("token_type_hint", "nonsense")]), 200, ""),
        ("an unknown parameter", plain().form(&[("token", &token), ("x", "y")]), 200, ""),
        ("no token", plain().form(&[("x", "y")]), 400, "invalid_request"),
        ("an empty token", plain().form(&[("token", "")]), 400, "invalid_request"),
        ("the token twice", plain().form(&[("token", &token), ("token", &token)]), 400, "invalid_request"),
        ("both ways", plain().form(&[own[1], ("token", &token)]), 400, "invalid_request"),
        (
            "a secret in the query",
            post(PATH).form(&[("token", &token)]).query(&format!("client_id={id}&client_secret={secret}")),
            400,
            "invalid_request",
        ),
        ("nobody", post(PATH).form(&[("token", &token)]), 401, "invalid_client"),
        ("a wrong secret", post(PATH).basic(id, &wrong).form(&[("token", &token)]), 401, "invalid_client"),
        (
            "an unknown client",
            post(PATH).basic("acme.nobody", secret).form(&[("token", &token)]),
            401,
            "invalid_client",
        ),
    ];
    for (name, request, status, error) in cases {
        let basic = request.has_header("authorization");
        let reply = app.send(request).await.expect(status, name);
        if status == 200 {
            assert_eq!(reply.json()["active"], true, "{name}");
            continue;
        }
        assert_eq!(reply.json()["error"], error, "{name}");
        assert!(reply.json()["error_description"].is_string(), "{name}");
        assert!(status != 401 || !basic || reply.header("www-authenticate").starts_with("Basic"), "{name}");
        assert!(!reply.text().contains("active"), "{name}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let request = call(method.parse().unwrap(), PATH).basic(id, secret).query(&format!("token={token}"));
        app.send(request).await.expect(405, method);
    }
}

/// What the application lost, its earlier tokens lost.
#[actix_web::test]
async fn permissions_that_were_removed() {
    let Fixture { app, client, token, .. } = fixture().await;
    let path = format!("applications/{}", client.id);
    app.edit(&path, &json!({ "allowed_scopes": ["points:read"] })).await;
    let seen = app.introspect(&client, &token).await;
    assert_eq!((&seen["active"], &seen["scope"]), (&json!(true), &json!("points:read")));
    app.edit(&path, &json!({ "allowed_scopes": ["points:read", "read:users"] })).await;
    let seen = app.introspect(&client, &token).await;
    assert_eq!(seen["scope"], "points:read", "a token never gains what it was not issued with");
    app.edit(&path, &json!({ "allowed_scopes": ["read:users"] })).await;
    let seen = app.introspect(&client, &token).await;
    assert!(seen["active"] == false || seen["scope"] == "", "nothing is left: {seen}");
}

/// A grant or a tenant that was removed is out of earlier tokens, or takes them along.
#[actix_web::test]
async fn grants_that_were_removed() {
    let Fixture { app, acme, .. } = fixture().await;
    let globex = app.tenant("globex").await;
    let hub = app.global("hub", &["points:read", "points:adjust"]).await;
    let grant =
        |tenant: &str| json!({ "tenant_id": tenant, "permissions": ["points:read", "points:adjust"] });
    app.grant(&hub, &json!([grant(&acme), grant(&globex)])).await;
    let both = app.token(&hub).await;
    let one = app.token_for(&hub, &[("tenant", "globex")]).await;
    app.grant(&hub, &json!([grant(&acme)])).await;
    let seen = app.introspect(&hub, &both).await;
    assert!(seen["active"] == false || seen["tenants"] == json!([acme]), "{seen}");
    assert_eq!(app.introspect(&hub, &one).await, inactive(), "its only tenant is gone");
    app.grant(&hub, &json!([grant(&acme), grant(&globex)])).await;
    let both = app.token(&hub).await;
    app.remove(&format!("tenants/{globex}")).await;
    let seen = app.introspect(&hub, &both).await;
    assert!(seen["active"] == false || seen["tenants"] == json!([acme]), "{seen}");
    let reduced = json!([{ "tenant_id": acme, "permissions": ["points:read"] }]);
    app.grant(&hub, &reduced).await;
    let seen = app.introspect(&hub, &both).await;
    assert!(seen["active"] == false || seen["scope"] == "points:read", "{seen}");
}
