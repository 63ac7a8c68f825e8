//! Applications of type `service`.

use serde_json::{Value, json};

use crate::support::{TestApp, admin, column, get, id_of, is_well_formed, patch, post};

struct Fixture {
    app: TestApp,
    acme: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    Fixture { app, acme }
}

impl Fixture {
    fn body(&self) -> Value {
        json!({
            "name": "CRM sync", "type": "service", "reach": "tenant", "tenant_id": self.acme, "client_id": "crm-sync",
            "allowed_scopes": ["points:read"]
        })
    }

    fn with(&self, name: &str, value: impl Into<Value>) -> Value {
        let mut body = self.body();
        body[name] = value.into();
        body
    }

    async fn refuse(&self, pointer: &str, body: &Value) {
        let reply = self.app.admin(post(&admin("applications")).json(body)).await;
        reply.expect_invalid(pointer, &body.to_string());
    }
}

#[actix_web::test]
async fn shape() {
    let it = fixture().await;
    let mut body = it.body();
    let more = json!({
        "notes": "Nightly job", "token_lifetime": 600, "token_alg": "EdDSA", "expires_at": "2027-01-31",
        "token_exchange_allowed": true, "environment": "staging", "status": "disabled"
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = it.app.admin(post(&admin("applications")).json(&body)).await.expect(201, "an application");
    assert!(reply.header("cache-control").contains("no-store"), "the reply holds a secret");
    let mut made = reply.json();
    assert!(reply.header("location").ends_with(&format!("/api/v1/admin/applications/{}", id_of(&made))));
    assert!(id_of(&made).starts_with("app_"));
    assert_eq!(made["client_id"], "acme.crm-sync", "the wire form is read");
    assert_eq!(made["expires_at"], "2027-01-31T23:59:59.000Z");
    assert_eq!(made["state"], "disabled");
    for name in [
        "name",
        "type",
        "reach",
        "tenant_id",
        "environment",
        "status",
        "notes",
        "allowed_scopes",
        "token_lifetime",
    ] {
        assert_eq!(made[name], body[name], "{name}");
    }
    assert_eq!((&made["token_alg"], &made["token_exchange_allowed"]), (&json!("EdDSA"), &json!(true)));
    for (name, empty) in [
        ("partner_id", Value::Null),
        ("roles", json!([])),
        ("redirect_uris", json!([])),
        ("allowed_origins", json!([])),
    ] {
        assert_eq!(made[name], empty, "{name}");
    }
    let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
    let mut members: Vec<&String> = secret.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["expires_at", "hint", "id", "value"]);
    let value = secret["value"].as_str().unwrap();
    assert!(is_well_formed(value, "kws_test_"), "{value}");
    assert_eq!(secret["hint"], value[..13], "the prefix with the environment and four characters");
    assert_eq!(secret["expires_at"], Value::Null);
    assert!(id_of(&secret).starts_with("sec_"));
    let read = it.app.ok(get(&admin(&format!("applications/{}", id_of(&made))))).await;
    assert_eq!(read, made, "the same without the secret");
    assert_eq!(it.app.ok(get(&admin("applications?q=crm"))).await["data"], json!([made]));
}

#[actix_web::test]
async fn defaults() {
    let it = fixture().await;
    let made = it.app.create("applications", &it.body()).await;
    assert_eq!(made["environment"], "production", "the first configured one");
    assert_eq!((&made["status"], &made["state"]), (&json!("active"), &json!("active")));
    let expires_at = made["expires_at"].as_str().unwrap();
    assert!(expires_at.starts_with("2027-11-02T"), "one year ahead: {expires_at}");
    assert_eq!((&made["token_lifetime"], &made["token_alg"]), (&Value::Null, &json!("ES256")));
    assert_eq!(made["token_exchange_allowed"], false);
    assert!(made["secret"]["value"].as_str().unwrap().starts_with("kws_live_"), "production is live");
    let global = json!({ "name": "Ops", "type": "service", "reach": "global", "client_id": "ops" });
    let made = it.app.create("applications", &global).await;
    assert_eq!(made["client_id"], "ops", "global ones have no prefix");
    assert_eq!((&made["tenant_id"], &made["allowed_scopes"]), (&Value::Null, &json!([])));
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let it = fixture().await;
    let unknown = format!("tnt_{}", "0".repeat(26));
    for local in ["acme.crm", "Crm", "crm sync", "crm_sync", "", "crmé", "crm:x", "a/b"] {
        it.refuse("/client_id", &it.with("client_id", local)).await;
    }
    let cases = [
        ("/type", it.with("type", "robot")),
        ("/reach", it.with("reach", "everywhere")),
        ("/environment", it.with("environment", "moon")),
        ("/environment", it.with("environment", "Production")),
        ("/status", it.with("status", "suspended")),
        ("/allowed_scopes", it.with("allowed_scopes", json!(["points:steal"]))),
        ("/allowed_scopes", it.with("allowed_scopes", json!(["points:read", "points read"]))),
        ("/allowed_scopes", it.with("allowed_scopes", json!("points:read"))),
        ("/tenant_id", it.with("tenant_id", "acme")),
        ("/token_lifetime", it.with("token_lifetime", 59)),
        ("/token_lifetime", it.with("token_lifetime", 86_401)),
        ("/token_exchange_allowed", it.with("token_exchange_allowed", "yes")),
    ];
    for (pointer, body) in cases {
        it.refuse(pointer, &body).await;
    }
    let reply = it.app.admin(post(&admin("applications")).json(&it.with("tenant_id", unknown))).await;
    reply.expect_error("/tenant_id", "unknown_reference", "an unknown tenant");
    for wrong in [it.with("reach", "global"), it.with("reach", "partner"), it.with("tenant_id", Value::Null)]
    {
        let reply = it.app.admin(post(&admin("applications")).json(&wrong)).await;
        reply.expect(422, &format!("reach and owner disagree: {wrong}"));
    }
    assert_eq!(it.app.ok(get(&admin("applications?q=crm"))).await["pagination"]["total"], 0);
}

/// Unique within the tenant.
#[actix_web::test]
async fn client_ids() {
    let it = fixture().await;
    let globex = it.app.tenant("globex").await;
    it.app.create("applications", &it.body()).await;
    it.app.admin(post(&admin("applications")).json(&it.body())).await.expect(409, "taken");
    it.app.create("applications", &it.with("tenant_id", globex)).await;
    let mut global = it.with("reach", "global");
    global.as_object_mut().unwrap().remove("tenant_id");
    it.app.create("applications", &global).await;
    it.app.admin(post(&admin("applications")).json(&global)).await.expect(409, "taken among the global ones");
    let list = it.app.ok(get(&admin("applications?sort=client_id"))).await;
    assert_eq!(column(&list, "client_id"), ["acme.crm-sync", "crm-sync", "globex.crm-sync", "root"]);
}

/// An edit changes no identity and no expiry.
#[actix_web::test]
async fn what_never_changes() {
    let it = fixture().await;
    let globex = it.app.tenant("globex").await;
    let made = it.app.create("applications", &it.body()).await;
    let path = format!("applications/{}", id_of(&made));
    let before = it.app.ok(get(&admin(&path))).await;
    let fields = [
        ("client_id", json!("other")),
        ("client_id", json!("acme.crm-sync")),
        ("type", json!("web")),
        ("type", json!("service")),
        ("reach", json!("global")),
        ("reach", json!("tenant")),
        ("expires_at", json!("2027-01-01")),
        ("expires_at", before["expires_at"].clone()),
        ("expires_at", Value::Null),
        ("environment", json!("staging")),
        ("tenant_id", json!(globex)),
        ("tenant_id", Value::Null),
        ("partner_id", Value::Null),
        ("id", before["id"].clone()),
        ("state", json!("active")),
        ("secret", json!({ "value": "x" })),
        ("grants", json!([])),
        ("created_at", before["created_at"].clone()),
    ];
    for (name, value) in fields {
        let body = json!({ "notes": "changed along", name: value });
        let reply = it.app.admin(patch(&admin(&path)).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), &body.to_string());
    }
    assert_eq!(it.app.ok(get(&admin(&path))).await, before, "nothing was changed along");
}

#[actix_web::test]
async fn changes() {
    let it = fixture().await;
    let made = it.app.create("applications", &it.body()).await;
    let path = format!("applications/{}", id_of(&made));
    let edits = [
        ("name", json!("Other")),
        ("notes", json!("Line one\nLine two")),
        ("notes", Value::Null),
        ("status", json!("disabled")),
        ("status", json!("active")),
        ("allowed_scopes", json!(["points:adjust", "points:read"])),
        ("allowed_scopes", json!([])),
        ("token_lifetime", json!(120)),
        ("token_lifetime", Value::Null),
        ("token_alg", json!("RS256")),
        ("token_exchange_allowed", json!(true)),
    ];
    for (name, value) in edits {
        it.app.advance(1);
        let read = it.app.edit(&path, &json!({ name: value })).await;
        assert_eq!(read[name], value, "{name}");
        assert_eq!(read["updated_at"], it.app.moment(0), "{name}");
        assert!(read.get("secret").is_none());
        assert_eq!(it.app.ok(get(&admin(&path))).await, read);
    }
}

/// `state` is computed: active, expiring, expired, disabled.
#[actix_web::test]
async fn states() {
    let it = fixture().await;
    let made = it.app.create("applications", &it.with("expires_at", it.app.moment(40 * 86_400))).await;
    let path = format!("applications/{}", id_of(&made));
    let state = async || it.app.ok(get(&admin(&path))).await["state"].clone();
    assert_eq!(state().await, "active");
    it.app.advance(35 * 86_400);
    assert_eq!(state().await, "expiring", "five days before");
    it.app.edit(&path, &json!({ "status": "disabled" })).await;
    assert_eq!(state().await, "disabled");
    it.app.edit(&path, &json!({ "status": "active" })).await;
    it.app.advance(5 * 86_400);
    assert_eq!(state().await, "expired");
    assert_eq!(it.app.ok(get(&admin(&path))).await["status"], "active", "status says what was set");
}

/// Renewed or created, no expiry lies further ahead than `clients.max_expiry_days`.
#[actix_web::test]
async fn expiry_is_bounded() {
    let it = fixture().await;
    let latest = it.app.moment(730 * 86_400);
    it.refuse("/expires_at", &it.with("expires_at", it.app.moment(730 * 86_400 + 1))).await;
    it.refuse("/expires_at", &it.with("expires_at", "9999-12-31")).await;
    it.refuse("/expires_at", &it.with("expires_at", it.app.moment(0))).await;
    it.refuse("/expires_at", &it.with("expires_at", it.app.moment(-1))).await;
    let made = it.app.create("applications", &it.with("expires_at", latest.clone())).await;
    assert_eq!(made["expires_at"], latest);
    let strict = TestApp::with(|options, _| options.max_expiry_days = 30).await;
    let body = json!({ "type": "service", "name": "x", "client_id": "x", "reach": "global" });
    let mut long = body.clone();
    long["expires_at"] = json!(strict.moment(31 * 86_400));
    strict.admin(post(&admin("applications")).json(&long)).await.expect_invalid("/expires_at", "31 days");
    long["expires_at"] = json!(strict.moment(30 * 86_400));
    strict.create("applications", &long).await;
}
