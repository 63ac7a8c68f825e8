//! A Keyward on the memory store, as another application would embed it.

use std::sync::Arc;

use actix_web::{App, HttpServer};
use keyward_client::{ClientOptions, ClientSecret, KeywardClient, reqwest::Method};
use keyward_core::{Call, Caller, Keyward, MasterKey, NewClient, Options, Origin, SystemRandom};
use keyward_http::HttpSettings;
use keyward_model::SystemClock;
use keyward_store_memory::MemoryStore;
use serde_json::{Value, json};

use super::{Running, serve};

/// The server and its first client, which may administrate.
pub(crate) struct Real {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    _running: Running,
}

impl Real {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(configure: impl FnOnce(&mut Options) + Send + 'static) -> Self {
        let (running, (url, client_id, secret)) = serve(async move |listener, url| {
            let (store, master) = (Arc::new(MemoryStore::default()), MasterKey::generate(&SystemRandom));
            let mut options = Options::new(&url);
            configure(&mut options);
            let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
            let keyward = Keyward::start(store, &master, options, clock, random).await.unwrap();
            let call =
                Call { caller: Caller::operator("test"), origin: Origin::default(), idempotency: None };
            let scopes = "admin:read admin:write".parse().unwrap();
            let new = NewClient { client_id: "setup".to_owned(), scopes, secret: None };
            let (client_id, secret) = keyward.create_client(&call, new).await.unwrap();
            let http = HttpSettings::default();
            let app = move || {
                App::new()
                    .wrap(keyward_http::wrap(&keyward, &http))
                    .configure(keyward_http::configure(&keyward, &http))
            };
            let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
            (server, (url, client_id, secret))
        });
        Self { url, client_id, secret, _running: running }
    }

    /// Options of a client of this server, with the admin API as its API.
    pub(crate) fn options(&self, client_id: &str, secret: &str) -> ClientOptions {
        ClientOptions::from_issuer(&self.url, client_id, ClientSecret::new(secret))
            .api_base(format!("{}/api/v1/admin", self.url))
    }

    /// The client that administrates.
    pub(crate) fn admin(&self) -> KeywardClient {
        self.options(&self.client_id, &self.secret).build().unwrap()
    }
}

/// Creates something through the admin API.
pub(crate) async fn create(admin: &KeywardClient, collection: &str, body: Value) -> Value {
    let reply = admin.send(admin.post(collection).json(&body)).await.unwrap();
    assert_eq!(reply.status(), 201, "{collection}");
    reply.json().await.unwrap()
}

/// An application for two permissions, and the tenants that they are granted for: client ID and secret.
pub(crate) async fn granted_application(admin: &KeywardClient) -> (String, String) {
    let permission = json!({
        "resource": "points", "label": "Points", "view": "points:read", "change": ["points:adjust"]
    });
    create(admin, "permissions", permission).await;
    let scopes = ["points:read", "points:adjust"];
    let mut grants = Vec::new();
    for slug in ["acme", "globex"] {
        let tenant = create(admin, "tenants", json!({ "name": slug, "slug": slug })).await;
        let grant = json!({ "tenant_id": tenant["id"], "environment": "production", "permissions": scopes });
        grants.push(grant);
    }
    let application = json!({
        "type": "service", "name": "hub", "reach": "global", "client_id": "hub", "allowed_scopes": scopes
    });
    let made = create(admin, "applications", application).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let path = format!("applications/{}/grants", text(&made["id"]));
    let put = admin.request(Method::PUT, &path).json(&json!({ "grants": grants }));
    assert_eq!(admin.send(put).await.unwrap().status(), 200);
    (text(&made["client_id"]), text(&made["secret"]["value"]))
}
