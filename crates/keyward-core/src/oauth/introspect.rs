//! Token introspection (RFC 7662).

use keyward_model::{ADMIN_READ, ApplicationReach, RefreshToken, Timestamp};
use serde_json::{Map, Value, json};

use super::{ClientAuth, Introspection, LiveToken, OAuthError, OAuthErrorCode, authenticate::About};
use crate::{Keyward, Origin, directory::Client};

impl Keyward {
    /// Says whether a token works now and what it allows now, to its own client or to a global application with
    /// `admin:read`. Everyone else, and every doubt, gets `active: false`.
    pub async fn introspect(
        &self,
        auth: ClientAuth,
        token: &str,
        origin: &Origin,
    ) -> Result<Introspection, OAuthError> {
        let now = self.now();
        let authenticated = self.authenticate_client(&auth, origin, now, &mut About::default()).await?;
        if authenticated.secret.is_none() {
            // Whoever can't prove who they are learns nothing.
            return Err(OAuthError::new(OAuthErrorCode::InvalidClient, "The client_secret is missing."));
        }
        if let Some(family) = self.live_refresh_token(token, &authenticated.client, now).await? {
            return Ok(Introspection {
                active: true,
                claims: Some(refreshing(&family, &authenticated.client)),
            });
        }
        let Some(live) = self.look_at(token, now).await? else { return Ok(Introspection::default()) };
        if !may_introspect(&authenticated.client, &live) {
            return Ok(Introspection::default());
        }
        Ok(Introspection { active: true, claims: Some(describe(&live)) })
    }

    /// The token, if it works now.
    pub(crate) async fn look_at(&self, token: &str, now: Timestamp) -> Result<Option<LiveToken>, OAuthError> {
        let Ok(claims) = self.verify_token(token, &self.audiences(), now) else { return Ok(None) };
        let live = self.live_token(claims, now).await?;
        Ok(live.ok())
    }

    /// Every audience that tokens can have here.
    pub(super) fn audiences(&self) -> Vec<&str> {
        let options = &self.inner.options;
        let own = [options.audience.as_str(), options.admin_audience.as_str()];
        own.into_iter().chain(options.resources.iter().map(String::as_str)).collect()
    }
}

fn may_introspect(asking: &Client, live: &LiveToken) -> bool {
    let own = live.is_of(asking);
    let platform = asking.application.reach == ApplicationReach::Global
        && asking.grants.is_empty()
        && asking.allowed.contains(ADMIN_READ);
    own || platform
}

/// What introspection says of a refresh token.
fn refreshing(family: &RefreshToken, client: &Client) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("token_type".to_owned(), json!("refresh_token"));
    all.insert("sub".to_owned(), json!(family.user_id));
    all.insert("client_id".to_owned(), json!(client.application.client_id));
    all.insert("scope".to_owned(), json!(family.scope.to_string()));
    all.insert("exp".to_owned(), json!(family.expires_at.unix_seconds()));
    all
}

fn describe(live: &LiveToken) -> Map<String, Value> {
    let claims = &live.claims;
    let audience = if let [one] = &claims.aud[..] { json!(one) } else { json!(claims.aud) };
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            all.insert(name.to_owned(), value);
        }
    };
    put("token_type", json!("Bearer"));
    put("iss", json!(claims.iss));
    put("sub", json!(claims.sub));
    put("aud", audience);
    put("exp", json!(claims.exp));
    put("iat", json!(claims.iat));
    put("jti", json!(claims.jti));
    put("client_id", json!(claims.client_id));
    put("scope", json!(live.scopes.to_string()));
    put("env", json!(claims.env));
    put("tenants", json!(live.tenants));
    let only =
        live.tenants.as_ref().and_then(|tenants| if let [one] = &tenants[..] { Some(one) } else { None });
    put("tenant_id", json!(only));
    put("partner_id", json!(claims.partner_id));
    put("roles", json!(claims.roles));
    put("tools", json!(claims.tools));
    all
}
