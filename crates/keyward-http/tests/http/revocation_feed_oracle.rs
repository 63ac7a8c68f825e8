//! Whoever follows the revocation feed never takes more than introspection would tell them, whatever was taken away.

use keyward_core::{Call as CoreCall, Caller, Origin};
use keyward_model::Clock as _;
use serde_json::{Value, json};

use crate::support::{
    Call, Client, Follower, Person, TestApp, admin, decode, delete, get, id_of, patch, post, put, scopes,
};

/// A token of each kind, each with everything that it can have.
struct Fixture {
    app: TestApp,
    partner: String,
    /// A partner that is suspended, without tenants.
    frozen: String,
    acme: String,
    annex: String,
    /// A catalogue row, and a role that gives `cards:read` of it.
    row: String,
    role: String,
    own: Client,
    hub: Client,
    platform: Client,
    reseller: Client,
    agent: Client,
    staff: Person,
    /// In `inner`, which is inside `outer`; both have the role.
    member: Person,
    nested: Person,
    group: String,
    outer: String,
    inner: String,
    /// Name, token, and the secret that obtained it.
    tokens: Vec<(&'static str, String, String)>,
}

fn grant(tenant: &str, permissions: &[&str], roles: &[&str]) -> Value {
    json!({ "tenant_id": tenant, "permissions": permissions, "roles": roles })
}

async fn people(app: &TestApp, acme: &str, role: &str) -> (Person, Person, Person, [String; 3]) {
    let staff = app.person("staff", &json!({ "tenant_id": acme })).await;
    app.roles_of(&staff.id, &[role]).await;
    let (member, nested) = (
        app.person("member", &json!({ "tenant_id": acme })).await,
        app.person("nested", &json!({ "tenant_id": acme })).await,
    );
    let groups = [
        app.group(Some(acme), "group").await,
        app.group(Some(acme), "outer").await,
        app.group(Some(acme), "inner").await,
    ];
    for group in &groups[..2] {
        app.ok(put(&admin(&format!("groups/{group}/roles"))).json(&json!({ "roles": [role] }))).await;
    }
    app.join(&groups[0], &member.id).await;
    app.nest(&groups[1], &groups[2]).await;
    app.join(&groups[2], &nested.id).await;
    (staff, member, nested, groups)
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let row = app.permission("cards", "cards:read", &["cards:issue"]).await;
    let partner =
        async |slug: &str| id_of(&app.create("partners", &json!({ "name": slug, "slug": slug })).await);
    let (north, frozen) = (partner("north").await, partner("frozen").await);
    app.edit(&format!("partners/{frozen}"), &json!({ "status": "suspended" })).await;
    let tenant = async |slug: &str| {
        let body = json!({ "name": slug, "slug": slug, "partner_id": north });
        id_of(&app.create("tenants", &body).await)
    };
    let (acme, annex) = (tenant("acme").await, tenant("annex").await);
    let role = app.role(Some(&acme), "clerk", &["cards:read"]).await;
    let own = json!({
        "reach": "tenant", "tenant_id": acme, "client_id": "own", "roles": [role],
        "allowed_scopes": ["points:adjust", "points:read"]
    });
    let reseller = json!({
        "reach": "partner", "partner_id": north, "client_id": "reseller",
        "allowed_scopes": ["cards:read", "points:read"]
    });
    let (own, reseller) = (app.application(&own).await, app.application(&reseller).await);
    let hub = app.global("hub", &["cards:read", "points:read"]).await;
    let platform = app.global("platform", &["points:read", "read:users"]).await;
    app.grant(&hub, &json!([grant(&acme, &["points:read"], &[&role]), grant(&annex, &["points:read"], &[])]))
        .await;
    app.grant(&reseller, &json!([grant(&acme, &["points:read"], &[])])).await;
    let fields =
        json!({ "allowed_scopes": ["points:adjust", "points:read"], "allowed_tools": ["refund", "search"] });
    let agent = app.agent(Some(&acme), &fields).await;
    let (staff, member, nested, [group, outer, inner]) = people(&app, &acme, &role).await;
    let mut it = Fixture {
        app,
        partner: north,
        frozen,
        acme,
        annex,
        row,
        role,
        own,
        hub,
        platform,
        reseller,
        agent,
        staff,
        member,
        nested,
        group,
        outer,
        inner,
        tokens: Vec::new(),
    };
    it.app.advance(1);
    it.issue().await;
    it
}

impl Fixture {
    /// Tokens of this moment, of all that still get one.
    async fn issue(&mut self) {
        self.tokens.clear();
        for (name, client) in [
            ("own", &self.own),
            ("hub", &self.hub),
            ("platform", &self.platform),
            ("reseller", &self.reseller),
            ("agent", &self.agent),
        ] {
            let reply = self.app.ask(client, &[]).await;
            if let Some(token) = reply.json()["access_token"].as_str() {
                self.tokens.push((name, token.to_owned(), client.secret_id.clone()));
            }
        }
        for (name, person) in [("staff", &self.staff), ("member", &self.member), ("nested", &self.nested)] {
            let operator =
                CoreCall { caller: Caller::operator("test"), origin: Origin::default(), idempotency: None };
            if let Ok(token) = self.app.keyward.user_token(&operator, &person.email).await {
                self.tokens.push((name, token, String::new()));
            }
        }
    }

    /// Where a follower takes more than introspection tells.
    async fn faults(&self, follower: &Follower) -> Vec<String> {
        let now = self.app.clock.now().unix_seconds();
        let mut faults = Vec::new();
        for (name, token, secret) in &self.tokens {
            let Some(left) = follower.sees(token, secret, now) else { continue };
            let seen = self.app.introspect(&self.app.root, token).await;
            let claims = decode(token);
            let tenants = seen["tenants"].as_array().cloned().unwrap_or_default();
            if seen["active"] != true {
                faults.push(format!("{name}: taken, but inactive"));
            } else if scopes(seen["scope"].as_str().unwrap_or("")) != claims.scopes() {
                faults.push(format!("{name}: taken with {:?}, but has {}", claims.scopes(), seen["scope"]));
            } else if !left.iter().all(|tenant| tenants.contains(&json!(tenant))) {
                faults.push(format!("{name}: taken for {left:?}, but is good for {tenants:?}"));
            }
        }
        faults
    }

    fn revoke(&self, name: &str) -> Call {
        let token = &self.tokens.iter().find(|(known, ..)| *known == name).unwrap().1;
        post("/oauth2/revoke").basic(&self.own.client_id, &self.own.secret).form(&[("token", token.as_str())])
    }

    /// Everything that takes something away, each with its name.
    fn losses(&self) -> Vec<(&'static str, Call)> {
        let path = |rest: String| admin(&rest);
        let of = |client: &Client| format!("applications/{}", client.id);
        let edit = |rest: String, body: Value| patch(&path(rest)).json(&body);
        let grants = |client: &Client, grants: Value| {
            put(&path(format!("{}/grants", of(client)))).json(&json!({ "grants": grants }))
        };
        let (acme, annex, role) = (self.acme.as_str(), self.annex.as_str(), self.role.as_str());
        let both = |first: Value| json!([first, grant(annex, &["points:read"], &[])]);
        let no_roles = json!({ "roles": [] });
        let soon = json!({
            "tenant_id": acme, "permissions": ["points:read"], "roles": [role],
            "expires_at": self.app.moment(5)
        });
        let user = |person: &Person| format!("users/{}", person.id);
        let (off, suspended) = (json!({ "status": "disabled" }), json!({ "status": "suspended" }));
        vec![
            ("a token is revoked", self.revoke("own")),
            ("a secret", delete(&path(format!("{}/secrets/{}", of(&self.own), self.own.secret_id)))),
            ("an application's scope", edit(of(&self.own), json!({ "allowed_scopes": ["points:read"] }))),
            ("an application's role", edit(of(&self.own), no_roles.clone())),
            ("an application is disabled", edit(of(&self.own), off.clone())),
            ("an application is deleted", delete(&path(of(&self.own)))),
            ("the platform's scope", edit(of(&self.platform), json!({ "allowed_scopes": ["points:read"] }))),
            ("a role's permission", edit(format!("roles/{role}"), json!({ "permissions": [] }))),
            ("a role is deleted", delete(&path(format!("roles/{role}")))),
            (
                "the catalogue's permission",
                edit(format!("permissions/{}", self.row), json!({ "view": null })),
            ),
            ("a row of the catalogue", delete(&path(format!("permissions/{}", self.row)))),
            ("a grant", grants(&self.hub, json!([grant(annex, &["points:read"], &[])]))),
            ("a grant's permission", grants(&self.hub, both(grant(acme, &[], &[role])))),
            ("a grant's role", grants(&self.hub, both(grant(acme, &["points:read"], &[])))),
            ("a grant ends soon", grants(&self.hub, both(soon))),
            ("all grants", grants(&self.hub, json!([]))),
            ("the last grant of a partner's", grants(&self.reseller, json!([]))),
            ("the first grant of the platform's", grants(&self.platform, both(grant(acme, &[], &[])))),
            ("a tenant is suspended", edit(format!("tenants/{acme}"), suspended.clone())),
            ("a tenant is deleted", delete(&path(format!("tenants/{acme}")))),
            ("a tenant moves", edit(format!("tenants/{acme}"), json!({ "partner_id": null }))),
            ("to a dead partner", edit(format!("tenants/{acme}"), json!({ "partner_id": self.frozen }))),
            ("a partner is suspended", edit(format!("partners/{}", self.partner), suspended)),
            ("a partner is deleted", delete(&path(format!("partners/{}", self.partner)))),
            (
                "an agent's scope",
                edit(format!("agents/{}", self.agent.id), json!({ "allowed_scopes": ["points:read"] })),
            ),
            ("an agent is disabled", edit(format!("agents/{}", self.agent.id), off.clone())),
            ("an agent is deleted", delete(&path(format!("agents/{}", self.agent.id)))),
            ("a person is disabled", edit(user(&self.staff), off)),
            ("a person is deleted", delete(&path(user(&self.staff)))),
            ("a person's password", post(&path(format!("{}/reset-password", user(&self.staff))))),
            ("a person's roles", put(&path(format!("{}/roles", user(&self.staff)))).json(&no_roles)),
            ("a group's roles", put(&path(format!("groups/{}/roles", self.group))).json(&no_roles)),
            ("a group's member", delete(&path(format!("groups/{}/members/{}", self.group, self.member.id)))),
            ("a group is deleted", delete(&path(format!("groups/{}", self.group)))),
            ("an outer group's roles", put(&path(format!("groups/{}/roles", self.outer))).json(&no_roles)),
            ("a group's nesting", delete(&path(format!("groups/{}/nested/{}", self.outer, self.inner)))),
            ("an outer group is deleted", delete(&path(format!("groups/{}", self.outer)))),
        ]
    }
}

#[actix_web::test]
async fn followers_take_no_more_than_introspection_tells() {
    let count = fixture().await.losses().len();
    let mut faults = Vec::new();
    for index in 0..count {
        let mut it = fixture().await;
        let mut follower = Follower::default();
        follower.read(&it.app).await;
        let (name, call) = it.losses().swap_remove(index);
        let before = it.faults(&follower).await;
        assert_eq!(before, Vec::<String>::new(), "before: {name}");
        it.app.advance(1);
        let by_client = call.uri.starts_with("/oauth2/");
        let reply = if by_client { it.app.send(call).await } else { it.app.admin(call).await };
        assert!(reply.status < 300, "{name}: {} {}", reply.status, reply.text());
        follower.read(&it.app).await;
        faults.extend(it.faults(&follower).await.iter().map(|fault| format!("{name}: {fault}")));
        // What is issued afterwards is good, for whoever followed and for whoever begins to.
        it.app.advance(1);
        it.issue().await;
        let mut late = Follower::default();
        late.read(&it.app).await;
        for follower in [&follower, &late] {
            faults.extend(it.faults(follower).await.iter().map(|fault| format!("{name}, new: {fault}")));
            let now = it.app.clock.now().unix_seconds();
            for (who, token, secret) in &it.tokens {
                let active = it.app.introspect(&it.app.root, token).await["active"] == true;
                if active && follower.sees(token, secret, now).is_none() {
                    faults.push(format!("{name}, new: {who}: not taken, but active"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The positive control: with nothing taken away, a follower takes every token, whole.
#[actix_web::test]
async fn nothing_taken_away() {
    let it = fixture().await;
    let mut follower = Follower::default();
    follower.read(&it.app).await;
    let now = it.app.clock.now().unix_seconds();
    assert_eq!(it.tokens.len(), 8);
    for (name, token, secret) in &it.tokens {
        let seen = it.app.introspect(&it.app.root, token).await;
        assert_eq!(seen["active"], true, "{name}");
        assert_eq!(follower.sees(token, secret, now), Some(decode(token).tenants()), "{name}");
    }
    it.app.ok(get(&admin("tenants"))).await;
}
