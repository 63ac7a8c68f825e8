//! From an address to a session.

use serde_json::json;

use crate::support::{PASSWORD, Site};

#[actix_web::test]
async fn a_person_signs_in_and_out() {
    let site = Site::start().await;
    site.person("ada@acme.example", json!({})).await;
    let browser = site.browser();
    let wrong = browser.sign_in("ada@acme.example", "not the password").await.expect(403);
    assert!(wrong.body.contains("The e-mail address or the password is wrong."), "{}", wrong.body);
    let reply = browser.sign_in("Ada@Acme.Example ", PASSWORD).await.expect(303);
    assert_eq!(reply.location(), "/console");
    let account = browser.visit("/console").await.expect(200);
    assert!(account.body.contains("ada@acme.example"));
    assert_eq!(site.events("sign_in.succeeded").await.len(), 1);
    assert_eq!(site.events("sign_in.failed").await[0]["reason"], "wrong_credentials");
    browser.get("/console/sign-out").await.expect(200);
    browser.post("/console/sign-out", &[]).await.expect(303);
    assert!(browser.cookie("keyward-session").is_none());
    let reply = browser.get("/console/account").await.expect(303);
    assert!(reply.location().starts_with("/console/sign-in"));
}

/// The first factor counts from the moment when it was right, not from the beginning of that second.
#[actix_web::test]
async fn a_person_signs_in_within_the_second_in_which_the_password_was_chosen() {
    let site = Site::starting("2026-11-02T12:00:00.400Z", |_| {}).await;
    let id = site.person("ada@acme.example", json!({ "admin_role": "super_admin" })).await;
    site.keyward.set_password(&site.operator(), &id, PASSWORD.to_owned()).await.unwrap();
    let browser = site.browser();
    let next = browser.sign_in("ada@acme.example", PASSWORD).await.expect(303);
    let page = browser.get(&next.location()).await.expect(200);
    assert!(page.body.contains("Set up two-step sign-in"), "{}", page.body);
}
