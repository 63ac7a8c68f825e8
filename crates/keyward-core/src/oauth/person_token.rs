//! Tokens for people: access tokens (RFC 9068) by which an application acts for them, and ID tokens (OpenID Connect Core
//! section 2).

use std::sync::Arc;

use keyward_crypto::access_token::Claims;
use keyward_model::{
    Action, Changes, Entity, Event, FieldChange, Id, Outcome, RefreshToken, ScopeSet, Subject, Timestamp,
    User, encode_uuid,
};
use keyward_policy::{Principal, held};
use serde_json::{Map, Value, json};

use super::{
    Authenticated, OAuthError, OAuthErrorCode, TokenReply, identity_scopes, issue::ACCESS_TOKEN_TYP,
};
use crate::{
    Keyward, Origin,
    directory::{Client, Opened, Person, SessionMark},
    keys::algorithm,
};

/// `typ` of ID tokens.
const ID_TOKEN_TYP: &str = "JWT";

/// A person for whom an application acts, in a session that is alive.
pub(super) struct Bearer {
    pub(super) person: Arc<Person>,
    opened: Arc<Opened>,
    authenticated_at: Timestamp,
    catalogue: Arc<ScopeSet>,
}

/// What tokens for a person are made of.
pub(super) struct PersonToken<'a> {
    pub(super) client: &'a Client,
    pub(super) bearer: &'a Bearer,
    /// What was allowed.
    pub(super) scope: &'a ScopeSet,
    pub(super) audience: &'a String,
    pub(super) nonce: Option<&'a str>,
    pub(super) amr: Option<&'a Vec<String>>,
    /// The family whose present token goes along.
    pub(super) refresh: Option<&'a RefreshToken>,
}

/// What a person can hand on now: what they hold, as far as the application is allowed it.
pub(super) fn handed_on(person: &Person, client: &Client, catalogue: &ScopeSet) -> ScopeSet {
    let principal = Principal::user(&person.user, person.permissions.clone());
    held(&principal, catalogue).intersection(&client.allowed)
}

impl Keyward {
    /// The person and the session, if both are alive: every token that an application obtains hangs on that.
    pub(super) async fn bearer(
        &self,
        user: Id<User>,
        mark: SessionMark,
        authenticated_at: Timestamp,
        now: Timestamp,
    ) -> Result<Bearer, OAuthError> {
        let directory = &self.inner.directory;
        let person = directory.person(user).await?;
        let opened = directory.session(mark).await?;
        let ended = || OAuthError::new(OAuthErrorCode::InvalidGrant, "The session has ended. Sign in again.");
        let (Some(person), Some(opened)) = (person, opened) else {
            return Err(ended().because("session_ended"));
        };
        match opened.is_alive(&person, self.idle_seconds(), now) {
            Ok(()) => {
                let catalogue = directory.catalogue().await?;
                Ok(Bearer { person, opened, authenticated_at, catalogue })
            }
            Err(dead) => Err(ended().because(dead.code())),
        }
    }

    /// The tokens, the event that tells of them, and the access token's number.
    pub(super) fn person_tokens(
        &self,
        token: &PersonToken<'_>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(TokenReply, Event, String), OAuthError> {
        let application = &token.client.application;
        let person = &token.bearer.person;
        let permissions = handed_on(person, token.client, &token.bearer.catalogue).intersection(token.scope);
        let scope = permissions.union(&identity_scopes().intersection(token.scope)).to_string();
        let lifetime = application.token_lifetime.unwrap_or(self.options().token_lifetime);
        let exp = now.plus_seconds(i64::from(lifetime)).min(application.expires_at).unix_seconds();
        let id = Id::generate(now, self.random());
        let jti = encode_uuid(id.uuid());
        let session = token.bearer.opened.session.id().to_string();
        let claims = Claims {
            exp,
            jti: jti.clone(),
            client_id: (&application.client_id).into(),
            scope: (&scope).into(),
            env: (&application.environment).into(),
            // With its refresh token ends what was obtained with it.
            credential_id: Some(
                token.refresh.map_or_else(|| session.clone(), |family| family.id().to_string()),
            ),
            ..self.claims_of(person, token.audience, now)
        };
        let access_token = self.sign(&claims, application.token_alg, now)?;
        let id_token = token.scope.contains("openid").then(|| {
            let claims = self.id_claims(token, &access_token, &session, exp, now);
            self.sign_as(ID_TOKEN_TYP, &claims, application.token_alg, now)
        });
        let id_token = id_token.transpose()?;
        let refresh_token = token.refresh.map(|family| self.refresh_token(family, token.client));
        let change = |field: &str, to: Value| FieldChange { field: field.to_owned(), from: Value::Null, to };
        let client = json!(application.client_id);
        let event =
            self.session_event(Action::TOKEN_ISSUED, &token.bearer.opened.session, person, origin, now);
        // The event has the token's number: one finds the other.
        let event = Event {
            id,
            resource: Some(Subject::token(&jti)),
            changes: Changes::of(&[change("scope", json!(scope)), change("client_id", client)]),
            ..event
        };
        let expires_in = exp - now.unix_seconds();
        let reply =
            TokenReply { access_token, token_type: "Bearer", expires_in, scope, id_token, refresh_token };
        Ok((reply, event, jti))
    }

    /// The claims of an access token of a person, apart from what the client makes of them.
    pub(crate) fn claims_of<'a>(
        &'a self,
        person: &Person,
        audience: &'a String,
        now: Timestamp,
    ) -> Claims<'a> {
        let (options, user) = (self.options(), &person.user);
        Claims {
            iss: (&options.issuer).into(),
            sub: user.id().to_string().into(),
            aud: std::slice::from_ref(audience).into(),
            exp: now.unix_seconds(),
            iat: now.unix_seconds(),
            nbf: None,
            jti: String::new(),
            client_id: "".into(),
            scope: "".into(),
            env: options.default_environment().into(),
            tenants: person.tenants.clone().map(Into::into),
            tenant_id: person
                .tenants
                .as_deref()
                .and_then(|all| if let [one] = all { Some(one.clone()) } else { None }),
            partner_id: person.partner_id().map(|id| id.to_string()),
            roles: Some(person.roles.iter().map(|held| held.role.id().to_string()).collect()),
            admin_role: user.admin_role.map(|role| role.as_str().to_owned()),
            tools: None,
            credential_id: None,
        }
    }

    fn id_claims(
        &self,
        token: &PersonToken<'_>,
        access_token: &str,
        session: &str,
        exp: i64,
        now: Timestamp,
    ) -> Map<String, Value> {
        let mut claims = about(&token.bearer.person, token.scope);
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", json!(self.options().issuer));
        put("aud", json!(token.client.application.client_id));
        put("exp", json!(exp));
        put("iat", json!(now.unix_seconds()));
        put("auth_time", json!(token.bearer.authenticated_at.unix_seconds()));
        put("sid", json!(session));
        put("at_hash", json!(algorithm(token.client.application.token_alg).half_hash(access_token)));
        if let Some(nonce) = token.nonce {
            put("nonce", json!(nonce));
        }
        if let Some(amr) = token.amr {
            put("amr", json!(amr));
        }
        claims
    }

    /// An event of a client.
    pub(super) fn client_event(
        &self,
        action: Action,
        client: &Authenticated,
        origin: &Origin,
        now: Timestamp,
    ) -> Event {
        Event {
            id: Id::generate(now, self.random()),
            occurred_at: now,
            action,
            outcome: Outcome::Success,
            reason: None,
            actor: client.client.subject(),
            resource: None,
            tenant_id: client.client.application.tenant_id,
            partner_id: client.client.partner_id(),
            changes: Changes::default(),
            context: origin.context(client.secret.map(|secret| secret.to_string())),
        }
    }

    pub(super) fn sign(
        &self,
        claims: &Claims<'_>,
        algorithm: keyward_model::TokenAlgorithm,
        now: Timestamp,
    ) -> Result<String, OAuthError> {
        self.sign_as(ACCESS_TOKEN_TYP, claims, algorithm, now)
    }

    fn sign_as(
        &self,
        typ: &str,
        claims: &impl serde::Serialize,
        algorithm: keyward_model::TokenAlgorithm,
        now: Timestamp,
    ) -> Result<String, OAuthError> {
        let signed = self.inner.keys.signer(algorithm, now).and_then(|key| {
            let payload = serde_json::to_vec(claims).ok()?;
            key.sign_compact(typ, &payload).ok()
        });
        signed.ok_or_else(|| {
            tracing::error!(algorithm = algorithm.as_str(), "no signing key could sign a token");
            OAuthError::unavailable().because("signing_failed")
        })
    }
}

/// What an application may know of a person (OpenID Connect Core sections 5.1, 5.4).
pub(super) fn about(person: &Person, scope: &ScopeSet) -> Map<String, Value> {
    let user = &person.user;
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(user.id()));
    if scope.contains("email") {
        claims.insert("email".to_owned(), json!(user.email));
    }
    if scope.contains("profile") {
        claims.insert("name".to_owned(), json!(user.name));
        claims.insert("preferred_username".to_owned(), json!(user.email));
        claims.insert("updated_at".to_owned(), json!(user.meta.updated_at.unix_seconds()));
    }
    claims
}
