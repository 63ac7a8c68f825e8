//! What each mode takes and refuses, for any example that is configured like `points-api`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use keyward_model::{Clock, SystemClock};
use reqwest::{
    Method,
    blocking::Response,
    header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

use crate::keyward::{Credentials, Keyward};

const HOUR: i64 = 3_600;

/// Credentials for everything that can be right or wrong with them. The API's objects belong to the tenant acme.
struct Fixture {
    keyward: Keyward,
    verifier: Credentials,
    acme: String,
    token: String,
    reader: String,
    expired: String,
    elsewhere: String,
    staging: String,
    stranger: String,
    key: String,
    reader_key: String,
    expired_key: String,
    revoked_key: String,
    staging_key: String,
    stranger_key: String,
    publishable: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn fixture(of: &str) -> Fixture {
    // What is to be expired later is made two hours ago.
    let mut keyward = Keyward::start(-2 * HOUR);
    keyward.permissions(of);
    let (read, all) = (format!("{of}:read"), [format!("{of}:read"), format!("{of}:write")]);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (acme, globex) = (keyward.tenant("acme"), keyward.tenant("globex"));
    let client = keyward.client(&acme, "crm-sync", "production", &all);
    let expired = keyward.token(&client, &[]);
    let key = |keyward: &Keyward, tenant: &Value, more: &Value| {
        let mut body = json!({ "name": "till", "tenant_id": tenant["id"], "permissions": all });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        keyward.create("api-keys", &body)
    };
    let soon = json!({ "expires_at": SystemClock.now().plus_seconds(-HOUR).to_string() });
    let expired_key = text(&key(&keyward, &acme, &soon)["value"]);

    keyward.move_clock(0);
    let revoked_key = key(&keyward, &acme, &json!({}));
    keyward.create(format!("api-keys/{}/revoke", text(&revoked_key["id"])), &json!({}));
    let token = |tenant, name, environment, scopes: &[&str]| {
        keyward.token(&keyward.client(tenant, name, environment, scopes), &[])
    };
    let verifier = json!({
        "type": "service", "reach": "global", "client_id": "the-api", "allowed_scopes": ["keys:verify"]
    });
    Fixture {
        verifier: keyward.application(&verifier),
        acme: text(&acme["id"]),
        token: keyward.token(&client, &[]),
        reader: token(&acme, "reader", "production", &[&read]),
        elsewhere: keyward.token(&client, &[("resource", "https://elsewhere.example")]),
        staging: token(&acme, "staging", "staging", &all),
        stranger: token(&globex, "crm-sync", "production", &all),
        key: text(&key(&keyward, &acme, &json!({}))["value"]),
        reader_key: text(&key(&keyward, &acme, &json!({ "permissions": [read] }))["value"]),
        staging_key: text(&key(&keyward, &acme, &json!({ "environment": "staging" }))["value"]),
        stranger_key: text(&key(&keyward, &globex, &json!({}))["value"]),
        publishable: text(&acme["publishable_key"]),
        revoked_key: text(&revoked_key["value"]),
        expired_key,
        expired,
        keyward,
    }
}

/// An example that runs; stopped when dropped.
struct Example {
    child: Child,
    url: String,
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Example {
    /// Starts an example, which says where it listens.
    fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary);
        command.arg("127.0.0.1:0").envs(variables.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let first = BufReader::new(child.stdout.take().unwrap()).lines().next();
        let first = first.and_then(Result::ok).expect("the example says where it listens");
        let (_, url) = first.split_once(" listens on ").unwrap();
        Self { url: url.to_owned(), child }
    }
}

/// What became of a request: `ok`, or the code of the refusal, whose form is checked.
fn outcome(reply: Response) -> String {
    let status = reply.status().as_u16();
    let header = |name| reply.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (content_type, challenge) = (header(CONTENT_TYPE), header(WWW_AUTHENTICATE));
    let body: Value = reply.json().unwrap();
    if status == 200 {
        assert!(body["called_by"].is_string(), "{body}");
        return "ok".to_owned();
    }
    assert_eq!(content_type, "application/problem+json", "{body}");
    assert_eq!(body["status"], status);
    let code = text(&body["code"]);
    let error = if code == "permission_denied" { "insufficient_scope" } else { "invalid_token" };
    assert!(challenge.starts_with(&format!("Bearer error=\"{error}\"")), "{challenge}");
    code
}

/// Runs an example in each mode, and asks it for `/{of}/{tenant}` with every kind of credential; `body` is what it
/// takes to write.
pub(crate) fn each_mode(binary: &str, of: &str, body: &Value) {
    let it = &fixture(of);
    for (mode, cases) in
        [("bearer", bearer(it)), ("api_key", api_key(it)), ("either", either(it)), ("both", both(it))]
    {
        let example = Example::start(
            binary,
            &[
                ("KEYWARD_ISSUER", &it.keyward.url),
                ("KEYWARD_MODE", mode),
                ("KEYWARD_CLIENT_ID", &it.verifier.0),
                ("KEYWARD_CLIENT_SECRET", &it.verifier.1),
            ],
        );
        for (method, token, key, expected) in cases {
            let what = format!("{mode} {method} {token:.20} {key:.12}");
            let url = format!("{}/{of}/{}", example.url, it.acme);
            let mut request = it.keyward.http.request(method.clone(), url);
            if method == Method::POST {
                request = request.json(body);
            }
            if !token.is_empty() {
                request = request.header(AUTHORIZATION, token);
            }
            if !key.is_empty() {
                request = request.header("x-api-key", key);
            }
            assert_eq!(outcome(request.send().unwrap()), expected, "{what}");
        }
    }
}

/// Method, `Authorization`, `X-Api-Key` (neither is sent when it is empty), and what comes of them.
type Case<'a> = (Method, String, &'a str, &'static str);

const GET: Method = Method::GET;
const POST: Method = Method::POST;

fn with(token: &str) -> String {
    format!("Bearer {token}")
}

fn nothing() -> String {
    String::new()
}

fn bearer(it: &Fixture) -> Vec<Case<'_>> {
    vec![
        (GET, with(&it.token), "", "ok"),
        (POST, with(&it.token), "", "ok"),
        (GET, with(&it.reader), "", "ok"),
        (POST, with(&it.reader), "", "permission_denied"),
        (GET, nothing(), "", "credentials_missing"),
        (GET, nothing(), &it.key, "credentials_missing"),
        (GET, it.token.clone(), "", "scheme_missing"),
        (GET, with("nonsense"), "", "token_malformed"),
        (GET, with(&it.key), "", "token_malformed"),
        (GET, with(&it.expired), "", "token_expired"),
        (GET, with(&it.elsewhere), "", "token_wrong_audience"),
        (GET, with(&it.staging), "", "token_wrong_environment"),
        // The guard lets this caller in, the handler does not.
        (GET, with(&it.stranger), "", "tenant_mismatch"),
        (POST, with(&it.stranger), "", "tenant_mismatch"),
    ]
}

fn api_key(it: &Fixture) -> Vec<Case<'_>> {
    vec![
        (GET, nothing(), &it.key, "ok"),
        (POST, nothing(), &it.key, "ok"),
        (GET, nothing(), &it.reader_key, "ok"),
        (POST, nothing(), &it.reader_key, "permission_denied"),
        (GET, nothing(), "", "credentials_missing"),
        (GET, with(&it.token), "", "credentials_missing"),
        (GET, nothing(), "nonsense", "key_invalid"),
        (GET, nothing(), &it.verifier.1, "key_invalid"),
        (GET, nothing(), &it.expired_key, "key_expired"),
        (GET, nothing(), &it.revoked_key, "key_revoked"),
        (GET, nothing(), &it.staging_key, "token_wrong_environment"),
        (GET, nothing(), &it.publishable, "permission_denied"),
        (GET, nothing(), &it.stranger_key, "tenant_mismatch"),
    ]
}

fn either(it: &Fixture) -> Vec<Case<'_>> {
    vec![
        (GET, with(&it.token), "", "ok"),
        (GET, nothing(), &it.key, "ok"),
        (GET, with(&it.token), &it.key, "ok"),
        (GET, with(&it.token), &it.publishable, "ok"),
        (POST, with(&it.reader), "", "permission_denied"),
        (GET, nothing(), "", "credentials_missing"),
        (GET, nothing(), &it.publishable, "permission_denied"),
        (GET, with(&it.expired), &it.key, "token_expired"),
        (GET, with(&it.token), "nonsense", "key_invalid"),
        (GET, nothing(), &it.staging_key, "token_wrong_environment"),
        (GET, with(&it.stranger), &it.key, "tenant_mismatch"),
        (GET, nothing(), &it.stranger_key, "tenant_mismatch"),
    ]
}

fn both(it: &Fixture) -> Vec<Case<'_>> {
    vec![
        (GET, with(&it.token), &it.key, "ok"),
        (POST, with(&it.token), &it.key, "ok"),
        // The publishable key names the tenant; the token has the permission.
        (POST, with(&it.token), &it.publishable, "ok"),
        (POST, with(&it.reader), &it.publishable, "permission_denied"),
        (POST, with(&it.token), &it.reader_key, "permission_denied"),
        (GET, nothing(), "", "credentials_missing"),
        (GET, with(&it.token), "", "credentials_missing"),
        (GET, nothing(), &it.key, "credentials_missing"),
        (GET, with(&it.expired), &it.key, "token_expired"),
        (GET, with(&it.token), &it.expired_key, "key_expired"),
        (GET, with(&it.token), "nonsense", "key_invalid"),
        (GET, with(&it.staging), &it.key, "token_wrong_environment"),
        (GET, with(&it.token), &it.staging_key, "token_wrong_environment"),
        (GET, with(&it.stranger), &it.key, "tenant_mismatch"),
        (GET, with(&it.stranger), &it.publishable, "tenant_mismatch"),
        (GET, with(&it.stranger), &it.stranger_key, "tenant_mismatch"),
    ]
}
