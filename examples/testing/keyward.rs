//! A Keyward inside the test.

use std::{
    fmt::Display,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    thread,
};

use actix_web::{App, HttpServer, dev::ServerHandle};
use keyward_core::{Call, Caller, Keyward as Core, MasterKey, NewClient, Options, Origin, SystemRandom};
use keyward_http::HttpSettings;
use keyward_model::{Clock, SystemClock, Timestamp};
use keyward_store_memory::MemoryStore;
use reqwest::blocking::Client;
use serde_json::{Value, json};

/// The time, moved by so many seconds.
struct Moved(Arc<AtomicI64>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// A Keyward on the memory store. It stops when this is dropped.
pub(crate) struct Keyward {
    pub(crate) url: String,
    pub(crate) http: Client,
    setup: Credentials,
    admin: String,
    moved: Arc<AtomicI64>,
    handle: ServerHandle,
}

impl Drop for Keyward {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// Client ID and secret.
pub(crate) type Credentials = (String, String);

impl Keyward {
    /// Starts with the clock moved by so many seconds.
    pub(crate) fn start(seconds: i64) -> Self {
        let moved = Arc::new(AtomicI64::new(seconds));
        let clock = Arc::new(Moved(moved.clone()));
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let url = format!("http://{}", listener.local_addr().unwrap());
                let (store, master) = (Arc::new(MemoryStore::default()), MasterKey::generate(&SystemRandom));
                let mut options = Options::new(&url);
                options.resources = vec!["https://elsewhere.example".to_owned()];
                let core = Core::start(store, &master, options, clock, Arc::new(SystemRandom)).await.unwrap();
                let caller = Caller::operator("test");
                let call = Call { caller, origin: Origin::default(), idempotency: None };
                let scopes = "admin:read admin:write".parse().unwrap();
                let client = NewClient { client_id: "setup".to_owned(), scopes, secret: None };
                let client = core.create_client(&call, client).await.unwrap();
                let http = HttpSettings::default();
                let app = move || {
                    App::new()
                        .wrap(keyward_http::wrap(&core, &http))
                        .configure(keyward_http::configure(&core, &http))
                };
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
                let server = server.run();
                sender.send((server.handle(), url, client)).unwrap();
                server.await.unwrap();
            });
        });
        let (handle, url, setup) = receiver.recv().unwrap();
        let mut keyward = Self { url, http: Client::new(), setup, admin: String::new(), moved, handle };
        keyward.move_clock(seconds);
        keyward
    }

    /// Moves the clock.
    pub(crate) fn move_clock(&mut self, seconds: i64) {
        self.moved.store(seconds, Ordering::SeqCst);
        self.admin = self.token(&self.setup, &[]);
    }

    pub(crate) fn create(&self, collection: impl Display, body: &Value) -> Value {
        let url = format!("{}/api/v1/admin/{collection}", self.url);
        let reply = self.http.post(url).bearer_auth(&self.admin).json(body).send().unwrap();
        let (status, answer) = (reply.status(), reply.json::<Value>().unwrap());
        assert!(status.is_success(), "{collection} {body}: {answer}");
        answer
    }

    /// A tenant, by its slug.
    pub(crate) fn tenant(&self, slug: &str) -> Value {
        self.create("tenants", &json!({ "name": slug, "slug": slug }))
    }

    /// Permissions to read and write something.
    pub(crate) fn permissions(&self, of: &str) {
        let row = json!({ "resource": of, "view": format!("{of}:read"), "change": [format!("{of}:write")] });
        self.create("permissions", &row);
    }

    /// An application that obtains tokens.
    pub(crate) fn application(&self, body: &Value) -> Credentials {
        let made = self.create("applications", body);
        let text = |pointer| made.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        (text("/client_id"), text("/secret/value"))
    }

    /// A client of a tenant.
    pub(crate) fn client(
        &self,
        tenant: &Value,
        name: &str,
        environment: &str,
        scopes: &[&str],
    ) -> Credentials {
        self.application(&json!({
            "type": "service", "tenant_id": tenant["id"], "client_id": name, "environment": environment,
            "allowed_scopes": scopes
        }))
    }

    /// A token of a client, with these parameters besides.
    pub(crate) fn token(&self, (id, secret): &Credentials, parameters: &[(&str, &str)]) -> String {
        let form = [&[("grant_type", "client_credentials")], parameters].concat();
        let asked = self.http.post(format!("{}/oauth2/token", self.url)).basic_auth(id, Some(secret));
        let reply: Value = asked.form(&form).send().unwrap().json().unwrap();
        reply["access_token"].as_str().unwrap_or_else(|| panic!("{id}: {reply}")).to_owned()
    }
}
