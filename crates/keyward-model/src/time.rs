//! Time and randomness as arguments: nothing in Keyward asks the machine for either on its own.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SubsecRound, TimeDelta, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC with millisecond precision, written as RFC 3339 with three decimals and `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is no [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 date-time such as 2027-10-31T23:59:59Z, or a date such as 2027-10-31")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// A moment from its chrono form, cut to milliseconds.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(3))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Whole seconds since the Unix epoch, as JWT's `NumericDate` counts them (RFC 7519 section 2).
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// The moment so many milliseconds after the Unix epoch; `None` outside of chrono's range.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        Utc.timestamp_millis_opt(millis).single().map(Self)
    }

    /// The moment as chrono has it.
    #[must_use]
    pub fn as_chrono(self) -> DateTime<Utc> {
        self.0
    }

    /// This moment moved by so many seconds, held at the ends of the calendar.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let moved = TimeDelta::try_seconds(seconds).and_then(|delta| self.0.checked_add_signed(delta));
        Self(moved.unwrap_or(if seconds < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC }))
    }

    /// Reads RFC 3339 with any offset, or a date alone, which means 23:59:59 UTC of that day.
    ///
    /// ```
    /// use keyward_model::Timestamp;
    /// assert_eq!(Timestamp::parse("2027-10-31").unwrap().to_string(), "2027-10-31T23:59:59.000Z");
    /// assert_eq!(Timestamp::parse("2027-10-31T02:00:00+02:00").unwrap().to_string(), "2027-10-31T00:00:00.000Z");
    /// assert!(Timestamp::parse("tomorrow").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            let at = at.with_timezone(&Utc);
            // Four digits are all that RFC 3339 has for a year, also once the offset is taken away.
            return if (0..=9999).contains(&at.year()) { Ok(Self::new(at)) } else { Err(InvalidTimestamp) };
        }
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| InvalidTimestamp)?;
        let last_second = NaiveTime::from_hms_opt(23, 59, 59).ok_or(InvalidTimestamp)?;
        Ok(Self(date.and_time(last_second).and_utc()))
    }

    /// The date as people read it, for example `3 Nov 2026`.
    #[must_use]
    pub fn date_for_people(self) -> String {
        self.0.format("%-d %b %Y").to_string()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where the present moment comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    fn now(&self) -> Timestamp {
        Timestamp::new(Utc::now())
    }
}

/// A clock for tests, which moves when it is told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.unix_millis()))
    }

    /// Moves the clock by so many seconds; negative turns it back.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let millis = self.0.load(Ordering::SeqCst);
        Timestamp::from_unix_millis(millis).unwrap_or(Timestamp(DateTime::<Utc>::MAX_UTC))
    }
}

/// Where random bytes come from: the operating system in production, a seed in tests.
pub trait Random: Send + Sync + 'static {
    /// Fills the whole buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// A reproducible stream for tests, **not** for secrets.
#[derive(Debug)]
pub struct SeededRandom(AtomicI64);

impl SeededRandom {
    /// The stream that belongs to this seed.
    #[must_use]
    pub fn new(seed: i64) -> Self {
        Self(AtomicI64::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // SplitMix64: short, well distributed, and every chunk depends on the counter alone.
        for chunk in buffer.chunks_mut(8) {
            let step = self.0.fetch_add(1, Ordering::SeqCst).cast_unsigned();
            let mut z = step.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
