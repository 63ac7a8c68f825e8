//! The audit log: who did what, when, from where, and proof that it is whole.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    web::{self, ServiceConfig},
};
use futures_util::stream;
use keyward_core::{Action, EventExport, ExportFormat, Listing};
use keyward_model::{Kind, Timestamp};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    both,
    desk_at::{Desk, Sent, query},
    doc::{items, moment, text},
    fields::Fields,
};
use crate::{
    Moment, Notice, Severity,
    component::{Block, Content, Deed, Facts, Filters, Live, Narrow, Pager, Panel, Piece, Row, Table, Tone},
    page::{Fragment, Screen},
};

/// In front of every event: a list that begins there counts nothing.
const NEWEST: &str = "evt_7zzzzzzzzzzzzzzzzzzzzzzzzz";
/// The filters of the list, but for times.
const FILTERS: [&str; 4] = ["actor", "action", "resource", "result"];

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(both("audit").route(web::get().to(list)))
        .service(both("audit/export").route(web::get().to(export)))
        .service(both("audit/verify").route(web::post().to(verify)))
        .service(both("audit/{id}").route(web::get().to(show)));
}

/// An action in words: `api_key.rotated` is `API key rotated`.
pub(super) fn in_words(action: &str) -> String {
    let words =
        action.replace(['.', '_'], " ").replace("api key", "API key").replace("mfa", "two-step sign-in");
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase);
    format!("{}{}", first.into_iter().flatten().collect::<String>(), letters.as_str())
}

/// Who or what, by name as far as there is one.
fn subject(subject: &Value) -> Content {
    if subject.is_null() {
        return Piece::Muted("–".to_owned()).into();
    }
    let (kind, name, id) = (text(subject, "type"), text(subject, "name"), text(subject, "id"));
    let shown = if name.is_empty() { id } else { name };
    Content::words(if shown.is_empty() { kind } else { shown }).below(Piece::Words(kind.replace('_', " ")))
}

fn result(event: &Value) -> Content {
    let (tone, words) = match text(event, "result") {
        "success" => (Tone::Good, "Success"),
        "denied" => (Tone::Warning, "Denied"),
        _ => (Tone::Bad, "Failed"),
    };
    let shown = Content::from(Piece::Badge(tone, words.to_owned()));
    match text(event, "reason") {
        "" => shown,
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
            Content::from(Piece::Link(own, when.relative.clone())).below(Piece::Words(when.absolute)),
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

fn table(desk: &Desk, listing: &Listing) -> Block {
    Block::Table(Table {
        caption: "Events".to_owned(),
        columns: vec!["Time", "Who", "What", "On", "Result", "Address"],
        rows: listing.data.iter().map(|event| row(desk, event)).collect(),
        empty: "Events appear here as they happen.".to_owned(),
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
    Ok(vec![table(desk, &listing), Block::Text(more.into())])
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

/// The parameters of the list that the page was asked for; times come from fields of dates.
fn asked_pairs(desk: &Desk, asked: &Fields) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for name in FILTERS {
        if !asked.get(name).is_empty() {
            pairs.push((name.to_owned(), asked.get(name).to_owned()));
        }
    }
    for (name, of_day) in [("from", "T00:00:00.000Z"), ("to", "T23:59:59.999Z")] {
        let given = asked.get(name);
        if Timestamp::parse(given).is_ok() || given.len() == 10 {
            let moment = if given.len() == 10 { format!("{given}{of_day}") } else { given.to_owned() };
            pairs.push((name.to_owned(), moment));
        }
    }
    if let Some(place) = &desk.place {
        pairs.push(("tenant_id".to_owned(), place.id.clone()));
    }
    pairs
}

fn filters(desk: &Desk, asked: &Fields) -> Filters {
    let field = |name, label, kind| Narrow {
        name,
        label,
        value: asked.get(name).to_owned(),
        options: Vec::new(),
        kind,
    };
    let results = [("", "Any"), ("success", "Success"), ("denied", "Denied"), ("failure", "Failed")];
    let results = results.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    Filters {
        action: desk.link("audit"),
        chips: Vec::new(),
        fields: vec![
            field("action", "Action", "text"),
            field("actor", "Actor", "text"),
            field("resource", "Target", "text"),
            Narrow { options: results, ..field("result", "Result", "text") },
            field("from", "From", "date"),
            field("to", "To", "date"),
        ],
        keep: Vec::new(),
    }
}

async fn list(desk: Desk) -> Answer {
    let asked = desk.query();
    let mut pairs = asked_pairs(&desk, &asked);
    let cursor = asked.or("cursor", NEWEST);
    pairs.push(("cursor".to_owned(), if cursor.is_empty() { NEWEST } else { cursor }.to_owned()));
    let listing = desk.found(desk.state.keyward.events(&desk.call(), &pairs).await)?;
    let events = table(&desk, &listing);
    if asked.given("part").is_some() {
        return Ok(desk.show(StatusCode::OK, &Fragment { blocks: vec![events] }));
    }
    let kept: Vec<(&str, &str)> = asked
        .pairs()
        .iter()
        .filter(|(name, value)| !matches!(&**name, "cursor" | "part" | "live") && !value.is_empty())
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let at = |more: &[(&str, &str)]| format!("{}?{}", desk.link("audit"), query(&[&kept[..], more].concat()));
    let mut screen = desk.screen("Audit log", &[]);
    screen.about = String::from("Every change, sign-in and token, written before it was answered.");
    let live = asked.given("live").is_some();
    let toggle = if live { ("Stop live tail", at(&[])) } else { ("Live tail", at(&[("live", "1")])) };
    screen.deeds.push(Deed::link(toggle.0, toggle.1));
    for (label, format) in [("Export CSV", "csv"), ("Export NDJSON", "ndjson")] {
        let href =
            format!("{}?{}", desk.link("audit/export"), query(&[&kept[..], &[("format", format)]].concat()));
        screen.deeds.push(Deed::link(label, href));
    }
    if desk.caller().may(Action::List, Kind::SigningKey) {
        screen.deeds.push(Deed::button("Verify", desk.link("audit/verify"), desk.signed_in.form_token()));
    }
    screen.blocks.push(Block::Filters(filters(&desk, &asked)));
    if live {
        screen.blocks.push(Block::Live(Live {
            from: at(&[("part", "1")]),
            seconds: 2,
            blocks: vec![events],
        }));
    } else {
        screen.blocks.push(events);
    }
    let next = listing.next_cursor.as_ref().map(|cursor| at(&[("cursor", cursor)]));
    let first = asked.given("cursor").is_some().then(|| at(&[]));
    screen.blocks.push(Block::Pager(Pager { where_: String::new(), previous: first, next }));
    Ok(desk.show(StatusCode::OK, &screen))
}

fn link_or_words(desk: &Desk, name: &str, value: &str, label: &str) -> Piece {
    Piece::Link(desk.link(&format!("audit?{}", query(&[(name, value)]))), label.to_owned())
}

async fn show(desk: Desk) -> Answer {
    let event = desk.found(desk.state.keyward.event(&desk.call(), desk.id()).await)?.body;
    let title = in_words(text(&event, "action"));
    let mut screen = desk.screen(title, &[("Audit log", desk.link("audit"))]);
    let context = &event["context"];
    let at = moment(&event, "occurred_at").unwrap_or(desk.now);
    let when = Moment::new(at, desk.now);
    let mut facts = Facts::default()
        .and("Time", Content::words(when.absolute.clone()).below(Piece::Code(when.machine)))
        .and("Action", Content::code(text(&event, "action")))
        .and("Result", result(&event));
    for (label, member, parameter) in [("Who", "actor", "actor"), ("On", "resource", "resource")] {
        let (whom, id) = (&event[member], text(&event[member], "id"));
        let mut said = subject(whom);
        if !id.is_empty() {
            said = said.and(Piece::Code(id.to_owned()));
            let more = if parameter == "actor" { "More by this actor" } else { "More on this target" };
            said = said.and(link_or_words(&desk, parameter, id, more));
        }
        facts = facts.and(label, said);
    }
    for (label, member) in [
        ("Address", "ip"),
        ("User agent", "user_agent"),
        ("Request", "request_id"),
        ("Session", "session_id"),
        ("Credential", "credential_id"),
    ] {
        facts = facts.and_maybe(label, context[member].as_str().map(Content::code));
    }
    facts = facts.and("Hash", Content::code(text(&event, "hash")));
    screen.blocks.push(Panel::new("event", "Event", vec![facts.into()]).into());
    let shown = |value: &Value| match value {
        Value::Null => Piece::Muted("–".to_owned()).into(),
        Value::String(text) => Content::words(text.clone()),
        other => Content::code(other.to_string()),
    };
    let row = |change: &Value| Row {
        cells: vec![Content::code(text(change, "field")), shown(&change["from"]), shown(&change["to"])],
        ..Row::default()
    };
    let changes = Table {
        caption: "Changes".to_owned(),
        columns: vec!["Field", "Before", "After"],
        rows: items(&event, "changes").iter().map(row).collect(),
        empty: "It changed no field.".to_owned(),
    };
    screen.blocks.push(Panel::new("changes", "Changes", vec![Block::Table(changes)]).into());
    let raw = serde_json::to_string_pretty(&event).unwrap_or_default();
    screen.blocks.push(Block::Copy(crate::component::CopyField::new("raw", "As JSON", raw)));
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn verify(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let report = desk.found(desk.state.keyward.verify_chains(&desk.call()).await)?;
    let mut screen: Screen = desk.screen("Audit log", &[("Audit log", desk.link("audit"))]);
    let notice = match report {
        Ok(report) => {
            let words = format!(
                "{} events in {} chains, {} signed checkpoints. Nothing was changed or removed.",
                report.events, report.chains, report.checkpoints
            );
            Notice::new(Severity::Success, words).titled("Chain verified.")
        }
        Err(error) => Notice::new(Severity::Error, format!("{error}.")).titled("The chain is broken."),
    };
    screen.blocks.push(Block::Notice(notice));
    screen.deeds.push(Deed::link("Back to the log", desk.link("audit")));
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn export(desk: Desk) -> Answer {
    let asked = desk.query();
    let mut pairs = asked_pairs(&desk, &asked);
    pairs.push(("format".to_owned(), asked.or("format", "ndjson").to_owned()));
    let export = desk.found(desk.state.keyward.export_events(&desk.call(), &pairs).await)?;
    let (kind, name) = match export.format() {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "audit.csv"),
        ExportFormat::Ndjson => ("application/x-ndjson", "audit.ndjson"),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header(("cache-control", "no-store"))
        .streaming(stream::unfold(Some(export), next_piece)))
}

/// The next piece of a file. One that can't be read ends the connection, so that nobody takes the file for whole.
async fn next_piece(
    export: Option<EventExport>,
) -> Option<(Result<web::Bytes, std::io::Error>, Option<EventExport>)> {
    let mut export = export?;
    match export.next().await {
        Ok(Some(piece)) => Some((Ok(web::Bytes::from(piece)), Some(export))),
        Ok(None) => None,
        Err(error) => Some((Err(std::io::Error::other(error)), None)),
    }
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
