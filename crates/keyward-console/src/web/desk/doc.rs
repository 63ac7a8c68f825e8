//! Reading what the admin API answers.

use keyward_model::Timestamp;
use serde_json::Value;

use crate::{
    Moment,
    component::{Content, Piece, Tone},
};

/// The text of a member; empty when there is none.
pub(super) fn text<'a>(doc: &'a Value, name: &str) -> &'a str {
    doc[name].as_str().unwrap_or_default()
}

/// The number of a member; zero when there is none.
pub(super) fn number(doc: &Value, name: &str) -> u64 {
    doc[name].as_u64().unwrap_or_default()
}

/// The texts of a member.
pub(super) fn texts(doc: &Value, name: &str) -> Vec<String> {
    items(doc, name).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The items of a member.
pub(super) fn items<'a>(doc: &'a Value, name: &str) -> &'a [Value] {
    doc[name].as_array().map_or(&[], Vec::as_slice)
}

/// The moment of a member.
pub(super) fn moment(doc: &Value, name: &str) -> Option<Timestamp> {
    Timestamp::parse(doc[name].as_str()?).ok()
}

/// A time, or what to say when there is none.
pub(super) fn time(doc: &Value, name: &str, now: Timestamp, none: &str) -> Content {
    match moment(doc, name) {
        Some(at) => Piece::Time(Moment::new(at, now)).into(),
        None => Piece::Muted(none.to_owned()).into(),
    }
}

/// When something ends: `23 Nov 2027 · in 1 year`, or in words that it is over.
pub(super) fn expiry(doc: &Value, now: Timestamp) -> Content {
    let Some(at) = moment(doc, "expires_at") else { return Piece::Muted("Never".to_owned()).into() };
    let date = at.date_for_people();
    if at <= now {
        return Piece::Warning(format!("Expired {date}")).into();
    }
    let read = Moment { relative: format!("{date} · {}", ahead(at, now)), ..Moment::new(at, now) };
    let whole = Content::from(Piece::Time(read));
    if ends_soon(doc, now) && !is_over(doc) {
        whole.below(Piece::Warning("Expires soon".to_owned()))
    } else {
        whole
    }
}

/// Whether something ends soon, or has ended.
pub(super) fn ends_soon(doc: &Value, now: Timestamp) -> bool {
    let ends = moment(doc, "expires_at");
    ends.is_some_and(|at| at.unix_seconds() - now.unix_seconds() < keyward_model::EXPIRING_SECONDS)
}

/// How far ahead a moment is, by the calendar.
fn ahead(at: Timestamp, now: Timestamp) -> String {
    let day = |at: Timestamp| at.unix_seconds().div_euclid(86_400);
    let days = day(at) - day(now);
    let counted =
        |number: i64, unit: &str| format!("in {number} {unit}{}", if number == 1 { "" } else { "s" });
    match days {
        0 => "today".to_owned(),
        1..60 => counted(days, "day"),
        60..330 => counted((days + 15) / 30, "month"),
        _ => counted((days + 180) / 365, "year"),
    }
}

/// How a thing stands, as a coloured word.
pub(super) fn standing(doc: &Value) -> (Tone, &'static str) {
    let state = if doc["state"].is_string() { text(doc, "state") } else { text(doc, "status") };
    match state {
        "active" => (Tone::Good, "Active"),
        "expiring" => (Tone::Warning, "Expiring"),
        "expired" => (Tone::Bad, "Expired"),
        "revoked" => (Tone::Bad, "Revoked"),
        "suspended" => (Tone::Bad, "Suspended"),
        _ if text(doc, "id").starts_with("agt_") => (Tone::Bad, "Paused"),
        _ => (Tone::Bad, "Disabled"),
    }
}

/// The same as content.
pub(super) fn badge(doc: &Value) -> Content {
    let (tone, words) = standing(doc);
    Piece::Badge(tone, words.to_owned()).into()
}

/// Whether it is over, so that its row is greyed.
pub(super) fn is_over(doc: &Value) -> bool {
    matches!(standing(doc).1, "Expired" | "Revoked" | "Disabled" | "Paused" | "Suspended")
}

/// Text in a cell; a word when it is empty.
pub(super) fn words(doc: &Value, name: &str, none: &str) -> Content {
    match text(doc, name) {
        "" => Piece::Muted(none.to_owned()).into(),
        words => Content::words(words),
    }
}

/// So many of something, in words.
pub(super) fn so_many(number: u64, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {more}") }
}

/// The words with a capital at their head.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_ahead_is_counted_in_the_unit_that_people_use() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        for (days, expected) in [
            (0, "today"),
            (1, "in 1 day"),
            (59, "in 59 days"),
            (90, "in 3 months"),
            (365, "in 1 year"),
            (730, "in 2 years"),
        ] {
            assert_eq!(ahead(now.plus_seconds(days * 86_400 + 60), now), expected);
        }
        let over = expiry(&json!({"expires_at": "2026-11-03T00:00:00.000Z"}), now);
        assert!(matches!(&over.pieces[0], Piece::Warning(words) if words == "Expired 3 Nov 2026"));
    }
}
