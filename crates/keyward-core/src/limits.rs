//! How often somebody may ask, and how often they needed to.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};
use keyward_model::{AnyId, Timestamp};

use crate::options::RateLimit;

/// How many clients that do not exist one address may name in a minute before it has to wait.
const STRANGERS: u32 = 1_200;
/// A minute, in seconds.
const MINUTE: i64 = 60;
/// How many clients or addresses are remembered for each purpose.
const REMEMBERED: usize = 50_000;

/// The limits of this process.
pub(crate) struct Limits {
    tokens: Option<DefaultKeyedRateLimiter<AnyId>>,
    /// How many strangers an address named.
    strangers: Minutes<String>,
    /// How many tokens a client that has a rate of its own asked for.
    own: Minutes<AnyId>,
    /// How often such a client's tokens were checked.
    checks: Minutes<AnyId>,
    clock: DefaultClock,
    /// Until when the last token for a request of this shape is good, in seconds since the epoch.
    good_until: Mutex<HashMap<(AnyId, u64), i64>>,
}

fn limiter<K: Hash + Eq + Clone>(limit: RateLimit) -> Option<DefaultKeyedRateLimiter<K>> {
    let quota = Quota::per_minute(NonZeroU32::new(limit.per_minute)?);
    Some(RateLimiter::keyed(quota.allow_burst(NonZeroU32::new(limit.burst)?)))
}

/// Forgets what no longer counts when there is too much; and everything, when all of it still counts: looking through a
/// full memory for every request would cost more than forgetting.
fn make_room<K: Hash + Eq, V>(known: &mut HashMap<K, V>, counts: impl Fn(&V) -> bool) {
    if known.len() >= REMEMBERED {
        known.retain(|_, value| counts(value));
        if known.len() > REMEMBERED / 2 {
            known.clear();
        }
    }
}

/// How often each did something since its minute began.
struct Minutes<K>(Mutex<HashMap<K, (i64, u32)>>);

impl<K> Default for Minutes<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq> Minutes<K> {
    /// Whether there is room for one more; else after how many seconds.
    fn room<Q: Hash + Eq + ?Sized>(&self, key: &Q, limit: u32, now: Timestamp) -> Result<(), u64>
    where
        K: Borrow<Q>,
    {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(key) {
            Some((began, count)) if *count >= limit && now.unix_seconds() < began + MINUTE => {
                Err(u64::try_from(began + MINUTE - now.unix_seconds()).unwrap_or(1))
            }
            _ => Ok(()),
        }
    }

    fn count(&self, key: K, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.unix_seconds();
        make_room(&mut known, |(began, _)| now < began + MINUTE);
        let (began, count) = known.entry(key).or_insert((now, 0));
        if now >= *began + MINUTE {
            (*began, *count) = (now, 0);
        }
        *count += 1;
    }

    fn tidy(&self, now: Timestamp) {
        let now = now.unix_seconds();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (began, _)| now < *began + MINUTE);
    }
}

impl Limits {
    pub(crate) fn new(token_limit: Option<RateLimit>) -> Self {
        Self {
            tokens: token_limit.and_then(limiter),
            strangers: Minutes::default(),
            own: Minutes::default(),
            checks: Minutes::default(),
            clock: DefaultClock::default(),
            good_until: Mutex::default(),
        }
    }

    fn check<K: Hash + Eq + Clone>(
        &self,
        limiter: Option<&DefaultKeyedRateLimiter<K>>,
        key: &K,
    ) -> Result<(), u64> {
        let Some(limiter) = limiter else { return Ok(()) };
        limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()).as_secs() + 1)
    }

    /// Whether a client may have a token now; else after how many seconds.
    /// One that has a rate of its own, per minute, is held to that as well.
    pub(crate) fn token(&self, client: AnyId, rate: Option<u32>, now: Timestamp) -> Result<(), u64> {
        self.check(self.tokens.as_ref(), &client)?;
        let Some(per_minute) = rate else { return Ok(()) };
        self.own.room(&client, per_minute, now)?;
        self.own.count(client, now);
        Ok(())
    }

    /// Whether a client that has a rate of its own, per minute, may act now; else after how many seconds.
    pub(crate) fn check_of(&self, client: AnyId, rate: Option<u32>, now: Timestamp) -> Result<(), u64> {
        let Some(per_minute) = rate else { return Ok(()) };
        self.checks.room(&client, per_minute, now)?;
        self.checks.count(client, now);
        Ok(())
    }

    /// Whether an address may name a client that is not in memory; else after how many seconds.
    pub(crate) fn may_look_up(&self, address: &str, now: Timestamp) -> Result<(), u64> {
        self.strangers.room(address, STRANGERS, now)
    }

    /// Notes that an address named a client that does not exist.
    pub(crate) fn was_stranger(&self, address: &str, now: Timestamp) {
        self.strangers.count(address.to_owned(), now);
    }

    /// Whether the application had no token for such a request that was good for a while; notes the new one.
    pub(crate) fn needed(&self, application: AnyId, shape: impl Hash, exp: i64, now: i64) -> bool {
        let mut hasher = DefaultHasher::new();
        shape.hash(&mut hasher);
        let key = (application, hasher.finish());
        let mut good_until = self.good_until.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut good_until, |until| *until > now);
        let before = good_until.insert(key, exp);
        // Renewing in the last tenth of a token's life, or its last minute, is what a careful client does.
        let margin = ((exp - now) / 10).max(60);
        before.is_none_or(|until| until - now <= margin)
    }

    /// Forgets those who have been quiet.
    pub(crate) fn tidy(&self, now: Timestamp) {
        if let Some(tokens) = &self.tokens {
            tokens.retain_recent();
        }
        self.strangers.tidy(now);
        self.own.tidy(now);
        self.checks.tidy(now);
    }
}
