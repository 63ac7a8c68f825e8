//! What the audit log holds: every write, every token, every refusal, and no secret.

use serde_json::{Value, json};

use crate::support::{
    Call, Client, TOKEN, TestApp, admin, call, delete, get, id_of, made_up, patch, post, put,
};

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
    hub: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let hub = app.global("hub", &["points:read"]).await;
    app.admin_token().await;
    Fixture { app, acme, client, hub }
}

impl Fixture {
    async fn total(&self) -> u64 {
        self.app.ok(get(&admin("audit"))).await["pagination"]["total"].as_u64().unwrap()
    }

    /// The records of one request.
    async fn of_request(&self, request_id: &str) -> Vec<Value> {
        let all = self.app.events("").await;
        all.into_iter().filter(|event| event["context"]["request_id"] == request_id).collect()
    }
}

/// Every write of the admin API: its action, its resource, whether that is the tenant's.
#[actix_web::test]
async fn every_write_has_its_record() {
    let it = fixture().await;
    let (client, hub) = (format!("applications/{}", it.client.id), format!("applications/{}", it.hub.id));
    let row = it.app.permission("cards", "cards:read", &[]).await;
    let role = it.app.role(Some(&it.acme), "clerk", &["points:read"]).await;
    let second = it.app.another_secret(&it.client, &json!({})).await;
    let grants = json!({ "grants": [{ "tenant_id": it.acme, "permissions": ["points:read"] }] });
    let gone = it.app.tenant("gone").await;
    let application = json!({
        "name": "New", "type": "service", "reach": "tenant", "tenant_id": it.acme, "client_id": "new"
    });
    let own = Some(it.acme.as_str());
    let writes: Vec<(Call, &str, &str, Option<&str>)> = vec![
        (
            post(&admin("tenants")).json(&json!({ "name": "New", "slug": "new" })),
            "tenant.created",
            "tnt_",
            None,
        ),
        (
            patch(&admin(&format!("tenants/{}", it.acme))).json(&json!({ "name": "Acme" })),
            "tenant.updated",
            &it.acme,
            own,
        ),
        (delete(&admin(&format!("tenants/{gone}"))), "tenant.deleted", &gone, Some(&gone)),
        (
            post(&admin("permissions")).json(&json!({ "resource": "new", "view": "new:read" })),
            "permission.created",
            "per_",
            None,
        ),
        (
            patch(&admin(&format!("permissions/{row}"))).json(&json!({ "label": "Cards" })),
            "permission.updated",
            &row,
            None,
        ),
        (delete(&admin(&format!("permissions/{row}"))), "permission.deleted", &row, None),
        (
            post(&admin("roles")).json(&json!({ "name": "new", "tenant_id": it.acme })),
            "role.created",
            "rol_",
            own,
        ),
        (
            patch(&admin(&format!("roles/{role}"))).json(&json!({ "name": "clerks" })),
            "role.updated",
            &role,
            own,
        ),
        (delete(&admin(&format!("roles/{role}"))), "role.deleted", &role, own),
        (post(&admin("applications")).json(&application), "application.created", "app_", own),
        (patch(&admin(&client)).json(&json!({ "notes": "x" })), "application.updated", &it.client.id, own),
        (
            post(&admin(&format!("{client}/renew"))).json(&json!({ "expires_at": "2027-01-01" })),
            "application.renewed",
            &it.client.id,
            own,
        ),
        (put(&admin(&format!("{hub}/grants"))).json(&grants), "application.", &it.hub.id, None),
        (post(&admin(&format!("{client}/secrets"))).json(&json!({})), "secret.created", "sec_", own),
        (
            delete(&admin(&format!("{client}/secrets/{}", second.secret_id))),
            "secret.revoked",
            &second.secret_id,
            own,
        ),
        (delete(&admin(&client)), "application.deleted", &it.client.id, own),
    ];
    for (write, action, resource, tenant) in writes {
        it.app.advance(1);
        let what = format!("{} {}", write.method, write.uri);
        let reply = it.app.admin(write).await;
        assert!(reply.status < 300, "{what}: {}", reply.text());
        let records = it.of_request(reply.header("x-request-id")).await;
        let matching: Vec<&Value> =
            records.iter().filter(|event| event["action"].as_str().unwrap().starts_with(action)).collect();
        assert_eq!(matching.len(), 1, "{what}: {records:?}");
        let event = matching[0];
        assert!(event["resource"]["id"].as_str().unwrap().starts_with(resource), "{what}: {event}");
        assert_eq!(event["actor"]["id"], it.app.root.id, "{what}");
        assert_eq!(event["result"], "success", "{what}");
        if tenant.is_some() {
            assert_eq!(event["tenant_id"].as_str(), tenant, "{what}");
        }
    }
}

/// Creating an application is two things: the application and its secret.
#[actix_web::test]
async fn one_record_per_resource() {
    let it = fixture().await;
    let body =
        json!({ "name": "x", "type": "service", "reach": "tenant", "tenant_id": it.acme, "client_id": "x" });
    let reply = it.app.admin(post(&admin("applications")).json(&body)).await.expect(201, "an application");
    let records = it.of_request(reply.header("x-request-id")).await;
    let mut actions: Vec<&str> = records.iter().map(|event| event["action"].as_str().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["application.created", "secret.created"]);
    let of_secret = records.iter().find(|event| event["action"] == "secret.created").unwrap();
    assert_eq!(of_secret["resource"]["id"], reply.json()["secret"]["id"]);
    assert_eq!(of_secret["tenant_id"], it.acme);
}

/// From what to what, field by field; what stayed is not there.
#[actix_web::test]
async fn changes() {
    let it = fixture().await;
    let body = json!({ "name": "Acme", "settings": { "a": 1 }, "slug": "acme" });
    let path = admin(&format!("tenants/{}", it.acme));
    let mut patch_body = body.clone();
    patch_body.as_object_mut().unwrap().remove("slug");
    it.app.admin(patch(&path).json(&patch_body)).await.expect(200, "a change");
    let event = it.app.events("action=tenant.updated").await.remove(0);
    let mut list = event["changes"].as_array().unwrap().clone();
    list.sort_by_key(|change| change["field"].as_str().unwrap().to_owned());
    let expected = json!([
        { "field": "name", "from": "acme", "to": "Acme" },
        { "field": "settings", "from": {}, "to": { "a": 1 } }
    ]);
    assert_eq!(json!(list), expected);
}

/// A refused write has exactly one record, `denied`; 404, 409, 412 and 422 have at most one and none of success.
#[actix_web::test]
async fn refused_writes() {
    let it = fixture().await;
    let reader = it.app.global("reader", &["admin:read"]).await;
    let reading = it.app.token(&reader).await;
    let powerless = it.app.token(&it.client).await;
    let tenant = admin(&format!("tenants/{}", it.acme));
    let create = || post(&admin("tenants")).json(&json!({ "name": "x", "slug": "x" }));
    let forbidden = [
        ("a reader creates", create().bearer(&reading), &reader),
        ("a reader changes", patch(&tenant).json(&json!({ "name": "x" })).bearer(&reading), &reader),
        ("a reader deletes", delete(&tenant).bearer(&reading), &reader),
        (
            "a reader renews",
            post(&admin(&format!("applications/{}/renew", it.client.id))).json(&json!({})).bearer(&reading),
            &reader,
        ),
        ("a reader deletes what is not there", delete(&admin("tenants/nonsense")).bearer(&reading), &reader),
        ("a tenant's client creates", create().bearer(&powerless), &it.client),
    ];
    for (name, request, who) in forbidden {
        let before = it.total().await;
        let reply = it.app.send(request).await.expect(403, name);
        assert_eq!(it.total().await, before + 1, "{name}");
        let records = it.of_request(reply.header("x-request-id")).await;
        assert_eq!(records.len(), 1, "{name}");
        assert_eq!(records[0]["result"], "denied", "{name}");
        assert_eq!(records[0]["actor"]["id"], who.id, "{name}");
    }
    let failing = [
        ("an unknown ID", patch(&admin("tenants/nonsense")).json(&json!({ "name": "x" })), 404),
        ("a taken slug", post(&admin("tenants")).json(&json!({ "name": "x", "slug": "acme" })), 409),
        ("a stale version", patch(&tenant).json(&json!({ "name": "x" })).header("if-match", "\"0\""), 412),
        ("an unknown field", post(&admin("tenants")).json(&json!({ "x": 1 })), 422),
    ];
    for (name, request, status) in failing {
        let before = it.total().await;
        let reply = it.app.admin(request).await.expect(status, name);
        assert!(it.total().await <= before + 1, "{name}");
        let records = it.of_request(reply.header("x-request-id")).await;
        assert!(records.iter().all(|event| event["result"] != "success"), "{name}: {records:?}");
    }
    let before = it.total().await;
    it.app.ok(get(&tenant)).await;
    it.app.admin(get(&admin("tenants/nonsense"))).await.expect(404, "a read");
    assert_eq!(it.total().await, before, "reads leave no record");
}

/// Every refusal of a token has one record, with a reason, whoever asked.
#[actix_web::test]
async fn refused_tokens() {
    let it = fixture().await;
    let disabled = it.app.client(&it.acme, "disabled", &["points:read"]).await;
    it.app.edit(&format!("applications/{}", disabled.id), &json!({ "status": "disabled" })).await;
    let (id, secret) = (it.client.client_id.as_str(), it.client.secret.as_str());
    let grant = ("grant_type", "client_credentials");
    let cases: Vec<(&str, Call, u16)> = vec![
        ("a wrong scope", post(TOKEN).basic(id, secret).form(&[grant, ("scope", "points:steal")]), 400),
        ("a wrong tenant", post(TOKEN).basic(id, secret).form(&[grant, ("tenant", "x")]), 400),
        ("a wrong resource", post(TOKEN).basic(id, secret).form(&[grant, ("resource", "x")]), 400),
        (
            "another grant",
            post(TOKEN).basic(id, secret).form(&[("grant_type", "refresh_token"), ("refresh_token", "x")]),
            400,
        ),
        ("a wrong secret", post(TOKEN).basic(id, &made_up('s', "live")).form(&[grant]), 401),
        ("a disabled client", post(TOKEN).basic(&disabled.client_id, &disabled.secret).form(&[grant]), 401),
        ("an unknown client", post(TOKEN).basic("acme.nobody", secret).form(&[grant]), 401),
        ("a malformed secret", post(TOKEN).basic(id, "x").form(&[grant]), 401),
        ("two ways", post(TOKEN).basic(id, secret).form(&[grant, ("client_secret", secret)]), 400),
    ];
    for (name, request, status) in cases {
        let before = it.total().await;
        let reply = it.app.send(request).await.expect(status, name);
        assert_eq!(it.total().await, before + 1, "{name}");
        let records = it.of_request(reply.header("x-request-id")).await;
        assert_eq!(records.len(), 1, "{name}");
        let event = &records[0];
        assert_eq!(
            (&event["action"], &event["result"]),
            (&json!("token.denied"), &json!("denied")),
            "{name}"
        );
        assert!(event["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{name}: {event}");
    }
    let event = it.app.events(&format!("action=token.denied&actor={}", disabled.id)).await;
    assert_eq!(event.len(), 1, "the right secret proves who asks");
    assert_eq!(event[0]["tenant_id"], it.acme);
}

/// Whatever was shown once, or sent by mistake, is in no record.
#[actix_web::test]
async fn no_secret_is_in_it() {
    let it = fixture().await;
    let second = it.app.another_secret(&it.client, &json!({})).await;
    let stray = made_up('k', "live");
    let token = it.app.token(&it.client).await;
    let grant = ("grant_type", "client_credentials");
    let mistakes = [
        post(TOKEN).basic(&stray, &second.secret).form(&[grant]),
        post(TOKEN).form(&[grant, ("client_id", &second.secret), ("client_secret", &it.client.client_id)]),
        post(TOKEN).basic(&it.client.client_id, &it.client.secret).form(&[grant, ("scope", &stray)]),
        post(TOKEN).basic(&it.client.client_id, &it.client.secret).form(&[grant, ("tenant", &stray)]),
        post(TOKEN)
            .basic(&it.client.client_id, &it.client.secret)
            .form(&[grant])
            .header("user-agent", &stray),
        post(TOKEN)
            .basic(&it.client.client_id, &it.client.secret)
            .form(&[grant])
            .header("x-request-id", &stray),
        call(actix_web::http::Method::DELETE, &admin(&format!("tenants/{stray}"))).bearer(&token),
    ];
    for mistake in mistakes {
        it.app.send(mistake).await;
    }
    it.app.revoke(&it.client, &token).await.expect(200, "revoked");
    it.app.remove(&format!("applications/{}/secrets/{}", it.client.id, it.client.secret_id)).await;
    let root = it.app.admin_token().await;
    let log = Value::from(it.app.events("").await).to_string();
    assert!(log.contains("secret.created") && log.contains("secret.revoked") && log.contains("token.denied"));
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    let secrets = [
        it.client.secret.clone(),
        second.secret.clone(),
        it.hub.secret.clone(),
        it.app.root.secret.clone(),
        stray,
        signature(&token),
        signature(&root),
    ];
    for secret in secrets {
        assert!(!log.contains(&secret), "the log holds {secret}");
        assert!(!log.contains(&secret[20..40]), "the log holds a part of {secret}");
    }
}

/// One record for one change, replayed or not.
#[actix_web::test]
async fn replays_are_not_recorded_again() {
    let it = fixture().await;
    let body = json!({ "name": "New", "slug": "new" });
    let create = || post(&admin("tenants")).json(&body).header("idempotency-key", "k");
    let made = it.app.admin(create()).await.expect(201, "the first").json();
    it.app.admin(create()).await.expect(201, "a replay");
    let events = it.app.events(&format!("action=tenant.created&resource={}", id_of(&made))).await;
    assert_eq!(events.len(), 1);
}

/// The log survives a restart whole.
#[actix_web::test]
async fn it_survives_a_restart() {
    let mut it = fixture().await;
    let before = it.app.events("").await;
    it.app.restart(|_| {}).await;
    let after = it.app.events("").await;
    assert!(before.iter().all(|event| after.contains(event)), "a record is gone or changed");
}
