//! Sessions: who is signed in, from where.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, SessionState, SessionsOf};
use keyward_model::{AnyId, Kind, User};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    both,
    desk_at::{Desk, Sent, query},
    doc::{badge, is_over, text, time},
    fields::Fields,
    happening::{Outcomes, by_day},
    parts::pager,
    signing_out,
};
use crate::{
    Confirmation,
    component::{Block, Content, Deed, Filters, Narrow, Piece, Row, RowAction, Sign, Table, Tone},
    describe_device,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    signing_out::configure(config);
    config
        .service(both("sessions/opened").route(web::get().to(opened)))
        .service(both("sessions").route(web::get().to(list)))
        .service(both("sessions/{id}/revoke").route(web::get().to(ask_revoke)).route(web::post().to(revoke)));
}

const SIGN_INS: Outcomes = Outcomes {
    id: "sign-ins-by-day",
    title: "Sign-ins per day",
    series: &[("Succeeded", "sign_in.succeeded"), ("Failed", "sign_in.failed")],
};

/// How somebody signed in.
pub(in crate::web) fn method(method: &str) -> &str {
    match method {
        "password" => "Password",
        "password+totp" => "Password and code",
        "password+recovery_code" => "Password and recovery code",
        "oidc" | "saml" => "Identity provider",
        other => other,
    }
}

/// Sessions as a table, with what stands below it.
pub(super) async fn session_table(
    desk: &Desk,
    pairs: &[(String, String)],
    of: &SessionsOf,
) -> Result<Vec<Block>, Refused> {
    let listing = desk.found(desk.state.keyward.sessions_narrowed(&desk.call(), pairs, of).await)?;
    let names = desk.names(&listing.data, &["user_id"]).await?;
    let may = desk.may(Action::Act("revoke"), Kind::Session);
    let this = desk.signed_in.session_id();
    let row = |doc: &Value| {
        let device = describe_device(doc["user_agent"].as_str());
        let person = names.of(text(doc, "user_id"));
        let mut first =
            Content::words(device.clone()).below(Piece::Words(method(text(doc, "method")).to_owned()));
        if text(doc, "id") == this {
            first = first.and(Piece::Badge(Tone::Good, "This device".to_owned()));
        }
        let revoke = RowAction {
            sign: Sign::Revoke,
            name: format!("Revoke the session of {person} on {device}"),
            href: desk.link(&format!("sessions/{}/revoke", text(doc, "id"))),
        };
        Row {
            cells: vec![
                first,
                Piece::Link(desk.link(&format!("users/{}", text(doc, "user_id"))), person).into(),
                Content::code(text(doc, "ip")),
                time(doc, "created_at", desk.now, "–"),
                time(doc, "last_active_at", desk.now, "–"),
                badge(doc),
            ],
            actions: if may && !is_over(doc) { vec![revoke] } else { Vec::new() },
            over: is_over(doc),
        }
    };
    let table = Table {
        caption: "Sessions".to_owned(),
        columns: vec!["Device", "Person", "Address", "Signed in", "Last active", "State"],
        rows: listing.data.iter().map(row).collect(),
        empty: if of.users.is_some() || of.state.is_some() {
            "No session matches.".to_owned()
        } else {
            "Nobody is signed in.".to_owned()
        },
    };
    let here = desk.request.path();
    Ok(vec![Block::Table(table), Block::Pager(pager(here, &listing, &desk.query()))])
}

fn narrowed(desk: &Desk) -> Vec<(String, String)> {
    let mut pairs = vec![("sort".to_owned(), "-created_at".to_owned())];
    pairs.extend(desk.query().pairs().iter().filter(|(name, _)| name == "page").cloned());
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    pairs
}

/// The sessions that a page was asked for: those of the people by a name or address, and those in a state.
pub(super) async fn asked_for(desk: &Desk, asked: &Fields) -> Result<SessionsOf, Refused> {
    let state = match asked.get("state") {
        "active" => Some(SessionState::Active),
        "revoked" => Some(SessionState::Revoked),
        _ => None,
    };
    Ok(SessionsOf { users: people(desk, asked).await?, state })
}

/// The people who are meant: one by their identifier, or those whom a name or address finds.
async fn people(desk: &Desk, asked: &Fields) -> Result<Option<Vec<AnyId>>, Refused> {
    if let Some(id) = asked.given("user_id") {
        return Ok(Some(id.parse().into_iter().collect()));
    }
    if asked.get("person").is_empty() {
        return Ok(None);
    }
    let mut pairs =
        vec![("q".to_owned(), asked.get("person").to_owned()), ("per_page".to_owned(), "100".to_owned())];
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    let found = desk.found(desk.state.keyward.list::<User>(&desk.call(), &pairs).await)?;
    Ok(Some(found.data.iter().filter_map(|doc| text(doc, "id").parse().ok()).collect()))
}

fn filters(desk: &Desk, asked: &Fields) -> Filters {
    let field = |name, label, kind| Narrow {
        name,
        label,
        value: asked.get(name).to_owned(),
        options: Vec::new(),
        kind,
    };
    let states = [("", "Any"), ("active", "Active"), ("revoked", "Revoked")];
    let states = states.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    let mut fields = Vec::new();
    if desk.caller().may(Action::List, Kind::User) {
        fields.push(field("person", "Person", "search"));
    }
    fields.push(Narrow { options: states, ..field("state", "State", "text") });
    Filters { action: desk.link("sessions"), chips: Vec::new(), fields, keep: Vec::new() }
}

async fn list(desk: Desk) -> Answer {
    let asked = desk.query();
    let mut screen = desk.screen("Sessions", &[]);
    screen.about = String::from("Who is signed in, on which device. Revoking a session ends it at once.");
    screen.blocks.push(Block::Filters(filters(&desk, &asked)));
    let of = asked_for(&desk, &asked).await?;
    let anybody = of.users.as_ref().is_some_and(|users| !users.is_empty());
    if anybody && desk.may(Action::Act("revoke"), Kind::Session) {
        let href = desk.link(&format!("sessions/sign-out?{}", query(&[("person", asked.get("person"))])));
        screen.deeds.push(Deed::link("Sign out everywhere", href));
    }
    screen.blocks.extend(session_table(&desk, &narrowed(&desk), &of).await?);
    if desk.caller().may(Action::List, Kind::Event) {
        let chart = Piece::Link(desk.link("sessions/opened"), "Sign-ins per day".to_owned());
        screen.blocks.push(Block::Text(chart.into()));
    }
    Ok(desk.show(StatusCode::OK, &screen))
}

/// How often people signed in on each of the last days, and how often that failed.
async fn opened(desk: Desk) -> Answer {
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::List, Kind::Event).await)?;
    let mut screen = desk.screen("Sign-ins per day", &[("Sessions", desk.link("sessions"))]);
    screen.blocks.extend(by_day(&desk, &SIGN_INS, None).await);
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn ask_revoke(desk: Desk) -> Answer {
    let session = desk.found(desk.state.keyward.session(&desk.call(), desk.id()).await)?.body;
    let person =
        desk.names(std::slice::from_ref(&session), &["user_id"]).await?.of(text(&session, "user_id"));
    let mut screen = desk.screen("Sessions", &[]);
    screen.blocks = session_table(&desk, &narrowed(&desk), &SessionsOf::default()).await?;
    screen.confirmation = Some(Confirmation {
        title: format!("Revoke this session of {person}?"),
        text: format!(
            "{} is signed out on {} at once.",
            person,
            describe_device(session["user_agent"].as_str())
        ),
        button: "Revoke session".to_owned(),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: desk.link("sessions"),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn revoke(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    desk.found(desk.state.keyward.revoke_session(&desk.call(), desk.id()).await)?;
    Ok(desk.on_to("sessions"))
}
