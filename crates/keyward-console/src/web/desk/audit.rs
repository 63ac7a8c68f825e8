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
use keyward_core::{Action, EventExport, ExportFormat};
use keyward_model::{Action as Recorded, AnyId, Application, Kind, Timestamp, User};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    both,
    collection::pairs_of,
    desk_at::{Desk, Sent, query},
    doc::{items, moment, so_many, text},
    events::{NEWEST, NONE_YET, in_words, result, subject, table},
    fields::Fields,
};
use crate::{
    Moment, Notice, Severity,
    component::{
        Block, CodePanel, Content, CopyField, Deed, Facts, Filters, Live, Narrow, Pager, Panel, Piece, Row,
        Table,
    },
    page::{Fragment, Screen},
};

/// The filters of the list, but for times.
const FILTERS: [&str; 4] = ["actor", "action", "resource", "result"];

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(both("audit").route(web::get().to(list)))
        .service(both("audit/export").route(web::get().to(export)))
        .service(both("audit/verify").route(web::post().to(verify)))
        .service(both("audit/{id}").route(web::get().to(show)));
}

/// The identifier of whom or what people name by an e-mail address or a client ID; what is neither stays as it is.
async fn identified(desk: &Desk, named: &str) -> Result<String, Refused> {
    if named.parse::<AnyId>().is_ok() {
        return Ok(named.to_owned());
    }
    let keyward = &desk.state.keyward;
    let pair = |name: &str| [(name.to_owned(), named.to_owned())];
    let found = if named.contains('@') {
        keyward.list::<User>(&desk.call(), &pair("email")).await
    } else {
        keyward.list::<Application>(&desk.call(), &pair("client_id")).await
    };
    // Who may not look there gets what the name itself finds.
    let id = found.ok().and_then(|found| Some(text(found.data.first()?, "id").to_owned()));
    Ok(id.unwrap_or_else(|| named.to_owned()))
}

/// The parameters of the list that the page was asked for; times come from fields of dates.
async fn asked_pairs(desk: &Desk, asked: &Fields) -> Result<Vec<(String, String)>, Refused> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for name in FILTERS.into_iter().filter(|name| !asked.get(name).is_empty()) {
        let given = asked.get(name);
        let value = if matches!(name, "actor" | "resource") {
            identified(desk, given).await?
        } else {
            given.to_owned()
        };
        pairs.push((name.to_owned(), value));
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
    Ok(pairs)
}

/// What there is to choose among; a choice that the address made beside them stays one.
fn actions(now: &str) -> Vec<(String, String)> {
    let known = Recorded::ALL.iter().map(|(action, _)| *action);
    let mut all: Vec<(String, String)> = known.map(|action| (action.to_owned(), in_words(action))).collect();
    all.sort_by(|one, other| one.1.cmp(&other.1));
    all.insert(0, (String::new(), "Any".to_owned()));
    if all.iter().all(|(action, _)| action != now) {
        all.push((now.to_owned(), now.to_owned()));
    }
    all
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
            Narrow { options: actions(asked.get("action")), ..field("action", "Action", "text") },
            field("actor", "Who: e-mail, client or ID", "text"),
            field("resource", "On: e-mail, client or ID", "text"),
            Narrow { options: results, ..field("result", "Result", "text") },
            field("from", "From", "date"),
            field("to", "To", "date"),
        ],
        keep: Vec::new(),
    }
}

/// The filters that are set.
fn kept(asked: &Fields) -> Vec<(&str, &str)> {
    let kept = asked
        .pairs()
        .iter()
        .filter(|(name, value)| !matches!(&**name, "cursor" | "part" | "live") && !value.is_empty());
    kept.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

async fn list(desk: Desk) -> Answer {
    let asked = desk.query();
    let mut pairs = asked_pairs(&desk, &asked).await?;
    let cursor = asked.or("cursor", NEWEST);
    pairs.push(("cursor".to_owned(), if cursor.is_empty() { NEWEST } else { cursor }.to_owned()));
    let listing = desk.found(desk.state.keyward.events(&desk.call(), &pairs).await)?;
    let narrowed = !kept(&asked).is_empty();
    let events = table(&desk, &listing.data, if narrowed { "No event matches." } else { NONE_YET });
    if asked.given("part").is_some() {
        return Ok(desk.show(StatusCode::OK, &Fragment { blocks: vec![events] }));
    }
    let kept = kept(&asked);
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
    if narrowed {
        screen.blocks.push(Block::Text(Piece::Link(desk.link("audit"), "Clear filters".to_owned()).into()));
    }
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
    pairs.retain(|(name, _)| name != "cursor");
    let path = format!("audit?{}", pairs_of(&pairs));
    let code =
        CodePanel::request(&desk.state.keyward.options().issuer, "GET", path.trim_end_matches('?'), None);
    screen.blocks.push(Block::Code(code.and("Command line", "keyward audit verify")));
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
    let names = desk.names(items(&event, "changes"), &["from", "to"]).await?;
    let shown = |value: &Value| match value {
        Value::Null => Piece::Muted("–".to_owned()).into(),
        Value::String(text) => Content::words(names.of(text)),
        Value::Array(each) if each.iter().all(Value::is_string) => {
            let each = each.iter().filter_map(Value::as_str).map(|text| names.of(text));
            Content::words(each.collect::<Vec<_>>().join(", "))
        }
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
    let issuer = &desk.state.keyward.options().issuer;
    let here = format!("{issuer}{}", desk.request.path());
    screen.blocks.push(Block::Copy(CopyField::new("link", "Link to this event", here)));
    screen.blocks.push(Block::Copy(CopyField::new("raw", "As JSON", raw)));
    let path = format!("audit/{}", text(&event, "id"));
    screen.blocks.push(Block::Code(CodePanel::request(issuer, "GET", &path, None)));
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn verify(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let report = desk.found(desk.state.keyward.verify_chains(&desk.call()).await)?;
    let mut screen: Screen = desk.screen("Audit log", &[("Audit log", desk.link("audit"))]);
    let notice = match report {
        Ok(report) => {
            let words = format!(
                "{} in {}, {}. Nothing was changed or removed.",
                so_many(report.events, "event", "events"),
                so_many(report.chains, "chain", "chains"),
                so_many(report.checkpoints, "signed checkpoint", "signed checkpoints")
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
    let mut pairs = asked_pairs(&desk, &asked).await?;
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
