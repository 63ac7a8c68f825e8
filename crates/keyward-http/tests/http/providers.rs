//! Identity providers: strict configuration, and secrets that go in and never come out.

use serde_json::{Value, json};

use crate::support::{TestApp, admin, get, id_of, oidc, patch, post};

const SECRET: &str = "provider-secret-1";

async fn fixture() -> (TestApp, String) {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    (app, acme)
}

fn provider(tenant: &str, config: &Value) -> Value {
    json!({ "name": "Entra ID", "kind": "oidc", "tenant_id": tenant, "config": config })
}

fn saml() -> Value {
    json!({
        "entity_id": "https://idp.example/saml", "sso_url": "https://idp.example/sso",
        "certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    })
}

/// The secret is in no answer, no list, no event and no replay.
#[actix_web::test]
async fn the_secret_never_comes_out() {
    let (app, acme) = fixture().await;
    let body = provider(&acme, &oidc("https://idp.example"));
    let create = || post(&admin("identity-providers")).json(&body).header("idempotency-key", "k");
    let mut texts = Vec::new();
    let made = app.admin(create()).await.expect(201, "a provider");
    texts.push(made.text());
    let made = made.json();
    assert!(id_of(&made).starts_with("idp_"));
    assert_eq!((&made["kind"], &made["status"]), (&json!("oidc"), &json!("active")));
    let mut shown = oidc("https://idp.example");
    shown.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(made["config"], shown, "all but the secret");
    texts.push(app.admin(create()).await.expect(201, "a replay").text());
    let path = admin(&format!("identity-providers/{}", id_of(&made)));
    texts.push(app.admin(get(&path)).await.expect(200, "reading").text());
    texts.push(app.admin(get(&admin("identity-providers"))).await.text());
    let second = json!({ "config": { "client_secret": "provider-secret-2" } });
    texts.push(app.admin(patch(&path).json(&second)).await.expect(200, "another secret").text());
    texts
        .push(app.admin(patch(&path).json(&json!({ "name": "x" }))).await.expect(200, "another name").text());
    let wrong = json!({ "config": { "client_secret": SECRET, "colour": "blue" } });
    texts.push(app.admin(patch(&path).json(&wrong)).await.expect(422, "an unknown member").text());
    texts.push(Value::from(app.events("").await).to_string());
    texts.push(app.admin(get(&admin("audit/export"))).await.text());
    texts.push(app.admin(get(&admin("audit/export?format=csv"))).await.text());
    for text in texts {
        assert!(!text.contains("provider-secret"), "{text}");
    }
}

/// A new secret alone is a change like any other: with a new version and a record.
#[actix_web::test]
async fn a_new_secret_is_a_change() {
    let (app, acme) = fixture().await;
    let made = app.create("identity-providers", &provider(&acme, &oidc("https://idp.example"))).await;
    let path = admin(&format!("identity-providers/{}", id_of(&made)));
    let before = app.admin(get(&path)).await.header("etag").to_owned();
    app.advance(1);
    let second = json!({ "config": { "client_secret": "provider-secret-2" } });
    let reply = app.admin(patch(&path).json(&second)).await.expect(200, "another secret");
    assert_ne!(reply.header("etag"), before, "the secret was not stored");
    assert_eq!(reply.json()["updated_at"], app.moment(0));
    let of = format!("action=identity_provider.updated&resource={}", id_of(&made));
    assert_eq!(app.events(&of).await.len(), 1);
}

/// Where the secret is sent changes only together with the secret.
#[actix_web::test]
async fn endpoints_move_with_the_secret() {
    let (app, acme) = fixture().await;
    let made = app.create("identity-providers", &provider(&acme, &oidc("https://idp.example"))).await;
    let path = admin(&format!("identity-providers/{}", id_of(&made)));
    let change = |config: Value| patch(&path).json(&json!({ "config": config }));
    let moves = [json!({ "issuer": "https://evil.example" }), json!({ "issuer": "https://idp.example/" })];
    for config in moves {
        let reply = app.admin(change(config.clone())).await;
        reply.expect_invalid("/config/client_secret", &config.to_string());
    }
    assert_eq!(app.ok(get(&path)).await["config"]["issuer"], "https://idp.example");
    let both = json!({ "issuer": "https://other.example", "client_secret": "provider-secret-2" });
    let read = app.admin(change(both)).await.expect(200, "with the secret").json();
    assert_eq!(read["config"]["issuer"], "https://other.example");
    for config in [json!({ "scopes": ["openid", "email"] }), json!({ "issuer": "https://other.example" })] {
        app.admin(change(config.clone())).await.expect(200, &format!("it goes nowhere else: {config}"));
    }
}

/// Members that there are not, and addresses that are none.
#[actix_web::test]
async fn configurations_that_are_refused() {
    let (app, acme) = fixture().await;
    let refuse = async |pointer: &str, body: Value| {
        let reply = app.admin(post(&admin("identity-providers")).json(&body)).await;
        reply.expect_invalid(pointer, &body.to_string());
    };
    let with = |base: Value, kind: &str, name: &str, value: Value| {
        let mut config = base;
        config[name] = value;
        json!({ "name": "x", "kind": kind, "tenant_id": acme, "config": config })
    };
    let addresses = [
        "",
        "idp.example",
        "//idp.example",
        "/idp",
        "ftp://idp.example",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://idp.example#x",
        "https://idp .example",
        "https://user@idp.example",
        "https://user:pw@idp.example",
        "https://*.example",
        "https://idp.example\\@evil.example",
        "https://idp.example?x=1",
        "http://idp.example\u{0}",
    ];
    let mut accepted = Vec::new();
    for address in addresses {
        for (base, kind, name) in [(oidc("https://x.example"), "oidc", "issuer"), (saml(), "saml", "sso_url")]
        {
            // A sign-in address may have a query; an issuer has none.
            if name == "sso_url" && address.contains('?') {
                continue;
            }
            let body = with(base, kind, name, json!(address));
            let reply = app.admin(post(&admin("identity-providers")).json(&body)).await;
            let pointer = format!("/config/{name}");
            if reply.status != 422 || !reply.pointers().contains(&pointer) {
                accepted.push(format!("{name} {address:?}: {}", reply.status));
            }
        }
    }
    assert_eq!(accepted, Vec::<String>::new());
    for (name, value) in [
        ("colour", json!("blue")),
        ("token_endpoint", json!("https://evil.example")),
        ("Issuer", json!("https://idp.example")),
        ("issuer", json!(7)),
        ("issuer", Value::Null),
        ("client_id", json!("")),
        ("client_id", json!(7)),
        ("client_secret", json!(7)),
        ("client_secret", json!("")),
        ("scopes", json!("openid")),
        ("scopes", json!([7])),
    ] {
        refuse(&format!("/config/{name}"), with(oidc("https://x.example"), "oidc", name, value)).await;
    }
    for (name, value) in
        [("issuer", json!("https://x.example")), ("entity_id", json!(7)), ("certificate", json!(""))]
    {
        refuse(&format!("/config/{name}"), with(saml(), "saml", name, value)).await;
    }
    for missing in ["issuer", "client_id"] {
        let mut config = oidc("https://x.example");
        config.as_object_mut().unwrap().remove(missing);
        refuse(&format!("/config/{missing}"), provider(&acme, &config)).await;
    }
    for config in [json!({}), json!({ "entity_id": "x" })] {
        refuse("/config", json!({ "name": "x", "kind": "saml", "tenant_id": acme, "config": config })).await;
    }
    for config in [json!([]), json!("x"), Value::Null] {
        refuse("/config", provider(&acme, &config)).await;
    }
    refuse("/kind", json!({ "name": "x", "kind": "ldap", "tenant_id": acme, "config": {} })).await;
    assert_eq!(app.ok(get(&admin("identity-providers"))).await["pagination"]["total"], 0);
    app.create("identity-providers", &with(saml(), "saml", "sso_url", json!("https://idp.example/sso?x=1")))
        .await;
    app.create("identity-providers", &provider(&acme, &oidc("https://idp.example/tenant/v2.0"))).await;
}

/// Kind and place are fixed, everything else can be changed.
#[actix_web::test]
async fn changes() {
    let (app, acme) = fixture().await;
    let made = app.create("identity-providers", &provider(&acme, &oidc("https://idp.example"))).await;
    let path = format!("identity-providers/{}", id_of(&made));
    for (name, value) in [("name", json!("Okta")), ("status", json!("disabled")), ("status", json!("active"))]
    {
        assert_eq!(app.edit(&path, &json!({ name: value })).await[name], value);
    }
    let read = app.edit(&path, &json!({ "config": { "scopes": null } })).await;
    assert!(read["config"].get("scopes").is_none(), "RFC 7396, nested: {read}");
    for (name, value) in [("kind", json!("saml")), ("tenant_id", Value::Null), ("sealed_secret", json!("x"))]
    {
        let reply = app.admin(patch(&admin(&path)).json(&json!({ name: value }))).await;
        reply.expect_invalid(&format!("/{name}"), name);
    }
    let required = patch(&admin(&path)).json(&json!({ "config": { "issuer": null } }));
    app.admin(required).await.expect(422, "a required member can't be taken away");
    app.remove(&path).await;
    app.admin(get(&admin(&path))).await.expect(404, "deleted");
}
