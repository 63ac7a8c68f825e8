//! Agents: identities of AI agents, whose tools, scopes and rate are enforced.

use serde_json::{Value, json};

use crate::support::{Client, TestApp, admin, decode, get, id_of, is_well_formed, patch, post};

async fn fixture() -> (TestApp, String) {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    (app, acme)
}

#[actix_web::test]
async fn shape() {
    let (app, acme) = fixture().await;
    let owner = app.person("ada", &json!({ "tenant_id": acme })).await;
    let body = json!({
        "name": "Support assistant", "tenant_id": acme, "owner_id": owner.id, "allowed_tools": ["search", "refund"],
        "allowed_scopes": ["points:read"], "rate_limit_rpm": 30, "status": "active"
    });
    let reply = app.admin(post(&admin("agents")).json(&body)).await.expect(201, "an agent");
    assert!(reply.header("cache-control").contains("no-store"), "the reply holds a secret");
    let mut made = reply.json();
    assert!(id_of(&made).starts_with("agt_"));
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!(made["client_id"], made["id"]);
    let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
    assert!(is_well_formed(secret["value"].as_str().unwrap(), "kwa_live_"), "{secret}");
    assert_eq!(app.ok(get(&admin(&format!("agents/{}", id_of(&made))))).await, made, "and never again");
    let plain = app.create("agents", &json!({ "name": "x", "tenant_id": acme })).await;
    assert_eq!((&plain["allowed_tools"], &plain["allowed_scopes"]), (&json!([]), &json!([])));
    assert_eq!((&plain["owner_id"], &plain["rate_limit_rpm"]), (&Value::Null, &Value::Null));
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let (app, acme) = fixture().await;
    let globex = app.tenant("globex").await;
    let stranger = app.person("eve", &json!({ "tenant_id": globex })).await;
    let with = |name: &str, value: Value| {
        let mut body = json!({ "name": "x", "tenant_id": acme });
        body[name] = value;
        body
    };
    for (name, value) in [
        ("name", json!("")),
        ("tenant_id", json!(format!("tnt_{}", "0".repeat(26)))),
        ("owner_id", json!(stranger.id)),
        ("owner_id", json!(format!("usr_{}", "0".repeat(26)))),
        ("allowed_tools", json!("search")),
        ("allowed_tools", json!([""])),
        ("allowed_tools", json!([7])),
        ("allowed_scopes", json!(["points:steal"])),
        ("allowed_scopes", json!(["admin:read"])),
        ("allowed_scopes", json!(["points:read", "admin:write"])),
        ("rate_limit_rpm", json!(0)),
        ("rate_limit_rpm", json!(-1)),
        ("rate_limit_rpm", json!("30")),
        ("status", json!("suspended")),
        ("client_id", json!("mine")),
        ("secret", json!("kwa_live_mine")),
    ] {
        let body = with(name, value);
        let reply = app.admin(post(&admin("agents")).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), &body.to_string());
    }
    assert_eq!(app.ok(get(&admin("agents"))).await["pagination"]["total"], 0);
    let made = app.create("agents", &with("allowed_scopes", json!(["points:read"]))).await;
    let path = admin(&format!("agents/{}", id_of(&made)));
    for (name, value) in
        [("tenant_id", json!(globex)), ("client_id", json!("x")), ("allowed_scopes", json!(["x:y"]))]
    {
        let reply = app.admin(patch(&path).json(&json!({ name: value }))).await;
        reply.expect_invalid(&format!("/{name}"), name);
    }
}

/// A token by `agt_…` and its secret, with the tools in it, and never more than the agent is allowed.
#[actix_web::test]
async fn tokens() {
    let (app, acme) = fixture().await;
    let fields =
        json!({ "allowed_scopes": ["points:read", "points:adjust"], "allowed_tools": ["search", "refund"] });
    let agent = app.agent(Some(&acme), &fields).await;
    let token = decode(&app.token(&agent).await);
    assert!(token.verifies(&app.jwks().await));
    assert_eq!((token.text("client_id"), token.text("sub")), (agent.id.as_str(), agent.id.as_str()));
    assert_eq!(token.scopes(), ["points:adjust", "points:read"]);
    assert_eq!(token.tenants(), [acme.as_str()]);
    let tools =
        token.claims.as_object().unwrap().values().filter(|value| **value == json!(["search", "refund"]));
    assert_eq!(tools.count(), 1, "the tools are in the token: {}", token.claims);
    assert_eq!(decode(&app.token_for(&agent, &[("scope", "points:read")]).await).scopes(), ["points:read"]);
    for scope in ["read:users", "points:steal", "admin:read", "admin:write", "points:read read:users"] {
        let reply = app.ask(&agent, &[("scope", scope)]).await.expect(400, scope);
        assert_eq!(reply.json()["error"], "invalid_scope", "{scope}");
    }
    let body =
        [("grant_type", "client_credentials"), ("client_id", &agent.id), ("client_secret", &agent.secret)];
    app.send(post(crate::support::TOKEN).form(&body)).await.expect(200, "the secret in the body");
    let issued = app.events(&format!("action=token.issued&actor={}", agent.id)).await;
    assert_eq!(issued.len(), 3);
    assert!(
        issued.iter().all(|event| event["tenant_id"] == acme && event["actor"]["type"] == "agent"),
        "{issued:?}"
    );
    let own = app.token(&agent).await;
    app.send(get(&admin("tenants")).bearer(&own)).await.expect(403, "no administrator");
}

/// What is taken from an agent is taken from its earlier tokens; what kills it kills them.
#[actix_web::test]
async fn earlier_tokens() {
    let (app, acme) = fixture().await;
    let fields = json!({ "allowed_scopes": ["points:read", "points:adjust"], "allowed_tools": ["search"] });
    let agent = async || app.agent(Some(&acme), &fields).await;
    let scope = async |token: &str| {
        let seen = app.introspect(&app.root, token).await;
        (seen["active"] == true).then(|| seen["scope"].as_str().unwrap_or("").to_owned())
    };
    let one = agent().await;
    let token = app.token(&one).await;
    assert_eq!(scope(&token).await.as_deref(), Some("points:adjust points:read"));
    let path = format!("agents/{}", one.id);
    app.edit(&path, &json!({ "allowed_scopes": ["points:read"] })).await;
    assert_eq!(scope(&token).await.as_deref(), Some("points:read"), "without it");
    app.edit(&path, &json!({ "status": "disabled" })).await;
    assert_eq!(scope(&token).await, None, "disabled");
    let refused = app.ask(&one, &[]).await.expect(401, "disabled").json();
    assert_eq!(refused["error"], "invalid_client");
    assert!(
        refused["error_description"].as_str().unwrap().contains("disabled"),
        "with the reason: {refused}"
    );
    app.edit(&path, &json!({ "status": "active" })).await;
    app.token(&one).await;
    app.remove(&path).await;
    assert_eq!(scope(&token).await, None, "deleted");
    let unknown = Client { client_id: format!("agt_{}", "0".repeat(26)), ..one.clone() };
    let (gone, never) = (app.ask(&one, &[]).await, app.ask(&unknown, &[]).await);
    assert_eq!((gone.status, gone.json()), (never.status, never.json()), "a deleted one answers as unknown");
    let two = agent().await;
    let token = app.token(&two).await;
    app.edit(&format!("tenants/{acme}"), &json!({ "status": "suspended" })).await;
    assert_eq!(scope(&token).await, None, "its tenant is suspended");
    app.ask(&two, &[]).await.expect(401, "its tenant is suspended");
}

/// Several secrets at once; revoking one ends the tokens that it obtained.
#[actix_web::test]
async fn secrets() {
    let (app, acme) = fixture().await;
    let agent = app.agent(Some(&acme), &json!({ "allowed_scopes": ["points:read"] })).await;
    let path = format!("agents/{}/secrets", agent.id);
    let made = app.create(&path, &json!({})).await;
    assert!(is_well_formed(made["value"].as_str().unwrap(), "kwa_live_"), "{made}");
    let second = Client {
        secret: made["value"].as_str().unwrap().to_owned(),
        secret_id: id_of(&made),
        ..agent.clone()
    };
    let (old, new) = (app.token(&agent).await, app.token(&second).await);
    let list = app.ok(get(&admin(&path))).await;
    assert_eq!(list["pagination"]["total"], 2);
    app.remove(&format!("{path}/{}", agent.secret_id)).await;
    app.ask(&agent, &[]).await.expect(401, "revoked");
    assert_eq!(app.introspect(&app.root, &old).await["active"], false);
    assert_eq!(app.introspect(&app.root, &new).await["active"], true);
    app.token(&second).await;
    let other = app.agent(Some(&acme), &json!({})).await;
    let foreign = admin(&format!("agents/{}/secrets/{}", other.id, second.secret_id));
    app.admin(crate::support::delete(&foreign)).await.expect(404, "another agent's secret");
    app.token(&second).await;
}

/// `rate_limit_rpm`: that many in a minute and no more, with `Retry-After`; each agent for itself.
#[actix_web::test]
async fn rate() {
    let (app, acme) = fixture().await;
    let fields = json!({ "allowed_scopes": ["points:read"], "rate_limit_rpm": 5 });
    let (one, two) = (app.agent(Some(&acme), &fields).await, app.agent(Some(&acme), &fields).await);
    let free = app.agent(Some(&acme), &json!({ "allowed_scopes": ["points:read"] })).await;
    for _ in 0..5 {
        app.token(&one).await;
    }
    let reply = app.ask(&one, &[]).await.expect(429, "the sixth");
    assert_eq!(reply.json()["error"], "temporarily_unavailable");
    let wait: i64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    for _ in 0..5 {
        app.token(&two).await;
    }
    for _ in 0..20 {
        app.token(&free).await;
    }
    app.edit(&format!("agents/{}", two.id), &json!({ "rate_limit_rpm": 1 })).await;
    app.ask(&two, &[]).await.expect(429, "a lower limit counts at once");
    app.advance(60);
    app.token(&two).await;
    app.ask(&two, &[]).await.expect(429, "one a minute");
    let denied = app.events(&format!("action=token.denied&actor={}", one.id)).await;
    assert_eq!(denied.len(), 1, "every refusal has its record");
}
