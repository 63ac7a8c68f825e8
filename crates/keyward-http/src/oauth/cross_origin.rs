//! Applications that run in browsers call from other origins (Fetch standard, CORS): those may read answers that are
//! registered for the application, or anybody may, where the answer is public or the token alone decides.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue, ORIGIN, VARY},
};
use keyward_core::Keyward;

/// Lets the calling origin read the answer, if it is registered for the client.
pub(super) async fn allow(
    mut response: HttpResponse,
    request: &HttpRequest,
    keyward: &Keyward,
    client_id: Option<&str>,
) -> HttpResponse {
    let Some(origin) = request.headers().get(ORIGIN) else { return response };
    let (Ok(text), Some(client_id)) = (origin.to_str(), client_id) else { return response };
    if keyward.allows_origin(client_id, text).await {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    }
    response
}
