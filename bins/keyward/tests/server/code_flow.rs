//! The code flow with relying parties that others wrote, unmodified.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    browser::{PASSWORD, super_admin},
    clients::{ALGORITHMS, folder, variable},
    support::{Admin, Server, sqlite, text},
};

const EMAIL: &str = "ada@acme.example";
const NAME: &str = "Ada Lovelace";
const SCOPE: &str = "points:read";

/// An application by which people sign in: its identifier, and its secret if its type has one.
fn application(admin: &Admin, kind: &str, redirect_uri: &str, algorithm: &str) -> (String, Option<String>) {
    let made = admin.create(
        "applications",
        &json!({
            "type": kind, "reach": "global", "client_id": kind, "redirect_uris": [redirect_uri],
            "allowed_scopes": [SCOPE], "token_alg": algorithm
        }),
    );
    let secret = made.pointer("/secret/value").and_then(Value::as_str).map(str::to_owned);
    (text(&made, "/client_id"), secret)
}

/// Runs a relying party with a web application, one in the browser and one on a device; it says what it verified.
fn completes(command: &mut Command, algorithm: &str, expected: usize) {
    let database = sqlite();
    let server = Server::start_with(&database, &[("KEYWARD_SIGN_IN__TOTP_REQUIRED", "")]);
    let admin = server.admin(&database.admin_client());
    admin.create("permissions", &json!({ "resource": "points", "view": SCOPE, "change": [] }));
    super_admin(&database, &server.address, EMAIL, NAME);
    let (web, secret) = application(&admin, "web", "https://web.example/callback", algorithm);
    let (spa, none) = application(&admin, "spa", "https://spa.example/callback", algorithm);
    assert_eq!(none, None, "a secret for what can't keep one");
    let (native, _) = application(&admin, "native", "http://127.0.0.1/callback", algorithm);
    let output = command
        .env("KEYWARD_URL", &server.address)
        .env("WEB_ID", web)
        .env("WEB_SECRET", secret.unwrap())
        .env("SPA_ID", spa)
        .env("NATIVE_ID", native)
        .env("EMAIL", EMAIL)
        .env("NAME", NAME)
        .env("PASSWORD", PASSWORD)
        .env("EXPECT_SCOPE", SCOPE)
        .env("EXPECT_ALG", algorithm)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{algorithm}: {out}{err}\n{}", server.log());
    let verified = out.lines().filter(|line| line.starts_with("verified: ")).count();
    assert_eq!(verified, expected, "{algorithm}: {out}");
}

#[test]
fn openid_client_completes_the_code_flow() {
    for algorithm in ALGORITHMS {
        let script = variable("KEYWARD_TEST_NODE_DIR").join("code-flow.mjs");
        completes(Command::new("node").arg(script), algorithm, 4);
    }
}

#[test]
fn authlib_completes_the_code_flow() {
    for algorithm in ALGORITHMS {
        let script = folder().join("python/authlib_code_flow.py");
        let mut python = Command::new(variable("KEYWARD_TEST_PYTHON"));
        completes(python.arg(script), algorithm, 25);
    }
}
