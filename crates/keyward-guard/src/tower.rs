//! The guard as a layer of tower.

use std::{
    future::Future,
    mem::replace,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, HeaderName},
};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{Credentials, Denial, PeerAddress, Protection};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Protection {
    /// A layer that lets requests through that fulfil this. The [`Caller`](crate::Caller) is in the extensions of those.
    ///
    /// tower tells nobody the address that a request comes from: put it into the request's extensions as
    /// [`PeerAddress`], or keys that are limited to addresses are refused.
    #[must_use]
    pub fn layer(&self) -> ProtectionLayer {
        ProtectionLayer(self.clone())
    }
}

/// Puts a [`Protection`] around services.
#[derive(Clone, Debug)]
pub struct ProtectionLayer(Protection);

impl<S> Layer<S> for ProtectionLayer {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Protected { inner, protection: self.0.clone() }
    }
}

/// A service that is reached by good credentials only.
#[derive(Clone, Debug)]
pub struct Protected<S> {
    inner: S,
    protection: Protection,
}

impl<S, B, R> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<ProtectedBody<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was found ready is the one to call; its clone may not be.
        let clone = self.inner.clone();
        let mut inner = replace(&mut self.inner, clone);
        let protection = self.protection.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let peer = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
            match protection.check(&credentials(&parts.headers).from_address(peer)).await {
                Ok(caller) => {
                    parts.extensions.insert(caller);
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(response.map(|inner| ProtectedBody { inner: Some(inner), denied: None }))
                }
                Err(denial) => {
                    let id = parts.headers.get(REQUEST_ID).map(HeaderValue::as_bytes);
                    let response = response(&denial, id);
                    Ok(response.map(|body| ProtectedBody { inner: None, denied: Some(Bytes::from(body)) }))
                }
            }
        })
    }
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let all = |name: HeaderName| headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    Credentials::new(all(AUTHORIZATION), all(API_KEY))
}

/// A denial as a response.
pub(crate) fn response(denial: &Denial, request_id: Option<&[u8]>) -> Response<String> {
    let mut response = Response::new(denial.body(request_id));
    *response.status_mut() =
        StatusCode::from_u16(denial.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in denial.headers() {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

pin_project! {
    /// The body of a protected service, or of a refusal.
    #[derive(Debug)]
    pub struct ProtectedBody<B> {
        #[pin]
        inner: Option<B>,
        denied: Option<Bytes>,
    }
}

impl<B> Body for ProtectedBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let body = self.project();
        match body.inner.as_pin_mut() {
            Some(inner) => inner.poll_frame(context),
            None => Poll::Ready(body.denied.take().map(|whole| Ok(Frame::data(whole.into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().map_or(self.denied.is_none(), Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let denied = || self.denied.as_ref().and_then(|whole| u64::try_from(whole.len()).ok()).unwrap_or(0);
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(denied()), Body::size_hint)
    }
}
