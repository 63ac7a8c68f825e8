//! The console as its people use it: every page that a link leads to, and the main flows by forms alone.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::atomic::Ordering,
};

use keyward_model::{
    Agent, ApiKey, Application, Group, IdentityProvider, Partner, Permission, Role, Tenant, User,
};
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    support::{Browser, PASSWORD, Reply, Site, unescaped},
    words::HOSTILE,
};

const ADA: &str = "ada@northwind.example";

pub(crate) fn text(doc: &Value, name: &str) -> String {
    doc[name].as_str().unwrap_or_default().to_owned()
}

/// A platform with one of everything, all of it called `name`.
pub(crate) async fn furnished(note: &str) -> (Site, Value) {
    // Names have none of these; notes and the like have.
    let name = note.replace(['<', '>'], "");
    let name = if name.trim().is_empty() { "nameless" } else { name.trim() };
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
pub(crate) fn words(reply: &Reply) -> String {
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

pub(crate) async fn as_super_admin(site: &Site) -> Browser {
    site.signed_in(ADA).await
}

/// The most statements that a page may take.
const MOST: u64 = 12;

#[actix_web::test]
async fn no_page_asks_the_database_often() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let mut seen = 0;
    for path in crawl(&browser, "/console").await.keys() {
        let mut reads = u64::MAX;
        // What is done behind the pages is counted, too, so the least of some is what the page takes.
        for _ in 0..5 {
            let before = site.reads.load(Ordering::Relaxed);
            browser.get(path).await;
            reads = reads.min(site.reads.load(Ordering::Relaxed) - before);
            if reads <= MOST {
                break;
            }
        }
        assert!(reads <= MOST, "{path} takes {reads}");
        seen = seen.max(reads);
    }
    assert!(seen > 4, "nothing is counted");
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
    for payload in HOSTILE {
        let payload: String = payload.chars().filter(|c| !c.is_control()).collect();
        let (site, _) = furnished(&payload).await;
        let browser = site.browser();
        browser.calls_itself(&payload);
        browser.sign_in(ADA, PASSWORD).await.expect(303);
        let pages = crawl(&browser, "/console").await;
        let escaped = payload.contains(['<', '>', '"', '\'']);
        let mut shown = 0;
        for (path, reply) in pages.iter().filter(|(path, _)| !path.contains("/export")) {
            assert!(!escaped || !reply.body.contains(&payload), "{path} has {payload}");
            for broken in
                ["<script>", "<svg/", "<iframe", "<base", "<meta http", "<style", "href=\"javascript:"]
            {
                assert!(!reply.body.contains(broken), "{path} has {broken} of {payload}");
            }
            // In a form that no reader of a page can miss, however it is escaped.
            let text = unescaped(&reply.body);
            shown += usize::from(text.contains(payload.trim()));
        }
        assert!(shown > 20, "{payload} is on {shown} pages only");
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
