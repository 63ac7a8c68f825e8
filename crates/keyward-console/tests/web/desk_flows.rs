//! What people do in the console, form by form.

use std::collections::BTreeSet;

use actix_web::{http::header::SET_COOKIE, test::TestRequest};
use keyward_model::{Role, User};
use regex::Regex;
use serde_json::json;

use crate::{
    desk::{as_super_admin, furnished, text, words},
    support::{Browser, ISSUER, PASSWORD, Reply, Site},
};

/// The secret on a page, which shows it this once.
pub(crate) fn secret(reply: &Reply) -> Option<String> {
    let value = Regex::new(r"kw[sk]_(?:live|test)_[0-9A-Za-z]{49}").unwrap();
    value.find(&reply.body).map(|found| found.as_str().to_owned())
}

async fn token(site: &Site, client: &str, secret: &str) -> Reply {
    let fields = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret)];
    site.form("/oauth2/token", &fields).await
}

#[actix_web::test]
async fn a_client_is_added_used_rotated_and_deleted() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let list = "/console/t/acme/settings/iam/api-access";
    let form = browser.get(&format!("{list}/new?view=points&client_id=billing")).await.expect(200);
    assert!(form.body.contains("value=\"2027-11-02\""), "a year ahead: {}", words(&form));
    let key = form.field("key").unwrap();
    let fields = [
        ("client_id", "billing"),
        ("expires_at", "2027-01-31"),
        ("change", "points"),
        ("notes", "Ask Ada"),
        ("key", &key),
    ];
    let made = sent(&browser, list, &fields).await.expect(200);
    assert_eq!(made.headers.get("cache-control").unwrap(), "no-store");
    assert!(made.headers.get(SET_COOKIE).is_none_or(|cookie| !cookie.to_str().unwrap().contains("kws_")));
    let first = secret(&made).expect("a secret");
    assert!(made.body.contains("acme.billing"));
    // The same form again: nothing is made twice, and nothing is shown twice.
    browser.get(&format!("{list}/new")).await;
    let again = sent(&browser, list, &fields).await.expect(200);
    assert!(again.body.contains("Already shown") && secret(&again).is_none(), "{}", words(&again));
    // Change gives View with it.
    let issued = token(&site, "acme.billing", &first).await.expect(200).json();
    assert_eq!(issued["scope"], "points:read points:write");
    let id = {
        let page = browser.get(list).await;
        let id = Regex::new(r"api-access/(app_[0-9a-z]{26})").unwrap();
        let ids: BTreeSet<String> = id.captures_iter(&page.body).map(|id| id[1].to_owned()).collect();
        let mut found = None;
        for id in ids {
            if browser.get(&format!("{list}/{id}")).await.body.contains("billing") {
                found = Some(id);
            }
        }
        found.unwrap()
    };
    let own = format!("{list}/{id}");
    let detail = browser.get(&own).await.expect(200);
    assert!(detail.body.contains("Ask Ada") && !detail.body.contains(&first));
    // Edit leaves identifier and expiry alone.
    let edit = browser.get(&format!("{own}/edit")).await.expect(200);
    assert!(!edit.body.contains("name=\"client_id\"") && !edit.body.contains("name=\"expires_at\""));
    let version = edit.field("version").unwrap();
    sent(
        &browser,
        &own,
        &[("notes", "Ask Mia"), ("view", "points"), ("status", "active"), ("version", &version)],
    )
    .await
    .expect(200);
    assert_eq!(token(&site, "acme.billing", &first).await.json()["scope"], "points:read");
    // Somebody else was quicker: whose value shall it be?
    let late = browser.get(&format!("{own}/edit")).await;
    assert!(late.body.contains("Ask Mia"));
    let stale = [("notes", "Ask Tom"), ("view", "points"), ("status", "active"), ("version", &*version)];
    let conflict = sent(&browser, &own, &stale).await.expect(412);
    assert!(
        conflict.body.contains("changed this") && conflict.body.contains("Take theirs: Ask Mia"),
        "{}",
        words(&conflict)
    );
    let version = conflict.field("version").unwrap();
    let taken = [
        ("notes", "Ask Tom"),
        ("take-notes", "theirs"),
        ("view", "points"),
        ("status", "active"),
        ("version", &*version),
    ];
    assert!(sent(&browser, &own, &taken).await.expect(200).body.contains("Ask Mia"));
    // Rotation with an overlap: both work, and the page says who uses the old one.
    site.clock.advance_seconds(60);
    let rotate = browser.get(&format!("{own}/rotate")).await.expect(200);
    let key = rotate.field("key").unwrap();
    let rotated =
        sent(&browser, &format!("{own}/rotate"), &[("overlap", "3600"), ("key", &key)]).await.expect(200);
    let second = secret(&rotated).expect("another secret");
    assert_ne!(first, second);
    let secrets = browser.get(&format!("{own}/secrets")).await.expect(200);
    assert!(secrets.body.contains("The old secret is unused."), "{}", words(&secrets));
    site.clock.advance_seconds(1);
    token(&site, "acme.billing", &first).await.expect(200);
    let secrets = browser.get(&format!("{own}/secrets")).await.expect(200);
    assert!(secrets.body.contains("1 of 1 caller still uses the old secret"), "{}", words(&secrets));
    site.clock.advance_seconds(3_600);
    token(&site, "acme.billing", &first).await.expect(401);
    token(&site, "acme.billing", &second).await.expect(200);
    // What was used lately is deleted by typing its name.
    let browser = as_super_admin(&site).await;
    let page = browser.visit(&format!("{own}/delete")).await;
    let page = if page.body.contains("name=\"password\"") {
        step_up(&browser, &format!("{own}/delete")).await
    } else {
        page
    };
    assert!(
        page.body.contains("It was used") && page.body.contains("Delete acme.billing"),
        "{}",
        words(&page)
    );
    sent(&browser, &format!("{own}/delete"), &[("typed", "acme")]).await.expect(422);
    sent(&browser, &format!("{own}/delete"), &[("typed", "acme.billing")]).await.expect(200);
    token(&site, "acme.billing", &second).await.expect(401);
    for action in ["application.created", "secret.rotated", "application.deleted"] {
        assert!(site.events(action).await[0]["resource"]["name"].is_string(), "{action}");
    }
    // Nothing of the secrets is in the log.
    let all =
        site.keyward.events(&site.operator(), &[("per_page".to_owned(), "100".to_owned())]).await.unwrap();
    assert!(!serde_json::to_string(&all.data).unwrap().contains(&first[9..40]));
}

/// Sends a form, and goes where that leads.
pub(crate) async fn sent(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Reply {
    let reply = browser.post(path, fields).await;
    if reply.status == 303 { browser.visit(&reply.location()).await } else { reply }
}

/// Proves once more who one is, and goes on to the page.
async fn step_up(browser: &Browser, then: &str) -> Reply {
    sent(browser, "/console/confirm", &[("password", PASSWORD), ("return_to", then)]).await
}

#[actix_web::test]
async fn dangerous_things_take_a_recent_proof_of_who_one_is() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    site.clock.advance_seconds(16 * 60);
    for path in [
        "/console/t/acme/settings/iam/api-access/new",
        "/console/t/acme/settings/security/api-keys/new",
        "/console/t/acme/settings/identity-providers/new",
        "/console/t/acme/agents/new",
        "/console/settings/system/rotate",
    ] {
        let reply = browser.get(path).await.expect(303);
        assert!(reply.location().starts_with("/console/confirm?return_to="), "{path}");
    }
    browser.get("/console/t/acme/settings/iam/api-access").await.expect(200);
    let list = "/console/t/acme/settings/iam/api-access";
    browser.get("/console/account").await;
    let sent = sent(&browser, list, &[("client_id", "late"), ("expires_at", "2027-01-31")]).await;
    assert!(sent.body.contains("name=\"password\""), "{}", words(&sent));
    assert_eq!(site.events("application.created").await.len(), 3, "nothing was made");
}

#[actix_web::test]
async fn forms_of_others_do_nothing() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    browser.get("/console/account").await;
    let before = site.events("tenant.created").await.len();
    let fields = [("name", "Evil"), ("slug", "evil"), ("csrf", "wrong")];
    assert_eq!(sent(&browser, "/console/tenants", &fields).await.status, 400);
    let mut request =
        TestRequest::post().uri("/console/tenants").insert_header(("sec-fetch-site", "cross-site"));
    let page = browser.get("/console/tenants/new").await;
    let body = format!("csrf={}&name=Evil&slug=evil", page.field("csrf").unwrap());
    for (name, value) in browser.cookies.borrow().iter() {
        request = request.cookie(actix_web::cookie::Cookie::new(name.clone(), value.clone()));
    }
    let request =
        request.insert_header(("content-type", "application/x-www-form-urlencoded")).set_payload(body);
    assert_eq!(site.send(request).await.status, 400);
    assert_eq!(site.events("tenant.created").await.len(), before);
}

#[actix_web::test]
async fn a_colleague_gets_exactly_one_permission() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let user = site
        .keyward
        .list::<User>(&site.operator(), &[("email".to_owned(), "mia@acme.example".to_owned())])
        .await
        .unwrap();
    let access = format!("/console/t/acme/users/{}/access", text(&user.data[0], "id"));
    let page = browser.get(&access).await.expect(200);
    assert!(page.body.contains("from role Ordinary, through a group"), "{}", words(&page));
    let review = sent(&browser, &format!("{access}/review"), &[("view", "keyward-users")]).await.expect(200);
    assert!(review.body.contains("+ keyward:users:read"), "{}", words(&review));
    let kept = [("permissions", "keyward:users:read"), ("version", &*review.field("version").unwrap())];
    let saved = sent(&browser, &access, &kept).await.expect(200);
    assert!(saved.body.contains("direct"), "{}", words(&saved));
    let again = sent(&browser, &format!("{access}/review"), &[("view", "keyward-users")]).await.expect(200);
    assert!(again.body.contains("Nothing would change"), "{}", words(&again));
    let less = sent(&browser, &format!("{access}/review"), &[]).await.expect(200);
    assert!(less.body.contains("− keyward:users:read"), "{}", words(&less));
    let saved = sent(&browser, &access, &[("version", &*less.field("version").unwrap())]).await.expect(200);
    assert!(!saved.body.contains("direct"), "{}", words(&saved));
}

#[actix_web::test]
async fn nobody_gives_what_they_do_not_hold() {
    let (site, tenant) = furnished("Ordinary").await;
    let role = json!({ "name": "Clients", "tenant_id": tenant["id"], "permissions": ["keyward:applications:write", "keyward:applications:read"] });
    let role = site.create::<Role>(role).await;
    let id = site.person("cleo@acme.example", json!({ "tenant_id": tenant["id"] })).await;
    site.keyward.put_user_roles(&site.operator(), &id, json!({ "roles": [role["id"]] }), None).await.unwrap();
    site.clock.advance_seconds(1);
    let browser = site.signed_in("cleo@acme.example").await;
    let list = "/console/t/acme/settings/iam/api-access";
    let form = browser.get(&format!("{list}/new")).await.expect(200);
    let boxes =
        Regex::new("<input type=\"checkbox\" name=\"(?:view|change)\" value=\"points\"[^>]*>").unwrap();
    let boxes: Vec<&str> = boxes.find_iter(&form.body).map(|found| found.as_str()).collect();
    let locked = |one: &&str| one.contains("disabled title=\"You do not hold this yourself.\"");
    assert!(boxes.len() == 2 && boxes.iter().all(locked), "{boxes:?}");
    let forced =
        sent(&browser, list, &[("client_id", "mine"), ("expires_at", "2027-01-31"), ("view", "points")])
            .await;
    assert_eq!(forced.status, 403, "{}", words(&forced));
    assert!(forced.body.contains("Nobody can give away what they do not hold"), "{}", words(&forced));
}

#[actix_web::test]
async fn the_key_tester_tells_what_is_wrong_and_keeps_nothing() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let list = "/console/t/acme/settings/security/api-keys";
    browser.get(&format!("{list}/new")).await.expect(200);
    let made =
        sent(&browser, list, &[("name", "crm-prod"), ("environment", "production"), ("view", "points")])
            .await
            .expect(200);
    let key = secret(&made).unwrap();
    let tester = "/console/t/acme/settings/security/key-tester";
    let test = async |credential: &str, permission: &str| {
        browser.get(tester).await.expect(200);
        let reply = sent(&browser, tester, &[("credential", credential), ("permission", permission)])
            .await
            .expect(200);
        assert!(!reply.body.contains(credential), "it comes back");
        (reply.body.matches("Passed").count(), reply.body.matches("Failed").count())
    };
    assert_eq!(test(&key, "points:read").await, (5, 0));
    assert_eq!(test(&key, "points:write").await, (4, 1));
    assert_eq!(test(&format!("{}0", &key[..key.len() - 1]), "").await.1, 1);
    assert_eq!(test("eyJhbGciOiJub25lIn0.e30.", "").await, (0, 1));
    assert_eq!(site.events("credential.tested").await.len(), 4);
    assert!(!serde_json::to_string(&site.events("credential.tested").await).unwrap().contains(&key[9..40]));
}

#[actix_web::test]
async fn deep_links_lead_where_the_documentation_says() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    // Without a tenant that was worked in before, one is chosen first.
    let chosen = browser.visit("/console/t/~/settings/iam/api-access?new=1&name=crm-sync").await.expect(200);
    assert!(
        chosen.body.contains("/console/t/acme/settings/iam/api-access?new=1&#38;name=crm-sync"),
        "{}",
        words(&chosen)
    );
    browser.get("/console/t/acme/users").await.expect(200);
    let form = browser
        .visit("/console/t/~/settings/iam/api-access?new=1&name=crm-sync&view=points&expires=90d")
        .await
        .expect(200);
    assert!(
        form.body.contains("value=\"crm-sync\"") && form.body.contains("Add API client"),
        "{}",
        words(&form)
    );
    assert!(form.body.contains("1 View, 0 Change"), "{}", words(&form));
    assert!(form.body.contains("value=\"2027-01-31\""), "{}", words(&form));
    let issuer = format!("{ISSUER}/api/v1/admin/applications");
    assert!(form.body.contains(&issuer), "the panel names the request");
}

#[actix_web::test]
async fn many_users_are_looked_at_before_they_are_added() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let import = "/console/t/acme/users/import";
    browser.get(import).await.expect(200);
    let none = sent(&browser, import, &[("csv", "name only")]).await.expect(422);
    assert!(none.body.contains("There is no line with an e-mail address."), "{}", words(&none));
    let csv = "E-mail,Name\nlin@acme.example,\"Lin, M.\"\nmia@acme.example,Mia\nno address,X\nLIN@acme.example,Again";
    let look = sent(&browser, import, &[("csv", csv)]).await.expect(200);
    for said in
        ["Add 1 user", "There is a user by this e-mail address.", "It is in the table twice.", "Lin, M."]
    {
        assert!(look.body.contains(said), "{said}: {}", words(&look));
    }
    assert_eq!(site.events("user.created").await.len(), 2, "nothing was added yet");
    let done = sent(&browser, &format!("{import}/run"), &[("csv", csv)]).await.expect(200);
    assert!(done.body.contains("1 of 4 were added."), "{}", words(&done));
    assert_eq!(site.events("user.created").await.len(), 3);
}
