//! The guard against the real thing: a Keyward in process, over real sockets.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpServer};
use keyward_client::{ClientOptions, ClientSecret};
use keyward_core::{Call, Caller as Operator, Keyward, MasterKey, NewClient, Options, Origin, SystemRandom};
use keyward_crypto::{
    attacks::{Attack, Defect, Target, attacks},
    jws::{Algorithm, SigningKey},
};
use keyward_guard::{BoxError, Credentials, Guard, Mode, Protection, RemoteKeys};
use keyward_http::HttpSettings;
use keyward_model::SystemClock;
use keyward_store_memory::MemoryStore;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{check, check_key, eventually, outcome, told};

/// A running Keyward and its administrator.
struct Server {
    url: String,
    http: Client,
    root: (String, String),
}

/// An application's credentials.
struct Application {
    id: String,
    client_id: String,
    secret: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (store, master) = (Arc::new(MemoryStore::default()), MasterKey::generate(&SystemRandom));
        let mut options = Options::new(&url);
        options.token_limit = None;
        let keyward = Keyward::start(store, &master, options, Arc::new(SystemClock), Arc::new(SystemRandom));
        let keyward = keyward.await.unwrap();
        let call = Call { caller: Operator::operator("test"), origin: Origin::default(), idempotency: None };
        let scopes = "admin:read admin:write".parse().unwrap();
        let new = NewClient { client_id: "root".to_owned(), scopes, secret: None };
        let root = keyward.create_client(&call, new).await.unwrap();
        let http = HttpSettings::default();
        let app = move || {
            App::new()
                .wrap(keyward_http::wrap(&keyward, &http))
                .configure(keyward_http::configure(&keyward, &http))
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
        actix_web::rt::spawn(server.run());
        let server = Self { url, http: Client::new(), root };
        let row = json!({ "resource": "points", "label": "Points", "view": "points:read", "change": ["points:adjust"] });
        server.admin(Method::POST, "permissions", &row).await;
        server
    }

    async fn token_of(&self, client_id: &str, secret: &str) -> String {
        let form = [("grant_type", "client_credentials")];
        let request =
            self.http.post(format!("{}/oauth2/token", self.url)).basic_auth(client_id, Some(secret));
        let reply: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
        reply["access_token"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    async fn token(&self, application: &Application) -> String {
        self.token_of(&application.client_id, &application.secret).await
    }

    async fn admin(&self, method: Method, path: &str, body: &Value) -> Value {
        let token = self.token_of(&self.root.0, &self.root.1).await;
        let url = format!("{}/api/v1/admin/{path}", self.url);
        let reply = self.http.request(method, url).bearer_auth(token).json(body).send().await.unwrap();
        let (status, text) = (reply.status(), reply.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn create(&self, collection: &str, body: &Value) -> Value {
        self.admin(Method::POST, collection, body).await
    }

    async fn edit(&self, path: &str, body: &Value) {
        self.admin(Method::PATCH, path, body).await;
    }

    async fn tenant(&self, slug: &str) -> String {
        text(&self.create("tenants", &json!({ "name": slug, "slug": slug })).await["id"])
    }

    async fn application(&self, fields: &Value) -> Application {
        let mut body = json!({ "type": "service", "name": "test" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let made = self.create("applications", &body).await;
        Application {
            id: text(&made["id"]),
            client_id: text(&made["client_id"]),
            secret: text(&made["secret"]["value"]),
        }
    }

    async fn tenants_client(&self, tenant: &str, local: &str) -> Application {
        self.application(&json!({
            "reach": "tenant", "tenant_id": tenant, "client_id": local, "allowed_scopes": ["points:read"]
        }))
        .await
    }

    /// A guard as an API developer sets it up.
    async fn guard(&self) -> Guard {
        let fields =
            json!({ "reach": "global", "client_id": "points-api", "allowed_scopes": ["keys:verify"] });
        let service = self.application(&fields).await;
        let token = self.token(&service).await;
        let keys = RemoteKeys::new(&self.url, move |_| {
            let token = token.clone();
            async move { Ok::<_, BoxError>(token) }
        });
        Guard::builder(&self.url)
            .audience(format!("{}/api", self.url))
            .environment("production")
            .api_keys(keys.unwrap())
            .connect()
            .await
            .unwrap()
    }
}

/// Waits for a refusal, which must come within a second.
async fn refused_soon(protection: &Protection, token: &str, code: &str) {
    let took = eventually(async || told(protection, token).await == code).await;
    assert!(took < Duration::from_secs(1), "{code} took {took:?}");
}

#[actix_web::test]
async fn a_token_of_keyward_opens_what_it_names() {
    let server = Server::start().await;
    let (tenant, guard) = (server.tenant("acme").await, server.guard().await);
    assert!(guard.revocations_are_current());
    let client = server.tenants_client(&tenant, "crm").await;
    let token = server.token(&client).await;
    let caller = check(&guard.require("points:read"), &token).await.unwrap();
    assert_eq!((caller.subject(), caller.client_id()), ("acme.crm", Some("acme.crm")));
    assert_eq!((caller.tenants(), caller.environment()), (Some(vec![&*tenant]), Some("production")));
    assert_eq!(told(&guard.require("points:adjust"), &token).await, "permission_denied");
    let staging = guard.require("points:read").environment("staging");
    assert_eq!(told(&staging, &token).await, "token_wrong_environment");
    let other = Guard::builder(&server.url).audience("https://other.example").connect().await.unwrap();
    assert_eq!(told(&other.require("points:read"), &token).await, "token_wrong_audience");
}

#[actix_web::test]
async fn what_is_revoked_is_refused_within_a_second() {
    let server = Server::start().await;
    let (tenant, guard) = (server.tenant("acme").await, server.guard().await);
    let protection = guard.require("points:read");
    // A token.
    let client = server.tenants_client(&tenant, "crm").await;
    let (token, sibling) = (server.token(&client).await, server.token(&client).await);
    assert_eq!((told(&protection, &token).await, told(&protection, &sibling).await), ("ok", "ok"));
    let revoke = server.http.post(format!("{}/oauth2/revoke", server.url));
    let revoke = revoke.basic_auth(&client.client_id, Some(&client.secret)).form(&[("token", &token)]);
    assert_eq!(revoke.send().await.unwrap().status(), 200);
    refused_soon(&protection, &token, "token_revoked").await;
    assert_eq!(told(&protection, &sibling).await, "ok");
    // Its client, which comes back: for tokens that are issued from then on.
    server.edit(&format!("applications/{}", client.id), &json!({ "status": "disabled" })).await;
    refused_soon(&protection, &sibling, "token_revoked").await;
    server.edit(&format!("applications/{}", client.id), &json!({ "status": "active" })).await;
    let fresh = server.token(&client).await;
    eventually(async || told(&protection, &fresh).await == "ok").await;
    assert_eq!(told(&protection, &sibling).await, "token_revoked");
    // Its tenant.
    server.edit(&format!("tenants/{tenant}"), &json!({ "status": "suspended" })).await;
    refused_soon(&protection, &fresh, "token_revoked").await;
}

#[actix_web::test]
async fn keys_of_keyward_are_good_alone_and_beside_a_token() {
    let server = Server::start().await;
    let (tenant, other) = (server.tenant("acme").await, server.tenant("globex").await);
    let guard = server.guard().await;
    let key = async |tenant: &str, fields: Value| {
        let mut body = json!({ "name": "Till", "tenant_id": tenant, "permissions": ["points:read"] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let made = server.create("api-keys", &body).await;
        (text(&made["id"]), text(&made["value"]))
    };
    let (id, value) = key(&tenant, json!({})).await;
    let (_, foreign) = key(&other, json!({})).await;
    let (_, staging) = key(&tenant, json!({ "environment": "staging" })).await;
    let (_, bound) = key(&tenant, json!({ "allowed_ips": ["203.0.113.0/24"] })).await;
    let publishable =
        text(&server.admin(Method::GET, &format!("tenants/{tenant}"), &json!({})).await["publishable_key"]);
    let alone = guard.require("points:read").mode(Mode::ApiKey);
    let caller = check_key(&alone, &value).await.unwrap();
    assert_eq!((caller.key_id(), caller.tenants()), (Some(&*id), Some(vec![&*tenant])));
    for (key, expected) in [
        (&staging, "token_wrong_environment"),
        (&bound, "permission_denied"),
        (&publishable, "permission_denied"),
    ] {
        assert_eq!(outcome(&check_key(&alone, key).await), expected);
    }
    assert_eq!(outcome(&check_key(&alone.clone().environment("staging"), &staging).await), "ok");
    let from = Some("203.0.113.7".parse().unwrap());
    let credentials = Credentials::new([], [bound.as_bytes()]).from_address(from);
    assert_eq!(outcome(&alone.check(&credentials).await), "ok");
    // Beside a token.
    let client = server.tenants_client(&tenant, "crm").await;
    let bearer = format!("Bearer {}", server.token(&client).await);
    let both = guard.require("points:read").mode(Mode::Both);
    for (key, expected) in [(&value, "ok"), (&publishable, "ok"), (&foreign, "tenant_mismatch")] {
        let credentials = Credentials::new([bearer.as_bytes()], [key.as_bytes()]);
        assert_eq!(outcome(&both.check(&credentials).await), expected);
    }
    // Revoked while it is remembered.
    assert_eq!(outcome(&check_key(&alone, &value).await), "ok");
    server.create(&format!("api-keys/{id}/revoke"), &json!({})).await;
    let took = eventually(async || outcome(&check_key(&alone, &value).await) == "key_revoked").await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(outcome(&check_key(&alone, &foreign).await), "ok");
}

/// The guard's own token is revoked long before it expires: the next question about a key is asked with another one.
#[actix_web::test]
async fn a_guard_gets_over_the_revocation_of_its_own_token() {
    let server = Server::start().await;
    let tenant = server.tenant("acme").await;
    let fields = json!({ "reach": "global", "client_id": "points-api", "allowed_scopes": ["keys:verify"] });
    let service = server.application(&fields).await;
    let secret = ClientSecret::new(&service.secret);
    let client = ClientOptions::from_issuer(&server.url, &service.client_id, secret).build().unwrap();
    let tokens = client.clone();
    let keys = RemoteKeys::new(&server.url, move |refused: Option<String>| {
        let client = tokens.clone();
        async move {
            if let Some(token) = refused {
                client.reject(&token);
            }
            Ok(client.token().await?.secret().to_owned())
        }
    });
    let guard = Guard::builder(&server.url).audience(format!("{}/api", server.url)).mode(Mode::ApiKey);
    let guard = guard.environment("production").api_keys(keys.unwrap()).build().unwrap();
    let protection = guard.require("points:read");
    let key = async || {
        let body = json!({ "name": "Till", "tenant_id": tenant, "permissions": ["points:read"] });
        text(&server.create("api-keys", &body).await["value"])
    };
    assert_eq!(outcome(&check_key(&protection, &key().await).await), "ok");
    let own = client.token().await.unwrap();
    let revoke = server.http.post(format!("{}/oauth2/revoke", server.url));
    let revoke =
        revoke.basic_auth(&service.client_id, Some(&service.secret)).form(&[("token", own.secret())]);
    assert_eq!(revoke.send().await.unwrap().status(), 200);
    assert_eq!(client.token().await.unwrap().secret(), own.secret(), "nobody told the client");
    // A key of which no answer is remembered.
    assert_eq!(outcome(&check_key(&protection, &key().await).await), "ok");
    assert_ne!(client.token().await.unwrap().secret(), own.secret());
}

/// Tokens by a key that Keyward does not know, and everything else that needs none of its keys.
#[actix_web::test]
async fn no_forgery_opens_what_keyward_guards() {
    let server = Server::start().await;
    let (tenant, guard) = (server.tenant("acme").await, server.guard().await);
    let protection = guard.require("points:read");
    let token = server.token(&server.tenants_client(&tenant, "crm").await).await;
    let claims: Value = serde_json::from_slice(&decoded(token.split('.').nth(1).unwrap())).unwrap();
    let header: Value = serde_json::from_slice(&decoded(token.split('.').next().unwrap())).unwrap();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let kid = header["kid"].as_str().unwrap();
    let target = Target { key: &key, other_kid: kid, claims: &claims, trap: "http://127.0.0.1:9/" };
    for Attack { name, token, control, .. } in attacks(&target).unwrap() {
        for forged in [token, control] {
            assert_ne!(outcome(&check(&protection, &forged).await), "ok", "{name}");
        }
    }
    // The real token with the parts of others.
    let parts: Vec<&str> = token.split('.').collect();
    for Attack { name, defect, token: forged, .. } in attacks(&target).unwrap() {
        if defect == Defect::Form {
            continue;
        }
        let others: Vec<&str> = forged.split('.').collect();
        for mixed in [[others[0], parts[1], parts[2]], [parts[0], others[1], parts[2]]] {
            if mixed != parts[..] {
                assert_ne!(told(&protection, &mixed.join(".")).await, "ok", "{name}");
            }
        }
    }
    assert_eq!(told(&protection, &token).await, "ok", "the control");
}

fn decoded(part: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(part).unwrap()
}
