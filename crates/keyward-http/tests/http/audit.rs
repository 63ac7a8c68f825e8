//! Reading the audit log: shape, filters, pages and cursors.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{AGENT, Client, HOUR, PEER, TestApp, admin, column, decode, get, id_of, post};

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    Fixture { app, acme, client }
}

/// The members of the contract, on a change of a tenant's object.
#[actix_web::test]
async fn shape() {
    let it = fixture().await;
    let path = format!("applications/{}", it.client.id);
    let call = crate::support::patch(&admin(&path)).json(&json!({ "notes": "Nightly" }));
    let reply = it.app.admin(call).await.expect(200, "a change");
    let events = it.app.events("action=application.updated").await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert!(id_of(event).starts_with("evt_"));
    assert_eq!(event["occurred_at"], it.app.moment(0));
    assert_eq!((&event["action"], &event["result"]), (&json!("application.updated"), &json!("success")));
    assert_eq!(event["actor"]["id"], it.app.root.id);
    assert_eq!(event["actor"]["name"], "root");
    assert!(event["actor"]["type"].is_string());
    assert_eq!(event["resource"]["id"], it.client.id);
    assert_eq!(event["resource"]["type"], "application");
    assert!(event["resource"]["name"].is_string());
    assert_eq!(event["tenant_id"], it.acme);
    assert_eq!(event["changes"], json!([{ "field": "notes", "from": null, "to": "Nightly" }]));
    let context = &event["context"];
    assert_eq!((&context["ip"], &context["user_agent"]), (&json!(PEER), &json!(AGENT)));
    assert_eq!(context["request_id"], reply.header("x-request-id"));
    for name in ["session_id", "credential_id"] {
        assert!(context.get(name).is_some(), "{name} is missing: {event}");
    }
    for name in ["reason", "partner_id"] {
        assert!(event.get(name).is_some(), "{name} is missing: {event}");
    }
    assert!(event["hash"].as_str().is_some_and(|hash| hash.len() >= 32), "{event}");
    let read = it.app.ok(get(&admin(&format!("audit/{}", id_of(event))))).await;
    assert_eq!(&read, event, "one event by its ID");
    it.app.admin(get(&admin(&format!("audit/evt_{}", "0".repeat(26))))).await.expect(404, "an unknown event");
}

/// A query, and which events it must select.
type Filter<'a> = (String, Box<dyn Fn(&Value) -> bool + 'a>);

/// Each filter selects what it says, alone and with others.
#[actix_web::test]
async fn filters() {
    let it = fixture().await;
    it.app.advance(HOUR / 2);
    let from = it.app.moment(0);
    it.app.advance(HOUR / 2 + 60);
    it.app.token(&it.client).await;
    it.app.ask(&it.client, &[("scope", "points:steal")]).await.expect(400, "a refusal");
    it.app.edit(&format!("tenants/{}", it.acme), &json!({ "name": "Acme" })).await;
    it.app.advance(60);
    let to = it.app.moment(0);
    it.app.advance(HOUR);
    it.app.token(&it.client).await;
    let all = it.app.events("").await;
    assert!(all.len() < 100, "the whole log is on one page");
    let client = &it.client.id;
    let text = |event: &Value, at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or("").to_owned();
    let within = |event: &Value| (from.as_str()..to.as_str()).contains(&text(event, "/occurred_at").as_str());
    let filters: Vec<Filter<'_>> = vec![
        ("action=token.issued".into(), Box::new(|event| text(event, "/action") == "token.issued")),
        ("action=tenant.updated".into(), Box::new(|event| text(event, "/action") == "tenant.updated")),
        (format!("actor={client}"), Box::new(|event| &text(event, "/actor/id") == client)),
        (format!("resource={client}"), Box::new(|event| &text(event, "/resource/id") == client)),
        (format!("resource={}", it.acme), Box::new(|event| text(event, "/resource/id") == it.acme)),
        (format!("tenant_id={}", it.acme), Box::new(|event| text(event, "/tenant_id") == it.acme)),
        ("result=denied".into(), Box::new(|event| text(event, "/result") == "denied")),
        ("result=success".into(), Box::new(|event| text(event, "/result") == "success")),
        (format!("from={from}&to={to}"), Box::new(within)),
        (format!("from={to}"), Box::new(|event| text(event, "/occurred_at") >= to)),
        (format!("to={from}"), Box::new(|event| text(event, "/occurred_at") < from)),
        (
            format!("actor={client}&result=denied&from={from}"),
            Box::new(|event| &text(event, "/actor/id") == client && text(event, "/result") == "denied"),
        ),
    ];
    for (query, selects) in filters {
        let expected: Vec<&Value> = all.iter().filter(|event| selects(event)).collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query} selects {}", expected.len());
        let found = it.app.events(&query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for nothing in
        ["action=nonsense.done", "actor=nobody", "resource=nothing", "result=failure", "from=2030-01-01"]
    {
        assert_eq!(it.app.events(nothing).await, Vec::<Value>::new(), "{nothing}");
    }
    for wrong in ["result=nonsense", "from=yesterday", "to=7", "cursor=nonsense"] {
        let reply = it.app.admin(get(&admin(&format!("audit?{wrong}")))).await;
        assert!([400, 422].contains(&reply.status), "{wrong}: {}", reply.text());
    }
}

/// Pages as everywhere, and a cursor that finds each event once although more are written meanwhile.
#[actix_web::test]
async fn pages_and_cursors() {
    let it = fixture().await;
    for _ in 0..25 {
        it.app.token(&it.client).await;
    }
    let query = "audit?action=token.issued";
    let first = it.app.ok(get(&admin(&format!("{query}&per_page=10")))).await;
    let total = first["pagination"]["total"].as_u64().unwrap();
    assert!(total >= 25);
    assert_eq!(first["pagination"]["total_pages"], total.div_ceil(10));
    assert!(first["pagination"]["next_cursor"].is_string(), "there is more");
    let known: BTreeSet<String> = it.app.events("action=token.issued").await.iter().map(id_of).collect();
    assert_eq!(known.len() as u64, total);
    let mut paged = Vec::new();
    for page in 1..=total.div_ceil(10) {
        paged
            .extend(column(&it.app.ok(get(&admin(&format!("{query}&per_page=10&page={page}")))).await, "id"));
    }
    assert_eq!(paged.iter().cloned().collect::<BTreeSet<_>>(), known, "page by page");
    assert_eq!(paged.len(), known.len(), "no event is on two pages");
    let mut followed = column(&first, "id");
    let mut cursor = first["pagination"]["next_cursor"].clone();
    while let Some(at) = cursor.as_str() {
        it.app.token(&it.client).await;
        let next = it.app.ok(get(&admin(&format!("{query}&per_page=10&cursor={at}")))).await;
        assert!(!next["data"].as_array().unwrap().is_empty(), "a cursor that leads nowhere");
        followed.extend(column(&next, "id"));
        cursor = next["pagination"]["next_cursor"].clone();
        assert!(followed.len() <= known.len(), "the cursor goes round");
    }
    assert_eq!(followed.iter().cloned().collect::<BTreeSet<_>>(), known, "by the cursor");
    assert_eq!(followed.len(), known.len(), "no event twice");
    let last = it.app.ok(get(&admin("audit?action=application.created&per_page=100"))).await;
    assert!(last["pagination"].get("next_cursor").is_none_or(Value::is_null), "there is no more: {last}");
}

/// Nothing writes to it from outside, and nothing changes it.
#[actix_web::test]
async fn it_is_only_read() {
    let it = fixture().await;
    let event = it.app.events("action=tenant.created").await.remove(0);
    let path = admin(&format!("audit/{}", id_of(&event)));
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let call = crate::support::call(method.parse().unwrap(), &path).json(&json!({}));
        it.app.admin(call).await.expect(405, method);
    }
    assert_eq!(it.app.ok(get(&path)).await, event);
}

/// The address is that of the connection; what a header says of it counts behind a trusted proxy only.
#[actix_web::test]
async fn addresses() {
    let cases = [
        ("a forged header", "", "203.0.113.7", "198.51.100.9", "203.0.113.7"),
        ("a trusted proxy", "10.0.0.0/8", "10.1.2.3", "198.51.100.9", "198.51.100.9"),
        ("two trusted proxies", "10.0.0.0/8", "10.1.2.3", "198.51.100.9, 10.9.9.9", "198.51.100.9"),
        (
            "a forged entry behind a proxy",
            "10.0.0.0/8",
            "10.1.2.3",
            "127.0.0.1, 198.51.100.9",
            "198.51.100.9",
        ),
        ("another proxy", "10.0.0.0/8", "203.0.113.7", "198.51.100.9", "203.0.113.7"),
    ];
    for (name, trusted, peer, forwarded, seen) in cases {
        let app = TestApp::with(|_, http| {
            http.trusted_proxies =
                trusted.split_whitespace().map(|network| network.parse().unwrap()).collect();
        })
        .await;
        let body = json!({ "name": "Acme", "slug": "acme" });
        let call = post(&admin("tenants")).json(&body).from(peer).header("x-forwarded-for", forwarded);
        app.admin(call).await.expect(201, name);
        let event = app.events("action=tenant.created").await.remove(0);
        assert_eq!(event["context"]["ip"], seen, "{name}");
    }
}

/// A token's record names it, its client and its tenant.
#[actix_web::test]
async fn tokens() {
    let it = fixture().await;
    let reply = it.app.ask(&it.client, &[]).await.expect(200, "a token");
    let token = decode(reply.json()["access_token"].as_str().unwrap());
    let events = it.app.events(&format!("resource={}", token.text("jti"))).await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((&event["action"], &event["result"]), (&json!("token.issued"), &json!("success")));
    assert_eq!(event["resource"]["type"], "token");
    assert_eq!(event["actor"]["id"], it.client.id);
    assert_eq!(event["tenant_id"], it.acme);
    assert_eq!(event["context"]["request_id"], reply.header("x-request-id"));
    assert_eq!(event["context"]["ip"], PEER);
    assert_eq!(event["context"]["credential_id"], it.client.secret_id);
    let named = post(crate::support::TOKEN).basic(&it.client.client_id, &it.client.secret);
    let named = named.form(&[("grant_type", "client_credentials")]).header("x-request-id", "job-7");
    let reply = it.app.send(named).await.expect(200, "a request with a name of its own");
    let events = it.app.events("action=token.issued").await;
    let of_request = |event: &&Value| event["context"]["request_id"] == reply.header("x-request-id");
    assert_eq!(events.iter().filter(of_request).count(), 1);
}
