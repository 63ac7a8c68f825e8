//! Figures, charts and evidence on the screens, and what is done from them.

use std::sync::atomic::Ordering;

use keyward_model::{Agent, ApiKey, Application, IdentityProvider, Partner, Tenant};
use serde_json::json;

use crate::{
    desk::{as_super_admin, furnished, text, words},
    desk_care::filled,
    desk_flows::sent,
    desk_holders::first,
    support::Site,
};

/// A token by a new secret of a client or agent.
async fn token(site: &Site, client: &str, secret: &str) -> u16 {
    let fields = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret)];
    site.form("/oauth2/token", &fields).await.status
}

#[actix_web::test]
async fn an_agent_shows_how_it_is_used() {
    let (site, tenant) = furnished("Ordinary").await;
    let made = site.create::<Agent>(json!({ "name": "Helper", "tenant_id": tenant["id"] })).await;
    assert_eq!(token(&site, &text(&made, "client_id"), &text(&made["secret"], "value")).await, 200);
    let browser = as_super_admin(&site).await;
    let page = browser.get(&format!("/console/agents/{}", text(&made, "id"))).await.expect(200);
    let said = words(&page);
    for expected in ["Evidence of use", "203.0.113.9", "1 in 14 days", "Tokens issued per day"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // Whose it is, where there are several tenants.
    let heads = |body: &str| body.contains("role=\"columnheader\">Tenant</th>");
    assert!(heads(&browser.get("/console/agents").await.expect(200).body));
    assert!(!heads(&browser.get("/console/t/acme/agents").await.expect(200).body));
}

#[actix_web::test]
async fn tenants_are_counted_suspended_and_moved() {
    let (site, tenant) = furnished("Ordinary").await;
    let full = site.create::<Partner>(json!({ "name": "Full", "slug": "full", "max_tenants": 0 })).await;
    let other = site.create::<Partner>(json!({ "name": "Other", "slug": "other", "max_tenants": 5 })).await;
    let browser = as_super_admin(&site).await;
    let partners = words(&browser.get("/console/partners").await.expect(200));
    assert!(partners.contains("1 of 5") && partners.contains("0 of 0"), "{partners}");
    let list = browser.get("/console/tenants").await.expect(200);
    let own = format!("/console/tenants/{}", text(&tenant, "id"));
    assert!(list.body.contains(&format!("href=\"{own}/suspend\"")));
    assert!(
        list.body.contains("data-label=\"Users\"><span>1")
            && list.body.contains("data-label=\"API clients\"><span>1")
    );
    let page = words(&browser.get(&own).await.expect(200));
    assert!(page.contains("Suspend") && page.contains("Last activity"), "{page}");
    for (word, state) in [("Suspend", "suspended"), ("Resume", "active")] {
        let question = browser.get(&format!("{own}/suspend")).await.expect(200);
        assert!(question.body.contains(&format!("{word} Ordinary?")), "{}", words(&question));
        // What was confirmed is done, and the same form once more undoes nothing.
        for _ in 0..2 {
            sent(&browser, &format!("{own}/suspend"), &filled(&question, &[])).await.expect(200);
            assert_eq!(first::<Tenant>(&site, "slug", "acme").await["status"], state);
        }
    }
    let form = browser.get(&format!("{own}/move")).await.expect(200);
    let to = text(&full, "id");
    let refused = sent(&browser, &format!("{own}/move"), &filled(&form, &[("partner_id", &to)])).await;
    assert_eq!(refused.status, 409, "{}", words(&refused));
    let to = text(&other, "id");
    sent(&browser, &format!("{own}/move"), &filled(&refused, &[("partner_id", &to)])).await.expect(200);
    assert_eq!(first::<Tenant>(&site, "slug", "acme").await["partner_id"], other["id"]);
    let own = format!("/console/partners/{to}");
    let question = browser.get(&format!("{own}/suspend")).await.expect(200);
    sent(&browser, &format!("{own}/suspend"), &filled(&question, &[])).await.expect(200);
    assert_eq!(first::<Partner>(&site, "slug", "other").await["status"], "suspended");
}

#[actix_web::test]
async fn figures_are_sentences_that_lead_to_what_they_count() {
    let (site, tenant) = furnished("Ordinary").await;
    let soon = json!({ "type": "service", "client_id": "soon", "tenant_id": tenant["id"], "expires_at": "2026-11-20" });
    site.create::<Application>(soon).await;
    let off =
        json!({ "type": "service", "client_id": "off", "tenant_id": tenant["id"], "status": "disabled" });
    site.create::<Application>(off).await;
    let key = json!({ "name": "soon", "tenant_id": tenant["id"], "permissions": ["points:read"], "expires_at": "2026-11-20" });
    site.create::<ApiKey>(key).await;
    token(&site, "acme.crm-sync", "wrong").await;
    let browser = as_super_admin(&site).await;
    let page = browser.get("/console/dashboard").await.expect(200);
    let said = words(&page);
    for expected in [
        "1 active session ",
        "3 active API clients",
        "4 API clients in all",
        "1 API client expires within 30 days",
        "0 API clients expired",
        "1 API key expires within 30 days",
        "0 failed sign-ins in 24 hours",
        "Refused calls per hour",
        "1 API client and 1 API key in the next 12 weeks.",
        "Ready",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(page.body.contains("/console/sessions?state=active"));
    let listed = browser.get("/console/settings/security/api-keys?expires_within_days=30").await.expect(200);
    assert!(words(&listed).contains("soon"));
    // A place in which there was nothing yet says so.
    site.create::<Tenant>(json!({ "name": "Quiet", "slug": "quiet" })).await;
    site.clock.advance_seconds(2 * 86_400);
    let browser = as_super_admin(&site).await;
    let quiet = browser.get("/console/t/quiet/dashboard").await.expect(200);
    assert!(words(&quiet).contains("Nothing has happened yet."), "{}", words(&quiet));
    assert!(!words(&quiet).contains("Tokens per hour"));
}

#[actix_web::test]
async fn a_part_that_fails_says_so_and_the_others_stay() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    site.tallies_fail.store(true, Ordering::Relaxed);
    let page = words(&browser.get("/console/dashboard").await.expect(200));
    for expected in ["The last 24 hours: ", "2 API clients in all", "What ends next", "Sign in succeeded"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let sessions = words(&browser.get("/console/sessions/opened").await.expect(200));
    assert!(sessions.contains("Sign-ins per day: "), "{sessions}");
}

#[actix_web::test]
async fn first_steps_tick_themselves_and_can_be_dismissed() {
    let (site, tenant) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let page = browser.get("/console/get-started").await.expect(200);
    assert!(page.body.contains("<ol class=\"steps\">"));
    assert!(words(&page).contains("Make the first protected call To do"), "{}", words(&page));
    assert!(!page.body.contains(">Add tenant</a>"), "what is done leads nowhere");
    let client = json!({ "type": "service", "client_id": "checker", "tenant_id": tenant["id"], "allowed_scopes": ["keys:verify"] });
    let client = site.create::<Application>(client).await;
    let secret = text(&client["secret"], "value");
    assert_eq!(token(&site, "acme.checker", &secret).await, 200);
    let key = json!({ "name": "used", "tenant_id": tenant["id"], "permissions": ["points:read"] });
    let key = text(&site.create::<ApiKey>(key).await, "value");
    let call = actix_web::test::TestRequest::get()
        .uri("/forward-auth?permission=points:read&require=api_key")
        .insert_header(("x-api-key", key));
    assert_eq!(site.send(call).await.status, 200);
    let page = browser.get("/console/get-started").await.expect(200);
    let said = words(&page);
    assert!(said.contains("All of it is done.") && !said.contains("To do"), "{said}");
    assert!(browser.get("/console/dashboard").await.body.contains(">Get started</a>"));
    browser.get("/console/get-started").await.expect(200);
    sent(&browser, "/console/get-started/dismiss", &[]).await.expect(200);
    assert!(!browser.get("/console/dashboard").await.body.contains(">Get started</a>"));
    // How pages are wanted otherwise changes nothing of it.
    browser.get("/console/account").await.expect(200);
    sent(&browser, "/console/account/preferences", &[("theme", "dark")]).await.expect(200);
    let dashboard = browser.get("/console/dashboard").await;
    assert!(dashboard.body.contains("data-theme=\"dark\"") && !dashboard.body.contains(">Get started</a>"));
}

#[actix_web::test]
async fn a_provider_is_added_by_a_form_with_its_own_fields_alone() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let list = "/console/t/acme/settings/identity-providers";
    let choice = browser.get(&format!("{list}/new")).await.expect(200);
    assert!(choice.body.contains("kind=saml") && !choice.body.contains("name=\"config.issuer\""));
    let oidc = browser.get(&format!("{list}/new?kind=oidc&config.preset=google")).await.expect(200);
    assert!(oidc.body.contains("value=\"https://accounts.google.com\""), "{}", words(&oidc));
    assert!(!oidc.body.contains("config.certificate") && oidc.body.contains("name=\"kind\" value=\"oidc\""));
    let saml = browser.get(&format!("{list}/new?kind=saml")).await.expect(200);
    assert!(saml.body.contains("config.certificate") && !saml.body.contains("config.client_secret"));
    let known = first::<IdentityProvider>(&site, "kind", "oidc").await;
    let page = words(&browser.get(&format!("{list}/{}", text(&known, "id"))).await.expect(200));
    assert!(page.contains("Last sign-in None"), "{page}");
    assert!(words(&browser.get(list).await.expect(200)).contains("Last sign-in"));
}

#[actix_web::test]
async fn charts_tell_of_people_by_the_day() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    assert!(browser.get("/console/sessions").await.expect(200).body.contains("/console/sessions/opened"));
    let sessions = words(&browser.get("/console/sessions/opened").await.expect(200));
    assert!(
        sessions.contains("Sign-ins per day") && sessions.contains("Succeeded 1, failed 0."),
        "{sessions}"
    );
    let users = browser.get("/console/users").await.expect(200);
    assert!(users.body.contains("/console/users/added"));
    let added = words(&browser.get("/console/users/added").await.expect(200));
    assert!(added.contains("Added 2, deleted 0."), "{added}");
    let desk = first::<Application>(&site, "type", "web").await;
    let page =
        words(&browser.get(&format!("/console/t/acme/applications/{}", text(&desk, "id"))).await.expect(200));
    assert!(page.contains("Sign-ins to it per day"), "{page}");
}
