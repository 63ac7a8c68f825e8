//! Liveness and readiness.

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, Route, http::header::RETRY_AFTER, web};
use serde_json::json;

use crate::{
    State,
    operation::{Endpoint, Operation},
};

pub(crate) fn operations() -> Vec<Operation> {
    let health = |path: &str, id: &'static str, summary: &'static str, route: fn() -> Route| Operation {
        tag: "Health",
        ..Operation::get(path, id, summary, Endpoint::Plain(route))
    };
    vec![
        health("/livez", "livez", "Whether the process answers; asks nobody else.", || {
            web::route().to(livez)
        }),
        health(
            "/readyz",
            "readyz",
            "Whether requests can be answered; 503 names the check that fails.",
            || web::route().to(readyz),
        ),
    ]
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

async fn readyz(state: web::Data<State>) -> HttpResponse {
    let ready = if state.settings.draining.load(Ordering::SeqCst) {
        Err("draining")
    } else {
        state.keyward.ready().await
    };
    match ready {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ok" })),
        Err(failing) => HttpResponse::ServiceUnavailable()
            .insert_header((RETRY_AFTER, "1"))
            .json(json!({ "status": "unavailable", "failing": failing })),
    }
}
