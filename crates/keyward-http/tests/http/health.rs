//! Health, readiness, and what is not there.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::support::{TestApp, admin, call, get};

#[actix_web::test]
async fn alive_and_ready() {
    let app = TestApp::start().await;
    for path in ["/livez", "/readyz"] {
        app.send(get(path)).await.expect(200, path);
    }
}

/// Readiness names the check that fails; liveness needs no storage.
#[actix_web::test]
async fn storage_is_gone() {
    let app = TestApp::start().await;
    app.store.no_reads.store(true, Ordering::SeqCst);
    app.send(get("/livez")).await.expect(200, "alive without storage");
    let reply = app.send(get("/readyz")).await.expect(503, "not ready without storage");
    assert!(reply.text().contains("database") || reply.text().contains("storage"), "{}", reply.text());
    assert!(!reply.text().contains("keyward.db"), "the cause is not for strangers: {}", reply.text());
    app.store.no_reads.store(false, Ordering::SeqCst);
    app.send(get("/readyz")).await.expect(200, "ready again");
}

/// On SIGTERM readiness goes false while requests are still answered.
#[actix_web::test]
async fn draining() {
    let app = TestApp::start().await;
    app.draining.store(true, Ordering::SeqCst);
    app.send(get("/readyz")).await.expect(503, "draining");
    app.send(get("/livez")).await.expect(200, "alive until the end");
    app.ok(get(&admin("tenants"))).await;
}

/// Metrics have a listener of their own, or none.
#[actix_web::test]
async fn no_metrics_on_the_public_port() {
    let app = TestApp::start().await;
    app.send(get("/metrics")).await.expect(404, "metrics");
}

/// What does not exist is 404, what exists with other methods is 405, and each reply has its own `X-Request-Id`.
#[actix_web::test]
async fn unknown_paths_and_methods() {
    let app = TestApp::start().await;
    let mut seen = std::collections::BTreeSet::new();
    let nowhere =
        ["/nowhere", "/oauth2", "/oauth2/nowhere", "/api/v1/nowhere", "/.well-known/nowhere", "/%2e%2e/x"];
    for path in nowhere {
        for method in ["GET", "POST", "DELETE"] {
            let reply = app.send(call(method.parse().unwrap(), path)).await.expect(404, path);
            assert!(seen.insert(reply.header("x-request-id").to_owned()), "X-Request-Id is repeated");
        }
    }
    let id = format!("tnt_{}", "0".repeat(26));
    for path in ["nowhere", "tenantss", &format!("tenants/{id}/nowhere"), "applications/x/y/z/w"] {
        let reply = app.admin(get(&admin(path))).await.expect(404, path);
        assert_ne!(reply.json(), Value::Null);
        assert!(seen.insert(reply.header("x-request-id").to_owned()));
    }
    for (method, path) in [
        ("PUT", "tenants".to_owned()),
        ("DELETE", "tenants".to_owned()),
        ("PATCH", "applications".to_owned()),
        ("POST", format!("tenants/{id}")),
        ("POST", "audit".to_owned()),
        ("DELETE", "audit".to_owned()),
    ] {
        let reply = app.admin(call(method.parse().unwrap(), &admin(&path))).await.expect(405, &path);
        assert!(reply.header("allow").contains("GET"), "{method} {path}: {}", reply.header("allow"));
    }
}
