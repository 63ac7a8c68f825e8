//! The guard as a middleware of actix-web, and its extractor.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        StatusCode,
        header::{AUTHORIZATION, HeaderMap, HeaderName},
    },
};

use crate::{Caller, Credentials, Denial, PeerAddress, Protection};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl<S, B> Transform<S, ServiceRequest> for Protection
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Protected<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Protected { service: Rc::new(service), protection: Rc::new(self.clone()) }))
    }
}

/// A service that is reached by good credentials only.
#[derive(Debug)]
pub struct Protected<S> {
    service: Rc<S>,
    protection: Rc<Protection>,
}

impl<S, B> Service<ServiceRequest> for Protected<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, protection) = (self.service.clone(), self.protection.clone());
        Box::pin(async move {
            let declared = request.extensions().get::<PeerAddress>().map(|peer| peer.0);
            let peer = declared.or_else(|| Some(request.peer_addr()?.ip()));
            match protection.check(&credentials(request.headers()).from_address(peer)).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    Ok(service.call(request).await?.map_into_left_body())
                }
                Err(denial) => {
                    let id = request.headers().get(REQUEST_ID).map(|id| id.as_bytes().to_vec());
                    Ok(request.into_response(response(&denial, id.as_deref())).map_into_right_body())
                }
            }
        })
    }
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let all = |name: HeaderName| headers.get_all(name).map(actix_web::http::header::HeaderValue::as_bytes);
    Credentials::new(all(AUTHORIZATION), all(API_KEY))
}

fn response(denial: &Denial, request_id: Option<&[u8]>) -> HttpResponse {
    let mut response = HttpResponse::build(ResponseError::status_code(denial));
    for header in denial.headers() {
        response.insert_header(header);
    }
    response.body(denial.body(request_id))
}

impl ResponseError for Denial {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        response(self, None)
    }
}

impl FromRequest for Caller {
    type Error = Denial;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or_else(|| {
            let route = request.match_pattern();
            tracing::error!(route, "a handler takes a Caller, and no guard is around it");
            Denial::misconfigured()
        }))
    }
}
