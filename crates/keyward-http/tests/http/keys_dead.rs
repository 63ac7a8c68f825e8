//! Keys: dead means dead, on each path that takes one, whatever above the key died; what comes back works again.

use std::time::{Duration, Instant};

use actix_web::rt::time::sleep;
use serde_json::{Value, json};

use crate::support::{
    Client, DAY, HOUR, Key, TestApp, VERIFY, admin, forward, get, id_of, made_up, patch, post, verdict_of,
};

struct Fixture {
    app: TestApp,
    partner: String,
    acme: String,
    verifier: Client,
    key: Key,
    /// A key of another tenant, to which nothing happens.
    bystander: Key,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (partner, acme) = app.reseller().await;
    let globex = app.tenant("globex").await;
    let fields = json!({ "permissions": ["points:adjust", "points:read"], "expires_at": app.moment(DAY) });
    Fixture {
        verifier: app.verifier().await,
        key: app.key_with(&acme, &fields).await,
        bystander: app.key(&globex, &["points:read"]).await,
        app,
        partner,
        acme,
    }
}

/// A way to die.
#[derive(Clone, Copy, Debug)]
enum Death {
    Disabled,
    Expired,
    Revoked,
    Deleted,
    Rotated,
    TenantSuspended,
    TenantDeleted,
    PartnerSuspended,
    PartnerDeleted,
    PermissionTaken,
    AddressesNarrowed,
}

/// What is said of the key afterwards. Of what is deleted the contract leaves open whether it is unknown or revoked.
const MATRIX: [(Death, &[&str]); 11] = [
    (Death::Disabled, &["key_revoked"]),
    (Death::Expired, &["key_expired"]),
    (Death::Revoked, &["key_revoked"]),
    (Death::Deleted, &["key_invalid", "key_revoked"]),
    (Death::Rotated, &["key_expired"]),
    (Death::TenantSuspended, &["key_revoked"]),
    (Death::TenantDeleted, &["key_invalid", "key_revoked"]),
    (Death::PartnerSuspended, &["key_revoked"]),
    (Death::PartnerDeleted, &["key_invalid", "key_revoked"]),
    (Death::PermissionTaken, &["permission_denied"]),
    (Death::AddressesNarrowed, &["permission_denied"]),
];

impl Fixture {
    async fn verdict(&self, key: &Key) -> String {
        self.app.verdict(&self.verifier, &key.value, &["points:read"]).await
    }

    async fn status(&self, path: &str, status: &str) {
        self.app.edit(path, &json!({ "status": status })).await;
    }

    async fn die(&self, death: Death) {
        let app = &self.app;
        let key = format!("api-keys/{}", self.key.id);
        let (tenant, partner) = (format!("tenants/{}", self.acme), format!("partners/{}", self.partner));
        match death {
            Death::Disabled => self.status(&key, "disabled").await,
            Death::Expired => app.advance(DAY),
            Death::Revoked => drop(app.revoke_key(&self.key.id).await),
            Death::Deleted => app.remove(&key).await,
            Death::Rotated => drop(app.rotate(&self.key.id, &json!({ "overlap_seconds": 0 })).await),
            Death::TenantSuspended => self.status(&tenant, "suspended").await,
            Death::TenantDeleted => app.remove(&tenant).await,
            Death::PartnerSuspended => self.status(&partner, "suspended").await,
            Death::PartnerDeleted => app.remove(&partner).await,
            Death::PermissionTaken => {
                app.edit(&key, &json!({ "permissions": ["points:adjust"] })).await;
            }
            Death::AddressesNarrowed => {
                app.edit(&key, &json!({ "allowed_ips": ["192.0.2.1"] })).await;
            }
        }
    }

    /// Brings back what can come back: whether it could.
    async fn rise(&self, death: Death) -> bool {
        let key = format!("api-keys/{}", self.key.id);
        match death {
            Death::Disabled => self.status(&key, "active").await,
            Death::TenantSuspended => self.status(&format!("tenants/{}", self.acme), "active").await,
            Death::PartnerSuspended => self.status(&format!("partners/{}", self.partner), "active").await,
            Death::PermissionTaken => {
                self.app.edit(&key, &json!({ "permissions": ["points:read"] })).await;
            }
            Death::AddressesNarrowed => {
                self.app.edit(&key, &json!({ "allowed_ips": [] })).await;
            }
            Death::Expired
            | Death::Revoked
            | Death::Deleted
            | Death::Rotated
            | Death::TenantDeleted
            | Death::PartnerDeleted => return false,
        }
        true
    }
}

/// On the node that answered: from the very next request.
#[actix_web::test]
async fn the_matrix() {
    for (death, expected) in MATRIX {
        let mut it = fixture().await;
        for _ in 0..3 {
            assert_eq!(it.verdict(&it.key).await, "ok", "{death:?}: alive, and perhaps remembered");
        }
        it.die(death).await;
        for attempt in 0..3 {
            let verdict = it.verdict(&it.key).await;
            assert!(expected.contains(&verdict.as_str()), "{death:?}, attempt {attempt}: {verdict}");
        }
        assert_eq!(it.verdict(&it.bystander).await, "ok", "{death:?}: a bystander");
        it.app.restart(|_| {}).await;
        let verdict = it.verdict(&it.key).await;
        assert!(expected.contains(&verdict.as_str()), "{death:?}, after a restart: {verdict}");
        if it.rise(death).await {
            assert_eq!(it.verdict(&it.key).await, "ok", "{death:?}: it came back");
        }
    }
}

/// On another node: within a second.
#[actix_web::test]
async fn on_another_node() {
    for (death, expected) in MATRIX {
        let it = fixture().await;
        let there = it.app.neighbour().await;
        let verdict = async || {
            let call = forward("require=api_key&permission=points:read").header("x-api-key", &it.key.value);
            verdict_of(&there.send(call).await, "on the other node")
        };
        assert_eq!(verdict().await, "ok", "{death:?}: alive");
        it.die(death).await;
        let began = Instant::now();
        loop {
            let seen = verdict().await;
            if expected.contains(&seen.as_str()) {
                break;
            }
            assert_eq!(seen, "ok", "{death:?}");
            // As long again as it may take, for a machine that is busy with other tests.
            assert!(began.elapsed().as_secs() < 2, "{death:?}: still alive elsewhere");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A node that writes something of its own at that moment misses nothing of what the other wrote.
#[actix_web::test]
async fn on_another_node_that_is_busy() {
    for round in 0..10 {
        let it = fixture().await;
        let there = it.app.neighbour().await;
        let verdict = async || {
            let call = forward("require=api_key&permission=points:read").header("x-api-key", &it.key.value);
            verdict_of(&there.send(call).await, "on the other node")
        };
        there.admin_token().await;
        // Past the first moments, in which a node has much to do.
        sleep(Duration::from_millis(100)).await;
        assert_eq!(verdict().await, "ok");
        it.die(Death::Disabled).await;
        // It changes no object, but is kept for a replay.
        let nothing = post(&admin("users/bulk")).json(&json!({ "items": [] })).header("idempotency-key", "k");
        there.admin(nothing).await.expect(200, "nothing to do");
        let began = Instant::now();
        while verdict().await == "ok" {
            assert!(began.elapsed().as_secs() < 2, "round {round}: still alive elsewhere");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A permission that left the catalogue is in no key, and nothing asks for it with success.
#[actix_web::test]
async fn permissions_of_the_catalogue() {
    let it = fixture().await;
    let row = id_of(&it.app.ok(get(&admin("permissions?q=points"))).await["data"][0]);
    let token = it.app.token(&it.verifier).await;
    let verify = async |asked: Value| {
        let body = json!({ "key": it.key.value, "permissions": asked });
        it.app.send(post(VERIFY).json(&body).bearer(&token)).await
    };
    let ask = |query: &str| forward(query).header("x-api-key", &it.key.value);
    let query = "require=api_key&permission=points:read";
    assert_eq!(verify(json!(["points:read"])).await.json()["valid"], true);
    it.app.send(ask(query)).await.expect(200, "before");
    it.app.edit(&format!("permissions/{row}"), &json!({ "view": null })).await;
    assert_ne!(verify(json!(["points:read"])).await.json()["valid"], true);
    let reply = it.app.send(ask(query)).await;
    assert!([400, 403].contains(&reply.status), "{} {}", reply.status, reply.text());
    let seen = verify(json!(["points:adjust"])).await.json();
    assert_eq!((&seen["valid"], &seen["permissions"]), (&json!(true), &json!(["points:adjust"])), "{seen}");
    let reply = it.app.send(ask("require=api_key")).await.expect(200, "the key itself is good");
    assert_eq!(reply.header("x-keyward-scope"), "points:adjust");
}

/// Expiry is to the second, and judged at use.
#[actix_web::test]
async fn the_last_second() {
    let it = fixture().await;
    let before = it.app.read_key(&it.key.id).await;
    it.app.advance(DAY - 1);
    assert_eq!(it.verdict(&it.key).await, "ok");
    it.app.advance(1);
    assert_eq!(it.verdict(&it.key).await, "key_expired");
    let after = it.app.read_key(&it.key.id).await;
    assert_eq!(after["expires_at"], before["expires_at"]);
    let longer = patch(&admin(&format!("api-keys/{}", it.key.id)));
    let longer = longer.json(&json!({ "expires_at": it.app.moment(DAY) }));
    it.app.admin(longer).await.expect_invalid("/expires_at", "nor does an edit bring it back");
}

/// A key is of one environment. The first configured one counts when none is named.
#[actix_web::test]
async fn environments() {
    let it = fixture().await;
    let fields = json!({ "permissions": ["points:read"], "environment": "staging" });
    let staging = it.app.key_with(&it.acme, &fields).await;
    for (key, environment, expected) in [
        (&it.key, None, "ok"),
        (&it.key, Some("production"), "ok"),
        (&it.key, Some("staging"), "token_wrong_environment"),
        (&staging, None, "token_wrong_environment"),
        (&staging, Some("production"), "token_wrong_environment"),
        (&staging, Some("staging"), "ok"),
    ] {
        let seen = it.app.verdict_in(&it.verifier, &key.value, &["points:read"], environment).await;
        assert_eq!(seen, expected, "{} in {environment:?}", key.value);
    }
    // Where another environment is the first, that one counts.
    let app = TestApp::with(|options, _| {
        options.environments = vec!["sandbox".to_owned(), "production".to_owned()];
    })
    .await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let verifier = app.verifier().await;
    let plain = app.key(&acme, &[]).await;
    let live = app.key_with(&acme, &json!({ "environment": "production" })).await;
    assert!(plain.value.starts_with("kwk_test_") && live.value.starts_with("kwk_live_"));
    assert_eq!(app.verdict(&verifier, &plain.value, &[]).await, "ok");
    assert_eq!(app.verdict(&verifier, &live.value, &[]).await, "token_wrong_environment");
}

/// What a disabled key's holder is told comes before what the key lacks, and a dead key has no permissions.
#[actix_web::test]
async fn death_comes_first() {
    let it = fixture().await;
    let ask = async |permission: &str| it.app.verdict(&it.verifier, &it.key.value, &[permission]).await;
    assert_eq!(ask("read:users").await, "permission_denied");
    it.status(&format!("api-keys/{}", it.key.id), "disabled").await;
    assert_eq!(ask("read:users").await, "key_revoked", "401 before 403");
    let body = json!({ "key": it.key.value, "permissions": ["points:read"] });
    let seen = it.app.verify(&it.verifier, &body).await;
    let held = seen["permissions"].as_array().cloned().unwrap_or_default();
    assert_eq!(held, Vec::<Value>::new(), "{seen}");
}

/// Once known, a key is checked in memory: a store that does not answer refuses no good key, and lets no bad one in.
#[actix_web::test]
async fn without_a_store() {
    let it = fixture().await;
    let cold = it.app.key(&it.acme, &["points:read"]).await;
    assert_eq!(it.verdict(&it.key).await, "ok");
    it.app.advance(HOUR / 4);
    let token = it.app.token(&it.verifier).await;
    it.app.store.no_reads.store(true, std::sync::atomic::Ordering::SeqCst);
    let call = forward("require=api_key&permission=points:read");
    let seen = it.app.send(call.clone().header("x-api-key", &it.key.value)).await;
    seen.expect(200, "a known key");
    let body = json!({ "key": it.key.value });
    let seen = it.app.send(post(VERIFY).json(&body).bearer(&token)).await;
    assert_eq!(seen.expect(200, "a known key").json()["valid"], true);
    // What was never asked about is not known to be unknown.
    let seen = it.app.send(call.clone().header("x-api-key", &cold.value)).await;
    assert!([200, 503].contains(&seen.status), "{} {}", seen.status, seen.text());
    let stranger = made_up('k', "live");
    for wrong in [stranger.as_str(), "kwk_live_nonsense"] {
        let seen = it.app.send(call.clone().header("x-api-key", wrong)).await;
        assert!([401, 503].contains(&seen.status), "{wrong}: {} {}", seen.status, seen.text());
    }
}
