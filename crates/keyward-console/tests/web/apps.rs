//! Applications that send people to sign in.

use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_model::{Application, Permission, Role, Tenant};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::support::{Browser, PASSWORD, Reply, Site};

/// The verifier and challenge of RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The scope of applications that want everything.
pub(crate) const ALL: &str = "openid profile email offline_access points:read points:write";

/// An application.
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) secret: Option<String>,
    pub(crate) redirect: String,
}

pub(crate) type Params = Vec<(String, String)>;

/// The parameters with others in the place of some; without those whose new value is empty.
pub(crate) fn with(mut params: Params, changes: &[(&str, &str)]) -> Params {
    for (name, value) in changes {
        params.retain(|(known, _)| known != name);
        if !value.is_empty() {
            params.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    params
}

/// The path of an authorization request.
pub(crate) fn authorize(params: &Params) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("/oauth2/authorize?{query}")
}

/// The parameters of the address to which an application is answered.
#[track_caller]
pub(crate) fn answer(reply: &Reply, redirect: &str) -> BTreeMap<String, String> {
    let location = reply.location();
    assert!(location.starts_with(&format!("{redirect}?")), "{location}");
    Url::parse(&location).unwrap().query_pairs().into_owned().collect()
}

/// Header and claims of a token, whoever signed it.
pub(crate) fn parts(token: &str) -> (Value, Value) {
    let part = |at: usize| {
        let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}

impl App {
    /// A good request with this scope.
    pub(crate) fn request(&self, scope: &str) -> Params {
        let params = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect),
            ("scope", scope),
            ("state", "s-1"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    fn authenticated(&self, params: &[(&str, &str)], changes: &[(&str, &str)]) -> Params {
        let mut all = vec![("client_id".to_owned(), self.client_id.clone())];
        all.extend(self.secret.clone().map(|secret| ("client_secret".to_owned(), secret)));
        all.extend(params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        with(all, changes)
    }

    /// Asks for tokens with a code, with some parameters changed.
    pub(crate) async fn redeem(&self, site: &Site, code: &str, changes: &[(&str, &str)]) -> Reply {
        let params = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", VERIFIER),
        ];
        send(site, "/oauth2/token", &self.authenticated(&params, changes)).await
    }

    /// Asks for tokens with a refresh token, with some parameters changed.
    pub(crate) async fn refresh(&self, site: &Site, token: &str, changes: &[(&str, &str)]) -> Reply {
        let params = [("grant_type", "refresh_token"), ("refresh_token", token)];
        send(site, "/oauth2/token", &self.authenticated(&params, changes)).await
    }

    /// Whether introspection says that a token works.
    pub(crate) async fn introspect(&self, site: &Site, token: &str) -> Value {
        let fields = self.authenticated(&[("token", token)], &[]);
        send(site, "/oauth2/introspect", &fields).await.expect(200).json()
    }

    /// Revokes a token.
    pub(crate) async fn revoke(&self, site: &Site, token: &str) -> Reply {
        send(site, "/oauth2/revoke", &self.authenticated(&[("token", token)], &[])).await
    }

    /// A code, in a browser in which somebody is signed in; when the person is asked, they allow it.
    pub(crate) async fn code(&self, browser: &Browser, params: &Params) -> String {
        let mut reply = browser.get(&authorize(params)).await.expect(303);
        if reply.location().starts_with("/console/consent") {
            browser.get(&reply.location()).await.expect(200);
            reply = browser.post("/console/consent", &[("decision", "allow")]).await.expect(303);
        }
        answer(&reply, &self.redirect)["code"].clone()
    }

    /// Tokens, in a browser in which somebody is signed in.
    pub(crate) async fn tokens(&self, site: &Site, browser: &Browser, scope: &str) -> Value {
        let code = self.code(browser, &self.request(scope)).await;
        self.redeem(site, &code, &[]).await.expect(200).json()
    }
}

async fn send(site: &Site, path: &str, fields: &Params) -> Reply {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    site.form(path, &fields).await
}

/// The text of a member.
#[track_caller]
pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}")).to_owned()
}

/// What a token lets an application know of a person.
pub(crate) async fn userinfo(site: &Site, token: &str) -> Reply {
    let header = ("authorization", format!("Bearer {token}"));
    site.send(TestRequest::get().uri("/oauth2/userinfo").insert_header(header)).await
}

impl Site {
    /// The permissions that are there in every test; made with the first thing that needs them.
    async fn points(&self) {
        let points = json!({"resource": "points", "label": "Points", "view": "points:read", "change": ["points:write"]});
        match self.keyward.create::<Permission>(&self.operator(), points).await {
            Ok(_) | Err(keyward_core::Error::Conflict { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// An application that may have both permissions.
    pub(crate) async fn app(&self, kind: &str, client_id: &str, redirect: &str) -> App {
        self.points().await;
        let body = json!({
            "name": client_id, "type": kind, "reach": "global", "client_id": client_id,
            "redirect_uris": [redirect], "allowed_scopes": ["points:read", "points:write"],
        });
        let made = self.create::<Application>(body).await;
        let id = text(&made, "id");
        let mut secret = made["secret"]["value"].as_str().map(str::to_owned);
        if kind == "web" && secret.is_none() {
            let call = self.operator();
            let made = self.keyward.create_secret::<Application>(&call, &id, json!({})).await.unwrap();
            secret = Some(text(&made.body, "value"));
        }
        self.clock.advance_seconds(1);
        App { id, client_id: text(&made, "client_id"), secret, redirect: redirect.to_owned() }
    }

    /// A web application at the usual place.
    pub(crate) async fn web_app(&self) -> App {
        self.app("web", "shop", "https://shop.example/cb").await
    }

    /// A person who holds nothing but these permissions, through a role of their tenant: the identifier.
    pub(crate) async fn holder(&self, email: &str, permissions: &[&str]) -> String {
        self.points().await;
        let slug = email.split('@').next().unwrap();
        let tenant = self.create::<Tenant>(json!({ "name": slug, "slug": slug })).await;
        let role = json!({ "name": "Holder", "tenant_id": tenant["id"], "permissions": permissions });
        let role = self.create::<Role>(role).await;
        let person = self.person(email, json!({ "tenant_id": tenant["id"] })).await;
        let roles = json!({ "roles": [role["id"]] });
        self.keyward.put_user_roles(&self.operator(), &person, roles, None).await.unwrap();
        self.clock.advance_seconds(1);
        person
    }

    /// A browser in which somebody is signed in.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let browser = self.browser();
        browser.sign_in(email, PASSWORD).await.expect(303);
        assert!(browser.cookie("keyward-session").is_some());
        browser
    }
}
