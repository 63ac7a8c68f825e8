//! Operations at the command line.

use crate::support::{Database, Server, postgres, sqlite, stderr, text};
use serde_json::Value;

fn migrations_are_listed_and_run(database: &Database) {
    Server::start(database).stop();
    let status = database.run(&["migrate", "status"]);
    assert!(status.lines().count() >= 1 && status.lines().all(|line| line.starts_with("done")), "{status}");
    assert_eq!(database.run(&["migrate", "up"]), status);
}

#[test]
fn migrations_are_listed_and_run_on_sqlite() {
    migrations_are_listed_and_run(&sqlite());
}

#[test]
fn migrations_are_listed_and_run_on_postgres() {
    migrations_are_listed_and_run(&postgres());
}

#[test]
fn a_client_is_made_on_the_machine_and_works() {
    let database = sqlite();
    let made = database.run(&["admin", "create-client", "ops", "--scope", "admin:read", "-o", "json"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let client = (text(&made, "/client_id"), text(&made, "/client_secret"));
    assert_eq!(client.0, "ops");
    let server = Server::start(&database);
    let admin = server.admin(&client);
    assert_eq!(admin.get("tenants")["data"], Value::Array(Vec::new()));
    let created = admin.events("&action=application.created");
    assert_eq!(created[0]["actor"]["type"], "operator");
    let again = database.keyward(&["admin", "create-client", "ops"]).output().unwrap();
    assert!(
        !again.status.success() && stderr(&again).contains("has this client_id already"),
        "{}",
        stderr(&again)
    );
    let unknown = database.keyward(&["admin", "create-client", "x", "--scope", "no:such"]).output().unwrap();
    assert!(!unknown.status.success() && stderr(&unknown).contains("no:such"), "{}", stderr(&unknown));
}

#[test]
fn a_client_of_the_configuration_is_made_once() {
    let database = sqlite();
    let secret = with_checksum(&format!("kws_live_{}", "a".repeat(43)));
    let settings = [
        ("KEYWARD_BOOTSTRAP__CLIENT_ID", "terraform"),
        ("KEYWARD_BOOTSTRAP__CLIENT_SECRET", secret.as_str()),
    ];
    for _ in 0..2 {
        let server = Server::start_with(&database, &settings);
        let admin = server.admin(&("terraform".to_owned(), secret.clone()));
        assert_eq!(admin.get("applications")["pagination"]["total"], 1);
        server.stop();
    }
}

/// A credential with its checksum, reckoned apart from the server.
fn with_checksum(covered: &str) -> String {
    let mut crc = u32::MAX;
    for byte in covered.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let (mut rest, mut digits) = (!crc, Vec::new());
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for _ in 0..6 {
        digits.push(char::from(alphabet[(rest % 62) as usize]));
        rest /= 62;
    }
    format!("{covered}{}", digits.iter().rev().collect::<String>())
}
