//! The same protected API in both frameworks, over real sockets.

use std::net::{IpAddr, SocketAddr, TcpListener};

use actix_web::{App, HttpResponse, HttpServer, dev::Service as _, web};
use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Request},
    http::StatusCode,
    middleware::Next,
    response::Response,
    routing,
};
use keyward_guard::{Caller, Denial, Guard, Mode, PeerAddress, Protection};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// What the caller was taken for.
fn identity(caller: &Caller) -> Value {
    json!({
        "subject": caller.subject(),
        "client_id": caller.client_id(),
        "key_id": caller.key_id(),
        "tenants": caller.tenants(),
        "permissions": caller.permissions().to_string(),
        "environment": caller.environment(),
    })
}

/// What each path asks for.
fn protections(guard: &Guard) -> Vec<(&'static str, Protection)> {
    vec![
        ("/bearer", guard.require("points:read").mode(Mode::Bearer)),
        ("/api_key", guard.require("points:read").mode(Mode::ApiKey)),
        ("/either", guard.require("points:read").mode(Mode::Either)),
        ("/both", guard.require("points:read").mode(Mode::Both)),
        ("/all", guard.require_all(["points:read", "points:adjust"])),
        ("/any", guard.require_any(["points:read", "points:adjust"])),
        ("/any_of_none", guard.require_any([])),
        ("/no_permission", guard.require("points read")),
        ("/authenticated", guard.authenticated()),
        ("/staging", guard.require("points:read").environment("staging")),
        ("/any_environment", guard.require("points:read").any_environment()),
    ]
}

async fn actix_whoami(caller: Caller) -> HttpResponse {
    HttpResponse::Ok().json(identity(&caller))
}

async fn actix_tenant(caller: Caller, tenant: web::Path<String>) -> Result<HttpResponse, Denial> {
    caller.require_tenant(&tenant)?;
    caller.require("points:read")?;
    Ok(HttpResponse::Ok().json(identity(&caller)))
}

async fn actix_failing(_: Caller) -> Result<HttpResponse, actix_web::Error> {
    Err(actix_web::error::ErrorImATeapot("the service's own"))
}

/// The address that a test claims to come from.
fn claimed(value: Option<&str>) -> Option<PeerAddress> {
    value.and_then(|text| text.parse::<IpAddr>().ok()).map(PeerAddress)
}

fn start_actix(guard: &Guard) -> String {
    use actix_web::HttpMessage as _;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let guard = guard.clone();
    let server = HttpServer::new(move || {
        let mut app = App::new();
        for (path, protection) in protections(&guard) {
            app = app.service(
                web::resource(path)
                    .wrap(protection)
                    .wrap_fn(|request, service| {
                        let peer = request.headers().get("x-test-peer").and_then(|peer| peer.to_str().ok());
                        if let Some(peer) = claimed(peer) {
                            request.extensions_mut().insert(peer);
                        }
                        service.call(request)
                    })
                    .route(web::get().to(actix_whoami))
                    .route(web::post().to(async |body: String| body)),
            );
        }
        app.service(
            web::scope("/handlers")
                .wrap(guard.authenticated())
                .route("/tenants/{tenant}", web::get().to(actix_tenant))
                .route("/failing", web::get().to(actix_failing)),
        )
        .route("/unguarded", web::get().to(actix_whoami))
    });
    actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
    url
}

async fn axum_whoami(caller: Caller) -> Json<Value> {
    Json(identity(&caller))
}

async fn axum_tenant(caller: Caller, Path(tenant): Path<String>) -> Result<Json<Value>, Denial> {
    caller.require_tenant(&tenant)?;
    caller.require("points:read")?;
    Ok(Json(identity(&caller)))
}

async fn axum_failing(_: Caller) -> (StatusCode, &'static str) {
    (StatusCode::IM_A_TEAPOT, "the service's own")
}

async fn peer(mut request: Request, next: Next) -> Response {
    let header = request.headers().get("x-test-peer").and_then(|peer| peer.to_str().ok());
    let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = claimed(header).or_else(|| Some(PeerAddress(connected?.0.ip())));
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

async fn start_axum(guard: &Guard) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut app = Router::new();
    for (path, protection) in protections(guard) {
        let methods = routing::get(axum_whoami).post(async |body: String| body);
        app = app.route(path, methods.layer(protection.layer()));
    }
    let handlers = Router::new()
        .route("/handlers/tenants/{tenant}", routing::get(axum_tenant))
        .route("/handlers/failing", routing::get(axum_failing))
        .layer(guard.authenticated().layer());
    let app = app.merge(handlers).route("/unguarded", routing::get(axum_whoami));
    let app = app.layer(axum::middleware::from_fn(peer));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// A protected API.
pub(crate) struct Api {
    pub(crate) name: &'static str,
    url: String,
    client: Client,
}

/// The same API in each framework.
pub(crate) async fn apis(guard: &Guard) -> [Api; 2] {
    let api = |name, url| Api { name, url, client: Client::new() };
    [api("actix", start_actix(guard)), api("axum", start_axum(guard).await)]
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `ok`, or the code of the refusal, whose form is checked.
    pub(crate) fn outcome(&self) -> String {
        if self.status == 200 {
            return "ok".to_owned();
        }
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        let body = self.json();
        assert_eq!(body["type"], "about:blank");
        assert_eq!(body["status"], self.status);
        assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{body}");
        assert!(body["title"].is_string(), "{body}");
        let challenged = self.header("www-authenticate").starts_with("Bearer error=\"");
        assert_eq!(challenged, matches!(self.status, 401 | 403), "{self:?}");
        assert_eq!(!self.header("retry-after").is_empty(), matches!(self.status, 429 | 503), "{self:?}");
        body["code"].as_str().unwrap().to_owned()
    }
}

/// The headers of a request.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

impl Api {
    pub(crate) fn request(&self, method: Method, path: &str, headers: Headers<'_>) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    pub(crate) async fn get(&self, path: &str, headers: Headers<'_>) -> Reply {
        send(self.request(Method::GET, path, headers)).await
    }

    pub(crate) async fn outcome(&self, path: &str, headers: Headers<'_>) -> String {
        self.get(path, headers).await.outcome()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, text: response.text().await.unwrap() }
}
