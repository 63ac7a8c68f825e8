//! Users: shape, bodies, places, roles, attributes, and what ends an earlier sign-in.

use serde_json::{Value, json};

use crate::support::{START, TestApp, World, admin, column, decode, get, id_of, patch, post, put};

async fn fixture() -> (TestApp, String) {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    (app, acme)
}

#[actix_web::test]
async fn shape() {
    let (app, acme) = fixture().await;
    let body = json!({
        "email": "ada@acme.example", "name": "Ada", "tenant_id": acme, "status": "active",
        "custom_attributes": { "employee": 7, "a": { "b": [1] }, "left_at": "never" }
    });
    let reply = app.admin(post(&admin("users")).json(&body)).await.expect(201, "a user");
    let made = reply.json();
    let id = id_of(&made);
    assert!(id.starts_with("usr_") && id.len() == 30, "{id}");
    assert!(reply.header("location").ends_with(&format!("/api/v1/admin/users/{id}")));
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let rest = [("admin_role", Value::Null), ("partner_id", Value::Null), ("roles", json!([]))];
    for (name, value) in rest {
        assert_eq!(made[name], value, "{name}");
    }
    assert_eq!((&made["created_at"], &made["updated_at"]), (&json!(START), &json!(START)));
    assert_eq!(app.ok(get(&admin(&format!("users/{id}")))).await, made);
    assert_eq!(app.ok(get(&admin("users?q=ADA%40acme"))).await["data"], json!([made]));
    let plain = app.create("users", &json!({ "email": "grace@acme.example" })).await;
    assert_eq!((&plain["status"], &plain["custom_attributes"]), (&json!("active"), &json!({})));
    assert_eq!((&plain["tenant_id"], &plain["admin_role"]), (&Value::Null, &Value::Null));
}

/// What is refused, and where.
#[actix_web::test]
async fn bodies_that_are_refused() {
    let (app, acme) = fixture().await;
    let partner = id_of(&app.create("partners", &json!({ "name": "P", "slug": "p" })).await);
    let refuse = async |pointer: &str, body: Value| {
        let reply = app.admin(post(&admin("users")).json(&body)).await;
        reply.expect_invalid(pointer, &body.to_string());
    };
    for email in
        ["", "ada", "ada@", "@acme.example", "a b@acme.example", "ada@acme.example\n", "<ada@acme.example>"]
    {
        refuse("/email", json!({ "email": email, "tenant_id": acme })).await;
    }
    let email = "ada@acme.example";
    for (pointer, body) in [
        ("/email", json!({ "email": null })),
        ("/email", json!({ "name": "Ada" })),
        ("/name", json!({ "email": email, "name": "" })),
        ("/admin_role", json!({ "email": email, "admin_role": "god" })),
        ("/admin_role", json!({ "email": email, "admin_role": "SUPER_ADMIN" })),
        ("/admin_role", json!({ "email": email, "admin_role": ["tenant_admin"] })),
        ("/admin_role", json!({ "email": email, "admin_role": "tenant_admin" })),
        ("/admin_role", json!({ "email": email, "admin_role": "tenant_admin", "partner_id": partner })),
        ("/admin_role", json!({ "email": email, "admin_role": "partner_admin", "tenant_id": acme })),
        ("/admin_role", json!({ "email": email, "admin_role": "partner_admin" })),
        ("/status", json!({ "email": email, "status": "suspended" })),
        ("/custom_attributes", json!({ "email": email, "custom_attributes": [] })),
        ("/custom_attributes", json!({ "email": email, "custom_attributes": "x" })),
        ("/tenant_id", json!({ "email": email, "tenant_id": "acme" })),
        ("/tenant_id", json!({ "email": email, "tenant_id": format!("tnt_{}", "0".repeat(26)) })),
        ("/partner_id", json!({ "email": email, "partner_id": format!("prt_{}", "0".repeat(26)) })),
        ("/password", json!({ "email": email, "password": "correct horse battery staple" })),
        ("/roles", json!({ "email": email, "roles": [] })),
    ] {
        refuse(pointer, body).await;
    }
    let both = json!({ "email": email, "tenant_id": acme, "partner_id": partner });
    app.admin(post(&admin("users")).json(&both)).await.expect(422, "of a tenant and a partner");
    app.create("users", &json!({ "email": email, "tenant_id": acme })).await;
    for taken in [email, "ADA@Acme.Example"] {
        let again = post(&admin("users")).json(&json!({ "email": taken }));
        app.admin(again).await.expect(409, "the address is taken, whatever its case");
    }
    let found = app.ok(get(&admin("users"))).await;
    assert_eq!(column(&found, "email"), [email], "nothing else was made");
}

/// A patch changes what it names; where a user belongs is fixed.
#[actix_web::test]
async fn changes() {
    let (app, acme) = fixture().await;
    let globex = app.tenant("globex").await;
    let made = app.create("users", &json!({ "email": "ada@acme.example", "tenant_id": acme })).await;
    let path = format!("users/{}", id_of(&made));
    for (name, value) in [
        ("name", json!("Ada L.")),
        ("email", json!("lovelace@acme.example")),
        ("status", json!("disabled")),
        ("status", json!("active")),
        ("admin_role", json!("tenant_admin")),
        ("admin_role", Value::Null),
    ] {
        app.advance(1);
        let read = app.edit(&path, &json!({ name: value })).await;
        assert_eq!(read[name], value, "{name}");
        assert_eq!(read["updated_at"], app.moment(0), "{name}");
    }
    for (patch, expected) in [
        (json!({ "a": { "b": 1, "c": 2 } }), json!({ "a": { "b": 1, "c": 2 } })),
        (json!({ "a": { "b": null }, "d": [1, null] }), json!({ "a": { "c": 2 }, "d": [1, null] })),
        (json!({ "a": null, "d": null }), json!({})),
    ] {
        let read = app.edit(&path, &json!({ "custom_attributes": patch })).await;
        assert_eq!(read["custom_attributes"], expected, "RFC 7396, nested");
    }
    let before = app.ok(get(&admin(&path))).await;
    for (name, value) in [("tenant_id", json!(globex)), ("partner_id", Value::Null), ("roles", json!([]))] {
        let reply = app.admin(patch(&admin(&path)).json(&json!({ "name": "x", name: value }))).await;
        reply.expect_invalid(&format!("/{name}"), name);
    }
    let tag = app.admin(get(&admin(&path))).await.header("etag").to_owned();
    app.edit(&path, &json!({ "name": "Ada" })).await;
    let stale = patch(&admin(&path)).json(&json!({ "name": "x" })).header("if-match", &tag);
    app.admin(stale).await.expect(412, "a stale version");
    app.edit(&path, &json!({ "name": before["name"] })).await;
    let after = app.ok(get(&admin(&path))).await;
    assert_eq!(after["tenant_id"], before["tenant_id"]);
    app.remove(&path).await;
    app.admin(get(&admin(&path))).await.expect(404, "deleted");
    assert_eq!(app.ok(get(&admin("users"))).await["data"], json!([]));
    app.create("users", &json!({ "email": "lovelace@acme.example", "tenant_id": acme })).await;
}

/// `PUT users/{id}/roles`: a full replacement, in the token and at once.
#[actix_web::test]
async fn roles() {
    let (app, acme) = fixture().await;
    let globex = app.tenant("globex").await;
    let ada = app.person("ada", &json!({ "tenant_id": acme })).await;
    let (first, second) = (
        app.role(Some(&acme), "first", &["points:read"]).await,
        app.role(None, "second", &["points:adjust"]).await,
    );
    let foreign = app.role(Some(&globex), "foreign", &["points:read"]).await;
    let path = admin(&format!("users/{}/roles", ada.id));
    let put_roles = |roles: Value| put(&path).json(&json!({ "roles": roles }));
    for roles in [json!([first]), json!([first, second]), json!([second]), json!([]), json!([second, first])]
    {
        let read = app.ok(put_roles(roles.clone())).await;
        assert_eq!(read["roles"], roles);
        assert_eq!(app.ok(get(&admin(&format!("users/{}", ada.id)))).await["roles"], roles);
    }
    let token = decode(&app.user_token(&ada.email).await);
    let mut held: Vec<&str> =
        token.claims["roles"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    held.sort_unstable();
    let mut expected = [first.as_str(), second.as_str()];
    expected.sort_unstable();
    assert_eq!(held, expected);
    assert_eq!(token.text("sub"), ada.id);
    assert_eq!((token.text("tenant_id"), token.tenants()), (acme.as_str(), vec![acme.clone()]));
    assert_eq!(token.header["typ"], "at+jwt");
    for (pointer, roles) in [
        ("/roles/0", json!([foreign])),
        ("/roles/1", json!([first, format!("rol_{}", "0".repeat(26))])),
        ("/roles/1", json!([first, first])),
        ("/roles/0", json!(["first"])),
        ("/roles", json!(first)),
        ("/roles", Value::Null),
    ] {
        app.admin(put_roles(roles.clone())).await.expect_invalid(pointer, &roles.to_string());
    }
    app.admin(put(&path).json(&json!({}))).await.expect_invalid("/roles", "a replacement of nothing");
    assert_eq!(app.ok(get(&admin(&format!("users/{}", ada.id)))).await["roles"], json!([second, first]));
    let missing = admin(&format!("users/usr_{}/roles", "0".repeat(26)));
    app.admin(put(&missing).json(&json!({ "roles": [] }))).await.expect(404, "nobody's roles");
}

/// A reset and the removal of a factor end what was opened before, leave a record, and give nobody a password.
#[actix_web::test]
async fn resets() {
    let it = World::new().await;
    let user = &it.acme.admin;
    for (path, action) in [("reset-password", "user.password_reset"), ("mfa/disable", "user.mfa_disabled")] {
        it.app.advance(1);
        let token = it.app.user_token(&user.email).await;
        it.app.send(get(&admin("users")).bearer(&token)).await.expect(200, "before");
        it.app.advance(1);
        let reply =
            it.app.by(&it.boss, post(&admin(&format!("users/{}/{path}", user.id)))).await.expect(200, path);
        assert_eq!(reply.json()["id"], user.id, "{path}");
        assert!(!reply.text().contains("password"), "{path}: {}", reply.text());
        it.app.send(get(&admin("users")).bearer(&token)).await.expect(401, path);
        let again = it.app.user_token(&user.email).await;
        it.app.send(get(&admin("users")).bearer(&again)).await.expect(200, "afterwards");
        let events = it.app.events(&format!("action={action}&resource={}", user.id)).await;
        assert_eq!(events.len(), 1, "{path}");
        assert_eq!(
            (&events[0]["actor"]["id"], &events[0]["tenant_id"]),
            (&json!(it.boss.id), &json!(it.acme.tenant))
        );
        let nobody = admin(&format!("users/usr_{}/{path}", "0".repeat(26)));
        it.app.by(&it.boss, post(&nobody)).await.expect(404, path);
    }
}

/// What a user may do, when the same comes from several sides, and when it can't come at all.
#[actix_web::test]
async fn effective_permissions() {
    let (app, acme) = fixture().await;
    let ada = app.person("ada", &json!({ "tenant_id": acme })).await;
    let path = admin(&format!("users/{}/effective-permissions", ada.id));
    assert_eq!(app.ok(get(&path)).await["data"], json!([]));
    let role = app.role(None, "shared", &["points:read"]).await;
    app.roles_of(&ada.id, &[&role]).await;
    let more = json!({ "permissions": ["points:read", "admin:read", "admin:write"] });
    app.admin(patch(&admin(&format!("roles/{role}"))).json(&more)).await;
    let found = app.ok(get(&path)).await;
    let names: Vec<&Value> = found["data"].as_array().unwrap().iter().map(|one| &one["permission"]).collect();
    assert_eq!(names, [&json!("points:read")], "what belongs to the platform reaches no tenant's user");
    let token = app.user_token(&ada.email).await;
    app.send(get(&admin("users")).bearer(&token)).await.expect(403, "no administrator by a role that grew");
}

/// Partner limits hold for users, too.
#[actix_web::test]
async fn limits() {
    let app = TestApp::start().await;
    let body = json!({ "name": "P", "slug": "p", "max_users_per_tenant": 2 });
    let partner = id_of(&app.create("partners", &body).await);
    let tenant = |slug: &str| json!({ "name": slug, "slug": slug, "partner_id": partner });
    let (acme, other) = (
        id_of(&app.create("tenants", &tenant("acme")).await),
        id_of(&app.create("tenants", &tenant("other")).await),
    );
    let user = |tenant: &str, name: &str| {
        post(&admin("users")).json(&json!({ "email": format!("{name}@people.example"), "tenant_id": tenant }))
    };
    let first = app.admin(user(&acme, "a")).await.expect(201, "the first").json();
    app.admin(user(&acme, "b")).await.expect(201, "the second");
    let full = app.admin(user(&acme, "c")).await.expect(409, "the third").json();
    assert_eq!((&full["limit"], &full["used"]), (&json!(2), &json!(2)), "{full}");
    app.admin(user(&other, "c")).await.expect(201, "another tenant");
    app.remove(&format!("users/{}", id_of(&first))).await;
    app.at_once();
    let race = futures_util::future::join_all(["x", "y", "z"].map(|name| app.admin(user(&acme, name)))).await;
    let mut statuses: Vec<u16> = race.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409], "one place, three who want it");
}
