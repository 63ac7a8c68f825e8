//! API keys: who checks them, and for how long an answer is remembered.

mod remote;

use std::{
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use keyward_crypto::{digest::Sha256, feed::Revoked};
use keyward_model::{
    Clock, Timestamp,
    admission::{KeyFacts, Refusal},
};
use quick_cache::sync::Cache;

pub use self::remote::{RemoteKeys, TokenSource};

/// A future that can be named.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How many answers are remembered.
const REMEMBERED: usize = 10_000;
/// How long a refusal is remembered: long enough for a client that tries again in a loop.
const REFUSED_FOR: Duration = Duration::from_secs(1);
/// How far the clocks of the issuer and of this machine may differ, in milliseconds. A key that was checked less than
/// this after something about it was revoked is checked again, lest a clock that is fast hides the revocation.
const SKEW_MS: i64 = 60_000;

/// What is asked about a key. `Debug` does not show the key.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct KeyQuestion<'a> {
    /// The key as it was sent.
    pub key: &'a str,
    /// The environment that it must be of; nothing for the issuer's first one.
    pub environment: Option<&'a str>,
    /// The address of the caller, which a key can be limited to. `0.0.0.0` when it is not known.
    pub address: IpAddr,
}

impl std::fmt::Debug for KeyQuestion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyQuestion")
            .field("environment", &self.environment)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Why a key is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is not good.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It can't be told now.
    #[error("the key can't be checked")]
    Unavailable(#[source] BoxError),
}

/// Who knows API keys: usually [`RemoteKeys`], which asks Keyward. The guard remembers what it answers for some seconds,
/// and asks one question at a time about the same key.
pub trait KeyChecker: Send + Sync + 'static {
    /// Refuses what can't be a key, without asking anybody. Everything can, unless this says otherwise.
    fn precheck(&self, key: &str) -> Result<(), Refusal> {
        let _ = key;
        Ok(())
    }

    /// What a key is good for. Its permissions and its environment are judged by the guard.
    fn check<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<KeyFacts, KeyError>>;
}

/// Why there is no good answer, as it is told to all who wait for one.
#[derive(Clone)]
enum Failure {
    Refused(Refusal),
    Unavailable(Arc<str>),
}

impl From<Failure> for KeyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused(refusal),
            Failure::Unavailable(cause) => Self::Unavailable(cause.as_ref().into()),
        }
    }
}

/// An answer, as it is remembered.
#[derive(Clone)]
struct Answer {
    result: Result<Arc<KeyFacts>, Failure>,
    until: Instant,
    /// When the question was asked, in milliseconds since the epoch.
    asked_ms: i64,
}

impl Answer {
    /// Whether it was remembered for long enough, or is void.
    fn is_outdated(&self, revoked: &Revoked, now: Timestamp) -> bool {
        self.until <= Instant::now() || self.is_void(revoked, now)
    }

    /// Whether the key has expired, or something about it was revoked since it was asked for, or shortly before.
    fn is_void(&self, revoked: &Revoked, now: Timestamp) -> bool {
        let Ok(facts) = &self.result else { return false };
        if facts.expires_at.is_some_and(|at| at <= now) {
            return true;
        }
        let since = self.asked_ms.saturating_sub(SKEW_MS);
        revoked.kills(&format!("tenant:{}", facts.tenant_id), since)
            // A publishable key is known by its tenant.
            || revoked.kills(&format!("credential:{}", facts.key_id.as_ref().unwrap_or(&facts.tenant_id)), since)
    }

    fn facts(self) -> Result<KeyFacts, KeyError> {
        Ok(self.result.map(|facts| KeyFacts::clone(&facts))?)
    }
}

/// Checks keys by asking somebody, and remembers the answers.
pub(crate) struct ApiKeys {
    checker: Arc<dyn KeyChecker>,
    /// By the SHA-256 of the question: the key itself is in no memory of ours.
    answers: Cache<[u8; 32], Answer>,
    /// For how long good answers are remembered; bad ones are for a second at most.
    remembered_for: Duration,
    clock: Arc<dyn Clock>,
}

impl ApiKeys {
    pub(crate) fn new(checker: Arc<dyn KeyChecker>, remembered_for: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { checker, answers: Cache::new(REMEMBERED), remembered_for, clock }
    }

    /// What a key is good for.
    pub(crate) async fn check(
        &self,
        key: &str,
        environment: Option<&str>,
        peer: Option<IpAddr>,
        revoked: &Revoked,
    ) -> Result<KeyFacts, KeyError> {
        self.checker.precheck(key)?;
        // An address that nobody has is on no list of those that a key is limited to.
        let address = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let question = KeyQuestion { key, environment, address };
        let name = name(&question);
        let now = self.clock.now();
        if let Some(answer) = self.answers.get(&name) {
            if !answer.is_outdated(revoked, now) {
                return answer.facts();
            }
            self.answers.remove_if(&name, |kept| kept.is_outdated(revoked, now));
        }
        match self.answers.get_value_or_guard_async(&name).await {
            Ok(answer) if !answer.is_void(revoked, now) => answer.facts(),
            // Somebody asked before what is known to be revoked by now.
            Ok(_) => self.ask(question).await.facts(),
            Err(place) => {
                let answer = self.ask(question).await;
                // It is there for those who wait for it, in any case.
                let _ = place.insert(answer.clone());
                self.answers.remove_if(&name, |kept| matches!(kept.result, Err(Failure::Unavailable(_))));
                answer.facts()
            }
        }
    }

    async fn ask(&self, question: KeyQuestion<'_>) -> Answer {
        let asked_ms = self.clock.now().unix_millis();
        let (result, lasts) = match self.checker.check(question).await {
            Ok(facts) => (Ok(Arc::new(facts)), self.remembered_for),
            Err(KeyError::Refused(refusal)) => {
                (Err(Failure::Refused(refusal)), REFUSED_FOR.min(self.remembered_for))
            }
            Err(KeyError::Unavailable(cause)) => {
                tracing::warn!(%cause, "an API key can't be checked");
                (Err(Failure::Unavailable(cause.to_string().into())), Duration::ZERO)
            }
        };
        Answer { result, until: Instant::now() + lasts, asked_ms }
    }
}

/// The name of a question among the answers.
fn name(question: &KeyQuestion<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [question.key, question.environment.unwrap_or_default(), &question.address.to_string()] {
        hash.update(&part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    // No environment is another question than one without a name.
    hash.update(&[u8::from(question.environment.is_some())]);
    hash.finish()
}
