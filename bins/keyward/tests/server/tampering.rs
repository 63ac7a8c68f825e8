//! `audit verify` names the first record that was changed, removed or moved.

use std::process::Output;

use crate::support::{Database, Server, postgres, sqlite, stderr};

/// A database with some events in two chains, each of one run of the server.
fn with_history(database: Database) -> Database {
    let client = database.admin_client();
    for _ in 0..2 {
        let server = Server::start(&database);
        for _ in 0..5 {
            server.token(&client);
        }
        server.stop();
    }
    database
}

fn verify(database: &Database) -> Output {
    database.keyward(&["audit", "verify"]).output().unwrap()
}

fn whole(database: &Database) {
    let output = verify(database);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("is whole") && !said.contains(" 0 signed checkpoints"), "{said}");
}

/// The log is not whole, and the first fault is named by `says`.
fn broken(database: &Database, says: &[&str]) {
    let output = verify(database);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    for part in says {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

/// The chain that has a record at number 4, the newest of them.
const CHAIN: &str = "(SELECT chain FROM audit_events WHERE seq = 4 ORDER BY id DESC LIMIT 1)";

fn every_kind_of_tampering_is_found(make: impl Fn() -> Database) {
    let check = |sql: &str, says: &[&str]| {
        let database = with_history(make());
        whole(&database);
        database.execute(sql);
        broken(&database, says);
    };
    check(
        &format!("UPDATE audit_events SET ip = '192.0.2.1' WHERE seq = 4 AND chain = {CHAIN};"),
        &["number 4", "was changed"],
    );
    check(
        &format!("DELETE FROM audit_events WHERE seq = 4 AND chain = {CHAIN};"),
        &["number 4", "is missing, in front of event evt_"],
    );
    // Two records change places.
    check(
        &format!(
            "UPDATE audit_events SET seq = -4 WHERE seq = 4 AND chain = {CHAIN}; \
             UPDATE audit_events SET seq = 4 WHERE seq = 3 AND chain = (SELECT chain FROM audit_events WHERE seq = -4); \
             UPDATE audit_events SET seq = 3 WHERE seq = -4;"
        ),
        &["number 3", "not in its place"],
    );
    // The end of a chain is cut off, head and all.
    check(
        "DELETE FROM audit_events WHERE seq > 3 AND chain = (SELECT min(chain) FROM audit_events WHERE seq = 4); \
         UPDATE chains SET seq = 3, hash = (SELECT hash FROM audit_events WHERE seq = 3 AND chain = chains.chain) \
         WHERE chain = (SELECT min(chain) FROM chains WHERE seq > 3);",
        &["no longer has its number"],
    );
}

#[test]
fn every_kind_of_tampering_is_found_on_sqlite() {
    every_kind_of_tampering_is_found(sqlite);
}

#[test]
fn every_kind_of_tampering_is_found_on_postgres() {
    every_kind_of_tampering_is_found(postgres);
}

#[test]
fn the_log_can_be_verified_beside_a_running_server() {
    let database = sqlite();
    let client = database.admin_client();
    let server = Server::start(&database);
    server.token(&client);
    assert!(database.run(&["audit", "verify"]).contains("is whole"));
}
