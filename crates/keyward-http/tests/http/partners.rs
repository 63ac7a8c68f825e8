//! Partners.

use serde_json::{Value, json};

use crate::support::{TestApp, admin, get, id_of, patch, post};

#[actix_web::test]
async fn shape_and_changes() {
    let app = TestApp::start().await;
    let body = json!({
        "name": "Northwind", "slug": "northwind", "status": "active", "contact_email": "it@northwind.example",
        "max_tenants": 3, "max_users_per_tenant": 50, "max_applications_per_tenant": 0
    });
    let made = app.create("partners", &body).await;
    assert!(id_of(&made).starts_with("prt_"));
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let path = format!("partners/{}", id_of(&made));
    assert_eq!(app.ok(get(&admin(&path))).await, made);
    for (name, value) in [
        ("name", json!("North")),
        ("status", json!("suspended")),
        ("contact_email", Value::Null),
        ("max_tenants", Value::Null),
        ("max_users_per_tenant", json!(0)),
        ("max_applications_per_tenant", json!(7)),
    ] {
        assert_eq!(app.edit(&path, &json!({ name: value })).await[name], value, "{name}");
    }
    let plain = app.create("partners", &json!({ "name": "Plain", "slug": "plain" })).await;
    assert_eq!((&plain["status"], &plain["max_tenants"]), (&json!("active"), &Value::Null));
    app.remove(&path).await;
    app.admin(get(&admin(&path))).await.expect(404, "deleted");
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let app = TestApp::start().await;
    let with = |name: &str, value: Value| {
        let mut body = json!({ "name": "P", "slug": "p" });
        body[name] = value;
        body
    };
    for (name, value) in [
        ("name", json!("")),
        ("slug", json!("P")),
        ("slug", json!("a.b")),
        ("slug", Value::Null),
        ("status", json!("disabled")),
        ("contact_email", json!("nobody")),
        ("max_tenants", json!(-1)),
        ("max_tenants", json!("3")),
        ("max_tenants", json!(1.5)),
        ("max_users_per_tenant", json!(true)),
        ("max_applications_per_tenant", json!(99_999_999_999_u64)),
        ("limits", json!({ "max_tenants": 3 })),
    ] {
        let body = with(name, value);
        let reply = app.admin(post(&admin("partners")).json(&body)).await;
        reply.expect_invalid(&format!("/{name}"), &body.to_string());
    }
    let made = app.create("partners", &with("max_tenants", json!(0))).await;
    app.admin(post(&admin("partners")).json(&with("name", json!("Q"))))
        .await
        .expect(409, "the slug is taken");
    let slug = patch(&admin(&format!("partners/{}", id_of(&made)))).json(&json!({ "slug": "q" }));
    app.admin(slug).await.expect_invalid("/slug", "fixed for good");
    let tenant = json!({ "name": "A", "slug": "a", "partner_id": made["id"] });
    let full = app.admin(post(&admin("tenants")).json(&tenant)).await.expect(409, "no tenants at all").json();
    assert_eq!((&full["limit"], &full["used"]), (&json!(0), &json!(0)), "{full}");
}

/// What a partner has dies with it: its tenants' clients get no token, and earlier ones are dead.
#[actix_web::test]
async fn dead_partners() {
    for way in ["suspended", "deleted"] {
        let app = TestApp::start().await;
        app.catalogue().await;
        let partner = id_of(&app.create("partners", &json!({ "name": "P", "slug": "p" })).await);
        let body = json!({ "name": "A", "slug": "acme", "partner_id": partner });
        let acme = id_of(&app.create("tenants", &body).await);
        let client = app.client(&acme, "crm", &["points:read"]).await;
        let fields = json!({
            "reach": "partner", "partner_id": partner, "client_id": "hub", "allowed_scopes": ["points:read"]
        });
        let hub = app.application(&fields).await;
        assert_eq!(hub.client_id, "p.hub", "the wire form carries the partner");
        app.grant(&hub, &json!([{ "tenant_id": acme, "permissions": ["points:read"] }])).await;
        let earlier = [app.token(&client).await, app.token(&hub).await];
        let path = format!("partners/{partner}");
        match way {
            "suspended" => drop(app.edit(&path, &json!({ "status": "suspended" })).await),
            _ => app.remove(&path).await,
        }
        for (who, token) in [&client, &hub].into_iter().zip(&earlier) {
            let what = format!("{way}: {}", who.client_id);
            assert_eq!(app.introspect(&app.root, token).await["active"], false, "{what}");
            app.ask(who, &[]).await.expect(401, &what);
        }
        if way == "suspended" {
            app.edit(&path, &json!({ "status": "active" })).await;
            app.token(&client).await;
            app.token(&hub).await;
        }
    }
}
