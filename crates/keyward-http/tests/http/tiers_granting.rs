//! Granting is bounded: nobody makes or touches somebody above their tier, and nobody gives more than they hold.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{
    Call, Client, Person, Reply, TestApp, World, admin, delete, get, id_of, patch, post, put,
};

/// The contract says that it can't be done; whether that is 403 or 422 it leaves open.
#[track_caller]
fn refused(reply: &Reply, why: &str) {
    assert!([403, 422].contains(&reply.status), "{why}: {} {}", reply.status, reply.text());
}

const TIERS: [&str; 4] = ["", "tenant_admin", "partner_admin", "super_admin"];

/// A user of this tier in or above `acme`.
fn of_tier(it: &World, tier: &str, name: &str) -> Value {
    let mut body = json!({ "email": format!("{name}@people.example"), "name": name });
    match tier {
        "" | "tenant_admin" => body["tenant_id"] = json!(it.acme.tenant),
        "partner_admin" => body["partner_id"] = json!(it.north),
        _ => {}
    }
    if !tier.is_empty() {
        body["admin_role"] = json!(tier);
    }
    body
}

/// Who makes whom: up to their own tier, and no service token a super admin.
#[actix_web::test]
async fn nobody_makes_somebody_above() {
    let it = World::new().await;
    let staff = it.app.staff(&it.acme.tenant, "clerk", &["keyward:users:write"]).await;
    let root = Person { id: String::new(), email: "root".to_owned(), token: it.app.admin_token().await };
    let makers = [(&staff, 0), (&it.acme.admin, 1), (&it.of_north, 2), (&root, 2), (&it.boss, 3)];
    for (maker, highest) in makers {
        for (level, tier) in TIERS.iter().enumerate() {
            let what = format!("{} makes {tier:?}", maker.email);
            let name = format!("{}-{level}", maker.email.split('@').next().unwrap());
            let create = post(&admin("users")).json(&of_tier(&it, tier, &name));
            let reply = it.app.by(maker, create).await;
            if level <= highest {
                reply.expect(201, &what);
            } else {
                refused(&reply, &what);
                assert_eq!(
                    it.app.ok(get(&admin(&format!("users?q={name}%40")))).await["data"],
                    json!([]),
                    "{what}"
                );
            }
        }
    }
    let total = |tier: &str| get(&admin(&format!("users?admin_role={tier}")));
    assert_eq!(it.app.ok(total("super_admin")).await["pagination"]["total"], 2, "boss and the one of boss");
}

/// Who touches whom, by every operation on users.
#[actix_web::test]
async fn nobody_touches_somebody_above() {
    let it = World::new().await;
    let clerk =
        it.app.staff(&it.acme.tenant, "clerk", &["keyward:users:write", "keyward:groups:write"]).await;
    let root = Person { id: String::new(), email: "root".to_owned(), token: it.app.admin_token().await };
    let second = it.app.super_admin("second").await;
    let platform_group = it.app.group(None, "platform").await;
    let touches = |id: &str, group: &str| -> Vec<(&'static str, Call)> {
        let user = admin(&format!("users/{id}"));
        vec![
            ("name", patch(&user).json(&json!({ "name": "Mine" }))),
            ("email", patch(&user).json(&json!({ "email": format!("mine-{}@people.example", &id[20..]) }))),
            ("disable", patch(&user).json(&json!({ "status": "disabled" }))),
            ("demote", patch(&user).json(&json!({ "admin_role": null }))),
            ("roles", put(&format!("{user}/roles")).json(&json!({ "roles": [] }))),
            ("reset", post(&format!("{user}/reset-password"))),
            ("factor", post(&format!("{user}/mfa/disable"))),
            ("membership", post(&admin(&format!("groups/{group}/members"))).json(&json!({ "user_id": id }))),
            ("delete", delete(&user)),
        ]
    };
    let above: [(&Person, &str, &str, &[u16]); 4] = [
        (&clerk, &it.acme.admin.id, &it.acme.spare, &[403]),
        (&it.acme.admin, &it.of_north.id, &it.acme.spare, &[403, 404, 422]),
        (&it.of_north, &second.id, &it.acme.spare, &[403, 404, 422]),
        (&root, &second.id, &platform_group, &[403]),
    ];
    for (person, target, group, statuses) in above {
        let path = admin(&format!("users/{target}"));
        let before = it.app.ok(get(&path)).await;
        for (name, call) in touches(target, group) {
            let reply = it.app.by(person, call).await;
            let what = format!("{}: {name} of {}", person.email, before["email"]);
            assert!(statuses.contains(&reply.status), "{what}: {} {}", reply.status, reply.text());
            assert_eq!(it.app.ok(get(&path)).await, before, "{what}");
        }
    }
    let below: [(&Person, &str, &str); 3] = [
        (&it.acme.admin, &clerk.id, &it.acme.spare),
        (&it.of_north, &it.acme.admin.id, &it.acme.spare),
        (&it.boss, &second.id, &platform_group),
    ];
    for (person, target, group) in below {
        for (name, call) in touches(target, group) {
            let reply = it.app.by(person, call).await;
            assert!(reply.status < 300, "{}: {name}: {} {}", person.email, reply.status, reply.text());
        }
    }
    let promote =
        patch(&admin(&format!("users/{}", it.acme.user.id))).json(&json!({ "admin_role": "super_admin" }));
    refused(&it.app.by(&root, promote).await, "a service token promotes");
    let own = |person: &Person| patch(&admin(&format!("users/{}", person.id)));
    for tier in ["partner_admin", "super_admin"] {
        let reply =
            it.app.by(&it.annex.admin, own(&it.annex.admin).json(&json!({ "admin_role": tier }))).await;
        refused(&reply, "a promotion of oneself");
    }
}

/// The last super admin stays, and nobody locks themselves out: 409.
#[actix_web::test]
async fn somebody_stays() {
    let it = World::new().await;
    let falls = |person: &Person| {
        let path = admin(&format!("users/{}", person.id));
        [
            ("demote", patch(&path).json(&json!({ "admin_role": null }))),
            ("disable", patch(&path).json(&json!({ "status": "disabled" }))),
            ("delete", delete(&path)),
        ]
    };
    for (name, call) in falls(&it.boss) {
        it.app.by(&it.boss, call).await.expect(409, &format!("the last super admin: {name}"));
    }
    let second = it.app.super_admin("second").await;
    for person in [&it.boss, &it.of_north, &it.acme.admin] {
        for (name, call) in falls(person) {
            it.app.by(person, call).await.expect(409, &format!("{} to themselves: {name}", person.email));
        }
        it.app.by(person, get(&admin("users"))).await.expect(200, "nothing happened");
    }
    let rename = patch(&admin(&format!("users/{}", it.boss.id))).json(&json!({ "name": "Boss" }));
    it.app.by(&it.boss, rename).await.expect(200, "everything else of oneself");
    it.app.by(&it.boss, falls(&second)[1].1.clone()).await.expect(200, "there are two");
    for (name, call) in falls(&it.boss) {
        it.app.by(&it.boss, call).await.expect(409, &format!("a disabled one does not count: {name}"));
    }
}

/// Two super admins who demote, disable or delete each other at once: one of them stays.
#[actix_web::test]
async fn two_fall_at_once() {
    for round in 0..30 {
        let app = TestApp::start().await;
        let (one, two) = (app.super_admin("one").await, app.super_admin("two").await);
        app.admin_token().await;
        app.at_once();
        let fall = |person: &Person, way: usize| {
            let path = admin(&format!("users/{}", person.id));
            match way % 3 {
                0 => patch(&path).json(&json!({ "admin_role": null })),
                1 => patch(&path).json(&json!({ "status": "disabled" })),
                _ => delete(&path),
            }
        };
        let first = app.by(&one, fall(&two, round));
        let second = app.by(&two, fall(&one, round / 3));
        let (first, second) = join(first, second).await;
        let left = app.ok(get(&admin("users?admin_role=super_admin&status=active"))).await;
        let statuses = (first.status, second.status);
        assert_eq!(left["pagination"]["total"], 1, "round {round}: {statuses:?}");
        assert!(first.status < 300 || second.status < 300, "round {round}: {statuses:?}");
    }
}

struct Scene {
    it: World,
    /// Holds `points:read` and every write permission of staff.
    clerk: Person,
    /// A role with `points:read` only, and one with `points:adjust` as well.
    weak: String,
    strong: String,
    /// Applications and agents with `points:adjust`.
    client: Client,
    agent: Client,
}

async fn scene() -> Scene {
    let it = World::new().await;
    let own = Some(it.acme.tenant.as_str());
    let all = ["users", "groups", "roles", "applications", "agents"].map(|c| format!("keyward:{c}:write"));
    let mut held: Vec<&str> = all.iter().map(String::as_str).collect();
    held.push("points:read");
    let scopes = json!({ "allowed_scopes": ["points:read", "points:adjust"] });
    Scene {
        clerk: it.app.staff(&it.acme.tenant, "clerk", &held).await,
        weak: it.app.role(own, "weak", &["points:read"]).await,
        strong: it.app.role(own, "strong", &["points:read", "points:adjust"]).await,
        client: it.app.client(&it.acme.tenant, "strong", &["points:read", "points:adjust"]).await,
        agent: it.app.agent(own, &scopes).await,
        it,
    }
}

/// By no way does anybody give what they do not hold: roles, scopes, groups, members, nesting.
#[actix_web::test]
async fn nobody_gives_what_they_lack() {
    let Scene { it, clerk, weak, strong, client: _, agent: _ } = scene().await;
    let acme = &it.acme;
    let powerful = it.app.group(Some(&acme.tenant), "powerful").await;
    it.app.ok(put(&admin(&format!("groups/{powerful}/roles"))).json(&json!({ "roles": [strong] }))).await;
    let harmless = it.app.group(Some(&acme.tenant), "harmless").await;
    it.app.ok(put(&admin(&format!("groups/{harmless}/roles"))).json(&json!({ "roles": [weak] }))).await;
    // Inside `powerful`, so that its roles reach whoever is put there.
    let below = it.app.group(Some(&acme.tenant), "below").await;
    it.app.nest(&powerful, &below).await;
    let application = |scopes: Value, roles: Value, name: &str| {
        post(&admin("applications")).json(&json!({
            "type": "service", "client_id": name, "tenant_id": acme.tenant, "allowed_scopes": scopes, "roles": roles
        }))
    };
    let agent = |scopes: Value| {
        post(&admin("agents"))
            .json(&json!({ "name": "x", "tenant_id": acme.tenant, "allowed_scopes": scopes }))
    };
    let role = |permissions: Value, name: &str| {
        post(&admin("roles"))
            .json(&json!({ "name": name, "tenant_id": acme.tenant, "permissions": permissions }))
    };
    let at = |path: String| admin(&path);
    let (much, little) = (json!(["points:read", "points:adjust"]), json!(["points:read"]));
    let member =
        |group: &str| post(&at(format!("groups/{group}/members"))).json(&json!({ "user_id": acme.loner }));
    let nested =
        |group: &str| post(&at(format!("groups/{group}/nested"))).json(&json!({ "group_id": acme.spare }));
    let cases = [
        (
            "application",
            application(much.clone(), json!([]), "a"),
            application(little.clone(), json!([]), "a"),
        ),
        (
            "application's role",
            application(json!([]), json!([strong]), "b"),
            application(json!([]), json!([weak]), "b"),
        ),
        (
            "application that exists",
            patch(&at(format!("applications/{}", acme.client.id))).json(&json!({ "allowed_scopes": much })),
            patch(&at(format!("applications/{}", acme.client.id))).json(&json!({ "allowed_scopes": little })),
        ),
        ("agent", agent(much.clone()), agent(little.clone())),
        (
            "agent that exists",
            patch(&at(format!("agents/{}", acme.agent.id))).json(&json!({ "allowed_scopes": much })),
            patch(&at(format!("agents/{}", acme.agent.id))).json(&json!({ "allowed_scopes": little })),
        ),
        ("role", role(much.clone(), "r"), role(little.clone(), "r")),
        (
            "role that exists",
            patch(&at(format!("roles/{}", acme.role))).json(&json!({ "permissions": much })),
            patch(&at(format!("roles/{}", acme.role))).json(&json!({ "permissions": little })),
        ),
        (
            "user's role",
            put(&at(format!("users/{}/roles", acme.user.id))).json(&json!({ "roles": [strong] })),
            put(&at(format!("users/{}/roles", acme.user.id))).json(&json!({ "roles": [weak] })),
        ),
        (
            "role of oneself",
            put(&at(format!("users/{}/roles", clerk.id))).json(&json!({ "roles": [strong] })),
            get(&at(format!("users/{}", clerk.id))),
        ),
        (
            "group's role",
            put(&at(format!("groups/{}/roles", acme.group))).json(&json!({ "roles": [strong] })),
            put(&at(format!("groups/{}/roles", acme.group))).json(&json!({ "roles": [weak] })),
        ),
        ("membership", member(&powerful), member(&harmless)),
        ("membership below", member(&below), member(&acme.child)),
        ("nesting", nested(&powerful), nested(&harmless)),
        ("nesting below", nested(&below), nested(&acme.child)),
    ];
    for (name, defect, control) in cases {
        let reply = it.app.by(&clerk, defect.clone()).await;
        refused(&reply, name);
        let reply = it.app.by(&clerk, control).await;
        assert!(reply.status < 300, "{name}, without its one defect: {} {}", reply.status, reply.text());
    }
    let path = at(format!("users/{}/effective-permissions", acme.loner));
    assert!(!it.app.ok(get(&path)).await.to_string().contains("points:adjust"));
    let reply = it.app.by(&acme.admin, member(&powerful)).await;
    reply.expect(201, "a tenant admin holds every permission of the catalogue");
}

/// A new secret is a way to the rights of its holder: who lacks those makes none.
#[actix_web::test]
async fn secrets_of_the_stronger() {
    let Scene { it, clerk, client, agent, .. } = scene().await;
    for (path, own) in [
        (
            format!("applications/{}/secrets", client.id),
            format!("applications/{}/secrets", it.acme.client.id),
        ),
        (format!("agents/{}/secrets", agent.id), format!("agents/{}/secrets", it.acme.agent.id)),
    ] {
        let make = |path: &str| post(&admin(path)).json(&json!({}));
        it.app.by(&clerk, make(&own)).await.expect(201, "for one that has no more than the clerk");
        refused(&it.app.by(&clerk, make(&path)).await, &path);
        it.app.by(&it.acme.admin, make(&path)).await.expect(201, &path);
    }
}

/// `admin:read` and `admin:write` go into nothing of a tenant or partner, whoever asks.
#[actix_web::test]
async fn the_platforms_own_permissions() {
    let it = World::new().await;
    let acme = &it.acme;
    let operators = it.app.role(None, "operators", &["admin:read", "admin:write"]).await;
    for person in [&it.boss, &it.of_north, &acme.admin] {
        for scope in ["admin:read", "admin:write"] {
            let attempts = [
                post(&admin("agents"))
                    .json(&json!({ "name": "x", "tenant_id": acme.tenant, "allowed_scopes": [scope] })),
                patch(&admin(&format!("agents/{}", acme.agent.id)))
                    .json(&json!({ "allowed_scopes": [scope] })),
                patch(&admin(&format!("applications/{}", acme.client.id)))
                    .json(&json!({ "allowed_scopes": [scope] })),
                patch(&admin(&format!("roles/{}", acme.role))).json(&json!({ "permissions": [scope] })),
                put(&admin(&format!("users/{}/roles", acme.user.id))).json(&json!({ "roles": [operators] })),
                put(&admin(&format!("groups/{}/roles", acme.group))).json(&json!({ "roles": [operators] })),
                put(&admin(&format!("users/{}/roles", acme.admin.id))).json(&json!({ "roles": [operators] })),
            ];
            for attempt in attempts {
                let what = format!("{} {} {scope}", person.email, attempt.uri);
                refused(&it.app.by(person, attempt).await, &what);
            }
        }
    }
    let own = patch(&admin(&format!("agents/{}", acme.agent.id)))
        .json(&json!({ "allowed_scopes": ["points:adjust"] }));
    it.app.by(&acme.admin, own).await.expect(200, "every other permission of the catalogue");
}

/// Taking away needs no right to give, and what is there may stay.
#[actix_web::test]
async fn what_is_there_may_stay() {
    let Scene { it, clerk, client, strong, .. } = scene().await;
    let path = admin(&format!("applications/{}", client.id));
    it.app.by(&clerk, patch(&path).json(&json!({ "notes": "Nightly" }))).await.expect(200, "another field");
    let less = json!({ "allowed_scopes": ["points:read"] });
    it.app.by(&clerk, patch(&path).json(&less)).await.expect(200, "less");
    let more = json!({ "allowed_scopes": ["points:read", "points:adjust"] });
    refused(&it.app.by(&clerk, patch(&path).json(&more)).await, "and not back again");
    let made = it.app.by(&clerk, get(&admin(&format!("roles/{strong}")))).await.expect(200, "reading");
    assert_eq!(id_of(&made.json()), strong);
}
