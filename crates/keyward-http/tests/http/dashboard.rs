//! The dashboard: every figure is what the caller could count by listing.

use serde_json::{Value, json};

use crate::support::{COLLECTIONS, DAY, HOUR, Person, World, admin, get};

async fn read(it: &World, person: &Person, path: &str) -> Value {
    it.app.by(person, get(&admin(path))).await.expect(200, &format!("{} reads {path}", person.email)).json()
}

/// Totals are the totals of the lists, for each kind of caller.
#[actix_web::test]
async fn totals() {
    let it = World::new().await;
    let clerk = it.app.staff(&it.acme.tenant, "clerk", &["keyward:audit:read", "keyward:users:read"]).await;
    let reader = it.app.global("reader", &["admin:read"]).await;
    let reader = Person { id: String::new(), email: "reader".to_owned(), token: it.app.token(&reader).await };
    let callers = [&it.boss, &it.of_north, &it.of_south, &it.acme.admin, &it.globex.admin, &clerk, &reader];
    let mut different = Vec::new();
    for person in callers {
        let stats = read(&it, person, "dashboard/stats").await;
        let totals = stats["totals"].as_object().unwrap();
        for collection in COLLECTIONS {
            let what = format!("{}, {collection}", person.email);
            let name = collection.replace('-', "_");
            let reply = it.app.by(person, get(&admin(collection))).await;
            if reply.status == 403 {
                assert!(totals.get(&name).is_none_or(|total| *total == 0), "{what}: {stats}");
            } else {
                assert_eq!(totals[&name], reply.json()["pagination"]["total"], "{what}");
            }
        }
        different.push(totals["users"].clone());
    }
    assert_ne!(different[0], different[1]);
    assert_ne!(different[1], different[3]);
    it.app.by(&it.acme.user, get(&admin("dashboard/stats"))).await.expect(403, "without any right");
}

/// Tokens of the last 24 hours, and what expires within 30 days, as far as the reach goes.
#[actix_web::test]
async fn figures() {
    let it = World::new().await;
    for (place, count) in [(&it.acme, 3), (&it.annex, 1), (&it.globex, 2)] {
        for _ in 0..count {
            it.app.token(&place.client).await;
        }
        it.app.ask(&place.client, &[("scope", "points:steal")]).await.expect(400, "a refusal");
        let body = json!({
            "type": "service", "tenant_id": place.tenant, "client_id": "soon", "expires_at": it.app.moment(10 * DAY)
        });
        it.app.create("applications", &body).await;
    }
    let figures = async |person: &Person| {
        let stats = read(&it, person, "dashboard/stats").await;
        ["tokens_issued_24h", "tokens_denied_24h", "expiring_applications"]
            .map(|name| stats[name].as_u64().unwrap())
    };
    assert_eq!(figures(&it.acme.admin).await, [3, 1, 1]);
    assert_eq!(figures(&it.of_north).await, [4, 2, 2]);
    assert_eq!(figures(&it.of_south).await, [2, 1, 1]);
    assert_eq!(figures(&it.boss).await[1..], [3, 3]);
    it.app.advance(DAY + 60);
    let later = Person { token: it.app.user_token(&it.acme.admin.email).await, ..it.acme.admin.clone() };
    assert_eq!(figures(&later).await, [0, 0, 1], "a day later");
}

/// The latest events of the reach, as the log lists them.
#[actix_web::test]
async fn activity() {
    let it = World::new().await;
    for person in [&it.boss, &it.of_north, &it.acme.admin, &it.globex.admin] {
        let activity = read(&it, person, "dashboard/activity").await;
        let latest = activity["data"].as_array().unwrap();
        assert!(!latest.is_empty());
        let log = read(&it, person, "audit?per_page=100").await;
        let log = log["data"].as_array().unwrap();
        assert_eq!(latest[..], log[..latest.len()], "{}", person.email);
        assert!(latest.len() == log.len() || latest.len() >= 10, "{}", person.email);
    }
    it.app.by(&it.acme.user, get(&admin("dashboard/activity"))).await.expect(403, "without any right");
}

/// Over time: what is asked for by the hour adds up to what there was, and only within the reach.
#[actix_web::test]
async fn series() {
    let it = World::new().await;
    let from = it.app.moment(0);
    for (hours, count) in [(0, 2), (1, 0), (2, 3)] {
        for _ in 0..count {
            it.app.token(&it.acme.client).await;
            it.app.token(&it.globex.client).await;
            it.app.ask(&it.acme.client, &[("scope", "points:steal")]).await.expect(400, "a refusal");
        }
        it.app.advance(HOUR);
        assert!(hours < 3);
    }
    let to = it.app.moment(0);
    let person = Person { token: it.app.user_token(&it.acme.admin.email).await, ..it.acme.admin.clone() };
    let path = format!("dashboard/series?from={from}&to={to}&interval_seconds=3600");
    let series = read(&it, &person, &path).await;
    let spans = series["data"].as_array().unwrap();
    let issued: Vec<u64> =
        spans.iter().map(|span| span["tokens_issued"].as_u64().unwrap()).filter(|n| *n > 0).collect();
    assert_eq!(issued, [2, 3], "{series}");
    let unneeded: u64 = spans.iter().map(|span| span["tokens_unneeded"].as_u64().unwrap()).sum();
    assert_eq!(unneeded, 3, "each hour the first was needed: {series}");
    let denied: u64 = spans
        .iter()
        .flat_map(|span| span["tokens_denied"].as_object().unwrap().values())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(denied, 5, "{series}");
    for wrong in [
        "interval_seconds=0",
        "interval_seconds=x",
        "interval_seconds=1",
        "from=yesterday",
        "colour=blue",
        "from=2026-11-03&to=2026-11-02",
    ] {
        let reply = it.app.by(&person, get(&admin(&format!("dashboard/series?{wrong}")))).await;
        assert!([400, 422].contains(&reply.status), "{wrong}: {}", reply.text());
    }
}
