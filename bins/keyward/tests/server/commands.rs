//! Operations at the command line.

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{Admin, Database, PUBLIC_URL, Server, postgres, sqlite, stderr, text};

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

/// The first administrator, made beside a running server, administrates by a token made on the machine.
#[test]
fn an_administrator_is_made_on_the_machine_and_works() {
    let database = sqlite();
    let server = Server::start_with(&database, &[("KEYWARD_PUBLIC_URL", PUBLIC_URL)]);
    let id = database.run(&["admin", "create", "--email", "Ada@acme.example", "--name", "Ada"]);
    assert!(id.starts_with("usr_"), "{id}");
    let again = database.keyward(&["admin", "create", "--email", "ada@acme.example"]).output().unwrap();
    assert!(
        !again.status.success() && stderr(&again).contains("has this email already"),
        "{}",
        stderr(&again)
    );
    let token = database.run(&["admin", "token", "--email", "ada@ACME.example"]).trim().to_owned();
    let admin = Admin { http: Client::new(), base: server.url("/api/v1/admin"), token };
    let partner = admin.create("partners", &json!({ "name": "Northwind", "slug": "northwind" }));
    assert_eq!(admin.get("partners")["data"][0]["id"], partner["id"]);
    let issued = &admin.events("&action=user.token_issued")[0];
    assert_eq!(
        (&issued["actor"]["type"], &issued["resource"]["id"]),
        (&json!("operator"), &json!(id.trim()))
    );
    let nobody = database.keyward(&["admin", "token", "--email", "nobody@acme.example"]).output().unwrap();
    assert!(!nobody.status.success() && stderr(&nobody).contains("there is no user"), "{}", stderr(&nobody));
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
