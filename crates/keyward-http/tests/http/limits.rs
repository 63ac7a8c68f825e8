//! Limits: 409 that says how much is allowed and how much is there.

use serde_json::{Value, json};

use crate::support::{Reply, TestApp, admin, delete, id_of, patch, post};

#[track_caller]
fn at_the_limit(reply: &Reply, limit: u64, why: &str) {
    assert_eq!(reply.status, 409, "{why}: {}", reply.text());
    let body = reply.json();
    assert_eq!((&body["limit"], &body["used"]), (&json!(limit), &json!(limit)), "{why}: {body}");
}

async fn partner_with(change: impl FnOnce(&mut keyward_model::Partner)) -> (TestApp, String) {
    let mut app = TestApp::start().await;
    app.catalogue().await;
    let partner = app.partner("reseller").await;
    app.change_partner(&partner, change).await;
    (app, partner)
}

fn tenant(slug: &str, partner: impl Into<Value>) -> Value {
    json!({ "name": slug, "slug": slug, "partner_id": partner.into() })
}

/// `max_tenants`, when a tenant is created and when one is transferred.
#[actix_web::test]
async fn tenants_of_a_partner() {
    let (app, partner) = partner_with(|partner| partner.max_tenants = Some(2)).await;
    let first = id_of(&app.create("tenants", &tenant("first", partner.as_str())).await);
    app.create("tenants", &tenant("second", partner.as_str())).await;
    let free = id_of(&app.create("tenants", &tenant("free", Value::Null)).await);
    let create = || post(&admin("tenants")).json(&tenant("third", partner.as_str()));
    at_the_limit(&app.admin(create()).await, 2, "a third tenant");
    let transfer = || patch(&admin(&format!("tenants/{free}"))).json(&json!({ "partner_id": partner }));
    at_the_limit(&app.admin(transfer()).await, 2, "a transfer");
    app.edit(&format!("tenants/{first}"), &json!({ "name": "Still here" })).await;
    app.admin(delete(&admin(&format!("tenants/{first}")))).await.expect(204, "one goes");
    app.admin(transfer()).await.expect(200, "there is room again");
    at_the_limit(&app.admin(create()).await, 2, "and no longer");
}

/// `max_applications_per_tenant`.
#[actix_web::test]
async fn applications_of_a_tenant() {
    let (app, partner) = partner_with(|partner| partner.max_applications_per_tenant = Some(2)).await;
    let acme = id_of(&app.create("tenants", &tenant("acme", partner.as_str())).await);
    let other = id_of(&app.create("tenants", &tenant("other", partner.as_str())).await);
    let application = |tenant: &str, local: &str| {
        let body = json!({
            "name": local, "type": "service", "reach": "tenant", "tenant_id": tenant, "client_id": local
        });
        post(&admin("applications")).json(&body)
    };
    let first = app.client(&acme, "first", &["points:read"]).await;
    app.client(&acme, "second", &["points:read"]).await;
    at_the_limit(&app.admin(application(&acme, "third")).await, 2, "a third application");
    app.admin(application(&other, "third")).await.expect(201, "another tenant");
    app.remove(&format!("applications/{}", first.id)).await;
    app.admin(application(&acme, "third")).await.expect(201, "there is room again");
}

/// Two requests for the last place: one gets it.
#[actix_web::test]
async fn the_last_place() {
    let (app, partner) = partner_with(|partner| partner.max_tenants = Some(1)).await;
    app.admin_token().await;
    let create =
        |slug: &'static str| app.admin(post(&admin("tenants")).json(&tenant(slug, partner.as_str())));
    let replies = futures_util::future::join_all(["a", "b", "c"].map(create)).await;
    let created = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(created, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    assert!(replies.iter().all(|reply| [201, 409].contains(&reply.status)));
}

/// However many secrets an application may have, the refusal says it.
#[actix_web::test]
async fn secrets_of_an_application() {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    let path = admin(&format!("applications/{}/secrets", client.id));
    for made in 1..=100 {
        let reply = app.admin(post(&path).json(&json!({}))).await;
        if reply.status != 201 {
            assert!(made > 1, "several may be live at once");
            return at_the_limit(&reply, made, "one secret too many");
        }
    }
    panic!("101 live secrets, and no limit in sight");
}
