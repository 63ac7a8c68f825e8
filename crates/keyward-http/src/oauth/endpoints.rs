//! Token, introspection and revocation endpoint.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::ORIGIN},
    web::{Bytes, Data, Payload},
};
use keyward_core::{ClientAuth, OAuthError, OAuthErrorCode, TokenRequest};

use super::{client::client, cross_origin::allow, granted, params::Params, plain_error, private, refusal};
use crate::{State, body, origin};

pub(super) async fn token(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let body = match body::read(payload, &state.settings).await {
        Ok(body) => body,
        Err(error) => return plain_error(error.status(), error.detail()),
    };
    let origin = origin(&request);
    let asked = token_request(&request, &body);
    let has_origin = request.headers().contains_key(ORIGIN);
    let client_id = asked.as_ref().ok().filter(|_| has_origin).and_then(|asked| asked.client.as_ref());
    let client_id = client_id.map(|client| client.client_id.clone());
    let answer = match asked {
        Ok(asked) => state.keyward.token(asked, &origin).await,
        Err(error) => Err(Box::pin(state.keyward.refuse_token(error, None, &origin)).await),
    };
    let response = match answer {
        Ok(reply) => granted(&reply),
        Err(error) => refusal(&error, &request),
    };
    if has_origin { allow(response, &request, &state.keyward, client_id.as_deref()).await } else { response }
}

fn token_request(request: &HttpRequest, body: &Bytes) -> Result<TokenRequest, OAuthError> {
    let params = Params::read(request, body)?;
    Ok(TokenRequest {
        client: client(request, &params)?,
        grant_type: params.owned("grant_type"),
        scope: params.owned("scope"),
        resource: params.owned("resource"),
        tenant: params.owned("tenant"),
        code: params.owned("code"),
        redirect_uri: params.owned("redirect_uri"),
        code_verifier: params.owned("code_verifier"),
        refresh_token: params.owned("refresh_token"),
    })
}

pub(super) async fn introspect(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let body = match body::read(payload, &state.settings).await {
        Ok(body) => body,
        Err(error) => return plain_error(error.status(), error.detail()),
    };
    let asked = match about_token(&request, &body) {
        Ok(asked) => asked,
        Err(error) => return refusal(&error, &request),
    };
    match state.keyward.introspect(asked.client, &asked.token, &origin(&request)).await {
        Ok(answer) => private(StatusCode::OK, &answer),
        Err(error) => refusal(&error, &request),
    }
}

pub(super) async fn revoke(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let body = match body::read(payload, &state.settings).await {
        Ok(body) => body,
        Err(error) => return plain_error(error.status(), error.detail()),
    };
    let asked = match about_token(&request, &body) {
        Ok(asked) => asked,
        Err(error) => return refusal(&error, &request),
    };
    match state.keyward.revoke(asked.client, &asked.token, &origin(&request)).await {
        Ok(()) => private(StatusCode::OK, &serde_json::json!({})),
        Err(error) => refusal(&error, &request),
    }
}

/// A request about a token, of a client that says who it is.
struct AboutToken {
    client: ClientAuth,
    token: String,
}

fn about_token(request: &HttpRequest, body: &Bytes) -> Result<AboutToken, OAuthError> {
    let params = Params::read(request, body)?;
    let client = client(request, &params)?.ok_or_else(|| {
        OAuthError::new(OAuthErrorCode::InvalidClient, "The request has no client authentication.")
    })?;
    let token = params
        .owned("token")
        .ok_or_else(|| OAuthError::invalid_request("The parameter token is missing."))?;
    Ok(AboutToken { client, token })
}
