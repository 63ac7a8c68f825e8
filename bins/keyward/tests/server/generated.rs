//! What is made from the OpenAPI document that the server hands out: a client with types, and requests of every kind.

use std::{env, path::PathBuf, process::Command};

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{Admin, Database, PUBLIC_URL, Server, postgres, sqlite, text};

const SUPER_ADMIN: &str = "root@keyward.example";

fn start(database: &Database) -> (Server, Admin) {
    let server = Server::start_with(database, &[("KEYWARD_PUBLIC_URL", PUBLIC_URL)]);
    database.run(&["admin", "create", "--email", SUPER_ADMIN]);
    let base = server.url("/api/v1/admin");
    let admin = Admin { http: Client::new(), base, token: token(database, SUPER_ADMIN) };
    (server, admin)
}

fn token(database: &Database, email: &str) -> String {
    database.run(&["admin", "token", "--email", email]).trim().to_owned()
}

/// Runs a script, which must succeed and verify this many things.
fn passes(script: &str, server: &Server, settings: &[(&str, String)], count: usize) {
    let python = env::var_os("KEYWARD_TEST_PYTHON")
        .expect("KEYWARD_TEST_PYTHON is not set: run this test by scripts/test");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python");
    let output = Command::new(python)
        .arg(folder.join(script))
        .env("KEYWARD_URL", &server.address)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}:\n{out}{err}");
    assert_eq!(out.matches("verified: ").count(), count, "{script}:\n{out}");
}

fn client(database: &Database) {
    let (server, admin) = start(database);
    passes("generated_client.py", &server, &[("ADMIN_TOKEN", admin.token)], 12);
}

#[test]
fn a_generated_client_on_sqlite() {
    client(&sqlite());
}

#[test]
fn a_generated_client_on_postgresql() {
    client(&postgres());
}

/// Requests of five callers; every seed makes others.
fn requests(database: &Database, seed: u32) {
    let (server, admin) = start(database);
    let partner = text(&admin.create("partners", &json!({ "name": "Own", "slug": "own" })), "/id");
    let own = json!({ "name": "Own", "slug": "own", "partner_id": partner });
    let tenant = text(&admin.create("tenants", &own), "/id");
    let tiers = [("partner_admin", "partner_id", &partner), ("tenant_admin", "tenant_id", &tenant)];
    let [partner_admin, tenant_admin] = tiers.map(|(tier, field, id)| {
        let email = format!("{tier}@keyward.example");
        admin.create("users", &json!({ "email": email, "admin_role": tier, field: id }));
        token(database, &email)
    });
    let made = database.run(&["admin", "create-client", "reader", "--scope", "admin:read", "-o", "json"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let reader = server.token(&(text(&made, "/client_id"), text(&made, "/client_secret")));
    let settings = [
        ("ADMIN_TOKEN", admin.token),
        ("PARTNER_ADMIN_TOKEN", partner_admin),
        ("TENANT_ADMIN_TOKEN", tenant_admin),
        ("READER_TOKEN", reader),
        ("PARTNER", partner),
        ("TENANT", tenant),
        ("SEED", seed.to_string()),
    ];
    passes("fuzz_api.py", &server, &settings, 5);
}

#[test]
fn requests_of_every_kind_on_sqlite() {
    requests(&sqlite(), 1);
}

#[test]
fn requests_of_every_kind_on_postgresql() {
    requests(&postgres(), 2);
}
