//! Links that are good once: invitations, resets, and the making of the first administrator.

use keyward_core::Error;
use keyward_model::User;
use serde_json::json;

use crate::{
    apps::text,
    second_factor::key_on,
    support::{Browser, ISSUER, PASSWORD, Reply, Site, code_of, now},
};

const ADA: &str = "ada@acme.example";
const NEW: &str = "another fine long password";
const PAGE: &str = "/console/new-password";

/// The code of a new link for a person.
async fn link(site: &Site, email: &str) -> String {
    let link = site.keyward.password_link(&site.operator(), email).await.unwrap();
    let code = link.strip_prefix(&format!("{ISSUER}{PAGE}#")).unwrap_or_else(|| panic!("{link}"));
    code.to_owned()
}

/// Chooses a password by a link.
async fn choose(browser: &Browser, code: &str, password: &str) -> Reply {
    browser.get(PAGE).await.expect(200);
    browser.post(PAGE, &[("code", code), ("new_password", password)]).await
}

#[actix_web::test]
async fn somebody_who_is_invited_chooses_a_password_once() {
    let site = Site::start().await;
    site.create::<User>(json!({ "email": ADA, "name": "Ada" })).await;
    let code = link(&site, ADA).await;
    let browser = site.browser();
    // What is too weak does not use the link up.
    for weak in ["", "short", "password", "12345678", ADA, "aaaaaaaaaaaa"] {
        let reply = choose(&browser, &code, weak).await;
        assert_eq!(reply.status, 422, "{weak}: {}", reply.body);
    }
    let mut cut = code.clone();
    cut.pop();
    for wrong in ["", "nonsense", &cut, &format!("{code}0"), &code.to_uppercase()] {
        choose(&browser, wrong, NEW).await.expect(400);
    }
    site.clock.advance_seconds(7 * 86_400 - 1);
    let chosen = choose(&browser, &code, NEW).await.expect(200);
    // That signs nobody in.
    assert!(browser.cookie("keyward-session").is_none(), "{}", chosen.body);
    assert_eq!(site.events("user.password_changed").await.len(), 1);
    choose(&site.browser(), &code, "yet another fine password").await.expect(400);
    site.clock.advance_seconds(1);
    site.browser().sign_in(ADA, NEW).await.expect(303);
}

#[actix_web::test]
async fn links_are_too_old_after_their_time() {
    let site = Site::start().await;
    site.create::<User>(json!({ "email": ADA, "name": "Ada" })).await;
    let invitation = link(&site, ADA).await;
    site.clock.advance_seconds(7 * 86_400);
    choose(&site.browser(), &invitation, NEW).await.expect(400);
    let invitation = link(&site, ADA).await;
    choose(&site.browser(), &invitation, NEW).await.expect(200);
    let reset = link(&site, ADA).await;
    site.clock.advance_seconds(3_600);
    choose(&site.browser(), &reset, PASSWORD).await.expect(400);
    let reset = link(&site, ADA).await;
    site.clock.advance_seconds(3_599);
    choose(&site.browser(), &reset, PASSWORD).await.expect(200);
}

#[actix_web::test]
async fn a_password_that_was_chosen_voids_all_other_links() {
    let site = Site::start().await;
    let ada = site.create::<User>(json!({ "email": ADA, "name": "Ada" })).await;
    let (first, second) = (link(&site, ADA).await, link(&site, ADA).await);
    choose(&site.browser(), &second, NEW).await.expect(200);
    choose(&site.browser(), &first, PASSWORD).await.expect(400);
    site.clock.advance_seconds(1);
    // Not even when the password is taken away again.
    site.keyward.reset_password(&site.operator(), &text(&ada, "id")).await.unwrap();
    site.clock.advance_seconds(1);
    site.browser().sign_in(ADA, NEW).await.expect(403);
    choose(&site.browser(), &first, PASSWORD).await.expect(400);
    let fresh = link(&site, ADA).await;
    choose(&site.browser(), &fresh, PASSWORD).await.expect(200);
    // Changing it on the account page does the same.
    site.clock.advance_seconds(1);
    let browser = site.signed_in(ADA).await;
    let reset = link(&site, ADA).await;
    browser.get("/console/account").await.expect(200);
    let fields = [("password", PASSWORD), ("new_password", NEW)];
    browser.post("/console/account/password", &fields).await.expect(303);
    choose(&site.browser(), &reset, PASSWORD).await.expect(400);
}

#[actix_web::test]
async fn a_link_is_dead_with_its_person() {
    let site = Site::start().await;
    let ada = site.person(ADA, json!({})).await;
    let code = link(&site, ADA).await;
    let call = site.operator();
    site.keyward.update::<User>(&call, &ada, json!({ "status": "disabled" }), None).await.unwrap();
    choose(&site.browser(), &code, NEW).await.expect(400);
    site.keyward.update::<User>(&call, &ada, json!({ "status": "active" }), None).await.unwrap();
    choose(&site.browser(), &code, NEW).await.expect(200);
    let code = link(&site, ADA).await;
    site.keyward.delete::<User>(&call, &ada, None).await.unwrap();
    choose(&site.browser(), &code, NEW).await.expect(400);
    let unknown = site.keyward.password_link(&call, ADA).await;
    assert!(matches!(unknown, Err(Error::NotFound)), "{unknown:?}");
}

#[actix_web::test]
async fn of_two_uses_at_once_one_counts() {
    let site = Site::start().await;
    site.person(ADA, json!({})).await;
    let code = link(&site, ADA).await;
    let browsers: Vec<Browser> = (0..6).map(|_| site.browser()).collect();
    let all = browsers.iter().map(|browser| choose(browser, &code, NEW));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), 1);
}

#[actix_web::test]
async fn a_reset_ends_sessions_and_goes_around_no_second_factor() {
    let site = Site::start().await;
    site.person(ADA, json!({})).await;
    let browser = site.signed_in(ADA).await;
    let page = browser.get("/console/account/two-step").await.expect(200);
    let key = key_on(&page);
    let code = code_of(&key, now(&site));
    browser.post("/console/account/two-step", &[("code", &code)]).await.expect(200);
    browser.get("/console/account").await.expect(200);
    site.clock.advance_seconds(30);
    choose(&site.browser(), &link(&site, ADA).await, NEW).await.expect(200);
    browser.get("/console/account").await.expect(303);
    site.clock.advance_seconds(1);
    let again = site.browser();
    let reply = again.sign_in(ADA, NEW).await.expect(303);
    assert_eq!(reply.location(), "/console/sign-in/code");
    assert!(again.cookie("keyward-session").is_none());
    again.get("/console/sign-in/code").await.expect(200);
    let code = code_of(&key, now(&site));
    again.post("/console/sign-in/code", &[("code", &code)]).await.expect(303);
}

/// The code of the link for the first administrator.
async fn setup(site: &Site) -> String {
    let link = site.keyward.setup_link().await.unwrap().unwrap();
    link.strip_prefix(&format!("{ISSUER}/console/setup#")).unwrap().to_owned()
}

async fn be_first(browser: &Browser, code: &str, email: &str, password: &str) -> Reply {
    browser.get("/console/setup").await;
    let fields = [("code", code), ("email", email), ("new_password", password)];
    browser.post("/console/setup", &fields).await
}

#[actix_web::test]
async fn the_first_administrator_is_made_once_by_whoever_has_the_code() {
    let site = Site::with(|_| {}).await;
    // Others do not count as administrators of the platform.
    site.person("bob@acme.example", json!({})).await;
    let code = setup(&site).await;
    let browser = site.browser();
    let mut cut = code.clone();
    cut.pop();
    let invitation = link(&site, "bob@acme.example").await;
    for wrong in ["", "nonsense", &cut, &invitation] {
        be_first(&browser, wrong, ADA, PASSWORD).await.expect(403);
    }
    be_first(&browser, &code, ADA, "short").await.expect(422);
    be_first(&browser, &code, "no address", PASSWORD).await.expect(422);
    be_first(&browser, &code, "bob@acme.example", PASSWORD).await.expect(422);
    assert!(site.keyward.needs_first_admin().await.unwrap());
    // The code of setting up is none of a link, nor the other way round.
    choose(&browser, &code, NEW).await.expect(400);
    let reply = be_first(&browser, &code, ADA, PASSWORD).await.expect(303);
    // A super admin must have a second factor before anything else.
    assert_eq!(reply.location(), "/console/sign-in/two-step");
    assert!(browser.cookie("keyward-session").is_none());
    assert!(site.keyward.setup_link().await.unwrap().is_none());
    let other = site.browser();
    other.get("/console/setup").await.expect(410);
    other.visit("/console/sign-in").await.expect(200);
    let fields = [("code", &*code), ("email", "eve@acme.example"), ("new_password", PASSWORD)];
    let late = other.post("/console/setup", &fields).await;
    assert_eq!(late.status, 410);
    let users = site.keyward.list::<User>(&site.operator(), &[]).await.unwrap().data;
    assert_eq!(users.iter().filter(|user| user["admin_role"] == "super_admin").count(), 1);
    // Not even when that administrator is gone does the code work again.
    let first = users.iter().find(|user| user["email"] == ADA).unwrap();
    let _ = site.keyward.delete::<User>(&site.operator(), &text(first, "id"), None).await;
    let late = be_first(&site.browser(), &code, "eve@acme.example", PASSWORD).await;
    assert!((400..500).contains(&late.status), "{}", late.status);
}

#[actix_web::test]
async fn of_many_first_administrators_at_once_there_is_one() {
    let site = Site::start().await;
    let code = setup(&site).await;
    let emails: Vec<String> = (0..6).map(|number| format!("admin{number}@acme.example")).collect();
    let browsers: Vec<Browser> = emails.iter().map(|_| site.browser()).collect();
    let all = browsers.iter().zip(&emails);
    let all = all.map(|(browser, email)| be_first(browser, &code, email, PASSWORD));
    let all = futures_util::future::join_all(all).await;
    let users = site.keyward.list::<User>(&site.operator(), &[]).await.unwrap().data;
    assert_eq!(users.len(), 1, "{users:?}");
    assert_eq!(all.iter().filter(|reply| reply.status == 303).count(), 1);
    assert_eq!(browsers.iter().filter(|browser| browser.cookie("keyward-session").is_some()).count(), 1);
}
