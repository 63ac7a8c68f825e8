//! Where the console begins: the first page, and the choice of a tenant.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::{Kind, Tenant};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused, own_path, see_other},
    dashboard::total,
    desk_at::{Desk, in_tenant},
    doc::text,
    tenants::own_page,
};
use crate::{
    component::{Block, Content, Deed, Filters, Narrow, Panel, Piece, Row, Table},
    paths,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            web::resource([paths::CONSOLE, "/console/", "/console/t/{tenant}", "/console/t/{tenant}/"])
                .get(home),
        )
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
        && !desk.signed_in.preferences().first_steps_dismissed()
        && desk.caller().may(Action::Create, Kind::Tenant)
        && desk.found(total::<Tenant>(&desk, &[]).await)? == 0;
    if is_new { Ok(see_other("/console/get-started")) } else { Ok(desk.on_to("dashboard")) }
}

/// The pages that somebody can go to.
fn desk_pages(desk: &Desk) -> Vec<(String, String)> {
    let home = desk.signed_in.home();
    super::navigation::pages(&desk.caller(), desk.place.as_ref().or(home.as_ref()))
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
