//! Several processes on one database.

use std::{collections::HashSet, thread, time::Duration};

use reqwest::blocking::Client;
use serde_json::Value;

use crate::support::{Database, PUBLIC_URL, Server, eventually, postgres, sqlite, text};

fn kids(server: &Server) -> HashSet<String> {
    let jwks: Value = Client::new().get(server.url("/.well-known/jwks.json")).send().unwrap().json().unwrap();
    jwks["keys"].as_array().unwrap().iter().map(|key| text(key, "/kid")).collect()
}

fn start(database: &Database) -> Server {
    Server::start_with(database, &[("KEYWARD_PUBLIC_URL", PUBLIC_URL)])
}

/// Whether a server takes a token for good.
fn introspects(server: &Server, (id, secret): &(String, String), token: &str) -> bool {
    let request = Client::new().post(server.url("/oauth2/introspect")).basic_auth(id, Some(secret));
    let reply: Value = request.form(&[("token", token)]).send().unwrap().json().unwrap();
    reply["active"].as_bool().unwrap()
}

#[test]
fn processes_that_start_together_make_one_key_set() {
    let database = postgres();
    let servers: Vec<Server> = thread::scope(|scope| {
        let starting: Vec<_> = (0..3).map(|_| scope.spawn(|| start(&database))).collect();
        starting.into_iter().map(|server| server.join().unwrap()).collect()
    });
    let first = kids(&servers[0]);
    assert_eq!(first.len(), 3, "one key for each algorithm");
    for server in &servers {
        assert_eq!(kids(server), first);
    }
    let client = database.admin_client();
    let token = servers[0].token(&client);
    for server in &servers {
        eventually(Duration::from_secs(1), "the client is known everywhere", || {
            introspects(server, &client, &token)
        });
    }
}

/// What a command or another node writes counts within a second.
fn commands_count_for_a_running_server(database: &Database) {
    let server = start(database);
    let client = database.admin_client();
    let admin = server.admin(&client);
    let before = kids(&server);
    let listed = database.run(&["signing-key", "rotate"]);
    assert_eq!(listed.lines().filter(|line| line.contains("published")).count(), 3, "{listed}");
    eventually(Duration::from_secs(1), "the new keys are published", || {
        kids(&server).len() == before.len() + 3
    });
    assert!(kids(&server).is_superset(&before), "the old keys stay as long as their tokens live");
    let events = admin.events("&action=signing_key.created");
    assert_eq!(events.len(), 6);
    assert_eq!(events.iter().filter(|event| event["actor"]["type"] == "operator").count(), 3);
}

#[test]
fn commands_count_for_a_running_server_on_sqlite() {
    commands_count_for_a_running_server(&sqlite());
}

#[test]
fn commands_count_for_a_running_server_on_postgres() {
    commands_count_for_a_running_server(&postgres());
}

#[test]
fn a_change_on_one_node_counts_on_the_others() {
    let database = postgres();
    let (one, other) = (start(&database), start(&database));
    let admin = one.admin(&database.admin_client());
    let (application, client) = admin.api_client("acme", "ES256");
    let token = one.token(&client);
    eventually(Duration::from_secs(1), "known there", || introspects(&other, &client, &token));
    let id = text(&application, "/id");
    let disable = admin.request(reqwest::Method::PATCH, &format!("applications/{id}"));
    assert_eq!(disable.json(&serde_json::json!({ "status": "disabled" })).send().unwrap().status(), 200);
    assert_eq!(
        one.ask_token(&Client::new(), &client).unwrap().status(),
        401,
        "at once on the answering node"
    );
    eventually(Duration::from_secs(1), "refused on the other node", || {
        other.ask_token(&Client::new(), &client).unwrap().status() == 401
    });
}
