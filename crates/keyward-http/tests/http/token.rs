//! What the token endpoint refuses, and how. Each table holds its positive controls: the same request without its one
//! defect gives a token.

use actix_web::http::Method;
use serde_json::json;

use crate::support::{Call, Client, DAY, Reply, START, TOKEN, TestApp, admin, delete, post, revealed};

/// An answer that a row accepts: a status, and the value of `error` (nothing for a token).
pub(crate) type Answer = (u16, &'static str);

pub(crate) const OK: &[Answer] = &[(200, "")];
pub(crate) const INVALID_REQUEST: &[Answer] = &[(400, "invalid_request")];
pub(crate) const INVALID_CLIENT: &[Answer] = &[(401, "invalid_client")];
pub(crate) const INVALID_SCOPE: &[Answer] = &[(400, "invalid_scope")];
pub(crate) const INVALID_TARGET: &[Answer] = &[(400, "invalid_target")];
pub(crate) const UNAUTHORIZED: &[Answer] = &[(400, "unauthorized_client")];
pub(crate) const UNSUPPORTED: &[Answer] = &[(400, "unsupported_grant_type")];
/// 405 is fixed; of RFC 6749's codes only this one fits.
pub(crate) const NO_METHOD: &[Answer] = &[(405, "invalid_request")];
/// The contract fixes content types for the admin API only; both answers are ways to say that no parameter was read.
pub(crate) const UNREADABLE: &[Answer] = &[(415, "invalid_request"), (400, "invalid_request")];
/// An `Authorization` header that names no client is a malformed request or a failed authentication.
pub(crate) const NO_CLIENT: &[Answer] = &[(401, "invalid_client"), (400, "invalid_request")];

/// One request and what it must be answered.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) call: Call,
    pub(crate) answers: &'static [Answer],
}

pub(crate) fn row(name: &'static str, call: Call, answers: &'static [Answer]) -> Row {
    Row { name, call, answers }
}

/// A platform with clients in every state of life.
pub(crate) struct World {
    pub(crate) app: TestApp,
    /// The tenant `acme`.
    pub(crate) acme: String,
    /// The tenant `globex`.
    pub(crate) globex: String,
    /// `acme.crm-sync`, which may `points:read` and `points:adjust`.
    pub(crate) live: Client,
    /// `globex.crm-sync`.
    pub(crate) other: Client,
    /// A global application with grants in both tenants.
    pub(crate) hub: Client,
    pub(crate) disabled: Client,
    pub(crate) expired: Client,
    pub(crate) suspended: Client,
    pub(crate) deleted: Client,
    pub(crate) of_deleted_tenant: Client,
    pub(crate) revoked_secret: Client,
    pub(crate) expired_secret: Client,
    pub(crate) dead_grants: Client,
}

pub(crate) const RESOURCE: &str = "https://points.example/api";

impl World {
    pub(crate) async fn start() -> Self {
        let app = TestApp::with(|options, _| options.resources = vec![RESOURCE.to_owned()]).await;
        assert!(START.starts_with("2026-11-02T12"), "the expiry of the table's clients is the day after");
        app.catalogue().await;
        let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
        let (frozen, gone) = (app.tenant("frozen").await, app.tenant("gone").await);
        let both = ["points:read", "points:adjust"];
        let live = app.client(&acme, "crm-sync", &both).await;
        let disabled = app.client(&acme, "disabled", &both).await;
        let expired = app
            .application(&json!({
                "reach": "tenant", "tenant_id": acme, "client_id": "expired", "allowed_scopes": both,
                "expires_at": "2026-11-03"
            }))
            .await;
        let deleted = app.client(&acme, "deleted", &both).await;
        let revoked_secret = app.client(&acme, "revoked", &both).await;
        let stale = app.client(&acme, "stale", &both).await;
        let expired_secret = app.another_secret(&stale, &json!({ "expires_at": "2026-11-03" })).await;
        let hub = app.global("hub", &both).await;
        let dead_grants = app.global("dead-grants", &both).await;
        let grant = |tenant: &str, until: Option<&str>| {
            json!({
                "tenant_id": tenant, "environment": "production", "permissions": both, "expires_at": until
            })
        };
        app.grant(&hub, &json!([grant(&acme, None), grant(&globex, Some("2026-12-31"))])).await;
        app.grant(&dead_grants, &json!([grant(&acme, Some("2026-11-03"))])).await;
        let world = Self {
            other: app.client(&globex, "crm-sync", &both).await,
            suspended: app.client(&frozen, "crm-sync", &both).await,
            of_deleted_tenant: app.client(&gone, "crm-sync", &both).await,
            app,
            acme,
            globex,
            live,
            hub,
            disabled,
            expired,
            deleted,
            revoked_secret,
            expired_secret,
            dead_grants,
        };
        world.kill(&frozen, &gone).await;
        world
    }

    async fn kill(&self, frozen: &str, gone: &str) {
        let app = &self.app;
        app.edit(&format!("applications/{}", self.disabled.id), &json!({ "status": "disabled" })).await;
        app.edit(&format!("tenants/{frozen}"), &json!({ "status": "suspended" })).await;
        app.remove(&format!("applications/{}", self.deleted.id)).await;
        app.remove(&format!("tenants/{gone}")).await;
        let secret =
            format!("applications/{}/secrets/{}", self.revoked_secret.id, self.revoked_secret.secret_id);
        app.admin(delete(&admin(&secret))).await.expect(204, "a secret is revoked");
        app.advance(2 * DAY);
    }

    /// The plain request of a client, by Basic, as a form.
    pub(crate) fn form(&self, params: &[(&str, &str)]) -> Call {
        self.form_of(&self.live, params)
    }

    #[expect(clippy::unused_self, reason = "reads like its sibling")]
    pub(crate) fn form_of(&self, client: &Client, params: &[(&str, &str)]) -> Call {
        let pairs = [&[("grant_type", "client_credentials")], params].concat();
        post(TOKEN).basic(&client.client_id, &client.secret).form(&pairs)
    }

    /// The same with the secret in the body.
    pub(crate) fn body(&self, params: &[(&str, &str)]) -> Call {
        let own = [
            ("grant_type", "client_credentials"),
            ("client_id", self.live.client_id.as_str()),
            ("client_secret", self.live.secret.as_str()),
        ];
        post(TOKEN).form(&[&own, params].concat())
    }

    /// The same as JSON, with further members put in as text.
    pub(crate) fn json(&self, more: &str) -> Call {
        let (id, secret) = (&self.live.client_id, &self.live.secret);
        let text = format!(
            r#"{{"grant_type":"client_credentials","client_id":"{id}","client_secret":"{secret}"{more}}}"#
        );
        post(TOKEN).raw("application/json", text)
    }

    /// Sends each row's request and names all rows that were answered otherwise.
    pub(crate) async fn check(&self, rows: Vec<Row>) {
        let mut seen = std::collections::BTreeSet::new();
        let mut wrong = Vec::new();
        for Row { name, call, answers } in rows {
            assert!(seen.insert(name), "two rows are called {name}");
            let reply = self.app.send(call.clone()).await;
            if let Err(why) = check(&call, answers, &reply) {
                wrong.push(format!("{name}: {why}: {} {}", reply.status, reply.text()));
            }
        }
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
    }
}

fn ensure(holds: bool, why: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.into()) }
}

fn check(call: &Call, answers: &[Answer], reply: &Reply) -> Result<(), String> {
    let expected = format!("not one of {answers:?}");
    if call.method == Method::HEAD {
        return ensure(answers.iter().any(|answer| answer.0 == reply.status), expected);
    }
    let body = reply.json();
    let error = body["error"].as_str().unwrap_or("");
    ensure(answers.contains(&(reply.status, error)), expected)?;
    ensure(reply.header("content-type").starts_with("application/json"), "no JSON")?;
    if reply.status == 200 {
        let is_jwt = body["access_token"].as_str().is_some_and(|token| token.matches('.').count() == 2);
        return ensure(is_jwt, "no token");
    }
    ensure(body.get("access_token").is_none(), "a token in a refusal")?;
    if reply.status == 401 && call.has_header("authorization") {
        ensure(reply.header("www-authenticate").starts_with("Basic"), "no WWW-Authenticate: Basic")?;
    }
    if reply.status == 405 {
        ensure(reply.header("allow") == "POST", "Allow is not POST")?;
    }
    check_description(body["error_description"].as_str().unwrap_or(""), call)
}

/// RFC 6749 section 5.2: printable ASCII without quotation mark and backslash. And nothing that is not for strangers.
fn check_description(description: &str, call: &Call) -> Result<(), String> {
    ensure(!description.is_empty(), "error_description is missing")?;
    let allowed = |byte: u8| matches!(byte, 0x20..=0x7E) && byte != b'"' && byte != b'\\';
    ensure(description.bytes().all(allowed), "error_description has characters that it must not")?;
    let revealed = revealed(description);
    ensure(revealed.is_none(), format!("error_description reveals {revealed:?}"))?;
    let sent = String::from_utf8_lossy(&call.body);
    let mut secrets = sent.split(['"', '&', '=']).filter(|text| text.starts_with("kw") && text.len() > 20);
    ensure(!secrets.any(|secret| description.contains(secret)), "error_description repeats a secret")
}
