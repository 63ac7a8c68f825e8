//! Guessing: counted, slowed down, and told nothing.

use keyward_core::{Mail, MailError, Mailer};
use keyward_model::{Tenant, User};
use serde_json::json;
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{Browser, PASSWORD, Reply, Site};

const ADA: &str = "ada@acme.example";
const EVE: &str = "eve@acme.example";
const SIGN_IN: &str = "/console/sign-in/password";

async fn site() -> Site {
    let site = Site::start().await;
    site.person(ADA, json!({})).await;
    site
}

/// Mail that is kept in a drawer.
#[derive(Default)]
pub(crate) struct Drawer(pub(crate) Mutex<Vec<Mail>>);

impl Mailer for Drawer {
    fn send<'a, 'b>(&'a self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        self.0.lock().unwrap().push(mail);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Drawer {
    /// The mails, once there are so many: they are sent in the background.
    pub(crate) async fn holds(&self, count: usize) -> Vec<Mail> {
        for _ in 0..1_000 {
            if self.0.lock().unwrap().len() >= count {
                break;
            }
            actix_web::rt::time::sleep(Duration::from_millis(5)).await;
        }
        let mails = self.0.lock().unwrap().clone();
        assert_eq!(mails.len(), count, "{mails:?}");
        mails
    }
}

/// A page as strangers can compare it: without what is random, and without the address that they typed themselves.
fn seen(reply: &Reply, email: &str) -> (u16, String, Vec<String>) {
    let mut body = reply.body.replace(email, "EMAIL").replace(&email.replace('@', "%40"), "EMAIL");
    if let Some(csrf) = reply.field("csrf") {
        body = body.replace(&csrf, "CSRF");
    }
    if let Some(request) = reply.headers.get("x-request-id") {
        body = body.replace(request.to_str().unwrap(), "REQUEST");
    }
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "set-cookie", "date"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    (reply.status, body, headers)
}

async fn try_here(browser: &Browser, email: &str, password: &str) -> Reply {
    browser.post(SIGN_IN, &[("email", email), ("password", password)]).await
}

#[actix_web::test]
async fn attempts_at_once_are_never_more_than_there_are_slots() {
    let site = site().await;
    let mut browsers = Vec::new();
    for _ in 0..30 {
        let browser = site.browser();
        browser.visit("/console/sign-in").await.expect(200);
        browsers.push(browser);
    }
    let all = browsers.iter().map(|browser| try_here(browser, ADA, "wrong password"));
    let all = futures_util::future::join_all(all).await;
    let count = |status| all.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(403), count(429)), (10, 20));
    // Now not even the right one is looked at.
    try_here(&browsers[0], ADA, PASSWORD).await.expect(429);
    // Nor in another spelling of the address.
    try_here(&browsers[1], " ADA@acme.example", PASSWORD).await.expect(429);
    assert_eq!(site.events("sign_in.failed").await[0]["reason"], "too_many_attempts");
    // Others are not concerned, and it is no lock for good.
    site.person(EVE, json!({})).await;
    site.signed_in(EVE).await;
    site.clock.advance_seconds(900);
    site.signed_in(ADA).await;
}

#[actix_web::test]
async fn success_gives_the_slot_back() {
    let site = site().await;
    for _ in 0..12 {
        site.signed_in(ADA).await;
    }
    // Those that failed stay counted all the same.
    let browser = site.browser();
    for _ in 0..9 {
        browser.sign_in(ADA, "wrong password").await.expect(403);
    }
    site.signed_in(ADA).await;
    browser.sign_in(ADA, "wrong password").await.expect(403);
    browser.sign_in(ADA, PASSWORD).await.expect(429);
}

#[actix_web::test]
async fn a_known_browser_has_slots_of_its_own() {
    let site = site().await;
    site.person(EVE, json!({})).await;
    let home = site.signed_in(ADA).await;
    let hers = site.signed_in(EVE).await;
    for browser in [&home, &hers] {
        browser.get("/console/sign-out").await.expect(200);
        browser.post("/console/sign-out", &[]).await.expect(303);
        assert!(browser.cookie("keyward-device").is_some());
    }
    let attacker = site.browser();
    for _ in 0..10 {
        attacker.sign_in(ADA, "wrong password").await.expect(403);
    }
    attacker.sign_in(ADA, PASSWORD).await.expect(429);
    // Nobody else's browser helps, nor a mark that was made up.
    hers.sign_in(ADA, PASSWORD).await.expect(429);
    attacker.cookies.borrow_mut().insert("keyward-device".to_owned(), "made-up".to_owned());
    attacker.sign_in(ADA, PASSWORD).await.expect(429);
    home.sign_in(ADA, PASSWORD).await.expect(303);
    // Nor is a known browser a way to guess without end.
    home.get("/console/sign-out").await.expect(200);
    home.post("/console/sign-out", &[]).await.expect(303);
    for _ in 0..10 {
        home.sign_in(ADA, "wrong password").await.expect(403);
    }
    home.sign_in(ADA, PASSWORD).await.expect(429);
}

#[actix_web::test]
async fn an_address_has_so_many_attempts_whoever_they_are_about() {
    let site = site().await;
    let browser = site.browser();
    for number in 0..100 {
        browser.get("/console/forgotten-password").await.expect(200);
        let email = format!("nobody{number}@acme.example");
        // What anybody can write into a header makes nobody another.
        let csrf = browser.get("/console/forgotten-password").await.field("csrf").unwrap();
        let fields = [("csrf".to_owned(), csrf), ("email".to_owned(), email)];
        let from = format!("198.51.100.{number}");
        let headers = [("x-forwarded-for", &*from), ("forwarded", "for=192.0.2.1")];
        browser.post_raw("/console/forgotten-password", &fields, &headers).await.expect(200);
    }
    site.browser().sign_in(ADA, PASSWORD).await.expect(429);
    site.clock.advance_seconds(900);
    site.signed_in(ADA).await;
}

#[actix_web::test]
async fn known_and_unknown_addresses_are_answered_alike() {
    let site = site().await;
    let tenant = site.create::<Tenant>(json!({ "name": "Off", "slug": "off" })).await;
    let of_tenant = json!({ "tenant_id": tenant["id"] });
    let call = site.operator();
    // An account of each sort, beside one that is not there.
    let disabled = site.person("dis@acme.example", json!({})).await;
    site.keyward.update::<User>(&call, &disabled, json!({ "status": "disabled" }), None).await.unwrap();
    let deleted = site.person("del@acme.example", json!({})).await;
    site.keyward.delete::<User>(&call, &deleted, None).await.unwrap();
    site.person("sus@acme.example", of_tenant).await;
    let id = tenant["id"].as_str().unwrap();
    site.keyward.update::<Tenant>(&call, id, json!({ "status": "suspended" }), None).await.unwrap();
    site.create::<User>(json!({ "email": "inv@acme.example", "name": "Invited" })).await;
    let nobody = "nob@acme.example";
    for email in [ADA, "dis@acme.example", "del@acme.example", "sus@acme.example", "inv@acme.example"] {
        let (known, unknown) = (site.browser(), site.browser());
        let mut pages = Vec::new();
        for (browser, email) in [(&known, email), (&unknown, nobody)] {
            browser.visit("/console/sign-in").await.expect(200);
            let first = browser.post("/console/sign-in", &[("email", email)]).await.expect(303);
            let asked = browser.get("/console/sign-in/password").await.expect(200);
            let wrong = try_here(browser, email, "wrong password").await.expect(403);
            pages.push([seen(&first, email), seen(&asked, email), seen(&wrong, email)]);
        }
        assert_eq!(pages[0], pages[1], "{email}");
        site.clock.advance_seconds(900);
    }
    // Throttled too; at the same attempt.
    for attempt in 0..12 {
        let mut pages = Vec::new();
        for email in [ADA, nobody] {
            let browser = site.browser();
            browser.visit("/console/sign-in").await.expect(200);
            browser.post("/console/sign-in", &[("email", email)]).await.expect(303);
            let reply = try_here(&browser, email, "wrong password").await;
            assert_eq!(reply.status, if attempt < 10 { 403 } else { 429 }, "{attempt} {email}");
            pages.push(seen(&reply, email));
        }
        assert_eq!(pages[0], pages[1]);
    }
}

#[actix_web::test]
async fn a_forgotten_password_tells_nothing_and_fills_no_mailbox() {
    let site = site().await;
    let drawer = Arc::new(Drawer::default());
    site.keyward.mail_by(drawer.clone());
    for attempt in 0..4 {
        let mut pages = Vec::new();
        for email in [ADA, "nob@acme.example"] {
            let browser = site.browser();
            browser.get("/console/forgotten-password").await.expect(200);
            let reply = browser.post("/console/forgotten-password", &[("email", email)]).await;
            assert_eq!(reply.status, if attempt < 3 { 200 } else { 429 });
            pages.push(seen(&reply, email));
        }
        assert_eq!(pages[0], pages[1], "{attempt}");
    }
    assert!(drawer.holds(3).await.iter().all(|mail| mail.to == ADA));
}
