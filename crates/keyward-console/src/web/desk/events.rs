//! Events, wherever they are shown.

use keyward_core::Action;
use keyward_model::Kind;
use serde_json::Value;

use super::{
    super::visit::Refused,
    desk_at::{Desk, query},
    doc::{capital, moment, text},
};
use crate::{
    Moment,
    component::{Block, Content, Piece, Row, Table, Tone},
};

/// In front of every event: a list that begins there counts nothing.
pub(super) const NEWEST: &str = "evt_7zzzzzzzzzzzzzzzzzzzzzzzzz";
/// How many events another page shows.
const SHOWN: usize = 20;
pub(super) const NONE_YET: &str = "Events appear here as they happen.";
/// An action in words: `api_key.rotated` is `API key rotated`.
pub(super) fn in_words(action: &str) -> String {
    let words = action.replace(['.', '_'], " ");
    capital(&words.replace("api key", "API key").replace("mfa", "two-step sign-in"))
}

/// Who or what, by name as far as there is one.
pub(super) fn subject(subject: &Value) -> Content {
    if subject.is_null() {
        return Piece::Muted("–".to_owned()).into();
    }
    let (kind, name, id) = (text(subject, "type"), text(subject, "name"), text(subject, "id"));
    let shown = if name.is_empty() { id } else { name };
    Content::words(if shown.is_empty() { kind } else { shown }).below(Piece::Words(kind.replace('_', " ")))
}

pub(super) fn result(event: &Value) -> Content {
    let (tone, words) = match text(event, "result") {
        "success" => (Tone::Good, "Success"),
        "denied" => (Tone::Warning, "Denied"),
        _ => (Tone::Bad, "Failed"),
    };
    let shown = Content::from(Piece::Badge(tone, words.to_owned()));
    match text(event, "reason") {
        "" => shown,
        "unneeded" => shown.below(Piece::Words("an earlier token was still good".to_owned())),
        reason => shown.below(Piece::Words(reason.replace('_', " "))),
    }
}

/// Events as rows.
fn row(desk: &Desk, event: &Value) -> Row {
    let own = desk.link(&format!("audit/{}", text(event, "id")));
    let at = moment(event, "occurred_at").unwrap_or(desk.now);
    let when = Moment::new(at, desk.now);
    Row {
        cells: vec![
            Content::from(Piece::Link(own, when.relative.clone())).below(Piece::At(when)),
            subject(&event["actor"]),
            Content::words(in_words(text(event, "action")))
                .below(Piece::Code(text(event, "action").to_owned())),
            subject(&event["resource"]),
            result(event),
            Content::code(text(&event["context"], "ip")),
        ],
        ..Row::default()
    }
}

pub(super) fn table(desk: &Desk, events: &[Value], empty: &str) -> Block {
    Block::Table(Table {
        caption: "Events".to_owned(),
        columns: vec!["Time", "Who", "What", "On", "Result", "Address"],
        rows: events.iter().map(|event| row(desk, event)).collect(),
        empty: empty.to_owned(),
    })
}

/// The latest events with these parameters, on another page.
pub(super) async fn activity_table(desk: &Desk, wanted: &[(&str, &str)]) -> Result<Vec<Block>, Refused> {
    let mut pairs: Vec<_> =
        wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    pairs.push(("cursor".to_owned(), NEWEST.to_owned()));
    let listing = desk.found(desk.state.keyward.events(&desk.call(), &pairs).await)?;
    let all = desk.link(&format!("audit?{}", query(wanted)));
    let more = Piece::Link(all, "All of it in the audit log".to_owned());
    Ok(vec![table(desk, &listing.data, NONE_YET), Block::Text(more.into())])
}

/// The latest events that somebody or something caused, or that are about it.
pub(super) async fn activity_of(desk: &Desk, id: &str) -> Result<Vec<Block>, Refused> {
    let mut all = Vec::new();
    let mut more = Content::default();
    for (role, words) in [("actor", "All that it did"), ("resource", "All about it")] {
        let pairs = [(role, id), ("cursor", NEWEST)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        all.extend(desk.found(desk.state.keyward.events(&desk.call(), &pairs).await)?.data);
        let href = desk.link(&format!("audit?{}", query(&[(role, id)])));
        more = more.and(Piece::Link(href, format!("{words} in the audit log")));
    }
    // Identifiers of events are in the order of their times.
    all.sort_by(|one, other| text(other, "id").cmp(text(one, "id")));
    all.dedup_by(|one, other| one["id"] == other["id"]);
    all.truncate(SHOWN);
    Ok(vec![table(desk, &all, "Nothing yet."), Block::Text(more)])
}

/// Who changed something last, and when, in words.
pub(super) async fn last_change(desk: &Desk, id: &str) -> Result<(String, String), Refused> {
    if !desk.caller().may(Action::List, Kind::Event) {
        return Ok(("Somebody".to_owned(), "in the meantime".to_owned()));
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let pairs = [pair("resource", id), pair("cursor", NEWEST), pair("per_page", "1")];
    let listing = desk.found(desk.state.keyward.events(&desk.call(), &pairs).await)?;
    let Some(event) = listing.data.first() else {
        return Ok(("Somebody".to_owned(), "in the meantime".to_owned()));
    };
    let actor = text(&event["actor"], "name");
    let at = moment(event, "occurred_at").unwrap_or(desk.now);
    Ok((if actor.is_empty() { "Somebody" } else { actor }.to_owned(), Moment::new(at, desk.now).relative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_told_in_words() {
        for (action, expected) in [
            ("api_key.rotated", "API key rotated"),
            ("token.issued", "Token issued"),
            ("user.mfa_disabled", "User two-step sign-in disabled"),
        ] {
            assert_eq!(in_words(action), expected);
        }
    }
}
