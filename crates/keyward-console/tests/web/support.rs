//! A Keyward with pages in process, and browsers that look at it.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use actix_web::{
    App,
    body::to_bytes,
    cookie::Cookie,
    dev::Service as _,
    http::{
        Method, StatusCode,
        header::{HeaderMap, LOCATION, SET_COOKIE},
    },
    test::{self, TestRequest},
};
use futures_util::future::LocalBoxFuture;
use keyward_core::{Administered, Call, Caller, Keyward, MasterKey, Options, Origin};
use keyward_crypto::totp::TotpSecret;
use keyward_http::HttpSettings;
use keyward_model::{Clock as _, ManualClock, SeededRandom, Timestamp, User};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::counting::CountingStore;

/// The public address of every test's Keyward.
pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";
/// When every test begins.
const START: &str = "2026-11-02T12:00:00.000Z";
/// A good password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

type Sender = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Reply>>;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// Where it leads; a failure of the test when it leads nowhere.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        let location = self.headers.get(LOCATION).map(|value| value.to_str().unwrap().to_owned());
        location.unwrap_or_else(|| panic!("{} leads nowhere: {}", self.status, self.body))
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// Fails unless it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers.get(LOCATION), self.body);
        self
    }

    /// The value of a hidden or other field of the page's form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let at = self.body.find(&format!("name=\"{name}\""))?;
        let rest = &self.body[at..];
        let rest = &rest[..rest.find('>')?];
        let value = rest.split("value=\"").nth(1)?;
        Some(value.split('"').next()?.to_owned())
    }
}

/// A running Keyward with its pages.
pub(crate) struct Site {
    sender: Sender,
    pub(crate) keyward: Keyward,
    pub(crate) clock: Arc<ManualClock>,
    store: Arc<CountingStore>,
    master: MasterKey,
    /// How often the store was asked.
    pub(crate) reads: Arc<AtomicU64>,
    /// Set, no events can be counted.
    pub(crate) tallies_fail: Arc<AtomicBool>,
}

impl Site {
    /// With default options, but without demanding second factors.
    pub(crate) async fn start() -> Self {
        Self::with(|options| options.sign_in.totp_required.clear()).await
    }

    /// With other options.
    pub(crate) async fn with(configure: impl FnOnce(&mut Options)) -> Self {
        Self::starting(START, configure).await
    }

    /// With other options, at another time.
    pub(crate) async fn starting(at: &str, configure: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse(at).unwrap()));
        let random = Arc::new(SeededRandom::new(7));
        let mut options = Options::new(ISSUER);
        options.token_limit = None;
        configure(&mut options);
        let master = MasterKey::generate(&*random);
        let store = Arc::new(CountingStore::default());
        let (reads, tallies_fail) = (store.counter(), store.tallies_fail());
        let keyward = Keyward::start(store.clone(), &master, options, clock.clone(), random).await.unwrap();
        let sender = sender(&keyward).await;
        Self { sender, keyward, clock, store, master, reads, tallies_fail }
    }

    /// Another node on the same database.
    pub(crate) async fn another_node(&self) -> Keyward {
        let random = Arc::new(SeededRandom::new(8));
        let options = self.keyward.options().clone();
        Keyward::start(self.store.clone(), &self.master, options, self.clock.clone(), random).await.unwrap()
    }

    /// Somebody at the machine.
    #[expect(clippy::unused_self, reason = "it is the operator of this site")]
    pub(crate) fn operator(&self) -> Call {
        Call { caller: Caller::operator("test"), origin: Origin::default(), idempotency: None }
    }

    /// Makes something through the admin API; what is answered.
    pub(crate) async fn create<R: Administered>(&self, body: Value) -> Value {
        self.keyward.create::<R>(&self.operator(), body).await.unwrap().body
    }

    /// A person with a password: the identifier.
    pub(crate) async fn person(&self, email: &str, body: Value) -> String {
        let mut whole = json!({ "email": email, "name": email });
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let id = self.create::<User>(whole).await["id"].as_str().unwrap().to_owned();
        self.keyward.set_password(&self.operator(), &id, PASSWORD.to_owned()).await.unwrap();
        // What was opened in the very moment of a change of password would count as opened before it.
        self.clock.advance_seconds(1);
        id
    }

    /// A new browser, which knows nothing.
    pub(crate) fn browser(&self) -> Browser {
        Browser {
            sender: self.sender.clone(),
            cookies: RefCell::default(),
            last: RefCell::default(),
            agent: RefCell::default(),
        }
    }

    /// Sends a request of no browser.
    pub(crate) async fn send(&self, request: TestRequest) -> Reply {
        (self.sender)(request).await
    }

    /// Sends a form to an endpoint, as an application does.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = TestRequest::default().method(Method::POST).uri(path);
        self.send(
            request.insert_header(("content-type", "application/x-www-form-urlencoded")).set_payload(body),
        )
        .await
    }

    /// Events of the audit log with this action, the latest first.
    pub(crate) async fn events(&self, action: &str) -> Vec<Value> {
        let pairs = [("action".to_owned(), action.to_owned())];
        self.keyward.events(&self.operator(), &pairs).await.unwrap().data
    }
}

async fn sender(keyward: &Keyward) -> Sender {
    let http = HttpSettings::default();
    let app = App::new()
        .wrap(keyward_http::wrap(keyward, &http))
        .configure(keyward_http::configure(keyward, &http))
        .configure(keyward_console::configure(keyward, &http, keyward_console::About::default()));
    let service = Rc::new(test::init_service(app).await);
    Rc::new(move |request: TestRequest| {
        let service = service.clone();
        Box::pin(async move {
            let request = request.peer_addr("203.0.113.9:4711".parse().unwrap()).to_request();
            let (status, headers, body) = match service.call(request).await {
                Ok(response) => {
                    let (status, headers) = (response.status(), response.headers().clone());
                    (status, headers, test::read_body(response).await)
                }
                Err(error) => {
                    let response = error.error_response();
                    let (status, headers) = (response.status(), response.headers().clone());
                    (status, headers, to_bytes(response.into_body()).await.unwrap())
                }
            };
            let body = String::from_utf8_lossy(&body).into_owned();
            Reply { status: StatusCode::as_u16(&status), headers, body }
        })
    })
}

/// A browser: it keeps cookies, and sends the form of the page that it last saw.
#[derive(Clone)]
pub(crate) struct Browser {
    sender: Sender,
    pub(crate) cookies: RefCell<BTreeMap<String, String>>,
    /// The page that is shown.
    last: RefCell<Option<Reply>>,
    /// What it calls itself.
    agent: RefCell<Option<String>>,
}

impl Browser {
    /// Calls itself so from now on, as far as that can stand in a header.
    pub(crate) fn calls_itself(&self, agent: &str) {
        *self.agent.borrow_mut() = Some(agent.chars().filter(|c| (' '..='~').contains(c)).collect());
    }

    async fn send(&self, mut request: TestRequest) -> Reply {
        if let Some(agent) = &*self.agent.borrow() {
            request = request.insert_header(("user-agent", agent.as_str()));
        }
        for (name, value) in self.cookies.borrow().iter() {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        let reply = (self.sender)(request).await;
        for header in reply.headers.get_all(SET_COOKIE) {
            let cookie = Cookie::parse(header.to_str().unwrap().to_owned()).unwrap();
            let gone = cookie.max_age().is_some_and(actix_web::cookie::time::SignedDuration::is_zero);
            let mut cookies = self.cookies.borrow_mut();
            if gone {
                cookies.remove(cookie.name());
            } else {
                cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
        if reply.status < 300 || reply.status >= 400 {
            *self.last.borrow_mut() = Some(reply.clone());
        }
        reply
    }

    /// Looks at a page.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let path = path.strip_prefix(ISSUER).unwrap_or(path);
        self.send(TestRequest::get().uri(path).insert_header(("sec-fetch-site", "same-origin"))).await
    }

    /// Looks at a page, and goes where that leads as long as it is on this server.
    pub(crate) async fn visit(&self, path: &str) -> Reply {
        let mut reply = self.get(path).await;
        for _ in 0..10 {
            if reply.status != 303 || !reply.location().starts_with('/') {
                return reply;
            }
            reply = self.get(&reply.location()).await;
        }
        panic!("redirected without end");
    }

    /// Sends the form of the page that is shown, with its hidden fields, to `path`; and stays where that leads.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all: Vec<(String, String)> = Vec::new();
        if let Some(page) = &*self.last.borrow() {
            for name in ["csrf", "enrolment", "return_to", "request", "then"] {
                let given = fields.iter().any(|(known, _)| *known == name);
                all.extend(
                    page.field(name).filter(|_| !given).map(|value| (name.to_owned(), unescaped(&value))),
                );
            }
        }
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post_raw(path, &all, &[("sec-fetch-site", "same-origin")]).await
    }

    /// Sends a form just so.
    pub(crate) async fn post_raw(
        &self,
        path: &str,
        fields: &[(String, String)],
        headers: &[(&str, &str)],
    ) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = TestRequest::default().method(Method::POST).uri(path).set_payload(body);
        request = request.insert_header(("content-type", "application/x-www-form-urlencoded"));
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        self.send(request).await
    }

    /// Types address and password; what follows.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.visit("/console/sign-in").await.expect(200);
        self.sign_in_here(email, password).await
    }

    /// Types address and password on the page for that, which is shown.
    pub(crate) async fn sign_in_here(&self, email: &str, password: &str) -> Reply {
        self.post("/console/sign-in", &[("email", email)]).await.expect(303);
        self.get("/console/sign-in/password").await.expect(200);
        self.post("/console/sign-in/password", &[("email", email), ("password", password)]).await
    }

    /// The cookie by this name, if there is one.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }
}

/// The text of an attribute.
pub(crate) fn unescaped(text: &str) -> String {
    let mut plain = text.to_owned();
    for (escaped, character) in [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(escaped, character);
    }
    plain
}

/// The code that an authenticator app shows for a key as people type it.
pub(crate) fn code_of(key: &str, now: Timestamp) -> String {
    let letters: Vec<u8> = key.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let mut bits = 0_u64;
    let (mut count, mut bytes) = (0, Vec::new());
    for letter in letters {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = (bits << 5) | u64::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    TotpSecret::from_bytes(bytes.try_into().unwrap()).code(now)
}

/// The present moment of a test.
pub(crate) fn now(site: &Site) -> Timestamp {
    site.clock.now()
}
