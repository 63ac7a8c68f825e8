//! Refresh tokens: each once, for its own application, and only as long as all that it hangs on.

use std::collections::BTreeSet;

use keyward_core::Origin;
use keyward_model::{Application, User};
use serde_json::json;

use crate::{
    apps::{ALL, App, parts, text, userinfo},
    support::{Browser, PASSWORD, Site},
};

const ADA: &str = "ada@acme.example";

async fn everything() -> (Site, App, Browser, String) {
    let site = Site::start().await;
    let app = site.web_app().await;
    let id = site.holder(ADA, &["points:read", "points:write"]).await;
    let browser = site.signed_in(ADA).await;
    (site, app, browser, id)
}

#[actix_web::test]
async fn each_token_is_good_once_and_has_one_successor() {
    let (site, app, browser, _) = everything().await;
    let first = text(&app.tokens(&site, &browser, ALL).await, "refresh_token");
    assert!(first.starts_with("kwr_"), "{first}");
    assert_eq!(app.introspect(&site, &first).await["active"], true);
    let reply = app.refresh(&site, &first, &[]).await.expect(200).json();
    let second = text(&reply, "refresh_token");
    assert_ne!(first, second);
    assert_eq!(app.introspect(&site, &first).await, json!({ "active": false }));
    // An answer got lost: a retry leads to the same successor.
    site.clock.advance_seconds(9);
    let again = app.refresh(&site, &first, &[]).await.expect(200).json();
    assert_eq!(text(&again, "refresh_token"), second);
    // Later it was stolen, before or now.
    site.clock.advance_seconds(1);
    let reused = app.refresh(&site, &first, &[]).await.expect(400);
    assert_eq!(reused.json()["error"], "invalid_grant");
    let dead = app.refresh(&site, &second, &[]).await.expect(400);
    assert_eq!(dead.json()["error"], "invalid_grant");
    let events = site.events("refresh_token.revoked").await;
    assert_eq!((events.len(), &events[0]["reason"]), (1, &json!("refresh_token_used_twice")));
}

#[actix_web::test]
async fn the_grace_is_for_the_last_token_only() {
    let (site, app, browser, _) = everything().await;
    let first = text(&app.tokens(&site, &browser, ALL).await, "refresh_token");
    let second = text(&app.refresh(&site, &first, &[]).await.expect(200).json(), "refresh_token");
    let third = text(&app.refresh(&site, &second, &[]).await.expect(200).json(), "refresh_token");
    app.refresh(&site, &first, &[]).await.expect(400);
    app.refresh(&site, &third, &[]).await.expect(400);
}

#[actix_web::test]
async fn many_uses_at_once_have_one_live_successor() {
    let (site, app, browser, _) = everything().await;
    let first = text(&app.tokens(&site, &browser, ALL).await, "refresh_token");
    let all = futures_util::future::join_all((0..50).map(|_| app.refresh(&site, &first, &[]))).await;
    let successors: BTreeSet<String> = all
        .iter()
        .filter(|reply| reply.status == 200)
        .map(|reply| text(&reply.json(), "refresh_token"))
        .collect();
    assert_eq!(successors.len(), 1, "{:?}", all.iter().map(|reply| reply.status).collect::<Vec<_>>());
    app.refresh(&site, successors.first().unwrap(), &[]).await.expect(200);
}

#[actix_web::test]
async fn a_refresh_narrows_and_never_widens() {
    let (site, app, browser, ada) = everything().await;
    let narrow = app.tokens(&site, &browser, "openid offline_access points:read").await;
    let token = text(&narrow, "refresh_token");
    for wider in ["points:write", "points:read points:write", "admin:write", "email", "nonsense"] {
        let reply = app.refresh(&site, &token, &[("scope", wider)]).await.expect(400);
        assert_eq!(reply.json()["error"], "invalid_scope", "{wider}");
    }
    let reply = app.refresh(&site, &token, &[("resource", "https://elsewhere.example")]).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_target");
    // None of that used it up.
    let reply = app.refresh(&site, &token, &[]).await.expect(200).json();
    assert!(text(&reply, "scope").split(' ').all(|scope| scope != "points:write"), "{reply}");
    let whole = text(&app.tokens(&site, &browser, ALL).await, "refresh_token");
    let less = app.refresh(&site, &whole, &[("scope", "points:read")]).await.expect(200).json();
    let (_, claims) = parts(&text(&less, "access_token"));
    assert!(!text(&claims, "scope").contains("points:write"), "{claims}");
    // What the person no longer holds nobody obtains.
    let whole = text(&less, "refresh_token");
    let none = json!({ "roles": [] });
    site.keyward.put_user_roles(&site.operator(), &ada, none, None).await.unwrap();
    let less = app.refresh(&site, &whole, &[]).await.expect(200).json();
    assert!(!text(&less, "scope").contains("points"), "{less}");
}

#[actix_web::test]
async fn a_token_is_bound_to_its_application() {
    let (site, app, browser, _) = everything().await;
    let web = site.app("web", "other", "https://shop.example/cb").await;
    let spa = site.app("spa", "spa", "https://shop.example/cb").await;
    let tokens = app.tokens(&site, &browser, ALL).await;
    let token = text(&tokens, "refresh_token");
    for stranger in [&web, &spa] {
        let reply = stranger.refresh(&site, &token, &[]).await.expect(400);
        assert_eq!(reply.json()["error"], "invalid_grant");
        stranger.revoke(&site, &token).await.expect(200);
        stranger.revoke(&site, &text(&tokens, "access_token")).await.expect(200);
    }
    assert_eq!(web.introspect(&site, &token).await, json!({ "active": false }));
    assert_eq!(web.introspect(&site, &text(&tokens, "access_token")).await, json!({ "active": false }));
    // Its own application without the secret is a stranger too.
    app.refresh(&site, &token, &[("client_secret", "")]).await.expect(401);
    app.refresh(&site, &token, &[("client_id", "spa"), ("client_secret", "")]).await.expect(400);
    let mut cut = token.clone();
    cut.pop();
    for altered in [cut, format!("{token}0"), token.to_lowercase(), text(&tokens, "access_token")] {
        app.refresh(&site, &altered, &[]).await.expect(400);
        if altered.starts_with("kwr_") {
            assert_eq!(app.introspect(&site, &altered).await, json!({ "active": false }));
        }
    }
    userinfo(&site, &text(&tokens, "access_token")).await.expect(200);
    app.refresh(&site, &token, &[]).await.expect(200);
}

#[actix_web::test]
async fn a_family_ends_at_a_fixed_time() {
    let site = Site::with(|options| {
        options.sign_in.totp_required.clear();
        options.sign_in.refresh_seconds = 1_000;
    })
    .await;
    let app = site.web_app().await;
    site.holder(ADA, &["points:read"]).await;
    let browser = site.signed_in(ADA).await;
    let mut token = text(&app.tokens(&site, &browser, "offline_access points:read").await, "refresh_token");
    for _ in 0..9 {
        site.clock.advance_seconds(100);
        token = text(&app.refresh(&site, &token, &[]).await.expect(200).json(), "refresh_token");
    }
    site.clock.advance_seconds(99);
    token = text(&app.refresh(&site, &token, &[]).await.expect(200).json(), "refresh_token");
    site.clock.advance_seconds(1);
    let reply = app.refresh(&site, &token, &[]).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
    assert_eq!(app.introspect(&site, &token).await, json!({ "active": false }));
}

#[actix_web::test]
async fn an_application_revokes_what_it_obtained() {
    let (site, app, browser, _) = everything().await;
    let tokens = app.tokens(&site, &browser, ALL).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    app.revoke(&site, &access).await.expect(200);
    userinfo(&site, &access).await.expect(401);
    assert_eq!(app.introspect(&site, &access).await, json!({ "active": false }));
    let refresh = text(&app.refresh(&site, &refresh, &[]).await.expect(200).json(), "refresh_token");
    app.revoke(&site, &refresh).await.expect(200);
    app.refresh(&site, &refresh, &[]).await.expect(400);
    assert_eq!(app.introspect(&site, &refresh).await, json!({ "active": false }));
    for again in [&*refresh, "nonsense", "kwr_live_nonsense"] {
        app.revoke(&site, again).await.expect(200);
    }
}

/// What ends a sign-in, and with it every token that hangs on it.
#[derive(Clone, Copy, Debug)]
enum End {
    Nothing,
    SignOut,
    RevokedByAdministrator,
    UserDisabled,
    UserDeleted,
    PasswordChanged,
    PasswordReset,
    ApplicationDisabled,
    ApplicationDeleted,
    TooOld,
}

async fn bring_about(end: End, site: &Site, app: &App, browser: &Browser, ada: &str) {
    let (keyward, call) = (&site.keyward, site.operator());
    match end {
        End::Nothing => {}
        End::SignOut => {
            browser.get("/console/sign-out").await.expect(200);
            browser.post("/console/sign-out", &[]).await.expect(303);
        }
        End::RevokedByAdministrator => {
            let sessions = keyward.sessions(&call, &[]).await.unwrap().data;
            assert_eq!(sessions.len(), 1);
            keyward.revoke_session(&call, &text(&sessions[0], "id")).await.unwrap();
        }
        End::UserDisabled => {
            keyward.update::<User>(&call, ada, json!({ "status": "disabled" }), None).await.unwrap();
        }
        End::UserDeleted => keyward.delete::<User>(&call, ada, None).await.unwrap(),
        End::PasswordChanged => {
            let fields = [("password", PASSWORD), ("new_password", "another fine long password")];
            browser.get("/console/account").await.expect(200);
            browser.post("/console/account/password", &fields).await.expect(303);
        }
        End::PasswordReset => {
            let link = keyward.password_link(&call, ADA).await.unwrap();
            let code = link.split('#').nth(1).unwrap();
            let new = "another fine long password".to_owned();
            keyward.choose_password(code, new, &Origin::default()).await.unwrap();
        }
        End::ApplicationDisabled => {
            let disabled = json!({ "status": "disabled" });
            keyward.update::<Application>(&call, &app.id, disabled, None).await.unwrap();
        }
        End::ApplicationDeleted => keyward.delete::<Application>(&call, &app.id, None).await.unwrap(),
        End::TooOld => site.clock.advance_seconds(30 * 86_400),
    }
}

#[actix_web::test]
async fn tokens_die_with_what_they_hang_on() {
    for end in [
        End::Nothing,
        End::SignOut,
        End::RevokedByAdministrator,
        End::UserDisabled,
        End::UserDeleted,
        End::PasswordChanged,
        End::PasswordReset,
        End::ApplicationDisabled,
        End::ApplicationDeleted,
        End::TooOld,
    ] {
        let (site, app, browser, ada) = everything().await;
        let tokens = app.tokens(&site, &browser, ALL).await;
        let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        let code = app.code(&browser, &app.request(ALL)).await;
        userinfo(&site, &access).await.expect(200);
        site.clock.advance_seconds(1);
        bring_about(end, &site, &app, &browser, &ada).await;
        let expected = if matches!(end, End::Nothing) { 200 } else { 401 };
        assert_eq!(userinfo(&site, &access).await.status, expected, "{end:?}");
        for reply in [app.redeem(&site, &code, &[]).await, app.refresh(&site, &refresh, &[]).await] {
            let client_is_dead = matches!(end, End::ApplicationDisabled | End::ApplicationDeleted);
            let (status, error) = match end {
                End::Nothing => (200, json!(null)),
                _ if client_is_dead => (401, json!("invalid_client")),
                _ => (400, json!("invalid_grant")),
            };
            assert_eq!((reply.status, &reply.json()["error"]), (status, &error), "{end:?}");
        }
    }
}

#[actix_web::test]
async fn offline_access_outlives_the_time_of_a_session_but_not_its_end() {
    let (site, app, browser, _) = everything().await;
    let tokens = app.tokens(&site, &browser, ALL).await;
    site.clock.advance_seconds(20 * 86_400);
    browser.get("/console/account").await.expect(303);
    let later = app.refresh(&site, &text(&tokens, "refresh_token"), &[]).await.expect(200).json();
    userinfo(&site, &text(&later, "access_token")).await.expect(200);
    let call = site.operator();
    let sessions = site.keyward.sessions(&call, &[]).await.unwrap().data;
    assert_eq!(sessions[0]["state"], "expired");
    site.keyward.revoke_session(&call, &text(&sessions[0], "id")).await.unwrap();
    userinfo(&site, &text(&later, "access_token")).await.expect(401);
    app.refresh(&site, &text(&later, "refresh_token"), &[]).await.expect(400);
}

#[actix_web::test]
async fn what_a_refresh_token_obtained_ends_with_it() {
    let (site, app, browser, _) = everything().await;
    for used_twice in [false, true] {
        let tokens = app.tokens(&site, &browser, ALL).await;
        let refresh = text(&tokens, "refresh_token");
        let next = app.refresh(&site, &refresh, &[]).await.expect(200).json();
        let access = [text(&tokens, "access_token"), text(&next, "access_token")];
        for token in &access {
            userinfo(&site, token).await.expect(200);
        }
        if used_twice {
            site.clock.advance_seconds(11);
            app.refresh(&site, &refresh, &[]).await.expect(400);
        } else {
            app.revoke(&site, &text(&next, "refresh_token")).await.expect(200);
        }
        for token in &access {
            userinfo(&site, token).await.expect(401);
            assert_eq!(app.introspect(&site, token).await, json!({ "active": false }));
        }
    }
}
