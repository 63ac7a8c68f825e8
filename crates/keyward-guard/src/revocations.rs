//! What was revoked, as the issuer's feed tells it (`docs/revocation-feed.md`).

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use keyward_crypto::{
    feed::{ALL, Feed, FeedError, MAX_LEN, Revoked, subject},
    jws::JwsError,
};
use keyward_model::Clock;
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use url::Url;

use crate::{
    fetch::{FetchError, Http, TIMEOUT},
    keys::Keys,
};

/// How long the issuer may wait for something new, in seconds.
const WAIT_SECONDS: u64 = 25;
/// How long to pause after a reading that failed.
const RETRY: Duration = Duration::from_secs(1);
/// The least time between readings that tell nothing and readings that do, should the issuer not wait as it is asked to.
const PAUSE_QUIET: Duration = Duration::from_millis(500);
const PAUSE_BUSY: Duration = Duration::from_millis(20);
/// How often to look whether an issuer without a feed has one now.
const PAUSE_WITHOUT: Duration = Duration::from_mins(1);
/// How long a request waits for the first reading.
pub(crate) const FIRST_READING: Duration = Duration::from_secs(2);
/// How much older than the newest reply a reply may be, in seconds: the nodes of an issuer have clocks of their own.
const NODES_DIFFER: i64 = 10;
/// How far from this machine's time the issuer's may be, in seconds.
const CLOCKS_DIFFER: i64 = 300;

/// Why a reading of the feed came to nothing.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error("the issuer's keys are not known")]
    NoKeys,
    #[error("the reply is older than the one before")]
    Replayed,
    #[error("the reply was not signed at this time")]
    WrongTime,
}

/// How the feed is followed.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) issuer: String,
    pub(crate) leeway_seconds: i64,
    /// How old the last reading may be, where that matters.
    pub(crate) max_age: Option<Duration>,
}

/// What is known of the feed.
pub(crate) struct Revocations {
    options: Options,
    clock: Arc<dyn Clock>,
    known: ArcSwap<Revoked>,
    /// Whether the last reading failed.
    failing: AtomicBool,
    /// When the last good reading ended, in milliseconds after `since`, plus one; zero before the first.
    read_at: AtomicU64,
    since: Instant,
    running: AtomicBool,
    task: Mutex<Option<AbortHandle>>,
    /// Whether the first reading was tried.
    tried: watch::Sender<bool>,
}

impl Drop for Revocations {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

impl Revocations {
    pub(crate) fn new(options: Options, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            options,
            clock,
            known: ArcSwap::default(),
            failing: AtomicBool::new(false),
            read_at: AtomicU64::new(0),
            since: Instant::now(),
            running: AtomicBool::new(false),
            task: Mutex::default(),
            tried: watch::Sender::new(false),
        })
    }

    /// What is known to be revoked.
    pub(crate) fn known(&self) -> Arc<Revoked> {
        self.known.load_full()
    }

    /// Whether the feed is followed without a gap as far as can be told.
    pub(crate) fn are_current(&self) -> bool {
        let patience = self.wait() + TIMEOUT + RETRY;
        !self.failing.load(Ordering::Acquire) && self.is_younger(patience)
    }

    /// Whether the last reading is recent enough for the options.
    pub(crate) fn are_recent(&self) -> bool {
        self.options.max_age.is_none_or(|max_age| self.is_younger(max_age))
    }

    fn is_younger(&self, age: Duration) -> bool {
        match self.read_at.load(Ordering::Acquire) {
            0 => false,
            read_at => self.since.elapsed() <= Duration::from_millis(read_at - 1).saturating_add(age),
        }
    }

    /// How long the issuer is asked to wait, short enough for the last reading to stay recent.
    fn wait(&self) -> Duration {
        let half = self.options.max_age.map_or(WAIT_SECONDS, |max_age| max_age.as_secs() / 2);
        Duration::from_secs(half.clamp(1, WAIT_SECONDS))
    }

    /// Sees to it that the feed is followed. A task ends with the runtime that it is in, and a server may have several.
    pub(crate) fn follow(self: &Arc<Self>, keys: &Arc<Keys>, http: &Http) {
        if self.running.load(Ordering::Relaxed) || self.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let running = Running(Arc::downgrade(self));
        let task = tokio::spawn(follow(running, keys.clone(), http.clone()));
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }

    /// Waits for the first reading to be tried, but not for ever.
    pub(crate) async fn first_reading(&self, patience: Duration) {
        if !*self.tried.borrow() {
            let mut tried = self.tried.subscribe();
            // That the issuer does not answer is seen by whoever needs to know.
            let _ = timeout(patience, tried.wait_for(|tried| *tried)).await;
        }
    }

    fn succeed(&self) {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.read_at.store(millis + 1, Ordering::Release);
        if self.failing.swap(false, Ordering::AcqRel) {
            tracing::info!(issuer = self.options.issuer, "the revocation feed is read again");
        }
        self.tried.send_replace(true);
    }

    fn fail(&self, error: &ReadError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        // Told once: an outage has many attempts.
        if !self.failing.swap(true, Ordering::AcqRel) {
            tracing::warn!(issuer = self.options.issuer, %error, cause, "the revocation feed can't be read");
        }
        self.tried.send_replace(true);
    }

    /// Takes a reply to heart.
    fn learn(&self, feed: &Feed) {
        let mut known = Revoked::clone(&self.known.load());
        for entry in &feed.revocations {
            known.learn(entry);
        }
        known.forget_expired(self.clock.now().unix_seconds().saturating_sub(self.options.leeway_seconds));
        self.known.store(Arc::new(known));
    }
}

/// Held by the task that follows the feed, so that another can begin when it ends, however that comes.
struct Running(Weak<Revocations>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(revocations) = self.0.upgrade() {
            revocations.running.store(false, Ordering::Release);
        }
    }
}

/// Where a reader of the feed is.
#[derive(Default)]
struct Place {
    cursor: Option<String>,
    newest: i64,
}

async fn follow(running: Running, keys: Arc<Keys>, http: Http) {
    let mut place = Place::default();
    // The guard is held while something is learned, not while waiting: it may be given up meanwhile.
    while let Some(revocations) = running.0.upgrade() {
        let pause = match keys.usable().await.map(|snapshot| snapshot.feed.clone()) {
            Some(Some(url)) => {
                // After a failure, an answer at once tells that nothing was missed.
                let failing = revocations.failing.load(Ordering::Acquire);
                let wait = if failing { Duration::ZERO } else { revocations.wait() };
                drop(revocations);
                read(&running.0, &keys, &http, place.ask(url, wait), &mut place).await
            }
            Some(None) => {
                revocations.tried.send_replace(true);
                PAUSE_WITHOUT
            }
            None => {
                revocations.fail(&ReadError::NoKeys);
                RETRY
            }
        };
        sleep(pause).await;
    }
}

impl Place {
    /// What to ask from here, and how long an answer may take.
    fn ask(&self, mut url: Url, wait: Duration) -> (Url, Duration) {
        let Some(cursor) = &self.cursor else { return (url, Duration::ZERO) };
        url.query_pairs_mut()
            .append_pair("cursor", cursor)
            .append_pair("wait_seconds", &wait.as_secs().to_string());
        (url, wait)
    }
}

/// One reading. Tells how long to pause.
async fn read(
    revocations: &Weak<Revocations>,
    keys: &Arc<Keys>,
    http: &Http,
    (url, patience): (Url, Duration),
    place: &mut Place,
) -> Duration {
    let began = Instant::now();
    let fetched = http.get_patiently(url, MAX_LEN, patience).await;
    let Some(revocations) = revocations.upgrade() else { return RETRY };
    let feed = match fetched {
        Ok(fetched) => believe(&revocations, keys, &fetched.body, place.newest).await,
        Err(error) => Err(error.into()),
    };
    match feed {
        Ok(feed) => {
            revocations.learn(&feed);
            if is_about_keys(&feed, keys) {
                keys.distrust();
            }
            revocations.succeed();
            let pause = if feed.revocations.is_empty() { PAUSE_QUIET } else { PAUSE_BUSY };
            *place = Place { cursor: Some(feed.cursor), newest: place.newest.max(feed.iat) };
            pause.saturating_sub(began.elapsed())
        }
        Err(error) => {
            revocations.fail(&error);
            RETRY
        }
    }
}

/// Whether a reply revokes a key, or every token, perhaps because a key got into the wrong hands: it signs no more.
fn is_about_keys(feed: &Feed, keys: &Keys) -> bool {
    let names = keys.kids().into_iter().map(|kid| format!("key:{kid}")).chain([ALL.to_owned()]);
    let subjects: Vec<String> = names.map(|name| subject(&name)).collect();
    feed.revocations.iter().any(|entry| subjects.contains(&entry.subject))
}

/// What a reply says, if it is the issuer's and of now.
async fn believe(
    revocations: &Revocations,
    keys: &Arc<Keys>,
    reply: &[u8],
    newest: i64,
) -> Result<Feed, ReadError> {
    let text = std::str::from_utf8(reply).map_err(|_| FeedError::Malformed)?.trim_ascii();
    let issuer = &revocations.options.issuer;
    let snapshot = keys.usable().await.ok_or(ReadError::NoKeys)?;
    let feed = match Feed::verify(&snapshot.set, text, issuer) {
        Err(FeedError::Jws(JwsError::UnknownKey)) => {
            let newer = keys.beyond(&snapshot).await.ok_or(FeedError::Jws(JwsError::UnknownKey))?;
            Feed::verify(&newer.set, text, issuer)?
        }
        verified => verified?,
    };
    let now = revocations.clock.now().unix_seconds();
    if feed.iat.abs_diff(now) > CLOCKS_DIFFER.unsigned_abs() {
        return Err(ReadError::WrongTime);
    }
    if feed.iat.saturating_add(NODES_DIFFER) < newest {
        return Err(ReadError::Replayed);
    }
    Ok(feed)
}
