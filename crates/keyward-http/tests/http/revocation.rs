//! Token revocation (RFC 7009).

use serde_json::json;

use crate::support::{Client, DAY, TestApp, admin, call, decode, get, made_up, post};

const PATH: &str = "/oauth2/revoke";

async fn fixture() -> (TestApp, Client) {
    let app = TestApp::start().await;
    app.catalogue().await;
    let acme = app.tenant("acme").await;
    let client = app.client(&acme, "crm-sync", &["points:read"]).await;
    (app, client)
}

async fn is_active(app: &TestApp, client: &Client, token: &str) -> bool {
    app.introspect(client, token).await["active"] == true
}

#[actix_web::test]
async fn a_revoked_token_is_dead_at_once() {
    let (mut app, client) = fixture().await;
    let (token, sibling) = (app.token(&client).await, app.token(&client).await);
    assert!(is_active(&app, &client, &token).await);
    app.revoke(&client, &token).await.expect(200, "revoked");
    assert_eq!(app.introspect(&client, &token).await, json!({ "active": false }));
    assert!(is_active(&app, &client, &sibling).await, "another token of the client");
    app.revoke(&client, &token).await.expect(200, "revoked again");
    app.ask(&client, &[]).await.expect(200, "the client itself lives on");
    app.restart(|_| {}).await;
    assert!(!is_active(&app, &client, &token).await, "after a restart");
    assert!(is_active(&app, &client, &sibling).await, "after a restart");
}

#[actix_web::test]
async fn in_the_admin_api_too() {
    let (app, _) = fixture().await;
    let token = app.token(&app.root).await;
    let tenants = || get(&admin("tenants")).bearer(&token);
    app.send(tenants()).await.expect(200, "before");
    app.revoke(&app.root, &token).await.expect(200, "revoked");
    app.send(tenants()).await.expect(401, "after");
    app.ok(get(&admin("tenants"))).await;
}

/// Another client's token stays as it is, whatever the answer.
#[actix_web::test]
async fn of_others() {
    let (app, client) = fixture().await;
    let other = app.global("other", &["points:read"]).await;
    let token = app.token(&client).await;
    for revoker in [&other, &app.root] {
        let reply = app.revoke(revoker, &token).await;
        assert!([200, 400].contains(&reply.status), "RFC 7009 section 2.1: {}", reply.text());
        assert!(is_active(&app, &client, &token).await, "revoked by {}", revoker.client_id);
    }
    app.revoke(&client, &token).await.expect(200, "its own client");
    assert!(!is_active(&app, &client, &token).await);
}

#[actix_web::test]
async fn what_is_no_token() {
    let (app, client) = fixture().await;
    let token = app.token(&client).await;
    for wrong in ["nonsense", &token[..token.len() - 2], &made_up('r', "live"), &"x".repeat(5_000)] {
        let reply = app.revoke(&client, wrong).await.expect(200, wrong);
        assert!(!reply.text().contains("active"), "{wrong}");
    }
    assert!(is_active(&app, &client, &token).await);
    app.advance(DAY);
    app.revoke(&client, &token).await.expect(200, "an expired token");
}

#[actix_web::test]
async fn malformed_requests() {
    let (app, client) = fixture().await;
    let (id, secret) = (client.client_id.as_str(), client.secret.as_str());
    let token = app.token(&client).await;
    let wrong = made_up('s', "live");
    let plain = || post(PATH).basic(id, secret);
    let cases = [
        ("no token", plain().form(&[("x", "y")]), 400, "invalid_request"),
        ("an empty token", plain().form(&[("token", "")]), 400, "invalid_request"),
        ("the token twice", plain().form(&[("token", &token), ("token", "x")]), 400, "invalid_request"),
        ("both ways", plain().form(&[("token", &token), ("client_secret", secret)]), 400, "invalid_request"),
        ("nobody", post(PATH).form(&[("token", &token)]), 401, "invalid_client"),
        (
            "a client ID alone",
            post(PATH).form(&[("token", &token), ("client_id", id)]),
            401,
            "invalid_client",
        ),
        ("a wrong secret", post(PATH).basic(id, &wrong).form(&[("token", &token)]), 401, "invalid_client"),
    ];
    for (name, request, status, error) in cases {
        let basic = request.has_header("authorization");
        let reply = app.send(request).await.expect(status, name);
        assert_eq!(reply.json()["error"], error, "{name}");
        assert!(status != 401 || !basic || reply.header("www-authenticate").starts_with("Basic"), "{name}");
        assert!(is_active(&app, &client, &token).await, "{name} revoked the token");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let request = call(method.parse().unwrap(), PATH).basic(id, secret).query(&format!("token={token}"));
        app.send(request).await.expect(405, method);
    }
    assert!(is_active(&app, &client, &token).await);
}

/// A hint that is wrong or unknown is only a hint.
#[actix_web::test]
async fn hints() {
    let (app, client) = fixture().await;
    for hint in ["access_token", "refresh_token", "nonsense", ""] {
        let token = app.token(&client).await;
        let form = [("token", token.as_str()), ("token_type_hint", hint)];
        let request = post(PATH).basic(&client.client_id, &client.secret).form(&form);
        app.send(request).await.expect(200, hint);
        assert!(!is_active(&app, &client, &token).await, "{hint}");
    }
}

#[actix_web::test]
async fn it_is_in_the_audit_log_once() {
    let (app, client) = fixture().await;
    let token = app.token(&client).await;
    app.revoke(&client, &token).await.expect(200, "revoked");
    app.revoke(&client, &token).await.expect(200, "revoked again");
    app.revoke(&client, "nonsense").await.expect(200, "no token");
    let jti = decode(&token).text("jti").to_owned();
    let events = app.events("action=token.revoked").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["resource"]["id"], jti);
    assert_eq!(events[0]["actor"]["id"], client.id);
    assert_eq!(events[0]["result"], "success");
}
