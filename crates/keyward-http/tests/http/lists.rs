//! Lists: pages, bounds, search, filters, order, and strict parameters.

use serde_json::{Value, json};

use crate::support::{TestApp, admin, column, get};

struct Fixture {
    app: TestApp,
    acme: String,
    globex: String,
    /// Every list that there is, with how many items it has.
    lists: Vec<(String, u64)>,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    for index in 0..3 {
        app.role(Some(&acme), &format!("role-{index}"), &["points:read"]).await;
    }
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    app.client(&globex, "billing", &["points:read"]).await;
    app.another_secret(&client, &json!({})).await;
    let secrets = format!("applications/{}/secrets", client.id);
    let mut lists = Vec::new();
    for path in ["tenants", "roles", "permissions", "applications", secrets.as_str()] {
        let total = app.ok(get(&admin(path))).await["pagination"]["total"].as_u64().unwrap();
        lists.push((path.to_owned(), total));
    }
    Fixture { app, acme, globex, lists }
}

fn pagination(page: u64, per_page: u64, total: u64) -> Value {
    json!({ "page": page, "per_page": per_page, "total": total, "total_pages": total.div_ceil(per_page) })
}

#[track_caller]
fn check_pagination(list: &Value, expected: &Value, what: &str) {
    for member in ["page", "per_page", "total", "total_pages"] {
        assert_eq!(list["pagination"][member], expected[member], "{what}: {member}");
    }
}

#[actix_web::test]
async fn pages() {
    let it = fixture().await;
    for (path, total) in &it.lists {
        assert!(*total >= 2, "{path} has {total}");
        let whole = it.app.ok(get(&admin(path))).await;
        check_pagination(&whole, &pagination(1, 20, *total), path);
        let ids = column(&whole, "id");
        assert_eq!(ids.len() as u64, *total, "{path}");
        let mut walked = Vec::new();
        for page in 1..=*total {
            let one = it.app.ok(get(&admin(&format!("{path}?per_page=1&page={page}")))).await;
            check_pagination(&one, &pagination(page, 1, *total), path);
            walked.extend(column(&one, "id"));
        }
        assert_eq!(walked, ids, "{path}: page by page");
        let beyond = it.app.ok(get(&admin(&format!("{path}?page=1000&per_page=100")))).await;
        assert_eq!(beyond["data"], json!([]), "{path}");
        check_pagination(&beyond, &pagination(1000, 100, *total), path);
    }
}

/// `page` ≥ 1, `per_page` 1 to 100, else 400. Unknown parameters are 422.
#[actix_web::test]
async fn bounds() {
    let it = fixture().await;
    let paths = it.lists.iter().map(|(path, _)| path.as_str()).chain([
        "audit",
        "signing-keys",
        "partners",
        "users",
        "groups",
        "identity-providers",
        "agents",
        "sessions",
    ]);
    for path in paths {
        for right in ["page=1", "page=2", "per_page=1", "per_page=100", "per_page=100&page=7"] {
            it.app.ok(get(&admin(&format!("{path}?{right}")))).await;
        }
        for value in ["0", "-1", "abc", "1.5", "", "%20", "0x10", "99999999999999999999"] {
            for name in ["page", "per_page"] {
                let query = format!("{path}?{name}={value}");
                it.app.admin(get(&admin(&query))).await.expect(400, &query);
            }
        }
        let query = format!("{path}?per_page=101");
        it.app.admin(get(&admin(&query))).await.expect(400, &query);
        for unknown in ["colour=blue", "Page=1", "offset=1", "limit=5", "%24where=1", "page%5B%5D=1"] {
            let query = format!("{path}?{unknown}");
            it.app.admin(get(&admin(&query))).await.expect(422, &query);
        }
        let repeated = it.app.admin(get(&admin(&format!("{path}?page=1&page=2")))).await;
        assert!([400, 422].contains(&repeated.status), "{path}: {}", repeated.text());
    }
    for path in [
        format!("tenants/{}", it.acme),
        format!("audit/{}", it.app.events("").await[0]["id"].as_str().unwrap()),
    ] {
        it.app.ok(get(&admin(&path))).await;
        it.app.admin(get(&admin(&format!("{path}?colour=blue")))).await.expect(422, &path);
    }
}

/// `q` finds parts of names, whatever their case; wildcards of databases are ordinary characters.
#[actix_web::test]
async fn search() {
    let app = TestApp::start().await;
    for (name, slug) in
        [("Blue Whale", "blue"), ("Bluebird", "bird"), ("Red 100%", "red"), ("snake_case", "snake")]
    {
        app.create("tenants", &json!({ "name": name, "slug": slug })).await;
    }
    let cases: [(&str, &[&str]); 10] = [
        ("q=blue", &["Blue Whale", "Bluebird"]),
        ("q=BLUE", &["Blue Whale", "Bluebird"]),
        ("q=whale", &["Blue Whale"]),
        ("q=lue+W", &["Blue Whale"]),
        ("q=%25", &["Red 100%"]),
        ("q=_", &["snake_case"]),
        ("q=*", &[]),
        ("q='", &[]),
        ("q=nothing", &[]),
        ("q=bird&per_page=1", &["Bluebird"]),
    ];
    for (query, names) in cases {
        let list = app.ok(get(&admin(&format!("tenants?{query}&sort=name")))).await;
        assert_eq!(column(&list, "name"), names, "{query}");
        assert_eq!(list["pagination"]["total"], names.len(), "{query}");
    }
}

#[actix_web::test]
async fn filters() {
    let it = fixture().await;
    let frozen = it.app.tenant("frozen").await;
    it.app.edit(&format!("tenants/{frozen}"), &json!({ "status": "suspended" })).await;
    let partner = it.app.partner("reseller").await;
    it.app.create("tenants", &json!({ "name": "Sub", "slug": "sub", "partner_id": partner })).await;
    let disabled = it.app.client(&it.acme, "off", &["points:read"]).await;
    it.app.edit(&format!("applications/{}", disabled.id), &json!({ "status": "disabled" })).await;
    let (acme, globex) = (&it.acme, &it.globex);
    let nobody = format!("tnt_{}", "0".repeat(26));
    let cases: [(&str, &str, &[&str]); 11] = [
        ("tenants?status=suspended", "slug", &["frozen"]),
        ("tenants?status=active", "slug", &["acme", "globex", "sub"]),
        (&format!("tenants?partner_id={partner}"), "slug", &["sub"]),
        ("applications?status=disabled", "client_id", &["acme.off"]),
        (&format!("applications?tenant_id={acme}"), "client_id", &["acme.crm-sync", "acme.off"]),
        (&format!("applications?tenant_id={globex}"), "client_id", &["globex.billing"]),
        (&format!("applications?tenant_id={acme}&status=active"), "client_id", &["acme.crm-sync"]),
        (&format!("applications?tenant_id={nobody}"), "client_id", &[]),
        (&format!("applications?tenant_id={acme}&q=off"), "client_id", &["acme.off"]),
        (&format!("roles?tenant_id={acme}"), "name", &["role-0", "role-1", "role-2"]),
        (&format!("roles?tenant_id={globex}"), "name", &[]),
    ];
    for (query, name, values) in cases {
        let list = it.app.ok(get(&admin(query))).await;
        let mut found = column(&list, name);
        found.sort();
        assert_eq!(found, values, "{query}");
        assert_eq!(list["pagination"]["total"], values.len(), "{query}");
    }
    for query in ["tenants?status=disabled%27", "applications?status=nonsense"] {
        let reply = it.app.admin(get(&admin(query))).await;
        assert!([400, 422].contains(&reply.status), "{query}: {}", reply.text());
    }
}

#[actix_web::test]
async fn order() {
    let app = TestApp::start().await;
    for (name, slug) in [("Carla", "a"), ("Anton", "c"), ("Berta", "b")] {
        app.create("tenants", &json!({ "name": name, "slug": slug })).await;
        app.advance(1);
    }
    let cases: [(&str, &[&str]); 5] = [
        ("sort=name", &["Anton", "Berta", "Carla"]),
        ("sort=-name", &["Carla", "Berta", "Anton"]),
        ("sort=created_at", &["Carla", "Anton", "Berta"]),
        ("sort=-created_at", &["Berta", "Anton", "Carla"]),
        ("sort=name&per_page=2&page=2", &["Carla"]),
    ];
    for (query, names) in cases {
        let list = app.ok(get(&admin(&format!("tenants?{query}")))).await;
        assert_eq!(column(&list, "name"), names, "{query}");
    }
    for wrong in ["colour", "publishable_key", "name;drop", "name,slug", "--name", ""] {
        let reply = app.admin(get(&admin(&format!("tenants?sort={wrong}")))).await;
        assert!([400, 422].contains(&reply.status), "{wrong}: {}", reply.text());
    }
}

/// What is deleted is in no list, no total and no search.
#[actix_web::test]
async fn deleted_things() {
    let it = fixture().await;
    let before = it.app.ok(get(&admin("tenants"))).await["pagination"]["total"].as_u64().unwrap();
    it.app.remove(&format!("tenants/{}", it.globex)).await;
    for (query, left) in [
        ("tenants", before - 1),
        ("tenants?q=globex", 0),
        ("tenants?status=active", before - 1),
        ("applications?q=billing", 0),
        (&format!("applications?tenant_id={}", it.globex), 0),
    ] {
        let list = it.app.ok(get(&admin(query))).await;
        assert_eq!(list["pagination"]["total"], left, "{query}");
        assert_eq!(list["data"].as_array().unwrap().len() as u64, left, "{query}");
    }
}
