//! People, their tokens, their sessions, and a platform with two partners and three tenants of theirs.

use std::sync::atomic::Ordering;

use keyward_core::{Call as CoreCall, Caller, Origin};
use keyward_model::{Clock as _, Id, Meta, Session};
use keyward_store::{Change, Store as _};
use serde_json::{Value, json};

use super::{Call, Client, Reply, TestApp, admin, get, id_of, post, put};

/// A call of somebody at the machine.
fn operator() -> CoreCall {
    CoreCall { caller: Caller::operator("test"), origin: Origin::default(), idempotency: None }
}

/// A person: identifier, address, and a token.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) token: String,
}

impl TestApp {
    /// A person with these fields and a token; the name before the `@` is enough of an address.
    pub(crate) async fn person(&self, name: &str, fields: &Value) -> Person {
        let mut body = json!({ "email": format!("{name}@people.example"), "name": name });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let email = body["email"].as_str().unwrap().to_owned();
        let id = id_of(&self.create("users", &body).await);
        Person { id, token: self.user_token(&email).await, email }
    }

    /// A person of a tenant without an admin role, who holds these permissions through a role.
    pub(crate) async fn staff(&self, tenant: &str, name: &str, permissions: &[&str]) -> Person {
        let person = self.person(name, &json!({ "tenant_id": tenant })).await;
        let role = self.role(Some(tenant), &format!("role-of-{name}"), permissions).await;
        self.roles_of(&person.id, &[&role]).await;
        person
    }

    /// Replaces the roles of a user.
    pub(crate) async fn roles_of(&self, user: &str, roles: &[&str]) {
        self.ok(put(&admin(&format!("users/{user}/roles"))).json(&json!({ "roles": roles }))).await;
    }

    /// A super admin with a token.
    pub(crate) async fn super_admin(&self, name: &str) -> Person {
        let email = format!("{name}@people.example");
        let id = self.keyward.create_admin(&operator(), &email, Some(name)).await.unwrap();
        Person { id, token: self.user_token(&email).await, email }
    }

    /// A token of the person with this address.
    pub(crate) async fn user_token(&self, email: &str) -> String {
        self.keyward.user_token(&operator(), email).await.unwrap()
    }

    /// Sends a request with somebody's token.
    pub(crate) async fn by(&self, person: &Person, call: Call) -> Reply {
        self.send(call.bearer(&person.token)).await
    }

    /// Puts a session of a user into the database, past sign-in: its identifier.
    pub(crate) async fn session(&self, user: &str) -> String {
        let shown = self.ok(get(&admin(&format!("users/{user}")))).await;
        let now = self.clock.now();
        let session = Session {
            meta: Meta::new(Id::generate(now, &*self.random), now),
            user_id: user.parse().unwrap(),
            partner_id: shown["partner_id"].as_str().map(|id| id.parse().unwrap()),
            tenant_id: shown["tenant_id"].as_str().map(|id| id.parse().unwrap()),
            method: "password".to_owned(),
            provider_id: None,
            hash: self.hash_of_nothing(),
            amr: vec!["pwd".to_owned()],
            authenticated_at: now,
            ip: Some("203.0.113.9".to_owned()),
            user_agent: Some("browser/1".to_owned()),
            last_active_at: now,
            expires_at: now.plus_seconds(8 * super::HOUR),
            revoked_at: None,
        };
        let id = session.meta.id.to_string();
        self.store.commit(Change::default().create(session)).await.unwrap();
        id
    }

    /// 32 bytes that stand for no cookie.
    fn hash_of_nothing(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        keyward_model::Random::fill(&*self.random, &mut hash);
        hash
    }

    /// From now on, requests made at once run into one another.
    pub(crate) fn at_once(&self) {
        self.store.yields.store(true, Ordering::SeqCst);
    }

    /// A group: its identifier.
    pub(crate) async fn group(&self, tenant: Option<&str>, name: &str) -> String {
        id_of(&self.create("groups", &json!({ "name": name, "tenant_id": tenant })).await)
    }

    /// Puts a user into a group.
    pub(crate) async fn join(&self, group: &str, user: &str) {
        self.create(&format!("groups/{group}/members"), &json!({ "user_id": user })).await;
    }

    /// Puts a group into another.
    pub(crate) async fn nest(&self, outside: &str, inside: &str) {
        self.create(&format!("groups/{outside}/nested"), &json!({ "group_id": inside })).await;
    }

    /// An agent of a tenant, which obtains tokens like a client.
    pub(crate) async fn agent(&self, tenant: Option<&str>, fields: &Value) -> Client {
        let mut body = json!({ "name": "assistant", "tenant_id": tenant });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let made = self.create("agents", &body).await;
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        Client {
            id: text(&made["id"]),
            client_id: text(&made["client_id"]),
            secret: text(&made["secret"]["value"]),
            secret_id: text(&made["secret"]["id"]),
        }
    }
}

/// An OIDC configuration.
pub(crate) fn oidc(issuer: &str) -> Value {
    json!({ "issuer": issuer, "client_id": "keyward", "client_secret": "provider-secret-1", "scopes": ["openid"] })
}

/// A tenant with one of everything in it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) partner: String,
    pub(crate) tenant: String,
    /// Its tenant admin.
    pub(crate) admin: Person,
    /// A user without any right, who is in `group`.
    pub(crate) user: Person,
    /// A user who is in no group.
    pub(crate) loner: String,
    /// A group with a member, and `child` inside.
    pub(crate) group: String,
    pub(crate) child: String,
    /// A group that is in none.
    pub(crate) spare: String,
    pub(crate) role: String,
    pub(crate) client: Client,
    pub(crate) provider: String,
    pub(crate) agent: Client,
    pub(crate) session: String,
    /// An API key, and another.
    pub(crate) key: String,
    pub(crate) spare_key: String,
}

/// A platform: `north` with the tenants `acme` and `annex`, `south` with `globex`.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) boss: Person,
    pub(crate) north: String,
    pub(crate) south: String,
    pub(crate) of_north: Person,
    pub(crate) of_south: Person,
    pub(crate) acme: Place,
    pub(crate) annex: Place,
    pub(crate) globex: Place,
}

async fn place(app: &TestApp, partner: &str, slug: &str) -> Place {
    let tenant = json!({ "name": slug, "slug": slug, "partner_id": partner });
    let tenant = id_of(&app.create("tenants", &tenant).await);
    let name = |role: &str| format!("{role}-{slug}");
    let of = json!({ "tenant_id": tenant });
    let own = Some(tenant.as_str());
    let user = app.person(&name("user"), &of).await;
    let (group, child) = (app.group(own, "outside").await, app.group(own, "inside").await);
    app.join(&group, &user.id).await;
    app.nest(&group, &child).await;
    let provider = json!({
        "name": "Sign-in", "kind": "oidc", "tenant_id": tenant, "config": oidc("https://idp.example")
    });
    let key = json!({ "name": "till", "tenant_id": tenant, "permissions": ["points:read"] });
    Place {
        partner: partner.to_owned(),
        admin: app
            .person(&name("admin"), &json!({ "tenant_id": tenant, "admin_role": "tenant_admin" }))
            .await,
        loner: app.person(&name("loner"), &of).await.id,
        session: app.session(&user.id).await,
        role: app.role(own, "clerk", &["points:read"]).await,
        client: app.client(&tenant, "crm-sync", &["points:read"]).await,
        provider: id_of(&app.create("identity-providers", &provider).await),
        agent: app.agent(own, &json!({ "allowed_scopes": ["points:read"] })).await,
        spare: app.group(own, "spare").await,
        key: id_of(&app.create("api-keys", &key).await),
        spare_key: id_of(&app.create("api-keys", &key).await),
        user,
        group,
        child,
        tenant,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let app = TestApp::start().await;
        app.catalogue().await;
        let boss = app.super_admin("boss").await;
        let partner = async |slug: &str| {
            let id = id_of(&app.create("partners", &json!({ "name": slug, "slug": slug })).await);
            let fields = json!({ "partner_id": id, "admin_role": "partner_admin" });
            let person = app.person(&format!("admin-{slug}"), &fields).await;
            (id, person)
        };
        let ((north, of_north), (south, of_south)) = (partner("north").await, partner("south").await);
        Self {
            boss,
            acme: place(&app, &north, "acme").await,
            annex: place(&app, &north, "annex").await,
            globex: place(&app, &south, "globex").await,
            app,
            north,
            south,
            of_north,
            of_south,
        }
    }
}

/// Collections of the admin API whose objects belong to a tenant, a partner or the platform.
pub(crate) const COLLECTIONS: [&str; 10] = [
    "partners",
    "tenants",
    "users",
    "groups",
    "roles",
    "applications",
    "identity-providers",
    "agents",
    "sessions",
    "api-keys",
];

impl Place {
    /// Its object of a collection.
    pub(crate) fn id(&self, collection: &str) -> &str {
        match collection {
            "partners" => &self.partner,
            "tenants" => &self.tenant,
            "users" => &self.user.id,
            "groups" => &self.group,
            "roles" => &self.role,
            "applications" => &self.client.id,
            "identity-providers" => &self.provider,
            "agents" => &self.agent.id,
            "sessions" => &self.session,
            "api-keys" => &self.key,
            other => panic!("{other} is no collection of a tenant: teach the test"),
        }
    }
}

/// An identifier of the same kind that nothing has.
pub(crate) fn nobody(id: &str) -> String {
    format!("{}_{}", id.split('_').next().unwrap(), "0".repeat(25) + "7")
}

/// Makes an object of a collection in a tenant as somebody.
pub(crate) fn creation(collection: &str, tenant: Option<&str>, name: &str) -> Call {
    let mut body = match collection {
        "partners" | "tenants" => {
            return post(&admin(collection)).json(&json!({ "name": name, "slug": name }));
        }
        "users" => json!({ "email": format!("{name}@people.example") }),
        "groups" | "agents" | "api-keys" => json!({ "name": name }),
        "roles" => json!({ "name": name, "permissions": [] }),
        "applications" => json!({ "name": name, "type": "service", "client_id": name }),
        "identity-providers" => {
            json!({ "name": name, "kind": "oidc", "config": oidc("https://idp.example") })
        }
        other => panic!("{other} can't be created: teach the test"),
    };
    if let Some(tenant) = tenant {
        body["tenant_id"] = json!(tenant);
    }
    post(&admin(collection)).json(&body)
}
