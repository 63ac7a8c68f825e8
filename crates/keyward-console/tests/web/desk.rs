//! The console as its people use it: every page that a link leads to, and the main flows by forms alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use actix_web::{http::header::SET_COOKIE, test::TestRequest};
use keyward_model::{
    Agent, ApiKey, Application, Group, IdentityProvider, Partner, Permission, Role, Tenant, User,
};
use regex::Regex;
use serde_json::{Value, json};

use crate::support::{Browser, ISSUER, Reply, Site};

const ADA: &str = "ada@northwind.example";

fn text(doc: &Value, name: &str) -> String {
    doc[name].as_str().unwrap_or_default().to_owned()
}

/// A platform with one of everything, all of it called `name`.
async fn furnished(note: &str) -> (Site, Value) {
    // Names have none of these; notes and the like have.
    let name = &*note.replace(['<', '>'], "");
    let site = Site::start().await;
    site.person(ADA, json!({ "admin_role": "super_admin", "name": name })).await;
    let partner =
        site.create::<Partner>(json!({ "name": name, "slug": "northwind", "max_tenants": 5 })).await;
    let body =
        json!({ "name": name, "slug": "acme", "partner_id": partner["id"], "settings": { "note": note } });
    let tenant = site.create::<Tenant>(body).await;
    let id = &tenant["id"];
    let row =
        json!({ "resource": "points", "label": name, "view": "points:read", "change": ["points:write"] });
    site.create::<Permission>(row).await;
    let role =
        site.create::<Role>(json!({ "name": name, "tenant_id": id, "permissions": ["points:read"] })).await;
    let user = json!({ "email": "mia@acme.example", "name": name, "tenant_id": id, "custom_attributes": { "team": note } });
    let user = site.create::<User>(user).await;
    let group = site.create::<Group>(json!({ "name": name, "tenant_id": id })).await;
    let operator = site.operator();
    let (user_id, group_id) = (text(&user, "id"), text(&group, "id"));
    site.keyward.add_member(&operator, &group_id, json!({ "user_id": user_id })).await.unwrap();
    site.keyward.put_group_roles(&operator, &group_id, json!({ "roles": [role["id"]] }), None).await.unwrap();
    let client = json!({ "type": "service", "client_id": "crm-sync", "name": name, "tenant_id": id, "notes": note, "allowed_scopes": ["points:read"] });
    site.create::<Application>(client).await;
    let web = json!({ "type": "web", "client_id": "desk", "name": name, "tenant_id": id, "redirect_uris": ["https://desk.acme.example/cb"] });
    site.create::<Application>(web).await;
    let global =
        json!({ "type": "service", "client_id": "nightly", "name": name, "reach": "global", "notes": note });
    site.create::<Application>(global).await;
    site.create::<ApiKey>(json!({ "name": name, "tenant_id": id, "permissions": ["points:read"] })).await;
    let config = json!({ "issuer": "https://login.acme.example", "client_id": note, "email_domains": ["acme.example"] });
    site.create::<IdentityProvider>(
        json!({ "name": name, "kind": "oidc", "tenant_id": id, "config": config }),
    )
    .await;
    site.create::<Agent>(
        json!({ "name": name, "tenant_id": id, "owner_id": user_id, "allowed_tools": ["search"] }),
    )
    .await;
    (site, tenant)
}

/// Where the links of a page lead within the console.
fn links(body: &str) -> BTreeSet<String> {
    let href = Regex::new(r##"href="(/console[^"#]*)""##).unwrap();
    let found = href.captures_iter(body).map(|link| link[1].replace("&amp;", "&").replace("&#38;", "&"));
    found.filter(|link| !link.starts_with("/console/assets/")).collect()
}

/// What a page says, without its markup and what is the same on all.
fn words(reply: &Reply) -> String {
    let main = reply.body.split("<main").nth(1).unwrap_or(&reply.body);
    let tag = Regex::new("<[^>]*>").unwrap();
    tag.replace_all(main, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The form of an address: identifiers and values left out, so that a page is looked at once for each kind.
fn form_of(path: &str) -> String {
    let id = Regex::new(r"_[0-9a-hjkmnp-tv-z]{26}").unwrap();
    let value = Regex::new(r"=[^&]*").unwrap();
    value.replace_all(&id.replace_all(path, "_"), "").into_owned()
}

/// Looks at every page that links lead to from here, each kind of address once.
async fn crawl(browser: &Browser, start: &str) -> BTreeMap<String, Reply> {
    let mut waiting = VecDeque::from([start.to_owned()]);
    let mut seen = BTreeSet::from([form_of(start)]);
    let mut pages = BTreeMap::new();
    while let Some(path) = waiting.pop_front() {
        // A proof of who one is, and the provider's own page, lead elsewhere.
        let reply = browser.get(&path).await;
        let next = if reply.status == 303 { BTreeSet::from([reply.location()]) } else { links(&reply.body) };
        for link in next {
            if link.starts_with("/console") && seen.insert(form_of(&link)) {
                waiting.push_back(link);
            }
        }
        pages.insert(path, reply);
        assert!(pages.len() < 600, "there is no end of pages");
    }
    pages
}

async fn as_super_admin(site: &Site) -> Browser {
    site.signed_in(ADA).await
}

#[actix_web::test]
async fn every_page_that_a_link_leads_to_is_there() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let pages = crawl(&browser, "/console").await;
    for (path, reply) in &pages {
        let elsewhere = path.contains("/test");
        assert!(matches!(reply.status, 200 | 303) || elsewhere, "{path}: {} {}", reply.status, words(reply));
    }
    assert!(pages.len() > 100, "{} pages only: {:#?}", pages.len(), pages.keys());
    for wanted in
        ["api-access", "api-keys", "audit", "dashboard", "switch", "settings/system", "sign-in-policy"]
    {
        assert!(pages.keys().any(|path| path.contains(wanted)), "no {wanted}");
    }
}

#[actix_web::test]
async fn names_stay_text_on_every_page() {
    for name in [
        "<img src=x onerror=alert(1)>",
        "\"><script>alert(1)</script>",
        "' autofocus onfocus=alert(1) x='",
        "</textarea><svg/onload=alert(1)>",
    ] {
        let (site, _) = furnished(name).await;
        let browser = as_super_admin(&site).await;
        let pages = crawl(&browser, "/console").await;
        let mut shown = 0;
        for (path, reply) in pages.iter().filter(|(path, _)| !path.contains("/export")) {
            for broken in ["<img", "<script>", "<svg/", "' autofocus"] {
                assert!(!reply.body.contains(broken), "{path} has {broken}");
            }
            shown += usize::from(reply.body.contains("alert(1)"));
        }
        assert!(shown > 40, "{name} is on {shown} pages only");
    }
}

#[actix_web::test]
async fn whoever_administrates_a_tenant_finds_nothing_that_is_refused() {
    let (site, tenant) = furnished("Ordinary").await;
    site.person("tom@acme.example", json!({ "admin_role": "tenant_admin", "tenant_id": tenant["id"] })).await;
    let browser = site.signed_in("tom@acme.example").await;
    let pages = crawl(&browser, "/console").await;
    for (path, reply) in &pages {
        assert!(
            matches!(reply.status, 200 | 303) || path.contains("/test"),
            "{path}: {} {}",
            reply.status,
            words(reply)
        );
        assert!(!path.starts_with("/console/partners") && !path.contains("system"), "{path}");
    }
    assert!(pages.len() > 50, "{} pages only", pages.len());
    // What is not theirs is not there, and what they may not do is refused.
    assert_eq!(browser.get("/console/settings/system").await.status, 403);
    assert_eq!(browser.get("/console/tenants/new").await.status, 403);
    assert_eq!(browser.get("/console/t/other/users").await.status, 404);
}

/// Somebody with one permission: to look at users.
async fn viewer(site: &Site, tenant: &Value) -> Browser {
    let role = json!({ "name": "Look", "tenant_id": tenant["id"], "permissions": ["keyward:users:read"] });
    let role = site.create::<Role>(role).await;
    let id = site.person("vic@acme.example", json!({ "tenant_id": tenant["id"] })).await;
    let roles = json!({ "roles": [role["id"]] });
    site.keyward.put_user_roles(&site.operator(), &id, roles, None).await.unwrap();
    site.clock.advance_seconds(1);
    site.signed_in("vic@acme.example").await
}

#[actix_web::test]
async fn who_may_only_look_sees_no_controls_and_is_refused_when_forcing_it() {
    let (site, tenant) = furnished("Ordinary").await;
    site.person(
        "tom@acme.example",
        json!({ "admin_role": "tenant_admin", "tenant_id": tenant["id"], "name": "Tom" }),
    )
    .await;
    let browser = viewer(&site, &tenant).await;
    let pages = crawl(&browser, "/console").await;
    for (path, reply) in &pages {
        assert!(matches!(reply.status, 200 | 303), "{path}: {} {}", reply.status, words(reply));
        for absent in ["/edit\"", "/delete\"", "Add user", "API Access", "Audit log"] {
            assert!(!reply.body.contains(absent), "{path} has {absent}");
        }
    }
    let users = browser.get("/console/t/acme/users").await.expect(200);
    assert!(
        users.body.contains("You have View. Change is needed to edit. Ask one of: Tom"),
        "{}",
        words(&users)
    );
    let before = site.events("access.denied").await.len();
    browser.get("/console/account").await;
    let forced = browser.post("/console/t/acme/users", &[("email", "new@acme.example")]).await;
    assert!(matches!(forced.status, 403), "{} {}", forced.status, words(&forced));
    assert_eq!(site.events("access.denied").await.len(), before + 1);
    assert_eq!(browser.get("/console/t/acme/settings/iam/api-access").await.status, 403);
}

/// The secret on a page, which shows it this once.
fn secret(reply: &Reply) -> Option<String> {
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
    assert!(secrets.body.contains("1 of 1 caller still use the old secret"), "{}", words(&secrets));
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
        assert_eq!(site.events(action).await[0]["resource"]["name"].as_str().is_some(), true, "{action}");
    }
    // Nothing of the secrets is in the log.
    let all =
        site.keyward.events(&site.operator(), &[("per_page".to_owned(), "100".to_owned())]).await.unwrap();
    assert!(!serde_json::to_string(&all.data).unwrap().contains(&first[9..40]));
}

/// Sends a form, and goes where that leads.
async fn sent(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Reply {
    let reply = browser.post(path, fields).await;
    if reply.status == 303 { browser.visit(&reply.location()).await } else { reply }
}

/// Proves once more who one is, and goes on to the page.
async fn step_up(browser: &Browser, then: &str) -> Reply {
    sent(browser, "/console/confirm", &[("password", crate::support::PASSWORD), ("return_to", then)]).await
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
    assert!(!form.body.contains("value=\"points\""), "a row that they can't give: {}", words(&form));
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
        .visit("/console/t/~/settings/iam/api-access?new=1&name=crm-sync&view=points&expires=1y")
        .await
        .expect(200);
    assert!(
        form.body.contains("value=\"crm-sync\"") && form.body.contains("Add API client"),
        "{}",
        words(&form)
    );
    assert!(form.body.contains("1 View, 0 Change"), "{}", words(&form));
    let issuer = format!("{ISSUER}/api/v1/admin/applications");
    assert!(form.body.contains(&issuer), "the panel names the request");
}
