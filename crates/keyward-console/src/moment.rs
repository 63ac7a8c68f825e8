//! A time as people read it.

use keyward_model::Timestamp;

/// A time, relative to now, with the absolute one for whoever wants to know exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// For example `4 minutes ago`.
    pub relative: String,
    /// For example `3 Nov 2026, 14:05 UTC`.
    pub absolute: String,
    /// RFC 3339, for the `datetime` attribute.
    pub machine: String,
}

impl Moment {
    /// How `at` is read at `now`.
    #[must_use]
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            relative: relative(now.unix_seconds() - at.unix_seconds(), at),
            absolute: at.as_chrono().format("%-d %b %Y, %H:%M UTC").to_string(),
            machine: at.to_string(),
        }
    }
}

/// Beyond a month the date says more than a count of days.
fn relative(seconds_ago: i64, at: Timestamp) -> String {
    let (count, unit) = match seconds_ago.abs() {
        0..60 => return "just now".to_owned(),
        seconds @ 60..3_600 => (seconds / 60, "minute"),
        seconds @ 3_600..86_400 => (seconds / 3_600, "hour"),
        seconds @ 86_400..2_678_400 => (seconds / 86_400, "day"),
        _ => return at.date_for_people(),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds_ago > 0 { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_near_or_dated() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        for (seconds, expected) in [
            (0, "just now"),
            (-59, "just now"),
            (-60, "1 minute ago"),
            (-7_200, "2 hours ago"),
            (86_400, "in 1 day"),
            (-30 * 86_400, "30 days ago"),
            (-32 * 86_400, "23 Oct 2026"),
            (400 * 86_400, "29 Dec 2027"),
        ] {
            assert_eq!(Moment::new(now.plus_seconds(seconds), now).relative, expected);
        }
        let moment = Moment::new(now, now);
        assert_eq!(
            (&*moment.absolute, &*moment.machine),
            ("24 Nov 2026, 12:00 UTC", "2026-11-24T12:00:00.000Z")
        );
    }
}
