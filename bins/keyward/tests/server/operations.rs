//! Health, metrics, logs, and an orderly end.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use reqwest::{Method, blocking::Client};
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

/// The forms in which a secret could be written down: as it is, in hexadecimal, and in base64 at each of the three places
/// that a byte can have in it. It has no characters that URLs would have to encode.
fn forms(secret: &str) -> Vec<String> {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    let random = &secret[9..30];
    let hex = keyward_model::hex(random.as_bytes());
    let base64 = (0..3).map(|skipped| STANDARD_NO_PAD.encode(&random.as_bytes()[skipped..skipped + 18]));
    [random.to_owned(), hex.to_uppercase(), hex].into_iter().chain(base64).collect()
}

/// Wherever somebody sends a secret, on purpose or by mistake, it gets into no log, audit record, database file or metric.
#[test]
fn no_secret_is_written_down() {
    let database = sqlite();
    let client = database.admin_client();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let metrics = format!("127.0.0.1:{port}");
    let settings = [
        ("KEYWARD_LOG__LEVEL", "debug"),
        ("KEYWARD_LOG__FORMAT", "json"),
        ("KEYWARD_METRICS__BIND", &metrics),
    ];
    let server = Server::start_with(&database, &settings);
    let (http, secret) = (Client::new(), client.1.as_str());
    let endpoint = server.url("/oauth2/token");
    let grant = [("grant_type", "client_credentials")];
    let send = |request: reqwest::blocking::RequestBuilder| request.send().unwrap().status().as_u16();
    let admin = server.admin(&client);
    let (application, made) = admin.api_client("acme", "ES256");
    let named = json!({ "name": "Till", "tenant_id": application["tenant_id"] });
    let keys = [admin.create("api-keys", &named), admin.create("api-keys", &named)];
    let agent = admin.create("agents", &named);
    let values = [text(&keys[0], "/value"), text(&keys[1], "/value")];
    let agent = text(&agent, "/secret/value");
    assert_eq!(send(admin.request(Method::POST, &format!("api-keys/{}/revoke", text(&keys[1], "/id")))), 200);
    for secret in [secret, &made.1, &values[0], &agent] {
        assert_eq!(send(http.post(format!("{endpoint}?client_secret={secret}")).form(&grant)), 400);
        assert_eq!(send(http.post(&endpoint).basic_auth(secret, Some(secret)).form(&grant)), 401);
        let body = [grant[0], ("client_id", secret), ("client_secret", secret)];
        assert_eq!(send(http.post(&endpoint).form(&body)), 401);
        assert_eq!(send(http.get(server.url(&format!("/{secret}")))), 404);
        assert_eq!(send(http.get(server.url(&format!("/forward-auth?permission={secret}")))), 401);
        assert_eq!(send(admin.request(Method::GET, &format!("applications?q={secret}"))), 200);
        let odd = http.post(&endpoint).basic_auth(&client.0, Some(&client.1)).form(&grant);
        assert_eq!(send(odd.header("User-Agent", secret).header("X-Request-Id", secret)), 200);
    }
    for (key, expected) in [(&values[0], 200), (&values[1], 401)] {
        let forward = http.get(server.url("/forward-auth?require=api_key"));
        assert_eq!(send(forward.header("X-Api-Key", key)), expected);
    }
    let written = [
        ("the audit log", Value::from(admin.events("")).to_string()),
        ("the log", server.log()),
        ("the metrics", http.get(format!("http://{metrics}/metrics")).send().unwrap().text().unwrap()),
    ];
    assert!(written[1].1.contains("\"route\":\"/api/v1/admin/applications\""), "{}", written[1].1);
    assert!(written[2].1.contains("keyward_api_key_checks_total"), "{}", written[2].1);
    assert!(written[1].1.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let read = |file: &str| std::fs::read(database.file().with_file_name(file)).unwrap_or_default();
    let files = ["keyward.db", "keyward.db-wal"].map(|file| (file, read(file)));
    for secret in [secret, &made.1, &values[0], &values[1], &agent] {
        for form in forms(secret) {
            for (place, text) in &written {
                assert!(!text.contains(&form), "{form} of {secret} in {place}");
            }
            for (file, bytes) in &files {
                let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{form} of {secret} in {file}");
            }
        }
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
