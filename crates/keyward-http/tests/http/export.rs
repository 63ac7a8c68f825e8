//! The log as a file: what the list has, no more and no less.

use serde_json::{Value, json};

use crate::support::{Person, Reply, TestApp, World, admin, get, patch};

fn lines(reply: &Reply) -> Vec<Value> {
    let text = reply.text();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

/// RFC 4180, read apart from the server.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            (_, '"') => quoted = !quoted,
            (false, ',') => record.push(std::mem::take(&mut field)),
            (false, '\r') => {}
            (false, '\n') => {
                record.push(std::mem::take(&mut field));
                all.push(std::mem::take(&mut record));
            }
            (_, c) => field.push(c),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty(), "the last line is whole");
    all
}

/// The whole log as the list has it, page by page, before the export.
async fn listed(app: &TestApp, person: &Person, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let path = format!("audit?per_page=100&page={page}&{query}");
        let list = app.by(person, get(&admin(&path))).await.expect(200, &path).json();
        let items = list["data"].as_array().unwrap().clone();
        if items.is_empty() {
            return all;
        }
        all.extend(items);
    }
    all
}

/// For each caller and each filter: the events of the list, in its order.
#[actix_web::test]
async fn it_equals_the_list() {
    let it = World::new().await;
    for place in [&it.acme, &it.globex] {
        it.app.token(&place.client).await;
        it.app.ask(&place.client, &[("scope", "points:steal")]).await.expect(400, "a refusal");
    }
    it.app.advance(1);
    let filters = [
        String::new(),
        "action=token.issued".to_owned(),
        "result=denied".to_owned(),
        format!("tenant_id={}", it.acme.tenant),
        format!("actor={}", it.acme.client.id),
        format!("resource={}", it.acme.group),
        "from=2030-01-01".to_owned(),
    ];
    for person in [&it.boss, &it.of_north, &it.acme.admin, &it.globex.admin] {
        for filter in &filters {
            let what = format!("{}: {filter}", person.email);
            // Exports that came before are in the log, too: by them the clock tells the two apart.
            it.app.advance(1);
            let expected = listed(&it.app, person, filter).await;
            let path = admin(&format!("audit/export?format=ndjson&{filter}"));
            let reply = it.app.by(person, get(&path)).await.expect(200, &what);
            assert!(reply.header("content-type").starts_with("application/x-ndjson"), "{what}");
            assert_eq!(lines(&reply), expected, "{what}");
        }
    }
    let plain = it.app.by(&it.acme.admin, get(&admin("audit/export?action=group.created"))).await;
    assert_eq!(lines(&plain).len(), 3, "NDJSON when nothing is said");
    let exported = listed(&it.app, &it.boss, "action=audit.exported").await;
    assert!(exported.len() >= 4 * filters.len(), "each export is in the log");
    it.app.by(&it.acme.user, get(&admin("audit/export"))).await.expect(403, "without any right");
    it.app.send(get(&admin("audit/export"))).await.expect(401, "nobody");
}

/// A parameter that the export does not have is refused, never ignored.
#[actix_web::test]
async fn parameters_that_are_refused() {
    let app = TestApp::start().await;
    let mut ignored = Vec::new();
    for wrong in [
        "format=xml",
        "format=",
        "colour=blue",
        "page=1",
        "per_page=5",
        "cursor=x",
        "format=csv&format=csv",
        "from=x",
    ] {
        let reply = app.admin(get(&admin(&format!("audit/export?{wrong}")))).await;
        if ![400, 422].contains(&reply.status) {
            ignored.push(format!("{wrong}: {}", reply.status));
        }
    }
    assert_eq!(ignored, Vec::<String>::new());
}

/// CSV: a header, the same events, quotation marks, and nothing that a spreadsheet runs.
#[actix_web::test]
async fn csv() {
    let app = TestApp::start().await;
    let boss = app.super_admin("boss").await;
    let acme = app.tenant("acme").await;
    let names = [
        "=1+1",
        "=HYPERLINK(\"https://evil.example\",\"x\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "a,b",
        "say \"hi\"",
        "Müller",
        "plain",
    ];
    for name in names {
        let call = patch(&admin(&format!("tenants/{acme}"))).json(&json!({ "name": name }));
        app.by(&boss, call).await.expect(200, name);
    }
    app.advance(1);
    let expected = listed(&app, &boss, "").await;
    let reply = app.by(&boss, get(&admin("audit/export?format=csv"))).await.expect(200, "CSV");
    assert!(reply.header("content-type").starts_with("text/csv"), "{}", reply.header("content-type"));
    let all = records(&reply.text());
    let (header, rows) = all.split_first().unwrap();
    assert_eq!(rows.len(), expected.len());
    let column = |name: &str| {
        header.iter().position(|known| known == name).unwrap_or_else(|| panic!("no {name}: {header:?}"))
    };
    for (row, event) in rows.iter().zip(&expected) {
        assert_eq!(row.len(), header.len());
        for (name, pointer) in [
            ("id", "/id"),
            ("occurred_at", "/occurred_at"),
            ("action", "/action"),
            ("result", "/result"),
            ("tenant_id", "/tenant_id"),
            ("request_id", "/context/request_id"),
            ("hash", "/hash"),
        ] {
            let value = event.pointer(pointer).and_then(Value::as_str).unwrap_or("");
            assert_eq!(row[column(name)], value, "{name}");
        }
        for field in row {
            let runs = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert!(!runs, "a spreadsheet takes it for a formula: {field}");
        }
    }
    let named: Vec<&str> = rows
        .iter()
        .filter(|row| row[column("action")] == "tenant.updated")
        .map(|row| row[column("resource_name")].as_str())
        .collect();
    for name in names {
        let there = named.iter().any(|known| *known == name || *known == format!("'{name}"));
        assert!(there, "{name}: {named:?}");
    }
}

/// No credential is in it, and nothing of another reach.
#[actix_web::test]
async fn what_is_not_in_it() {
    let it = World::new().await;
    it.app.token(&it.acme.client).await;
    it.app.advance(1);
    for format in ["ndjson", "csv"] {
        let path = admin(&format!("audit/export?format={format}"));
        let all = it.app.by(&it.boss, get(&path)).await.text();
        for secret in [&it.acme.client.secret, &it.acme.agent.secret, &it.boss.token, "provider-secret"] {
            assert!(!all.contains(secret), "{format}");
        }
        let own = it.app.by(&it.globex.admin, get(&path)).await.text();
        assert!(own.contains(&it.globex.tenant), "{format}");
        for foreign in [&it.acme.tenant, &it.acme.user.id, &it.annex.tenant, &it.north] {
            assert!(all.contains(foreign) && !own.contains(foreign), "{format}: {foreign}");
        }
    }
}
