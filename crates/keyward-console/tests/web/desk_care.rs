//! What must not be lost, given away or told by forms of the console.

use keyward_model::{Application, Group, IdentityProvider, Role, Tenant, User};
use serde_json::{Value, json};

use crate::{
    desk::{as_super_admin, furnished, text, words},
    desk_flows::sent,
    support::{Browser, Reply, Site},
};

async fn read<R: keyward_core::Administered>(site: &Site, id: &str) -> Value {
    site.keyward.read::<R>(&site.operator(), id).await.unwrap().body
}

async fn found<R: keyward_core::Administered>(site: &Site, pairs: &[(&str, &str)]) -> Value {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    site.keyward.list::<R>(&site.operator(), &pairs).await.unwrap().data[0].clone()
}

/// Every field of the form that is shown, as a browser would send it, with these instead of its own.
pub(crate) fn filled<'a>(form: &'a Reply, instead: &'a [(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let hidden = regex::Regex::new(r#"<input type="hidden" name="([^"]+)" value="([^"]*)">"#).unwrap();
    let mut all: Vec<(&str, &str)> = hidden
        .captures_iter(&form.body)
        .map(|field| (field.get(1).unwrap().as_str(), field.get(2).unwrap().as_str()))
        .filter(|(name, _)| *name != "csrf" && instead.iter().all(|(known, _)| known != name))
        .collect();
    all.extend(instead);
    all
}

#[actix_web::test]
async fn roles_that_a_form_does_not_offer_stay() {
    let (site, tenant) = furnished("Ordinary").await;
    let role =
        site.create::<Role>(json!({ "name": "Of the platform", "permissions": ["points:read"] })).await;
    let body =
        json!({ "type": "service", "client_id": "kept", "tenant_id": tenant["id"], "roles": [role["id"]] });
    let client = site.create::<Application>(body).await;
    let browser = as_super_admin(&site).await;
    let own = format!("/console/t/acme/settings/iam/api-access/{}", text(&client, "id"));
    let form = browser.get(&format!("{own}/edit")).await.expect(200);
    sent(&browser, &own, &filled(&form, &[("notes", "New"), ("status", "active")])).await.expect(200);
    let after = read::<Application>(&site, &text(&client, "id")).await;
    assert_eq!((&after["notes"], &after["roles"]), (&json!("New"), &json!([role["id"]])));
    let user = found::<User>(&site, &[("email", "mia@acme.example")]).await;
    let id = text(&user, "id");
    let roles = json!({ "roles": [role["id"]] });
    site.keyward.put_user_roles(&site.operator(), &id, roles, None).await.unwrap();
    site.person("tom@acme.example", json!({ "admin_role": "tenant_admin", "tenant_id": tenant["id"] })).await;
    let tom = site.signed_in("tom@acme.example").await;
    let access = format!("/console/t/acme/users/{id}/access");
    let form = tom.get(&access).await.expect(200);
    let review = sent(&tom, &format!("{access}/review"), &filled(&form, &[("view", "keyward-users")])).await;
    assert!(review.body.contains("+ keyward:users:read") && !review.body.contains('−'), "{}", words(&review));
    sent(&tom, &access, &filled(&review, &[])).await.expect(200);
    let after = read::<User>(&site, &id).await;
    assert!(after["roles"].as_array().unwrap().contains(&role["id"]), "{after}");
}

#[actix_web::test]
async fn nobody_becomes_somebody_who_has_more() {
    let (site, tenant) = furnished("Ordinary").await;
    let role = |name: &str, permission: &str| json!({ "name": name, "tenant_id": tenant["id"], "permissions": [permission] });
    let people = site.create::<Role>(role("People", "keyward:users:write")).await;
    let roles = site.create::<Role>(role("Roles", "keyward:roles:write")).await;
    let vic = site.person("vic@acme.example", json!({ "tenant_id": tenant["id"] })).await;
    let bob = site.person("bob@acme.example", json!({ "tenant_id": tenant["id"] })).await;
    for (id, role) in [(&vic, &people), (&bob, &roles)] {
        let roles = json!({ "roles": [role["id"]] });
        site.keyward.put_user_roles(&site.operator(), id, roles, None).await.unwrap();
    }
    site.clock.advance_seconds(1);
    let browser = site.signed_in("vic@acme.example").await;
    browser.get(&format!("/console/t/acme/users/{bob}/invite")).await.expect(200);
    let refused = sent(&browser, &format!("/console/t/acme/users/{bob}/invite"), &[]).await.expect(403);
    assert!(!refused.body.contains("kwb_"), "{}", words(&refused));
    let mia = text(&found::<User>(&site, &[("email", "mia@acme.example")]).await, "id");
    let mia = format!("/console/t/acme/users/{mia}");
    // Mia has points:read through her group, which Vic has not either.
    browser.get(&format!("{mia}/invite")).await.expect(200);
    sent(&browser, &format!("{mia}/invite"), &[]).await.expect(403);
    let ada = as_super_admin(&site).await;
    ada.get(&format!("{mia}/invite")).await.expect(200);
    let link = sent(&ada, &format!("{mia}/invite"), &[]).await.expect(200);
    assert!(link.body.contains("/console/new-password#kwb_live_"), "{}", words(&link));
}

#[actix_web::test]
async fn the_last_tenant_of_a_global_client_is_not_taken_away() {
    let (site, tenant) = furnished("Ordinary").await;
    let client = found::<Application>(&site, &[("q", "nightly")]).await;
    let id = text(&client, "id");
    let grants = json!({ "grants": [{ "tenant_id": tenant["id"], "permissions": ["points:read"] }] });
    site.keyward.put_grants(&site.operator(), &id, grants, None).await.unwrap();
    let browser = as_super_admin(&site).await;
    let remove = format!("/console/settings/iam/api-access/{id}/grants/{}/remove", text(&tenant, "id"));
    browser.get(&remove).await.expect(200);
    let refused = sent(&browser, &remove, &[]).await.expect(409);
    assert!(refused.body.contains("This is its last tenant."), "{}", words(&refused));
    assert_eq!(read::<Application>(&site, &id).await["grants"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn two_people_s_permissions_are_told_apart() {
    let (site, tenant) = furnished("Ordinary").await;
    let body = json!({ "type": "service", "client_id": "shared", "tenant_id": tenant["id"], "allowed_scopes": ["points:read", "points:write"] });
    let client = site.create::<Application>(body).await;
    let browser = as_super_admin(&site).await;
    let own = format!("/console/t/acme/settings/iam/api-access/{}", text(&client, "id"));
    let form = browser.get(&format!("{own}/edit")).await.expect(200);
    let less = json!({ "allowed_scopes": ["points:read"], "token_lifetime": 600 });
    let id = text(&client, "id");
    site.keyward.update::<Application>(&site.operator(), &id, less, None).await.unwrap();
    let mine = [("notes", "Mine"), ("change", "points"), ("status", "active")];
    let conflict = sent(&browser, &own, &filled(&form, &mine)).await.expect(412);
    for said in ["take-permissions-granted", "take-token_lifetime", "take-notes"] {
        assert!(conflict.body.contains(said), "{said}: {}", words(&conflict));
    }
    let choice = [
        ("notes", "Mine"),
        ("take-notes", "mine"),
        ("change", "points"),
        ("take-permissions-granted", "theirs"),
        ("take-token_lifetime", "theirs"),
        ("status", "active"),
    ];
    sent(&browser, &own, &filled(&conflict, &choice)).await.expect(200);
    let after = read::<Application>(&site, &id).await;
    assert_eq!(
        (&after["notes"], &after["allowed_scopes"], &after["token_lifetime"]),
        (&json!("Mine"), &json!(["points:read"]), &json!(600))
    );
}

#[actix_web::test]
async fn what_is_taken_out_of_a_document_is_gone() {
    let (site, tenant) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let user = text(&found::<User>(&site, &[("email", "mia@acme.example")]).await, "id");
    let own = format!("/console/t/acme/users/{user}");
    let form = browser.get(&format!("{own}/edit")).await.expect(200);
    let fields =
        [("email", "mia@acme.example"), ("name", "Mia"), ("status", "active"), ("custom_attributes", "")];
    sent(&browser, &own, &filled(&form, &fields)).await.expect(200);
    assert_eq!(read::<User>(&site, &user).await["custom_attributes"], json!({}));
    let provider = found::<IdentityProvider>(&site, &[]).await;
    let (id, role) =
        (text(&provider, "id"), found::<Role>(&site, &[("name", "Ordinary")]).await["id"].clone());
    let roles =
        json!({ "config": { "claim_roles": { "groups": { "operators": [role], "staff": [role] } } } });
    site.keyward.update::<IdentityProvider>(&site.operator(), &id, roles, None).await.unwrap();
    let own = format!("/console/t/acme/settings/identity-providers/{id}");
    let form = browser.get(&format!("{own}/edit")).await.expect(200);
    let less = json!({ "groups": { "staff": [role] } }).to_string();
    let fields = [
        ("name", "Ordinary"),
        ("status", "active"),
        ("config.issuer", "https://login.acme.example"),
        ("config.client_id", "Ordinary"),
        ("config.email_domains", "acme.example"),
        ("config.preset", "generic"),
        ("config.roles", less.as_str()),
    ];
    sent(&browser, &own, &filled(&form, &fields)).await.expect(200);
    let after = read::<IdentityProvider>(&site, &id).await;
    assert_eq!(after["config"]["claim_roles"], json!({ "groups": { "staff": [role] } }), "{after}");
    assert_eq!(tenant["slug"], "acme");
}

#[actix_web::test]
async fn a_secret_that_was_typed_does_not_come_back() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let list = "/console/t/acme/settings/identity-providers";
    browser.get(&format!("{list}/new?kind=oidc")).await.expect(200);
    let fields = [
        ("name", "X"),
        ("kind", "oidc"),
        ("config.issuer", "no address"),
        ("config.client_secret", "kept to itself"),
    ];
    let refused = sent(&browser, list, &fields).await.expect(422);
    assert!(!refused.body.contains("kept to itself"), "{}", words(&refused));
    assert!(refused.body.contains("$SECRET"));
}

#[actix_web::test]
async fn a_single_permission_of_a_row_is_seen_and_can_be_taken_away() {
    let (site, tenant) = furnished("Ordinary").await;
    let body = json!({ "name": "Part", "tenant_id": tenant["id"], "permissions": ["points:write"] });
    let role = site.create::<Role>(body).await;
    let browser = as_super_admin(&site).await;
    let own = format!("/console/t/acme/settings/iam/roles/{}", text(&role, "id"));
    let form = browser.get(&format!("{own}/edit")).await.expect(200);
    // Change is the whole of the row, so one of two is no Change.
    assert!(form.body.contains("name=\"some\" value=\"points:write\""), "{}", words(&form));
    sent(&browser, &own, &filled(&form, &[("name", "Part")])).await.expect(200);
    assert_eq!(read::<Role>(&site, &text(&role, "id")).await["permissions"], json!([]));
}

#[actix_web::test]
async fn a_group_nests_what_is_beside_it_alone() {
    let (site, _) = furnished("Ordinary").await;
    let outer = site.create::<Group>(json!({ "name": "Platform" })).await;
    let browser = as_super_admin(&site).await;
    let own = format!("/console/groups/{}", text(&outer, "id"));
    browser.get(&own).await.expect(200);
    let other = sent(&browser, &format!("{own}/nested"), &[("group", "Ordinary")]).await.expect(422);
    assert!(other.body.contains("There is no group by this name beside this one."), "{}", words(&other));
    let inner = site.create::<Group>(json!({ "name": "Night shift" })).await;
    let nested = sent(&browser, &format!("{own}/nested"), &[("group", "Night shift")]).await.expect(200);
    assert!(nested.body.contains(&text(&inner, "id")), "{}", words(&nested));
}

/// After an hour without a proof.
async fn late(site: &Site) -> Browser {
    let browser = as_super_admin(site).await;
    site.clock.advance_seconds(16 * 60);
    browser
}

#[actix_web::test]
async fn giving_by_other_ways_takes_a_proof_too() {
    let (site, _) = furnished("Ordinary").await;
    let browser = late(&site).await;
    let group = text(&found::<Group>(&site, &[]).await, "id");
    let provider = text(&found::<IdentityProvider>(&site, &[]).await, "id");
    browser.get("/console/account").await;
    for (path, fields) in [
        (format!("/console/t/acme/groups/{group}/members"), vec![("person", "mia@acme.example")]),
        (format!("/console/t/acme/groups/{group}/nested"), vec![("group", "Ordinary")]),
        (format!("/console/t/acme/settings/identity-providers/{provider}/delete"), vec![]),
    ] {
        let asked = sent(&browser, &path, &fields).await;
        assert!(asked.body.contains("name=\"password\""), "{path}: {}", words(&asked));
        browser.get("/console/account").await;
    }
}

#[actix_web::test]
async fn tokens_of_a_client_are_revoked() {
    let (site, tenant) = furnished("Ordinary").await;
    let body = json!({ "type": "service", "client_id": "loud", "tenant_id": tenant["id"], "allowed_scopes": ["points:read"] });
    let client = site.create::<Application>(body).await;
    let secret = text(&client["secret"], "value");
    let fields =
        [("grant_type", "client_credentials"), ("client_id", "acme.loud"), ("client_secret", &*secret)];
    let token = text(&site.form("/oauth2/token", &fields).await.expect(200).json(), "access_token");
    site.clock.advance_seconds(1);
    let browser = as_super_admin(&site).await;
    let own = format!("/console/t/acme/settings/iam/api-access/{}", text(&client, "id"));
    browser.get(&format!("{own}/revoke-tokens")).await.expect(200);
    sent(&browser, &format!("{own}/revoke-tokens"), &[]).await.expect(200);
    let about = [("token", &*token), ("client_id", "acme.loud"), ("client_secret", &*secret)];
    assert_eq!(site.form("/oauth2/introspect", &about).await.expect(200).json()["active"], false);
}

#[actix_web::test]
async fn a_page_that_looks_by_itself_keeps_no_session_alive() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let cookie = browser.cookies.borrow()["keyward-session"].clone();
    for _ in 0..7 {
        site.clock.advance_seconds(600);
        site.keyward.signed_in_quietly(&cookie).await.unwrap();
    }
    assert!(site.keyward.signed_in(&cookie).await.unwrap().is_none());
    // A person who comes back does.
    let browser = as_super_admin(&site).await;
    for _ in 0..7 {
        site.clock.advance_seconds(600);
        browser.get("/console/account").await.expect(200);
    }
}

#[actix_web::test]
async fn the_current_tenant_is_one_that_is_there() {
    let (site, tenant) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    browser.get("/console/t/acme/users").await.expect(200);
    assert_eq!(browser.get("/console/t/~").await.expect(303).location(), "/console/t/acme");
    site.keyward.delete::<Tenant>(&site.operator(), &text(&tenant, "id"), None).await.unwrap();
    let chosen = browser.get("/console/t/~/users").await.expect(303).location();
    assert!(chosen.starts_with("/console/switch?then="), "{chosen}");
}

/// Somebody with one permission of a role in this tenant, or on the platform.
async fn with_one(site: &Site, permission: &str, tenant: &Value) -> Browser {
    let mut role = json!({ "name": "One", "permissions": [permission] });
    let mut person = json!({});
    if !tenant.is_null() {
        role["tenant_id"] = tenant["id"].clone();
        person["tenant_id"] = tenant["id"].clone();
    }
    let role = site.create::<Role>(role).await;
    let id = site.person("one@acme.example", person).await;
    let roles = json!({ "roles": [role["id"]] });
    site.keyward.put_user_roles(&site.operator(), &id, roles, None).await.unwrap();
    site.clock.advance_seconds(1);
    site.signed_in("one@acme.example").await
}

#[actix_web::test]
async fn names_are_for_those_who_may_look_at_what_they_name() {
    let (site, tenant) = furnished("Ordinary").await;
    let zoe = json!({ "tenant_id": tenant["id"], "name": "Zoe Hidden" });
    let id = site.person("zoe@acme.example", zoe).await;
    site.signed_in("zoe@acme.example").await;
    let sessions = "/console/t/acme/sessions";
    let one = with_one(&site, "keyward:sessions:read", &tenant).await;
    let page = one.get(sessions).await.expect(200);
    assert!(page.body.contains(&id) && !page.body.contains("Zoe Hidden"), "{}", words(&page));
    // Who may look at users reads the name.
    let page = as_super_admin(&site).await.get(sessions).await.expect(200);
    assert!(page.body.contains("Zoe Hidden"), "{}", words(&page));
}

#[actix_web::test]
async fn a_tenant_is_no_place_for_those_who_may_not_look_at_it() {
    let (site, _) = furnished("Ordinary").await;
    let staff = with_one(&site, "keyward:users:read", &Value::Null).await;
    staff.get("/console/users").await.expect(200);
    assert_eq!(staff.get("/console/t/acme/users").await.status, 404);
    assert_eq!(staff.get("/console/t/there-is-none/users").await.status, 404);
}
