//! The token endpoint: client credentials (RFC 6749 section 4.4) to an access token (RFC 9068).

use std::sync::{Arc, LazyLock};

use keyward_crypto::access_token::Claims;
use keyward_model::{Action, ApplicationType, Changes, Event, Id, Outcome, Subject, Timestamp, encode_uuid};
use metrics::Counter;

use super::{
    Authenticated, ClientAuth, OAuthError, OAuthErrorCode, Prepared, TokenReply, TokenRequest,
    authenticate::About, prepare::prepare_known,
};
use crate::{Keyward, Origin};

/// `typ` of access tokens (RFC 9068 section 2.1).
pub(crate) const ACCESS_TOKEN_TYP: &str = "at+jwt";

/// How a token can be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GrantType {
    ClientCredentials,
    AuthorizationCode,
    RefreshToken,
    /// It exists (RFC 8693), but not for the applications that there are so far.
    TokenExchange,
}

impl GrantType {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "client_credentials" => Self::ClientCredentials,
            "authorization_code" => Self::AuthorizationCode,
            "refresh_token" => Self::RefreshToken,
            "urn:ietf:params:oauth:grant-type:token-exchange" => Self::TokenExchange,
            _ => return None,
        })
    }

    /// Whether applications of this type may use it.
    fn is_for(self, kind: ApplicationType) -> bool {
        match self {
            Self::ClientCredentials => kind == ApplicationType::Service,
            Self::AuthorizationCode | Self::RefreshToken => kind != ApplicationType::Service,
            Self::TokenExchange => false,
        }
    }
}

/// What is answered, and whether the audit log tells of it already.
enum Answer {
    Unwritten(Box<Issued>),
    Written(TokenReply),
}

/// Looked up once: finding a metric by its name costs more than adding to it.
static ISSUED: LazyLock<Counter> = LazyLock::new(|| metrics::counter!("keyward_tokens_issued_total"));

/// A token that is signed but not yet in the audit log.
struct Issued {
    reply: TokenReply,
    /// The token's number, which is that of its event, too: one finds the other.
    id: Id<Event>,
    jti: String,
    prepared: Arc<Prepared>,
    needed: bool,
}

impl Issued {
    /// What the audit log says of it.
    fn event(&self, about: &About<'_>, origin: &Origin, now: Timestamp) -> Event {
        Event {
            id: self.id,
            occurred_at: now,
            action: Action::TOKEN_ISSUED,
            outcome: Outcome::Success,
            reason: (!self.needed).then(|| crate::audit::UNNEEDED.to_owned()),
            actor: about.actor(),
            resource: Some(Subject::token(&self.jti)),
            tenant_id: self.prepared.tenant,
            partner_id: self.prepared.partner,
            changes: self.prepared.changes.clone(),
            context: origin.context(about.credential_id.clone()),
        }
    }
}

impl Keyward {
    /// Answers a token request. Whatever the answer, it is in the audit log, durably, before this returns.
    pub async fn token(&self, request: TokenRequest, origin: &Origin) -> Result<TokenReply, OAuthError> {
        let now = self.now();
        let mut about = About::default();
        match self.try_token(&request, origin, now, &mut about).await {
            Ok(Answer::Written(reply)) => {
                ISSUED.increment(1);
                Ok(reply)
            }
            Ok(Answer::Unwritten(issued)) => {
                let event = issued.event(&about, origin, now);
                self.append(event).await?;
                ISSUED.increment(1);
                Ok(issued.reply)
            }
            // On the heap, so that tokens that are issued need no room for it.
            Err(error) => Err(Box::pin(self.deny(error, &about, origin, now)).await),
        }
    }

    /// Records the refusal of a token request that could not even be read, and gives it back.
    pub async fn refuse_token(
        &self,
        error: OAuthError,
        client_id: Option<&str>,
        origin: &Origin,
    ) -> OAuthError {
        let about = About { client_id, ..About::default() };
        self.deny(error, &about, origin, self.now()).await
    }

    async fn try_token<'a>(
        &self,
        request: &'a TokenRequest,
        origin: &Origin,
        now: Timestamp,
        about: &mut About<'a>,
    ) -> Result<Answer, OAuthError> {
        about.client_id = request.client.as_ref().map(|client| &*client.client_id);
        let grant_type = request.grant_type.as_deref();
        let grant_type =
            grant_type.ok_or_else(|| OAuthError::invalid_request("The parameter grant_type is missing."))?;
        let grant_type = GrantType::of(grant_type).ok_or_else(|| {
            OAuthError::new(OAuthErrorCode::UnsupportedGrantType, "This grant type is not supported.")
        })?;
        let client = self.authenticate_client(required(request.client.as_ref())?, origin, now, about).await?;
        if !grant_type.is_for(client.client.application.kind) {
            let code = OAuthErrorCode::UnauthorizedClient;
            return Err(OAuthError::new(code, "This application may not use this grant type."));
        }
        match grant_type {
            // On the heap: what only people's applications need must not weigh on every request.
            GrantType::AuthorizationCode => {
                Box::pin(self.redeem(request, &client, origin, now)).await.map(Answer::Written)
            }
            GrantType::RefreshToken => {
                Box::pin(self.refresh(request, &client, origin, now)).await.map(Answer::Written)
            }
            GrantType::ClientCredentials | GrantType::TokenExchange => {
                self.issue(request, &client, now).map(|issued| Answer::Unwritten(Box::new(issued)))
            }
        }
    }

    fn issue(
        &self,
        request: &TokenRequest,
        authenticated: &Authenticated,
        now: Timestamp,
    ) -> Result<Issued, OAuthError> {
        let client = &*authenticated.client;
        let application = &client.application;
        let rate = client.agent.as_ref().and_then(|agent| agent.rate_limit_rpm);
        if let Err(retry_after) = self.inner.limits.token(client.holder, rate, now) {
            return Err(OAuthError {
                retry_after_seconds: Some(retry_after),
                ..OAuthError::new(
                    OAuthErrorCode::RateLimited,
                    "This client asks for too many tokens. Keep a token until it expires.",
                )
            }
            .because("rate_limited"));
        }
        let audience = self.audience(request.resource.as_deref())?;
        let asked = (request.scope.as_deref(), request.tenant.as_deref());
        let prepared = prepare_known(&authenticated.entry, client, asked, now)?;
        let options = &self.inner.options;
        let lifetime = application.token_lifetime.unwrap_or(options.token_lifetime);
        let exp = now.plus_seconds(i64::from(lifetime)).min(prepared.valid_until).unix_seconds();
        let iat = now.unix_seconds();
        let id = Id::generate(now, &*self.inner.random);
        let jti = encode_uuid(id.uuid());
        let claims = Claims {
            iss: (&options.issuer).into(),
            sub: (&application.client_id).into(),
            aud: std::slice::from_ref(audience).into(),
            exp,
            iat,
            nbf: None,
            jti: jti.clone(),
            client_id: (&application.client_id).into(),
            scope: (&prepared.scope).into(),
            env: (&application.environment).into(),
            tenants: prepared.tenants.as_ref().map(Into::into),
            tenant_id: prepared.tenant.map(|id| id.to_string()),
            partner_id: prepared.partner.map(|id| id.to_string()),
            roles: None,
            admin_role: None,
            tools: client.agent.as_ref().map(|agent| (&agent.allowed_tools).into()),
            credential_id: authenticated.secret.map(|secret| secret.to_string()),
        };
        let access_token = self.sign(&claims, application.token_alg, now)?;
        let needed =
            self.inner.limits.needed(client.holder, (audience, &prepared.scope, &prepared.tenants), exp, iat);
        let scope = prepared.scope.clone();
        let reply = TokenReply {
            access_token,
            token_type: "Bearer",
            expires_in: exp - iat,
            scope,
            id_token: None,
            refresh_token: None,
        };
        Ok(Issued { reply, id, jti, prepared, needed })
    }

    /// The audience for a `resource` parameter (RFC 8707).
    pub(super) fn audience<'a>(&'a self, resource: Option<&str>) -> Result<&'a String, OAuthError> {
        let options = &self.inner.options;
        let Some(resource) = resource else { return Ok(&options.audience) };
        let mut known = [&options.audience, &options.admin_audience].into_iter().chain(&options.resources);
        known.find(|known| *known == resource).ok_or_else(|| {
            OAuthError::new(OAuthErrorCode::InvalidTarget, "There are no tokens for that resource here.")
        })
    }

    /// Writes a refusal down; when that can't be done, the answer is that the service is unavailable.
    async fn deny(
        &self,
        error: OAuthError,
        about: &About<'_>,
        origin: &Origin,
        now: Timestamp,
    ) -> OAuthError {
        metrics::counter!("keyward_tokens_denied_total", "reason" => error.reason).increment(1);
        if error.code == OAuthErrorCode::Unavailable {
            return error;
        }
        let application = about.client.as_ref().map(|client| &client.application);
        let event = Event {
            id: Id::generate(now, &*self.inner.random),
            occurred_at: now,
            action: Action::TOKEN_DENIED,
            outcome: Outcome::Denied,
            reason: Some(error.reason.to_owned()),
            actor: about.actor(),
            resource: about.client.as_ref().map(|client| client.subject()),
            tenant_id: application.and_then(|application| application.tenant_id),
            partner_id: about.client.as_ref().and_then(|client| client.partner_id()),
            changes: Changes::default(),
            context: origin.context(about.credential_id.clone()),
        };
        match self.append(event).await {
            Ok(()) => error,
            Err(unavailable) => unavailable,
        }
    }

    async fn append(&self, event: Event) -> Result<(), OAuthError> {
        self.inner.writer.append(event).await.map_err(|error| {
            tracing::error!(%error, "an audit record could not be written");
            OAuthError::unavailable().because("audit_unavailable")
        })
    }
}

/// Who asks; a request without any authentication is refused like one with a wrong secret.
pub(crate) fn required(client: Option<&ClientAuth>) -> Result<&ClientAuth, OAuthError> {
    client.ok_or_else(|| {
        OAuthError::new(OAuthErrorCode::InvalidClient, "The request has no client authentication.")
            .because("credentials_missing")
    })
}
