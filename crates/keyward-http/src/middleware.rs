//! What every request passes: a name, the caller's address, a time limit, headers, a line in the log, and metrics.

use std::{
    cell::RefCell,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    error::InternalError,
    http::{
        Method, StatusCode,
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
use metrics::{Counter, Histogram, Label, SharedString};

use crate::{
    HttpSettings, oauth,
    operation::RouteName,
    origin::{ClientAddress, REQUEST_ID, RequestId, client_address, given_request_id},
    problem::Problem,
    protection,
};

/// What each route of Keyward is to be wrapped in; other routes may be, too.
#[must_use]
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
    let secure = keyward.options().issuer.starts_with("https:");
    let for_oauth = oauth::is_oauth(request.path());
    // The future is made inside, so that a panic while it is made is caught, too.
    let served = AssertUnwindSafe(async { next.call(request).await }).catch_unwind();
    let failed = match tokio::time::timeout(settings.request_timeout, served).await {
        Ok(Ok(Ok(response))) => {
            let mut response = answered(response);
            add_headers(response.headers_mut(), &id, secure);
            record(&response, &id, began);
            return Ok(response);
        }
        Ok(Ok(Err(error))) => {
            (error.as_response_error().status_code(), "invalid_request", "The request can't be read.")
        }
        // The panic hook has said where; one request fails, the process goes on.
        Ok(Err(_panic)) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here."),
        Err(_elapsed) => (StatusCode::SERVICE_UNAVAILABLE, "timeout", "The request took too long."),
    };
    let (status, code, detail) = failed;
    tracing::error!(status = status.as_u16(), code, request_id = id, "request without an answer");
    let mut response = if for_oauth {
        oauth::plain_error(status, detail)
    } else {
        Problem::named(status, code, detail, Some(id.clone())).into()
    };
    add_headers(response.headers_mut(), &id, secure);
    // The request is gone with its handler, so the answer travels as an error.
    Err(InternalError::from_response(code, response).into())
}

/// The answer of the service behind; what no route took is answered here.
fn answered<B: MessageBody>(response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    if !is_unknown_route(&response) {
        return response.map_into_left_body();
    }
    let (request, _) = response.into_parts();
    let detail = "There is nothing at this address.";
    let problem = Problem::plain(StatusCode::NOT_FOUND, "not_found", detail, &request);
    ServiceResponse::new(request, problem.into()).map_into_right_body()
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
    if !headers.contains_key(REFERRER_POLICY) {
        headers.insert(REFERRER_POLICY, fixed("no-referrer"));
    }
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
    let named = request.extensions().get::<RouteName>().map(|name| name.0.clone());
    let route = named.as_deref().unwrap_or("other");
    let status = response.status().as_u16();
    let method = known_method(request.method());
    let took = began.elapsed();
    measure(named.as_ref(), method, status, took);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(method, route, status, micros, request_id = id, "request");
    } else if is_routine(route) && status < 300 {
        // Every token is in the audit log, and every use of a key is counted; a line for each would cost more than it says.
        tracing::debug!(method, route, status, micros, request_id = id, "request");
    } else {
        tracing::info!(method, route, status, micros, request_id = id, "request");
    }
}

/// Whether machines ask for it all the time.
fn is_routine(route: &str) -> bool {
    oauth::is_oauth(route) || protection::is_check(route)
}

/// The metrics of requests of one sort.
struct Measures {
    total: Counter,
    seconds: Histogram,
}

/// Route, method and status.
type Sort = (Option<Arc<str>>, &'static str, u16);

thread_local! {
    /// Looked up once: finding a metric by its labels costs more than adding to it.
    static MEASURES: RefCell<HashMap<Sort, Measures>> = RefCell::default();
}

fn measure(route: Option<&Arc<str>>, method: &'static str, status: u16, took: Duration) {
    MEASURES.with_borrow_mut(|measures| {
        let key = (route.cloned(), method, status);
        let found = measures.entry(key).or_insert_with(|| {
            let route = route.map_or_else(|| SharedString::const_str("other"), |route| route.clone().into());
            let labels = [
                Label::new("route", route.clone()),
                Label::new("method", method),
                Label::new("status", status.to_string()),
            ];
            Measures {
                total: metrics::counter!("keyward_http_requests_total", labels.to_vec()),
                seconds: metrics::histogram!(
                    "keyward_http_request_seconds",
                    vec![Label::new("route", route)]
                ),
            }
        });
        found.total.increment(1);
        found.seconds.record(took.as_secs_f64());
    });
}

/// The method, if it is one that exists: a label must not be the caller's to choose.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
