//! Checking an API key for somebody else.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{AUTHORIZATION, CACHE_CONTROL},
    web::{Data, Payload},
};

use super::JSON;
use crate::{State, admin::one_header, body, origin, problem::Problem};

pub(super) async fn verify(
    request: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let keyward = &state.keyward;
    let origin = origin(&request);
    let authorization = one_header(&request, &AUTHORIZATION)?;
    // Who may not ask is told so, whatever the body says.
    let caller = keyward.key_verifier(authorization, &origin).await;
    let caller = caller.map_err(|error| Problem::new(&error, &request, keyward))?;
    let (_, body) = body::json(&request, payload, &state.settings, JSON, false).await?;
    let verdict = keyward.verify_key(&caller, body, &origin).await;
    let verdict = verdict.map_err(|error| Problem::new(&error, &request, keyward))?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(verdict))
}
