//! Protecting other APIs: checking keys, deciding for proxies, and the revocation feed.

mod feed;
mod forward;
mod verify;

use actix_web::{
    http::{Method, StatusCode},
    web,
};
use keyward_core::{KeyVerdict, VerifyKey};
use keyward_model::KEYS_VERIFY;
use serde_json::json;

use crate::operation::{Body, Endpoint, Operation, Parameter, Success, shape};

/// Where the revocation feed is.
pub(crate) const FEED_PATH: &str = "/oauth2/revocations";
/// Where keys are verified.
const VERIFY_PATH: &str = "/api/v1/keys/verify";
/// Where proxies ask.
const FORWARD_PATH: &str = "/forward-auth";
const JSON: &[&str] = &["application/json"];
const TAG: &str = "Protection";

/// Whether a route is one by which others have credentials checked.
pub(crate) fn is_check(route: &str) -> bool {
    route == VERIFY_PATH || route.starts_with(FORWARD_PATH)
}

pub(crate) fn operations() -> Vec<Operation> {
    let text = || json!({ "type": "string" });
    let modes = json!({ "type": "string", "enum": ["bearer", "api_key", "either", "both"] });
    let requirement = vec![
        Parameter::new("permission", "A permission that is needed; may be repeated.", text()),
        Parameter::new("require", "The credentials that are needed; either when left out.", modes),
        Parameter::new("environment", "The environment; the first that is configured when left out.", text()),
        Parameter::new("audience", "The audience of tokens; the configured one when left out.", text()),
    ];
    vec![
        Operation {
            tag: TAG,
            method: Method::POST,
            body: Some(Body { media_types: JSON, shape: shape::<VerifyKey>, required: true }),
            success: Success { status: StatusCode::OK, shape: Some(shape::<KeyVerdict>), is_list: false },
            ..Operation::get(
                VERIFY_PATH,
                "verifyKey",
                "Ask whether an API key works now and has some permissions.",
                Endpoint::Token(|| web::route().to(verify::verify), KEYS_VERIFY),
            )
        },
        Operation {
            tag: TAG,
            parameters: requirement,
            ..Operation::get(
                FORWARD_PATH,
                "forwardAuth",
                "Decide on a request for a proxy: nginx auth_request, Traefik ForwardAuth.",
                Endpoint::Plain(|| web::route().to(forward::by_query)),
            )
        },
        Operation {
            tag: TAG,
            ..Operation::get(
                "/forward-auth/envoy/{path:.*}",
                "forwardAuthByHeaders",
                "Decide on a request for Envoy ext_authz; what is needed stands in headers that Envoy sets.",
                Endpoint::Any(|| web::route().to(forward::by_headers)),
            )
        },
        Operation {
            // Its errors are those of the OAuth endpoints.
            tag: "OAuth",
            parameters: vec![
                Parameter::new("cursor", "Where the last reading ended.", text()),
                Parameter::new(
                    "wait_seconds",
                    "How long to wait for something new.",
                    json!({ "type": "integer", "minimum": 0, "maximum": 25 }),
                ),
            ],
            ..Operation::get(
                FEED_PATH,
                "revocationFeed",
                "Read what was revoked, as a signed JWT.",
                Endpoint::Plain(|| web::route().to(feed::read)),
            )
        },
    ]
}
