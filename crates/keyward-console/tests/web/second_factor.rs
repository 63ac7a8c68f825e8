//! Codes by time and recovery codes: each good once, demanded where they must be, and never gone around.

use keyward_core::Origin;
use serde_json::json;

use crate::{
    apps::{ALL, text},
    support::{Browser, PASSWORD, Reply, Site, code_of, now},
};

const ADA: &str = "ada@acme.example";
const TWO_STEP: &str = "/console/account/two-step";

/// The key on the page that sets a second factor up.
pub(crate) fn key_on(page: &Reply) -> String {
    let at = page.body.find("id=\"secret\"").unwrap();
    let rest = &page.body[at..];
    let tag = &rest[..rest.find('>').unwrap()];
    match tag.split("value=\"").nth(1) {
        Some(value) => value.split('"').next().unwrap().to_owned(),
        None => rest[tag.len() + 1..].split('<').next().unwrap().to_owned(),
    }
}

/// The recovery codes on a page.
fn codes_on(page: &Reply) -> Vec<String> {
    let codes = page.body.split("<li><code>").skip(1);
    codes.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

/// Sets a second factor up in a browser in which somebody is signed in: the key, and the recovery codes.
pub(crate) async fn set_up(site: &Site, browser: &Browser) -> (String, Vec<String>) {
    let key = key_on(&browser.get(TWO_STEP).await.expect(200));
    let page = browser.post(TWO_STEP, &[("code", &code_of(&key, now(site)))]).await.expect(200);
    // The next code is a new one.
    site.clock.advance_seconds(30);
    (key, codes_on(&page))
}

/// A site and a person with a second factor.
async fn protected() -> (Site, Browser, String, Vec<String>) {
    let site = Site::start().await;
    site.holder(ADA, &["points:read"]).await;
    let browser = site.signed_in(ADA).await;
    let (key, codes) = set_up(&site, &browser).await;
    (site, browser, key, codes)
}

/// A browser in which the password was given, and the code is asked for.
async fn halfway(site: &Site) -> Browser {
    let browser = site.browser();
    let reply = browser.sign_in(ADA, PASSWORD).await.expect(303);
    assert_eq!(reply.location(), "/console/sign-in/code");
    assert!(browser.cookie("keyward-session").is_none());
    browser.get("/console/sign-in/code").await.expect(200);
    browser
}

async fn code(browser: &Browser, code: &str) -> u16 {
    browser.post("/console/sign-in/code", &[("code", code)]).await.status
}

#[actix_web::test]
async fn a_tier_that_must_have_one_sets_it_up_before_anything_else() {
    let site = Site::with(|_| {}).await;
    site.person(ADA, json!({ "admin_role": "super_admin" })).await;
    site.person("bob@acme.example", json!({})).await;
    site.signed_in("bob@acme.example").await;
    let browser = site.browser();
    let reply = browser.sign_in(ADA, PASSWORD).await.expect(303);
    assert_eq!(reply.location(), "/console/sign-in/two-step");
    assert!(browser.cookie("keyward-session").is_none());
    let account = browser.get("/console/account").await.expect(303);
    assert!(account.location().starts_with("/console/sign-in"));
    let page = browser.get("/console/sign-in/two-step").await.expect(200);
    let key = key_on(&page);
    browser.post("/console/sign-in/two-step", &[("code", "000000")]).await.expect(403);
    assert!(browser.cookie("keyward-session").is_none());
    let right = code_of(&key, now(&site));
    let done = browser.post("/console/sign-in/two-step", &[("code", &right)]).await.expect(200);
    assert_eq!(codes_on(&done).len(), 10);
    browser.get("/console/account").await.expect(200);
    assert_eq!(site.events("user.mfa_enabled").await.len(), 1);
    // It can be replaced, not removed.
    browser.get("/console/account").await.expect(200);
    browser.post("/console/account/two-step/off", &[]).await.expect(403);
    let other = halfway(&site).await;
    assert_eq!(code(&other, "000000").await, 403);
    // Nor set up anew by whoever knows no more than the password.
    let again = other.get("/console/sign-in/two-step").await.expect(303);
    assert_eq!(again.location(), "/console/sign-in");
}

#[actix_web::test]
async fn a_code_is_good_once_however_it_is_written() {
    let (site, _, key, _) = protected().await;
    let right = code_of(&key, now(&site));
    let spaced = format!(" {} {}", &right[..3], &right[3..]);
    let first = halfway(&site).await;
    let second = halfway(&site).await;
    assert_eq!(code(&first, &spaced).await, 303);
    first.get("/console/account").await.expect(200);
    for again in [&right, &spaced, &format!("{}-{}", &right[..3], &right[3..])] {
        assert_eq!(code(&second, again).await, 403, "{again}");
    }
    assert_eq!(site.events("sign_in.failed").await[0]["reason"], "wrong_code");
    site.clock.advance_seconds(30);
    assert_eq!(code(&second, &code_of(&key, now(&site))).await, 303);
}

#[actix_web::test]
async fn codes_of_the_steps_beside_are_taken_and_no_others() {
    let (site, _, key, _) = protected().await;
    site.clock.advance_seconds(300);
    let browser = halfway(&site).await;
    for seconds in [-90, -60, 60, 90] {
        assert_eq!(code(&browser, &code_of(&key, now(&site).plus_seconds(seconds))).await, 403, "{seconds}");
    }
    for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
        assert_eq!(code(&browser, wrong).await, 403, "{wrong}");
    }
    assert_eq!(code(&browser, &code_of(&key, now(&site).plus_seconds(-30))).await, 303);
    site.clock.advance_seconds(300);
    let browser = halfway(&site).await;
    assert_eq!(code(&browser, &code_of(&key, now(&site).plus_seconds(30))).await, 303);
    // Those before it are used up with it.
    let browser = halfway(&site).await;
    assert_eq!(code(&browser, &code_of(&key, now(&site))).await, 403);
}

#[actix_web::test]
async fn of_many_uses_of_a_code_at_once_one_signs_in() {
    let (site, _, key, _) = protected().await;
    let mut browsers = Vec::new();
    for _ in 0..8 {
        browsers.push(halfway(&site).await);
    }
    let right = code_of(&key, now(&site));
    let all = futures_util::future::join_all(browsers.iter().map(|browser| code(browser, &right))).await;
    assert_eq!(all.iter().filter(|status| **status == 303).count(), 1, "{all:?}");
}

#[actix_web::test]
async fn a_recovery_code_is_good_once() {
    let (site, _, _, codes) = protected().await;
    let path = "/console/sign-in/recovery";
    let browser = halfway(&site).await;
    browser.get(path).await.expect(200);
    browser.post(path, &[("code", "aaaa-aaaa-aaaa-aaaa")]).await.expect(403);
    let typed = codes[3].to_uppercase().replace('-', " ");
    browser.post(path, &[("code", &typed)]).await.expect(303);
    let account = browser.get("/console/account").await.expect(200);
    assert!(account.body.contains("9 of 10 left"), "{}", account.body);
    let again = halfway(&site).await;
    again.get(path).await.expect(200);
    again.post(path, &[("code", &codes[3])]).await.expect(403);
    again.post(path, &[("code", &codes[4])]).await.expect(303);
    // New ones replace the old.
    let browser = site.browser();
    browser.sign_in(ADA, PASSWORD).await.expect(303);
    browser.get(path).await.expect(200);
    browser.post(path, &[("code", &codes[5])]).await.expect(303);
    browser.get("/console/account").await.expect(200);
    let new = browser.post("/console/account/recovery-codes", &[]).await.expect(200);
    let new = codes_on(&new);
    assert_eq!(new.len(), 10);
    let last = halfway(&site).await;
    last.get(path).await.expect(200);
    last.post(path, &[("code", &codes[6])]).await.expect(403);
    last.post(path, &[("code", &new[0])]).await.expect(303);
}

#[actix_web::test]
async fn a_second_factor_without_the_first_is_nothing() {
    let (site, _, key, codes) = protected().await;
    let browser = site.browser();
    browser.get("/console/sign-in/code").await.expect(200);
    assert_eq!(code(&browser, &code_of(&key, now(&site))).await, 400);
    browser.get("/console/sign-in/recovery").await.expect(200);
    browser.post("/console/sign-in/recovery", &[("code", &codes[0])]).await.expect(400);
    assert!(browser.cookie("keyward-session").is_none());
    // The first counts for a quarter of an hour, and no longer than the password lives.
    let slow = halfway(&site).await;
    let overtaken = halfway(&site).await;
    site.clock.advance_seconds(899);
    let quick = halfway(&site).await;
    assert_eq!(code(&quick, &code_of(&key, now(&site))).await, 303);
    site.clock.advance_seconds(30);
    assert_eq!(code(&slow, &code_of(&key, now(&site))).await, 400);
    let link = site.keyward.password_link(&site.operator(), ADA).await.unwrap();
    let new = "another fine long password".to_owned();
    let begun = halfway(&site).await;
    site.clock.advance_seconds(1);
    site.keyward.choose_password(link.split('#').nth(1).unwrap(), new, &Origin::default()).await.unwrap();
    for browser in [&overtaken, &begun] {
        let status = code(browser, &code_of(&key, now(&site))).await;
        assert!((400..500).contains(&status), "{status}");
        assert!(browser.cookie("keyward-session").is_none());
    }
}

#[actix_web::test]
async fn what_is_dangerous_needs_a_proof_of_the_last_quarter_of_an_hour() {
    let (site, browser, key, _) = protected().await;
    site.clock.advance_seconds(900);
    browser.get("/console/account").await.expect(200);
    for path in ["/console/account/two-step/off", "/console/account/recovery-codes"] {
        let reply = browser.post(path, &[]).await.expect(303);
        assert!(reply.location().starts_with("/console/confirm"), "{path}: {}", reply.location());
    }
    let reply = browser.get(TWO_STEP).await.expect(303);
    assert!(reply.location().starts_with("/console/confirm"));
    // Whoever has a second factor proves it by that, not by the password.
    browser.get(&reply.location()).await.expect(200);
    browser.post("/console/confirm", &[("password", PASSWORD)]).await.expect(403);
    let before = browser.cookie("keyward-session").unwrap();
    let right = code_of(&key, now(&site));
    let proven = browser.post("/console/confirm", &[("code", &right)]).await.expect(303);
    assert_eq!(proven.location(), TWO_STEP);
    let after = browser.cookie("keyward-session").unwrap();
    assert_ne!(before, after);
    // The same code is used up, here as at sign-in.
    let other = halfway(&site).await;
    assert_eq!(code(&other, &right).await, 403);
    browser.get(TWO_STEP).await.expect(200);
    browser.get("/console/account").await.expect(200);
    browser.post("/console/account/two-step/off", &[]).await.expect(303);
    site.clock.advance_seconds(1);
    site.signed_in(ADA).await.get("/console/account").await.expect(200);
}

#[actix_web::test]
async fn a_change_of_the_second_factor_ends_all_else() {
    let (site, browser, key, _) = protected().await;
    let app = site.web_app().await;
    let other = halfway(&site).await;
    assert_eq!(code(&other, &code_of(&key, now(&site))).await, 303);
    let tokens = app.tokens(&site, &other, ALL.replace(" points:write", "").as_str()).await;
    let own = browser.cookie("keyward-session");
    site.clock.advance_seconds(30);
    set_up(&site, &browser).await;
    assert_ne!(browser.cookie("keyward-session"), own);
    browser.get("/console/account").await.expect(200);
    other.get("/console/account").await.expect(303);
    app.refresh(&site, &text(&tokens, "refresh_token"), &[]).await.expect(400);
    // The app that was replaced shows codes for nothing.
    let later = halfway(&site).await;
    assert_eq!(code(&later, &code_of(&key, now(&site))).await, 403);
}

#[actix_web::test]
async fn codes_are_counted_apart_from_passwords() {
    let (site, _, key, _) = protected().await;
    let browser = halfway(&site).await;
    for _ in 0..10 {
        assert_eq!(code(&browser, "000000").await, 403);
    }
    let right = code_of(&key, now(&site));
    assert_eq!(code(&browser, &right).await, 429);
    assert_eq!(code(&halfway(&site).await, &right).await, 429);
    // The lock ends with the window; it is none for good.
    site.clock.advance_seconds(900);
    assert_eq!(code(&halfway(&site).await, &code_of(&key, now(&site))).await, 303);
}
