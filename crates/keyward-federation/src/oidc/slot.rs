//! A document of a provider that is kept for a while, fetched once for all who wait for it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use keyward_core::FederationError;
use keyward_model::Timestamp;

/// How long a document is good when the provider does not say, and the bounds of what it may say, in seconds.
const FRESH: i64 = 5 * 60;
const FRESH_LEAST: i64 = 60;
const FRESH_MOST: i64 = 60 * 60;
/// How long a failure is the answer, before the provider is asked again.
const RETRY: i64 = 2;
/// How often a key that is not known may lead to a fetch: a token can name any.
const UNKNOWN: i64 = 30;

/// A document, and for how long it may be kept if the provider says.
pub(super) type Fresh<T> = (T, Option<Duration>);

pub(super) struct Slot<T> {
    kept: Mutex<Option<Kept<T>>>,
    /// Held by the one who asks the provider.
    attempts: tokio::sync::Mutex<Attempts>,
}

struct Kept<T> {
    document: Arc<T>,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Default)]
struct Attempts {
    failed: Option<(Timestamp, FederationError)>,
    for_unknown: Option<Timestamp>,
}

/// Whether two moments are less than so many seconds apart, in whatever order: requests that came at once are served in
/// any, and a clock that is turned back must not make a pause of hours.
fn is_near(now: Timestamp, at: Timestamp, seconds: i64) -> bool {
    now < at.plus_seconds(seconds) && at < now.plus_seconds(seconds)
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { kept: Mutex::new(None), attempts: tokio::sync::Mutex::default() }
    }
}

impl<T> Slot<T> {
    /// The document: the one that is kept, while it is fresh.
    pub(super) async fn get(
        &self,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Fresh<T>, FederationError>,
    ) -> Result<Arc<T>, FederationError> {
        if let Some(document) = self.fresh(now) {
            return Ok(document);
        }
        let mut attempts = self.attempts.lock().await;
        if let Some(document) = self.fresh(now) {
            return Ok(document);
        }
        // Those who waited for an attempt that failed don't make the next one in turn.
        if let Some((at, error)) = &attempts.failed
            && is_near(now, *at, RETRY)
        {
            return Err(error.clone());
        }
        self.ask(&mut attempts, now, fetch).await
    }

    /// A document that is newer than a `known` one which lacked something; `None` if it is too early to ask for one.
    pub(super) async fn beyond(
        &self,
        known: &Arc<T>,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Fresh<T>, FederationError>,
    ) -> Result<Option<Arc<T>>, FederationError> {
        let mut attempts = self.attempts.lock().await;
        if let Some(newer) = self.fresh(now).filter(|kept| !Arc::ptr_eq(kept, known)) {
            return Ok(Some(newer));
        }
        if attempts.for_unknown.is_some_and(|at| is_near(now, at, UNKNOWN)) {
            return Ok(None);
        }
        attempts.for_unknown = Some(now);
        self.ask(&mut attempts, now, fetch).await.map(Some)
    }

    /// The document as it is now, whatever is kept.
    pub(super) async fn renew(
        &self,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Fresh<T>, FederationError>,
    ) -> Result<Arc<T>, FederationError> {
        let mut attempts = self.attempts.lock().await;
        self.ask(&mut attempts, now, fetch).await
    }

    fn fresh(&self, now: Timestamp) -> Option<Arc<T>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was turned back makes nothing live longer.
        kept.as_ref().filter(|kept| kept.from <= now && now < kept.until).map(|kept| kept.document.clone())
    }

    async fn ask(
        &self,
        attempts: &mut Attempts,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Fresh<T>, FederationError>,
    ) -> Result<Arc<T>, FederationError> {
        match fetch().await {
            Ok((document, max_age)) => {
                let age = max_age.map_or(FRESH, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
                let until = now.plus_seconds(age.clamp(FRESH_LEAST, FRESH_MOST));
                let document = Arc::new(document);
                let kept = Kept { document: document.clone(), from: now, until };
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                attempts.failed = None;
                Ok(document)
            }
            Err(error) => {
                attempts.failed = Some((now, error.clone()));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_800_000_000_000).unwrap().plus_seconds(seconds)
    }

    #[tokio::test]
    async fn a_document_is_kept_within_the_bounds_of_what_its_server_says() {
        for (max_age, lasts) in [(None, 300), (Some(0), 60), (Some(120), 120), (Some(1 << 40), 3_600)] {
            let slot = Slot::default();
            let age = max_age.map(Duration::from_secs);
            let get = async |now, number: u32| *slot.get(at(now), async || Ok((number, age))).await.unwrap();
            assert_eq!(get(0, 1).await, 1);
            assert_eq!(get(lasts - 1, 2).await, 1, "{max_age:?}");
            assert_eq!(get(lasts, 3).await, 3, "{max_age:?}");
            assert_eq!(get(lasts - 1, 4).await, 4, "the clock was turned back");
        }
    }

    #[tokio::test]
    async fn many_who_wait_make_one_request_and_share_its_failure() {
        for fails in [false, true] {
            let (slot, asked) = (Slot::default(), AtomicU32::new(0));
            let get = || {
                slot.get(at(0), async || {
                    asked.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    if fails { Err(FederationError::new("keys", "unreachable", "")) } else { Ok((1, None)) }
                })
            };
            let (one, two, three) = tokio::join!(get(), get(), get());
            assert!([one, two, three].iter().all(|got| got.is_err() == fails));
            assert_eq!(asked.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn what_is_unknown_leads_to_one_fetch_in_thirty_seconds() {
        let slot = Slot::default();
        let known = slot.get(at(0), async || Ok((0, None))).await.unwrap();
        let beyond = async |known, now, number: i32| {
            slot.beyond(known, at(now), async || Ok((number, None))).await.unwrap().map(|found| *found)
        };
        assert_eq!(beyond(&known, 0, 1).await, Some(1));
        assert_eq!(beyond(&known, 1, 2).await, Some(1), "a newer one is there already");
        let newer = slot.get(at(1), async || Ok((9, None))).await.unwrap();
        assert_eq!(beyond(&newer, 29, 3).await, None);
        assert_eq!(beyond(&newer, 30, 4).await, Some(4));
    }
}
