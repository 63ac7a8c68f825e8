//! How often somebody may ask, and how often they needed to.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _,
    clock::DefaultClock,
};
use keyward_model::AnyId;

use crate::options::RateLimit;

/// How often one address may name a client that is not in memory.
const LOOKUPS: RateLimit = RateLimit { per_minute: 1_200, burst: 2_000 };
/// How many clients' last tokens are remembered.
const REMEMBERED: usize = 200_000;

/// The limits of this process.
pub(crate) struct Limits {
    tokens: Option<DefaultKeyedRateLimiter<AnyId>>,
    lookups: Option<DefaultKeyedRateLimiter<String>>,
    /// Those of clients that have a rate of their own, with that rate.
    own: Mutex<HashMap<AnyId, (NonZeroU32, DefaultDirectRateLimiter)>>,
    clock: DefaultClock,
    /// Until when the last token for a request of this shape is good, in seconds since the epoch.
    good_until: Mutex<HashMap<(AnyId, u64), i64>>,
}

fn limiter<K: Hash + Eq + Clone>(limit: RateLimit) -> Option<DefaultKeyedRateLimiter<K>> {
    let quota = Quota::per_minute(NonZeroU32::new(limit.per_minute)?);
    Some(RateLimiter::keyed(quota.allow_burst(NonZeroU32::new(limit.burst)?)))
}

fn with_rate(per_minute: NonZeroU32) -> (NonZeroU32, DefaultDirectRateLimiter) {
    (per_minute, RateLimiter::direct(Quota::per_minute(per_minute)))
}

impl Limits {
    pub(crate) fn new(token_limit: Option<RateLimit>) -> Self {
        Self {
            tokens: token_limit.and_then(limiter),
            lookups: limiter(LOOKUPS),
            own: Mutex::default(),
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
    pub(crate) fn token(&self, client: AnyId, rate: Option<u32>) -> Result<(), u64> {
        self.check(self.tokens.as_ref(), &client)?;
        let Some(per_minute) = rate.and_then(NonZeroU32::new) else { return Ok(()) };
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, limiter) = own.entry(client).or_insert_with(|| with_rate(per_minute));
        if *known != per_minute {
            (*known, *limiter) = with_rate(per_minute);
        }
        limiter.check().map_err(|until| until.wait_time_from(self.clock.now()).as_secs() + 1)
    }

    /// Whether an address may name one more client that is not in memory.
    pub(crate) fn lookup(&self, address: &str) -> Result<(), u64> {
        self.check(self.lookups.as_ref(), &address.to_owned())
    }

    /// Whether the application had no token for such a request that was good for a while; notes the new one.
    pub(crate) fn needed(&self, application: AnyId, shape: impl Hash, exp: i64, now: i64) -> bool {
        let mut hasher = DefaultHasher::new();
        shape.hash(&mut hasher);
        let key = (application, hasher.finish());
        let mut good_until = self.good_until.lock().unwrap_or_else(PoisonError::into_inner);
        if good_until.len() >= REMEMBERED {
            good_until.retain(|_, until| *until > now);
        }
        let before = good_until.insert(key, exp);
        // Renewing in the last tenth of a token's life, or its last minute, is what a careful client does.
        let margin = ((exp - now) / 10).max(60);
        before.is_none_or(|until| until - now <= margin)
    }

    /// Forgets those who have been quiet.
    pub(crate) fn tidy(&self) {
        if let Some(tokens) = &self.tokens {
            tokens.retain_recent();
        }
        if let Some(lookups) = &self.lookups {
            lookups.retain_recent();
        }
    }
}
