//! How a guard is set up.

use std::{sync::Arc, time::Duration};

use keyward_crypto::jws::KeySet;
use keyward_model::{Clock, SystemClock, admission::Mode};
use serde_json::Value;
use url::Url;

use crate::{
    Authority, Guard,
    api_keys::{ApiKeys, KeyChecker},
    fetch::Http,
    guard::Inner,
    keys::{self, Keys, KeysError, Source, is_safe},
    revocations::{self, Revocations},
    tokens::{Terms, Tokens},
};

/// The most that clocks may differ, in seconds.
const MAX_LEEWAY: u64 = 300;

/// Why a guard can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The issuer, or the address of the JWKS, is no `http` or `https` address.
    #[error("not an http or https address: {0}")]
    InvalidAddress(String),
    /// The address is neither https nor on this machine, so that anybody on the way could exchange the keys.
    #[error("not an https address: {0}")]
    InsecureAddress(String),
    /// No audience is named: a token for any other API of the issuer would be good for this one (RFC 9068 section 4).
    #[error("name the audience that tokens for this API have")]
    NoAudience,
    /// The mode asks for API keys, and nobody can check them.
    #[error("name who checks API keys, with api_keys()")]
    NoKeyChecker,
    /// The JWKS that was given has no usable key.
    #[error(transparent)]
    Jwks(#[from] KeysError),
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made")]
    Http(#[from] reqwest::Error),
}

/// Why a guard can't begin.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It can't be set up.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The issuer's keys can't be read; the log says why.
    #[error("the keys of {0} can't be read")]
    NoKeys(String),
    /// The issuer has a revocation feed, which can't be read; the log says why.
    #[error("the revocation feed of {0} can't be read")]
    NoFeed(String),
}

/// Sets up a [`Guard`]; see [`Guard::builder`].
#[must_use = "a builder does nothing until build() or connect()"]
pub struct Builder {
    issuer: String,
    audiences: Vec<String>,
    environment: Option<String>,
    mode: Mode,
    bare: bool,
    checker: Option<Arc<dyn KeyChecker>>,
    authority: Option<Arc<dyn Authority>>,
    leeway: Duration,
    follow: bool,
    max_age: Option<Duration>,
    keys_live: Duration,
    jwks: Option<Value>,
    jwks_url: Option<String>,
    remembered_tokens: usize,
    remembered_keys: Duration,
    allow_insecure: bool,
    clock: Arc<dyn Clock>,
}

impl Builder {
    pub(crate) fn new(issuer: String) -> Self {
        Self {
            issuer,
            audiences: Vec::new(),
            environment: None,
            mode: Mode::Bearer,
            bare: false,
            checker: None,
            authority: None,
            leeway: Duration::ZERO,
            follow: true,
            max_age: None,
            keys_live: Duration::from_hours(24),
            jwks: None,
            jwks_url: None,
            remembered_tokens: 10_000,
            remembered_keys: Duration::from_secs(10),
            allow_insecure: false,
            clock: Arc::new(SystemClock),
        }
    }

    /// An audience that tokens for this API have: the claim `aud` (RFC 9068 section 4). Keyward's is `{issuer}/api`
    /// unless it is configured otherwise. Called again, it adds another one.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The environment that credentials must be of, for example `production`. Without it tokens of any are good, and
    /// keys of Keyward's first one.
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Which credentials a request must bring, unless an endpoint says otherwise. [`Mode::Bearer`] without it.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Also accepts `Authorization: {token}`, without the word `Bearer`, for callers that can't be changed.
    pub fn accept_bare_tokens(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Who checks API keys: usually [`RemoteKeys`](crate::RemoteKeys).
    pub fn api_keys(mut self, checker: impl KeyChecker) -> Self {
        self.checker = Some(Arc::new(checker));
        self
    }

    /// Who decides in the guard's place, on tokens and keys alike: for an API in the same process as Keyward. The issuer is
    /// not asked for anything then.
    pub fn decided_by(mut self, authority: impl Authority) -> Self {
        self.authority = Some(Arc::new(authority));
        self
    }

    /// How far the clocks of issuer and API may differ when a token's `exp` and `nbf` are judged: none without it, five
    /// minutes at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(Duration::from_secs(MAX_LEEWAY));
        self
    }

    /// Whether to follow the issuer's revocation feed, if its metadata names one. It does without this.
    pub fn follow_revocations(mut self, follow: bool) -> Self {
        self.follow = follow;
        self
    }

    /// Refuses requests (503) while the revocation feed could not be read for longer than this, rather than letting in
    /// what may have been revoked meanwhile. An issuer without a feed is refused then, too. Not done without this.
    pub fn require_fresh_revocations(mut self, max_age: Duration) -> Self {
        (self.follow, self.max_age) = (true, Some(max_age));
        self
    }

    /// How long keys are used that can't be refreshed because the issuer does not answer: 24 hours without this.
    pub fn keys_live(mut self, live: Duration) -> Self {
        self.keys_live = live;
        self
    }

    /// The issuer's keys, once and for all (RFC 7517 section 5): for tests, and inside the issuer itself. The issuer is
    /// not asked for anything then.
    pub fn jwks(mut self, jwks: Value) -> Self {
        self.jwks = Some(jwks);
        self
    }

    /// Where the issuer's keys are, if it has no metadata. There is no revocation feed to be found then.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwks_url = Some(url.into());
        self
    }

    /// How many verified tokens are remembered, so that their signature is not verified again: 10,000 without this, none
    /// with zero. Expiry and revocation are looked at for each request in any case.
    pub fn remember_tokens(mut self, count: usize) -> Self {
        self.remembered_tokens = count;
        self
    }

    /// How long the answer is remembered that a key is good: ten seconds without this, an hour at most. A revocation that the
    /// feed tells of counts earlier, and no answer outlives its key.
    pub fn remember_keys(mut self, duration: Duration) -> Self {
        self.remembered_keys = duration.min(Duration::from_hours(1));
        self
    }

    /// Asks issuers at plain `http` addresses of other machines, too. **Whoever is on the way can make tokens then.**
    pub fn allow_insecure_http(mut self) -> Self {
        self.allow_insecure = true;
        self
    }

    /// Another clock than the machine's, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// A guard that asks the issuer for its keys when the first request comes, so that an API can start without it.
    pub fn build(self) -> Result<Guard, BuildError> {
        if self.audiences.iter().all(String::is_empty) {
            return Err(BuildError::NoAudience);
        }
        if self.mode != Mode::Bearer && self.checker.is_none() && self.authority.is_none() {
            return Err(BuildError::NoKeyChecker);
        }
        let http = Http::new()?;
        let keys = self.keys(&http)?;
        let leeway_seconds = i64::try_from(self.leeway.as_secs()).unwrap_or_default();
        let is_told = self.jwks.is_some() || self.jwks_url.is_some() || self.authority.is_some();
        let follows = self.follow && !is_told;
        // With nothing to follow, what requires fresh revocations is refused.
        let revocations = (follows || self.max_age.is_some()).then(|| {
            let (issuer, max_age) = (self.issuer.clone(), self.max_age);
            let options = revocations::Options { issuer, leeway_seconds, max_age };
            Revocations::new(options, self.clock.clone())
        });
        let api_keys =
            self.checker.map(|checker| ApiKeys::new(checker, self.remembered_keys, self.clock.clone()));
        let terms = Terms { issuer: self.issuer, audiences: self.audiences, leeway_seconds };
        Ok(Guard(Arc::new(Inner {
            terms,
            authority: self.authority,
            mode: self.mode,
            environment: self.environment,
            bare: self.bare,
            clock: self.clock,
            tokens: Tokens::new(self.remembered_tokens),
            http,
            keys,
            api_keys,
            revocations,
            nothing: Arc::default(),
        })))
    }

    /// The same, and asks for the keys and the revocations at once: what this returns lets nothing in that was revoked
    /// before.
    pub async fn connect(self) -> Result<Guard, ConnectError> {
        let issuer = self.issuer.clone();
        let guard = self.build()?;
        guard.begin().await.map_err(|missing| missing(issuer))?;
        Ok(guard)
    }

    fn keys(&self, http: &Http) -> Result<Arc<Keys>, BuildError> {
        let source = match (&self.jwks, &self.jwks_url) {
            _ if self.authority.is_some() => Source::Given,
            (Some(_), _) => Source::Given,
            (None, Some(url)) => Source::Jwks(safe_issuer(url, self.allow_insecure)?),
            (None, None) => Source::Discovery,
        };
        let base = match source {
            Source::Discovery => safe_issuer(&self.issuer, self.allow_insecure)?,
            // Nothing is asked for there.
            _ => Url::parse(&self.issuer).map_err(|_| BuildError::InvalidAddress(self.issuer.clone()))?,
        };
        let options = keys::Options {
            issuer: self.issuer.clone(),
            base,
            source,
            allow_insecure: self.allow_insecure,
            live: self.keys_live,
        };
        Ok(match &self.jwks {
            _ if self.authority.is_some() => Keys::given(options, http.clone(), KeySet::new(Vec::new())),
            Some(jwks) => Keys::given(options, http.clone(), keys::read_jwks(jwks)?),
            None => Keys::new(options, http.clone()),
        })
    }
}

/// An address that may be asked.
pub(crate) fn safe_issuer(text: &str, allow_insecure: bool) -> Result<Url, BuildError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| BuildError::InvalidAddress(text.to_owned()))?;
    if is_safe(&url) || allow_insecure { Ok(url) } else { Err(BuildError::InsecureAddress(text.to_owned())) }
}
