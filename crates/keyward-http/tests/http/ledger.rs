//! A ledger of requests beside the log: every write and every refusal has its record, no more and no less.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    AGENT, Call, PEER, Person, TestApp, World, admin, creation, delete, get, id_of, nobody, oidc, patch,
    post, put,
};

/// Actions of the log, in any order.
type Actions = &'static [&'static str];

/// What a request must have left in the log.
#[derive(Debug)]
enum Left {
    /// These actions, each once and successful.
    Done(Actions),
    /// One record of a refusal.
    Denied,
    /// At most one record, and none of success.
    Failed,
    /// Nothing: it only read, or changed nothing.
    Nothing,
}

/// A request that was sent.
#[derive(Debug)]
struct Entry {
    what: String,
    request: String,
    actor: String,
    left: Left,
    /// Whether its records are about something of the tenant `acme`.
    of_acme: bool,
}

struct Ledger<'a> {
    it: &'a World,
    entries: Vec<Entry>,
}

impl Ledger<'_> {
    async fn send(&mut self, by: &Person, call: Call, status: u16, left: Left, of_acme: bool) -> Value {
        let what = format!("{} {} by {}", call.method, call.uri, by.email);
        let reply = self.it.app.by(by, call).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        let request = reply.header("x-request-id").to_owned();
        self.entries.push(Entry { what, request, actor: by.id.clone(), left, of_acme });
        reply.json()
    }

    /// A successful write of something of `acme` by its administrator.
    async fn done(&mut self, call: Call, status: u16, actions: Actions) -> Value {
        let by = self.it.acme.admin.clone();
        self.send(&by, call, status, Left::Done(actions), true).await
    }

    /// A successful write of the super admin's.
    async fn boss(&mut self, call: Call, status: u16, actions: Actions) -> Value {
        let by = self.it.boss.clone();
        self.send(&by, call, status, Left::Done(actions), false).await
    }
}

/// Creating, changing and deleting one of each kind, and what there is to do with it in between.
async fn lives(ledger: &mut Ledger<'_>) {
    let acme = ledger.it.acme.clone();
    let kinds: [(&str, Actions, Actions, Actions); 6] = [
        ("users", &["user.created"], &["user.updated"], &["user.deleted"]),
        ("groups", &["group.created"], &["group.updated"], &["group.deleted"]),
        ("roles", &["role.created"], &["role.updated"], &["role.deleted"]),
        (
            "applications",
            &["application.created", "secret.created"],
            &["application.updated"],
            &["application.deleted"],
        ),
        (
            "identity-providers",
            &["identity_provider.created"],
            &["identity_provider.updated"],
            &["identity_provider.deleted"],
        ),
        ("agents", &["agent.created", "secret.created"], &["agent.updated"], &["agent.deleted"]),
    ];
    for (collection, created, updated, deleted) in kinds {
        let made = ledger.done(creation(collection, Some(&acme.tenant), "fresh"), 201, created).await;
        let path = admin(&format!("{collection}/{}", id_of(&made)));
        ledger.done(patch(&path).json(&json!({ "name": "Changed" })), 200, updated).await;
        let by = acme.admin.clone();
        let same = patch(&path).json(&json!({ "name": "Changed" }));
        ledger.send(&by, same, 200, Left::Nothing, true).await;
        ledger.send(&by, get(&path), 200, Left::Nothing, true).await;
        let stale = patch(&path).json(&json!({ "name": "x" })).header("if-match", "\"0\"");
        ledger.send(&by, stale, 412, Left::Failed, true).await;
        ledger.send(&by, patch(&path).json(&json!({ "x": 1 })), 422, Left::Failed, true).await;
        ledger.done(delete(&path), 204, deleted).await;
        ledger.send(&by, delete(&path), 404, Left::Failed, true).await;
    }
    for (collection, created, updated, deleted) in [
        ("partners", &["partner.created"], &["partner.updated"], &["partner.deleted"]),
        ("tenants", &["tenant.created"], &["tenant.updated"], &["tenant.deleted"]),
    ] {
        let made = ledger.boss(creation(collection, None, "fresh"), 201, created).await;
        let path = admin(&format!("{collection}/{}", id_of(&made)));
        ledger.boss(patch(&path).json(&json!({ "name": "Changed" })), 200, updated).await;
        ledger.boss(delete(&path), 204, deleted).await;
    }
    let row = json!({ "resource": "new", "label": "New", "view": "new:read", "change": [] });
    let made = ledger.boss(post(&admin("permissions")).json(&row), 201, &["permission.created"]).await;
    let path = admin(&format!("permissions/{}", id_of(&made)));
    ledger.boss(patch(&path).json(&json!({ "label": "Newer" })), 200, &["permission.updated"]).await;
    ledger.boss(delete(&path), 204, &["permission.deleted"]).await;
    ledger.boss(get(&admin("signing-keys")), 200, &["signing_key.listed"]).await;
    ledger.boss(get(&admin("audit/export")), 200, &["audit.exported"]).await;
}

/// What there is to do beside the five operations.
async fn acts(ledger: &mut Ledger<'_>) {
    let acme = ledger.it.acme.clone();
    let roles = json!({ "roles": [acme.role] });
    let secrets = |path: &str| post(&admin(&format!("{path}/secrets"))).json(&json!({}));
    let member = json!({ "user_id": acme.loner });
    let group = admin(&format!("groups/{}", acme.group));
    let user = admin(&format!("users/{}", acme.user.id));
    let client = format!("applications/{}", acme.client.id);
    let agent = format!("agents/{}", acme.agent.id);
    let cases: [(Call, u16, Actions); 13] = [
        (put(&format!("{user}/roles")).json(&roles), 200, &["user.roles_replaced"]),
        (put(&format!("{group}/roles")).json(&roles), 200, &["group.roles_replaced"]),
        (post(&format!("{group}/members")).json(&member), 201, &["group.member_added"]),
        (delete(&format!("{group}/members/{}", acme.loner)), 204, &["group.member_removed"]),
        (post(&format!("{group}/nested")).json(&json!({ "group_id": acme.spare })), 201, &["group.nested"]),
        (delete(&format!("{group}/nested/{}", acme.spare)), 204, &["group.unnested"]),
        (secrets(&client), 201, &["secret.created"]),
        (delete(&admin(&format!("{client}/secrets/{}", acme.client.secret_id))), 204, &["secret.revoked"]),
        (secrets(&agent), 201, &["secret.created"]),
        (delete(&admin(&format!("{agent}/secrets/{}", acme.agent.secret_id))), 204, &["secret.revoked"]),
        (post(&admin(&format!("{client}/renew"))).json(&json!({})), 200, &["application.renewed"]),
        (post(&admin(&format!("sessions/{}/revoke", acme.session))), 200, &["session.revoked"]),
        (post(&format!("{user}/reset-password")), 200, &["user.password_reset"]),
    ];
    for (call, status, actions) in cases {
        ledger.done(call, status, actions).await;
    }
    ledger.done(post(&format!("{user}/mfa/disable")), 200, &["user.mfa_disabled"]).await;
    let items = json!({ "items": [
        { "op": "create", "body": { "name": "bulk-1", "tenant_id": acme.tenant } },
        { "op": "create", "body": { "name": "bulk-2", "tenant_id": acme.tenant } },
        { "op": "update", "id": acme.spare, "body": { "name": "bulk-3" } }
    ] });
    let bulk = post(&admin("groups/bulk")).json(&items);
    ledger.done(bulk, 200, &["group.created", "group.created", "group.updated"]).await;
}

/// Every kind of refusal, on every kind of thing.
async fn refusals(ledger: &mut Ledger<'_>) {
    let it = ledger.it;
    let (powerless, tenant, other) = (it.acme.user.clone(), it.acme.admin.clone(), it.globex.admin.clone());
    let inside = ["users", "groups", "roles", "applications", "identity-providers", "agents"];
    // The user's password was reset meanwhile; with a token from afterwards they are as powerless as before.
    it.app.advance(1);
    let powerless = Person { token: it.app.user_token(&powerless.email).await, ..powerless };
    for collection in inside {
        let path = admin(&format!("{collection}/{}", it.acme.id(collection)));
        ledger
            .send(&powerless, creation(collection, Some(&it.acme.tenant), "x"), 403, Left::Denied, false)
            .await;
        let change = || patch(&path).json(&json!({ "name": "Mine" }));
        ledger.send(&powerless, change(), 403, Left::Denied, false).await;
        ledger.send(&powerless, delete(&path), 403, Left::Denied, false).await;
        ledger.send(&powerless, get(&path), 403, Left::Failed, false).await;
        ledger.send(&other, change(), 404, Left::Failed, false).await;
        ledger.send(&other, delete(&path), 404, Left::Failed, false).await;
        let foreign = creation(collection, Some(&it.acme.tenant), "x");
        ledger.send(&other, foreign, 422, Left::Failed, false).await;
        ledger.send(&tenant, creation(collection, None, "x"), 403, Left::Denied, false).await;
        let bulk = post(&admin(&format!("{collection}/bulk"))).json(&json!({ "items": [] }));
        ledger.send(&powerless, bulk, 403, Left::Denied, false).await;
    }
    for collection in ["partners", "tenants"] {
        let path = admin(&format!("{collection}/{}", it.acme.id(collection)));
        for by in [&powerless, &tenant, &it.of_north] {
            ledger.send(by, creation(collection, None, "x"), 403, Left::Denied, false).await;
            ledger.send(by, patch(&path).json(&json!({ "name": "x" })), 403, Left::Denied, false).await;
            ledger
                .send(by, delete(&admin(&format!("{collection}/nonsense"))), 403, Left::Denied, false)
                .await;
        }
    }
    let promote =
        |id: &str| patch(&admin(&format!("users/{id}"))).json(&json!({ "admin_role": "super_admin" }));
    ledger.send(&tenant, promote(&it.acme.loner), 403, Left::Denied, false).await;
    ledger.send(&tenant, delete(&admin(&format!("users/{}", tenant.id))), 409, Left::Failed, false).await;
    let circle =
        post(&admin(&format!("groups/{}/nested", it.acme.child))).json(&json!({ "group_id": it.acme.group }));
    ledger.send(&tenant, circle, 409, Left::Failed, false).await;
    let absent =
        put(&admin(&format!("users/{}/roles", nobody(&it.acme.loner)))).json(&json!({ "roles": [] }));
    ledger.send(&tenant, absent, 404, Left::Failed, false).await;
    ledger
        .send(&tenant, post(&admin("signing-keys/rotate")).json(&json!({})), 403, Left::Denied, false)
        .await;
    let no_secret = json!({ "config": { "issuer": "https://evil.example" } });
    let moved = patch(&admin(&format!("identity-providers/{}", it.acme.provider))).json(&no_secret);
    ledger.send(&tenant, moved, 422, Left::Failed, false).await;
    assert_ne!(oidc("https://idp.example")["issuer"], no_secret["config"]["issuer"]);
}

/// The whole log, by the request that left each record.
async fn log(app: &TestApp) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for page in 1.. {
        let list = app.ok(get(&admin(&format!("audit?per_page=100&page={page}")))).await;
        let items = list["data"].as_array().unwrap();
        if items.is_empty() {
            break;
        }
        for event in items {
            let request = event["context"]["request_id"].as_str().unwrap_or("").to_owned();
            all.entry(request).or_default().push(event.clone());
        }
    }
    all
}

#[actix_web::test]
async fn the_log_is_the_ledger() {
    let it = World::new().await;
    let mut ledger = Ledger { it: &it, entries: Vec::new() };
    lives(&mut ledger).await;
    acts(&mut ledger).await;
    refusals(&mut ledger).await;
    let entries = ledger.entries;
    assert!(entries.len() > 130, "{} requests", entries.len());
    let log = log(&it.app).await;
    let mut faults = Vec::new();
    for entry in &entries {
        let records = log.get(&entry.request).cloned().unwrap_or_default();
        let mut actions: Vec<&str> = records.iter().map(|event| event["action"].as_str().unwrap()).collect();
        actions.sort_unstable();
        let all = |result: &str| records.iter().all(|event| event["result"] == result);
        let right = match entry.left {
            Left::Done(expected) => {
                let mut expected = expected.to_vec();
                expected.sort_unstable();
                actions == expected && all("success")
            }
            Left::Denied => records.len() == 1 && all("denied"),
            Left::Failed => records.len() <= 1 && records.iter().all(|event| event["result"] != "success"),
            Left::Nothing => records.is_empty(),
        };
        if !right {
            faults.push(format!("{}: {:?}, but the log has {records:?}", entry.what, entry.left));
        }
        for event in &records {
            let context = &event["context"];
            let from = (&context["ip"], &context["user_agent"]) == (&json!(PEER), &json!(AGENT));
            if event["actor"]["id"] != entry.actor || event["actor"]["type"] != "user" || !from {
                faults.push(format!("{}: who and from where? {event}", entry.what));
            }
            let place =
                (&event["tenant_id"], &event["partner_id"]) == (&json!(it.acme.tenant), &json!(it.north));
            if entry.of_acme && !place {
                faults.push(format!("{}: of which tenant and partner? {event}", entry.what));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    // And the log has no record of a request that is not in the ledger, those aside that prepared the scene.
    let known = |request: &String| entries.iter().any(|entry| entry.request == *request);
    let first = entries.iter().map(|entry| &entry.request).min().unwrap();
    let strangers: Vec<&Vec<Value>> = log
        .iter()
        .filter(|(request, _)| *request >= first && !known(request))
        .map(|(_, events)| events)
        .collect();
    let by_root = |events: &&Vec<Value>| events.iter().all(|event| event["actor"]["name"] == "root");
    assert!(strangers.iter().all(by_root), "{strangers:?}");
}

/// A refusal inside a tenant is seen by those who administrate it, and by the partner above.
#[actix_web::test]
async fn refusals_have_their_place() {
    let it = World::new().await;
    let clerk = it.app.staff(&it.acme.tenant, "clerk", &["keyward:users:write"]).await;
    let above = patch(&admin(&format!("users/{}", it.acme.admin.id))).json(&json!({ "name": "Mine" }));
    it.app.by(&clerk, above).await.expect(403, "somebody above");
    for person in [&it.boss, &it.acme.admin, &it.of_north] {
        let query = get(&admin(&format!("audit?actor={}&result=denied", clerk.id)));
        let found = it.app.by(person, query).await.expect(200, &person.email).json();
        assert_eq!(found["pagination"]["total"], 1, "{}: {found}", person.email);
        assert_eq!(found["data"][0]["resource"]["type"], "user", "{}", person.email);
    }
    let query = get(&admin(&format!("audit?actor={}&result=denied", clerk.id)));
    assert_eq!(it.app.by(&it.globex.admin, query).await.json()["data"], json!([]));
}
