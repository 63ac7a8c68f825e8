//! Reading the revocation feed: where the last reading ended, waiting for more, and on other nodes.

use std::time::{Duration, Instant};

use actix_web::rt::time::{sleep, timeout};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{Client, FEED, TestApp, admin, decode, get, post};

struct Fixture {
    app: TestApp,
    client: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    Fixture { app, client }
}

impl Fixture {
    /// Revokes a token: the text that the feed has of it.
    async fn revoke_one(&self) -> String {
        let token = self.app.token(&self.client).await;
        self.app.revoke(&self.client, &token).await.expect(200, "revoked");
        format!("jti:{}", decode(&token).text("jti"))
    }
}

/// A cursor goes on where the last reading ended; nothing is lost between two readings.
#[actix_web::test]
async fn cursors() {
    let it = fixture().await;
    let mut cursor = it.app.feed("").await.cursor().to_owned();
    let mut all = Vec::new();
    for round in 0..5 {
        let mut new = Vec::new();
        for _ in 0..=round {
            new.push(it.revoke_one().await);
        }
        let feed = it.app.feed_after(&cursor).await;
        assert_eq!(feed.entries().len(), new.len(), "round {round}: what is new, and nothing else");
        assert!(new.iter().all(|text| feed.about(text).is_some()), "round {round}");
        let again = it.app.feed_after(&cursor).await;
        assert_eq!(again.entries(), feed.entries(), "round {round}: the same cursor again");
        feed.cursor().clone_into(&mut cursor);
        let nothing = it.app.feed_after(&cursor).await;
        assert_eq!(nothing.entries(), &Vec::<Value>::new(), "round {round}");
        all.extend(new);
    }
    let whole = it.app.feed("").await;
    assert!(all.iter().all(|text| whole.about(text).is_some()), "from the beginning");
    assert_eq!(whole.entries().len(), all.len());
}

/// What is no cursor of this server's, or no longer one, is answered with everything.
#[actix_web::test]
async fn unknown_cursors() {
    let mut it = fixture().await;
    let known = it.app.feed("").await.cursor().to_owned();
    let first = it.revoke_one().await;
    for wrong in ["nonsense", "", "0", "-1", "999999999999999999999", "a.b.c"] {
        let feed = it.app.feed_after(wrong).await;
        assert!(feed.about(&first).is_some(), "{wrong:?} hides a revocation");
    }
    let late = it.app.feed("").await.cursor().to_owned();
    it.app.restart(|_| {}).await;
    let second = it.revoke_one().await;
    for cursor in [&known, &late] {
        let feed = it.app.feed_after(cursor).await;
        assert!(feed.about(&second).is_some(), "a cursor from before a restart hides a revocation");
    }
    assert!(it.app.feed_after(&known).await.about(&first).is_some(), "from before it, likewise");
    assert!(it.app.feed("").await.about(&first).is_some(), "revoked before a restart");
    let again = it.app.feed(&format!("cursor={}", "x".repeat(4_000))).await;
    assert!(again.about(&first).is_some(), "a very long one");
}

/// A cursor of a process that is gone, and of a database that was further: a backup was restored since.
#[actix_web::test]
async fn a_cursor_of_the_future() {
    let it = fixture().await;
    let first = it.revoke_one().await;
    let feed = it.app.feed_after("1042.7f3c.18").await;
    assert!(feed.about(&first).is_some(), "it hides a revocation: {:?}", feed.entries());
}

#[actix_web::test]
async fn parameters() {
    let it = fixture().await;
    for wrong in [
        "wait_seconds=-1",
        "wait_seconds=26",
        "wait_seconds=x",
        "wait_seconds=",
        "wait_seconds=1.5",
        "colour=blue",
    ] {
        let reply = it.app.send(get(FEED).query(wrong)).await;
        assert!([400, 422].contains(&reply.status), "{wrong}: {} {}", reply.status, reply.text());
        assert_eq!(reply.json()["error"], "invalid_request", "{wrong}: {}", reply.text());
    }
    it.app.feed("wait_seconds=0").await;
    // Without a cursor, everything is new.
    it.revoke_one().await;
    let began = Instant::now();
    assert_eq!(it.app.feed("wait_seconds=25").await.entries().len(), 1);
    assert!(began.elapsed() < Duration::from_secs(5), "there was something to tell");
    let token = it.app.admin_token().await;
    it.app.send(get(FEED).bearer(&token)).await.expect(200, "a credential that nobody asked for");
    it.app.send(get(FEED).bearer("nonsense")).await.expect(200, "nor looks at");
}

/// A reading that waits is answered when something is revoked: at once, and everybody who waits.
#[actix_web::test]
async fn waiting() {
    let it = fixture().await;
    let key = it.app.key(&id(&it).await, &["points:read"]).await;
    let cursor = it.app.feed("").await.cursor().to_owned();
    let query = format!("cursor={cursor}&wait_seconds=25");
    let began = Instant::now();
    let readings = join_all((0..5).map(|_| it.app.feed(&query)));
    let revocation = async {
        sleep(Duration::from_millis(200)).await;
        it.revoke_one().await
    };
    let both = timeout(Duration::from_secs(20), join(readings, revocation)).await;
    let (feeds, text) = both.expect("a reading that waits hears of a revocation");
    assert!(began.elapsed() >= Duration::from_millis(200), "nothing was there to be told before");
    assert!(began.elapsed() < Duration::from_secs(3), "at once: {:?}", began.elapsed());
    for feed in &feeds {
        assert!(feed.about(&text).is_some(), "{:?}", feed.entries());
    }
    let query = format!("cursor={}&wait_seconds=25", feeds[0].cursor());
    let revocation = async {
        sleep(Duration::from_millis(100)).await;
        it.app.revoke_key(&key.id).await
    };
    let both = timeout(Duration::from_secs(20), join(it.app.feed(&query), revocation)).await;
    let (feed, _) = both.expect("of a key, too");
    assert!(feed.about(&format!("credential:{}", key.id)).is_some(), "{:?}", feed.entries());
}

async fn id(it: &Fixture) -> String {
    let tenants = it.app.ok(get(&admin("tenants"))).await;
    tenants["data"][0]["id"].as_str().unwrap().to_owned()
}

/// Without anything new it waits so long and no longer, and answers with nothing; what revokes nothing wakes nobody.
#[actix_web::test]
async fn waiting_in_vain() {
    let it = fixture().await;
    let cursor = it.app.feed("").await.cursor().to_owned();
    let began = Instant::now();
    let query = format!("cursor={cursor}&wait_seconds=1");
    let reading = timeout(Duration::from_secs(10), it.app.feed(&query));
    let other = async {
        sleep(Duration::from_millis(100)).await;
        it.app.create("tenants", &json!({ "name": "New", "slug": "new" })).await
    };
    let (feed, _) = join(reading, other).await;
    let feed = feed.expect("it comes to an end");
    assert_eq!(feed.entries(), &Vec::<Value>::new());
    assert!(began.elapsed() >= Duration::from_millis(900), "it waited {:?}", began.elapsed());
    let text = it.revoke_one().await;
    let feed = it.app.feed_after(feed.cursor()).await;
    assert!(feed.about(&text).is_some(), "its cursor goes on");
}

/// What is revoked on one node is in the feed of the other within a second, and a reading that waits there hears of it.
#[actix_web::test]
async fn on_another_node() {
    let it = fixture().await;
    let there = it.app.neighbour().await;
    let cursor = there.feed("").await.cursor().to_owned();
    let query = format!("cursor={cursor}&wait_seconds=25");
    let began = Instant::now();
    let revocation = async {
        sleep(Duration::from_millis(100)).await;
        it.revoke_one().await
    };
    let both = timeout(Duration::from_secs(20), join(there.feed(&query), revocation)).await;
    let (feed, text) = both.expect("the other node's reading hears of it");
    assert!(feed.about(&text).is_some(), "{:?}", feed.entries());
    // As long again as it may take, for a machine that is busy with other tests.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // A reader that changes over to the other node loses nothing.
    let here = it.app.feed("").await.cursor().to_owned();
    let next = it.revoke_one().await;
    let wait = format!("cursor={here}&wait_seconds=2");
    let feed = there.feed(&wait).await;
    let found = feed.about(&next).is_some() || there.feed_after(feed.cursor()).await.about(&next).is_some();
    assert!(found, "{:?}", feed.entries());
}

/// A revocation that failed is in no feed, and a success is in it when its reply is there.
#[actix_web::test]
async fn no_sooner_and_no_later() {
    use std::sync::atomic::Ordering;
    let it = fixture().await;
    let cursor = it.app.feed("").await.cursor().to_owned();
    let path = admin(&format!("applications/{}", it.client.id));
    let off = || crate::support::patch(&path).json(&json!({ "status": "disabled" }));
    it.app.store.no_writes.store(true, Ordering::SeqCst);
    it.app.admin(off()).await.expect(503, "the disk is full");
    it.app.store.no_writes.store(false, Ordering::SeqCst);
    assert_eq!(it.app.feed_after(&cursor).await.entries(), &Vec::<Value>::new());
    it.app.admin(off()).await.expect(200, "disabled");
    let feed = it.app.feed_after(&cursor).await;
    assert!(feed.about(&format!("client:{}", it.client.client_id)).is_some());
    let stranger = post("/oauth2/revoke").form(&[("token", "x")]);
    it.app.send(stranger).await.expect(401, "nobody");
    let feed = it.app.feed_after(feed.cursor()).await;
    assert_eq!(feed.entries(), &Vec::<Value>::new());
}
