//! The examples with the server itself: what was revoked reaches them, and they outlive it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, blocking::Client};
use serde_json::{Value, json};

use crate::{
    guide::binaries,
    support::{Admin, Database, Server, eventually, sqlite, text},
};

/// How long a revocation may take to reach a guard.
const BOUND: Duration = Duration::from_secs(2);

/// An example that runs; stopped when dropped.
struct Example {
    child: Child,
    url: String,
    http: Client,
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Example {
    fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binaries().join(name));
        command.arg("127.0.0.1:0").envs(variables.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let first = BufReader::new(child.stdout.take().unwrap()).lines().next();
        let first = first.and_then(Result::ok).expect("the example says where it listens");
        let url = first.strip_prefix(&format!("{name} listens on ")).unwrap().to_owned();
        Self { child, url, http: Client::new() }
    }

    /// `ok`, or why not.
    fn outcome(&self, path: &str, (header, value): (&str, &str)) -> String {
        let reply = self.http.get(format!("{}{path}", self.url)).header(header, value).send().unwrap();
        let (status, body) = (reply.status(), reply.json::<Value>().unwrap());
        if status == 200 { "ok".to_owned() } else { text(&body, "/code") }
    }
}

/// A tenant with an application that reads points and passes, and a key that does, too.
struct Platform {
    admin: Admin,
    tenant: String,
    application: Value,
    key: Value,
}

impl Platform {
    fn new(server: &Server, database: &Database) -> Self {
        let admin = server.admin(&database.admin_client());
        for name in ["points", "passes"] {
            let row = json!({ "resource": name, "view": format!("{name}:read"), "change": [] });
            admin.create("permissions", &row);
        }
        let tenant = text(&admin.create("tenants", &json!({ "name": "Acme", "slug": "acme" })), "/id");
        let all = ["points:read", "passes:read"];
        let application = json!({
            "type": "service", "tenant_id": tenant, "client_id": "crm-sync", "allowed_scopes": all
        });
        let application = admin.create("applications", &application);
        let key = json!({ "name": "till", "tenant_id": tenant, "permissions": all });
        let key = admin.create("api-keys", &key);
        Self { admin, tenant, application, key }
    }

    fn client(&self) -> (String, String) {
        (text(&self.application, "/client_id"), text(&self.application, "/secret/value"))
    }

    fn key(&self) -> String {
        text(&self.key, "/value")
    }

    /// The client by which an API asks about keys.
    fn verifier(&self) -> (String, String) {
        let body = json!({
            "type": "service", "reach": "global", "client_id": "passes-api", "allowed_scopes": ["keys:verify"]
        });
        let made = self.admin.create("applications", &body);
        (text(&made, "/client_id"), text(&made, "/secret/value"))
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The APIs, which take tokens, and the second one keys.
fn apis(server: &Server, verifier: &(String, String)) -> [Example; 2] {
    let issuer = ("KEYWARD_ISSUER", &*server.address);
    let with_keys = [
        issuer,
        ("KEYWARD_MODE", "either"),
        ("KEYWARD_CLIENT_ID", &*verifier.0),
        ("KEYWARD_CLIENT_SECRET", &*verifier.1),
    ];
    [Example::start("points-api", &[issuer]), Example::start("passes-api", &with_keys)]
}

#[test]
fn what_is_revoked_is_refused_within_seconds() {
    let database = sqlite();
    let server = Server::start(&database);
    let platform = Platform::new(&server, &database);
    let [points, passes] = apis(&server, &platform.verifier());
    let (of_points, of_passes) =
        (format!("/points/{}", platform.tenant), format!("/passes/{}", platform.tenant));
    let (token, key) = (bearer(&server.token(&platform.client())), platform.key());
    let (token, key) = (("authorization", &*token), ("x-api-key", &*key));
    assert_eq!(points.outcome(&of_points, token), "ok");
    assert_eq!(passes.outcome(&of_passes, token), "ok");
    assert_eq!(passes.outcome(&of_passes, key), "ok");

    let id = text(&platform.key, "/id");
    let reply = platform.admin.request(Method::POST, &format!("api-keys/{id}/revoke")).send().unwrap();
    assert_eq!(reply.status(), 200);
    let began = Instant::now();
    eventually(BOUND, "the key", || passes.outcome(&of_passes, key) == "key_revoked");
    println!("a key: {:?}", began.elapsed());
    assert_eq!(passes.outcome(&of_passes, token), "ok", "nothing else was revoked");

    let secret = text(&platform.application, "/secret/id");
    let path = format!("applications/{}/secrets/{secret}", text(&platform.application, "/id"));
    assert_eq!(platform.admin.request(Method::DELETE, &path).send().unwrap().status(), 204);
    let began = Instant::now();
    for (api, path) in [(&points, &of_points), (&passes, &of_passes)] {
        eventually(BOUND, "the secret's tokens", || api.outcome(path, token) == "token_revoked");
    }
    println!("a secret: {:?}", began.elapsed());
}

/// The same token, as if another key had signed it.
fn of_unknown_key(token: &str) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"] = json!("nobody");
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn apis_outlive_the_server() {
    let database = sqlite();
    let server = Server::start(&database);
    let platform = Platform::new(&server, &database);
    let [points, passes] = apis(&server, &platform.verifier());
    let (of_points, of_passes) =
        (format!("/points/{}", platform.tenant), format!("/passes/{}", platform.tenant));
    let (raw, key) = (server.token(&platform.client()), platform.key());
    let (known, unused) = (bearer(&raw), bearer(&server.token(&platform.client())));
    let (known, unused) = (("authorization", &*known), ("authorization", &*unused));
    let key = ("x-api-key", &*key);
    assert_eq!(points.outcome(&of_points, known), "ok");
    assert_eq!(passes.outcome(&of_passes, known), "ok");
    assert_eq!(passes.outcome(&of_passes, key), "ok");

    let address = server.address.clone();
    server.kill();
    let stranger = bearer(&of_unknown_key(&raw));
    // A key with the right checksum that nobody has asked about before.
    let other = format!("kwk_live_{}4A4xlL", "A".repeat(43));
    for _ in 0..3 {
        for (api, path) in [(&points, &of_points), (&passes, &of_passes)] {
            assert_eq!(api.outcome(path, known), "ok");
            assert_eq!(api.outcome(path, unused), "ok", "a token that is seen for the first time");
            assert_eq!(api.outcome(path, ("authorization", &stranger)), "token_malformed");
        }
        assert_eq!(passes.outcome(&of_passes, key), "ok", "remembered for some seconds");
        assert_eq!(passes.outcome(&of_passes, ("x-api-key", &other)), "unavailable");
    }

    let bind = address.strip_prefix("http://").unwrap();
    let server =
        Server::start_with(&database, &[("KEYWARD_HTTP__BIND", bind), ("KEYWARD_PUBLIC_URL", &address)]);
    let fresh = bearer(&server.token(&platform.client()));
    for (api, path) in [(&points, &of_points), (&passes, &of_passes)] {
        assert_eq!(api.outcome(path, ("authorization", &fresh)), "ok");
    }
    let found = ("x-api-key", &*other);
    eventually(BOUND, "keys are asked about again", || passes.outcome(&of_passes, found) == "key_invalid");
    let path = format!("applications/{}", text(&platform.application, "/id"));
    assert_eq!(platform.admin.request(Method::DELETE, &path).send().unwrap().status(), 204);
    for (api, path) in [(&points, &of_points), (&passes, &of_passes)] {
        eventually(BOUND, "the feed is followed again", || api.outcome(path, known) == "token_revoked");
    }
}
