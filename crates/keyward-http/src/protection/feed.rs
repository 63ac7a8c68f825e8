//! The revocation feed.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL},
    },
    web::Data,
};

use crate::{State, oauth::plain_error};

pub(super) async fn read(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let (mut cursor, mut wait) = (None, 0_u64);
    for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        match &*name {
            "cursor" => cursor = Some(value.into_owned()),
            "wait_seconds" if value.parse().is_ok_and(|seconds: u64| seconds <= 25) => {
                wait = value.parse().unwrap_or(0);
            }
            "wait_seconds" => {
                return plain_error(StatusCode::BAD_REQUEST, "wait_seconds must be 0 to 25.");
            }
            _ => return plain_error(StatusCode::BAD_REQUEST, "There is no such parameter here."),
        }
    }
    match state.keyward.revocations(cursor.as_deref(), Duration::from_secs(wait)).await {
        Ok(signed) => HttpResponse::Ok()
            .content_type("application/jwt")
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .body(signed),
        Err(error) => {
            tracing::error!(%error, "the revocation feed could not be told");
            plain_error(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
    }
}
