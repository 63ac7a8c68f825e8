//! Adding many users at once, from a table that somebody has: looked at first, then added.

use std::collections::BTreeSet;

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Error};
use keyward_model::{Kind, User};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    both,
    desk_at::{Desk, Sent},
    doc::{so_many, text},
    problems,
};
use crate::{
    Notice, Problems, Severity,
    component::{Block, Content, CopyField, FormBlock, Input, Panel, Part, Piece, Row, Table, Takes, Tone},
    page::Screen,
};

/// How many lines are taken at once.
const MOST: usize = 1_000;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(both("users/import").route(web::get().to(ask)).route(web::post().to(look)))
        .service(both("users/import/run").route(web::post().to(run)));
}

fn screen(desk: &Desk, csv: &str, problems: Problems) -> Screen {
    let mut screen = desk.screen("Import users", &[("Users", desk.link("users"))]);
    screen.about = String::from("From a table with a line for each: first you see what would happen.");
    let mut form = desk.form(desk.link("users/import"));
    form.problems = problems;
    screen.mark = form.mark().into();
    let input = Input::new("csv", "Comma-separated values", Takes::Lines, csv).required();
    let help = "The e-mail address first, then the name: mia@acme.example,Mia Chen. A first line with the names of the \
                columns is left out.";
    let parts: Vec<Part> = vec![input.help(help).into()];
    let block = FormBlock::new(form, parts, "Look first", desk.link("users"));
    screen.blocks.push(Panel::new("import", "Table", vec![Block::Form(Box::new(block))]).into());
    screen
}

async fn ask(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::Create, Kind::User).await)?;
    Ok(desk.show(StatusCode::OK, &screen(&desk, "", Problems::default())))
}

/// The bodies by which the lines are added.
fn bodies(desk: &Desk, csv: &str) -> Result<Vec<Value>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(csv.as_bytes());
    let mut bodies = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| format!("Line {} can't be read: {error}.", index + 1))?;
        let email = record.get(0).unwrap_or_default();
        // A first line without an address names the columns.
        if email.is_empty() || (index == 0 && !email.contains('@')) {
            continue;
        }
        let mut body = json!({ "email": email });
        if let Some(name) = record.get(1).filter(|name| !name.is_empty()) {
            body["name"] = name.into();
        }
        bodies.push(desk.owned(body));
    }
    match bodies.len() {
        0 => Err("There is no line with an e-mail address.".to_owned()),
        count if count > MOST => Err(format!("There are {count} lines; at most {MOST} are taken at once.")),
        _ => Ok(bodies),
    }
}

/// Why each line would not be added; none where it would.
async fn faults(desk: &Desk, bodies: &[Value]) -> Result<Vec<Option<String>>, Refused> {
    let checked = desk.found(desk.state.keyward.check_new_users(&desk.call(), bodies).await)?;
    let mut seen = BTreeSet::new();
    let faults = bodies.iter().zip(checked).map(|(body, error)| {
        let twice = !seen.insert(text(body, "email").to_lowercase());
        error.map(|error| said(&error)).or(twice.then(|| "It is in the table twice.".to_owned()))
    });
    Ok(faults.collect())
}

fn said(error: &Error) -> String {
    match error {
        Error::Invalid(fields) => problems::sentences(fields),
        error => error.to_string(),
    }
}

fn table(bodies: &[Value], outcomes: &[(Tone, String)]) -> Block {
    let row = |(body, (tone, words)): (&Value, &(Tone, String))| Row {
        cells: vec![
            Content::words(text(body, "email")),
            Content::words(text(body, "name")),
            Piece::Badge(*tone, words.clone()).into(),
        ],
        ..Row::default()
    };
    Block::Table(Table {
        caption: "Users".to_owned(),
        columns: vec!["E-mail", "Name", "Outcome"],
        rows: bodies.iter().zip(outcomes).map(row).collect(),
        empty: String::new(),
    })
}

/// The lines that are not added, each with the reason, as a table to take away; none when all are.
fn left_out(bodies: &[Value], outcomes: &[(Tone, String)]) -> Option<Panel> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut count = 0;
    for (body, (tone, words)) in bodies.iter().zip(outcomes) {
        if *tone != Tone::Good
            && writer.write_record([text(body, "email"), text(body, "name"), words]).is_ok()
        {
            count += 1;
        }
    }
    let lines = String::from_utf8(writer.into_inner().ok()?).ok().filter(|_| count > 0)?;
    let copy = CopyField::new("left-out", "Lines with their reasons", lines.trim_end());
    let panel = Panel::new(
        "not-added",
        so_many(count, "line is left out", "lines are left out"),
        vec![Block::Copy(copy)],
    );
    Some(panel.help("Put them right and paste them above: what stands behind the name does no harm."))
}

async fn look(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    let csv = fields.get("csv");
    let bodies = match bodies(&desk, csv) {
        Ok(bodies) => bodies,
        Err(why) => {
            let screen = screen(&desk, csv, Problems::field("csv", why));
            return Ok(desk.show(StatusCode::UNPROCESSABLE_ENTITY, &screen));
        }
    };
    let faults = faults(&desk, &bodies).await?;
    let good = faults.iter().filter(|fault| fault.is_none()).count();
    let outcomes: Vec<(Tone, String)> = faults
        .into_iter()
        .map(|fault| fault.map_or((Tone::Good, "Is added".to_owned()), |fault| (Tone::Bad, fault)))
        .collect();
    let mut screen = screen(&desk, csv, Problems::default());
    let mut blocks = vec![table(&bodies, &outcomes)];
    if good > 0 {
        let mut form = desk.form(desk.link("users/import/run"));
        form.keep.push(("csv".to_owned(), csv.to_owned()));
        let button = format!("Add {}", so_many(good as u64, "user", "users"));
        blocks.push(Block::Form(Box::new(FormBlock::new(form, Vec::new(), button, desk.link("users")))));
    }
    let panel = Panel::new("outcome", "What would happen", blocks);
    screen.blocks.insert(0, panel.help("Nothing was added yet.").into());
    if let Some(left_out) = left_out(&bodies, &outcomes) {
        screen.blocks.insert(1, left_out.into());
    }
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn run(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(&desk.link("users/import")).await?;
    let bodies = match bodies(&desk, fields.get("csv")) {
        Ok(bodies) => bodies,
        Err(why) => return Err(desk.refused(&Error::BadRequest(why)).into()),
    };
    let items: Vec<Value> = bodies.iter().map(|body| json!({ "op": "create", "body": body })).collect();
    let done = desk.state.keyward.bulk::<User>(&desk.call(), json!({ "items": items })).await;
    let outcomes: Vec<(Tone, String)> = desk
        .found(done)?
        .iter()
        .map(|outcome| match &outcome.result {
            Ok(_) => (Tone::Good, "Added".to_owned()),
            Err(error) => (Tone::Bad, said(error)),
        })
        .collect();
    let added = outcomes.iter().filter(|(tone, _)| *tone == Tone::Good).count();
    let mut screen = desk.screen("Import users", &[("Users", desk.link("users"))]);
    let words = format!("{} of {} were added.", added, bodies.len());
    let severity = if added == bodies.len() { Severity::Success } else { Severity::Warning };
    screen.blocks = vec![Block::Notice(Notice::new(severity, words)), table(&bodies, &outcomes)];
    screen.blocks.extend(left_out(&bodies, &outcomes).map(Block::from));
    Ok(desk.show(StatusCode::OK, &screen))
}
