//! Sessions: who is signed in, and how that ends.

use serde_json::{Value, json};

use crate::support::{HOUR, World, admin, column, delete, get, nobody, post};

#[actix_web::test]
async fn shape_and_state() {
    let it = World::new().await;
    let path = admin(&format!("sessions/{}", it.acme.session));
    let read = it.app.ok(get(&path)).await;
    for (name, value) in [
        ("id", json!(it.acme.session)),
        ("user_id", json!(it.acme.user.id)),
        ("tenant_id", json!(it.acme.tenant)),
        ("state", json!("active")),
        ("method", json!("password")),
        ("ip", json!("203.0.113.9")),
        ("user_agent", json!("browser/1")),
        ("revoked_at", Value::Null),
    ] {
        assert_eq!(read[name], value, "{name}");
    }
    it.app.advance(9 * HOUR);
    assert_eq!(it.app.ok(get(&path)).await["state"], "expired");
    it.app.admin(get(&admin(&format!("sessions/{}", nobody(&it.acme.session))))).await.expect(404, "unknown");
    for (query, total) in [
        (format!("user_id={}", it.acme.user.id), 1),
        (format!("tenant_id={}", it.globex.tenant), 1),
        (format!("user_id={}", it.acme.loner), 0),
        (String::new(), 3),
        ("sort=-created_at".to_owned(), 3),
    ] {
        let list = it.app.ok(get(&admin(&format!("sessions?{query}")))).await;
        assert_eq!(list["pagination"]["total"], total, "{query}");
    }
}

/// Ended at once, for good, once recorded; and nothing but ended.
#[actix_web::test]
async fn revocation() {
    let it = World::new().await;
    let path = admin(&format!("sessions/{}", it.acme.session));
    it.app.advance(60);
    let revoke = || post(&format!("{path}/revoke"));
    for person in [&it.annex.admin, &it.globex.admin, &it.of_south] {
        it.app.by(person, revoke()).await.expect(404, &person.email);
    }
    it.app.by(&it.acme.user, revoke()).await.expect(403, "a user without rights");
    assert_eq!(it.app.ok(get(&path)).await["state"], "active");
    let ended = it.app.by(&it.acme.admin, revoke()).await.expect(200, "its administrator").json();
    assert_eq!((&ended["state"], &ended["revoked_at"]), (&json!("revoked"), &json!(it.app.moment(0))));
    assert_eq!(it.app.ok(get(&path)).await, ended);
    it.app.advance(60);
    let again = it.app.by(&it.boss, revoke()).await;
    assert!(again.status < 300, "{}", again.text());
    assert_eq!(it.app.ok(get(&path)).await["revoked_at"], ended["revoked_at"], "it ended when it ended");
    let events = it.app.events(&format!("action=session.revoked&resource={}", it.acme.session)).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["tenant_id"], it.acme.tenant);
    assert_eq!(events[0]["actor"]["id"], it.acme.admin.id);
    for call in [
        post(&admin("sessions")).json(&json!({ "user_id": it.acme.user.id })),
        delete(&path),
        crate::support::patch(&path).json(&json!({ "revoked_at": null })),
    ] {
        let what = format!("{} {}", call.method, call.uri);
        it.app.by(&it.boss, call).await.expect(405, &what);
    }
}

/// With a user, their tenant or their password, sessions end: they are shown as ended, or are gone.
#[actix_web::test]
async fn sessions_end_with_the_person() {
    let mut living = Vec::new();
    for way in ["reset", "factor removed", "disabled", "deleted", "tenant suspended", "tenant deleted"] {
        let it = World::new().await;
        it.app.advance(1);
        let user = format!("users/{}", it.acme.user.id);
        let tenant = format!("tenants/{}", it.acme.tenant);
        match way {
            "reset" => drop(it.app.ok(post(&admin(&format!("{user}/reset-password")))).await),
            "factor removed" => drop(it.app.ok(post(&admin(&format!("{user}/mfa/disable")))).await),
            "disabled" => drop(it.app.edit(&user, &json!({ "status": "disabled" })).await),
            "deleted" => it.app.remove(&user).await,
            "tenant suspended" => drop(it.app.edit(&tenant, &json!({ "status": "suspended" })).await),
            _ => it.app.remove(&tenant).await,
        }
        let reply = it.app.admin(get(&admin(&format!("sessions/{}", it.acme.session)))).await;
        if reply.status != 404 && reply.json()["state"] == "active" {
            living.push(way);
        }
        let list = it.app.ok(get(&admin("sessions"))).await;
        assert!(column(&list, "id").contains(&it.annex.session), "{way}: nobody else's");
    }
    assert_eq!(living, Vec::<&str>::new());
}
