//! Where the console begins: the first page, the first steps, and the choice of a tenant.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::{Application, Kind, Tenant, User};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused, own_path, see_other},
    dashboard::total,
    desk_at::{Desk, in_tenant, query},
    doc::text,
    tenants::own_page,
};
use crate::{
    component::{Block, Content, Deed, Filters, Narrow, Panel, Piece, Row, Table, Tone},
    paths,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            web::resource([paths::CONSOLE, "/console/", "/console/t/{tenant}", "/console/t/{tenant}/"])
                .get(home),
        )
        .service(web::resource("/console/get-started").get(get_started))
        .service(web::resource("/console/switch").get(switch));
}

async fn home(desk: Desk) -> Answer {
    if !desk.caller().may(Action::List, Kind::Event) {
        let first = desk_pages(&desk).into_iter().next();
        return Ok(see_other(&first.map_or_else(|| paths::ACCOUNT.to_owned(), |(_, href)| href)));
    }
    if desk.place.is_none()
        && let Some(home) = desk.signed_in.home()
    {
        return Ok(see_other(&format!("/console/t/{}/dashboard", home.slug)));
    }
    let is_new = desk.place.is_none()
        && desk.caller().may(Action::Create, Kind::Tenant)
        && desk.found(total::<Tenant>(&desk, &[]).await)? == 0;
    if is_new { Ok(see_other("/console/get-started")) } else { Ok(desk.on_to("dashboard")) }
}

/// The pages that somebody can go to.
fn desk_pages(desk: &Desk) -> Vec<(String, String)> {
    let home = desk.signed_in.home();
    super::navigation::pages(&desk.caller(), desk.place.as_ref().or(home.as_ref()))
}

/// The first steps, each ticked by what really happened.
async fn get_started(desk: Desk) -> Answer {
    let mut steps: Vec<(bool, &str, String, &str, String)> = Vec::new();
    let may = |kind| desk.caller().may(Action::List, kind);
    if may(Kind::Tenant) && desk.signed_in.home().is_none() {
        let done = desk.found(total::<Tenant>(&desk, &[]).await)? > 0;
        steps.push((
            done,
            "Add a tenant",
            "A customer of your platform.".to_owned(),
            "Add tenant",
            "/console/tenants/new".to_owned(),
        ));
    }
    if may(Kind::Application) {
        let done = desk.found(total::<Application>(&desk, &[("type", "service")]).await)? > 0;
        let href = "/console/t/~/settings/iam/api-access?new=1".to_owned();
        steps.push((
            done,
            "Add an API client",
            "Another system that calls your APIs.".to_owned(),
            "Add API client",
            href,
        ));
    }
    if may(Kind::Event) {
        let since = desk.now.plus_seconds(-30 * 86_400);
        let counts =
            desk.found(desk.state.keyward.counts(&desk.call(), "token.", None, since, 86_400).await)?;
        let issued = counts.iter().any(|count| count.action == "token.issued");
        let href = "/console/t/~/settings/iam/api-access".to_owned();
        let refused = counts.iter().rev().find(|count| count.action == "token.denied").filter(|_| !issued);
        let why = refused
            .and_then(|count| count.reason.clone())
            .map(|reason| format!("The last try was refused: {}.", reason.replace('_', " ")));
        let words = why.unwrap_or_else(|| "With the call at the foot of API Access.".to_owned());
        steps.push((issued, "Obtain a token", words, "API Access", href));
        let href = format!("/console/audit?{}", query(&[("action", "token.issued")]));
        steps.push((
            issued,
            "See it in the audit log",
            "Who obtained it, when, from where.".to_owned(),
            "Audit log",
            href,
        ));
    }
    if may(Kind::User) {
        let done = desk.found(total::<User>(&desk, &[]).await)? > 1;
        steps.push((
            done,
            "Add a colleague",
            "With exactly the permissions that they need.".to_owned(),
            "Add user",
            desk.link("users/new"),
        ));
    }
    let row = |(done, title, words, label, href): &(bool, &str, String, &str, String)| Row {
        cells: vec![
            Content::words(*title).below(Piece::Words(words.clone())),
            if *done {
                Piece::Badge(Tone::Good, "Done".to_owned()).into()
            } else {
                Piece::Badge(Tone::Plain, "To do".to_owned()).into()
            },
            Piece::Link(href.clone(), (*label).to_owned()).into(),
        ],
        ..Row::default()
    };
    let table = Table {
        caption: "First steps".to_owned(),
        columns: vec!["Step", "State", "Where"],
        rows: steps.iter().map(row).collect(),
        empty: "There is nothing for you to set up.".to_owned(),
    };
    let mut screen = desk.screen("Get started", &[]);
    screen.about = String::from("Each step ticks itself when it really happened.");
    screen.deeds.push(Deed::link("Dashboard", desk.link("dashboard")));
    screen.blocks.push(Panel::new("steps", "First steps", vec![Block::Table(table)]).into());
    Ok(desk.show(StatusCode::OK, &screen))
}

/// The tenants that were worked in lately, as far as they are still there.
async fn recent(desk: &Desk, then: Option<&str>) -> Result<Option<Block>, Refused> {
    let mut links = Content::default();
    for slug in desk.recent() {
        let found = desk.found(desk.state.keyward.tenant_place(&desk.call(), &slug).await)?;
        let Some(place) = found else { continue };
        let href = match then {
            Some(path) => in_tenant(path, &place.slug),
            None => format!("/console/t/{}/dashboard", place.slug),
        };
        links = links.and(Piece::Link(href, place.name));
    }
    if links.pieces.is_empty() {
        return Ok(None);
    }
    Ok(Some(Panel::new("recent", "Recent", vec![Block::Text(links)]).into()))
}

/// The choice of a tenant to work in: searched on the server, never all of them.
async fn switch(desk: Desk) -> Answer {
    let asked = desk.query();
    let mut pairs = vec![("per_page".to_owned(), "20".to_owned()), ("sort".to_owned(), "name".to_owned())];
    if !asked.get("q").is_empty() {
        pairs.push(("q".to_owned(), asked.get("q").to_owned()));
    }
    let listing = desk.found(desk.state.keyward.list::<Tenant>(&desk.call(), &pairs).await)?;
    let names = desk.names(&listing.data, &["partner_id"]).await?;
    let then = own_path(asked.get("then"));
    let target = |doc: &Value| match &then {
        Some(path) => in_tenant(path, text(doc, "slug")),
        None => own_page(doc),
    };
    let row = |doc: &Value| Row {
        cells: vec![
            Content::from(Piece::Link(target(doc), text(doc, "name").to_owned()))
                .below(Piece::Code(text(doc, "slug").to_owned())),
            match text(doc, "partner_id") {
                "" => Piece::Muted("–".to_owned()).into(),
                id => Content::words(names.of(id)),
            },
        ],
        ..Row::default()
    };
    let mut screen = desk.screen("Choose a tenant", &[]);
    screen.deeds.push(Deed::link("All tenants", "/console/dashboard"));
    if desk.caller().may(Action::Create, Kind::Tenant) {
        screen.primary = Some(("Add tenant".to_owned(), "/console/tenants/new".to_owned()));
    }
    if asked.get("q").is_empty() {
        screen.blocks.extend(recent(&desk, then.as_deref()).await?);
    }
    screen.blocks.push(Block::Filters(Filters {
        action: "/console/switch".to_owned(),
        chips: Vec::new(),
        fields: vec![Narrow {
            name: "q",
            label: "Search",
            value: asked.get("q").to_owned(),
            options: Vec::new(),
            kind: "search",
        }],
        keep: then.iter().map(|path| ("then".to_owned(), path.clone())).collect(),
    }));
    screen.blocks.push(Block::Table(Table {
        caption: "Tenants".to_owned(),
        columns: vec!["Name", "Partner"],
        rows: listing.data.iter().map(row).collect(),
        empty: "No tenant matches.".to_owned(),
    }));
    Ok(desk.show(StatusCode::OK, &screen))
}
