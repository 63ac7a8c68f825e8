//! What an authorization request makes a person do: sign in, prove once more who they are, or allow.

use serde_json::json;

use crate::{
    apps::{ALL, App, answer, authorize, parts, text, with},
    support::{Browser, ISSUER, PASSWORD, Site},
};

const ADA: &str = "ada@acme.example";

async fn everything(kind: &str, redirect: &str) -> (Site, App, Browser) {
    let site = Site::start().await;
    let app = site.app(kind, "shop", redirect).await;
    site.holder(ADA, &["points:read", "points:write"]).await;
    let browser = site.signed_in(ADA).await;
    (site, app, browser)
}

async fn web() -> (Site, App, Browser) {
    everything("web", "https://shop.example/cb").await
}

async fn native() -> (Site, App, Browser) {
    everything("native", "com.example.shop://cb").await
}

#[actix_web::test]
async fn prompt_none_never_shows_a_page() {
    let (site, app, browser) = web().await;
    let silent = with(app.request(ALL), &[("prompt", "none")]);
    let reply = browser.get(&authorize(&silent)).await.expect(303);
    assert!(answer(&reply, &app.redirect).contains_key("code"));
    let reply = site.browser().get(&authorize(&silent)).await.expect(303);
    let refused = answer(&reply, &app.redirect);
    assert_eq!((&*refused["error"], &*refused["iss"], &*refused["state"]), ("login_required", ISSUER, "s-1"));
    site.clock.advance_seconds(100);
    let aged = with(silent.clone(), &[("max_age", "99")]);
    let reply = browser.get(&authorize(&aged)).await.expect(303);
    assert_eq!(answer(&reply, &app.redirect)["error"], "login_required");
    let reply = browser.get(&authorize(&with(silent, &[("max_age", "100")]))).await.expect(303);
    assert!(answer(&reply, &app.redirect).contains_key("code"));
}

#[actix_web::test]
async fn prompt_login_and_max_age_want_a_new_proof() {
    for (name, value) in [("prompt", "login"), ("max_age", "60")] {
        let (site, app, browser) = web().await;
        site.clock.advance_seconds(61);
        let request = with(app.request(ALL), &[(name, value)]);
        let reply = browser.get(&authorize(&request)).await.expect(303);
        let to = reply.location();
        assert!(to.starts_with("/console/"), "{name}={value}: {to}");
        browser.get(&to).await.expect(200);
        // Looking is not enough, and a wrong password is none.
        let again = browser.get(&authorize(&request)).await.expect(303);
        assert!(again.location().starts_with("/console/"), "{name}={value}");
        browser.get(&to).await.expect(200);
        browser.post("/console/confirm", &[("password", "wrong")]).await.expect(403);
        let before = browser.cookie("keyward-session");
        let proven = browser.post("/console/confirm", &[("password", PASSWORD)]).await.expect(303);
        assert_ne!(browser.cookie("keyward-session"), before);
        let reply = browser.get(&proven.location()).await.expect(303);
        let code = answer(&reply, &app.redirect)["code"].clone();
        let tokens = app.redeem(&site, &code, &[]).await.expect(200).json();
        let (_, identity) = parts(&text(&tokens, "id_token"));
        assert_eq!(identity["auth_time"], crate::support::now(&site).unix_seconds());
    }
}

#[actix_web::test]
async fn prompt_select_account_lets_another_person_sign_in() {
    let (site, app, browser) = web().await;
    site.holder("grace@acme.example", &[]).await;
    let reply = browser.get(&authorize(&with(app.request(ALL), &[("prompt", "select_account")]))).await;
    let to = reply.expect(303).location();
    assert!(to.starts_with("/console/sign-in?"), "{to}");
    site.clock.advance_seconds(1);
    browser.get(&to).await.expect(200);
    let signed_in = browser.sign_in_here("grace@acme.example", PASSWORD).await.expect(303);
    let reply = browser.get(&signed_in.location()).await.expect(303);
    let code = answer(&reply, &app.redirect)["code"].clone();
    let tokens = app.redeem(&site, &code, &[]).await.expect(200).json();
    let (_, identity) = parts(&text(&tokens, "id_token"));
    assert_eq!(identity["email"], "grace@acme.example");
}

/// What the address says of the time at which it was made counts only when it was sealed here.
#[actix_web::test]
async fn a_request_cannot_say_that_the_proof_was_given() {
    let (site, app, browser) = web().await;
    site.clock.advance_seconds(61);
    for since in ["0", "2000-01-01T00:00:00.000Z", "e30", ""] {
        let mut request = with(app.request(ALL), &[("prompt", "login")]);
        request.push(("since".to_owned(), since.to_owned()));
        let reply = browser.get(&authorize(&request)).await.expect(303);
        assert!(reply.location().starts_with("/console/confirm"), "{since}: {}", reply.location());
    }
    // Nor does the page of consent give what the proof is still missing for.
    let request = authorize(&with(app.request(ALL), &[("prompt", "login")]));
    let consent = request.replace("/oauth2/authorize", "/console/consent");
    let reply = browser.get(&consent).await;
    let gave = reply.status == 303 && reply.location().starts_with(&app.redirect);
    assert!(!gave, "{}", reply.location());
}

#[actix_web::test]
async fn a_proof_counts_on_the_page_of_consent_too() {
    let (site, app, browser) = native().await;
    for prompt in ["login", "login consent"] {
        site.clock.advance_seconds(61);
        browser.visit(&authorize(&with(app.request(ALL), &[("prompt", prompt)]))).await.expect(200);
        let proven = browser.post("/console/confirm", &[("password", PASSWORD)]).await.expect(303);
        let asked = browser.get(&proven.location()).await.expect(303);
        assert!(asked.location().starts_with("/console/consent?"), "{}", asked.location());
        browser.get(&asked.location()).await.expect(200);
        let reply = browser.post("/console/consent", &[("decision", "allow")]).await.expect(303);
        assert!(answer(&reply, &app.redirect).contains_key("code"));
    }
}

#[actix_web::test]
async fn a_hint_stands_in_the_form_and_harms_nobody() {
    let site = Site::start().await;
    let app = site.web_app().await;
    for hint in ["ada@acme.example", "\"><script>alert(1)</script>@x"] {
        let request = with(app.request(ALL), &[("login_hint", hint)]);
        let page = site.browser().visit(&authorize(&request)).await.expect(200);
        assert_eq!(crate::support::unescaped(&page.field("email").unwrap()), hint);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
    }
}

#[actix_web::test]
async fn a_native_application_is_asked_about_and_remembered() {
    let (site, app, browser) = native().await;
    let narrow = app.request("openid points:read");
    let silent = with(narrow.clone(), &[("prompt", "none")]);
    let reply = browser.get(&authorize(&silent)).await.expect(303);
    assert_eq!(answer(&reply, &app.redirect)["error"], "consent_required");
    let asked = browser.get(&authorize(&narrow)).await.expect(303);
    assert!(asked.location().starts_with("/console/consent?"), "{}", asked.location());
    let page = browser.get(&asked.location()).await.expect(200);
    assert!(page.body.contains("points:read") && !page.body.contains("points:write"), "{}", page.body);
    // Somebody says no; that is not remembered.
    let reply = browser.post("/console/consent", &[("decision", "deny")]).await.expect(303);
    let refused = answer(&reply, &app.redirect);
    assert_eq!((&*refused["error"], &*refused["iss"], &*refused["state"]), ("access_denied", ISSUER, "s-1"));
    assert_eq!(site.events("authorization.denied").await[0]["reason"], "consent_denied");
    let asked = browser.get(&authorize(&narrow)).await.expect(303);
    browser.get(&asked.location()).await.expect(200);
    let reply = browser.post("/console/consent", &[("decision", "allow")]).await.expect(303);
    let code = answer(&reply, &app.redirect)["code"].clone();
    app.redeem(&site, &code, &[]).await.expect(200);
    // Yes is remembered, for as much as was allowed and for this application.
    let reply = browser.get(&authorize(&silent)).await.expect(303);
    assert!(answer(&reply, &app.redirect).contains_key("code"));
    for changes in [&[("scope", ALL)][..], &[("prompt", "consent")]] {
        let reply = browser.get(&authorize(&with(narrow.clone(), changes))).await.expect(303);
        assert!(reply.location().starts_with("/console/consent?"), "{changes:?}");
    }
    let other = site.app("native", "other", "com.example.other://cb").await;
    let reply = browser.get(&authorize(&other.request("openid"))).await.expect(303);
    assert!(reply.location().starts_with("/console/consent?"));
}

#[actix_web::test]
async fn consent_is_given_by_nobody_but_the_person() {
    let (site, app, browser) = native().await;
    let asked = browser.get(&authorize(&app.request("openid"))).await.expect(303);
    let page = browser.get(&asked.location()).await.expect(200);
    let (request, csrf) = (page.field("request").unwrap(), page.field("csrf").unwrap());
    let request = crate::support::unescaped(&request);
    let stranger = site.person("eve@acme.example", json!({})).await;
    assert!(!stranger.is_empty());
    let eve = site.signed_in("eve@acme.example").await;
    let hers = eve.get(&asked.location()).await.expect(200).field("csrf").unwrap();
    let fields = |csrf: &str, request: &str| {
        [("decision", "allow"), ("csrf", csrf), ("request", request)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    };
    let same = [("sec-fetch-site", "same-origin")];
    for (csrf, headers) in [
        ("", &same[..]),
        (&*hers, &same),
        (&*csrf, &[("sec-fetch-site", "cross-site")]),
        (&*csrf, &[("sec-fetch-site", "same-site")]),
        (&*csrf, &[("origin", "https://evil.example")]),
        (&*csrf, &[("origin", "null")]),
    ] {
        let reply = browser.post_raw("/console/consent", &fields(csrf, &request), headers).await;
        assert_eq!(reply.status, 400, "{headers:?}");
    }
    // What the form says of the request is judged again.
    let evil = request.replace("com.example.shop", "com.example.evil");
    assert_ne!(evil, request);
    let reply = browser.post_raw("/console/consent", &fields(&csrf, &evil), &same).await;
    assert_eq!(reply.status, 400);
    let reply = browser.post_raw("/console/consent", &fields(&csrf, &request), &same).await.expect(303);
    assert!(answer(&reply, &app.redirect).contains_key("code"));
}
