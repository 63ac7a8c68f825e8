//! Rotating keys with an overlap, and ending them: at once, for good, or by themselves when they are quiet.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, DAY, HOUR, Key, KeyFixture, admin, get, is_well_formed, patch, post};

impl KeyFixture {
    /// Gives Keyward the time in which it looks after quiet keys: it does so when it starts, and every minute.
    async fn look_after(&mut self) {
        self.app.restart(|_| {}).await;
        actix_web::rt::time::sleep(std::time::Duration::from_millis(300)).await;
    }

    async fn verdict(&self, key: &Key) -> String {
        self.app.verdict(&self.verifier, &key.value, &["points:read"]).await
    }
}

fn rotation(id: &str, body: &Value) -> Call {
    post(&admin(&format!("api-keys/{id}/rotate"))).json(body)
}

fn revocation(id: &str) -> Call {
    post(&admin(&format!("api-keys/{id}/revoke"))).json(&json!({}))
}

/// A day of overlap by default, in which both work; then the new one alone.
#[actix_web::test]
async fn with_overlap() {
    let it = KeyFixture::start(&["points:read"]).await;
    let fields = json!({
        "permissions": ["points:adjust", "points:read"], "environment": "staging", "allowed_ips": ["203.0.113.0/24"]
    });
    let staging = it.app.key_with(&it.acme, &fields).await;
    let reply = it.app.admin(rotation(&staging.id, &json!({}))).await.expect(201, "rotated");
    assert!(reply.header("cache-control").contains("no-store"), "the reply holds a secret");
    let mut made = reply.json();
    let new = Key::of(&made);
    assert!(is_well_formed(&new.value, "kwk_test_"), "{made}");
    assert_ne!((&new.id, &new.value), (&staging.id, &staging.value));
    made.as_object_mut().unwrap().remove("value");
    assert_eq!(it.app.read_key(&new.id).await, made, "the same without the value");
    let old = it.app.read_key(&staging.id).await;
    for name in ["name", "tenant_id", "kind", "permissions", "environment", "allowed_ips", "status"] {
        assert_eq!(made[name], old[name], "{name}: a successor is what its predecessor was");
    }
    assert_eq!((&made["predecessor_id"], &made["successor_id"]), (&json!(staging.id), &Value::Null));
    assert_eq!((&old["predecessor_id"], &old["successor_id"]), (&Value::Null, &json!(new.id)));
    assert_eq!(old["expires_at"], it.app.moment(DAY));
    assert_eq!((&made["use_count"], &made["expires_at"]), (&json!(0), &Value::Null));
    let verdict = async |key: &Key| {
        it.app.verdict_in(&it.verifier, &key.value, &["points:adjust"], Some("staging")).await
    };
    assert_eq!((verdict(&staging).await, verdict(&new).await), ("ok".to_owned(), "ok".to_owned()));
    it.app.advance(DAY - 1);
    assert_eq!((verdict(&staging).await, verdict(&new).await), ("ok".to_owned(), "ok".to_owned()));
    it.app.advance(1);
    assert_eq!(verdict(&staging).await, "key_expired");
    assert_eq!(verdict(&new).await, "ok");
    assert_eq!(it.app.read_key(&staging.id).await["state"], "expired");
}

/// Without overlap the old one ends at once.
#[actix_web::test]
async fn without_overlap() {
    let it = KeyFixture::start(&["points:read"]).await;
    assert_eq!(it.verdict(&it.key).await, "ok");
    let new = Key::of(&it.app.rotate(&it.key.id, &json!({ "overlap_seconds": 0 })).await);
    assert_eq!(it.verdict(&it.key).await, "key_expired");
    assert_eq!(it.verdict(&new).await, "ok");
    assert_eq!(it.app.read_key(&it.key.id).await["state"], "expired");
}

#[actix_web::test]
async fn bounds() {
    let it = KeyFixture::start(&["points:read"]).await;
    for (name, wrong) in [
        ("overlap_seconds", json!(-1)),
        ("overlap_seconds", json!(31_536_001)),
        ("overlap_seconds", json!("60")),
        ("overlap_seconds", json!(1.5)),
        ("retire_after_quiet_hours", json!(0)),
        ("retire_after_quiet_hours", json!(8_761)),
        ("retire_after_quiet_hours", json!("24")),
        ("name", json!("Another")),
        ("permissions", json!(["points:adjust"])),
        ("value", json!("kwk_live_x")),
    ] {
        let reply = it.app.admin(rotation(&it.key.id, &json!({ name: wrong }))).await;
        reply.expect_invalid(&format!("/{name}"), &format!("{name}: {wrong}"));
    }
    let list = it.app.ok(get(&admin("api-keys"))).await;
    assert_eq!(list["pagination"]["total"], 1, "nothing was made");
    assert_eq!(it.app.read_key(&it.key.id).await["expires_at"], Value::Null);
    for body in [
        json!({ "overlap_seconds": 0 }),
        json!({ "overlap_seconds": 31_536_000 }),
        json!({ "overlap_seconds": 60, "retire_after_quiet_hours": null }),
        json!({ "retire_after_quiet_hours": 1 }),
        json!({ "retire_after_quiet_hours": 8_760 }),
    ] {
        let key = it.app.key(&it.acme, &[]).await;
        it.app.rotate(&key.id, &body).await;
        let overlap = body["overlap_seconds"].as_i64().unwrap_or(DAY);
        assert_eq!(it.app.read_key(&key.id).await["expires_at"], it.app.moment(overlap), "{body}");
    }
}

/// An overlap never makes the old one live longer than it would have.
#[actix_web::test]
async fn no_longer_than_before() {
    let it = KeyFixture::start(&["points:read"]).await;
    let brief = it.app.key_with(&it.acme, &json!({ "expires_at": it.app.moment(HOUR) })).await;
    let ends = it.app.read_key(&brief.id).await["expires_at"].clone();
    it.app.rotate(&brief.id, &json!({ "overlap_seconds": DAY })).await;
    assert_eq!(it.app.read_key(&brief.id).await["expires_at"], ends);
    it.app.advance(HOUR);
    assert_eq!(it.app.verdict(&it.verifier, &brief.value, &[]).await, "key_expired");
}

/// What is dead is not rotated, and what was rotated is not rotated again while its successor lives.
#[actix_web::test]
async fn what_is_not_rotated() {
    let it = KeyFixture::start(&["points:read"]).await;
    let key = async || it.app.key(&it.acme, &["points:read"]).await;
    let (revoked, disabled, rotated) = (key().await, key().await, key().await);
    let expired = it.app.key_with(&it.acme, &json!({ "expires_at": it.app.moment(60) })).await;
    it.app.revoke_key(&revoked.id).await;
    it.app.edit(&format!("api-keys/{}", disabled.id), &json!({ "status": "disabled" })).await;
    let successor = Key::of(&it.app.rotate(&rotated.id, &json!({})).await);
    it.app.advance(60);
    for (name, key) in
        [("revoked", &revoked), ("disabled", &disabled), ("expired", &expired), ("rotated", &rotated)]
    {
        let before = it.app.read_key(&key.id).await;
        let reply = it.app.admin(rotation(&key.id, &json!({}))).await.expect(409, name);
        assert!(!reply.text().contains("\"value\""), "{name}");
        assert_eq!(it.app.read_key(&key.id).await, before, "{name}");
    }
    for unknown in [format!("key_{}", "0".repeat(26)), "nonsense".to_owned(), it.acme.clone()] {
        it.app.admin(rotation(&unknown, &json!({}))).await.expect(404, &unknown);
        it.app.admin(revocation(&unknown)).await.expect(404, &unknown);
    }
    it.app.edit(&format!("api-keys/{}", disabled.id), &json!({ "status": "active" })).await;
    it.app.rotate(&disabled.id, &json!({})).await;
    let third = Key::of(&it.app.rotate(&successor.id, &json!({})).await);
    for key in [&rotated, &successor, &third] {
        assert_eq!(it.verdict(key).await, "ok", "a chain of three");
    }
    // The successor fell into wrong hands before anybody changed over to it: there is a way to another.
    let lost = key().await;
    let leaked = Key::of(&it.app.rotate(&lost.id, &json!({})).await);
    it.app.revoke_key(&leaked.id).await;
    let another = Key::of(&it.app.rotate(&lost.id, &json!({})).await);
    assert_eq!(it.app.read_key(&lost.id).await["successor_id"], another.id);
    let verdicts = (it.verdict(&lost).await, it.verdict(&leaked).await, it.verdict(&another).await);
    assert_eq!(verdicts, ("ok".to_owned(), "key_revoked".to_owned(), "ok".to_owned()));
}

/// Many rotations at once: one succeeds, the others learn that it did.
#[actix_web::test]
async fn one_successor() {
    let it = KeyFixture::start(&["points:read"]).await;
    it.app.admin_token().await;
    it.app.at_once();
    let body = json!({});
    let rotations = (0..5).map(|_| it.app.admin(rotation(&it.key.id, &body)));
    let replies = join_all(rotations).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert_eq!(it.app.ok(get(&admin("api-keys"))).await["pagination"]["total"], 2);
}

/// A replayed rotation makes no second successor and shows no value again.
#[actix_web::test]
async fn replays() {
    let it = KeyFixture::start(&["points:read"]).await;
    let rotate = || rotation(&it.key.id, &json!({})).header("idempotency-key", "k-1");
    let first = it.app.admin(rotate()).await.expect(201, "rotated").json();
    let again = it.app.admin(rotate()).await.expect(201, "a replay");
    assert_eq!(again.json()["id"], first["id"]);
    assert!(again.json()["value"].is_null(), "{}", again.text());
    assert!(!again.text().contains(&Key::of(&first).value[13..]), "{}", again.text());
    assert_eq!(it.app.ok(get(&admin("api-keys"))).await["pagination"]["total"], 2);
}

/// At once and for good; the same again changes nothing; and nothing brings it back.
#[actix_web::test]
async fn revocation_is_for_good() {
    let it = KeyFixture::start(&["points:read"]).await;
    let sibling = it.app.key(&it.acme, &["points:read"]).await;
    assert_eq!(it.verdict(&it.key).await, "ok");
    let revoked = it.app.admin(revocation(&it.key.id)).await.expect(200, "revoked").json();
    assert_eq!((&revoked["id"], &revoked["state"]), (&json!(it.key.id), &json!("revoked")));
    assert_eq!(revoked["revoked_at"], it.app.moment(0));
    assert!(revoked.get("value").is_none());
    assert_eq!(it.verdict(&it.key).await, "key_revoked");
    it.app.advance(60);
    let again = it.app.admin(revocation(&it.key.id)).await.expect(200, "revoked again").json();
    assert_eq!(again["revoked_at"], revoked["revoked_at"]);
    let path = admin(&format!("api-keys/{}", it.key.id));
    it.app.admin(patch(&path).json(&json!({ "status": "active" }))).await.expect(409, "re-enabled");
    it.app.admin(rotation(&it.key.id, &json!({}))).await.expect(409, "rotated");
    it.app.admin(patch(&path).json(&json!({ "revoked_at": null }))).await.expect(422, "read-only");
    assert_eq!(it.verdict(&it.key).await, "key_revoked");
    assert_eq!(it.app.read_key(&it.key.id).await["state"], "revoked");
    assert_eq!(it.verdict(&sibling).await, "ok", "another key of the tenant");
    it.app.remove(&format!("api-keys/{}", it.key.id)).await;
    assert_ne!(it.verdict(&it.key).await, "ok");
}

/// A key that was disabled before it was revoked can't be enabled either.
#[actix_web::test]
async fn disabling_first_is_no_way_around() {
    let it = KeyFixture::start(&["points:read"]).await;
    let path = format!("api-keys/{}", it.key.id);
    it.app.edit(&path, &json!({ "status": "disabled" })).await;
    it.app.revoke_key(&it.key.id).await;
    let enable = patch(&admin(&path)).json(&json!({ "status": "active" }));
    it.app.admin(enable).await.expect(409, "a revoked key");
    assert_eq!(it.app.read_key(&it.key.id).await["state"], "revoked");
    assert_eq!(it.verdict(&it.key).await, "key_revoked");
}

/// Revoking one of the two ends that one.
#[actix_web::test]
async fn revocation_in_the_overlap() {
    let it = KeyFixture::start(&["points:read"]).await;
    let new = Key::of(&it.app.rotate(&it.key.id, &json!({})).await);
    it.app.revoke_key(&it.key.id).await;
    assert_eq!(it.verdict(&it.key).await, "key_revoked");
    assert_eq!(it.verdict(&new).await, "ok");
    let other = it.app.key(&it.acme, &["points:read"]).await;
    let new = Key::of(&it.app.rotate(&other.id, &json!({})).await);
    it.app.revoke_key(&new.id).await;
    assert_eq!(it.verdict(&new).await, "key_revoked");
    assert_eq!(it.verdict(&other).await, "ok", "until the overlap ends");
}

/// The predecessor goes by itself when nobody has used it for so long, its overlap notwithstanding.
#[actix_web::test]
async fn quiet_predecessors_retire() {
    let mut it = KeyFixture::start(&["points:read"]).await;
    let body = json!({ "overlap_seconds": 30 * DAY, "retire_after_quiet_hours": 24 });
    let new = Key::of(&it.app.rotate(&it.key.id, &body).await);
    it.app.advance(23 * HOUR);
    it.look_after().await;
    assert_eq!(it.verdict(&it.key).await, "ok", "in time");
    it.app.settle().await;
    it.app.advance(23 * HOUR);
    it.look_after().await;
    assert_eq!(it.verdict(&it.key).await, "ok", "each use begins the time anew");
    for _ in 0..3 {
        it.app.advance(9 * HOUR);
        assert_eq!(it.verdict(&new).await, "ok", "uses of the successor are none of the predecessor");
        it.app.settle().await;
    }
    it.look_after().await;
    let ended = async || {
        let state = it.app.read_key(&it.key.id).await["state"].clone();
        [json!("revoked"), json!("expired")].contains(&state)
    };
    for _ in 0..20 {
        if !ended().await {
            actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    assert!(ended().await, "quiet for 27 hours");
    for _ in 0..2 {
        let ended = it.verdict(&it.key).await;
        assert!(["key_revoked", "key_expired"].contains(&ended.as_str()), "{ended}");
    }
    let events = it.app.events(&format!("action=api_key.revoked&resource={}", it.key.id)).await;
    assert_eq!(events.len(), 1, "nobody did it, and everybody can read that it was done: {events:?}");
    assert_eq!(events[0]["tenant_id"], it.acme);
    it.app.advance(30 * DAY);
    it.look_after().await;
    assert_eq!(it.verdict(&new).await, "ok", "the successor has nothing to do with it");
}

/// Without a limit to its quiet it stays until its overlap ends; a key without a successor stays for ever.
#[actix_web::test]
async fn nothing_else_retires() {
    let mut it = KeyFixture::start(&["points:read"]).await;
    let alone = it.app.key(&it.acme, &["points:read"]).await;
    it.app.edit(&format!("api-keys/{}", alone.id), &json!({ "retire_after_quiet_hours": 1 })).await;
    it.app.rotate(&it.key.id, &json!({ "overlap_seconds": 30 * DAY })).await;
    it.app.advance(29 * DAY);
    it.look_after().await;
    assert_eq!(it.verdict(&it.key).await, "ok");
    assert_eq!(it.verdict(&alone).await, "ok", "nobody would be left");
}
