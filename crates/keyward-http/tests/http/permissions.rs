//! The permission catalogue, as rows of a grid.

use serde_json::{Value, json};

use crate::support::{TestApp, admin, column, get, id_of, patch, post};

#[actix_web::test]
async fn shape() {
    let app = TestApp::start().await;
    let body = json!({
        "resource": "users", "label": "Users", "view": "read:users",
        "change": ["create:users", "update:users", "delete:users"]
    });
    let reply = app.admin(post(&admin("permissions")).json(&body)).await.expect(201, "a row");
    let made = reply.json();
    assert!(id_of(&made).starts_with("per_"), "{made}");
    assert!(reply.header("location").ends_with(&id_of(&made)));
    for name in ["resource", "label", "view"] {
        assert_eq!(made[name], body[name], "{name}");
    }
    let mut change: Vec<&str> =
        made["change"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    change.sort_unstable();
    assert_eq!(change, ["create:users", "delete:users", "update:users"]);
    assert_eq!(app.ok(get(&admin(&format!("permissions/{}", id_of(&made))))).await, made);
    let list = app.ok(get(&admin("permissions?per_page=100"))).await;
    assert!(list["data"].as_array().unwrap().contains(&made));
}

/// `keys:verify` and the platform's own are in the catalogue from the start.
#[actix_web::test]
async fn from_the_start() {
    let app = TestApp::start().await;
    let list = app.ok(get(&admin("permissions?per_page=100"))).await;
    let rows = list["data"].as_array().unwrap();
    let staff = [
        "users",
        "groups",
        "roles",
        "applications",
        "identity-providers",
        "agents",
        "api-keys",
        "sessions",
        "audit",
    ]
    .into_iter()
    .flat_map(|name| [format!("keyward:{name}:read"), format!("keyward:{name}:write")]);
    let own = ["admin:read", "admin:write", "keys:verify"].map(str::to_owned);
    for scope in own.into_iter().chain(staff) {
        let has = |row: &Value| {
            row["view"] == json!(scope) || row["change"].as_array().unwrap().contains(&json!(scope))
        };
        assert!(rows.iter().any(has), "{scope} is in no row: {list}");
    }
    let acme = app.tenant("acme").await;
    app.client(&acme, "verifier", &["keys:verify"]).await;
}

/// A permission can be given from the moment that it is in the catalogue, and until it no longer is.
#[actix_web::test]
async fn what_exists_can_be_given() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &[]).await;
    let path = admin(&format!("applications/{}", client.id));
    let allow = |scope: &str| patch(&path).json(&json!({ "allowed_scopes": [scope] }));
    let refused =
        async |scope: &str, why: &str| app.admin(allow(scope)).await.expect_invalid("/allowed_scopes", why);
    refused("points:read", "not yet").await;
    let row = app.permission("points", "points:read", &["points:adjust"]).await;
    for scope in ["points:read", "points:adjust"] {
        app.admin(allow(scope)).await.expect(200, scope);
    }
    refused("points:steal", "not in the row").await;
    app.edit(&format!("permissions/{row}"), &json!({ "change": ["points:award"] })).await;
    app.admin(allow("points:award")).await.expect(200, "added by a change");
    refused("points:adjust", "removed by a change").await;
    app.remove(&format!("permissions/{row}")).await;
    refused("points:read", "the row is deleted").await;
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let app = TestApp::start().await;
    app.permission("points", "points:read", &[]).await;
    let row = |name: &str, value: Value| {
        let mut body =
            json!({ "resource": "cards", "label": "Cards", "view": "cards:read", "change": ["cards:issue"] });
        body[name] = value;
        body
    };
    let cases = [
        ("/resource", row("resource", json!(""))),
        ("/resource", row("resource", json!(null))),
        ("/view", row("view", json!("cards read"))),
        ("/view", row("view", json!("cards:\"read"))),
        ("/view", row("view", json!("cärds:read"))),
        ("/view", row("view", json!(""))),
        ("/view", row("view", json!(["cards:read"]))),
        ("/change", row("change", json!(["a b"]))),
        ("/change", row("change", json!(["ok", "back\\slash"]))),
        ("/change", row("change", json!("cards:issue"))),
        ("/change", row("change", json!([7]))),
    ];
    for (pointer, body) in cases {
        let reply = app.admin(post(&admin("permissions")).json(&body)).await;
        reply.expect_invalid(pointer, &body.to_string());
    }
    let taken = row("resource", json!("points"));
    app.admin(post(&admin("permissions")).json(&taken)).await.expect(409, "the row exists");
    app.create("permissions", &row("label", json!("Cards"))).await;
}

#[actix_web::test]
async fn changes_and_deletion() {
    let app = TestApp::start().await;
    let id = app.permission("points", "points:read", &["points:adjust"]).await;
    let path = format!("permissions/{id}");
    let it = app.edit(&path, &json!({ "label": "Loyalty points" })).await;
    assert_eq!((&it["label"], &it["view"]), (&json!("Loyalty points"), &json!("points:read")));
    let it = app.edit(&path, &json!({ "view": "points:list", "change": [] })).await;
    assert_eq!((&it["view"], &it["change"]), (&json!("points:list"), &json!([])));
    app.remove(&path).await;
    app.admin(get(&admin(&path))).await.expect(404, "deleted");
    let list = app.ok(get(&admin("permissions?per_page=100"))).await;
    assert!(!column(&list, "id").contains(&id));
}
