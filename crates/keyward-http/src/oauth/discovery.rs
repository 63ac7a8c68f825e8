//! The documents by which clients and APIs find everything else.

use actix_web::{
    HttpRequest, HttpResponse, Route,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL},
    web,
};
use keyward_model::{ADMIN_READ, ADMIN_WRITE, TokenAlgorithm};
use serde_json::{Value, json};

use super::{
    AUTHORIZE_PATH, INTROSPECT_PATH, JWKS_PATH, REVOKE_PATH, SIGN_OUT_PATH, TOKEN_PATH, USERINFO_PATH,
};
use crate::{
    State,
    operation::{Endpoint, Operation},
    problem::Problem,
    protection::FEED_PATH,
};

pub(crate) fn operations() -> Vec<Operation> {
    let document = |path: &str, id: &'static str, summary: &'static str, route: fn() -> Route| Operation {
        tag: "Discovery",
        ..Operation::get(path, id, summary, Endpoint::Plain(route))
    };
    vec![
        document(
            "/.well-known/oauth-authorization-server",
            "authorizationServerMetadata",
            "What this authorization server can do (RFC 8414).",
            || web::route().to(authorization_server),
        ),
        document(
            "/.well-known/openid-configuration",
            "openidConfiguration",
            "The same in the form of OpenID Connect Discovery.",
            || web::route().to(openid_configuration),
        ),
        document(JWKS_PATH, "jwks", "The keys that verify tokens (RFC 7517).", || web::route().to(jwks)),
        document(
            "/.well-known/oauth-protected-resource",
            "protectedResourceMetadata",
            "What the admin API accepts (RFC 9728).",
            || web::route().to(protected_resource),
        ),
        document(
            "/.well-known/oauth-protected-resource/api",
            "protectedResourceMetadataByPath",
            "The same, at the address that belongs to a resource with the path /api.",
            || web::route().to(protected_resource),
        ),
    ]
}

/// A document that anybody may read and keep for a while.
fn public(state: &State, media_type: &str, body: String) -> HttpResponse {
    let seconds = state.keyward.options().jwks_cache_seconds;
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CACHE_CONTROL, format!("public, max-age={seconds}")))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body(body)
}

async fn metadata(state: &State, request: &HttpRequest, openid: bool) -> HttpResponse {
    let keyward = &state.keyward;
    let issuer = &keyward.options().issuer;
    let scopes = match keyward.scopes_supported().await {
        Ok(permissions) => {
            let identity = keyward_core::IDENTITY_SCOPES.into_iter().map(str::to_owned);
            identity.chain(permissions).collect::<Vec<_>>()
        }
        Err(error) => return Problem::new(&error, request, keyward).into(),
    };
    let at = |path: &str| format!("{issuer}{path}");
    let auth_methods = json!(["client_secret_basic", "client_secret_post"]);
    let mut document = json!({
        "issuer": issuer,
        "token_endpoint": at(TOKEN_PATH),
        "introspection_endpoint": at(INTROSPECT_PATH),
        "revocation_endpoint": at(REVOKE_PATH),
        "revocation_feed_endpoint": at(FEED_PATH),
        "jwks_uri": at(JWKS_PATH),
        "scopes_supported": scopes,
        "authorization_endpoint": at(AUTHORIZE_PATH),
        "end_session_endpoint": at(SIGN_OUT_PATH),
        "userinfo_endpoint": at(USERINFO_PATH),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
        "authorization_response_iss_parameter_supported": true,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        // No other method will ever be accepted.
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": auth_methods,
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "service_documentation": at("/openapi.json"),
    });
    if openid {
        document["subject_types_supported"] = json!(["public"]);
        document["claims_supported"] = json!([
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "amr",
            "sid",
            "at_hash",
            "email",
            "name",
            "preferred_username",
            "updated_at",
        ]);
        document["id_token_signing_alg_values_supported"] =
            TokenAlgorithm::ALL.iter().map(|algorithm| Value::from(algorithm.as_str())).collect();
    }
    public(state, "application/json", document.to_string())
}

async fn authorization_server(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    metadata(&state, &request, false).await
}

async fn openid_configuration(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    metadata(&state, &request, true).await
}

async fn jwks(state: web::Data<State>) -> HttpResponse {
    public(&state, "application/json", state.keyward.jwks().to_string())
}

async fn protected_resource(state: web::Data<State>) -> HttpResponse {
    let options = state.keyward.options();
    let document = json!({
        "resource": options.admin_audience,
        "authorization_servers": [options.issuer],
        "jwks_uri": format!("{}{JWKS_PATH}", options.issuer),
        "bearer_methods_supported": ["header"],
        "scopes_supported": [ADMIN_READ, ADMIN_WRITE],
        "resource_documentation": format!("{}/openapi.json", options.issuer),
    });
    public(&state, "application/json", document.to_string())
}
