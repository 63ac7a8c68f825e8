//! Who gets into the admin API: 401 is about the credential, 403 about the permission.

use serde_json::{Value, json};

use crate::support::{
    Call, Client, HOUR, ISSUER, Reply, TestApp, admin, basic_value, decode, delete, encode, get, made_up,
    patch, post, put,
};

const PLATFORM: &str = "Platform token requires admin:read or admin:write scope";

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
    reader: Client,
    writer: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::with(|options, _| options.resources = vec!["https://points.example".to_owned()]).await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    Fixture {
        client: app.client(&acme, "crm-sync", &["points:read"]).await,
        reader: app.global("reader", &["admin:read"]).await,
        writer: app.global("writer", &["admin:write"]).await,
        app,
        acme,
    }
}

fn tenants() -> Call {
    get(&admin("tenants"))
}

/// Without a good token: 401, the same for every operation, and a challenge that says where to get one.
#[actix_web::test]
async fn credentials_that_do_not_work() {
    let it = fixture().await;
    let good = it.app.admin_token().await;
    let elsewhere = it.app.token_for(&it.app.root, &[("resource", "https://points.example")]).await;
    let parts: Vec<&str> = good.split('.').collect();
    let unsigned = format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "at+jwt" })), parts[1]);
    let mut claims = decode(&good).claims;
    claims["exp"] = json!(4_102_444_800_u64);
    let longer = format!("{}.{}.{}", parts[0], encode(&claims), parts[2]);
    let root = &it.app.root;
    let bearer = |token: &str| format!("Bearer {token}");
    let cases = [
        ("nothing", String::new()),
        ("Bearer alone", "Bearer".to_owned()),
        ("the bare token", good.clone()),
        ("another scheme", format!("Token {good}")),
        ("Basic", basic_value(&root.client_id, &root.secret)),
        ("the secret itself", bearer(&root.secret)),
        ("an API key", bearer(&made_up('k', "live"))),
        ("garbage", bearer("nonsense")),
        ("cut short", bearer(&good[..good.len() - 3])),
        ("unsigned", bearer(&unsigned)),
        ("altered", bearer(&longer)),
        ("for another API", bearer(&elsewhere)),
        ("two tokens", bearer(&format!("{good} {good}"))),
    ];
    for (name, value) in cases {
        let request = if value.is_empty() { tenants() } else { tenants().header("authorization", &value) };
        let reply = it.app.send(request).await.expect(401, name);
        let challenge = reply.header("www-authenticate");
        let metadata = format!("resource_metadata=\"{ISSUER}/.well-known/oauth-protected-resource");
        assert!(challenge.contains(&metadata), "{name}: {challenge}");
    }
    let query = tenants().query(&format!("access_token={good}"));
    it.app.send(query).await.expect(401, "a token in the query");
    it.app.send(tenants().header("authorization", &bearer(&good))).await.expect(200, "the token itself");
    it.app
        .send(tenants().header("authorization", &format!("bearer {good}")))
        .await
        .expect(200, "the scheme in small");
    it.app.advance(HOUR);
    it.app.send(tenants().header("authorization", &bearer(&good))).await.expect(401, "expired");
}

#[track_caller]
fn forbidden(reply: &Reply, detail: Option<&str>, required: &Value, held: &Value, why: &str) {
    assert_eq!(reply.status, 403, "{why}: {}", reply.text());
    let body = reply.json();
    if let Some(detail) = detail {
        assert_eq!(body["detail"], detail, "{why}");
    }
    assert_eq!(&body["required_permissions"], required, "{why}");
    assert_eq!(&body["held_permissions"], held, "{why}");
    let challenge = reply.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{why}: {challenge}");
    assert!(challenge.contains("scope=\""), "{why}: {challenge}");
}

/// A service token with neither permission gets the fixed sentence, whatever it asks for.
#[actix_web::test]
async fn tokens_without_a_platform_permission() {
    let it = fixture().await;
    let points = it.app.global("points", &["points:read"]).await;
    let mixed = it.app.global("mixed", &["admin:read", "points:read"]).await;
    let own = it.app.token(&it.client).await;
    let global = it.app.token(&points).await;
    let narrowed = it.app.token_for(&mixed, &[("scope", "points:read")]).await;
    let unknown = format!("tnt_{}", "0".repeat(26));
    let body = json!({ "name": "Globex", "slug": "globex" });
    let requests = || {
        [
            tenants(),
            get(&admin(&format!("tenants/{}", it.acme))),
            get(&admin(&format!("tenants/{unknown}"))),
            get(&admin("audit")),
            get(&admin("signing-keys")),
            post(&admin("tenants")).json(&body),
            patch(&admin(&format!("tenants/{unknown}"))).json(&json!({ "name": "x" })),
            delete(&admin(&format!("tenants/{}", it.acme))),
        ]
    };
    for (name, token) in
        [("a tenant's client", own), ("a global client", global), ("a narrowed token", narrowed)]
    {
        for request in requests() {
            let what = format!("{name}: {} {}", request.method, request.uri);
            let reply = it.app.send(request.bearer(&token)).await;
            assert_eq!(reply.status, 403, "{what}: {}", reply.text());
            assert_eq!(reply.json()["detail"], PLATFORM, "{what}");
            assert_eq!(reply.json()["held_permissions"], json!(["points:read"]), "{what}");
        }
    }
    it.app.send(tenants().bearer(&it.app.token(&mixed).await)).await.expect(200, "the whole token");
}

/// A token that may read but not write: 403 that says what is missing, for any ID and body.
#[actix_web::test]
async fn readers_do_not_write() {
    let it = fixture().await;
    let token = it.app.token(&it.reader).await;
    let unknown = format!("tnt_{}", "0".repeat(26));
    let application = format!("applications/{}", it.client.id);
    let writes = [
        post(&admin("tenants")).json(&json!({ "name": "Globex", "slug": "globex" })),
        post(&admin("tenants")).json(&json!({ "nonsense": true })),
        patch(&admin(&format!("tenants/{}", it.acme))).json(&json!({ "name": "x" })),
        patch(&admin(&format!("tenants/{unknown}"))).json(&json!({ "name": "x" })),
        patch(&admin("tenants/nonsense")).json(&json!({ "name": "x" })),
        delete(&admin(&format!("tenants/{}", it.acme))),
        delete(&admin(&format!("tenants/{unknown}"))),
        post(&admin("roles")).json(&json!({ "name": "r", "permissions": [] })),
        post(&admin("permissions"))
            .json(&json!({ "resource": "x", "label": "x", "view": "x:read", "change": [] })),
        post(&admin("applications")).json(&json!({ "type": "service", "name": "x", "client_id": "x" })),
        patch(&admin(&application)).json(&json!({ "notes": "x" })),
        post(&admin(&format!("{application}/renew"))).json(&json!({})),
        post(&admin(&format!("{application}/secrets"))).json(&json!({})),
        delete(&admin(&format!("{application}/secrets/{}", it.client.secret_id))),
        put(&admin(&format!("{application}/grants"))).json(&json!({ "grants": [] })),
        delete(&admin(&application)),
    ];
    for write in writes {
        let what = format!("{} {}", write.method, write.uri);
        let reply = it.app.send(write.bearer(&token)).await;
        forbidden(&reply, None, &json!(["admin:write"]), &json!(["admin:read"]), &what);
        assert_ne!(reply.json()["detail"], PLATFORM, "{what}: the fixed sentence is for those with neither");
    }
    let keys = it.app.send(get(&admin("signing-keys")).bearer(&token)).await;
    forbidden(&keys, None, &json!(["admin:write"]), &json!(["admin:read"]), "signing keys");
    for read in ["tenants", "roles", "permissions", "applications", "audit", &application] {
        it.app.send(get(&admin(read)).bearer(&token)).await.expect(200, read);
    }
    it.app.ok(get(&admin(&format!("tenants/{}", it.acme)))).await;
    it.app.ok(get(&admin(&application))).await;
    assert_eq!(it.app.ok(tenants()).await["pagination"]["total"], 1, "nothing was written");
}

/// `admin:write` may do all that the super admin may: looking included.
#[actix_web::test]
async fn writers_read() {
    let it = fixture().await;
    let token = it.app.token(&it.writer).await;
    for read in ["tenants", "roles", "permissions", "applications", "audit", "signing-keys"] {
        it.app.send(get(&admin(read)).bearer(&token)).await.expect(200, read);
    }
    let body = json!({ "name": "Globex", "slug": "globex" });
    it.app.send(post(&admin("tenants")).json(&body).bearer(&token)).await.expect(201, "a write");
}

/// A token can be narrowed to reading.
#[actix_web::test]
async fn narrowed_to_reading() {
    let it = fixture().await;
    let token = it.app.token_for(&it.app.root, &[("scope", "admin:read")]).await;
    it.app.send(tenants().bearer(&token)).await.expect(200, "reading");
    let body = json!({ "name": "Globex", "slug": "globex" });
    let reply = it.app.send(post(&admin("tenants")).json(&body).bearer(&token)).await;
    forbidden(&reply, None, &json!(["admin:write"]), &json!(["admin:read"]), "writing");
}

/// A global application with grants has its tenants, and no longer the platform.
#[actix_web::test]
async fn grants_do_not_open_the_platform() {
    let it = fixture().await;
    let hub = it.app.global("hub", &["admin:read", "admin:write", "points:read"]).await;
    it.app.grant(&hub, &json!([{ "tenant_id": it.acme, "permissions": ["points:read"] }])).await;
    let token = it.app.token(&hub).await;
    assert_eq!(decode(&token).scopes(), ["points:read"], "only what its tenant grants");
    let reply = it.app.send(tenants().bearer(&token)).await.expect(403, "the admin API");
    assert_eq!(reply.json()["detail"], PLATFORM);
}

/// Two `Authorization` headers are not one of them.
#[actix_web::test]
async fn two_headers() {
    let it = fixture().await;
    let good = it.app.admin_token().await;
    let own = it.app.token(&it.client).await;
    let reply = it.app.send(tenants().bearer(&own).bearer(&good)).await;
    assert!([400, 401, 403].contains(&reply.status), "{}", reply.text());
    let reply = it.app.send(tenants().bearer(&good).bearer(&own)).await;
    assert!([400, 401, 403].contains(&reply.status), "{}", reply.text());
}

/// The documents and the health checks need no token.
#[actix_web::test]
async fn what_is_public() {
    let app = TestApp::start().await;
    for path in ["/livez", "/readyz", "/openapi.json", "/.well-known/jwks.json"] {
        app.send(get(path)).await.expect(200, path);
    }
    for collection in ["tenants", "roles", "permissions", "applications", "audit", "signing-keys"] {
        app.send(get(&admin(collection))).await.expect(401, collection);
    }
}
