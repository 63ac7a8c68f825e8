//! The issuer's keys: parsed once, read without a lock, refreshed beside the requests.

mod discovery;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use keyward_crypto::jws::{KeySet, VerifyingKey};
use serde_json::Value;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};
use url::Url;

pub(crate) use self::discovery::is_safe;
use crate::fetch::{FetchError, Http};

/// The longest JWKS that is read, in bytes.
const MAX_LEN: usize = 1 << 20;
/// The most keys of one JWKS.
const MAX_KEYS: usize = 200;
/// How long keys are fresh when the issuer does not say, and the bounds of what it may say.
const FRESH: Duration = Duration::from_mins(5);
const FRESH_LEAST: Duration = Duration::from_secs(30);
const FRESH_MOST: Duration = Duration::from_hours(1);
/// How long requests that have no key at all are refused without another attempt, after one that failed.
pub(crate) const RETRY: Duration = Duration::from_secs(1);
/// How long the issuer is left alone after an attempt to refresh keys that are still good.
const RETRY_STALE: Duration = Duration::from_secs(5);
/// How often an unknown `kid` may cause a refresh that brings nothing: anybody can make one up.
const RETRY_UNKNOWN: Duration = Duration::from_secs(30);

/// Why the issuer's keys are not known.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The issuer did not answer as it should.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The metadata that was found is about another issuer.
    #[error("the metadata is about the issuer {0:?}")]
    WrongIssuer(String),
    /// An address in the metadata is neither https nor on this machine.
    #[error("the metadata names an address that is not safe to use")]
    UnsafeAddress,
    /// There is no key among them that verifies signatures by ES256, `EdDSA` or RS256.
    #[error("the issuer publishes no key that can be used")]
    NoKeys,
}

/// Where keys come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// They were given once and for all.
    Given,
    /// From this JWKS.
    Jwks(Url),
    /// From the JWKS that the issuer's metadata names.
    Discovery,
}

/// How to get keys.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) issuer: String,
    /// The issuer as an address.
    pub(crate) base: Url,
    pub(crate) source: Source,
    pub(crate) allow_insecure: bool,
    /// How long keys are used that can't be refreshed.
    pub(crate) live: Duration,
}

/// The keys as they were at some time.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) set: KeySet,
    /// Counts how often a key went away: what was verified before that is verified again.
    pub(crate) generation: u64,
    pub(crate) feed: Option<Url>,
    stale_from: Option<Instant>,
    dead_from: Option<Instant>,
}

/// When keys were last asked for.
#[derive(Debug, Default)]
struct Attempts {
    last: Option<Instant>,
    unknown_kid: Option<Instant>,
}

/// Why keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Missing,
    Stale,
    UnknownKid,
}

#[derive(Debug)]
pub(crate) struct Keys {
    options: Options,
    http: Http,
    snapshot: ArcSwapOption<Snapshot>,
    /// Whether the keys are to be refreshed although they are fresh.
    distrusted: AtomicBool,
    /// Held by the one who asks the issuer.
    attempts: Arc<Mutex<Attempts>>,
}

impl Keys {
    pub(crate) fn new(options: Options, http: Http) -> Arc<Self> {
        let (snapshot, distrusted, attempts) = Default::default();
        Arc::new(Self { options, http, snapshot, distrusted, attempts })
    }

    /// Keys that never change.
    pub(crate) fn given(options: Options, http: Http, set: KeySet) -> Arc<Self> {
        let keys = Self::new(options, http);
        let snapshot = Snapshot { set, generation: 0, feed: None, stale_from: None, dead_from: None };
        keys.snapshot.store(Some(Arc::new(snapshot)));
        keys
    }

    /// Keys that can be used now. Waits for the issuer only when there is none; `None` when there is none then, either.
    pub(crate) async fn usable(self: &Arc<Self>) -> Option<Arc<Snapshot>> {
        let now = Instant::now();
        if let Some(snapshot) = self.alive(now) {
            if self.is_stale(&snapshot, now) {
                self.refresh_beside();
            }
            return Some(snapshot);
        }
        self.refresh(Why::Missing).await;
        self.alive(Instant::now())
    }

    /// Keys that are not the `known` ones, after a token named a key that is not among those.
    pub(crate) async fn beyond(self: &Arc<Self>, known: &Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        if matches!(self.options.source, Source::Given) {
            return None;
        }
        let now = Instant::now();
        let newer = || self.alive(now).filter(|current| !Arc::ptr_eq(current, known));
        if let Some(newer) = newer() {
            return Some(newer);
        }
        self.refresh(Why::UnknownKid).await;
        newer()
    }

    /// Refreshes the keys beside the requests; whether they were due is decided there.
    pub(crate) fn refresh_beside(self: &Arc<Self>) {
        if let Ok(mut attempts) = self.attempts.clone().try_lock_owned()
            && self.is_due(Why::Stale, &mut attempts)
        {
            let keys = self.clone();
            tokio::spawn(async move { keys.fetch(Why::Stale, attempts).await });
        }
    }

    /// The names of the present keys.
    pub(crate) fn kids(&self) -> Vec<String> {
        let snapshot = self.snapshot.load();
        snapshot.iter().flat_map(|known| known.set.iter()).map(|key| key.kid().to_owned()).collect()
    }

    /// Takes the present keys for stale.
    pub(crate) fn distrust(self: &Arc<Self>) {
        self.distrusted.store(true, Ordering::Relaxed);
        self.refresh_beside();
    }

    fn is_stale(&self, snapshot: &Snapshot, now: Instant) -> bool {
        // Keys that were given are never stale.
        snapshot.stale_from.is_some_and(|from| now >= from || self.distrusted.load(Ordering::Relaxed))
    }

    fn alive(&self, now: Instant) -> Option<Arc<Snapshot>> {
        let snapshot = self.snapshot.load_full()?;
        snapshot.dead_from.is_none_or(|from| now < from).then_some(snapshot)
    }

    /// Asks the issuer, or waits for the answer that somebody else is waiting for. The task goes on when the request
    /// that began it is given up, as others wait for it.
    async fn refresh(self: &Arc<Self>, why: Why) {
        let (keys, asked) = (self.clone(), Instant::now());
        let task = tokio::spawn(async move {
            let mut attempts = keys.attempts.clone().lock_owned().await;
            let answered = attempts.last.is_some_and(|last| last > asked);
            if !answered && keys.is_due(why, &mut attempts) {
                keys.fetch(why, attempts).await;
            }
        });
        if let Err(error) = task.await {
            tracing::error!(%error, "the task that fetches keys ended early");
        }
    }

    /// Whether the issuer is to be asked. If so, that is noted as done.
    fn is_due(&self, why: Why, attempts: &mut Attempts) -> bool {
        let now = Instant::now();
        let longer_ago = |last: Option<Instant>, pause| last.is_none_or(|last| now - last >= pause);
        let due = match why {
            Why::Missing => self.alive(now).is_none() && longer_ago(attempts.last, RETRY),
            Why::Stale => {
                let snapshot = self.snapshot.load();
                let is_stale = snapshot.as_ref().is_some_and(|snapshot| self.is_stale(snapshot, now));
                is_stale && longer_ago(attempts.last, RETRY_STALE)
            }
            Why::UnknownKid => longer_ago(attempts.unknown_kid, RETRY_UNKNOWN),
        };
        if due {
            attempts.last = Some(now);
            if why == Why::UnknownKid {
                attempts.unknown_kid = Some(now);
            }
        }
        due
    }

    /// Asks the issuer. Holding `attempts` keeps others from doing the same.
    async fn fetch(&self, why: Why, mut attempts: OwnedMutexGuard<Attempts>) {
        match self.ask().await {
            Ok(snapshot) => {
                // Who rotates may do so again soon. A stranger can't make an issuer publish keys.
                if why == Why::UnknownKid && self.brings_keys(&snapshot.set) {
                    attempts.unknown_kid = None;
                }
                self.snapshot.store(Some(Arc::new(snapshot)));
                self.distrusted.store(false, Ordering::Relaxed);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(issuer = self.options.issuer, %error, cause, "the keys can't be refreshed");
            }
        }
        attempts.last = Some(Instant::now());
    }

    async fn ask(&self) -> Result<Snapshot, KeysError> {
        let Options { issuer, base, allow_insecure, .. } = &self.options;
        let (url, feed, kept_for) = match &self.options.source {
            Source::Given => return Err(KeysError::NoKeys),
            Source::Jwks(url) => (url.clone(), None, None),
            Source::Discovery => {
                let metadata = discovery::discover(&self.http, issuer, base, *allow_insecure).await?;
                (metadata.keys, metadata.feed, metadata.kept_for)
            }
        };
        let fetched = self.http.get(url, MAX_LEN).await?;
        let set = read_jwks(&fetched.json()?)?;
        let fresh = fetched.max_age.into_iter().chain(kept_for).min().unwrap_or(FRESH);
        let now = Instant::now();
        Ok(Snapshot {
            generation: self.generation_of(&set),
            stale_from: Some(now + fresh.clamp(FRESH_LEAST, FRESH_MOST)),
            // Keys that live longer than time can be told never die.
            dead_from: now.checked_add(self.options.live),
            set,
            feed,
        })
    }

    /// Whether a new set has a key that was not known.
    fn brings_keys(&self, set: &KeySet) -> bool {
        let known = self.kids();
        set.iter().any(|key| !known.iter().any(|kid| kid == key.kid()))
    }

    /// The generation of a new set: another one if a key is gone or changed.
    fn generation_of(&self, set: &KeySet) -> u64 {
        let Some(old) = self.snapshot.load_full() else { return 0 };
        let kept = |key: &VerifyingKey| set.iter().any(|other| other.jwk() == key.jwk());
        old.generation + u64::from(!old.set.iter().all(kept))
    }
}

/// The keys of a JWKS that can be used. Others are passed over (RFC 7517 section 5).
pub(crate) fn read_jwks(jwks: &Value) -> Result<KeySet, KeysError> {
    let all = jwks["keys"].as_array().ok_or(FetchError::Unexpected("no JWKS"))?;
    let keys: Vec<VerifyingKey> =
        all.iter().take(MAX_KEYS).filter_map(|jwk| VerifyingKey::from_any_jwk(jwk).ok()).collect();
    if keys.is_empty() { Err(KeysError::NoKeys) } else { Ok(KeySet::new(keys)) }
}
