//! Deleted is gone, for everybody and with everything below.

use serde_json::{Value, json};

use crate::support::{TestApp, admin, delete, get, patch, post};

/// 204, then 404 for every method.
#[actix_web::test]
async fn deleted_objects() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let paths = [
        format!("permissions/{}", app.permission("cards", "cards:read", &[]).await),
        format!("roles/{}", app.role(Some(&acme), "clerk", &["points:read"]).await),
        format!("applications/{}", client.id),
        format!("tenants/{}", app.tenant("gone").await),
    ];
    for path in &paths {
        app.ok(get(&admin(path))).await;
        let reply = app.admin(delete(&admin(path))).await.expect(204, path);
        assert!(reply.body.is_empty(), "{path}");
        for method in ["GET", "PATCH", "DELETE"] {
            let call = crate::support::call(method.parse().unwrap(), &admin(path));
            let call = if method == "PATCH" { call.json(&json!({ "name": "x" })) } else { call };
            app.admin(call).await.expect(404, &format!("{method} {path}"));
        }
        let collection = path.split('/').next().unwrap();
        let list = app.ok(get(&admin(&format!("{collection}?per_page=100")))).await;
        assert!(!list.to_string().contains(path.split('/').next_back().unwrap()), "{path} is in its list");
    }
    for below in ["secrets", "renew", "grants"] {
        let path = admin(&format!("applications/{}/{below}", client.id));
        let call = match below {
            "secrets" => get(&path),
            "renew" => post(&path).json(&json!({})),
            _ => crate::support::put(&path).json(&json!({ "grants": [] })),
        };
        app.admin(call).await.expect(404, below);
    }
}

/// Deleting a tenant takes everything in it along.
#[actix_web::test]
async fn a_tenant_and_all_in_it() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let role = app.role(Some(&acme), "clerk", &["points:read"]).await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let neighbour = app.client(&globex, "crm-sync", &["points:read"]).await;
    app.remove(&format!("tenants/{acme}")).await;
    let application = format!("applications/{}", client.id);
    for path in [format!("roles/{role}"), application.clone(), format!("{application}/secrets")] {
        app.admin(get(&admin(&path))).await.expect(404, &path);
    }
    let secret = admin(&format!("{application}/secrets/{}", client.secret_id));
    app.admin(delete(&secret)).await.expect(404, "a secret in it");
    for reference in [json!({ "tenant_id": acme }), json!({ "tenant_id": globex, "roles": [role] })] {
        let mut body = json!({ "type": "service", "name": "x", "client_id": "x", "reach": "tenant" });
        body.as_object_mut().unwrap().extend(reference.as_object().unwrap().clone());
        let reply = app.admin(post(&admin("applications")).json(&body)).await;
        let pointer = if body.get("roles").is_some() { "/roles/0" } else { "/tenant_id" };
        reply.expect_error(pointer, "unknown_reference", &body.to_string());
    }
    app.ask(&client, &[]).await.expect(401, "its client");
    app.ask(&neighbour, &[]).await.expect(200, "another tenant's client");
    app.ok(get(&admin(&format!("applications/{}", neighbour.id)))).await;
}

/// What names nothing is 404, whatever it looks like.
#[actix_web::test]
async fn identifiers_that_name_nothing() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let role = app.role(Some(&acme), "clerk", &["points:read"]).await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let objects = [("tenants", &acme), ("roles", &role), ("applications", &client.id)];
    for (collection, own) in objects {
        let (prefix, digits) = own.split_once('_').unwrap();
        let mut wrong: Vec<String> =
            objects.iter().filter(|(other, _)| *other != collection).map(|(_, id)| (*id).clone()).collect();
        wrong.extend([
            format!("{prefix}_{}", "0".repeat(26)),
            format!("{prefix}_{}", "z".repeat(26)),
            format!("{prefix}_{}", digits.to_uppercase()),
            format!("{prefix}_{}", &digits[1..]),
            format!("{own}0"),
            format!("{own}%20"),
            digits.to_owned(),
            "acme".to_owned(),
            "0".to_owned(),
            "%00".to_owned(),
            "%F0%9F%94%91".to_owned(),
            "'%20OR%201=1--".to_owned(),
            "..%2Ftenants".to_owned(),
            "x".repeat(3_000),
        ]);
        for id in wrong {
            let path = admin(&format!("{collection}/{id}"));
            app.admin(get(&path)).await.expect(404, &path);
            app.admin(patch(&path).json(&json!({ "name": "x" }))).await.expect(404, &path);
            app.admin(delete(&path)).await.expect(404, &path);
        }
        app.ok(get(&admin(&format!("{collection}/{own}")))).await;
    }
}

/// A secret is found under its own application only.
#[actix_web::test]
async fn secrets_of_others() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let first = app.client(&acme, "first", &["points:read"]).await;
    let second = app.client(&acme, "second", &["points:read"]).await;
    let path =
        |application: &str, secret: &str| admin(&format!("applications/{application}/secrets/{secret}"));
    let unknown = format!("sec_{}", "0".repeat(26));
    for secret in [second.secret_id.as_str(), &unknown, &first.id, "nonsense"] {
        app.admin(delete(&path(&first.id, secret))).await.expect(404, secret);
    }
    app.admin(delete(&path(&acme, &first.secret_id))).await.expect(404, "under a tenant");
    for client in [&first, &second] {
        app.ask(client, &[]).await.expect(200, "nothing was revoked");
    }
    let list: Value = app.ok(get(&admin(&format!("applications/{}/secrets", first.id)))).await;
    assert_eq!(list["pagination"]["total"], 1);
    app.admin(delete(&path(&first.id, &first.secret_id))).await.expect(204, "its own");
}
