//! A small issuer that can be made to fail, and that counts what it is asked.

use std::{
    collections::{BTreeMap, HashMap},
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::{KeepAlive, header},
    rt::time::sleep,
    web,
};
use keyward_crypto::{
    feed::{Entry, Feed, subject},
    jws::{Algorithm, SigningKey},
};
use keyward_model::{Clock as _, SystemClock};
use serde_json::{Value, json};

/// The service token that the issuer takes.
pub(crate) const SERVICE_TOKEN: &str = "service-token";
/// What tokens for the protected API name.
pub(crate) const AUDIENCE: &str = "https://points.example";

pub(crate) fn now() -> i64 {
    SystemClock.now().unix_seconds()
}

/// What the issuer is at the moment.
pub(crate) struct State {
    /// The keys that it publishes.
    pub(crate) keys: Vec<Arc<SigningKey>>,
    /// The JWKS, when it is not made of the keys.
    pub(crate) jwks: Option<Value>,
    /// Members of the metadata that differ; null leaves one out.
    pub(crate) metadata: Value,
    pub(crate) cache_control: &'static str,
    /// Whether every request is answered by an error.
    pub(crate) is_down: bool,
    /// How long each answer takes.
    pub(crate) delay: Duration,
    /// Paths that are answered by a redirect.
    pub(crate) redirects: HashMap<String, String>,
    /// Everything that was revoked.
    pub(crate) entries: Vec<Entry>,
    /// The next reply of the feed, whatever it should be.
    pub(crate) feed_reply: Option<String>,
    /// The answers about keys; others are unknown.
    pub(crate) verdicts: HashMap<String, Value>,
    /// The last question about a key.
    pub(crate) question: Value,
    /// How often each path was asked for.
    pub(crate) counts: BTreeMap<String, usize>,
    /// The queries with which the feed was read.
    pub(crate) readings: Vec<String>,
}

/// A handle to a running issuer.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

pub(crate) fn key(algorithm: Algorithm) -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(algorithm).unwrap())
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let state = State {
            keys: vec![key(Algorithm::Es256)],
            jwks: None,
            metadata: json!({}),
            cache_control: "public, max-age=300",
            is_down: false,
            delay: Duration::ZERO,
            redirects: HashMap::new(),
            entries: Vec::new(),
            feed_reply: None,
            verdicts: HashMap::new(),
            question: Value::Null,
            counts: BTreeMap::new(),
            readings: Vec::new(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self { url, state: Arc::new(Mutex::new(state)) };
        let shared = issuer.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::new(shared.clone())).default_service(web::to(answer))
        });
        // No connection is left open that could be closed while time jumps.
        let server = server.workers(1).keep_alive(KeepAlive::Disabled).disable_signals();
        actix_web::rt::spawn(server.listen(listener).unwrap().run());
        issuer
    }

    /// An issuer with a feed.
    pub(crate) fn with_feed() -> Self {
        let issuer = Self::start();
        let address = format!("{}/revocations", issuer.url);
        issuer.state().metadata = json!({ "revocation_feed_endpoint": address });
        issuer
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.state().counts.get(path).copied().unwrap_or(0)
    }

    /// How often the keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.count("/jwks")
    }

    pub(crate) fn key(&self) -> Arc<SigningKey> {
        self.state().keys[0].clone()
    }

    /// The claims of a token of Keyward for the points of one tenant.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.url, "sub": "acme.crm", "aud": AUDIENCE, "exp": now() + 600, "iat": now(),
            "jti": "t-1", "client_id": "acme.crm", "scope": "points:read", "env": "production",
            "tenants": ["tnt_1"], "credential_id": "sec_1",
        })
    }

    /// A token with these claims instead of the usual ones; null leaves one out.
    pub(crate) fn token(&self, changes: &Value) -> String {
        self.token_by(&self.key(), changes)
    }

    pub(crate) fn token_by(&self, key: &SigningKey, changes: &Value) -> String {
        let mut claims = self.claims();
        merge(&mut claims, changes);
        key.sign_compact("at+jwt", claims.to_string().as_bytes()).unwrap()
    }

    /// Whether there is something to answer to a reader of the feed.
    fn has_news(&self, from: usize) -> bool {
        let state = self.state();
        state.entries.len() > from || state.feed_reply.is_some() || state.is_down
    }

    /// Revokes what is a subject by this text.
    pub(crate) fn revoke(&self, text: &str, before: Option<i64>) {
        let entry = Entry { subject: subject(text), before, until: now() + 3_600 };
        self.state().entries.push(entry);
    }

    /// A reply of the feed that was signed at some time.
    pub(crate) fn feed(&self, iat: i64, texts: &[&str]) -> Feed {
        let entry = |text: &&str| Entry { subject: subject(text), before: None, until: now() + 3_600 };
        let revocations = texts.iter().map(entry).collect();
        Feed { iss: self.url.clone(), iat, cursor: "made".to_owned(), revocations }
    }
}

fn merge(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, issuer: web::Data<Issuer>) -> HttpResponse {
    let path = request.path().to_owned();
    let (delay, is_down, redirect) = {
        let mut state = issuer.state();
        *state.counts.entry(path.clone()).or_default() += 1;
        (state.delay, state.is_down, state.redirects.get(&path).cloned())
    };
    sleep(delay).await;
    if is_down {
        return HttpResponse::InternalServerError().body("down");
    }
    if let Some(to) = redirect {
        return HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, to)).finish();
    }
    match path.as_str() {
        "/.well-known/oauth-authorization-server" | "/jwks" => document(&issuer, path == "/jwks"),
        "/revocations" => revocations(&request, &issuer).await,
        "/api/v1/keys/verify" => verify(&request, &body, &issuer),
        _ => HttpResponse::NotFound().finish(),
    }
}

fn document(issuer: &Issuer, is_jwks: bool) -> HttpResponse {
    let state = issuer.state();
    let body = if is_jwks {
        let keys: Vec<&Value> = state.keys.iter().map(|key| key.public_jwk()).collect();
        state.jwks.clone().unwrap_or_else(|| json!({ "keys": keys }))
    } else {
        let mut metadata = json!({ "issuer": issuer.url, "jwks_uri": format!("{}/jwks", issuer.url) });
        merge(&mut metadata, &state.metadata);
        metadata
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, state.cache_control)).json(body)
}

/// The feed; its cursor is the number of entries.
async fn revocations(request: &HttpRequest, issuer: &Issuer) -> HttpResponse {
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    issuer.state().readings.push(request.query_string().to_owned());
    let from: usize = query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let wait: usize = query.get("wait_seconds").and_then(|wait| wait.parse().ok()).unwrap_or(0);
    for _ in 0..wait * 50 {
        if issuer.has_news(from) {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let mut state = issuer.state();
    if let Some(reply) = state.feed_reply.take() {
        return HttpResponse::Ok().body(reply);
    }
    if state.is_down {
        return HttpResponse::InternalServerError().finish();
    }
    let cursor = state.entries.len().to_string();
    let revocations = state.entries.iter().skip(from).cloned().collect();
    let feed = Feed { iss: issuer.url.clone(), iat: now(), cursor, revocations };
    HttpResponse::Ok().content_type("application/jwt").body(feed.sign(&state.keys[0]).unwrap())
}

fn verify(request: &HttpRequest, body: &[u8], issuer: &Issuer) -> HttpResponse {
    let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
    if authorization != Some(&format!("Bearer {SERVICE_TOKEN}")) {
        return HttpResponse::Unauthorized().finish();
    }
    let question: Value = serde_json::from_slice(body).unwrap();
    let mut state = issuer.state();
    state.question = question.clone();
    let unknown = json!({ "valid": false, "code": "key_invalid" });
    HttpResponse::Ok().json(state.verdicts.get(question["key"].as_str().unwrap()).unwrap_or(&unknown))
}
