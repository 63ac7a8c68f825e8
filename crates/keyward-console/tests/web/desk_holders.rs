//! What a permission is for, and who holds it.

use keyward_model::{Application, Permission, Role, User};
use serde_json::{Value, json};

use crate::{
    desk::{as_super_admin, furnished, text, words},
    desk_care::filled,
    desk_flows::sent,
    support::Site,
};

/// The first of a kind with this value of a member.
pub(crate) async fn first<R: keyward_core::Administered>(site: &Site, name: &str, value: &str) -> Value {
    let pairs = [(name.to_owned(), value.to_owned())];
    let found = site.keyward.list::<R>(&site.operator(), &pairs).await.unwrap().data;
    found.into_iter().next().unwrap_or_else(|| panic!("none by {name} {value}"))
}

#[actix_web::test]
async fn the_reference_says_what_a_permission_is_for_and_who_holds_it() {
    let (site, _) = furnished("Ordinary").await;
    let browser = as_super_admin(&site).await;
    let row = first::<Permission>(&site, "resource", "points").await;
    let page =
        browser.get(&format!("/console/settings/iam/permissions/{}", text(&row, "id"))).await.expect(200);
    assert!(page.body.contains("id=\"points:read\""), "links can lead to it");
    let said = words(&page);
    for expected in [
        "View: to look at Ordinary.",
        "Change: to change Ordinary.",
        "1 application, 1 API key",
        "No endpoint of Keyward needs it.",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let users = first::<Permission>(&site, "resource", "keyward-users").await;
    let page =
        browser.get(&format!("/console/settings/iam/permissions/{}", text(&users, "id"))).await.expect(200);
    let said = words(&page);
    for expected in ["POST /api/v1/admin/users", "Can give access", "GET /api/v1/admin/users/{id}"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // By the permission itself, not by its name alone.
    let list = browser.get("/console/settings/iam/permissions?q=points:write").await.expect(200);
    assert!(
        list.body.contains("<code>points:write</code>") && list.body.contains("1–1 of 1"),
        "{}",
        words(&list)
    );
}

#[actix_web::test]
async fn a_role_says_who_has_it_before_it_is_deleted() {
    let (site, tenant) = furnished("Ordinary").await;
    let role = first::<Role>(&site, "name", "Ordinary").await;
    let client = first::<Application>(&site, "client_id", "acme.crm-sync").await;
    let body = json!({ "roles": [role["id"]] });
    site.keyward.update::<Application>(&site.operator(), &text(&client, "id"), body, None).await.unwrap();
    for email in ["ned@acme.example", "ola@acme.example"] {
        let user = site.create::<User>(json!({ "email": email, "tenant_id": tenant["id"] })).await;
        let roles = json!({ "roles": [role["id"]] });
        site.keyward.put_user_roles(&site.operator(), &text(&user, "id"), roles, None).await.unwrap();
    }
    let browser = as_super_admin(&site).await;
    let own = format!("/console/t/acme/settings/iam/roles/{}", text(&role, "id"));
    let page = browser.get(&own).await.expect(200);
    let said = words(&page);
    assert!(said.contains("2 people, 1 group and 1 API client have it."), "{said}");
    for name in ["ned@acme.example", "ola@acme.example", "acme.crm-sync"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    let question = browser.get(&format!("{own}/delete")).await.expect(200);
    assert!(question.body.contains("2 people, 1 group and 1 API client have it. Everybody who has it"));
    // One that nobody has goes by a click.
    let unused = site.create::<Role>(json!({ "name": "Unused", "tenant_id": tenant["id"] })).await;
    let own = format!("/console/t/acme/settings/iam/roles/{}", text(&unused, "id"));
    assert!(words(&browser.get(&own).await).contains("Nobody has it."));
    let question = browser.get(&format!("{own}/delete")).await.expect(200);
    assert!(!question.body.contains("name=\"typed\""));
    sent(&browser, &format!("{own}/delete"), &filled(&question, &[])).await.expect(200);
}

#[actix_web::test]
async fn roles_are_compared_by_name_and_nobody_is_among_them() {
    let (site, tenant) = furnished("Ordinary").await;
    for (name, permission) in
        [("Reader", "points:read"), ("Writer", "points:write"), ("Only mia@acme.example", "points:read")]
    {
        site.create::<Role>(json!({ "name": name, "tenant_id": tenant["id"], "permissions": [permission] }))
            .await;
    }
    let (reader, writer) =
        (first::<Role>(&site, "name", "Reader").await, first::<Role>(&site, "name", "Writer").await);
    let browser = as_super_admin(&site).await;
    let path = format!(
        "/console/t/acme/settings/iam/roles/compare?one={}&other={}",
        text(&reader, "id"),
        text(&writer, "id")
    );
    let page = browser.get(&path).await.expect(200);
    for head in ["Permission", "Reader", "Writer"] {
        assert!(page.body.contains(&format!("role=\"columnheader\">{head}</th>")), "{head}");
    }
    assert!(!page.body.contains("Only mia"), "{}", words(&page));
}

#[actix_web::test]
async fn a_role_whose_holders_one_may_not_see_is_deleted_with_care() {
    let (site, tenant) = furnished("Ordinary").await;
    let role = |name: &str, permissions: &[&str]| json!({ "name": name, "tenant_id": tenant["id"], "permissions": permissions });
    let own = site.create::<Role>(role("Roles", &["keyward:roles:read", "keyward:roles:write"])).await;
    let spare = site.create::<Role>(role("Spare", &["keyward:roles:read"])).await;
    let id = site.person("ria@acme.example", json!({ "tenant_id": tenant["id"] })).await;
    site.keyward.put_user_roles(&site.operator(), &id, json!({ "roles": [own["id"]] }), None).await.unwrap();
    site.clock.advance_seconds(1);
    let browser = site.signed_in("ria@acme.example").await;
    let path = format!("/console/t/acme/settings/iam/roles/{}/delete", spare["id"].as_str().unwrap());
    let question = browser.get(&path).await.expect(200);
    assert!(question.body.contains("name=\"typed\""), "{}", words(&question));
    assert!(question.body.contains("Somebody may have it whom you may not see."), "{}", words(&question));
}
