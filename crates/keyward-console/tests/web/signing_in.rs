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
