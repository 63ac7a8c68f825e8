//! Tenants.

use serde_json::{Value, json};

use crate::support::{START, TestApp, admin, get, id_of, is_well_formed, patch, post};

async fn refuse(app: &TestApp, body: &Value, pointer: &str) {
    let reply = app.admin(post(&admin("tenants")).json(body)).await;
    reply.expect_invalid(pointer, &body.to_string());
}

#[actix_web::test]
async fn shape() {
    let app = TestApp::start().await;
    let partner = app.partner("reseller").await;
    let body = json!({
        "name": "Acme Ltd.", "slug": "acme-2", "contact_email": "it@acme.example", "partner_id": partner,
        "settings": { "currency": "EUR", "limits": { "daily": 100 } }, "branding": { "colour": "#123456" }
    });
    let reply = app.admin(post(&admin("tenants")).json(&body)).await.expect(201, "a tenant");
    let made = reply.json();
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let id = id_of(&made);
    let (prefix, digits) = id.split_once('_').unwrap();
    assert_eq!((prefix, digits.len()), ("tnt", 26));
    assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{id}");
    assert_eq!(made["status"], "active", "the default");
    assert_eq!((&made["created_at"], &made["updated_at"]), (&json!(START), &json!(START)));
    let key = made["publishable_key"].as_str().unwrap();
    assert!(["kwt_live_", "kwt_test_"].iter().any(|prefix| is_well_formed(key, prefix)), "{key}");
    assert!(
        reply.header("location").ends_with(&format!("/api/v1/admin/tenants/{id}")),
        "{}",
        reply.header("location")
    );
    let read = app.ok(get(&admin(&format!("tenants/{id}")))).await;
    assert_eq!(read, made, "the publishable key can be read at any time");
    assert_eq!(app.ok(get(&admin("tenants"))).await["data"], json!([made]));
    let plain = app.create("tenants", &json!({ "name": "Plain", "slug": "plain" })).await;
    assert_eq!((&plain["settings"], &plain["branding"]), (&json!({}), &json!({})));
    assert_eq!((&plain["partner_id"], &plain["contact_email"]), (&Value::Null, &Value::Null));
    assert_ne!(plain["publishable_key"], made["publishable_key"]);
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let app = TestApp::start().await;
    for slug in ["Acme", "ac me", "ac.me", "ac_me", "", "ácme", "a/b", "..", "a%20"] {
        refuse(&app, &json!({ "name": "Acme", "slug": slug }), "/slug").await;
    }
    for status in ["disabled", "deleted", "ACTIVE", ""] {
        refuse(&app, &json!({ "name": "Acme", "slug": "acme", "status": status }), "/status").await;
    }
    for document in [json!("text"), json!([]), json!(7), json!(true)] {
        refuse(&app, &json!({ "name": "Acme", "slug": "acme", "settings": document }), "/settings").await;
        refuse(&app, &json!({ "name": "Acme", "slug": "acme", "branding": document }), "/branding").await;
    }
    let unknown = format!("prt_{}", "0".repeat(26));
    let body = json!({ "name": "Acme", "slug": "acme", "partner_id": unknown });
    let reply = app.admin(post(&admin("tenants")).json(&body)).await;
    reply.expect_error("/partner_id", "unknown_reference", "an unknown partner");
    refuse(&app, &json!({ "name": "Acme", "slug": "acme", "partner_id": "acme" }), "/partner_id").await;
    let two = json!({ "slug": "A B", "name": "" });
    let reply = app.admin(post(&admin("tenants")).json(&two)).await;
    reply.expect_invalid("/slug", "two errors at once");
    reply.expect_invalid("/name", "two errors at once");
    app.create("tenants", &json!({ "name": "Acme", "slug": "acme", "status": "suspended" })).await;
    let again = json!({ "name": "Other", "slug": "acme" });
    app.admin(post(&admin("tenants")).json(&again)).await.expect(409, "the slug is taken");
    assert_eq!(app.ok(get(&admin("tenants"))).await["pagination"]["total"], 1);
}

/// RFC 7396, nested.
#[actix_web::test]
async fn merge_patches() {
    let app = TestApp::start().await;
    let id = app.tenant("acme").await;
    let path = format!("tenants/{id}");
    let steps = [
        (
            json!({ "settings": { "a": { "b": 1, "c": [1, 2] }, "d": "x" } }),
            json!({ "a": { "b": 1, "c": [1, 2] }, "d": "x" }),
        ),
        (json!({ "settings": { "a": { "b": 2 } } }), json!({ "a": { "b": 2, "c": [1, 2] }, "d": "x" })),
        (json!({ "settings": { "a": { "c": [3] } } }), json!({ "a": { "b": 2, "c": [3] }, "d": "x" })),
        (json!({ "settings": { "a": { "b": null }, "d": null } }), json!({ "a": { "c": [3] } })),
        (json!({ "settings": { "a": "text" } }), json!({ "a": "text" })),
        (json!({ "settings": { "a": { "e": { "f": null, "g": 1 } } } }), json!({ "a": { "e": { "g": 1 } } })),
        (json!({ "settings": { "nothing": null } }), json!({ "a": { "e": { "g": 1 } } })),
    ];
    for (body, settings) in steps {
        let it = app.edit(&path, &body).await;
        assert_eq!(it["settings"], settings, "{body}");
        assert_eq!((&it["name"], &it["branding"]), (&json!("acme"), &json!({})), "what was not named");
    }
    let it = app.edit(&path, &json!({ "branding": { "logo": { "url": "https://x.example" } } })).await;
    assert_eq!(it["branding"], json!({ "logo": { "url": "https://x.example" } }));
    for wrong in [json!({ "settings": [] }), json!({ "settings": "x" })] {
        let reply = app.admin(patch(&admin(&path)).json(&wrong)).await;
        reply.expect_invalid("/settings", &wrong.to_string());
    }
    assert_eq!(app.ok(get(&admin(&path))).await["settings"], json!({ "a": { "e": { "g": 1 } } }));
}

#[actix_web::test]
async fn changes() {
    let app = TestApp::start().await;
    let id = app.tenant("acme").await;
    let path = format!("tenants/{id}");
    app.advance(60);
    let it = app.edit(&path, &json!({ "name": "Acme GmbH", "contact_email": "it@acme.example" })).await;
    assert_eq!((&it["name"], &it["contact_email"]), (&json!("Acme GmbH"), &json!("it@acme.example")));
    assert_eq!((&it["created_at"], &it["updated_at"]), (&json!(START), &json!("2026-11-02T12:01:00.000Z")));
    let it = app.edit(&path, &json!({ "contact_email": null, "status": "suspended" })).await;
    assert_eq!((&it["contact_email"], &it["status"]), (&Value::Null, &json!("suspended")));
    let reply = app.admin(patch(&admin(&path)).json(&json!({ "status": "disabled" }))).await;
    reply.expect_invalid("/status", "not a status of tenants");
    assert_eq!(app.edit(&path, &json!({ "status": "active" })).await["status"], "active");
}

/// By the super admin, and whoever may do all that they may.
#[actix_web::test]
async fn transfer() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (first, second) = (app.partner("first").await, app.partner("second").await);
    let id = app.tenant("acme").await;
    let path = format!("tenants/{id}");
    let client = app.client(&id, "crm-sync", &["points:read"]).await;
    for partner in [json!(first), json!(second), Value::Null, json!(second)] {
        let it = app.edit(&path, &json!({ "partner_id": partner })).await;
        assert_eq!(it["partner_id"], partner);
        let token = crate::support::decode(&app.token(&client).await);
        assert_eq!(token.claims.get("partner_id").unwrap_or(&Value::Null), &partner, "the token follows");
    }
    let unknown = json!({ "partner_id": format!("prt_{}", "0".repeat(26)) });
    let reply = app.admin(patch(&admin(&path)).json(&unknown)).await;
    reply.expect_error("/partner_id", "unknown_reference", "an unknown partner");
    assert_eq!(app.ok(get(&admin(&path))).await["partner_id"], json!(second));
}
