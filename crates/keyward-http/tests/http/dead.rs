//! Dead means dead: whatever stands above a credential dies, each path that accepts the credential knows.

use keyward_model::TenancyStatus;
use serde_json::{Value, json};

use crate::support::{Client, DAY, HOUR, TestApp, admin, get, made_up, post};

/// A client of the tenant `acme`, which belongs to a partner; a sibling beside it.
struct Fixture {
    app: TestApp,
    partner: String,
    acme: String,
    client: Client,
    /// Its token, from before it died.
    token: String,
    /// A live global application with `admin:read`.
    reader: Client,
    /// The answers to a stranger.
    generic: Value,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let partner = app.partner("reseller").await;
    let tenant = json!({ "name": "Acme", "slug": "acme", "partner_id": partner });
    let acme = app.create("tenants", &tenant).await["id"].as_str().unwrap().to_owned();
    let body = json!({
        "reach": "tenant", "tenant_id": acme, "client_id": "crm-sync", "allowed_scopes": ["points:read"],
        "expires_at": app.moment(DAY), "token_lifetime": DAY
    });
    let client = app.application(&body).await;
    let reader = app.global("reader", &["admin:read"]).await;
    let stranger = Client { secret: made_up('s', "live"), ..client.clone() };
    let generic = app.ask(&stranger, &[]).await.expect(401, "a wrong secret").json();
    let token = app.token(&client).await;
    Fixture { app, partner, acme, client, token, reader, generic }
}

/// What a path must do with the credential.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Path {
    /// As if nothing had happened.
    Works,
    /// 401 `invalid_client`, and the reason for the holder of the right secret.
    Reason,
    /// 401 `invalid_client` as for a stranger.
    Unknown,
    /// 401 `invalid_client` with either description: the contract leaves it open.
    Refused,
}
use Path::{Reason, Refused, Unknown, Works};

/// A way to die.
#[derive(Clone, Copy, Debug)]
enum Death {
    Disabled,
    Expired,
    Deleted,
    SecretRevoked,
    SecretExpired,
    TenantSuspended,
    TenantDeleted,
    PartnerSuspended,
    PartnerDeleted,
    TokenRevoked,
}

/// The state of everything above the credential × what the client can do × whether its earlier token still works.
const MATRIX: [(Death, Path, bool); 10] = [
    (Death::Disabled, Reason, false),
    (Death::Expired, Reason, false),
    (Death::Deleted, Unknown, false),
    (Death::SecretRevoked, Refused, false),
    (Death::SecretExpired, Reason, true),
    (Death::TenantSuspended, Reason, false),
    (Death::TenantDeleted, Unknown, false),
    (Death::PartnerSuspended, Reason, false),
    (Death::PartnerDeleted, Unknown, false),
    (Death::TokenRevoked, Works, false),
];

impl Fixture {
    async fn die(&mut self, death: Death) {
        let application = format!("applications/{}", self.client.id);
        let tenant = format!("tenants/{}", self.acme);
        match death {
            Death::Disabled => drop(self.app.edit(&application, &json!({ "status": "disabled" })).await),
            Death::Expired => self.app.advance(DAY),
            Death::Deleted => self.app.remove(&application).await,
            Death::SecretRevoked => {
                self.app.remove(&format!("{application}/secrets/{}", self.client.secret_id)).await;
            }
            Death::SecretExpired => {
                let until = json!({ "expires_at": self.app.moment(HOUR) });
                self.client = self.app.another_secret(&self.client, &until).await;
                self.token = self.app.token(&self.client).await;
                self.app.advance(HOUR);
            }
            Death::TenantSuspended => drop(self.app.edit(&tenant, &json!({ "status": "suspended" })).await),
            Death::TenantDeleted => self.app.remove(&tenant).await,
            Death::PartnerSuspended => self.partner_status(TenancyStatus::Suspended).await,
            Death::PartnerDeleted => {
                let (partner, now) = (self.partner.clone(), self.app.keyward.now());
                self.app.change_partner(&partner, |partner| partner.meta.deleted_at = Some(now)).await;
            }
            Death::TokenRevoked => {
                self.app.revoke(&self.client, &self.token).await.expect(200, "revoked");
            }
        }
    }

    async fn partner_status(&mut self, status: TenancyStatus) {
        let partner = self.partner.clone();
        self.app.change_partner(&partner, |partner| partner.status = status).await;
    }

    /// Brings back what can come back: whether it could.
    async fn rise(&mut self, death: Death) -> bool {
        let application = format!("applications/{}", self.client.id);
        match death {
            Death::Disabled => drop(self.app.edit(&application, &json!({ "status": "active" })).await),
            Death::Expired => {
                self.app.ok(post(&admin(&format!("{application}/renew"))).json(&json!({}))).await;
            }
            Death::SecretRevoked | Death::SecretExpired => {
                self.client = self.app.another_secret(&self.client, &json!({})).await;
            }
            Death::TenantSuspended => {
                self.app.edit(&format!("tenants/{}", self.acme), &json!({ "status": "active" })).await;
            }
            Death::PartnerSuspended => self.partner_status(TenancyStatus::Active).await,
            Death::TokenRevoked => {}
            Death::Deleted | Death::TenantDeleted | Death::PartnerDeleted => return false,
        }
        true
    }

    /// Each path that takes the client's credential or its earlier token.
    async fn check(&self, death: Death, path: Path, earlier: bool) {
        let (app, client) = (&self.app, &self.client);
        let (id, secret) = (client.client_id.as_str(), client.secret.as_str());
        let grant = ("grant_type", "client_credentials");
        let token = ("token", self.token.as_str());
        let own = [("client_id", id), ("client_secret", secret)];
        let paths = [
            ("token by Basic", post("/oauth2/token").basic(id, secret).form(&[grant])),
            ("token by body", post("/oauth2/token").form(&[grant, own[0], own[1]])),
            (
                "token, a scope",
                post("/oauth2/token").basic(id, secret).form(&[grant, ("scope", "points:read")]),
            ),
            ("token, its tenant", post("/oauth2/token").basic(id, secret).form(&[grant, ("tenant", "acme")])),
            ("introspection", post("/oauth2/introspect").basic(id, secret).form(&[token])),
            (
                "introspection of garbage",
                post("/oauth2/introspect").basic(id, secret).form(&[("token", "x")]),
            ),
            ("revocation of garbage", post("/oauth2/revoke").basic(id, secret).form(&[("token", "x")])),
        ];
        for (name, request) in paths {
            let reply = app.send(request).await;
            let what = format!("{death:?}, {name}: {} {}", reply.status, reply.text());
            if path == Works {
                assert_eq!(reply.status, 200, "{what}");
                continue;
            }
            assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_client")), "{what}");
            let generic = reply.json() == self.generic;
            assert!(path != Unknown || generic, "a deleted thing answers as unknown: {what}");
            assert!(path != Reason || !generic, "the owner of the secret learns why: {what}");
        }
        let stranger = Client { secret: made_up('s', "live"), ..client.clone() };
        let reply = app.ask(&stranger, &[]).await.expect(401, "a stranger");
        assert_eq!(reply.json(), self.generic, "{death:?}: a stranger learns something");
        self.check_earlier_token(death, earlier).await;
    }

    async fn check_earlier_token(&self, death: Death, works: bool) {
        let seen = self.app.introspect(&self.reader, &self.token).await;
        let admin_api = self.app.send(get(&admin("tenants")).bearer(&self.token)).await;
        if works {
            assert_eq!(seen["active"], true, "{death:?}: its earlier token");
            admin_api.expect(403, "the token is good, for other APIs");
        } else {
            assert_eq!(seen, json!({ "active": false }), "{death:?}: its earlier token");
            admin_api.expect(401, &format!("{death:?}: its earlier token in the admin API"));
        }
    }
}

#[actix_web::test]
async fn the_matrix() {
    for (death, path, earlier) in MATRIX {
        let mut it = fixture().await;
        it.check_alive(death).await;
        it.die(death).await;
        it.check(death, path, earlier).await;
        if it.rise(death).await {
            it.check_alive(death).await;
        }
    }
}

impl Fixture {
    /// The positive control.
    async fn check_alive(&self, death: Death) {
        let token = self.app.token(&self.client).await;
        let seen = self.app.introspect(&self.client, &token).await;
        assert_eq!(seen["active"], true, "{death:?}: alive");
        assert_eq!(self.app.introspect(&self.reader, &token).await, seen, "{death:?}: alive");
        let reply =
            self.app.send(get(&admin("tenants")).bearer(&token)).await.expect(403, "a tenant's client");
        assert_eq!(reply.json()["detail"], "Platform token requires admin:read or admin:write scope");
    }
}

/// The same for a client of the platform, whose token opens the admin API.
#[actix_web::test]
async fn clients_of_the_platform() {
    for death in [Death::Disabled, Death::Expired, Death::Deleted, Death::SecretRevoked, Death::TokenRevoked]
    {
        let mut it = fixture().await;
        let body = json!({
            "reach": "global", "client_id": "operator", "allowed_scopes": ["admin:read"],
            "expires_at": it.app.moment(DAY), "token_lifetime": DAY
        });
        it.client = it.app.application(&body).await;
        it.token = it.app.token(&it.client).await;
        let reads = || get(&admin("tenants")).bearer(&it.token);
        it.app.send(reads()).await.expect(200, "alive");
        it.die(death).await;
        let reads = get(&admin("tenants")).bearer(&it.token);
        it.app.send(reads).await.expect(401, &format!("{death:?}"));
        assert_eq!(it.app.introspect(&it.reader, &it.token).await, json!({ "active": false }), "{death:?}");
    }
}

/// A later application by the same name inherits nothing.
#[actix_web::test]
async fn a_namesake_is_another() {
    let it = fixture().await;
    it.app.remove(&format!("applications/{}", it.client.id)).await;
    let body = json!({
        "type": "service", "name": "again", "reach": "tenant", "tenant_id": it.acme, "client_id": "crm-sync",
        "allowed_scopes": ["points:read"]
    });
    let again = it.app.admin(post(&admin("applications")).json(&body)).await;
    assert!([201, 409].contains(&again.status), "{}", again.text());
    it.app.ask(&it.client, &[]).await.expect(401, "the old secret");
    assert_eq!(it.app.introspect(&it.reader, &it.token).await, json!({ "active": false }));
    let own = it.app.send(get(&admin("tenants")).bearer(&it.token)).await;
    own.expect(401, "the old token in the admin API");
}
