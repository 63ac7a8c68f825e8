//! Nothing that was acknowledged is lost when the process is killed under load.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{Database, PUBLIC_URL, Server, claims, postgres, sqlite, text};

const CYCLES: usize = 20;
const WRITERS: usize = 4;
const ASKERS: usize = 4;
const LOAD: Duration = Duration::from_millis(300);

/// What the server acknowledged.
#[derive(Default)]
struct Ledger {
    roles: Mutex<HashSet<String>>,
    tokens: Mutex<HashSet<String>>,
}

fn settings() -> Vec<(&'static str, &'static str)> {
    vec![("KEYWARD_PUBLIC_URL", PUBLIC_URL), ("KEYWARD_LOG__LEVEL", "warn")]
}

fn under_load(server: Server, client: &(String, String), ledger: &Ledger, names: &AtomicU32) {
    let (http, token, stop) = (Client::new(), server.token(client), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let name = format!("role {}", names.fetch_add(1, Ordering::SeqCst));
                    let request = http.post(server.url("/api/v1/admin/roles")).bearer_auth(&token);
                    let Ok(reply) = request.json(&json!({ "name": name })).send() else { return };
                    if reply.status() == 201
                        && let Ok(role) = reply.json::<Value>()
                    {
                        ledger.roles.lock().unwrap().insert(text(&role, "/id"));
                    }
                }
            });
        }
        for _ in 0..ASKERS {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let Ok(reply) = server.ask_token(&http, client) else { return };
                    if reply.status() == 200
                        && let Ok(answer) = reply.json::<Value>()
                    {
                        let jti = text(&claims(&text(&answer, "/access_token")), "/jti");
                        ledger.tokens.lock().unwrap().insert(jti);
                    }
                }
            });
        }
        thread::sleep(LOAD);
        // In the middle of everything; the requests in flight fail, and their threads end.
        server.signal("KILL");
        thread::sleep(Duration::from_millis(50));
        stop.store(true, Ordering::SeqCst);
    });
    server.kill();
}

fn nothing_is_lost(database: &Database) {
    let client = database.admin_client();
    let (ledger, names) = (Ledger::default(), AtomicU32::new(0));
    for cycle in 0..CYCLES {
        let began = Instant::now();
        let server = Server::start_with(database, &settings());
        assert!(began.elapsed() < Duration::from_secs(5), "cycle {cycle}: slow after a crash");
        under_load(server, &client, &ledger, &names);
    }
    let server = Server::start_with(database, &settings());
    let admin = server.admin(&client);
    let events = admin.events("");
    let about: HashSet<String> = events
        .iter()
        .filter_map(|event| event.pointer("/resource/id")?.as_str().map(str::to_owned))
        .collect();
    let (roles, tokens) = (ledger.roles.into_inner().unwrap(), ledger.tokens.into_inner().unwrap());
    assert!(
        roles.len() > CYCLES && tokens.len() > CYCLES,
        "too little load: {} and {}",
        roles.len(),
        tokens.len()
    );
    for jti in &tokens {
        assert!(about.contains(jti), "the audit record of token {jti} is lost");
    }
    let mut stored = HashSet::new();
    let pages = admin.get("roles?per_page=100").pointer("/pagination/total_pages").unwrap().as_u64().unwrap();
    for page in 1..=pages {
        let list = admin.get(&format!("roles?per_page=100&page={page}"));
        stored.extend(list["data"].as_array().unwrap().iter().map(|role| text(role, "/id")));
    }
    for id in &roles {
        assert!(stored.contains(id), "role {id} is lost");
        assert!(about.contains(id), "the audit record of role {id} is lost");
    }
    // No write without its record either, acknowledged or not.
    for id in &stored {
        assert!(about.contains(id), "role {id} has no audit record");
    }
    server.stop();
    let verdict = database.run(&["audit", "verify"]);
    assert!(verdict.contains("is whole"), "{verdict}");
}

#[test]
fn nothing_is_lost_on_sqlite() {
    nothing_is_lost(&sqlite());
}

#[test]
fn nothing_is_lost_on_postgres() {
    nothing_is_lost(&postgres());
}
