//! The OAuth endpoints, and the documents by which clients and APIs find them.

mod browser;
mod client;
mod cross_origin;
mod discovery;
mod endpoints;
mod params;
mod userinfo;

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{
            AUTHORIZATION, CACHE_CONTROL, ContentType, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
        },
    },
    web,
};
use keyward_core::{OAuthError, TokenReply, mask};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    openapi::BROWSERS,
    operation::{Body, Endpoint, Operation, Parameter, Success, shape},
    problem::quotable,
};

/// The token endpoint.
pub(crate) const TOKEN_PATH: &str = "/oauth2/token";
/// Where applications send browsers to obtain a code.
const AUTHORIZE_PATH: &str = "/oauth2/authorize";
const SIGN_OUT_PATH: &str = "/oauth2/logout";
const USERINFO_PATH: &str = "/oauth2/userinfo";
const INTROSPECT_PATH: &str = "/oauth2/introspect";
const REVOKE_PATH: &str = "/oauth2/revoke";
const JWKS_PATH: &str = "/.well-known/jwks.json";

/// The media types of requests to the endpoints.
const MEDIA_TYPES: &[&str] = &["application/x-www-form-urlencoded", "application/json"];

/// Whether errors at this path are those of RFC 6749.
pub(crate) fn is_oauth(path: &str) -> bool {
    path.starts_with("/oauth2/")
}

/// A request for a token (RFC 6749 sections 4.1.3, 4.4.2 and 6).
#[derive(ToSchema)]
#[schema(as = TokenRequest)]
#[expect(dead_code, reason = "describes what is read parameter by parameter")]
struct TokenForm {
    /// `client_credentials`, `authorization_code` or `refresh_token`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Permissions, separated by spaces; all that the client is allowed when left out.
    #[schema(nullable = false)]
    scope: Option<String>,
    /// The API that the token is for (RFC 8707).
    #[schema(nullable = false)]
    resource: Option<String>,
    /// Slug or identifier of a tenant, to narrow a client that is granted several.
    #[schema(nullable = false)]
    tenant: Option<String>,
    /// What the authorization endpoint gave.
    #[schema(nullable = false)]
    code: Option<String>,
    /// The address of the authorization request.
    #[schema(nullable = false)]
    redirect_uri: Option<String>,
    /// What the code challenge was made of (RFC 7636).
    #[schema(nullable = false)]
    code_verifier: Option<String>,
    /// What the tokens before brought along.
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// The client, when it does not authenticate by HTTP Basic.
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// Its secret, when it does not authenticate by HTTP Basic.
    #[schema(nullable = false)]
    client_secret: Option<String>,
}

/// A token and what goes with it (RFC 6749 section 5.1).
#[derive(ToSchema)]
#[schema(as = TokenResponse)]
#[expect(dead_code, reason = "describes what the core renders")]
struct TokenResponse {
    /// The token: a JWT of RFC 9068.
    access_token: String,
    /// `Bearer`.
    token_type: String,
    /// How long it lives, in seconds.
    expires_in: i64,
    /// What it allows.
    scope: String,
    /// Who the person is, when `openid` was asked for.
    #[schema(nullable = false)]
    id_token: Option<String>,
    /// What the next tokens are obtained with, when `offline_access` was asked for.
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

/// A request about a token (RFC 7662 section 2.1, RFC 7009 section 2.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is read parameter by parameter")]
struct AboutToken {
    /// The token.
    token: String,
    /// What kind of token it is; a hint only.
    #[schema(nullable = false)]
    token_type_hint: Option<String>,
}

/// What introspection says (RFC 7662 section 2.2). Only `active` when the token does not work or is not the caller's.
#[derive(ToSchema)]
#[schema(as = Introspection)]
#[expect(dead_code, reason = "describes what the core renders")]
struct IntrospectionResponse {
    /// Whether the token works now.
    active: bool,
    /// What it allows now.
    scope: Option<String>,
    /// The client that it was issued to.
    client_id: Option<String>,
    /// The tenants that it is good in.
    tenants: Option<Vec<String>>,
    /// When it expires, in seconds since the epoch.
    exp: Option<i64>,
}

pub(crate) fn operations() -> Vec<Operation> {
    let post = |path: &str, id: &'static str, summary: &'static str, endpoint, body, answer| Operation {
        tag: "OAuth",
        method: Method::POST,
        body: Some(Body { media_types: MEDIA_TYPES, shape: body, required: true }),
        success: Success { status: StatusCode::OK, shape: answer, is_list: false },
        ..Operation::get(path, id, summary, endpoint)
    };
    let mut all = vec![
        post(
            TOKEN_PATH,
            "token",
            "Obtain an access token (RFC 6749).",
            Endpoint::Plain(|| web::route().to(endpoints::token)),
            shape::<TokenForm>,
            Some(shape::<TokenResponse>),
        ),
        post(
            INTROSPECT_PATH,
            "introspect",
            "Ask whether a token works now (RFC 7662).",
            Endpoint::Plain(|| web::route().to(endpoints::introspect)),
            shape::<AboutToken>,
            Some(shape::<IntrospectionResponse>),
        ),
        post(
            REVOKE_PATH,
            "revoke",
            "End a token before its expiry (RFC 7009).",
            Endpoint::Plain(|| web::route().to(endpoints::revoke)),
            shape::<AboutToken>,
            None,
        ),
    ];
    all.extend(browser_operations());
    all.extend(discovery::operations());
    all
}

/// The endpoints for browsers, and for what applications learn of people.
fn browser_operations() -> Vec<Operation> {
    let moved = Success { status: StatusCode::SEE_OTHER, shape: None, is_list: false };
    let form = |path: &str, id: &'static str, summary: &'static str, parameters, endpoint| Operation {
        tag: BROWSERS,
        parameters,
        success: Success { ..moved },
        ..Operation::get(path, id, summary, endpoint)
    };
    let text = |names: &[&'static str]| -> Vec<Parameter> {
        let one = |name: &&'static str| Parameter::new(*name, "", json!({ "type": "string" }));
        names.iter().map(one).collect()
    };
    let about_person = Operation {
        tag: "People",
        success: Success { status: StatusCode::OK, shape: Some(shape::<userinfo::UserInfo>), is_list: false },
        ..Operation::get(
            USERINFO_PATH,
            "userinfo",
            "What a person allowed an application to know of them.",
            Endpoint::Plain(|| web::route().to(userinfo::userinfo)),
        )
    };
    vec![
        form(
            AUTHORIZE_PATH,
            "authorize",
            "Ask a person, in their browser, for a code (RFC 6749 section 4.1, PKCE with S256).",
            text(&[
                "response_type",
                "client_id",
                "redirect_uri",
                "scope",
                "state",
                "code_challenge",
                "code_challenge_method",
                "nonce",
                "prompt",
                "max_age",
                "login_hint",
                "idp_hint",
                "resource",
            ]),
            Endpoint::Plain(|| web::route().to(browser::authorize)),
        ),
        Operation {
            method: Method::POST,
            ..form(
                AUTHORIZE_PATH,
                "authorizeByForm",
                "The same with the parameters in a form.",
                Vec::new(),
                Endpoint::Plain(|| web::route().to(browser::authorize)),
            )
        },
        form(
            SIGN_OUT_PATH,
            "signOut",
            "Sign a person out (OpenID Connect RP-Initiated Logout).",
            text(&["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]),
            Endpoint::Plain(|| web::route().to(browser::sign_out)),
        ),
        Operation {
            method: Method::POST,
            ..form(
                SIGN_OUT_PATH,
                "signOutByForm",
                "The same with the parameters in a form.",
                Vec::new(),
                Endpoint::Plain(|| web::route().to(browser::sign_out)),
            )
        },
        about_person,
    ]
}

/// An answer that nobody may keep (RFC 6749 section 5.1).
fn private(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    answer(status).json(body)
}

fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    response
}

/// The answer with a token. What it is made of has nothing to escape (RFC 6749 appendix A): it need not be looked
/// through for that.
fn granted(reply: &TokenReply) -> HttpResponse {
    let TokenReply { access_token, token_type, expires_in, scope, id_token, refresh_token } = reply;
    if id_token.is_some() || refresh_token.is_some() {
        return private(StatusCode::OK, reply);
    }
    let body = format!(
        r#"{{"access_token":"{access_token}","token_type":"{token_type}","expires_in":{expires_in},"scope":"{scope}"}}"#
    );
    answer(StatusCode::OK).content_type(ContentType::json()).body(body)
}

/// A refusal (RFC 6749 section 5.2).
fn refusal(error: &OAuthError, request: &HttpRequest) -> HttpResponse {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let description = match mask(&error.description) {
        Cow::Borrowed(harmless) => quotable(harmless),
        Cow::Owned(_) => "The request has a credential where it does not belong.".to_owned(),
    };
    let mut response =
        private(status, &json!({ "error": error.code.as_str(), "error_description": description }));
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED && request.headers().contains_key(AUTHORIZATION) {
        headers
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"keyward\", charset=\"UTF-8\""));
    }
    if let Some(seconds) = error.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A refusal of a request that never came to the endpoint.
pub(crate) fn plain_error(status: StatusCode, detail: &str) -> HttpResponse {
    let code = if status.is_server_error() { "temporarily_unavailable" } else { "invalid_request" };
    private(status, &json!({ "error": code, "error_description": quotable(detail) }))
}
