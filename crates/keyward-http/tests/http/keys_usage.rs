//! Evidence of use per key: when, from where, how often; and who still uses the one before.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{DAY, HOUR, Key, KeyFixture, World, admin, forward, get, post, verdict_of};

impl KeyFixture {
    /// Uses a key from an address, by `verify`.
    async fn verify_from(&self, key: &Key, address: &str) -> Value {
        self.app.verify(&self.verifier, &json!({ "key": key.value, "ip": address })).await
    }

    /// Uses a key from an address, at a protected API behind a proxy.
    async fn call_from(&self, key: &Key, address: &str) -> String {
        let call = forward("require=api_key&permission=points:read").header("x-api-key", &key.value);
        verdict_of(&self.app.send(call.from(address)).await, address)
    }

    async fn usage(&self, key: &Key) -> Value {
        self.app.ok(get(&admin(&format!("api-keys/{}/usage", key.id)))).await
    }

    async fn moved(&self, key: &Key) -> Value {
        self.app.ok(get(&admin(&format!("api-keys/{}/predecessor-callers", key.id)))).await
    }
}

/// The callers of a key by their addresses.
fn sorted(callers: &Value) -> Value {
    let mut list = callers.as_array().unwrap().clone();
    list.sort_by_key(|caller| caller["address"].as_str().unwrap().to_owned());
    json!(list)
}

#[actix_web::test]
async fn when_and_from_where() {
    let it = KeyFixture::start(&["points:read"]).await;
    let other = it.app.key(&it.acme, &["points:read"]).await;
    let first = it.app.moment(0);
    assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
    assert_eq!(it.verify_from(&it.key, "198.51.100.1").await["valid"], true);
    it.app.advance(600);
    let last = it.app.moment(0);
    assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
    assert_eq!(it.verify_from(&it.key, "2001:db8::1").await["valid"], true);
    let expected = json!([
        { "address": "198.51.100.1", "count": 3, "first_used_at": first, "last_used_at": last },
        { "address": "2001:db8::1", "count": 1, "first_used_at": last, "last_used_at": last }
    ]);
    it.app.settle().await;
    let read = it.app.read_key(&it.key.id).await;
    assert_eq!((&read["last_used_at"], &read["use_count"]), (&json!(last), &json!(4)));
    assert_eq!(sorted(&read["callers"]), expected);
    let usage = it.usage(&it.key).await;
    assert_eq!((&usage["last_used_at"], &usage["use_count"]), (&json!(last), &json!(4)));
    assert_eq!(sorted(&usage["callers"]), expected);
    assert_eq!(usage["days"], json!([{ "date": "2026-11-02", "count": 4 }]));
    let listed = it.app.ok(get(&admin("api-keys?per_page=100"))).await;
    let listed = listed["data"].as_array().unwrap().iter().find(|one| one["id"] == it.key.id).unwrap();
    assert_eq!((&listed["last_used_at"], &listed["use_count"]), (&json!(last), &json!(4)));
    let unused = it.usage(&other).await;
    for (name, value) in
        [("use_count", json!(0)), ("last_used_at", Value::Null), ("callers", json!([])), ("days", json!([]))]
    {
        assert_eq!(unused[name], value, "{name} of the other key");
    }
}

/// Uses per day, in UTC.
#[actix_web::test]
async fn days() {
    let it = KeyFixture::start(&["points:read"]).await;
    for (uses, pause) in [(2, 12 * HOUR - 1), (1, 1), (3, 2 * DAY), (1, 60)] {
        for _ in 0..uses {
            assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
        }
        it.app.advance(pause);
    }
    it.app.settle().await;
    let usage = it.usage(&it.key).await;
    let mut days = usage["days"].as_array().unwrap().clone();
    days.sort_by_key(|day| day["date"].as_str().unwrap().to_owned());
    let expected = json!([
        { "date": "2026-11-02", "count": 3 },
        { "date": "2026-11-03", "count": 3 },
        { "date": "2026-11-05", "count": 1 }
    ]);
    assert_eq!(json!(days), expected);
    assert_eq!(usage["use_count"], 7);
}

/// A stranger's attempt is no use of the key, and neither is reading about it.
#[actix_web::test]
async fn what_is_no_use() {
    let it = KeyFixture::start(&["points:read"]).await;
    let value = &it.key.value;
    let guess = format!("{}000000", &value[..value.len() - 6]);
    for wrong in [guess.as_str(), &crate::support::made_up('k', "live"), "nonsense"] {
        let seen = it.app.verdict(&it.verifier, wrong, &["points:read"]).await;
        assert_eq!(seen, "key_invalid", "{wrong}");
    }
    it.app.edit(&format!("api-keys/{}", it.key.id), &json!({ "name": "Renamed" })).await;
    it.app.settle().await;
    for _ in 0..2 {
        let read = it.app.read_key(&it.key.id).await;
        assert_eq!((&read["last_used_at"], &read["use_count"]), (&Value::Null, &json!(0)), "{read}");
    }
    assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
    it.app.settle().await;
    assert_eq!(it.app.read_key(&it.key.id).await["use_count"], 1);
}

/// It is still there after a restart, and goes on from there.
#[actix_web::test]
async fn after_a_restart() {
    let mut it = KeyFixture::start(&["points:read"]).await;
    assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
    it.app.settle().await;
    it.app.restart(|_| {}).await;
    it.app.advance(DAY);
    let last = it.app.moment(0);
    assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
    it.app.settle().await;
    let usage = it.usage(&it.key).await;
    assert_eq!((&usage["use_count"], &usage["last_used_at"]), (&json!(2), &json!(last)));
    assert_eq!(usage["callers"][0]["count"], 2);
    assert_eq!(usage["days"].as_array().unwrap().len(), 2, "{usage}");
}

/// What remains of a dead key is the evidence.
#[actix_web::test]
async fn of_a_revoked_key() {
    let it = KeyFixture::start(&["points:read"]).await;
    let used = it.app.moment(0);
    assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
    it.app.revoke_key(&it.key.id).await;
    it.app.settle().await;
    let read = it.app.read_key(&it.key.id).await;
    assert_eq!((&read["last_used_at"], &read["use_count"]), (&json!(used), &json!(1)));
}

/// The addresses of callers, whether they stand alone or in objects.
fn addresses(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    let address = |caller: &Value| caller["address"].as_str().or(caller.as_str()).unwrap().to_owned();
    list.iter().map(address).collect()
}

fn caller(number: usize) -> String {
    format!("198.51.100.{number}")
}

/// “2 of 7 callers still use the old key.”
#[actix_web::test]
async fn callers_of_the_predecessor() {
    let it = KeyFixture::start(&["points:read"]).await;
    for number in 1..=7 {
        assert_eq!(it.call_from(&it.key, &caller(number)).await, "ok");
    }
    it.app.advance(HOUR);
    let new = Key::of(&it.app.rotate(&it.key.id, &json!({ "overlap_seconds": 30 * DAY })).await);
    it.app.advance(HOUR);
    for number in 1..=7 {
        assert_eq!(it.call_from(&it.key, &caller(number)).await, "ok");
    }
    let check = async |still: &[usize], moved: &[usize], why: &str| {
        it.app.settle().await;
        let seen = it.moved(&new).await;
        assert_eq!(seen["predecessor_id"], it.key.id, "{why}");
        let of = |numbers: &[usize]| numbers.iter().map(|number| caller(*number)).collect::<BTreeSet<_>>();
        assert_eq!(addresses(&seen["still"]), of(still), "{why}: {seen}");
        assert_eq!(addresses(&seen["moved"]), of(moved), "{why}: {seen}");
        assert_eq!(seen["total"], 7, "{why}: {seen}");
    };
    check(&[1, 2, 3, 4, 5, 6, 7], &[], "nobody has moved").await;
    for number in 1..=5 {
        it.app.advance(60);
        assert_eq!(it.call_from(&new, &caller(number)).await, "ok");
    }
    check(&[6, 7], &[1, 2, 3, 4, 5], "2 of 7").await;
    // Somebody new is none of the old key's callers.
    assert_eq!(it.call_from(&new, "192.0.2.1").await, "ok");
    check(&[6, 7], &[1, 2, 3, 4, 5], "a newcomer").await;
    it.app.advance(60);
    assert_eq!(it.call_from(&it.key, &caller(1)).await, "ok");
    check(&[1, 6, 7], &[2, 3, 4, 5], "one went back").await;
    for number in [1, 6, 7] {
        it.app.advance(60);
        assert_eq!(it.call_from(&new, &caller(number)).await, "ok");
    }
    check(&[], &[1, 2, 3, 4, 5, 6, 7], "all have moved").await;
}

/// Without a predecessor there is nobody to wait for.
#[actix_web::test]
async fn without_a_predecessor() {
    let it = KeyFixture::start(&["points:read"]).await;
    assert_eq!(it.call_from(&it.key, "198.51.100.1").await, "ok");
    let seen = it.moved(&it.key).await;
    assert_eq!((&seen["predecessor_id"], &seen["total"]), (&Value::Null, &json!(0)));
    assert_eq!((&seen["still"], &seen["moved"]), (&json!([]), &json!([])));
    let new = Key::of(&it.app.rotate(&it.key.id, &json!({})).await);
    let seen = it.moved(&it.key).await;
    assert_eq!(seen["predecessor_id"], Value::Null, "a successor is no predecessor: {seen}");
    assert_eq!(it.moved(&new).await["predecessor_id"], it.key.id);
}

/// The evidence is the tenant's: nobody else's administrator sees it.
#[actix_web::test]
async fn whose_it_is() {
    let it = World::new().await;
    let key = it.app.key(&it.acme.tenant, &["points:read"]).await;
    for path in ["usage", "predecessor-callers"] {
        let read = || get(&admin(&format!("api-keys/{}/{path}", key.id)));
        for person in [&it.boss, &it.of_north, &it.acme.admin] {
            it.app.by(person, read()).await.expect(200, &person.email);
        }
        for person in [&it.annex.admin, &it.of_south, &it.globex.admin] {
            it.app.by(person, read()).await.expect(404, &person.email);
        }
        it.app.by(&it.acme.user, read()).await.expect(403, "without any right");
        it.app.admin(post(&read().uri).json(&json!({}))).await.expect(405, path);
        it.app.admin(read().query("colour=blue")).await.expect(422, path);
    }
}
