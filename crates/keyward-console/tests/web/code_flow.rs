//! The authorization code flow with PKCE, from the browser to the tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_crypto::digest;
use serde_json::json;

use crate::{
    apps::{ALL, App, VERIFIER, answer, authorize, parts, text, userinfo, with},
    support::{Browser, ISSUER, PASSWORD, Site, now},
};

const ADA: &str = "ada@acme.example";

/// A site with a web application, and a person who may do everything with points and is signed in.
async fn everything() -> (Site, App, Browser, String) {
    let site = Site::start().await;
    let app = site.web_app().await;
    let id = site.holder(ADA, &["points:read", "points:write"]).await;
    let browser = site.signed_in(ADA).await;
    (site, app, browser, id)
}

#[actix_web::test]
async fn applications_of_all_types_obtain_tokens() {
    let site = Site::start().await;
    let apps = [
        site.app("web", "web-app", "https://web.example/cb").await,
        site.app("spa", "spa-app", "https://spa.example/cb").await,
        site.app("native", "native-app", "http://127.0.0.1/cb").await,
    ];
    let ada = site.holder(ADA, &["points:read", "points:write"]).await;
    for app in &apps {
        let browser = site.browser();
        let began = browser.visit(&authorize(&app.request(ALL))).await.expect(200);
        assert!(began.body.contains("name=\"email\""), "{}", began.body);
        let authenticated = now(&site).unix_seconds();
        let signed_in = browser.sign_in_here(ADA, PASSWORD).await.expect(303);
        assert!(signed_in.location().starts_with("/oauth2/authorize?"), "{}", signed_in.location());
        site.clock.advance_seconds(5);
        let code = app.code(&browser, &app.request(ALL)).await;
        let reply = app.redeem(&site, &code, &[]).await.expect(200);
        assert_eq!(reply.headers.get("cache-control").unwrap(), "no-store");
        let tokens = reply.json();
        assert_eq!(tokens["token_type"], "Bearer");
        let mut scope: Vec<String> = text(&tokens, "scope").split(' ').map(str::to_owned).collect();
        scope.sort();
        let mut wanted: Vec<&str> = ALL.split(' ').collect();
        wanted.sort_unstable();
        assert_eq!(scope, wanted);
        let access = text(&tokens, "access_token");
        let (header, claims) = parts(&access);
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(ISSUER), &json!(ada)));
        assert_eq!(claims["client_id"], app.client_id);
        assert_eq!(claims["aud"], format!("{ISSUER}/api"));
        assert_eq!(claims["scope"], tokens["scope"]);
        for name in ["jti", "exp", "iat", "roles", "tenants", "tenant_id", "env"] {
            assert!(!claims[name].is_null(), "{name} {claims}");
        }
        let (header, identity) = parts(&text(&tokens, "id_token"));
        assert_ne!(header["typ"], "at+jwt");
        assert_eq!((&identity["iss"], &identity["sub"]), (&json!(ISSUER), &json!(ada)));
        assert_eq!(identity["aud"], app.client_id);
        assert_eq!((&identity["nonce"], &identity["email"]), (&json!("n-1"), &json!(ADA)));
        assert_eq!(identity["auth_time"], authenticated);
        assert!(text(&identity, "sid").starts_with("ses_"));
        let half = URL_SAFE_NO_PAD.encode(&digest::sha256(access.as_bytes())[..16]);
        assert_eq!(identity["at_hash"], half);
        let about = userinfo(&site, &access).await.expect(200).json();
        assert_eq!((&about["sub"], &about["email"]), (&json!(ada), &json!(ADA)));
        // An ID token is none to call with.
        userinfo(&site, &text(&tokens, "id_token")).await.expect(401);
        let again = app.refresh(&site, &text(&tokens, "refresh_token"), &[]).await.expect(200).json();
        userinfo(&site, &text(&again, "access_token")).await.expect(200);
        // An application that has a secret must use it.
        if app.secret.is_some() {
            let code = app.code(&browser, &app.request(ALL)).await;
            let refused = app.redeem(&site, &code, &[("client_secret", "")]).await.expect(401);
            assert_eq!(refused.json()["error"], "invalid_client");
            app.redeem(&site, &code, &[]).await.expect(200);
        }
    }
}

#[actix_web::test]
async fn without_openid_there_is_no_identity_and_without_offline_access_no_refresh_token() {
    let (site, app, browser, _) = everything().await;
    let tokens = app.tokens(&site, &browser, "points:read").await;
    assert!(tokens["id_token"].is_null() && tokens["refresh_token"].is_null(), "{tokens}");
    userinfo(&site, &text(&tokens, "access_token")).await.expect(403);
    let tokens = app.tokens(&site, &browser, "openid").await;
    let about = userinfo(&site, &text(&tokens, "access_token")).await.expect(200).json();
    assert_eq!(about.as_object().unwrap().len(), 1, "{about}");
}

#[actix_web::test]
async fn a_scope_is_narrowed_to_what_the_person_holds() {
    let site = Site::start().await;
    let app = site.web_app().await;
    site.holder(ADA, &["points:read"]).await;
    let browser = site.signed_in(ADA).await;
    let tokens = app.tokens(&site, &browser, "openid points:read points:write").await;
    assert_eq!(tokens["scope"], "openid points:read");
    for unknown in ["points:delete", "admin:write", "openid tenants:read"] {
        let reply = browser.get(&authorize(&app.request(unknown))).await.expect(303);
        let answer = answer(&reply, &app.redirect);
        assert_eq!(answer["error"], "invalid_scope", "{unknown}");
        assert_eq!((&*answer["iss"], &*answer["state"]), (ISSUER, "s-1"));
    }
}

/// What an application is answered to a request with changes, by somebody who is signed in.
async fn error_of(app: &App, browser: &Browser, changes: &[(&str, &str)]) -> String {
    let reply = browser.get(&authorize(&with(app.request(ALL), changes))).await.expect(303);
    let answer = answer(&reply, &app.redirect);
    assert_eq!(answer["iss"], ISSUER, "{changes:?}");
    assert_eq!(answer.get("state").map(String::as_str), Some("s-1"), "{changes:?}");
    assert!(answer.contains_key("code") != answer.contains_key("error"), "{answer:?}");
    answer.get("error").cloned().unwrap_or_default()
}

#[actix_web::test]
async fn requests_must_be_as_they_should_be() {
    let (_site, app, browser, _) = everything().await;
    let long = "x".repeat(44);
    let rows: [(&[(&str, &str)], &str); 21] = [
        (&[], ""),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "s256")], "invalid_request"),
        (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "abc")], "invalid_request"),
        (&[("code_challenge", &long)], "invalid_request"),
        (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")], "invalid_request"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "query")], ""),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
        (&[("request_uri", "https://shop.example/r")], "request_uri_not_supported"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "create")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("resource", "https://elsewhere.example")], "invalid_target"),
    ];
    for (changes, error) in rows {
        assert_eq!(error_of(&app, &browser, changes).await, error, "{changes:?}");
    }
    for repeated in ["scope", "nonce", "code_challenge", "state", "prompt"] {
        let mut params = with(app.request(ALL), &[("prompt", "none")]);
        let value = params.iter().find(|(name, _)| name == repeated).unwrap().1.clone();
        params.push((repeated.to_owned(), value));
        let reply = browser.get(&authorize(&params)).await.expect(303);
        assert_eq!(answer(&reply, &app.redirect)["error"], "invalid_request", "{repeated}");
    }
}

#[actix_web::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let site = Site::start().await;
    let app = site.app("web", "shop", "https://shop.example/a/cb").await;
    site.person(ADA, json!({})).await;
    let browser = site.signed_in(ADA).await;
    browser.get(&authorize(&app.request("openid"))).await.expect(303);
    let variants = [
        "https://shop.example/a/CB",
        "https://shop.example/A/cb",
        "https://Shop.example/a/cb",
        "HTTPS://shop.example/a/cb",
        "https://shop.example/a/cb/",
        "https://shop.example/a/cb?",
        "https://shop.example/a/cb?x=1",
        "https://shop.example/a/cb#",
        "https://shop.example/a/cb#f",
        "https://shop.example/a/c%62",
        "https://shop.example/a%2Fcb",
        "https://shop.example/a/cb%00",
        "https://shop.example/a/cb%0d%0aset-cookie:x=1",
        "https://shop.example/a/cb\r\nx: y",
        "https://shop.example/a/./cb",
        "https://shop.example/a/../a/cb",
        "https://shop.example/a/cb/..;/cb",
        "https://shop.example/a/..;/a/cb",
        "https://shop.example/a\\cb",
        "https://shop.example\\@evil.example/a/cb",
        "https://evil.example/a/cb",
        "https://shop.example@evil.example/a/cb",
        "https://shop.example:x@evil.example/a/cb",
        "https://evil.example@shop.example/a/cb",
        "https://a@b@shop.example/a/cb",
        "https://shop.example:443/a/cb",
        "https://shop.example:8443/a/cb",
        "http://shop.example/a/cb",
        "https://evil.shop.example/a/cb",
        "https://shop.example.evil.example/a/cb",
        "https://shop.example./a/cb",
        "https://shop.exampl/a/cb",
        "https://shop.example/a/cbx",
        "https://shop.example/a/",
        "https://shop.example/",
        "https://shop.example",
        "https://[::1]/a/cb",
        "https://[::ffff:7f00:1]/a/cb",
        "https:shop.example/a/cb",
        "https:/shop.example/a/cb",
        "//shop.example/a/cb",
        "/a/cb",
        "javascript:alert(1)",
        "JaVaScRiPt://shop.example/a/cb%0aalert(1)",
        "data:text/html,hello",
        " https://shop.example/a/cb",
        "https://shop.example/a/cb ",
        "https://shop.example/a/cb,https://evil.example",
        "https://*.example/a/cb",
    ];
    for signed_in in [true, false] {
        let browser = if signed_in { browser.clone() } else { site.browser() };
        for variant in variants {
            let reply =
                browser.get(&authorize(&with(app.request("openid"), &[("redirect_uri", variant)]))).await;
            assert_eq!(reply.status, 400, "{variant}");
            assert!(!reply.headers.contains_key("location"), "{variant}");
            assert!(reply.headers.get("content-security-policy").is_some(), "{variant}");
        }
        for changes in [
            &[("redirect_uri", "")][..],
            &[("client_id", "")],
            &[("client_id", "nobody")],
            &[("client_id", "SHOP")],
        ] {
            let reply = browser.get(&authorize(&with(app.request("openid"), changes))).await.expect(400);
            assert!(!reply.headers.contains_key("location"), "{changes:?}");
        }
        for repeated in ["client_id", "redirect_uri"] {
            let mut params = app.request("openid");
            let value = params.iter().find(|(name, _)| name == repeated).unwrap().1.clone();
            params.push((repeated.to_owned(), value));
            browser.get(&authorize(&params)).await.expect(400);
        }
    }
}

#[actix_web::test]
async fn native_applications_may_use_any_port_of_the_loopback_address() {
    let site = Site::start().await;
    let native = site.app("native", "cli", "http://127.0.0.1/cb").await;
    let web = site.app("web", "local", "http://127.0.0.1:3000/cb").await;
    site.person(ADA, json!({})).await;
    let browser = site.signed_in(ADA).await;
    let look = async |app: &App, uri: &str| {
        let request = with(app.request("openid"), &[("redirect_uri", uri), ("prompt", "none")]);
        browser.get(&authorize(&request)).await.status
    };
    for good in ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"] {
        assert_eq!(look(&native, good).await, 303, "{good}");
    }
    for bad in [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:80x/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:8080/cb/",
        "http://127.0.0.1:8080/cb?x",
        "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1:8080\\@evil.example/cb",
        "http://evil.example:8080/cb",
        "http://localhost:8080/cb",
        "http://[::1]:8080/cb",
        "http://127.0.0.2:8080/cb",
        "http://127.1:8080/cb",
        "http://2130706433:8080/cb",
        "https://127.0.0.1:8080/cb",
        "http://127.0.0.1.evil.example:8080/cb",
    ] {
        assert_eq!(look(&native, bad).await, 400, "{bad}");
    }
    assert_eq!(look(&web, "http://127.0.0.1:3000/cb").await, 303);
    for bad in ["http://127.0.0.1:3001/cb", "http://127.0.0.1/cb"] {
        assert_eq!(look(&web, bad).await, 400, "{bad}");
    }
}

#[actix_web::test]
async fn a_code_is_bound_to_client_address_and_verifier() {
    let (site, app, browser, _) = everything().await;
    let other = site.app("web", "other", "https://shop.example/cb").await;
    let spa = site.app("spa", "spa", "https://shop.example/cb").await;
    let code = app.code(&browser, &app.request(ALL)).await;
    let too_long = "a".repeat(129);
    let rows: [(&[(&str, &str)], &str); 10] = [
        (&[("redirect_uri", "")], "invalid_grant"),
        (&[("redirect_uri", "https://shop.example/cb/")], "invalid_grant"),
        (&[("code_verifier", "")], "invalid_grant"),
        (&[("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK")], "invalid_grant"),
        (&[("code_verifier", "short")], "invalid_grant"),
        (&[("code_verifier", &too_long)], "invalid_grant"),
        (&[("code_verifier", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")], "invalid_grant"),
        (&[("resource", "https://elsewhere.example")], "invalid_target"),
        (&[("code", "")], "invalid_request"),
        (&[("code", &code[1..])], "invalid_grant"),
    ];
    for (changes, error) in rows {
        let reply = app.redeem(&site, &code, changes).await.expect(400);
        assert_eq!(reply.json()["error"], error, "{changes:?}");
    }
    for stranger in [&other, &spa] {
        let reply = stranger.redeem(&site, &code, &[]).await.expect(400);
        assert_eq!(reply.json()["error"], "invalid_grant", "{}", stranger.client_id);
    }
    // A code is no refresh token, and no other thing that is good once.
    let reply = app.refresh(&site, &code, &[]).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
    app.redeem(&site, &code, &[("code_verifier", VERIFIER)]).await.expect(200);
}

/// RFC 7636 section 4.1: 43 to 128 characters, even where the challenge is that of the verifier.
#[actix_web::test]
async fn a_verifier_has_the_length_and_the_letters_that_it_must_have() {
    let (site, app, browser, _) = everything().await;
    for (verifier, good) in [
        ("a".repeat(42), false),
        ("a".repeat(43), true),
        ("-._~".repeat(32), true),
        ("a".repeat(129), false),
        (format!("{}+", "a".repeat(43)), false),
    ] {
        let challenge = URL_SAFE_NO_PAD.encode(digest::sha256(verifier.as_bytes()));
        let request = with(app.request(ALL), &[("code_challenge", &challenge)]);
        let code = app.code(&browser, &request).await;
        let reply = app.redeem(&site, &code, &[("code_verifier", &verifier)]).await;
        assert_eq!(reply.status, if good { 200 } else { 400 }, "{verifier} {}", reply.body);
    }
}

#[actix_web::test]
async fn a_code_that_comes_twice_ends_what_the_first_use_obtained() {
    let (site, app, browser, _) = everything().await;
    let other = app.tokens(&site, &browser, ALL).await;
    let code = app.code(&browser, &app.request(ALL)).await;
    let first = app.redeem(&site, &code, &[]).await.expect(200).json();
    let (access, refresh) = (text(&first, "access_token"), text(&first, "refresh_token"));
    let refreshed = app.refresh(&site, &refresh, &[]).await.expect(200).json();
    assert_eq!(app.introspect(&site, &access).await["active"], true);
    userinfo(&site, &access).await.expect(200);
    let second = app.redeem(&site, &code, &[]).await.expect(400);
    assert_eq!(second.json()["error"], "invalid_grant");
    assert_eq!(app.introspect(&site, &access).await, json!({ "active": false }));
    userinfo(&site, &access).await.expect(401);
    userinfo(&site, &text(&refreshed, "access_token")).await.expect(401);
    for dead in [refresh, text(&refreshed, "refresh_token")] {
        app.refresh(&site, &dead, &[]).await.expect(400);
        assert_eq!(app.introspect(&site, &dead).await, json!({ "active": false }));
    }
    // The other tokens of the same application, person and session live on.
    userinfo(&site, &text(&other, "access_token")).await.expect(200);
    app.refresh(&site, &text(&other, "refresh_token"), &[]).await.expect(200);
}

#[actix_web::test]
async fn a_stranger_who_repeats_a_code_ends_nothing() {
    let (site, app, browser, _) = everything().await;
    let other = site.app("web", "other", "https://shop.example/cb").await;
    let code = app.code(&browser, &app.request(ALL)).await;
    let first = app.redeem(&site, &code, &[]).await.expect(200).json();
    other.redeem(&site, &code, &[]).await.expect(400);
    userinfo(&site, &text(&first, "access_token")).await.expect(200);
    app.refresh(&site, &text(&first, "refresh_token"), &[]).await.expect(200);
}

#[actix_web::test]
async fn of_many_uses_of_a_code_at_once_at_most_one_obtains_tokens() {
    let (site, app, browser, _) = everything().await;
    let code = app.code(&browser, &app.request(ALL)).await;
    let all = futures_util::future::join_all((0..20).map(|_| app.redeem(&site, &code, &[]))).await;
    assert!(all.iter().filter(|reply| reply.status == 200).count() <= 1);
    assert!(all.iter().all(|reply| [200, 400].contains(&reply.status)));
    for reply in all.iter().filter(|reply| reply.status == 200) {
        userinfo(&site, &text(&reply.json(), "access_token")).await.expect(401);
    }
}

#[actix_web::test]
async fn a_code_lives_for_a_minute() {
    let (site, app, browser, _) = everything().await;
    let code = app.code(&browser, &app.request(ALL)).await;
    site.clock.advance_seconds(59);
    app.redeem(&site, &code, &[]).await.expect(200);
    let code = app.code(&browser, &app.request(ALL)).await;
    site.clock.advance_seconds(60);
    let reply = app.redeem(&site, &code, &[]).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
}
