//! Evidence of use of API keys outlives the server: whole when it is told to end, all but the last moments when it is killed.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use reqwest::blocking::Client;
use serde_json::json;

use crate::support::{Database, Server, sqlite, text};

/// How much may be lost with a server that is killed: the second for which uses wait, and the time to store them.
const LOST: Duration = Duration::from_secs(2);

/// A key, by its identifier and value, and who may see how often it was used.
struct Platform {
    database: Database,
    admin: (String, String),
    key: (String, String),
}

impl Platform {
    fn new() -> (Self, Server) {
        let database = sqlite();
        let server = Server::start(&database);
        let client = database.admin_client();
        let admin = server.admin(&client);
        let tenant = text(&admin.create("tenants", &json!({ "name": "Acme", "slug": "acme" })), "/id");
        let key = admin.create("api-keys", &json!({ "name": "till", "tenant_id": tenant }));
        let key = (text(&key, "/id"), text(&key, "/value"));
        (Self { database, admin: client, key }, server)
    }

    /// Uses the key again and again until it can't be any more; when each answer came, and how often it was tried.
    fn use_up(&self, server: &Server) -> (Vec<Instant>, usize) {
        let (http, mut answers, mut tries) = (Client::new(), Vec::new(), 0);
        loop {
            tries += 1;
            let request =
                http.get(server.url("/forward-auth?require=api_key")).header("x-api-key", &self.key.1);
            match request.send() {
                Ok(reply) => assert_eq!(reply.status(), 200),
                Err(_) => return (answers, tries),
            }
            answers.push(Instant::now());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// How often the key was used, as a server says that starts now.
    fn count(&self) -> usize {
        let server = Server::start(&self.database);
        let key = server.admin(&self.admin).get(&format!("api-keys/{}", self.key.0));
        let callers = key["callers"].as_array().unwrap();
        let counts = callers.iter().map(|caller| caller["count"].as_u64().unwrap());
        usize::try_from(counts.sum::<u64>()).unwrap()
    }
}

/// Ends a server that is in use for so long; when the uses were answered and how many were tried, and when it ended.
fn used_until(
    platform: &Platform,
    server: &mut Server,
    after: Duration,
    signal: &str,
) -> (Vec<Instant>, usize, Instant) {
    let stopped = AtomicUsize::new(0);
    let (mut answers, mut tries) = (Vec::new(), 0);
    let mut at = Instant::now();
    thread::scope(|scope| {
        let using = [(); 2].map(|()| {
            scope.spawn(|| {
                let used = platform.use_up(server);
                stopped.fetch_add(1, Ordering::SeqCst);
                used
            })
        });
        thread::sleep(after);
        assert_eq!(stopped.load(Ordering::SeqCst), 0, "the key was good until now");
        at = Instant::now();
        server.signal(signal);
        for used in using {
            let (some, tried) = used.join().unwrap();
            answers.extend(some);
            tries += tried;
        }
    });
    server.ended_within(Duration::from_secs(10)).expect("an end within ten seconds");
    (answers, tries, at)
}

#[test]
fn a_server_that_is_told_to_end_loses_none() {
    let (platform, mut server) = Platform::new();
    let (answers, tries, _) = used_until(&platform, &mut server, Duration::from_millis(1_500), "TERM");
    assert!(answers.len() > 100, "{}", answers.len());
    // What was answered is counted; of the last tries nobody knows.
    let count = platform.count();
    assert!((answers.len()..=tries).contains(&count), "{count} of {} to {tries}", answers.len());
}

#[test]
fn a_server_that_is_killed_loses_the_last_moments() {
    let (platform, mut server) = Platform::new();
    let (answers, tries, at) = used_until(&platform, &mut server, Duration::from_secs(5), "KILL");
    let safe = answers.iter().filter(|answer| **answer + LOST <= at).count();
    assert!(safe > 100, "{safe}");
    let count = platform.count();
    assert!((safe..=tries).contains(&count), "{count} of {safe} to {tries}");
}
