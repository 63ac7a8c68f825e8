//! An authorization server and an API that do as they are told.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use keyward_client::{ClientOptions, ClientSecret, KeywardClient};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{PATIENCE, Running, serve};

/// The client that most tests have.
pub(crate) const CLIENT_ID: &str = "acme.crm-sync";
/// Its secret.
pub(crate) const SECRET: &str = "kws_test_S3cretS3cretS3cret";

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// What the token endpoint is to answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: &(impl ToString + ?Sized)) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }

    pub(crate) fn error(status: u16, code: &str, description: &str) -> Self {
        Self::new(status, &json!({ "error": code, "error_description": description }))
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(StatusCode::from_u16(self.status).unwrap());
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        response.body(self.body.clone())
    }
}

struct Told {
    url: String,
    /// `expires_in` of tokens.
    life: u64,
    /// The next answers of the token endpoint; then it is tokens, `t1`, `t2` and so on.
    answers: VecDeque<Answer>,
    tokens: usize,
    token_requests: Vec<Seen>,
    metadata: Answer,
    metadata_requests: usize,
    /// The tokens that the API refuses, or all.
    refused: HashSet<String>,
    refuses_all: bool,
    challenge: Option<String>,
    calls: Vec<Seen>,
}

struct Shared {
    told: Mutex<Told>,
    /// How many token requests came.
    arrived: watch::Sender<usize>,
    /// Whether the token endpoint holds its answers back.
    held: watch::Sender<bool>,
}

/// The fake.
pub(crate) struct Fake {
    shared: Arc<Shared>,
    _running: Running,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let (running, shared) = serve(async |listener, url| {
            let told = Told {
                metadata: Answer::new(200, &metadata(&url, &format!("{url}/token"))),
                url,
                life: 3_600,
                answers: VecDeque::new(),
                tokens: 0,
                token_requests: Vec::new(),
                metadata_requests: 0,
                refused: HashSet::new(),
                refuses_all: false,
                challenge: None,
                calls: Vec::new(),
            };
            let shared = Arc::new(Shared {
                told: Mutex::new(told),
                arrived: watch::Sender::default(),
                held: watch::Sender::default(),
            });
            let data = web::Data::new(shared.clone());
            let app = move || {
                App::new()
                    .app_data(data.clone())
                    .route("/.well-known/oauth-authorization-server", web::get().to(answer_metadata))
                    .route("/token", web::route().to(answer_token))
                    .default_service(web::route().to(answer_call))
            };
            let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
            (server, shared)
        });
        Self { shared, _running: running }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.shared.told.lock().unwrap()
    }

    /// An address on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.told().url)
    }

    /// Options of a client that knows the token endpoint and has this server as its API.
    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions::from_token_endpoint(self.url("/token"), CLIENT_ID, ClientSecret::new(SECRET))
            .api_base(self.url("/api"))
    }

    pub(crate) fn client(&self) -> KeywardClient {
        self.options().build().unwrap()
    }

    pub(crate) fn lives(&self, seconds: u64) {
        self.told().life = seconds;
    }

    pub(crate) fn answers(&self, answer: Answer) {
        self.told().answers.push_back(answer);
    }

    /// From now on the token endpoint answers nobody until `release`.
    pub(crate) fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    pub(crate) fn release(&self) {
        self.shared.held.send_replace(false);
    }

    pub(crate) fn refuses(&self, token: &str) {
        self.told().refused.insert(token.to_owned());
    }

    pub(crate) fn refuses_all(&self) {
        self.told().refuses_all = true;
    }

    pub(crate) fn challenges(&self, challenge: &str) {
        self.told().challenge = Some(challenge.to_owned());
    }

    pub(crate) fn has_metadata(&self, answer: Answer) {
        self.told().metadata = answer;
    }

    pub(crate) fn metadata_requests(&self) -> usize {
        self.told().metadata_requests
    }

    pub(crate) fn token_requests(&self) -> Vec<Seen> {
        self.told().token_requests.clone()
    }

    /// How often it was asked for a token.
    pub(crate) fn asked(&self) -> usize {
        self.told().token_requests.len()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn is_asked(&self, times: usize) {
        let mut arrived = self.shared.arrived.subscribe();
        let asked = arrived.wait_for(|count| *count >= times);
        tokio::time::timeout(PATIENCE, asked).await.expect("a token request comes").unwrap();
    }

    /// The requests to the API.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.told().calls.clone()
    }

    /// The `Authorization` of each request to the API.
    pub(crate) fn bearers(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.authorization.unwrap_or_default()).collect()
    }
}

/// What an issuer says about itself.
pub(crate) fn metadata(issuer: &str, token_endpoint: &str) -> Value {
    json!({ "issuer": issuer, "token_endpoint": token_endpoint, "response_types_supported": ["code"] })
}

fn seen(request: &HttpRequest, body: &[u8]) -> Seen {
    let authorization = request.headers().get("authorization");
    Seen {
        path: request.uri().to_string(),
        authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn answer_metadata(shared: web::Data<Arc<Shared>>) -> HttpResponse {
    let mut told = shared.told.lock().unwrap();
    told.metadata_requests += 1;
    told.metadata.response()
}

async fn answer_token(
    request: HttpRequest,
    body: web::Bytes,
    shared: web::Data<Arc<Shared>>,
) -> HttpResponse {
    let answer = {
        let mut told = shared.told.lock().unwrap();
        told.token_requests.push(seen(&request, &body));
        told.answers.pop_front().unwrap_or_else(|| {
            told.tokens += 1;
            let token = format!("t{}", told.tokens);
            let body = json!({ "access_token": token, "token_type": "bearer", "expires_in": told.life });
            Answer::new(200, &body)
        })
    };
    shared.arrived.send_modify(|count| *count += 1);
    shared.held.subscribe().wait_for(|held| !held).await.unwrap();
    answer.response()
}

/// `/…/forbidden` is a 403, `/…/redirect?{url}` leads there, all else gives the body back to who has a token.
async fn answer_call(request: HttpRequest, body: web::Bytes, shared: web::Data<Arc<Shared>>) -> HttpResponse {
    let mut told = shared.told.lock().unwrap();
    let seen = seen(&request, &body);
    told.calls.push(seen.clone());
    if seen.path.ends_with("/forbidden") {
        return HttpResponse::Forbidden().body("forbidden");
    }
    if let Some((_, to)) = seen.path.split_once("/redirect?") {
        return HttpResponse::TemporaryRedirect().insert_header(("location", to)).finish();
    }
    let token = seen.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer "));
    if token.is_none_or(|token| told.refuses_all || told.refused.contains(token)) {
        let mut response = HttpResponse::Unauthorized();
        if let Some(challenge) = &told.challenge {
            response.insert_header(("www-authenticate", challenge.as_str()));
        }
        return response.finish();
    }
    HttpResponse::Ok().body(seen.body)
}
