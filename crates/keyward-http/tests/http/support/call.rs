//! Requests, exact to the byte.

use std::net::SocketAddr;

use actix_web::{http::Method, test::TestRequest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// The address that requests come from when nothing else is said.
pub(crate) const PEER: &str = "203.0.113.7";
/// The `User-Agent` of every request.
pub(crate) const AGENT: &str = "keyward-tests/1";
/// Where the admin API begins.
pub(crate) const ADMIN: &str = "/api/v1/admin";
/// The path of the token endpoint.
pub(crate) const TOKEN: &str = "/oauth2/token";

/// A request about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: SocketAddr,
    /// Whether the length of the body is announced.
    pub(crate) announced: bool,
}

/// A request with any method, without a body.
pub(crate) fn call(method: Method, path: &str) -> Call {
    Call {
        method,
        uri: path.to_owned(),
        headers: vec![("user-agent".to_owned(), AGENT.to_owned())],
        body: Vec::new(),
        peer: SocketAddr::new(PEER.parse().unwrap(), 40_000),
        announced: true,
    }
}

pub(crate) fn get(path: &str) -> Call {
    call(Method::GET, path)
}

pub(crate) fn post(path: &str) -> Call {
    call(Method::POST, path)
}

pub(crate) fn patch(path: &str) -> Call {
    call(Method::PATCH, path)
}

pub(crate) fn put(path: &str) -> Call {
    call(Method::PUT, path)
}

pub(crate) fn delete(path: &str) -> Call {
    call(Method::DELETE, path)
}

/// A path of the admin API.
pub(crate) fn admin(path: &str) -> String {
    format!("{ADMIN}/{path}")
}

/// The value of an `Authorization` header for HTTP Basic, nothing encoded but base64.
pub(crate) fn basic_value(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// Pairs as `application/x-www-form-urlencoded`.
pub(crate) fn form_text(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, client_id: &str, secret: &str) -> Self {
        self.header("authorization", &basic_value(client_id, secret))
    }

    /// A body with its content type; an empty type sends no such header.
    pub(crate) fn raw(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        if content_type.is_empty() { self } else { self.header("content-type", content_type) }
    }

    pub(crate) fn form(self, pairs: &[(&str, &str)]) -> Self {
        self.raw("application/x-www-form-urlencoded", form_text(pairs))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        self.uri.push('?');
        self.uri.push_str(query);
        self
    }

    pub(crate) fn from(mut self, address: &str) -> Self {
        self.peer = SocketAddr::new(address.parse().unwrap(), 40_000);
        self
    }

    /// Sends the body without a `Content-Length`, as a chunked request does.
    pub(crate) fn unannounced(mut self) -> Self {
        self.announced = false;
        self
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// The path without its query.
    pub(crate) fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or("")
    }

    pub(crate) fn into_request(self) -> TestRequest {
        let mut request = TestRequest::default().method(self.method).uri(&self.uri).peer_addr(self.peer);
        for (name, value) in &self.headers {
            request = request.append_header((name.as_str(), value.as_str()));
        }
        if self.body.is_empty() {
            return request;
        }
        if self.announced {
            request = request.append_header(("content-length", self.body.len().to_string()));
        }
        request.set_payload(self.body)
    }
}

impl Call {
    /// The same request with one text of the body in another's place.
    pub(crate) fn raw_replaced(mut self, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.body).unwrap();
        assert!(text.contains(from), "{from} is not in the body");
        self.body = text.replace(from, to).into_bytes();
        self
    }
}
