//! Health, metrics, logs, and an orderly end.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{Server, eventually, sqlite, text};

fn get(url: &str) -> (u16, String) {
    let reply = Client::new().get(url).send().unwrap();
    (reply.status().as_u16(), reply.text().unwrap())
}

#[test]
fn health_is_told_and_metrics_have_a_listener_of_their_own() {
    let database = sqlite();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let client = database.admin_client();
    let server = Server::start_with(&database, &[("KEYWARD_METRICS__BIND", &free)]);
    assert_eq!(get(&server.url("/livez")).0, 200);
    assert_eq!(get(&server.url("/readyz")).0, 200);
    server.token(&client);
    let (status, metrics) = get(&format!("http://{free}/metrics"));
    assert_eq!(status, 200);
    assert!(metrics.contains("keyward_tokens_issued_total 1"), "{metrics}");
    assert!(metrics.contains("keyward_http_requests_total"), "{metrics}");
    assert_eq!(get(&server.url("/metrics")).0, 404, "not on the public listener");
}

/// A request whose end comes after SIGTERM is answered all the same, and readiness goes first.
#[test]
fn what_is_in_flight_ends_well() {
    let database = sqlite();
    let client = database.admin_client();
    let mut server = Server::start(&database);
    let token = server.token(&client);
    let body = json!({ "name": "late" }).to_string();
    let host = server.address.strip_prefix("http://").unwrap().to_owned();
    let mut late = TcpStream::connect(&host).unwrap();
    let head = format!(
        "POST /api/v1/admin/roles HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    late.write_all(head.as_bytes()).unwrap();
    // Kept alive, because new connections may be refused by the time that readiness is asked for.
    let http = Client::new();
    assert_eq!(http.get(server.url("/readyz")).send().unwrap().status(), 200);
    thread::sleep(Duration::from_millis(100));
    server.signal("TERM");
    eventually(Duration::from_millis(290), "readiness is false", || {
        http.get(server.url("/readyz")).send().is_ok_and(|reply| reply.status() == 503)
    });
    thread::sleep(Duration::from_millis(500));
    late.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let status = server.ended_within(Duration::from_secs(10)).expect("an exit within ten seconds");
    assert!(status.success());
}

/// Wherever somebody sends a secret by mistake, it gets into no log and no audit record.
#[test]
fn no_secret_is_written_down() {
    let database = sqlite();
    let client = database.admin_client();
    let settings = [("KEYWARD_LOG__LEVEL", "debug"), ("KEYWARD_LOG__FORMAT", "json")];
    let server = Server::start_with(&database, &settings);
    let (http, secret) = (Client::new(), client.1.as_str());
    let endpoint = server.url("/oauth2/token");
    let grant = [("grant_type", "client_credentials")];
    let send = |request: reqwest::blocking::RequestBuilder| request.send().unwrap().status().as_u16();
    assert_eq!(send(http.post(format!("{endpoint}?client_secret={secret}")).form(&grant)), 400);
    assert_eq!(send(http.post(&endpoint).basic_auth(secret, Some(secret)).form(&grant)), 401);
    assert_eq!(
        send(http.post(&endpoint).form(&[grant[0], ("client_id", secret), ("client_secret", secret)])),
        401
    );
    assert_eq!(send(http.get(server.url(&format!("/{secret}")))), 404);
    let odd = http.post(&endpoint).basic_auth(&client.0, Some(secret)).form(&grant);
    assert_eq!(send(odd.header("User-Agent", secret).header("X-Request-Id", secret)), 200);
    let admin = server.admin(&client);
    let (_, made) = admin.api_client("acme", "ES256");
    let events = Value::from(admin.events("")).to_string();
    let log = server.log();
    for secret in [secret, &made.1] {
        let random = &secret[9..30];
        assert!(!events.contains(random), "in the audit log");
        assert!(!log.contains(random), "in the log");
    }
    assert!(log.contains("\"route\":\"/api/v1/admin/applications\""), "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    for file in ["keyward.db", "keyward.db-wal"] {
        let path = database.file().with_file_name(file);
        let stored = std::fs::read(path).unwrap_or_default();
        assert!(!stored.windows(21).any(|window| window == &secret.as_bytes()[9..30]), "in {file}");
    }
}

#[test]
fn evidence_of_use_survives_a_restart() {
    let database = sqlite();
    let admin_client = database.admin_client();
    let server = Server::start(&database);
    let (application, client) = server.admin(&admin_client).api_client("acme", "ES256");
    let path = format!("applications/{}/secrets", text(&application, "/id"));
    for _ in 0..3 {
        server.token(&client);
    }
    let used = |server: &Server| {
        let secret = server.admin(&admin_client).get(&path)["data"][0].clone();
        assert_eq!(secret["last_used_address"], "127.0.0.1");
        assert_eq!(secret["callers"][0]["count"], secret["use_count"]);
        assert!(secret["last_used_at"].is_string() && secret.get("value").is_none(), "{secret}");
        secret["use_count"].as_u64().unwrap()
    };
    assert_eq!(used(&server), 3);
    server.stop();
    let server = Server::start(&database);
    assert_eq!(used(&server), 3);
    server.token(&client);
    assert_eq!(used(&server), 4);
}
