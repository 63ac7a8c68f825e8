//! Ending all sessions of somebody at once: first it is said how many.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Error, SessionState, SessionsOf};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    both,
    desk_at::{Desk, Sent, query},
    doc::{so_many, text},
    fields::Fields,
    sessions::{asked_for, session_table},
};
use crate::{
    Confirmation, Notice, Severity,
    component::{Block, Content, Row, Table},
    describe_device,
};

/// How many sessions are ended at once.
const MOST: &str = "100";

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(both("sessions/sign-out").route(web::get().to(ask)).route(web::post().to(sign_out)));
}

/// Whose sessions are meant; never everybody's.
async fn whose(desk: &Desk, asked: &Fields) -> Result<SessionsOf, Refused> {
    let mut of = asked_for(desk, asked).await?;
    of.state = Some(SessionState::Active);
    if of.users.is_none() {
        return desk.found(Err(Error::NotFound));
    }
    Ok(of)
}

fn pairs(desk: &Desk) -> Vec<(String, String)> {
    let mut pairs = vec![("per_page".to_owned(), MOST.to_owned())];
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    pairs
}

/// The sessions that would end, at most a hundred: all that go on but the one of this page.
async fn ending(desk: &Desk, of: &SessionsOf) -> Result<Vec<Value>, Refused> {
    let found = desk.state.keyward.sessions_narrowed(&desk.call(), &pairs(desk), of).await;
    let mut all = desk.found(found)?.data;
    let this = desk.signed_in.session_id();
    all.retain(|session| text(session, "state") == "active" && text(session, "id") != this);
    Ok(all)
}

/// The page that the question came from.
fn back(desk: &Desk, asked: &Fields) -> String {
    match asked.get("user_id") {
        "" => desk.link(&format!("sessions?{}", query(&[("person", asked.get("person"))]))),
        id => desk.link(&format!("users/{id}/sessions")),
    }
}

async fn ask(desk: Desk) -> Answer {
    let asked = desk.query();
    let of = whose(&desk, &asked).await?;
    let sessions = ending(&desk, &of).await?;
    let mut screen = desk.screen("Sessions", &[("Sessions", desk.link("sessions"))]);
    screen.blocks = session_table(&desk, &pairs(&desk), &of).await?;
    let mut people: Vec<&str> = sessions.iter().map(|session| text(session, "user_id")).collect();
    people.sort_unstable();
    people.dedup();
    let number = sessions.len() as u64;
    let (count, ends) =
        (so_many(number, "session", "sessions"), so_many(number, "session ends", "sessions end"));
    let whom = match people.as_slice() {
        [only] => desk.names(&sessions, &["user_id"]).await?.of(only),
        several => so_many(several.len() as u64, "person", "people"),
    };
    let mut form = desk.form(desk.link("sessions/sign-out"));
    for name in ["user_id", "person"] {
        form.keep.extend(asked.given(name).map(|value| (name.to_owned(), value.to_owned())));
    }
    let most = if sessions.len() >= 99 { " There may be more: at most 100 end at once." } else { "" };
    screen.confirmation = Some(Confirmation {
        title: format!("Sign {whom} out everywhere?"),
        text: format!("{ends} at once, on every device. The session that you use now stays.{most}"),
        button: format!("End {count}"),
        typed: None,
        form,
        cancel: back(&desk, &asked),
    });
    if sessions.is_empty() {
        screen.confirmation = None;
        let words = "No session of theirs goes on: there is nothing to end.";
        screen.blocks.insert(0, Block::Notice(Notice::new(Severity::Info, words)));
    }
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn sign_out(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    let of = whose(&desk, &fields).await?;
    let sessions = ending(&desk, &of).await?;
    let mut failures = Vec::new();
    for session in &sessions {
        if let Err(error) = desk.state.keyward.revoke_session(&desk.call(), text(session, "id")).await {
            // Whoever may end none of them learns that, instead of a list of it.
            if error.is_forbidden() {
                return Err(desk.refused(&error).into());
            }
            failures.push((session, error));
        }
    }
    if failures.is_empty() {
        return Ok(super::super::visit::see_other(&back(&desk, &fields)));
    }
    let mut screen = desk.screen("Sessions", &[("Sessions", desk.link("sessions"))]);
    let ended = sessions.len() - failures.len();
    let words =
        format!("{ended} of {} ended. These go on:", so_many(sessions.len() as u64, "session", "sessions"));
    screen.blocks.push(Block::Notice(Notice::new(Severity::Warning, words)));
    screen.blocks.push(Block::Table(Table {
        caption: "Sessions that go on".to_owned(),
        columns: vec!["Device", "Address", "Why"],
        rows: failures.iter().map(|(session, error)| failed(session, error)).collect(),
        empty: String::new(),
    }));
    Ok(desk.show(StatusCode::OK, &screen))
}

fn failed(session: &Value, error: &Error) -> Row {
    Row {
        cells: vec![
            Content::words(describe_device(session["user_agent"].as_str())),
            Content::code(text(session, "ip")),
            Content::words(error.to_string()),
        ],
        ..Row::default()
    }
}
