//! What a refusal looks like, and what of a request and its reply is left alone.

use keyward_guard::{Credentials, PROBLEM_JSON};
use reqwest::Method;
use serde_json::json;

use crate::support::{Issuer, apis, builder, builder_with_keys, outcome, secret_key, send, usual};

#[actix_web::test]
async fn a_repeated_header_is_refused_even_when_equal() {
    let issuer = Issuer::start();
    let guard = builder_with_keys(&issuer).connect().await.unwrap();
    let bearer = format!("Bearer {}", issuer.token(&usual()));
    let key = secret_key(&issuer, "tnt_1", &["points:read"]);
    for api in apis(&guard).await {
        for path in ["/bearer", "/api_key", "/either", "/both", "/authenticated"] {
            let (token, key) = (("authorization", &*bearer), ("x-api-key", &*key));
            for headers in [&[token, token][..], &[token, key, key], &[token, key, token, key], &[key, key]] {
                let reply = api.get(path, headers).await;
                assert_eq!(
                    (reply.status, &*reply.outcome()),
                    (400, "invalid_request"),
                    "{} {path}",
                    api.name
                );
            }
        }
        assert_eq!(api.outcome("/both", &[("authorization", &bearer), ("x-api-key", &key)]).await, "ok");
    }
}

#[actix_web::test]
async fn a_refusal_says_why_and_what_would_help() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).environment("production").connect().await.unwrap();
    let id = ("x-request-id", "req-7");
    for api in apis(&guard).await {
        let reply = api.get("/bearer", &[id]).await;
        let challenge = "Bearer error=\"invalid_token\", error_description=\"Send an access token: Authorization: Bearer  \"";
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, challenge));
        let expected = json!({
            "type": "about:blank", "title": "Unauthorized", "status": 401, "code": "credentials_missing",
            "detail": "Send an access token: Authorization: Bearer …", "request_id": "req-7",
        });
        assert_eq!(reply.json(), expected, "{}", api.name);

        let bearer = format!("Bearer {}", issuer.token(&json!({ "scope": "a points:read b" })));
        let reply = api.get("/all", &[("authorization", &bearer)]).await;
        let challenge = "Bearer error=\"insufficient_scope\", scope=\"points:adjust points:read\"";
        assert_eq!((reply.status, reply.header("www-authenticate")), (403, challenge));
        let expected = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "permission_denied",
            "detail": "The credential lacks the permission points:adjust.",
            "required_permissions": ["points:adjust", "points:read"],
            "held_permissions": ["a", "b", "points:read"],
        });
        assert_eq!(reply.json(), expected, "{}", api.name);
        assert_eq!(reply.header("content-type"), PROBLEM_JSON);
    }
}

#[actix_web::test]
async fn bare_tokens_are_taken_only_when_that_is_switched_on() {
    let issuer = Issuer::start();
    let token = issuer.token(&usual());
    let (lower, spaced) = (format!("bearer {token}"), format!("BEARER   {token}"));
    let basic = format!("Basic {token}");
    let cases = [
        (&*token, "scheme_missing", "ok"),
        (&*lower, "ok", "ok"),
        (&*spaced, "ok", "ok"),
        (&*basic, "scheme_missing", "scheme_missing"),
        ("Bearer", "credentials_missing", "credentials_missing"),
        ("Bearer x.y.z", "token_malformed", "token_malformed"),
        ("x.y.z", "scheme_missing", "token_malformed"),
    ];
    let strict = builder(&issuer).connect().await.unwrap();
    let lenient = builder(&issuer).accept_bare_tokens().connect().await.unwrap();
    for (strict, lenient) in apis(&strict).await.iter().zip(&apis(&lenient).await) {
        for (value, without, with) in cases {
            assert_eq!(strict.outcome("/bearer", &[("authorization", value)]).await, without, "{value:.20}");
            assert_eq!(lenient.outcome("/bearer", &[("authorization", value)]).await, with, "{value:.20}");
        }
    }
}

#[actix_web::test]
async fn an_extractor_without_a_guard_is_a_mistake_of_the_api() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).build().unwrap();
    let bearer = format!("Bearer {}", issuer.token(&usual()));
    for api in apis(&guard).await {
        let reply = api.get("/unguarded", &[("authorization", &bearer)]).await;
        assert_eq!((reply.status, &*reply.outcome()), (500, "internal"), "{}", api.name);
        assert!(reply.header("www-authenticate").is_empty());
    }
    assert_eq!(issuer.fetches(), 0, "nobody asked for keys");
}

#[actix_web::test]
async fn what_the_service_does_is_left_alone() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).connect().await.unwrap();
    let bearer = format!("Bearer {}", issuer.token(&usual()));
    let body = "x".repeat(200_000);
    for api in apis(&guard).await {
        let headers = [("authorization", &*bearer)];
        let reply = send(api.request(Method::POST, "/bearer", &headers).body(body.clone())).await;
        assert_eq!((reply.status, reply.text == body), (200, true), "{}", api.name);
        let refused = send(api.request(Method::POST, "/bearer", &[]).body(body.clone())).await;
        assert_eq!((refused.status, &*refused.outcome()), (401, "credentials_missing"), "{}", api.name);
        let failing = api.get("/handlers/failing", &headers).await;
        assert_eq!((failing.status, &*failing.text), (418, "the service's own"), "{}", api.name);
        // A preflight has no credentials: whoever lets browsers in answers it outside of the guard.
        let preflight = send(api.request(Method::OPTIONS, "/bearer", &[])).await;
        assert_eq!(preflight.status, 401, "{}", api.name);
        let head = send(api.request(Method::HEAD, "/bearer", &[])).await;
        assert_eq!((head.status, head.header("content-type")), (401, PROBLEM_JSON), "{}", api.name);
    }
}

#[actix_web::test]
async fn a_handler_can_ask_for_more() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).connect().await.unwrap();
    let bearer = |claims| format!("Bearer {}", issuer.token(&claims));
    let (tenant, platform) = (bearer(usual()), bearer(json!({ "tenants": null })));
    let (poor, none) = (bearer(json!({ "scope": null })), bearer(json!({ "tenants": [] })));
    for api in apis(&guard).await {
        for (path, token, expected) in [
            ("/handlers/tenants/tnt_1", &tenant, "ok"),
            ("/handlers/tenants/tnt_2", &tenant, "tenant_mismatch"),
            ("/handlers/tenants/tnt_2", &platform, "ok"),
            ("/handlers/tenants/tnt_1", &none, "tenant_mismatch"),
            ("/handlers/tenants/tnt_1", &poor, "permission_denied"),
        ] {
            let reply = api.get(path, &[("authorization", token)]).await;
            assert_eq!(reply.outcome(), expected, "{} {path}", api.name);
        }
    }
}

/// The core needs no framework.
#[actix_web::test]
async fn the_core_judges_raw_headers() {
    let issuer = Issuer::start();
    let guard = builder(&issuer).build().unwrap();
    let header = format!("Bearer {}", issuer.token(&usual()));
    let protection = guard.require("points:read");
    let caller = protection.check(&Credentials::new([header.as_bytes()], [])).await.unwrap();
    assert_eq!(caller.subject(), "acme.crm");
    assert!(!format!("{caller:?} {guard:?} {protection:?}").contains(&header[7..]));
    for bytes in [&b"Bearer \xff\xfe"[..], b"Bearer \0", b"Bearer a\x7f"] {
        let result = protection.check(&Credentials::new([bytes], [])).await;
        assert_eq!(outcome(&result), "token_malformed");
    }
}
