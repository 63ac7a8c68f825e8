//! Ordinary OAuth clients and JWT libraries, unmodified, in three languages.

use std::{collections::HashMap, env, path::PathBuf, process::Command};

use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use oauth2::{ClientId, ClientSecret, Scope, TokenResponse, TokenUrl, basic::BasicClient};
use serde_json::Value;

use crate::support::{Admin, Database, Server, sqlite, text};

pub(crate) const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "RS256"];

/// A client of a tenant of its own, with what libraries need to know.
struct Case {
    algorithm: &'static str,
    slug: String,
    tenant: String,
    client: (String, String),
}

fn cases(admin: &Admin) -> Vec<Case> {
    let case = |algorithm: &'static str| {
        let slug = format!("acme-{}", algorithm.to_ascii_lowercase());
        let (application, client) = admin.api_client(&slug, algorithm);
        Case { algorithm, tenant: text(&application, "/tenant_id"), client, slug }
    };
    ALGORITHMS.into_iter().map(case).collect()
}

pub(crate) fn variable(name: &str) -> PathBuf {
    let message = format!("{name} is not set: run this test by scripts/test");
    PathBuf::from(env::var_os(name).expect(&message))
}

/// Tells a story in a real browser, in the server's folder: how many things it verified, and what it printed.
pub(crate) fn story(
    script: &str,
    database: &Database,
    server: &Server,
    variables: &[(&str, &str)],
) -> (usize, String) {
    let output = Command::new("node")
        .arg(variable("KEYWARD_TEST_NODE_DIR").join(script))
        .current_dir(database.dir.path())
        .env("KEYWARD_PUBLIC_URL", &server.address)
        .env("KEYWARD_DATABASE__URL", &database.url)
        .env("KEYWARD_TEST_BINARY", env!("CARGO_BIN_EXE_keyward"))
        .env(
            "KEYWARD_TEST_PROVIDER",
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../crates/keyward-federation/tests/clients/provider.mjs"
            ),
        )
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}\n{}", server.log());
    (out.lines().filter(|line| line.starts_with("verified: ")).count(), out.into_owned())
}

/// Runs a client for every algorithm; it succeeds when all that it checks holds.
fn passes(program: &PathBuf, arguments: &[PathBuf]) {
    let database = sqlite();
    let server = Server::start(&database);
    let admin = server.admin(&database.admin_client());
    for case in cases(&admin) {
        let output = Command::new(program)
            .args(arguments)
            .env("KEYWARD_URL", &server.address)
            .env("CLIENT_ID", &case.client.0)
            .env("CLIENT_SECRET", &case.client.1)
            .env("EXPECT_SCOPE", format!("{0}:read {0}:write", case.slug))
            .env("EXPECT_TENANT", &case.tenant)
            .env("EXPECT_ALG", case.algorithm)
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}, {}:\n{out}{err}", case.algorithm);
        assert!(out.contains("verified: "), "{arguments:?} verified nothing");
    }
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn python(script: &str) {
    passes(&variable("KEYWARD_TEST_PYTHON"), &[folder().join("python").join(script)]);
}

fn node(script: &str) {
    passes(&PathBuf::from("node"), &[variable("KEYWARD_TEST_NODE_DIR").join(script)]);
}

#[test]
fn curl() {
    passes(&PathBuf::from("bash"), &[folder().join("curl.sh")]);
}

#[test]
fn python_authlib_and_joserfc() {
    python("authlib_client.py");
}

#[test]
fn python_requests_oauthlib_and_pyjwt() {
    python("requests_oauthlib_client.py");
}

#[test]
fn node_oauth4webapi_and_jose() {
    node("oauth4webapi.mjs");
}

#[test]
fn node_openid_client_and_jose() {
    node("openid-client.mjs");
}

/// The `oauth2` crate, over a plain HTTP client.
async fn rust_token(endpoint: String, case: &Case) -> String {
    let http = reqwest::Client::new();
    let send = async |request: oauth2::HttpRequest| -> Result<oauth2::HttpResponse, reqwest::Error> {
        let (parts, body) = request.into_parts();
        let mut asked = http.request(parts.method, parts.uri.to_string()).body(body);
        for (name, value) in &parts.headers {
            asked = asked.header(name, value);
        }
        let reply = asked.send().await?;
        let status = reply.status();
        let headers = reply.headers().clone();
        let mut answer = oauth2::HttpResponse::new(reply.bytes().await?.to_vec());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    };
    let client = BasicClient::new(ClientId::new(case.client.0.clone()))
        .set_client_secret(ClientSecret::new(case.client.1.clone()))
        .set_token_uri(TokenUrl::new(endpoint).unwrap());
    let scope = Scope::new(format!("{}:read", case.slug));
    let asked = client.exchange_client_credentials().add_scope(scope.clone());
    let reply = asked.request_async(&|request| Box::pin(send(request))).await.unwrap();
    assert_eq!(reply.scopes().unwrap(), &[scope]);
    assert!(reply.expires_in().unwrap().as_secs() > 3_000);
    reply.access_token().secret().clone()
}

#[test]
fn rust_oauth2_and_jsonwebtoken() {
    let database = sqlite();
    let server = Server::start(&database);
    let admin = server.admin(&database.admin_client());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for case in cases(&admin) {
        let metadata: Value = admin
            .http
            .get(server.url("/.well-known/oauth-authorization-server"))
            .send()
            .unwrap()
            .json()
            .unwrap();
        let token = runtime.block_on(rust_token(text(&metadata, "/token_endpoint"), &case));
        let keys: JwkSet = admin.http.get(text(&metadata, "/jwks_uri")).send().unwrap().json().unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(case.algorithm.parse().unwrap());
        validation.set_audience(&[format!("{}/api", server.address)]);
        validation.set_issuer(&[&server.address]);
        let verified = jsonwebtoken::decode::<HashMap<String, Value>>(&token, &key, &validation).unwrap();
        assert_eq!(verified.claims["tenant_id"], case.tenant.as_str());
        validation.set_audience(&["https://elsewhere.example/api"]);
        assert!(
            jsonwebtoken::decode::<HashMap<String, Value>>(&token, &key, &validation).is_err(),
            "the control"
        );
    }
}
