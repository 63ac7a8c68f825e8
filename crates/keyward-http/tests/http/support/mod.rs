//! Keyward in process, with a clock that the test moves.

mod call;
mod credential;
mod database;
mod feed;
mod jwt;
mod keys;
mod people;
mod reply;
mod store;

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, atomic::AtomicBool},
};

use actix_web::{App, body::to_bytes, dev::Service as _, test, test::TestRequest, web};
use futures_util::future::LocalBoxFuture;
use keyward_core::{Call as CoreCall, Caller, Keyward, MasterKey, NewClient, Options, Origin};
use keyward_http::HttpSettings;
use keyward_model::{Clock as _, ManualClock, SeededRandom, Timestamp};
use serde_json::{Value, json};

pub(crate) use call::{
    ADMIN, AGENT, Call, PEER, TOKEN, admin, basic_value, call, delete, get, patch, post, put,
};
pub(crate) use credential::{is_well_formed, made_up, with_checksum};
pub(crate) use feed::{FEED, Follower, issued_at};
pub(crate) use jwt::{Jwt, decode, encode, scopes};
pub(crate) use keys::{FORWARD, IDENTITY, Key, KeyFixture, VERIFY, check_problem, forward, verdict_of};
pub(crate) use people::{COLLECTIONS, Person, Place, World, creation, nobody, oidc};
pub(crate) use reply::{Reply, check_discreet, revealed};
pub(crate) use store::TestStore;

/// The public address of every test's Keyward.
pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";
/// When every test begins.
pub(crate) const START: &str = "2026-11-02T12:00:00.000Z";

pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;

/// An application and its first secret.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "`client_id` is its name on the wire")]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) secret_id: String,
}

type Sender = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Reply>>;

/// A running Keyward.
pub(crate) struct TestApp {
    sender: Sender,
    pub(crate) keyward: Keyward,
    pub(crate) store: TestStore,
    pub(crate) clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
    pub(crate) draining: Arc<AtomicBool>,
    /// The global application that administrates in tests.
    pub(crate) root: Client,
    token: RefCell<Option<(String, i64)>>,
}

async fn sender(keyward: &Keyward, http: &HttpSettings) -> Sender {
    let app = App::new().app_data(web::Data::new(keyward.clone()));
    let app = app.wrap(keyward_http::wrap(keyward, http)).configure(keyward_http::configure(keyward, http));
    let service = Rc::new(test::init_service(app).await);
    Box::new(move |request: TestRequest| {
        let service = service.clone();
        Box::pin(async move {
            // A failure travels as an error, of which the server makes the reply.
            let (status, headers, body) = match service.call(request.to_request()).await {
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
            Reply { status: status.as_u16(), headers, body }
        })
    })
}

impl TestApp {
    /// Keyward with default options on an empty database, but without a limit for tokens.
    pub(crate) async fn start() -> Self {
        Self::with(|_, _| {}).await
    }

    /// The same with other options.
    pub(crate) async fn with(configure: impl FnOnce(&mut Options, &mut HttpSettings)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse(START).unwrap()));
        let random = Arc::new(SeededRandom::new(1_000_000));
        let (store, mut options) = (TestStore::new(), Options::new(ISSUER));
        let mut http = HttpSettings::default();
        options.token_limit = None;
        configure(&mut options, &mut http);
        let keyward = launch(&store, options, &clock, &random).await;
        let operator =
            CoreCall { caller: Caller::operator("test"), origin: Origin::default(), idempotency: None };
        let new = NewClient {
            client_id: "root".to_owned(),
            scopes: "admin:read admin:write".parse().unwrap(),
            secret: None,
        };
        let (client_id, secret) = keyward.create_client(&operator, new).await.unwrap();
        let root = Client { id: String::new(), client_id, secret, secret_id: String::new() };
        let draining = http.draining.clone();
        let sender = sender(&keyward, &http).await;
        let token = RefCell::default();
        let mut app = Self { sender, keyward, store, clock, random, draining, root, token };
        let found = app.ok(get(&admin("applications?client_id=root"))).await;
        found["data"][0]["id"].as_str().unwrap().clone_into(&mut app.root.id);
        app
    }

    /// Stops Keyward and starts it again on the same database, perhaps with other options.
    pub(crate) async fn restart(&mut self, configure: impl FnOnce(&mut Options)) {
        self.keyward.stop().await;
        let mut options = Options::new(ISSUER);
        options.token_limit = None;
        configure(&mut options);
        self.keyward = launch(&self.store, options, &self.clock, &self.random).await;
        self.sender = sender(&self.keyward, &HttpSettings::default()).await;
    }

    /// Another node on the same database.
    pub(crate) async fn neighbour(&self) -> Self {
        let store = self.store.another();
        let keyward = launch(&store, self.keyward.options().clone(), &self.clock, &self.random).await;
        let http = HttpSettings::default();
        Self {
            sender: sender(&keyward, &http).await,
            keyward,
            store,
            clock: self.clock.clone(),
            random: self.random.clone(),
            draining: http.draining,
            root: self.root.clone(),
            token: RefCell::default(),
        }
    }

    /// Sends a request and checks what holds for every reply.
    pub(crate) async fn send(&self, call: Call) -> Reply {
        let reply = (self.sender)(call.clone().into_request()).await;
        reply::check_always(&call, &reply);
        reply
    }

    /// Sends a request as the administrator.
    pub(crate) async fn admin(&self, call: Call) -> Reply {
        let token = self.admin_token().await;
        self.send(call.bearer(&token)).await
    }

    /// Sends a request as the administrator, and gives the body of its success.
    #[track_caller]
    pub(crate) fn ok(&self, call: Call) -> impl Future<Output = Value> {
        let at = std::panic::Location::caller();
        async move {
            let what = format!("{} {}", call.method, call.uri);
            let reply = self.admin(call).await;
            assert!(reply.status < 300, "{what} at {at} answered {} {}", reply.status, reply.text());
            reply.json()
        }
    }

    /// A token of the administrator, the same until it expires.
    pub(crate) async fn admin_token(&self) -> String {
        let now = self.clock.now().unix_seconds();
        if let Some((token, until)) = self.token.borrow().clone()
            && now < until
        {
            return token;
        }
        let token = self.token(&self.root).await;
        *self.token.borrow_mut() = Some((token.clone(), decode(&token).number("exp")));
        token
    }

    /// A request for a token by Basic.
    pub(crate) async fn ask(&self, client: &Client, params: &[(&str, &str)]) -> Reply {
        let pairs = [&[("grant_type", "client_credentials")], params].concat();
        self.send(post(TOKEN).basic(&client.client_id, &client.secret).form(&pairs)).await
    }

    /// A token for all that the client is allowed.
    pub(crate) async fn token(&self, client: &Client) -> String {
        self.token_for(client, &[]).await
    }

    pub(crate) async fn token_for(&self, client: &Client, params: &[(&str, &str)]) -> String {
        let reply = self.ask(client, params).await.expect(200, "a token");
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn introspect(&self, by: &Client, token: &str) -> Value {
        let call = post("/oauth2/introspect").basic(&by.client_id, &by.secret).form(&[("token", token)]);
        self.send(call).await.expect(200, "introspection").json()
    }

    pub(crate) async fn revoke(&self, by: &Client, token: &str) -> Reply {
        let call = post("/oauth2/revoke").basic(&by.client_id, &by.secret).form(&[("token", token)]);
        self.send(call).await
    }

    pub(crate) async fn jwks(&self) -> Value {
        self.send(get("/.well-known/jwks.json")).await.expect(200, "the JWKS").json()
    }

    /// Creates something through the admin API.
    #[track_caller]
    pub(crate) fn create<'a>(
        &'a self,
        collection: &str,
        body: &Value,
    ) -> impl Future<Output = Value> + use<'a> {
        let at = std::panic::Location::caller();
        let call = post(&admin(collection)).json(body);
        async move {
            let reply = self.admin(call).await;
            assert_eq!(reply.status, 201, "at {at}: {}", reply.text());
            reply.json()
        }
    }

    /// Changes something through the admin API.
    #[track_caller]
    pub(crate) fn edit<'a>(&'a self, path: &str, body: &Value) -> impl Future<Output = Value> + use<'a> {
        self.ok(patch(&admin(path)).json(body))
    }

    /// Deletes something through the admin API.
    pub(crate) async fn remove(&self, path: &str) {
        self.admin(delete(&admin(path))).await.expect(204, path);
    }

    /// A tenant with this slug: its identifier.
    pub(crate) async fn tenant(&self, slug: &str) -> String {
        id_of(&self.create("tenants", &json!({ "name": slug, "slug": slug })).await)
    }

    /// A partner with the tenant Acme: their identifiers.
    pub(crate) async fn reseller(&self) -> (String, String) {
        let partner = json!({ "name": "Reseller", "slug": "reseller" });
        let partner = id_of(&self.create("partners", &partner).await);
        let tenant = json!({ "name": "Acme", "slug": "acme", "partner_id": partner });
        let acme = id_of(&self.create("tenants", &tenant).await);
        (partner, acme)
    }

    /// A row of the catalogue: its identifier.
    pub(crate) async fn permission(&self, resource: &str, view: &str, change: &[&str]) -> String {
        let body = json!({ "resource": resource, "label": resource, "view": view, "change": change });
        id_of(&self.create("permissions", &body).await)
    }

    /// The rows that most tests need: `points:read points:adjust` and `read:users create:users`.
    pub(crate) async fn catalogue(&self) {
        self.permission("points", "points:read", &["points:adjust"]).await;
        self.permission("users", "read:users", &["create:users"]).await;
    }

    /// A role: its identifier. No tenant means one of the platform.
    pub(crate) async fn role(&self, tenant: Option<&str>, name: &str, permissions: &[&str]) -> String {
        let body = json!({ "name": name, "tenant_id": tenant, "permissions": permissions });
        id_of(&self.create("roles", &body).await)
    }

    /// An application of type `service` from the fields that matter.
    #[track_caller]
    pub(crate) fn application<'a>(&'a self, fields: &Value) -> impl Future<Output = Client> + use<'a> {
        let mut body = json!({ "type": "service", "name": fields["client_id"] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let creation = self.create("applications", &body);
        async move {
            let made = creation.await;
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            Client {
                id: text(&made["id"]),
                client_id: text(&made["client_id"]),
                secret: text(&made["secret"]["value"]),
                secret_id: text(&made["secret"]["id"]),
            }
        }
    }

    /// A tenant's application.
    pub(crate) async fn client(&self, tenant: &str, local: &str, scopes: &[&str]) -> Client {
        self.application(&json!({
            "reach": "tenant", "tenant_id": tenant, "client_id": local, "allowed_scopes": scopes
        }))
        .await
    }

    /// A global application.
    pub(crate) async fn global(&self, local: &str, scopes: &[&str]) -> Client {
        self.application(&json!({ "reach": "global", "client_id": local, "allowed_scopes": scopes })).await
    }

    /// Replaces the grants of an application.
    pub(crate) async fn grant(&self, client: &Client, grants: &Value) {
        let call =
            put(&admin(&format!("applications/{}/grants", client.id))).json(&json!({ "grants": grants }));
        self.ok(call).await;
    }

    /// Makes another secret: the same client with it.
    pub(crate) async fn another_secret(&self, client: &Client, body: &Value) -> Client {
        let made = self.create(&format!("applications/{}/secrets", client.id), body).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Client { secret: text(&made["value"]), secret_id: text(&made["id"]), ..client.clone() }
    }

    /// Events of the audit log, at most 100.
    pub(crate) async fn events(&self, query: &str) -> Vec<Value> {
        let list = self.ok(get(&admin(&format!("audit?per_page=100&{query}")))).await;
        list["data"].as_array().unwrap().clone()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance_seconds(seconds);
    }

    /// The present moment moved by so many seconds, as JSON has it.
    pub(crate) fn moment(&self, seconds: i64) -> String {
        self.clock.now().plus_seconds(seconds).to_string()
    }
}

async fn launch(
    store: &TestStore,
    options: Options,
    clock: &Arc<ManualClock>,
    random: &Arc<SeededRandom>,
) -> Keyward {
    // The same seed each time: a restart finds the database's own master key.
    let master = MasterKey::generate(&SeededRandom::new(7));
    Keyward::start(Arc::new(store.clone()), &master, options, clock.clone(), random.clone()).await.unwrap()
}

/// The `id` of an object.
#[track_caller]
pub(crate) fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("no id: {object}")).to_owned()
}

/// The `name` members of a list's items.
pub(crate) fn column(list: &Value, name: &str) -> Vec<String> {
    let items = list["data"].as_array().unwrap();
    items.iter().map(|item| item[name].as_str().unwrap_or("").to_owned()).collect()
}
