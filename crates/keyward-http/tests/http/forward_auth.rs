//! `GET /forward-auth`: a reverse proxy asks whether a request may pass, and learns who sent it.

use serde_json::{Value, json};

use crate::support::{
    Call, Client, FORWARD, HOUR, IDENTITY, Key, PEER, TestApp, basic_value, call, check_problem, decode,
    encode, forward, scopes, verdict_of,
};

const OTHER_API: &str = "https://points.example";

struct Fixture {
    app: TestApp,
    acme: String,
    client: Client,
    token: String,
    key: Key,
}

async fn fixture() -> Fixture {
    let app = TestApp::with(|options, http| {
        options.resources = vec![OTHER_API.to_owned()];
        http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:adjust", "points:read"]).await;
    Fixture {
        token: app.token(&client).await,
        key: app.key(&acme, &["points:adjust", "points:read"]).await,
        client,
        app,
        acme,
    }
}

impl Fixture {
    async fn verdict(&self, call: Call, what: &str) -> String {
        verdict_of(&self.app.send(call).await, what)
    }
}

/// Who it is: five headers, each of them always there.
#[actix_web::test]
async fn identity() {
    let it = fixture().await;
    let globex = it.app.tenant("globex").await;
    let hub = it.app.global("hub", &["points:read"]).await;
    let grant = |tenant: &str| json!({ "tenant_id": tenant, "permissions": ["points:read"] });
    it.app.grant(&hub, &json!([grant(&it.acme), grant(&globex)])).await;
    let platform = it.app.global("platform", &["points:read"]).await;
    let staff = it.app.staff(&it.acme, "ada", &["points:read"]).await;
    let agent = it.app.agent(Some(&it.acme), &json!({ "allowed_scopes": ["points:read"] })).await;
    let (hub_token, platform_token) = (it.app.token(&hub).await, it.app.token(&platform).await);
    let agent_token = it.app.token(&agent).await;
    let user = decode(&staff.token);
    let mut both = [it.acme.clone(), globex];
    both.sort();
    let ask = || forward("permission=points:read");
    let acme = it.acme.as_str();
    let all = "points:adjust points:read";
    let own = it.client.client_id.as_str();
    let cases = [
        ("a tenant's client", ask().bearer(&it.token), own, acme, all, own),
        ("a key", ask().header("x-api-key", &it.key.value), it.key.id.as_str(), acme, all, ""),
        (
            "of two tenants",
            ask().bearer(&hub_token),
            hub.client_id.as_str(),
            &both.join(" "),
            "points:read",
            hub.client_id.as_str(),
        ),
        (
            "of the platform",
            ask().bearer(&platform_token),
            platform.client_id.as_str(),
            "",
            "points:read",
            platform.client_id.as_str(),
        ),
        ("an agent", ask().bearer(&agent_token), &agent.id, acme, "points:read", &agent.id),
        ("a person", ask().bearer(&staff.token), &staff.id, acme, "points:read", user.text("client_id")),
    ];
    for (name, call, subject, tenant, scope, client) in cases {
        let reply = it.app.send(call).await;
        assert_eq!(verdict_of(&reply, name), "ok", "{name}");
        assert_eq!(reply.header("x-keyward-subject"), subject, "{name}");
        let mut tenants: Vec<&str> = reply.header("x-keyward-tenant").split(' ').collect();
        tenants.sort_unstable();
        assert_eq!(tenants.join(" "), tenant, "{name}");
        assert_eq!(scopes(reply.header("x-keyward-scope")), scopes(scope), "{name}");
        assert_eq!(reply.header("x-keyward-client"), client, "{name}");
        assert_eq!(reply.header("x-keyward-environment"), "production", "{name}");
    }
}

/// What the caller sends under the names of the reply is not in the reply, whatever is asked.
#[actix_web::test]
async fn forged_identities() {
    let it = fixture().await;
    let forged = |mut call: Call| {
        for name in IDENTITY {
            call = call.header(name, "forged");
        }
        call
    };
    for credential in [forward("").bearer(&it.token), forward("").header("x-api-key", &it.key.value)] {
        let plain = it.app.send(credential.clone()).await;
        let reply = it.app.send(forged(credential)).await;
        assert_eq!(verdict_of(&reply, "forged"), "ok");
        for name in IDENTITY {
            assert_eq!(reply.header(name), plain.header(name), "{name}");
        }
    }
    let reply = it.app.send(forged(forward(""))).await;
    assert_eq!(verdict_of(&reply, "without a credential"), "credentials_missing");
}

/// 401: what is wrong with the credential.
#[actix_web::test]
async fn credentials_that_do_not_work() {
    let it = fixture().await;
    let (token, key) = (it.token.as_str(), it.key.value.as_str());
    let parts: Vec<&str> = token.split('.').collect();
    let unsigned = |alg: &str| {
        let header = encode(&json!({ "alg": alg, "typ": "at+jwt", "kid": decode(token).header["kid"] }));
        format!("{header}.{}.", parts[1])
    };
    let mut longer = decode(token).claims;
    longer["scope"] = json!("points:adjust points:read read:users");
    let altered = format!("{}.{}.{}", parts[0], encode(&longer), parts[2]);
    let retyped = encode(&json!({ "alg": "ES256", "typ": "JWT", "kid": decode(token).header["kid"] }));
    let retyped = format!("{retyped}.{}.{}", parts[1], parts[2]);
    let elsewhere = it.app.token_for(&it.client, &[("resource", OTHER_API)]).await;
    let ask = |require: &str| forward(&format!("require={require}"));
    let bearer = |value: &str| ask("bearer").header("authorization", value);
    let basic = basic_value(&it.client.client_id, &it.client.secret);
    for (name, call, code) in [
        ("nothing, either", ask("either"), "credentials_missing"),
        ("nothing, by default", forward(""), "credentials_missing"),
        ("nothing, bearer", ask("bearer"), "credentials_missing"),
        ("nothing, api_key", ask("api_key"), "credentials_missing"),
        ("nothing, both", ask("both"), "credentials_missing"),
        ("a key for a token", ask("bearer").header("x-api-key", key), "credentials_missing"),
        ("a token for a key", ask("api_key").bearer(token), "credentials_missing"),
        ("the key alone", ask("both").header("x-api-key", key), "credentials_missing"),
        ("the token alone", ask("both").bearer(token), "credentials_missing"),
        ("the bare token", bearer(token), "scheme_missing"),
        ("another scheme", bearer(&format!("Token {token}")), "scheme_missing"),
        ("Basic", bearer(&basic), "scheme_missing"),
        ("garbage", bearer("Bearer nonsense"), "token_malformed"),
        ("two tokens", bearer(&format!("Bearer {token} {token}")), "token_malformed"),
        ("the key as a token", bearer(&format!("Bearer {key}")), "token_malformed"),
        ("cut short", ask("bearer").bearer(&token[..token.len() - 3]), "token_malformed"),
        ("altered", ask("bearer").bearer(&altered), "token_malformed"),
        ("of another type", ask("bearer").bearer(&retyped), "token_malformed"),
        ("unsigned", ask("bearer").bearer(&unsigned("none")), "token_malformed"),
        ("unsigned, in capitals", ask("bearer").bearer(&unsigned("NONE")), "token_malformed"),
        ("for another API", ask("bearer").bearer(&elsewhere), "token_wrong_audience"),
        ("a token as a key", ask("api_key").header("x-api-key", token), "key_invalid"),
        ("a secret as a key", ask("api_key").header("x-api-key", &it.client.secret), "key_invalid"),
        ("a key with Bearer", ask("api_key").header("x-api-key", &format!("Bearer {key}")), "key_invalid"),
    ] {
        assert_eq!(it.verdict(call, name).await, code, "{name}");
    }
    for credential in ["access_token", "api_key", "x-api-key", "key"] {
        let query = forward(&format!("require=either&{credential}={key}"));
        it.app.send(query).await.expect(400, "a credential in the query");
    }
    for good in [
        bearer(&format!("Bearer {token}")),
        bearer(&format!("bearer {token}")),
        ask("either").bearer(token),
        ask("either").header("x-api-key", key),
        ask("api_key").header("x-api-key", key),
        forward("").bearer(token),
        forward("").header("X-API-KEY", key),
    ] {
        let what = format!("{good:?}");
        assert_eq!(it.verdict(good, &what).await, "ok", "{what}");
    }
    it.app.advance(HOUR);
    assert_eq!(it.verdict(ask("bearer").bearer(token), "expired").await, "token_expired");
}

/// 403: what the credential lacks, and that it is good otherwise.
#[actix_web::test]
async fn missing_permissions() {
    let it = fixture().await;
    let (client, key) = (
        it.app.client(&it.acme, "small", &["points:read"]).await,
        it.app.key(&it.acme, &["points:read"]).await,
    );
    let token = it.app.token(&client).await;
    for credential in
        [("a token", "authorization", format!("Bearer {token}")), ("a key", "x-api-key", key.value.clone())]
    {
        let (name, header, value) = credential;
        let ask = |query: &str| forward(query).header(header, &value);
        for (query, missing) in [
            ("permission=points:adjust", "points:adjust"),
            ("permission=points%3Aadjust", "points:adjust"),
            ("permission=points:read&permission=points:adjust", "points:adjust"),
            ("permission=points:adjust&permission=points:read", "points:adjust"),
            ("permission=admin:read", "admin:read"),
        ] {
            let what = format!("{name}, {query}");
            let reply = it.app.send(ask(query)).await;
            assert_eq!(verdict_of(&reply, &what), "permission_denied", "{what}");
            let body = reply.json();
            assert_eq!(body["held_permissions"], json!(["points:read"]), "{what}");
            let required = body["required_permissions"].as_array().unwrap();
            assert!(required.contains(&json!(missing)), "{what}: {body}");
            let challenge = reply.header("www-authenticate");
            assert!(challenge.contains(missing), "{what}: the missing one is named: {challenge}");
        }
        for query in ["", "permission=points:read", "permission=points:read&permission=points:read"] {
            assert_eq!(it.verdict(ask(query), name).await, "ok", "{name}, {query}");
        }
        // Nobody can have what there is not, and a prefix or a pattern is no permission.
        for unknown in
            ["points:steal", "points", "*", "points:*", "POINTS:READ", "points:read%20points:adjust"]
        {
            let reply = it.app.send(ask(&format!("permission={unknown}"))).await;
            assert!([400, 403].contains(&reply.status), "{name}, {unknown}: {}", reply.text());
            check_problem(&reply, unknown);
        }
    }
    let both = "permission=points:read&permission=points:adjust";
    assert_eq!(it.verdict(forward(both).bearer(&it.token), "whoever has both").await, "ok");
    assert_eq!(it.verdict(forward(both).header("x-api-key", &it.key.value), "likewise").await, "ok");
}

/// 400: a question that is none, even with the best of credentials.
#[actix_web::test]
async fn questions_that_are_refused() {
    let it = fixture().await;
    let (token, key) = (it.token.as_str(), it.key.value.as_str());
    for query in [
        "require=anything",
        "require=",
        "require=Bearer",
        "require=bearer,api_key",
        "require=bearer&require=either",
        "colour=blue",
        "Permission=points:read",
        "permissions=points:read",
        "scope=points:read",
        "permission=points:read&tenant=acme",
        "environment=production&environment=staging",
    ] {
        let reply = it.app.send(forward(query).bearer(token)).await.expect(400, query);
        check_problem(&reply, query);
        for name in IDENTITY {
            assert_eq!(reply.header(name), "", "{query}: {name}");
        }
    }
    let other = it.app.token(&it.client).await;
    let plain = || forward("require=either");
    for (name, call) in [
        ("two tokens", plain().bearer(token).bearer(&other)),
        ("the token twice", plain().bearer(token).bearer(token)),
        ("a token and garbage", plain().bearer(token).header("authorization", "x")),
        ("two keys", plain().header("x-api-key", key).header("x-api-key", "x")),
        ("the key twice", plain().header("x-api-key", key).header("x-api-key", key)),
        (
            "the key twice beside a token",
            plain().bearer(token).header("x-api-key", key).header("x-api-key", key),
        ),
    ] {
        let reply = it.app.send(call).await.expect(400, name);
        check_problem(&reply, name);
    }
    let unknown = it.app.send(forward("environment=moon").bearer(token)).await;
    assert!([400, 403].contains(&unknown.status), "an unknown environment: {}", unknown.text());
    for method in ["PUT", "DELETE", "PATCH"] {
        it.app.send(call(method.parse().unwrap(), FORWARD).bearer(token)).await.expect(405, method);
    }
    assert_eq!(it.verdict(plain().bearer(token), "no defect").await, "ok");
}

/// For `token.audience`, or for the audience that the question names.
#[actix_web::test]
async fn audiences() {
    let it = fixture().await;
    let elsewhere = it.app.token_for(&it.client, &[("resource", OTHER_API)]).await;
    let api = format!("{}/api", crate::support::ISSUER);
    for (query, token, code) in [
        (String::new(), &it.token, "ok"),
        (String::new(), &elsewhere, "token_wrong_audience"),
        (format!("audience={OTHER_API}"), &elsewhere, "ok"),
        (format!("audience={OTHER_API}"), &it.token, "token_wrong_audience"),
        (format!("audience={api}"), &it.token, "ok"),
        (format!("audience={api}/"), &it.token, "token_wrong_audience"),
        (format!("audience={OTHER_API}/v1"), &elsewhere, "token_wrong_audience"),
        ("audience=https://unknown.example".to_owned(), &it.token, "token_wrong_audience"),
    ] {
        let reply = it.app.send(forward(&query).bearer(token)).await;
        if reply.status == 400 {
            assert!(query.contains("unknown") || query.ends_with('/') || query.ends_with("v1"), "{query}");
            continue;
        }
        assert_eq!(verdict_of(&reply, &query), code, "{query}");
    }
    let key = forward(&format!("audience={OTHER_API}")).header("x-api-key", &it.key.value);
    assert_eq!(it.verdict(key, "a key has no audience").await, "ok");
}

/// A credential is of one environment; the first configured one counts when none is named.
#[actix_web::test]
async fn environments() {
    let it = fixture().await;
    let staging = it
        .app
        .application(&json!({
            "reach": "tenant", "tenant_id": it.acme, "client_id": "stage", "environment": "staging",
            "allowed_scopes": ["points:read"]
        }))
        .await;
    let token = it.app.token(&staging).await;
    for (query, token, code) in [
        ("permission=points:read", &it.token, "ok"),
        ("permission=points:read&environment=production", &it.token, "ok"),
        ("permission=points:read&environment=staging", &it.token, "token_wrong_environment"),
        ("permission=points:read", &token, "token_wrong_environment"),
        ("permission=points:read&environment=production", &token, "token_wrong_environment"),
        ("permission=points:read&environment=staging", &token, "ok"),
    ] {
        let reply = it.app.send(forward(query).bearer(token)).await;
        assert_eq!(verdict_of(&reply, query), code, "{query}");
        if code == "ok" {
            let expected = if query.contains("staging") { "staging" } else { "production" };
            assert_eq!(reply.header("x-keyward-environment"), expected, "{query}");
        }
    }
}

/// A key's list of addresses counts from the caller of the protected API, as a trusted proxy reports it.
#[actix_web::test]
async fn addresses() {
    let it = fixture().await;
    let key = it.app.key_with(&it.acme, &json!({ "allowed_ips": [PEER] })).await;
    let ask = |peer: &str, forwarded: &str| {
        let call = forward("require=api_key").header("x-api-key", &key.value).from(peer);
        if forwarded.is_empty() { call } else { call.header("x-forwarded-for", forwarded) }
    };
    for (name, call, code) in [
        ("directly", ask(PEER, ""), "ok"),
        ("from elsewhere", ask("203.0.113.8", ""), "permission_denied"),
        ("behind a trusted proxy", ask("10.1.2.3", PEER), "ok"),
        ("behind two", ask("10.1.2.3", &format!("{PEER}, 10.9.9.9")), "ok"),
        ("elsewhere behind one", ask("10.1.2.3", "203.0.113.8"), "permission_denied"),
        ("a forged entry behind one", ask("10.1.2.3", &format!("{PEER}, 203.0.113.8")), "permission_denied"),
        ("a forged header", ask("203.0.113.8", PEER), "permission_denied"),
    ] {
        assert_eq!(it.verdict(call, name).await, code, "{name}");
    }
}

/// The three ways are in the published description.
#[actix_web::test]
async fn they_are_described() {
    let app = TestApp::start().await;
    let document = app.send(crate::support::get("/openapi.json")).await.json();
    for (path, method) in [(FORWARD, "get"), (crate::support::VERIFY, "post"), ("/oauth2/revocations", "get")]
    {
        let operation = &document["paths"][path][method];
        assert_ne!(*operation, Value::Null, "{method} {path}");
        assert!(operation["responses"]["200"].is_object(), "{method} {path}: {operation}");
    }
}
