//! What a person allowed an application to know of them (OpenID Connect Core section 5.3).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::AUTHORIZATION},
    web::Data,
};
use utoipa::ToSchema;

use super::private;
use crate::{State, problem::Problem};

/// What an application may know of a person.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
pub(super) struct UserInfo {
    /// The person.
    sub: String,
    /// The address, when `email` was allowed.
    #[schema(nullable = false)]
    email: Option<String>,
    /// What the person is called, when `profile` was allowed.
    #[schema(nullable = false)]
    name: Option<String>,
}

pub(super) async fn userinfo(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match state.keyward.userinfo(authorization).await {
        Ok(claims) => private(StatusCode::OK, &claims),
        Err(error) => Problem::new(&error, &request, &state.keyward).into(),
    }
}
