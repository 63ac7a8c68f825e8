//! The one place where a request is judged.

use std::{fmt, sync::Arc};

use keyward_crypto::{access_token::TokenError, feed::Revoked, jws::JwsError};
use keyward_model::{
    Clock, Scope, ScopeSet,
    admission::{KeyFacts, Mode, Needs, Refusal, Requirement, TokenFacts, admit},
};

use crate::{
    Authority, Builder, Caller, ConnectError, Credentials, Denial, Protection,
    api_keys::{ApiKeys, KeyError},
    fetch::{Http, TIMEOUT},
    keys::Keys,
    revocations::{FIRST_READING, Revocations},
    tokens::{Terms, Token, Tokens, refusal},
};

/// Protects APIs by the tokens of one issuer. Cheap to clone: all clones share keys, caches and what was revoked.
#[derive(Clone)]
pub struct Guard(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) terms: Terms,
    pub(crate) authority: Option<Arc<dyn Authority>>,
    pub(crate) mode: Mode,
    pub(crate) environment: Option<String>,
    pub(crate) bare: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Tokens,
    pub(crate) http: Http,
    pub(crate) keys: Arc<Keys>,
    pub(crate) api_keys: Option<ApiKeys>,
    /// What the feed tells; nothing when it is not followed.
    pub(crate) revocations: Option<Arc<Revocations>>,
    /// What is revoked then.
    pub(crate) nothing: Arc<Revoked>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("terms", &self.0.terms)
            .field("mode", &self.0.mode)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// Begins to set up a guard for the tokens of this issuer: the exact text of their claim `iss`, which for Keyward is
    /// its public address.
    pub fn builder(issuer: impl Into<String>) -> Builder {
        Builder::new(issuer.into())
    }

    /// Asks for one permission, for example `points:read`.
    #[must_use]
    pub fn require(&self, permission: &str) -> Protection {
        self.require_all([permission])
    }

    /// Asks for all of these permissions. With none, a valid credential is enough.
    pub fn require_all<'a>(&self, permissions: impl IntoIterator<Item = &'a str>) -> Protection {
        self.protection(parse(permissions).map(Needs::All))
    }

    /// Asks for one of these permissions. With none to choose from, nobody is let in.
    pub fn require_any<'a>(&self, permissions: impl IntoIterator<Item = &'a str>) -> Protection {
        let some = |any: &ScopeSet| !any.is_empty();
        self.protection(parse(permissions).filter(some).map(Needs::AnyOf))
    }

    /// Asks for a valid credential and no permission.
    #[must_use]
    pub fn authenticated(&self) -> Protection {
        self.protection(Some(Needs::default()))
    }

    /// Whether the issuer's revocation feed is followed without a gap, as far as can be told. Never so for an issuer
    /// without one.
    #[must_use]
    pub fn revocations_are_current(&self) -> bool {
        self.0.revocations.as_ref().is_some_and(|revocations| revocations.are_current())
    }

    fn protection(&self, needs: Option<Needs>) -> Protection {
        if needs.is_none() {
            tracing::error!("an endpoint asks for something that is no permission: nobody will be let in");
        }
        let requirement = needs.map(|needs| {
            let (mode, environment) = (self.0.mode, self.0.environment.clone());
            Requirement { mode, needs, environment }
        });
        Protection::new(self.clone(), requirement)
    }

    /// Asks for keys and revocations. What is missing, when something is.
    pub(crate) async fn begin(&self) -> Result<(), fn(String) -> ConnectError> {
        let snapshot = self.0.keys.usable().await.ok_or(ConnectError::NoKeys as fn(String) -> _)?;
        let Some(revocations) = &self.0.revocations else { return Ok(()) };
        revocations.follow(&self.0.keys, &self.0.http);
        revocations.first_reading(TIMEOUT).await;
        if snapshot.feed.is_some() && !revocations.are_current() {
            return Err(ConnectError::NoFeed);
        }
        Ok(())
    }
}

/// Permissions from their names; nothing when one is no name.
fn parse<'a>(permissions: impl IntoIterator<Item = &'a str>) -> Option<ScopeSet> {
    permissions.into_iter().map(|name| name.parse::<Scope>().ok()).collect()
}

async fn ask(
    authority: &dyn Authority,
    requirement: &Requirement,
    credentials: &Credentials<'_>,
) -> Result<Caller, Denial> {
    match authority.decide(requirement, credentials).await {
        Ok(decision) => Ok(decision?.into()),
        Err(cause) => {
            tracing::error!(%cause, "whether a request may pass could not be decided");
            Err(Denial::unavailable("It can't be decided at the moment."))
        }
    }
}

impl Inner {
    /// Judges a request.
    pub(crate) async fn check(
        &self,
        requirement: &Requirement,
        credentials: &Credentials<'_>,
    ) -> Result<Caller, Denial> {
        if let Some(header) = credentials.repeated() {
            return Err(Denial::repeated(header));
        }
        if let Some(authority) = &self.authority {
            return ask(&**authority, requirement, credentials).await;
        }
        let (wants_token, wants_key) = match requirement.mode {
            Mode::Bearer => (true, false),
            Mode::ApiKey => (false, true),
            Mode::Either | Mode::Both => (true, true),
        };
        let token = match credentials.token(self.bare).filter(|_| wants_token) {
            None => None,
            Some(Ok(text)) => Some(self.token(text).await?),
            Some(Err(refusal)) => Some(Err(refusal)),
        };
        // Nobody is asked about a key that makes no difference any more.
        let decided = matches!(token, Some(Err(_))) || requirement.mode == Mode::Both && token.is_none();
        let key = match credentials.key().filter(|_| wants_key && !decided) {
            None => None,
            Some(Ok(text)) => Some(self.key(text, requirement, credentials).await?),
            Some(Err(refusal)) => Some(Err(refusal)),
        };
        Ok(admit(requirement, token, key)?.into())
    }

    async fn token(&self, text: &str) -> Result<Result<TokenFacts, Refusal>, Denial> {
        let unknown = || Denial::unavailable("The issuer's keys are not known at the moment.");
        let snapshot = self.keys.usable().await.ok_or_else(unknown)?;
        let mut verified = self.tokens.verify(text, &snapshot, &self.terms, self.clock.now());
        if let Err(TokenError::Jws(JwsError::UnknownKey)) = verified
            && let Some(newer) = self.keys.beyond(&snapshot).await
        {
            verified = self.tokens.verify(text, &newer, &self.terms, self.clock.now());
        }
        let token = match verified {
            Ok(token) => token,
            Err(error) => return Ok(Err(refusal(error))),
        };
        let revoked = self.revoked().await?;
        Ok(Token::facts(&token, &revoked))
    }

    async fn key(
        &self,
        text: &str,
        requirement: &Requirement,
        credentials: &Credentials<'_>,
    ) -> Result<Result<KeyFacts, Refusal>, Denial> {
        let Some(api_keys) = &self.api_keys else {
            tracing::error!("an endpoint takes API keys, and the guard was built without api_keys()");
            return Err(Denial::misconfigured());
        };
        let revoked = self.revoked().await?;
        let environment = requirement.environment.as_deref();
        match api_keys.check(text, environment, credentials.peer, &revoked).await {
            Ok(facts) => Ok(Ok(facts)),
            Err(KeyError::Refused(refusal)) => Ok(Err(refusal)),
            Err(KeyError::Unavailable(_)) => {
                Err(Denial::unavailable("API keys can't be checked at the moment."))
            }
        }
    }

    /// What is known to be revoked, if that is known well enough.
    async fn revoked(&self) -> Result<Arc<Revoked>, Denial> {
        let Some(revocations) = &self.revocations else { return Ok(self.nothing.clone()) };
        revocations.follow(&self.keys, &self.http);
        revocations.first_reading(FIRST_READING).await;
        if revocations.are_recent() {
            Ok(revocations.known())
        } else {
            Err(Denial::unavailable("What was revoked is not known at the moment."))
        }
    }
}
