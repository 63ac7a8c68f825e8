//! API keys of tenants: what is sent, what is read, what never changes, and what is shown once.

use serde_json::{Value, json};

use crate::support::{DAY, START, TestApp, admin, get, id_of, is_well_formed, patch, post};

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
        json!({ "name": "Till", "tenant_id": self.acme, "permissions": ["points:read"] })
    }

    fn with(&self, name: &str, value: impl Into<Value>) -> Value {
        let mut body = self.body();
        body[name] = value.into();
        body
    }
}

/// What reading a key shows.
const MEMBERS: [&str; 20] = [
    "id",
    "name",
    "tenant_id",
    "kind",
    "permissions",
    "environment",
    "expires_at",
    "allowed_ips",
    "status",
    "state",
    "hint",
    "last_used_at",
    "use_count",
    "callers",
    "predecessor_id",
    "successor_id",
    "revoked_at",
    "retire_after_quiet_hours",
    "created_at",
    "updated_at",
];

#[actix_web::test]
async fn shape() {
    let it = fixture().await;
    let body = json!({
        "name": "Till 7", "tenant_id": it.acme, "kind": "secret", "permissions": ["points:adjust", "points:read"],
        "environment": "staging", "expires_at": "2027-01-31", "allowed_ips": ["203.0.113.7", "10.0.0.0/8"],
        "status": "disabled"
    });
    let reply = it.app.admin(post(&admin("api-keys")).json(&body)).await.expect(201, "a key");
    assert!(reply.header("cache-control").contains("no-store"), "the reply holds a secret");
    let mut made = reply.json();
    let id = id_of(&made);
    let (prefix, digits) = id.split_once('_').unwrap();
    assert_eq!((prefix, digits.len()), ("key", 26));
    assert!(reply.header("location").ends_with(&format!("/api/v1/admin/api-keys/{id}")));
    let value = made.as_object_mut().unwrap().remove("value").unwrap();
    let value = value.as_str().unwrap();
    assert!(is_well_formed(value, "kwk_test_"), "every environment but production is test: {value}");
    assert_eq!(made["hint"], value[..13], "the prefix with the environment and four characters");
    assert_eq!(made["expires_at"], "2027-01-31T23:59:59.000Z", "a date alone is the end of its day");
    for name in ["name", "tenant_id", "kind", "permissions", "environment", "allowed_ips", "status"] {
        assert_eq!(made[name], body[name], "{name}");
    }
    assert_eq!(made["state"], "disabled");
    for name in MEMBERS {
        assert!(made.get(name).is_some(), "no {name}: {made}");
    }
    assert_eq!(it.app.read_key(&id).await, made, "the same without the value");
    assert_eq!(it.app.ok(get(&admin("api-keys"))).await["data"], json!([made]));
}

#[actix_web::test]
async fn defaults() {
    let it = fixture().await;
    let made = it.app.create("api-keys", &it.body()).await;
    assert!(is_well_formed(made["value"].as_str().unwrap(), "kwk_live_"), "production is live: {made}");
    for (name, value) in [
        ("kind", json!("secret")),
        ("environment", json!("production")),
        ("expires_at", Value::Null),
        ("allowed_ips", json!([])),
        ("status", json!("active")),
        ("state", json!("active")),
        ("last_used_at", Value::Null),
        ("use_count", json!(0)),
        ("callers", json!([])),
        ("predecessor_id", Value::Null),
        ("successor_id", Value::Null),
        ("revoked_at", Value::Null),
        ("retire_after_quiet_hours", Value::Null),
        ("created_at", json!(START)),
        ("updated_at", json!(START)),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    let again = it.app.create("api-keys", &it.body()).await;
    assert_ne!(again["value"], made["value"], "several keys of one name may live, each with its own value");
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let it = fixture().await;
    let cases = [
        ("name", json!("")),
        ("name", json!(7)),
        ("name", Value::Null),
        ("tenant_id", json!("acme")),
        ("tenant_id", Value::Null),
        ("tenant_id", json!([it.acme])),
        ("kind", json!("publishable")),
        ("kind", json!("robot")),
        ("permissions", json!(["points:steal"])),
        ("permissions", json!(["points:read", "points read"])),
        ("permissions", json!(["*"])),
        ("permissions", json!("points:read")),
        ("permissions", json!([7])),
        ("environment", json!("moon")),
        ("environment", json!("Production")),
        ("environment", json!("")),
        ("expires_at", json!(it.app.moment(0))),
        ("expires_at", json!(it.app.moment(-1))),
        ("expires_at", json!("2026-11-01")),
        ("expires_at", json!("soon")),
        ("expires_at", json!(7)),
        ("allowed_ips", json!("203.0.113.7")),
        ("allowed_ips", json!([7])),
        ("allowed_ips", json!([""])),
        ("allowed_ips", json!(["nonsense"])),
        ("allowed_ips", json!(["203.0.113.7", "300.1.1.1"])),
        ("allowed_ips", json!(["10.0.0.0/33"])),
        ("allowed_ips", json!(["till.example"])),
        ("status", json!("suspended")),
        ("status", json!("revoked")),
        ("status", json!("expired")),
    ];
    for (name, value) in cases {
        let body = it.with(name, value);
        let reply = it.app.admin(post(&admin("api-keys")).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), &body.to_string());
    }
    for name in ["name", "tenant_id"] {
        let mut body = it.body();
        body.as_object_mut().unwrap().remove(name);
        let reply = it.app.admin(post(&admin("api-keys")).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), "it is missing");
    }
    let unknown = it.with("tenant_id", format!("tnt_{}", "0".repeat(26)));
    let reply = it.app.admin(post(&admin("api-keys")).json(&unknown)).await;
    reply.expect_error("/tenant_id", "unknown_reference", "an unknown tenant");
    assert_eq!(it.app.ok(get(&admin("api-keys"))).await["pagination"]["total"], 0);
    it.app.create("api-keys", &it.body()).await;
}

/// What is read only, and what there is not, is refused and never ignored.
#[actix_web::test]
async fn fields_that_nobody_sends() {
    let it = fixture().await;
    let other = it.app.key(&it.acme, &[]).await;
    for (name, value) in [
        ("id", json!(other.id)),
        ("value", json!(crate::support::made_up('k', "live"))),
        ("hint", json!("kwk_live_AAAA")),
        ("state", json!("active")),
        ("last_used_at", Value::Null),
        ("use_count", json!(7)),
        ("callers", json!([])),
        ("predecessor_id", json!(other.id)),
        ("successor_id", json!(other.id)),
        ("revoked_at", Value::Null),
        ("created_at", json!(START)),
        ("updated_at", json!(START)),
        ("partner_id", Value::Null),
        ("owner_id", json!("usr_1")),
        ("created_by", json!("usr_1")),
        ("allowed_scopes", json!(["points:read"])),
        ("colour", json!("blue")),
    ] {
        let body = it.with(name, value);
        let reply = it.app.admin(post(&admin("api-keys")).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), &body.to_string());
    }
    assert_eq!(it.app.ok(get(&admin("api-keys"))).await["pagination"]["total"], 1);
}

/// An edit changes neither what the key is nor how long it lives.
#[actix_web::test]
async fn what_never_changes() {
    let it = fixture().await;
    let globex = it.app.tenant("globex").await;
    let key = it.app.key_with(&it.acme, &json!({ "expires_at": it.app.moment(40 * DAY) })).await;
    let path = format!("api-keys/{}", key.id);
    let before = it.app.read_key(&key.id).await;
    for (name, value) in [
        ("tenant_id", json!(globex)),
        ("tenant_id", json!(it.acme)),
        ("tenant_id", Value::Null),
        ("kind", json!("secret")),
        ("environment", json!("staging")),
        ("environment", json!("production")),
        ("expires_at", json!(it.app.moment(50 * DAY))),
        ("expires_at", before["expires_at"].clone()),
        ("expires_at", Value::Null),
        ("predecessor_id", json!(key.id)),
        ("predecessor_id", Value::Null),
        ("successor_id", Value::Null),
        ("value", json!(key.value)),
        ("hint", before["hint"].clone()),
        ("id", before["id"].clone()),
        ("state", json!("active")),
        ("revoked_at", Value::Null),
        ("last_used_at", Value::Null),
        ("use_count", json!(0)),
        ("callers", json!([])),
        ("created_at", before["created_at"].clone()),
        ("partner_id", Value::Null),
        ("colour", json!("blue")),
    ] {
        let body = json!({ "name": "changed along", name: value });
        let reply = it.app.admin(patch(&admin(&path)).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), &body.to_string());
    }
    assert_eq!(it.app.read_key(&key.id).await, before, "nothing was changed along");
}

#[actix_web::test]
async fn changes() {
    let it = fixture().await;
    let key = it.app.key(&it.acme, &["points:read"]).await;
    let path = format!("api-keys/{}", key.id);
    let before = it.app.read_key(&key.id).await;
    for (name, value) in [
        ("name", json!("Till 8")),
        ("permissions", json!(["points:adjust", "points:read"])),
        ("permissions", json!([])),
        ("allowed_ips", json!(["198.51.100.1", "2001:db8::/32"])),
        ("allowed_ips", json!([])),
        ("status", json!("disabled")),
        ("status", json!("active")),
        ("retire_after_quiet_hours", json!(1)),
        ("retire_after_quiet_hours", json!(8_760)),
        ("retire_after_quiet_hours", Value::Null),
    ] {
        it.app.advance(1);
        let read = it.app.edit(&path, &json!({ name: value })).await;
        assert_eq!(read[name], value, "{name}");
        assert_eq!(read["updated_at"], it.app.moment(0), "{name}");
        assert_eq!(read["hint"], before["hint"], "{name}");
        assert!(read.get("value").is_none(), "{name}");
        assert_eq!(it.app.read_key(&key.id).await, read);
    }
    for (name, value) in [
        ("name", json!("")),
        ("permissions", json!(["points:steal"])),
        ("allowed_ips", json!(["10.0.0.0/33"])),
        ("status", json!("revoked")),
        ("retire_after_quiet_hours", json!(0)),
        ("retire_after_quiet_hours", json!(8_761)),
        ("retire_after_quiet_hours", json!("5")),
    ] {
        let reply = it.app.admin(patch(&admin(&path)).json(&json!({ name: value }))).await;
        reply.expect_invalid(&format!("/{name}"), &value.to_string());
    }
}

/// `state` is computed: active, expiring, expired, disabled, revoked.
#[actix_web::test]
async fn states() {
    let it = fixture().await;
    let key = it.app.key_with(&it.acme, &json!({ "expires_at": it.app.moment(40 * DAY) })).await;
    let state = async || it.app.read_key(&key.id).await["state"].clone();
    assert_eq!(state().await, "active");
    it.app.advance(35 * DAY);
    assert_eq!(state().await, "expiring", "five days before");
    let path = format!("api-keys/{}", key.id);
    assert_eq!(it.app.edit(&path, &json!({ "status": "disabled" })).await["state"], "disabled");
    assert_eq!(it.app.edit(&path, &json!({ "status": "active" })).await["state"], "expiring");
    it.app.advance(5 * DAY);
    assert_eq!(state().await, "expired");
    assert_eq!(it.app.read_key(&key.id).await["status"], "active", "status says what was set");
    let other = it.app.key(&it.acme, &[]).await;
    assert_eq!(it.app.revoke_key(&other.id).await["state"], "revoked");
}
