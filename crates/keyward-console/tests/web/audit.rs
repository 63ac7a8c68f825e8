//! What the audit log holds of people: one record of everything that succeeded or failed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    apps::{ALL, answer, authorize, text, with},
    support::{Browser, PASSWORD, Site},
};

const ADA: &str = "ada@acme.example";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");

/// The log, read bit by bit.
struct Log<'a> {
    site: &'a Site,
    known: BTreeSet<String>,
}

impl<'a> Log<'a> {
    async fn of(site: &'a Site) -> Self {
        let mut log = Self { site, known: BTreeSet::new() };
        log.news().await;
        log
    }

    /// What was written since the last time.
    async fn news(&mut self) -> Vec<Value> {
        let pairs = [("per_page".to_owned(), "100".to_owned())];
        let events = self.site.keyward.events(&self.site.operator(), &pairs).await.unwrap().data;
        events.into_iter().filter(|event| self.known.insert(text(event, "id"))).collect()
    }

    /// The one thing that was written since the last time.
    async fn one(&mut self, action: &str, result: &str, reason: Option<&str>) -> Value {
        let news = self.news().await;
        let actions: Vec<&str> = news.iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, [action], "{news:?}");
        let event = news.into_iter().next().unwrap();
        assert_eq!((&event["result"], &event["reason"]), (&json!(result), &json!(reason)), "{event}");
        assert_eq!(event["context"]["ip"], "203.0.113.9", "{event}");
        assert!(event["context"]["request_id"].is_string(), "{event}");
        let whole = event.to_string();
        assert!(!whole.contains(PASSWORD) && !whole.contains("wrong password"), "{whole}");
        event
    }
}

/// Sends a form of the page at `from`, as a browser with a name.
async fn send(browser: &Browser, from: &str, to: &str, fields: &[(&str, &str)]) -> u16 {
    let page = browser.get(from).await;
    let csrf = page.field("csrf").unwrap_or_else(|| panic!("{from}: {}", page.status));
    let mut all = vec![("csrf".to_owned(), csrf)];
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    browser.post_raw(to, &all, &[SAME, ("user-agent", AGENT)]).await.status
}

#[actix_web::test]
async fn signing_in_and_out_and_failing_to() {
    let site = Site::start().await;
    let ada = site.person(ADA, json!({})).await;
    let mut log = Log::of(&site).await;
    let browser = site.browser();
    let sign_in = "/console/sign-in";
    let path = "/console/sign-in/password";
    for (email, reason) in [(ADA, "wrong_credentials"), ("nobody@acme.example", "wrong_credentials")] {
        send(&browser, sign_in, path, &[("email", email), ("password", "wrong password")]).await;
        let event = log.one("sign_in.failed", "denied", Some(reason)).await;
        assert_eq!(event["actor"]["name"], email);
        assert_eq!(event["context"]["user_agent"], AGENT);
    }
    // What somebody typed by mistake, or on purpose, is masked and on one line.
    let typed = format!("a\nb@{}", "kws_live_".to_owned() + &"A".repeat(49));
    send(&browser, sign_in, path, &[("email", &typed), ("password", "wrong password")]).await;
    let event = log.one("sign_in.failed", "denied", Some("wrong_credentials")).await;
    let name = text(&event["actor"], "name");
    assert!(!name.contains('\n') && !name.contains(&"A".repeat(20)), "{name}");
    assert_eq!(send(&browser, sign_in, path, &[("email", ADA), ("password", PASSWORD)]).await, 303);
    let event = log.one("sign_in.succeeded", "success", Some("password")).await;
    assert_eq!((&event["actor"]["id"], &event["actor"]["name"]), (&json!(ada), &json!(ADA)));
    assert_eq!(event["context"]["user_agent"], AGENT);
    let session = text(&event["context"], "session_id");
    assert_eq!(event["resource"]["id"], session);
    // Proving it once more, wrongly and rightly.
    let confirm = "/console/confirm";
    assert_eq!(send(&browser, confirm, confirm, &[("password", "wrong password")]).await, 403);
    log.one("sign_in.failed", "denied", Some("wrong_credentials")).await;
    assert_eq!(send(&browser, confirm, confirm, &[("password", PASSWORD)]).await, 303);
    let event = log.one("session.stepped_up", "success", None).await;
    assert_eq!(event["context"]["session_id"], session);
    // Another password, wrongly and rightly.
    let (account, change) = ("/console/account", "/console/account/password");
    let wrong = [("password", "wrong password"), ("new_password", "another fine long password")];
    assert_eq!(send(&browser, account, change, &wrong).await, 403);
    log.one("sign_in.failed", "denied", Some("wrong_credentials")).await;
    let right = [("password", PASSWORD), ("new_password", "another fine long password")];
    assert_eq!(send(&browser, account, change, &right).await, 303);
    let event = log.one("user.password_changed", "success", None).await;
    assert!(!event.to_string().contains("another fine long password"));
    let sign_out = "/console/sign-out";
    assert_eq!(send(&browser, sign_out, sign_out, &[]).await, 303);
    let event = log.one("session.signed_out", "success", None).await;
    assert_eq!(event["actor"]["id"], ada);
    assert!(text(&event["context"], "session_id").starts_with("ses_"));
}

#[actix_web::test]
async fn links_that_work_and_links_that_do_not() {
    let site = Site::start().await;
    let mut log = Log::of(&site).await;
    let browser = site.browser();
    let setup = "/console/setup";
    let fields = [("code", "nonsense"), ("email", ADA), ("new_password", PASSWORD)];
    assert_eq!(send(&browser, setup, setup, &fields).await, 403);
    log.one("sign_in.failed", "denied", Some("dead_link")).await;
    site.person(ADA, json!({})).await;
    log.news().await;
    let link = site.keyward.password_link(&site.operator(), ADA).await.unwrap();
    let code = link.split('#').nth(1).unwrap();
    let made = log.news().await;
    assert_eq!((made.len(), &made[0]["action"]), (1, &json!("user.password_link_made")));
    assert!(!made[0].to_string().contains(code));
    let page = "/console/new-password";
    let fields = [("code", code), ("new_password", "another fine long password")];
    assert_eq!(send(&browser, page, page, &fields).await, 200);
    log.one("user.password_changed", "success", None).await;
    assert_eq!(send(&browser, page, page, &fields).await, 400);
    log.one("sign_in.failed", "denied", Some("dead_link")).await;
}

#[actix_web::test]
async fn codes_and_tokens() {
    let site = Site::start().await;
    let app = site.web_app().await;
    let ada = site.holder(ADA, &["points:read", "points:write"]).await;
    let browser = site.signed_in(ADA).await;
    let mut log = Log::of(&site).await;
    let reply = browser.get(&authorize(&app.request(ALL))).await.expect(303);
    let code = answer(&reply, &app.redirect)["code"].clone();
    let event = log.one("authorization.granted", "success", None).await;
    assert_eq!((&event["actor"]["id"], &event["resource"]["id"]), (&json!(ada), &json!(app.id)));
    assert!(text(&event["context"], "session_id").starts_with("ses_"));
    assert!(!event.to_string().contains(&code));
    let refused = with(app.request(ALL), &[("scope", "points:delete")]);
    browser.get(&authorize(&refused)).await.expect(303);
    log.one("authorization.denied", "denied", Some("invalid_scope")).await;
    app.redeem(&site, &code, &[("code_verifier", "")]).await.expect(400);
    let event = log.news().await;
    assert_eq!((event.len(), &event[0]["action"]), (1, &json!("token.denied")), "{event:?}");
    let tokens = app.redeem(&site, &code, &[]).await.expect(200).json();
    let event = log.one("token.issued", "success", None).await;
    assert_eq!((&event["actor"]["id"], &event["resource"]["type"]), (&json!(ada), &json!("token")));
    let refresh = text(&tokens, "refresh_token");
    let again = app.refresh(&site, &refresh, &[]).await.expect(200).json();
    log.one("token.issued", "success", None).await;
    let next = text(&again, "refresh_token");
    app.revoke(&site, &next).await.expect(200);
    log.one("refresh_token.revoked", "success", Some("revoked_by_client")).await;
    app.refresh(&site, &next, &[]).await.expect(400);
    let event = log.news().await;
    assert_eq!((event.len(), &event[0]["action"]), (1, &json!("token.denied")), "{event:?}");
    assert!(!event[0].to_string().contains(&next));
}
