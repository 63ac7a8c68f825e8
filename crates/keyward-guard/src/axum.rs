//! The guard's extractor for axum; its layer is tower's.

use axum_core::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{Caller, Denial};

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        crate::tower::response(&self, None).map(Body::from)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Denial;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!(path = parts.uri.path(), "a handler takes a Caller, and no guard is around it");
            Denial::misconfigured()
        })
    }
}
