//! A client of the platform whose one grant dies, with its tenant, with its tenant's partner, or by itself.

use keyward_model::TenancyStatus;
use serde_json::{Value, json};

use crate::support::{Client, DAY, HOUR, TestApp, admin, decode, get, post};

struct Fixture {
    app: TestApp,
    partner: String,
    acme: String,
    hub: Client,
    token: String,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    app.catalogue().await;
    let partner = app.partner("reseller").await;
    let tenant = json!({ "name": "Acme", "slug": "acme", "partner_id": partner });
    let acme = app.create("tenants", &tenant).await["id"].as_str().unwrap().to_owned();
    let body = json!({
        "reach": "global", "client_id": "hub", "allowed_scopes": ["points:read", "admin:read"], "token_lifetime": DAY
    });
    let hub = app.application(&body).await;
    let mut it = Fixture { app, partner, acme, hub, token: String::new() };
    it.grant(Value::Null).await;
    it.token = it.app.token(&it.hub).await;
    it
}

#[derive(Clone, Copy, Debug)]
enum Death {
    Expired,
    Removed,
    TenantSuspended,
    TenantDeleted,
    PartnerSuspended,
    PartnerDeleted,
}

const DEATHS: [Death; 6] = [
    Death::Expired,
    Death::Removed,
    Death::TenantSuspended,
    Death::TenantDeleted,
    Death::PartnerSuspended,
    Death::PartnerDeleted,
];

impl Fixture {
    async fn grant(&self, expires_at: Value) {
        let grants =
            json!([{ "tenant_id": self.acme, "permissions": ["points:read"], "expires_at": expires_at }]);
        self.app.grant(&self.hub, &grants).await;
    }

    async fn die(&mut self, death: Death) {
        let (tenant, partner, now) =
            (format!("tenants/{}", self.acme), self.partner.clone(), self.app.keyward.now());
        match death {
            Death::Expired => {
                self.grant(json!(self.app.moment(HOUR))).await;
                self.app.advance(HOUR);
            }
            Death::Removed => {
                let other = self.app.tenant("other").await;
                let grants = json!([{
                    "tenant_id": other, "permissions": ["points:read"], "expires_at": self.app.moment(1)
                }]);
                self.app.grant(&self.hub, &grants).await;
                self.app.advance(1);
            }
            Death::TenantSuspended => drop(self.app.edit(&tenant, &json!({ "status": "suspended" })).await),
            Death::TenantDeleted => self.app.remove(&tenant).await,
            Death::PartnerSuspended => {
                self.app.change_partner(&partner, |partner| partner.status = TenancyStatus::Suspended).await;
            }
            Death::PartnerDeleted => {
                self.app.change_partner(&partner, |partner| partner.meta.deleted_at = Some(now)).await;
            }
        }
    }

    /// Brings back what can come back: whether it could.
    async fn rise(&mut self, death: Death) -> bool {
        let partner = self.partner.clone();
        match death {
            Death::Expired | Death::Removed => self.grant(Value::Null).await,
            Death::TenantSuspended => {
                self.app.edit(&format!("tenants/{}", self.acme), &json!({ "status": "active" })).await;
            }
            Death::PartnerSuspended => {
                self.app.change_partner(&partner, |partner| partner.status = TenancyStatus::Active).await;
            }
            Death::TenantDeleted | Death::PartnerDeleted => return false,
        }
        true
    }

    async fn check_alive(&self, what: &str) {
        let token = self.app.token(&self.hub).await;
        assert_eq!(decode(&token).tenants(), [self.acme.as_str()], "{what}");
        assert_eq!(self.app.introspect(&self.hub, &token).await["active"], true, "{what}");
        let own = self.app.ask(&self.hub, &[("tenant", "acme")]).await;
        own.expect(200, what);
    }

    async fn check_dead(&self, what: &str) {
        let app = &self.app;
        for params in [&[][..], &[("scope", "points:read")], &[("scope", "admin:read")]] {
            let reply = app.ask(&self.hub, params).await;
            assert!([400, 401].contains(&reply.status), "{what}: {params:?}: {}", reply.text());
            assert!(reply.json().get("access_token").is_none(), "{what}: {params:?}");
        }
        for tenant in ["acme", &self.acme, "nowhere"] {
            let reply = app.ask(&self.hub, &[("tenant", tenant)]).await.expect(400, what);
            assert_eq!(reply.json()["error"], "invalid_target", "{what}: {tenant}");
        }
        let seen = app.introspect(&self.hub, &self.token).await;
        let without = seen["active"] == false || !seen["tenants"].to_string().contains(&self.acme);
        assert!(without, "{what}: its earlier token: {seen}");
        let reply = app.send(get(&admin("tenants")).bearer(&self.token)).await;
        assert!([401, 403].contains(&reply.status), "{what}: {}", reply.text());
        let path =
            post("/oauth2/revoke").basic(&self.hub.client_id, &self.hub.secret).form(&[("token", "x")]);
        app.send(path).await.expect(200, "the client itself is alive");
    }
}

#[actix_web::test]
async fn the_matrix() {
    for death in DEATHS {
        let what = format!("{death:?}");
        let mut it = fixture().await;
        it.check_alive(&what).await;
        it.die(death).await;
        it.check_dead(&what).await;
        if it.rise(death).await {
            it.check_alive(&what).await;
        }
    }
}
