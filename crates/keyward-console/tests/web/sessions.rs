//! Sessions: how they begin, what ends them, and who may act in them.

use std::collections::BTreeMap;

use actix_web::{http::header::SET_COOKIE, test::TestRequest};
use keyward_model::{Tenant, User};
use serde_json::json;

use crate::{
    apps::text,
    support::{Browser, PASSWORD, Reply, Site},
};

const ADA: &str = "ada@acme.example";
const EVE: &str = "eve@acme.example";
const SESSION: &str = "keyward-session";

async fn signed_in() -> (Site, Browser, String) {
    let site = Site::start().await;
    let id = site.person(ADA, json!({})).await;
    let browser = site.signed_in(ADA).await;
    (site, browser, id)
}

/// Whether a cookie is one of somebody who is signed in.
async fn works(site: &Site, cookie: &str) -> bool {
    let browser = site.browser();
    browser.cookies.borrow_mut().insert(SESSION.to_owned(), cookie.to_owned());
    browser.get("/console/account").await.status == 200
}

async fn is_in(browser: &Browser) -> bool {
    browser.get("/console/account").await.status == 200
}

#[actix_web::test]
async fn cookies_are_for_this_host_and_no_script() {
    let site = Site::with(|options| {
        options.issuer = "https://id.acme.example".to_owned();
        options.sign_in.totp_required.clear();
    })
    .await;
    site.person(ADA, json!({})).await;
    let browser = site.browser();
    let began = browser.visit("/console/sign-in").await.expect(200);
    let done = browser.sign_in_here(ADA, PASSWORD).await.expect(303);
    let mut seen = Vec::new();
    for header in began.headers.get_all(SET_COOKIE).chain(done.headers.get_all(SET_COOKIE)) {
        let cookie = header.to_str().unwrap();
        assert!(cookie.starts_with("__Host-keyward-"), "{cookie}");
        for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        seen.push(cookie.split('=').next().unwrap().to_owned());
    }
    for name in ["session", "sign-in", "device"] {
        assert!(seen.contains(&format!("__Host-keyward-{name}")), "{seen:?}");
    }
    // A cookie that a neighbour can set counts for nothing.
    let good = browser.cookie("__Host-keyward-session").unwrap();
    assert!(!works(&site, &good).await);
    browser.get("/console/account").await.expect(200);
}

#[actix_web::test]
async fn nobody_can_plant_a_session() {
    let (site, eve, _) = signed_in().await;
    let hers = eve.cookie(SESSION).unwrap();
    site.person("bob@acme.example", json!({})).await;
    for planted in ["planted", &*hers] {
        let bob = site.browser();
        bob.cookies.borrow_mut().insert(SESSION.to_owned(), planted.to_owned());
        bob.get("/console/sign-in?return_to=/console/account").await.expect(200);
        bob.sign_in_here("bob@acme.example", PASSWORD).await.expect(303);
        assert_ne!(bob.cookie(SESSION).unwrap(), planted);
        assert!(bob.get("/console/account").await.expect(200).body.contains("bob@acme.example"));
        assert!(!works(&site, planted).await, "{planted}");
    }
}

#[actix_web::test]
async fn a_proof_once_more_makes_the_old_cookie_void() {
    let (site, browser, _) = signed_in().await;
    let before = browser.cookie(SESSION).unwrap();
    browser.get("/console/confirm").await.expect(200);
    browser.post("/console/confirm", &[("password", PASSWORD)]).await.expect(303);
    let after = browser.cookie(SESSION).unwrap();
    assert_ne!(before, after);
    assert!(!works(&site, &before).await && works(&site, &after).await);
    // It is one session all along.
    assert_eq!(site.keyward.sessions(&site.operator(), &[]).await.unwrap().data.len(), 1);
}

#[actix_web::test]
async fn sessions_end_when_they_are_not_used_and_after_half_a_day() {
    let (site, browser, _) = signed_in().await;
    site.clock.advance_seconds(3_599);
    assert!(is_in(&browser).await);
    site.clock.advance_seconds(3_599);
    assert!(is_in(&browser).await);
    site.clock.advance_seconds(3_600);
    assert!(!is_in(&browser).await);
    let browser = site.signed_in(ADA).await;
    for _ in 0..12 {
        site.clock.advance_seconds(3_599);
        assert!(is_in(&browser).await);
    }
    site.clock.advance_seconds(12 * 3_600 - 12 * 3_599 - 1);
    assert!(is_in(&browser).await);
    site.clock.advance_seconds(1);
    assert!(!is_in(&browser).await);
}

#[actix_web::test]
async fn people_end_their_own_sessions_and_nobody_else_s() {
    let (site, here, ada) = signed_in().await;
    site.person(EVE, json!({})).await;
    let eve = site.signed_in(EVE).await;
    let there = site.signed_in(ADA).await;
    let elsewhere = site.signed_in(ADA).await;
    let all = site.keyward.sessions(&site.operator(), &[]).await.unwrap().data;
    assert_eq!(all.len(), 4);
    let id_of = |user_is_ada: bool, at: usize| {
        let own = all.iter().filter(|session| (session["user_id"] == ada) == user_is_ada);
        text(own.collect::<Vec<_>>()[at], "id")
    };
    let hers = id_of(false, 0);
    here.get("/console/account").await.expect(200);
    for id in [&*hers, "ses_00000000000000000000000000", "nonsense"] {
        let reply = here.post(&format!("/console/account/sessions/{id}/revoke"), &[]).await;
        assert!((400..500).contains(&reply.status), "{id}: {}", reply.status);
        here.get("/console/account").await.expect(200);
    }
    assert!(is_in(&eve).await);
    let mut left = Vec::new();
    for at in 0..3 {
        here.get("/console/account").await;
        let current = format!("/console/account/sessions/{}/revoke", id_of(true, at));
        // The page offers it for all but this one.
        if here.get("/console/account").await.body.contains(&current) {
            left.push(current);
        }
    }
    assert_eq!(left.len(), 2);
    here.post(&left[0], &[]).await.expect(303);
    let (there_in, elsewhere_in) = (is_in(&there).await, is_in(&elsewhere).await);
    assert!(there_in != elsewhere_in && is_in(&here).await);
    here.get("/console/account").await.expect(200);
    here.post("/console/account/sessions/sign-out-others", &[]).await.expect(303);
    assert!(!is_in(&there).await && !is_in(&elsewhere).await && is_in(&here).await && is_in(&eve).await);
}

#[actix_web::test]
async fn administrators_end_sessions_and_everything_above_does() {
    let site = Site::start().await;
    let call = site.operator();
    let tenant = site.create::<Tenant>(json!({ "name": "Acme", "slug": "acme" })).await;
    let tenant = text(&tenant, "id");
    let ada = site.person(ADA, json!({ "tenant_id": tenant })).await;
    let keyward = &site.keyward;
    let browser = site.signed_in(ADA).await;
    let sessions = keyward.sessions(&call, &[]).await.unwrap().data;
    let session = &sessions[0];
    assert_eq!((&session["user_id"], &session["state"]), (&json!(ada), &json!("active")));
    assert_eq!((&session["method"], &session["ip"]), (&json!("password"), &json!("203.0.113.9")));
    assert!(!serde_json::to_string(session).unwrap().contains(&browser.cookie(SESSION).unwrap()));
    keyward.revoke_session(&call, &text(session, "id")).await.unwrap();
    assert!(!is_in(&browser).await);
    // What is suspended for a while: sessions work again afterwards, or not, but never during it.
    let browser = site.signed_in(ADA).await;
    keyward.update::<Tenant>(&call, &tenant, json!({ "status": "suspended" }), None).await.unwrap();
    assert!(!is_in(&browser).await);
    let refused = site.browser().sign_in(ADA, PASSWORD).await.expect(403);
    assert!(!refused.body.contains("is wrong"), "{}", refused.body);
    keyward.update::<Tenant>(&call, &tenant, json!({ "status": "active" }), None).await.unwrap();
    site.clock.advance_seconds(1);
    let browser = site.signed_in(ADA).await;
    keyward.update::<User>(&call, &ada, json!({ "status": "disabled" }), None).await.unwrap();
    assert!(!is_in(&browser).await);
    site.browser().sign_in(ADA, PASSWORD).await.expect(403);
    keyward.update::<User>(&call, &ada, json!({ "status": "active" }), None).await.unwrap();
    site.clock.advance_seconds(1);
    // Being enabled again revives nothing.
    let browser = site.signed_in(ADA).await;
    keyward.delete::<User>(&call, &ada, None).await.unwrap();
    assert!(!is_in(&browser).await);
    let gone = site.browser().sign_in(ADA, PASSWORD).await.expect(403);
    assert!(gone.body.contains("The e-mail address or the password is wrong."));
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// Sends a form with this token and these headers.
async fn forged(
    browser: &Browser,
    path: &str,
    csrf: Option<&str>,
    headers: &[(&str, &str)],
    more: &[(&str, &str)],
) -> Reply {
    let token = csrf.map(|csrf| ("csrf", csrf));
    let fields = token.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    browser.post_raw(path, &fields.collect::<Vec<_>>(), headers).await
}

#[actix_web::test]
async fn forms_of_strangers_do_nothing() {
    let (site, browser, _) = signed_in().await;
    site.person(EVE, json!({})).await;
    let eve = site.signed_in(EVE).await;
    let own = browser.get("/console/account").await.expect(200).field("csrf").unwrap();
    let hers = eve.get("/console/account").await.expect(200).field("csrf").unwrap();
    let same: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];
    let rows: [(Option<&str>, Pairs<'_>); 8] = [
        (None, same),
        (Some(""), same),
        (Some(&hers), same),
        (Some(&own[1..]), same),
        (Some(&own), &[("sec-fetch-site", "cross-site")]),
        (Some(&own), &[("sec-fetch-site", "same-site")]),
        (Some(&own), &[("origin", "https://evil.example")]),
        (Some(&own), &[("origin", "null")]),
    ];
    let change = [("password", PASSWORD), ("new_password", "another fine long password")];
    let forms: [(&str, Pairs<'_>); 7] = [
        ("/console/sign-out", &[]),
        ("/console/account/password", &change),
        ("/console/account/two-step", &[("code", "000000")]),
        ("/console/account/two-step/off", &[]),
        ("/console/account/recovery-codes", &[]),
        ("/console/account/sessions/sign-out-others", &[]),
        ("/console/confirm", &[("password", PASSWORD)]),
    ];
    for (path, fields) in forms {
        for (csrf, headers) in rows {
            let reply = forged(&browser, path, csrf, headers, fields).await;
            assert_eq!(reply.status, 400, "{path} {csrf:?} {headers:?}");
        }
    }
    browser.get("/console/sign-out").await.expect(200);
    assert!(is_in(&browser).await);
    // The same from a page of this server; at last from one that says so by its origin.
    forged(&browser, "/console/account/password", Some(&own), same, &change).await.expect(303);
    let own = browser.get("/console/account").await.expect(200).field("csrf").unwrap();
    let origin = [("origin", crate::support::ISSUER)];
    forged(&browser, "/console/sign-out", Some(&own), &origin, &[]).await.expect(303);
    assert!(!is_in(&browser).await);
}

#[actix_web::test]
async fn nobody_is_signed_in_as_somebody_else_by_a_form_of_a_stranger() {
    let (site, _, _) = signed_in().await;
    let (browser, attacker) = (site.browser(), site.browser());
    let own = browser.visit("/console/sign-in").await.expect(200).field("csrf").unwrap();
    let theirs = attacker.visit("/console/sign-in").await.expect(200).field("csrf").unwrap();
    let fields = [("email", ADA), ("password", PASSWORD)];
    let same = [("sec-fetch-site", "same-origin")];
    for (csrf, headers) in
        [(None, &same), (Some(&*theirs), &same), (Some(&*own), &[("sec-fetch-site", "cross-site")])]
    {
        forged(&browser, "/console/sign-in/password", csrf, headers, &fields).await.expect(400);
        assert!(browser.cookie(SESSION).is_none());
    }
    forged(&browser, "/console/sign-in/password", Some(&own), &same, &fields).await.expect(303);
}

#[actix_web::test]
async fn signing_in_leads_to_pages_of_this_server_only() {
    let site = Site::start().await;
    site.person(ADA, json!({})).await;
    let rows = [
        ("/console/account", "/console/account"),
        ("/oauth2/authorize?x=1", "/oauth2/authorize?x=1"),
        ("//evil.example", "/console"),
        ("///evil.example", "/console"),
        ("/\\evil.example", "/console"),
        ("\\\\evil.example", "/console"),
        ("/\t/evil.example", "/console"),
        ("/\n/evil.example", "/console"),
        ("https://evil.example", "/console"),
        ("https:evil.example", "/console"),
        ("javascript:alert(1)", "/console"),
        ("data:text/html,x", "/console"),
        ("evil.example", "/console"),
        ("@evil.example", "/console"),
        (".evil.example", "/console"),
        ("http://127.0.0.1:8080@evil.example", "/console"),
        (" //evil.example", "/console"),
    ];
    for (path, leads_to) in rows {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", path).finish();
        let browser = site.browser();
        browser.get(&format!("/console/sign-in?{query}")).await.expect(200);
        assert_eq!(browser.sign_in_here(ADA, PASSWORD).await.expect(303).location(), leads_to, "{path:?}");
        browser.get(&format!("/console/confirm?{query}")).await.expect(200);
        let proven = browser.post("/console/confirm", &[("password", PASSWORD)]).await.expect(303);
        assert_eq!(proven.location(), leads_to, "{path:?}");
    }
    // Nor do the pages on which something is shown once lead to where the browser says.
    for path in ["/console/continue", "/console/sign-out"] {
        let browser = site.signed_in(ADA).await;
        browser.get("/console/sign-out").await.expect(200);
        let reply = browser.post(path, &[("then", "https://evil.example")]).await.expect(303);
        assert!(reply.location().starts_with("/console"), "{}", reply.location());
    }
}

#[actix_web::test]
async fn no_page_can_be_framed_or_runs_what_it_should_not() {
    let (_site, browser, _) = signed_in().await;
    let pages = [
        "/console/sign-in?return_to=/console/account",
        "/console/sign-in/code",
        "/console/sign-in/recovery",
        "/console/forgotten-password",
        "/console/new-password",
        "/console/setup",
        "/console/signed-out",
        "/console/sign-out",
        "/console/account",
        "/console/account/two-step",
        "/console/confirm",
        "/oauth2/authorize",
        "/console/consent",
        "/console/account/sessions/x/revoke",
    ];
    for path in pages {
        let reply = browser.get(path).await;
        let headers: BTreeMap<&str, &str> =
            reply.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let policy =
            headers.get("content-security-policy").unwrap_or_else(|| panic!("{path} {}", reply.status));
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(headers.get("cache-control"), Some(&"no-store"), "{path}");
        assert_eq!(headers.get("x-content-type-options"), Some(&"nosniff"), "{path}");
        assert!(!reply.body.contains("<style") && !reply.body.contains(" style="), "{path}");
        assert!(!reply.body.contains("onclick=") && !reply.body.contains("<script>"), "{path}");
    }
}

#[actix_web::test]
async fn what_a_request_says_of_the_host_ends_up_nowhere() {
    let (site, browser, _) = signed_in().await;
    let drawer = std::sync::Arc::new(crate::brute_force::Drawer::default());
    site.keyward.mail_by(drawer.clone());
    let stranger = site.browser();
    let csrf = stranger.get("/console/forgotten-password").await.expect(200).field("csrf").unwrap();
    let fields = [("csrf".to_owned(), csrf), ("email".to_owned(), ADA.to_owned())];
    let evil = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
        ("sec-fetch-site", "same-origin"),
    ];
    let reply = stranger.post_raw("/console/forgotten-password", &fields, &evil).await.expect(200);
    assert!(!reply.body.contains("evil.example"));
    let mails = drawer.holds(1).await;
    assert!(mails[0].text.contains("http://127.0.0.1:8080/console/new-password#"), "{}", mails[0].text);
    assert!(!mails[0].text.contains("evil.example"));
    let cookie = browser.cookie(SESSION).unwrap();
    for path in ["/console", "/console/account", "/.well-known/openid-configuration", "/oauth2/authorize"] {
        let request =
            TestRequest::get().uri(path).cookie(actix_web::cookie::Cookie::new(SESSION, cookie.clone()));
        let request = evil.iter().fold(request, |request, header| request.insert_header(*header));
        let reply = site.send(request).await;
        assert!(!reply.body.contains("evil.example"), "{path}");
        assert!(!format!("{:?}", reply.headers).contains("evil.example"), "{path}");
    }
}
