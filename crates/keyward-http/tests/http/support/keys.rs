//! API keys, and the ways over HTTP to ask whether a credential is good.

use serde_json::{Value, json};

use super::{Call, Client, Reply, TestApp, admin, check_discreet, get, id_of, post};

/// Where keys are verified.
pub(crate) const VERIFY: &str = "/api/v1/keys/verify";
/// Where a reverse proxy asks.
pub(crate) const FORWARD: &str = "/forward-auth";
/// By which headers a request that was let in is known.
pub(crate) const IDENTITY: [&str; 5] =
    ["x-keyward-subject", "x-keyward-tenant", "x-keyward-scope", "x-keyward-client", "x-keyward-environment"];

/// An API key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) value: String,
}

impl Key {
    /// The key of a reply that shows it.
    #[track_caller]
    pub(crate) fn of(made: &Value) -> Self {
        let value = made["value"].as_str().unwrap_or_else(|| panic!("no value: {made}"));
        Self { id: id_of(made), value: value.to_owned() }
    }
}

/// A tenant with a key, and who may verify it.
pub(crate) struct KeyFixture {
    pub(crate) app: TestApp,
    pub(crate) acme: String,
    pub(crate) verifier: Client,
    pub(crate) key: Key,
}

impl KeyFixture {
    pub(crate) async fn start(permissions: &[&str]) -> Self {
        let app = TestApp::start().await;
        app.catalogue().await;
        let acme = app.tenant("acme").await;
        let verifier = app.verifier().await;
        let key = app.key(&acme, permissions).await;
        Self { app, acme, verifier, key }
    }
}

/// The status that goes with a reason code.
#[track_caller]
pub(crate) fn status_of(code: &str) -> u16 {
    match code {
        "ok" => 200,
        "credentials_missing"
        | "scheme_missing"
        | "token_malformed"
        | "token_expired"
        | "token_revoked"
        | "token_wrong_audience"
        | "key_invalid"
        | "key_expired"
        | "key_revoked" => 401,
        "token_wrong_environment" | "tenant_mismatch" | "permission_denied" => 403,
        "rate_limited" => 429,
        other => panic!("{other} is no reason code of the contract"),
    }
}

/// A problem of RFC 9457 with the members that the contract adds.
#[track_caller]
pub(crate) fn check_problem(reply: &Reply, what: &str) {
    let text = reply.text();
    let is_problem = reply.header("content-type").starts_with("application/problem+json");
    assert!(is_problem, "{what}: {} {text}", reply.status);
    let body = reply.json();
    for member in ["type", "title", "detail", "code", "request_id"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: no {member}: {text}");
    }
    assert_eq!(body["status"], reply.status, "{what}");
    assert_eq!(body["request_id"], reply.header("x-request-id"), "{what}");
    check_discreet(body["detail"].as_str().unwrap(), what);
}

/// What forward-auth answered: `ok`, or the code of the refusal; and whether the answer has all that belongs to it.
#[track_caller]
pub(crate) fn verdict_of(reply: &Reply, what: &str) -> String {
    let identity = IDENTITY.map(|name| reply.headers.get_all(name).count());
    if reply.status == 200 {
        assert_eq!(identity, [1; 5], "{what}: all five headers, each once: {:?}", reply.headers);
        return "ok".to_owned();
    }
    assert_eq!(identity, [0; 5], "{what}: a refusal names nobody: {:?}", reply.headers);
    check_problem(reply, what);
    let body = reply.json();
    let code = body["code"].as_str().unwrap().to_owned();
    assert_eq!(reply.status, status_of(&code), "{what}: {code}");
    let challenge = reply.header("www-authenticate");
    match reply.status {
        401 => assert!(challenge.contains("error=\"invalid_token\""), "{what}: {challenge}"),
        403 if code == "permission_denied" && body["required_permissions"] != json!([]) => {
            assert!(challenge.contains("error=\"insufficient_scope\""), "{what}: {challenge}");
            assert!(challenge.contains("scope=\""), "{what}: {challenge}");
            assert!(body["required_permissions"].is_array(), "{what}: {body}");
            assert!(body["held_permissions"].is_array(), "{what}: {body}");
        }
        _ => {}
    }
    code
}

/// A question of a reverse proxy.
pub(crate) fn forward(query: &str) -> Call {
    let call = get(FORWARD);
    if query.is_empty() { call } else { call.query(query) }
}

impl TestApp {
    /// A key of a tenant.
    pub(crate) async fn key(&self, tenant: &str, permissions: &[&str]) -> Key {
        self.key_with(tenant, &json!({ "permissions": permissions })).await
    }

    /// A key of a tenant with these fields.
    pub(crate) async fn key_with(&self, tenant: &str, fields: &Value) -> Key {
        let mut body = json!({ "name": "Till", "tenant_id": tenant });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Key::of(&self.create("api-keys", &body).await)
    }

    /// A key as it is read.
    pub(crate) async fn read_key(&self, id: &str) -> Value {
        self.ok(get(&admin(&format!("api-keys/{id}")))).await
    }

    /// Rotates a key: the new one as the reply shows it.
    pub(crate) async fn rotate(&self, id: &str, body: &Value) -> Value {
        self.create(&format!("api-keys/{id}/rotate"), body).await
    }

    /// Revokes a key.
    pub(crate) async fn revoke_key(&self, id: &str) -> Value {
        self.ok(post(&admin(&format!("api-keys/{id}/revoke"))).json(&json!({}))).await
    }

    /// The publishable key of a tenant.
    pub(crate) async fn publishable_key(&self, tenant: &str) -> String {
        let tenant = self.ok(get(&admin(&format!("tenants/{tenant}")))).await;
        tenant["publishable_key"].as_str().unwrap().to_owned()
    }

    /// A global application that may verify keys.
    pub(crate) async fn verifier(&self) -> Client {
        self.global("verifier", &["keys:verify"]).await
    }

    /// What `POST /api/v1/keys/verify` answers to a client that may ask.
    pub(crate) async fn verify(&self, by: &Client, body: &Value) -> Value {
        let token = self.token(by).await;
        let what = body.to_string();
        let reply = self.send(post(VERIFY).json(body).bearer(&token)).await.expect(200, &what).json();
        match reply["valid"].as_bool() {
            Some(true) => assert_eq!(reply["missing"], json!([]), "{what}: {reply}"),
            Some(false) => {
                let code = reply["code"].as_str().unwrap_or_else(|| panic!("{what}: {reply}"));
                assert_ne!(status_of(code), 200, "{what}: {reply}");
            }
            None => panic!("{what}: {reply}"),
        }
        reply
    }

    /// What both ways of asking say of a key: `ok` or a reason code. They must agree.
    pub(crate) async fn verdict(&self, by: &Client, key: &str, permissions: &[&str]) -> String {
        self.verdict_in(by, key, permissions, None).await
    }

    /// The same in a named environment.
    pub(crate) async fn verdict_in(
        &self,
        by: &Client,
        key: &str,
        permissions: &[&str],
        environment: Option<&str>,
    ) -> String {
        let mut body = json!({ "key": key, "permissions": permissions, "ip": super::PEER });
        let mut query = vec!["require=api_key".to_owned()];
        query.extend(permissions.iter().map(|permission| format!("permission={permission}")));
        if let Some(environment) = environment {
            body["environment"] = json!(environment);
            query.push(format!("environment={environment}"));
        }
        let query = query.join("&");
        let verified = self.verify(by, &body).await;
        let verified = if verified["valid"] == true { "ok" } else { verified["code"].as_str().unwrap() };
        let forwarded = self.send(forward(&query).header("x-api-key", key)).await;
        let forwarded = verdict_of(&forwarded, &format!("{key}, {query}"));
        assert_eq!(verified, forwarded, "verify and forward-auth disagree on {body}");
        forwarded
    }

    /// Waits as long as the evidence of use may take to be seen.
    pub(crate) async fn settle(&self) {
        self.advance(60);
        actix_web::rt::task::yield_now().await;
    }
}
