//! What the tiers of administrators write: inside their reach, never the hierarchy, and never above themselves.

use serde_json::{Value, json};

use crate::support::{
    COLLECTIONS, Call, HOUR, Person, Reply, World, admin, creation, delete, get, id_of, nobody, patch, post,
    put,
};

/// A refusal without what differs from request to request.
fn plain(reply: &Reply) -> (u16, Value) {
    let mut body = reply.json();
    body.as_object_mut().map(|members| members.remove("request_id"));
    (reply.status, body)
}

/// A tenant in which something is created, and what that must answer.
type Case<'a> = (Option<&'a String>, u16);
/// A request that refers to the thing with this identifier.
type Make<'a> = Box<dyn Fn(&str) -> Call + 'a>;
/// What ends an administrator.
type Kill = fn(&World) -> Call;

#[track_caller]
fn denied(reply: &Reply, why: &str) {
    assert_eq!(reply.status, 403, "{why}: {}", reply.text());
    assert_eq!(reply.json()["detail"], "Access denied", "{why}");
}

/// Partners and tenants are written by the super admin only: 403, word for word, the same for any ID.
#[actix_web::test]
async fn the_hierarchy_is_the_super_admins() {
    let it = World::new().await;
    let before = [it.app.ok(get(&admin("partners"))).await, it.app.ok(get(&admin("tenants"))).await];
    for person in [&it.of_north, &it.acme.admin, &it.of_south, &it.globex.admin] {
        for collection in ["partners", "tenants"] {
            denied(&it.app.by(person, creation(collection, None, "fresh")).await, collection);
            let bulk = post(&admin(&format!("{collection}/bulk"))).json(&json!({ "items": [] }));
            denied(&it.app.by(person, bulk).await, "bulk");
            let mut answers = Vec::new();
            for id in [it.acme.id(collection), &nobody(it.acme.id(collection)), "nonsense"] {
                let path = admin(&format!("{collection}/{id}"));
                for call in [
                    patch(&path).json(&json!({ "name": "Mine" })),
                    patch(&path).json(&json!({ "partner_id": it.north })),
                    patch(&path).json(&json!({ "nonsense": 1 })),
                    delete(&path),
                ] {
                    let what = format!("{} {} {path}", person.email, call.method);
                    let reply = it.app.by(person, call).await;
                    denied(&reply, &what);
                    answers.push(plain(&reply));
                }
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "one answer for any ID and body: {answers:?}");
        }
        for call in [get(&admin("signing-keys")), post(&admin("signing-keys/rotate")).json(&json!({}))] {
            denied(&it.app.by(person, call).await, "signing keys belong to the platform");
        }
    }
    assert_eq!(it.app.ok(get(&admin("partners"))).await, before[0], "nothing was written");
    assert_eq!(it.app.ok(get(&admin("tenants"))).await, before[1], "nothing was written");
    it.app.by(&it.boss, creation("partners", None, "fresh")).await.expect(201, "the super admin's");
    it.app.by(&it.boss, creation("tenants", None, "fresh")).await.expect(201, "the super admin's");
}

/// The kinds inside a tenant.
const INSIDE: [&str; 6] = ["users", "groups", "roles", "applications", "identity-providers", "agents"];

/// Who creates where: inside the reach 201; outside like a tenant that is not there; for the platform 403.
#[actix_web::test]
async fn creation_ends_with_the_reach() {
    let it = World::new().await;
    let (acme, annex, globex) = (Some(&it.acme.tenant), Some(&it.annex.tenant), Some(&it.globex.tenant));
    let absent = nobody(&it.acme.tenant);
    let cases: [(&str, &Person, &[Case<'_>]); 4] = [
        ("boss", &it.boss, &[(acme, 201), (globex, 201), (None, 201), (Some(&absent), 422)]),
        (
            "of-north",
            &it.of_north,
            &[(acme, 201), (annex, 201), (globex, 422), (Some(&absent), 422), (None, 403)],
        ),
        (
            "of-acme",
            &it.acme.admin,
            &[(acme, 201), (annex, 422), (globex, 422), (Some(&absent), 422), (None, 403)],
        ),
        ("of-globex", &it.globex.admin, &[(globex, 201), (acme, 422), (Some(&absent), 422), (None, 403)]),
    ];
    for (name, person, places) in cases {
        for collection in INSIDE {
            let mut unknown = Vec::new();
            for (index, (tenant, status)) in places.iter().enumerate() {
                let what = format!("{name} creates in {collection} of {tenant:?}");
                let call = creation(collection, tenant.map(String::as_str), &format!("{name}-{index}"));
                let reply = it.app.by(person, call).await;
                assert_eq!(reply.status, *status, "{what}: {}", reply.text());
                match status {
                    403 => denied(&reply, &what),
                    422 => {
                        reply.expect_error("/tenant_id", "unknown_reference", &what);
                        unknown.push(plain(&reply));
                    }
                    _ => assert_eq!(reply.json()["tenant_id"].as_str(), tenant.map(String::as_str), "{what}"),
                }
            }
            unknown.dedup();
            assert_eq!(unknown.len(), 1, "{name}, {collection}: foreign is like absent: {unknown:?}");
        }
    }
}

/// A partner's own things are its admin's, and nobody's below.
#[actix_web::test]
async fn a_partners_own() {
    let it = World::new().await;
    let bodies = |partner: &str| {
        [
            ("users", json!({ "email": "p@people.example", "partner_id": partner })),
            ("applications", json!({ "type": "service", "client_id": "hub", "partner_id": partner })),
            (
                "identity-providers",
                json!({
                    "name": "x", "kind": "oidc", "partner_id": partner,
                    "config": crate::support::oidc("https://idp.example")
                }),
            ),
        ]
    };
    for (collection, body) in bodies(&it.north) {
        let create = || post(&admin(collection)).json(&body);
        for (person, who) in [(&it.of_south, "another partner admin"), (&it.acme.admin, "a tenant admin")] {
            let reply = it.app.by(person, create()).await;
            reply.expect_error("/partner_id", "unknown_reference", &format!("{who}, {collection}"));
        }
        let made = it.app.by(&it.of_north, create()).await.expect(201, collection).json();
        let path = admin(&format!("{collection}/{}", id_of(&made)));
        let change = || patch(&path).json(&json!({ "name": "Changed" }));
        for person in [&it.of_south, &it.acme.admin, &it.globex.admin] {
            it.app.by(person, change()).await.expect(404, collection);
            it.app.by(person, delete(&path)).await.expect(404, collection);
        }
        it.app.by(&it.of_north, change()).await.expect(200, collection);
        it.app.by(&it.of_north, delete(&path)).await.expect(204, collection);
    }
}

/// References to what lies outside: 422 `unknown_reference`, as for an ID that nothing has.
#[actix_web::test]
async fn references_end_with_the_reach() {
    let it = World::new().await;
    let acme = &it.acme;
    let person = &acme.admin;
    let platform_role = it.app.role(None, "operators", &["points:read"]).await;
    let own_group = admin(&format!("groups/{}", acme.group));
    let cases: Vec<(&str, &str, &str, Make<'_>)> = vec![
        ("/user_id", &it.globex.user.id, &acme.loner, {
            let path = format!("{own_group}/members");
            Box::new(move |id| post(&path).json(&json!({ "user_id": id })))
        }),
        ("/group_id", &it.globex.spare, &acme.spare, {
            let path = format!("{own_group}/nested");
            Box::new(move |id| post(&path).json(&json!({ "group_id": id })))
        }),
        ("/roles/0", &it.globex.role, &acme.role, {
            let path = format!("{own_group}/roles");
            Box::new(move |id| put(&path).json(&json!({ "roles": [id] })))
        }),
        ("/roles/0", &it.annex.role, &acme.role, {
            let path = admin(&format!("users/{}/roles", acme.user.id));
            Box::new(move |id| put(&path).json(&json!({ "roles": [id] })))
        }),
        ("/roles/0", &it.globex.role, &acme.role, {
            let path = admin(&format!("applications/{}", acme.client.id));
            Box::new(move |id| patch(&path).json(&json!({ "roles": [id] })))
        }),
        ("/owner_id", &it.globex.user.id, &acme.user.id, {
            let path = admin(&format!("agents/{}", acme.agent.id));
            Box::new(move |id| patch(&path).json(&json!({ "owner_id": id })))
        }),
    ];
    for (pointer, foreign, own, make) in cases {
        let there = it.app.by(person, make(foreign)).await;
        there.expect_error(pointer, "unknown_reference", foreign);
        let absent = it.app.by(person, make(&nobody(foreign))).await;
        assert_eq!(plain(&there), plain(&absent), "{pointer}: foreign is like absent");
        let reply = it.app.by(person, make(own)).await;
        assert!([200, 201].contains(&reply.status), "{pointer}, its own: {}", reply.text());
    }
    let user = it.app.ok(get(&admin(&format!("users/{}", acme.user.id)))).await;
    assert_eq!(user["roles"], json!([acme.role]), "{platform_role} was not given");
}

/// A tenant's objects are changed and deleted by those above it, and by nobody beside it.
#[actix_web::test]
async fn changes_end_with_the_reach() {
    let it = World::new().await;
    for collection in COLLECTIONS {
        if ["partners", "tenants", "sessions"].contains(&collection) {
            continue;
        }
        let path = admin(&format!("{collection}/{}", it.acme.id(collection)));
        let before = it.app.ok(get(&path)).await;
        for person in [&it.of_south, &it.annex.admin, &it.globex.admin] {
            for call in [patch(&path).json(&json!({ "name": "Mine" })), delete(&path)] {
                it.app.by(person, call).await.expect(404, &format!("{} {path}", person.email));
            }
        }
        assert_eq!(it.app.ok(get(&path)).await, before, "{path}");
        for (person, name) in [(&it.acme.admin, "first"), (&it.of_north, "second"), (&it.boss, "third")] {
            let reply = it.app.by(person, patch(&path).json(&json!({ "name": name }))).await;
            assert_eq!(reply.expect(200, &path).json()["name"], name);
        }
        it.app.by(&it.acme.admin, delete(&path)).await.expect(204, &path);
    }
}

/// Where a tenant goes, its objects and its administrators' reach go.
#[actix_web::test]
async fn a_transferred_tenant() {
    let it = World::new().await;
    let path = admin(&format!("groups/{}", it.acme.group));
    let seen = async |person: &Person| it.app.by(person, get(&path)).await.status;
    assert_eq!((seen(&it.of_north).await, seen(&it.of_south).await), (200, 404));
    let transfer =
        patch(&admin(&format!("tenants/{}", it.acme.tenant))).json(&json!({ "partner_id": it.south }));
    it.app.by(&it.boss, transfer).await.expect(200, "the super admin transfers");
    assert_eq!((seen(&it.of_north).await, seen(&it.of_south).await), (404, 200), "at the next request");
    assert_eq!(seen(&it.acme.admin).await, 200, "inside nothing changed");
}

/// An administrator is dead with everything above: the next request with an earlier token is 401.
#[actix_web::test]
async fn dead_administrators() {
    let suspended = json!({ "status": "suspended" });
    let cases: [(&str, Kill, &Value); 8] = [
        (
            "disabled",
            |it| patch(&admin(&format!("users/{}", it.acme.admin.id))),
            &json!({ "status": "disabled" }),
        ),
        ("deleted", |it| delete(&admin(&format!("users/{}", it.acme.admin.id))), &Value::Null),
        ("tenant suspended", |it| patch(&admin(&format!("tenants/{}", it.acme.tenant))), &suspended),
        ("tenant deleted", |it| delete(&admin(&format!("tenants/{}", it.acme.tenant))), &Value::Null),
        ("partner suspended", |it| patch(&admin(&format!("partners/{}", it.north))), &suspended),
        ("partner deleted", |it| delete(&admin(&format!("partners/{}", it.north))), &Value::Null),
        ("reset", |it| post(&admin(&format!("users/{}/reset-password", it.acme.admin.id))), &Value::Null),
        (
            "factor removed",
            |it| post(&admin(&format!("users/{}/mfa/disable", it.acme.admin.id))),
            &Value::Null,
        ),
    ];
    for (name, kill, body) in cases {
        let it = World::new().await;
        let person = &it.acme.admin;
        let look = async || it.app.by(person, get(&admin("users"))).await.status;
        assert_eq!(look().await, 200, "{name}: before");
        it.app.advance(1);
        let call = kill(&it);
        let call = if body.is_null() { call } else { call.json(body) };
        let reply = it.app.by(&it.boss, call).await;
        assert!(reply.status < 300, "{name}: {}", reply.text());
        assert_eq!(look().await, 401, "{name}: after");
        assert_eq!(it.app.by(&it.boss, get(&admin("users"))).await.status, 200, "{name}: nobody else");
        if ["reset", "factor removed"].contains(&name) {
            let again = Person { token: it.app.user_token(&person.email).await, ..person.clone() };
            it.app.by(&again, get(&admin("users"))).await.expect(200, "a token from afterwards");
        }
    }
    let it = World::new().await;
    it.app.advance(HOUR);
    it.app.by(&it.boss, get(&admin("users"))).await.expect(401, "short-lived");
}

/// A change of tier counts at the next request with the same token.
#[actix_web::test]
async fn tiers_change_at_once() {
    let it = World::new().await;
    let person = &it.acme.admin;
    let path = admin(&format!("users/{}", person.id));
    let look = async || it.app.by(person, get(&admin("groups"))).await.status;
    assert_eq!(look().await, 200);
    it.app.by(&it.boss, patch(&path).json(&json!({ "admin_role": null }))).await.expect(200, "demoted");
    assert_eq!(look().await, 403, "no administrator any more");
    let role = it.app.role(Some(&it.acme.tenant), "readers", &["keyward:groups:read"]).await;
    it.app.roles_of(&person.id, &[&role]).await;
    assert_eq!(look().await, 200, "staff");
    it.app.edit(&format!("roles/{role}"), &json!({ "permissions": [] })).await;
    assert_eq!(look().await, 403, "the role lost it");
    it.app.edit(&format!("roles/{role}"), &json!({ "permissions": ["keyward:groups:read"] })).await;
    assert_eq!(look().await, 200, "and has it again");
    it.app.remove(&format!("roles/{role}")).await;
    assert_eq!(look().await, 403, "the role is gone");
    it.app
        .by(&it.boss, patch(&path).json(&json!({ "admin_role": "tenant_admin" })))
        .await
        .expect(200, "back");
    assert_eq!(look().await, 200);
}
