//! `POST /api/v1/keys/verify`: what it says of a key, to whom, and of whose keys.

use serde_json::{Value, json};

use crate::support::{
    Call, HOUR, Key, KeyFixture, PEER, TestApp, VERIFY, call, check_problem, made_up, post, with_checksum,
};

impl KeyFixture {
    async fn verify(&self, body: &Value) -> Value {
        self.app.verify(&self.verifier, body).await
    }
}

#[actix_web::test]
async fn a_good_key() {
    let it = KeyFixture::start(&["points:adjust", "points:read"]).await;
    for asked in [json!([]), json!(["points:read"]), json!(["points:adjust", "points:read"])] {
        let mut seen = it.verify(&json!({ "key": it.key.value, "permissions": asked })).await;
        let held = seen["permissions"].as_array_mut().unwrap();
        held.sort_by_key(|one| one.as_str().unwrap().to_owned());
        for (name, value) in [
            ("valid", json!(true)),
            ("code", Value::Null),
            ("key_id", json!(it.key.id)),
            ("tenant_id", json!(it.acme)),
            ("permissions", json!(["points:adjust", "points:read"])),
            ("missing", json!([])),
            ("environment", json!("production")),
            ("kind", json!("secret")),
        ] {
            assert_eq!(seen[name], value, "{name} of {seen}, asked for {asked}");
        }
        assert!(!seen.to_string().contains(&it.key.value[13..]), "the key is in the reply");
    }
    let seen = it.verify(&json!({ "key": it.key.value })).await;
    assert_eq!(seen["valid"], true, "no permission need be named: {seen}");
}

/// A good key that lacks a permission: which it lacks, and which it has.
#[actix_web::test]
async fn a_missing_permission() {
    let it = KeyFixture::start(&["points:adjust", "points:read"]).await;
    for (asked, missing) in [
        (json!(["read:users"]), json!(["read:users"])),
        (json!(["points:read", "read:users"]), json!(["read:users"])),
        (json!(["create:users", "read:users"]), json!(["create:users", "read:users"])),
        (json!(["admin:read"]), json!(["admin:read"])),
    ] {
        let mut seen = it.verify(&json!({ "key": it.key.value, "permissions": asked })).await;
        assert_eq!((&seen["valid"], &seen["code"]), (&json!(false), &json!("permission_denied")), "{seen}");
        let list = seen["missing"].as_array_mut().unwrap();
        list.sort_by_key(|one| one.as_str().unwrap().to_owned());
        assert_eq!(seen["missing"], missing, "{asked}");
        assert_eq!((&seen["key_id"], &seen["tenant_id"]), (&json!(it.key.id), &json!(it.acme)), "{asked}");
    }
    let seen = it.verify(&json!({ "key": it.key.value, "permissions": ["points:read"] })).await;
    assert_eq!(seen["valid"], true, "what it has");
    // A permission that nobody can have is refused one way or the other, and never found in a key.
    let token = it.app.token(&it.verifier).await;
    for unknown in ["points:steal", "points", "*", "POINTS:READ", ""] {
        let body = json!({ "key": it.key.value, "permissions": [unknown] });
        let reply = it.app.send(post(VERIFY).json(&body).bearer(&token)).await;
        let valid = reply.json()["valid"] == true;
        assert!([200, 422].contains(&reply.status) && !valid, "{unknown}: {}", reply.text());
    }
}

/// Whatever is no key: one answer, which tells nothing.
#[actix_web::test]
async fn what_is_no_key() {
    let it = KeyFixture::start(&["points:adjust", "points:read"]).await;
    let client = it.app.client(&it.acme, "crm-sync", &["points:read"]).await;
    let agent = it.app.agent(Some(&it.acme), &json!({})).await;
    let value = &it.key.value;
    let altered =
        format!("{}{}{}", &value[..20], if &value[20..21] == "x" { "y" } else { "x" }, &value[21..]);
    let random = &value["kwk_live_".len()..value.len() - 6];
    let unknown = it.verify(&json!({ "key": made_up('k', "live") })).await;
    assert_eq!((&unknown["valid"], &unknown["code"]), (&json!(false), &json!("key_invalid")), "{unknown}");
    for name in ["key_id", "tenant_id", "environment", "kind"] {
        assert_eq!(unknown[name], Value::Null, "{name} of {unknown}");
    }
    for (name, wrong) in [
        ("a word", "nonsense".to_owned()),
        ("cut short", value[..value.len() - 1].to_owned()),
        ("too long", format!("{value}0")),
        ("altered", altered),
        ("a wrong checksum", format!("{}000000", &value[..value.len() - 6])),
        ("in capitals", value.to_uppercase()),
        ("with a space in front", format!(" {value}")),
        ("with a line break behind", format!("{value}\n")),
        ("with a NUL behind", format!("{value}\0")),
        ("in quotation marks", format!("\"{value}\"")),
        ("of the other environments' tag", with_checksum(&format!("kwk_test_{random}"))),
        ("of another kind", with_checksum(&format!("kws_live_{random}"))),
        ("of the publishable kind", with_checksum(&format!("kwt_live_{random}"))),
        ("a client's secret", client.secret.clone()),
        ("an agent's secret", agent.secret.clone()),
        ("a token", it.app.token(&client).await),
        ("its identifier", it.key.id.clone()),
        ("its hint", value[..13].to_owned()),
        ("very long", "k".repeat(100_000)),
        ("unknown, publishable", made_up('t', "live")),
        ("unknown, test", made_up('k', "test")),
    ] {
        let seen = it.verify(&json!({ "key": wrong, "permissions": ["points:read"] })).await;
        assert_eq!((&seen["valid"], &seen["code"]), (&json!(false), &json!("key_invalid")), "{name}: {seen}");
        assert_eq!((&seen["key_id"], &seen["tenant_id"]), (&Value::Null, &Value::Null), "{name}: {seen}");
    }
    assert_eq!(it.verify(&json!({ "key": value })).await["valid"], true, "the key itself");
}

#[actix_web::test]
async fn requests_that_are_refused() {
    let it = KeyFixture::start(&["points:adjust", "points:read"]).await;
    let token = it.app.token(&it.verifier).await;
    let key = it.key.value.as_str();
    for (pointer, body) in [
        ("/key", json!({})),
        ("/key", json!({ "key": null })),
        ("/key", json!({ "key": 7 })),
        ("/key", json!({ "key": [key] })),
        ("/permissions", json!({ "key": key, "permissions": "points:read" })),
        ("/permissions", json!({ "key": key, "permissions": [7] })),
        ("/environment", json!({ "key": key, "environment": "moon" })),
        ("/environment", json!({ "key": key, "environment": 7 })),
        ("/ip", json!({ "key": key, "ip": "nonsense" })),
        ("/ip", json!({ "key": key, "ip": "10.0.0.0/8" })),
        ("/ip", json!({ "key": key, "ip": 7 })),
        ("/tenant_id", json!({ "key": key, "tenant_id": it.acme })),
        ("/permission", json!({ "key": key, "permission": "points:read" })),
        ("/valid", json!({ "key": key, "valid": true })),
    ] {
        let reply = it.app.send(post(VERIFY).json(&body).bearer(&token)).await;
        reply.expect_invalid(pointer, &body.to_string());
        check_problem(&reply, &body.to_string());
        assert!(!reply.text().contains(&key[13..]), "the key is in the refusal");
    }
    let good = json!({ "key": key }).to_string();
    let cases = [
        ("no JSON", post(VERIFY).raw("application/json", "{"), 400),
        ("no body", post(VERIFY).raw("application/json", ""), 400),
        ("a form", post(VERIFY).form(&[("key", key)]), 415),
        ("text", post(VERIFY).raw("text/plain", good.clone()), 415),
        ("too large", post(VERIFY).raw("application/json", " ".repeat(1_100_000)), 413),
        ("a key in the query", post(VERIFY).query(&format!("key={key}")).raw("application/json", "{}"), 422),
    ];
    for (name, call, status) in cases {
        it.app.send(call.bearer(&token)).await.expect(status, name);
    }
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        it.app.send(call(method.parse().unwrap(), VERIFY).bearer(&token)).await.expect(405, method);
    }
    it.app.send(post(VERIFY).raw("application/json", good).bearer(&token)).await.expect(200, "no defect");
}

/// By a service token with `keys:verify`, and by nothing else.
#[actix_web::test]
async fn who_may_ask() {
    let it = KeyFixture::start(&["points:adjust", "points:read"]).await;
    let resource = "https://points.example";
    let app = TestApp::with(|options, _| options.resources = vec![resource.to_owned()]).await;
    let verifier = app.verifier().await;
    let elsewhere = app.token_for(&verifier, &[("resource", resource)]).await;
    let ask = || post(VERIFY).json(&json!({ "key": made_up('k', "live") }));
    app.send(ask().bearer(&elsewhere)).await.expect(401, "a token for another API");
    app.send(ask().bearer(&app.token(&verifier).await)).await.expect(200, "one for this");
    let verify = || post(VERIFY).json(&json!({ "key": it.key.value }));
    let good = it.app.token(&it.verifier).await;
    let revoked = it.app.token(&it.verifier).await;
    it.app.revoke(&it.verifier, &revoked).await.expect(200, "revoked");
    let basic = verify().basic(&it.verifier.client_id, &it.verifier.secret);
    let query = post(VERIFY).query(&format!("access_token={good}")).json(&json!({ "key": it.key.value }));
    for (name, call) in [
        ("nobody", verify()),
        ("the bare token", verify().header("authorization", &good)),
        ("Basic", basic),
        ("a token in the query", query),
        ("garbage", verify().bearer("nonsense")),
        ("cut short", verify().bearer(&good[..good.len() - 2])),
        ("a revoked token", verify().bearer(&revoked)),
        ("the key itself", verify().bearer(&it.key.value)),
        ("the key in its own header", verify().header("x-api-key", &it.key.value)),
    ] {
        let reply = it.app.send(call).await.expect(401, name);
        check_problem(&reply, name);
        assert!(reply.header("www-authenticate").starts_with("Bearer"), "{name}");
        assert!(reply.json()["valid"].is_null(), "{name}");
    }
    let lacking = it.app.client(&it.acme, "lacking", &["points:read"]).await;
    let reader = it.app.global("reader", &["admin:read"]).await;
    let both = it.app.global("both", &["keys:verify", "points:read"]).await;
    let narrowed = it.app.token_for(&both, &[("scope", "points:read")]).await;
    for (name, token) in [
        ("another permission", it.app.token(&lacking).await),
        ("the platform's", it.app.token(&reader).await),
        ("a narrowed token", narrowed),
    ] {
        let reply = it.app.send(verify().bearer(&token)).await.expect(403, name);
        check_problem(&reply, name);
        let body = reply.json();
        assert_eq!(body["required_permissions"], json!(["keys:verify"]), "{name}");
        assert!(body["held_permissions"].is_array(), "{name}");
        let challenge = reply.header("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{name}: {challenge}");
        assert!(challenge.contains("scope=\"keys:verify\""), "{name}: {challenge}");
        assert!(body["valid"].is_null(), "{name}");
    }
    it.app.send(verify().bearer(&good)).await.expect(200, "with it");
    it.app.advance(HOUR);
    it.app.send(verify().bearer(&good)).await.expect(401, "expired");
    let path = format!("applications/{}", it.verifier.id);
    let good = it.app.token(&it.verifier).await;
    it.app.edit(&path, &json!({ "allowed_scopes": ["points:read"] })).await;
    let status = it.app.send(verify().bearer(&good)).await.status;
    assert!([401, 403].contains(&status), "the permission is gone from an earlier token: {status}");
}

/// A tenant's application sees its tenant's keys; another's answers as one that does not exist.
#[actix_web::test]
async fn of_whose_keys() {
    let it = KeyFixture::start(&["points:adjust", "points:read"]).await;
    let globex = it.app.tenant("globex").await;
    let theirs = it.app.key(&globex, &["points:read"]).await;
    let (own_publishable, foreign) =
        (it.app.publishable_key(&it.acme).await, it.app.publishable_key(&globex).await);
    let own = it.app.client(&it.acme, "checker", &["keys:verify"]).await;
    let hub = it.app.global("hub", &["keys:verify"]).await;
    it.app.grant(&hub, &json!([{ "tenant_id": it.acme, "permissions": ["keys:verify"] }])).await;
    let partner = it.app.partner("reseller").await;
    it.app.edit(&format!("tenants/{}", it.acme), &json!({ "partner_id": partner })).await;
    let of_partner = it
        .app
        .application(&json!({
            "reach": "partner", "partner_id": partner, "client_id": "desk", "allowed_scopes": ["keys:verify"]
        }))
        .await;
    it.app.grant(&of_partner, &json!([{ "tenant_id": it.acme, "permissions": ["keys:verify"] }])).await;
    let disabled = it.app.key(&globex, &[]).await;
    it.app.edit(&format!("api-keys/{}", disabled.id), &json!({ "status": "disabled" })).await;
    for client in [&own, &hub, &of_partner] {
        let who = &client.client_id;
        let body = |key: &str| json!({ "key": key, "permissions": ["points:read"] });
        let unknown = it.app.verify(client, &body(&made_up('k', "live"))).await;
        assert_eq!(unknown["code"], "key_invalid", "{who}");
        for key in [&theirs.value, &foreign, &disabled.value] {
            assert_eq!(it.app.verify(client, &body(key)).await, unknown, "{who} learns of another's key");
        }
        assert_eq!(it.app.verify(client, &body(&it.key.value)).await["valid"], true, "{who}: its own");
        let seen = it.app.verify(client, &json!({ "key": own_publishable })).await;
        assert_eq!(seen["tenant_id"], it.acme, "{who}: its own publishable key");
    }
    for key in [&theirs.value, &it.key.value] {
        let seen = it.verify(&json!({ "key": key, "permissions": ["points:read"] })).await;
        assert_eq!(seen["valid"], true, "the platform's sees all: {seen}");
    }
    let denied = it.app.events(&format!("action=api_key.denied&tenant_id={globex}")).await;
    assert!(
        denied.iter().all(|event| event["tenant_id"] == globex),
        "the other tenant's log is its own: {denied:?}"
    );
}

/// `ip` is the caller's address; without it, the address of whoever asks, through trusted proxies.
#[actix_web::test]
async fn addresses() {
    let app = TestApp::with(|_, http| http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]).await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let verifier = app.verifier().await;
    let token = app.token(&verifier).await;
    let fields = json!({ "allowed_ips": [PEER, "198.51.100.0/24", "2001:db8::/32"] });
    let key = app.key_with(&acme, &fields).await;
    let free = app.key(&acme, &[]).await;
    let ask = |ip: Option<&str>, peer: &str, forwarded: Option<&str>, key: &Key| -> Call {
        let mut body = json!({ "key": key.value });
        if let Some(ip) = ip {
            body["ip"] = json!(ip);
        }
        let call = post(VERIFY).json(&body).bearer(&token).from(peer);
        match forwarded {
            Some(address) => call.header("x-forwarded-for", address),
            None => call,
        }
    };
    for (name, ip, peer, forwarded, allowed) in [
        ("its own", None, PEER, None, true),
        ("another", None, "203.0.113.8", None, false),
        ("named", Some("198.51.100.200"), "203.0.113.8", None, true),
        ("named, of the other family", Some("2001:db8:1::7"), "203.0.113.8", None, true),
        ("named, outside", Some("198.51.101.1"), PEER, None, false),
        ("named, outside, of the other family", Some("2001:db9::1"), PEER, None, false),
        ("behind a trusted proxy", None, "10.1.2.3", Some(PEER), true),
        ("behind a trusted proxy, outside", None, "10.1.2.3", Some("192.0.2.1"), false),
        ("a forged header", None, "203.0.113.8", Some(PEER), false),
        ("a forged header from inside", None, PEER, Some("192.0.2.1"), true),
        ("named behind a trusted proxy", Some("192.0.2.1"), "10.1.2.3", Some(PEER), false),
    ] {
        let seen = app.send(ask(ip, peer, forwarded, &key)).await.expect(200, name).json();
        let expected = if allowed { Value::Null } else { json!("permission_denied") };
        assert_eq!((&seen["valid"], &seen["code"]), (&json!(allowed), &expected), "{name}: {seen}");
        let seen = app.send(ask(ip, peer, forwarded, &free)).await.expect(200, name).json();
        assert_eq!(seen["valid"], true, "{name}: a key without a list works from everywhere");
    }
    app.edit(&format!("api-keys/{}", key.id), &json!({ "allowed_ips": ["192.0.2.0/24"] })).await;
    let seen = app.send(ask(None, PEER, None, &key)).await.json();
    assert_eq!(seen["code"], "permission_denied", "a change of the list counts at once");
}
