//! Revocations reach every node of one database: at once where they are made, within a quarter of a second elsewhere, and
//! within a second when notifications are lost.
//!
//! A program of its own, because it is about time: no other test runs beside it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]

#[path = "../server/support.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod support;

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use reqwest::{Method, blocking::Client};
use serde_json::{Value, json};

use crate::support::{Admin, Database, PUBLIC_URL, Server, postgres, text};

/// How many keys are revoked in each test.
const KEYS: usize = 1_000;
/// How many are revoked one after the other before all nodes must know.
const GROUP: usize = 50;

/// Held by the test that runs.
static TURN: Mutex<()> = Mutex::new(());

/// An API key: identifier and value.
type Key = (String, String);

fn start(database: &Database) -> Server {
    Server::start_with(database, &[("KEYWARD_PUBLIC_URL", PUBLIC_URL)])
}

fn keys(admin: &Admin) -> Vec<Key> {
    let tenant = text(&admin.create("tenants", &json!({ "name": "Acme", "slug": "acme" })), "/id");
    let item = json!({ "op": "create", "body": { "name": "till", "tenant_id": tenant } });
    let body = json!({ "items": vec![item; KEYS] });
    let reply: Value =
        admin.request(Method::POST, "api-keys/bulk").json(&body).send().unwrap().json().unwrap();
    let made = reply["results"].as_array().unwrap();
    made.iter().map(|result| (text(result, "/id"), text(result, "/value"))).collect()
}

/// Whether a node takes a key, on a connection that is kept.
fn takes(http: &Client, node: &Server, key: &Key) -> bool {
    let reply =
        http.get(node.url("/forward-auth?require=api_key")).header("x-api-key", &key.1).send().unwrap();
    let status = reply.status().as_u16();
    assert!([200, 401].contains(&status), "{status}");
    // The connection is used again once the body was read.
    let _ = reply.bytes();
    status == 200
}

/// When a request that succeeded was last sent to a node, for each key of a group.
fn last_successes(node: &Server, group: &[Key]) -> Vec<Option<Instant>> {
    let http = Client::new();
    let mut last = vec![None; group.len()];
    let mut alive: HashSet<usize> = (0..group.len()).collect();
    while !alive.is_empty() {
        alive.retain(|index| {
            let sent = Instant::now();
            let taken = takes(&http, node, &group[*index]);
            if taken {
                last[*index] = Some(sent);
            }
            taken
        });
        // The nodes need the processors more than who watches them.
        thread::sleep(Duration::from_millis(5));
    }
    last
}

/// Revokes all keys on the first node; how long after each reply a request still succeeded on one of the others.
fn lags(nodes: &[Server; 3], admin: &Admin, keys: &[Key]) -> Vec<Duration> {
    let [first, others @ ..] = nodes;
    let http = Client::new();
    let mut lags = Vec::new();
    for group in keys.chunks(GROUP) {
        let seen = Mutex::new(Vec::new());
        let mut revoked = Vec::new();
        thread::scope(|scope| {
            for node in others {
                let seen = &seen;
                scope.spawn(move || seen.lock().unwrap().push(last_successes(node, group)));
            }
            for key in group {
                assert!(takes(&http, first, key), "a key that works");
                let reply =
                    admin.request(Method::POST, &format!("api-keys/{}/revoke", key.0)).send().unwrap();
                assert_eq!(reply.status(), 200);
                revoked.push(Instant::now());
                assert!(!takes(&http, first, key), "a success on the node that answered");
            }
        });
        for last in seen.into_inner().unwrap() {
            let late = |(last, at): (&Option<Instant>, &Instant)| {
                last.map_or(Duration::ZERO, |last| last.saturating_duration_since(*at))
            };
            lags.extend(last.iter().zip(&revoked).map(late));
        }
    }
    lags.sort_unstable();
    lags
}

/// All of them within the bound.
fn check(lags: &[Duration], bound: Duration) {
    assert_eq!(lags.len(), 2 * KEYS);
    let at = |thousandth: usize| lags[(lags.len() - 1) * thousandth / 1_000];
    println!("half within {:?}, 99 of 100 {:?}, all {:?}", at(500), at(990), at(1_000));
    assert!(at(1_000) <= bound, "one took {:?}", at(1_000));
}

#[test]
fn they_reach_the_other_nodes() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let database = postgres();
    let nodes = [start(&database), start(&database), start(&database)];
    let admin = nodes[0].admin(&database.admin_client());
    let keys = keys(&admin);
    check(&lags(&nodes, &admin, &keys), Duration::from_millis(250));
}

#[test]
fn they_reach_the_other_nodes_without_notifications() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let database = postgres();
    let nodes = [start(&database), start(&database), start(&database)];
    let admin = nodes[0].admin(&database.admin_client());
    let keys = keys(&admin);
    let done = AtomicBool::new(false);
    let (lags, cut_off) = thread::scope(|scope| {
        // Whoever listens is cut off, again and again.
        let cutting = scope.spawn(|| {
            let mut cut_off = 0;
            while !done.load(Ordering::SeqCst) {
                let answer = database.execute(
                    "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = current_database() AND query LIKE 'LISTEN%'",
                );
                cut_off += answer.trim().parse::<usize>().unwrap();
                thread::sleep(Duration::from_millis(200));
            }
            cut_off
        });
        let lags = lags(&nodes, &admin, &keys);
        done.store(true, Ordering::SeqCst);
        (lags, cutting.join().unwrap())
    });
    assert!(cut_off >= nodes.len(), "somebody listened: {cut_off}");
    check(&lags, Duration::from_secs(1));
}
