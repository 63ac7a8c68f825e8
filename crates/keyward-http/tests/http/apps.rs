//! Applications of the interactive types, their addresses, and lists of what expires.

use serde_json::{Value, json};

use crate::support::{Client, DAY, TestApp, admin, column, get, id_of, is_well_formed, patch, post};

async fn fixture() -> (TestApp, String) {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    (app, acme)
}

fn body(tenant: &str, kind: &str, more: &Value) -> Value {
    let mut body = json!({
        "name": kind, "type": kind, "tenant_id": tenant, "client_id": format!("app-{kind}"),
        "allowed_scopes": ["points:read"]
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A web application keeps a secret; what runs in other people's hands gets none.
#[actix_web::test]
async fn types_and_their_secrets() {
    let (app, acme) = fixture().await;
    for (kind, uri, has_secret) in [
        ("web", "https://app.example/callback", true),
        ("spa", "https://app.example/callback", false),
        ("native", "com.example.app:/callback", false),
    ] {
        let more = json!({ "redirect_uris": [uri] });
        let reply =
            app.admin(post(&admin("applications")).json(&body(&acme, kind, &more))).await.expect(201, kind);
        let made = reply.json();
        assert_eq!((&made["type"], &made["redirect_uris"]), (&json!(kind), &json!([uri])), "{kind}");
        let secret = made["secret"]["value"].as_str();
        assert_eq!(
            secret.is_some_and(|value| is_well_formed(value, "kws_live_")),
            has_secret,
            "{kind}: {made}"
        );
        assert_eq!(reply.text().contains("kws_"), has_secret, "{kind}");
        let secrets = format!("applications/{}/secrets", id_of(&made));
        let total = app.ok(get(&admin(&secrets))).await["pagination"]["total"].clone();
        assert_eq!(total, u8::from(has_secret), "{kind}");
    }
    let found = app.ok(get(&admin("applications?type=web"))).await;
    assert_eq!(column(&found, "client_id"), ["acme.app-web"]);
}

/// What can't keep a secret gets none later, either.
#[actix_web::test]
async fn no_secret_for_what_cant_keep_one() {
    let (app, acme) = fixture().await;
    for kind in ["web", "spa", "native"] {
        let made = app.create("applications", &body(&acme, kind, &json!({}))).await;
        let path = admin(&format!("applications/{}/secrets", id_of(&made)));
        let reply = app.admin(post(&path).json(&json!({}))).await;
        let expected: &[u16] = if kind == "web" { &[201] } else { &[409, 422] };
        assert!(expected.contains(&reply.status), "{kind}: {} {}", reply.status, reply.text());
    }
}

/// Client credentials are for services and agents: with the right secret a web application is told so.
#[actix_web::test]
async fn client_credentials_are_not_for_browsers() {
    let (app, acme) = fixture().await;
    let more = json!({ "redirect_uris": ["https://app.example/callback"] });
    let made = app.create("applications", &body(&acme, "web", &more)).await;
    let web = Client {
        id: id_of(&made),
        client_id: made["client_id"].as_str().unwrap().to_owned(),
        secret: made["secret"]["value"].as_str().unwrap().to_owned(),
        secret_id: id_of(&made["secret"]),
    };
    let refused = app.ask(&web, &[]).await.expect(400, "a web application").json();
    assert_eq!(refused["error"], "unauthorized_client");
    for kind in ["spa", "native"] {
        let made = app.create("applications", &body(&acme, kind, &json!({}))).await;
        let client_id = made["client_id"].as_str().unwrap();
        let form = [("grant_type", "client_credentials"), ("client_id", client_id)];
        let reply = app.send(post(crate::support::TOKEN).form(&form)).await;
        assert!([400, 401].contains(&reply.status), "{kind}: {}", reply.text());
        assert!(reply.json().get("access_token").is_none(), "{kind}");
    }
    let service = app.client(&acme, "job", &["points:read"]).await;
    app.token(&service).await;
}

/// Addresses that could send a browser anywhere else.
const BAD: [&str; 42] = [
    "",
    " ",
    "/callback",
    "callback",
    "//app.example/cb",
    "app.example/cb",
    "http://app.example/cb",
    "http://localhost.evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1@evil.example/cb",
    "https://app.example/cb#fragment",
    "https://app.example/cb#",
    "https://*.app.example/cb",
    "https://app.example/*",
    "https://app.example/cb?next=*",
    "*",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://app.example/%0aalert(1)",
    "data:text/html,x",
    "DATA:text/html;base64,eA==",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://app.example/x",
    "about:blank",
    "https://good@evil.example/cb",
    "https://good:pw@evil.example/cb",
    "https://a@b@evil.example/cb",
    "https://app.example\\@evil.example/cb",
    "https://app.example\\.evil.example/cb",
    "https:\\\\app.example\\cb",
    "https://app.example/a/../b",
    "https://app.example/a/%2e%2e/b",
    "https://app.example/..;/b",
    "https:///cb",
    "https://",
    "https:app.example/cb",
    "https://app.example:0/cb",
    "https://app.example:99999/cb",
    "https://app.example/ cb",
    "https://app.example/c\u{e9}",
];

/// Each bad address alone is refused for every type, at creation and at a change, wherever it stands in the list.
#[actix_web::test]
async fn redirect_uris() {
    let (app, acme) = fixture().await;
    let mut accepted = Vec::new();
    let more = json!({ "redirect_uris": ["https://app.example/callback"] });
    for kind in ["web", "spa", "native"] {
        let made = app.create("applications", &body(&acme, kind, &more)).await;
        let path = admin(&format!("applications/{}", id_of(&made)));
        for bad in BAD {
            let uris =
                json!({ "redirect_uris": ["https://app.example/callback", bad], "client_id": "fresh" });
            let reply = app.admin(post(&admin("applications")).json(&body(&acme, kind, &uris))).await;
            if reply.status != 422 || reply.pointers() != ["/redirect_uris/1"] {
                accepted.push(format!("{kind} created with {bad:?}: {} {}", reply.status, reply.text()));
            }
            let reply = app.admin(patch(&path).json(&json!({ "redirect_uris": [bad] }))).await;
            if reply.status != 422 || reply.pointers() != ["/redirect_uris/0"] {
                accepted.push(format!("{kind} changed to {bad:?}: {} {}", reply.status, reply.text()));
            }
        }
        assert_eq!(app.ok(get(&path)).await["redirect_uris"], more["redirect_uris"], "{kind}");
        for good in [
            "https://app.example/cb?x=1",
            "https://app.example:8443/cb",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:3000/cb",
        ] {
            let read = app
                .edit(path.trim_start_matches("/api/v1/admin/"), &json!({ "redirect_uris": [good] }))
                .await;
            assert_eq!(read["redirect_uris"], json!([good]), "{kind}");
        }
        let own = patch(&path).json(&json!({ "redirect_uris": ["com.example.app:/cb"] }));
        app.admin(own).await.expect(if kind == "native" { 200 } else { 422 }, "a scheme of its own");
        for wrong in [json!("https://app.example"), json!([7]), json!([null])] {
            let reply = app.admin(patch(&path).json(&json!({ "redirect_uris": wrong }))).await;
            reply.expect_invalid("/redirect_uris", kind);
        }
    }
    assert_eq!(accepted, Vec::<String>::new());
    let service = json!({ "redirect_uris": ["https://app.example/callback"] });
    let reply = app.admin(post(&admin("applications")).json(&body(&acme, "service", &service))).await;
    reply.expect_invalid("/redirect_uris", "a service signs nobody in");
}

/// Origins are a scheme, a host and perhaps a port.
#[actix_web::test]
async fn origins() {
    let (app, acme) = fixture().await;
    let made = app.create("applications", &body(&acme, "spa", &json!({}))).await;
    let path = format!("applications/{}", id_of(&made));
    for good in ["https://app.example", "https://app.example:8443", "http://localhost:3000"] {
        let read = app.edit(&path, &json!({ "allowed_origins": [good] })).await;
        assert_eq!(read["allowed_origins"], json!([good]));
    }
    for bad in [
        "",
        "*",
        "null",
        "https://*",
        "https://*.app.example",
        "https://app.example/",
        "https://app.example/x",
        "https://app.example?x",
        "https://app.example#x",
        "http://app.example",
        "app.example",
        "ftp://app.example",
        "https://u@app.example",
        "https://app.example:0",
        "https://app.example https://evil.example",
        "file://",
    ] {
        let reply = app.admin(patch(&admin(&path)).json(&json!({ "allowed_origins": [bad] }))).await;
        reply.expect_invalid("/allowed_origins/0", bad);
    }
}

/// The list of what expires: from now on, within so many days, within the reach of every other filter.
#[actix_web::test]
async fn expires_within_days() {
    let (app, acme) = fixture().await;
    let globex = app.tenant("globex").await;
    for (tenant, name, days) in
        [(&acme, "soon", 5), (&acme, "later", 25), (&acme, "last", 300), (&globex, "other", 5)]
    {
        let body = json!({
            "type": "service", "tenant_id": tenant, "client_id": name, "expires_at": app.moment(days * DAY)
        });
        app.create("applications", &body).await;
    }
    let found = async |query: &str| {
        let list = app.ok(get(&admin(&format!("applications?{query}")))).await;
        let mut names = column(&list, "client_id");
        assert_eq!(list["pagination"]["total"], names.len(), "{query}");
        names.sort();
        names
    };
    assert_eq!(found("expires_within_days=1").await, Vec::<String>::new());
    assert_eq!(found("expires_within_days=6").await, ["acme.soon", "globex.other"]);
    assert_eq!(found("expires_within_days=30").await, ["acme.later", "acme.soon", "globex.other"]);
    assert_eq!(found(&format!("expires_within_days=30&tenant_id={acme}")).await, ["acme.later", "acme.soon"]);
    assert_eq!(found("expires_within_days=30&q=later").await, ["acme.later"]);
    app.advance(10 * DAY);
    assert_eq!(found("expires_within_days=30").await, ["acme.later"], "what has expired expires no more");
    assert_eq!(found("expired=true").await, ["acme.soon", "globex.other"]);
    assert_eq!(found(&format!("expired=true&tenant_id={acme}")).await, ["acme.soon"]);
    assert_eq!(found(&format!("expired=false&tenant_id={acme}")).await, ["acme.last", "acme.later"]);
    for wrong in [
        "expires_within_days=-1",
        "expires_within_days=x",
        "expires_within_days=",
        "expires_within_days=1.5",
        "expired=yes",
        "expired=",
    ] {
        let reply = app.admin(get(&admin(&format!("applications?{wrong}")))).await;
        assert!([400, 422].contains(&reply.status), "{wrong}: {}", reply.text());
    }
    let twice = get(&admin("applications?expires_within_days=1&expires_within_days=2"));
    app.admin(twice).await.expect(422, "a repeated parameter");
    for other in ["tenants", "users", "groups"] {
        app.admin(get(&admin(&format!("{other}?expires_within_days=1")))).await.expect(422, other);
    }
}
