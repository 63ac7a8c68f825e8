//! What every request passes: a name, the caller's address, a time limit, headers, a line in the log, and metrics.

use std::{panic::AssertUnwindSafe, time::Instant};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY,
            STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{Next, from_fn},
};
use futures_util::FutureExt;
use keyward_core::Keyward;
use keyward_model::{encode_uuid, new_uuid};

use crate::{
    HttpSettings, oauth,
    origin::{ClientAddress, REQUEST_ID, RequestId, client_address, given_request_id},
    problem::Problem,
};

/// What each route of Keyward is to be wrapped in; other routes may be, too.
pub fn wrap<S, B>(
    keyward: &Keyward,
    settings: &HttpSettings,
) -> impl Transform<S, ServiceRequest, Response = ServiceResponse<EitherBody<B>>, Error = Error, InitError = ()>
+ use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let (keyward, settings) = (keyward.clone(), settings.clone());
    from_fn(move |request: ServiceRequest, next: Next<B>| {
        pass(request, next, keyward.clone(), settings.clone())
    })
}

async fn pass<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    keyward: Keyward,
    settings: HttpSettings,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let began = Instant::now();
    let id = given_request_id(request.headers())
        .unwrap_or_else(|| encode_uuid(new_uuid(keyward.now(), keyward.random())));
    let peer = request.peer_addr().map(|peer| peer.ip());
    let address = client_address(peer, request.headers(), &settings.trusted_proxies);
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(ClientAddress(address));
    let kept = request.request().clone();
    let mut response = answer(request, next, &kept, &settings).await;
    let secure = keyward.options().issuer.starts_with("https:");
    add_headers(response.headers_mut(), &id, secure);
    record(&response, &id, began);
    Ok(response)
}

/// The answer of the service behind, or what is said in its place when it has none.
async fn answer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    kept: &HttpRequest,
    settings: &HttpSettings,
) -> ServiceResponse<EitherBody<B>> {
    let replace = |response: HttpResponse| ServiceResponse::new(kept.clone(), response).map_into_right_body();
    let served = AssertUnwindSafe(next.call(request)).catch_unwind();
    match tokio::time::timeout(settings.request_timeout, served).await {
        Ok(Ok(Ok(response))) if is_unknown_route(&response) => replace(
            Problem::plain(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.", kept)
                .into(),
        ),
        Ok(Ok(Ok(response))) => response.map_into_left_body(),
        Ok(Ok(Err(error))) => {
            let status = error.as_response_error().status_code();
            replace(failure(status, "invalid_request", "The request could not be read.", kept))
        }
        Ok(Err(_panic)) => {
            // The panic hook has said where; one request fails, the process goes on.
            replace(failure(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here.",
                kept,
            ))
        }
        Err(_elapsed) => {
            replace(failure(StatusCode::SERVICE_UNAVAILABLE, "timeout", "The request took too long.", kept))
        }
    }
}

fn failure(status: StatusCode, code: &str, detail: &str, request: &HttpRequest) -> HttpResponse {
    if oauth::is_oauth(request.path()) {
        return oauth::plain_error(status, detail);
    }
    Problem::plain(status, code, detail, request).into()
}

/// Whether no route took the request: an answer of 404 that no handler gave.
fn is_unknown_route<B>(response: &ServiceResponse<B>) -> bool {
    response.status() == StatusCode::NOT_FOUND && response.request().match_pattern().is_none()
}

fn add_headers(headers: &mut HeaderMap, id: &str, secure: bool) {
    let fixed = HeaderValue::from_static;
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(REFERRER_POLICY, fixed("no-referrer"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, fixed("default-src 'none'; frame-ancestors 'none'"));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, fixed("no-store"));
    }
    if secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000; includeSubDomains"));
    }
}

/// Logs the route, never the path or the query string: identifiers and secrets may stand there.
fn record<B>(response: &ServiceResponse<B>, id: &str, began: Instant) {
    let request = response.request();
    let pattern = request.match_pattern();
    let route = pattern.as_deref().unwrap_or("unknown");
    let status = response.status().as_u16();
    let method = request.method().as_str();
    let took = began.elapsed();
    let labels =
        [("route", route.to_owned()), ("method", known_method(method)), ("status", status.to_string())];
    metrics::counter!("keyward_http_requests_total", &labels).increment(1);
    metrics::histogram!("keyward_http_request_seconds", "route" => route.to_owned())
        .record(took.as_secs_f64());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(method, route, status, micros, request_id = id, "request");
    } else if route == oauth::TOKEN_PATH && status < 300 {
        // Every token is in the audit log; a line for each would cost more than it says.
        tracing::debug!(method, route, status, micros, request_id = id, "request");
    } else {
        tracing::info!(method, route, status, micros, request_id = id, "request");
    }
}

/// The method, if it is one that exists: a label must not be the caller's to choose.
fn known_method(method: &str) -> String {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if known.contains(&method) { method } else { "other" }.to_owned()
}
