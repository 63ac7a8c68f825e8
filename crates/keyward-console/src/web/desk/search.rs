//! Search over everything that somebody sees: pages, tenants, people, clients, and whatever an identifier names.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Administered};
use keyward_model::{AnyId, Application, Kind, Tenant, User};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    agents::Agents,
    api_access::ApiAccess,
    api_keys::ApiKeys,
    applications::Applications,
    both,
    collection::{Collection, kind},
    desk_at::Desk,
    doc::text,
    groups::Groups,
    navigation,
    partners::Partners,
    parts::key_of,
    providers::Providers,
    roles::Roles,
    tenants, users,
};
use crate::{
    component::{Block, Content, Filters, Narrow, Piece, Row, Table},
    page::Fragment,
    paths,
};

/// How many of a kind are found.
const MOST: &str = "6";

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(both("search").route(web::get().to(search)));
}

/// What was found: what it is called, what it is, where it is.
struct Found {
    name: String,
    kind: &'static str,
    href: String,
}

fn found(name: impl Into<String>, kind: &'static str, href: impl Into<String>) -> Found {
    Found { name: name.into(), kind, href: href.into() }
}

/// The page of what an identifier names.
fn by_id(desk: &Desk, id: AnyId) -> Option<Found> {
    let (path, kind) = match id.kind {
        Kind::Partner => ("partners", "Partner"),
        Kind::Tenant => ("tenants", "Tenant"),
        Kind::User => ("users", "User"),
        Kind::Group => ("groups", "Group"),
        Kind::Role => ("settings/iam/roles", "Role"),
        Kind::Application => (ApiAccess::PATH, "Application"),
        Kind::ApiKey => ("settings/security/api-keys", "API key"),
        Kind::IdentityProvider => ("settings/identity-providers", "Identity provider"),
        Kind::Agent => ("agents", "Agent"),
        Kind::Event => ("audit", "Event"),
        _ => return None,
    };
    Some(found(id.to_string(), kind, desk.link(&format!("{path}/{id}"))))
}

async fn of<R: Administered>(desk: &Desk, q: &str) -> Result<Vec<Value>, Refused> {
    if !desk.caller().may(Action::List, R::KIND) {
        return Ok(Vec::new());
    }
    let mut pairs = vec![("q".to_owned(), q.to_owned()), ("per_page".to_owned(), MOST.to_owned())];
    if let Some(place) = desk.place.as_ref().filter(|_| R::KIND != Kind::Tenant) {
        pairs.push(("tenant_id".to_owned(), place.id.clone()));
    }
    Ok(desk.found(desk.state.keyward.list::<R>(&desk.call(), &pairs).await)?.data)
}

/// What the navigation does not lead to: other pages, and what can be added.
fn beside(desk: &Desk) -> Vec<Found> {
    let caller = desk.caller();
    let pages = [
        ("Key tester", Kind::ApiKey, "settings/security/key-tester"),
        ("Permission reference", Kind::Role, "settings/iam/permissions"),
        ("Compare two roles", Kind::Role, "settings/iam/roles/compare"),
        ("Import users", Kind::User, "users/import"),
    ];
    let pages = pages.into_iter().filter(|(_, kind, _)| caller.may(Action::List, *kind));
    let mut all: Vec<Found> = pages.map(|(label, _, path)| found(label, "Page", desk.link(path))).collect();
    all.push(found("My account", "Page", paths::ACCOUNT));
    all.push(found("Get started", "Page", "/console/get-started"));
    adding::<ApiAccess>(desk, &mut all);
    adding::<ApiKeys>(desk, &mut all);
    adding::<users::Users>(desk, &mut all);
    adding::<Groups>(desk, &mut all);
    adding::<Roles>(desk, &mut all);
    adding::<Applications>(desk, &mut all);
    adding::<Agents>(desk, &mut all);
    adding::<Providers>(desk, &mut all);
    if desk.place.is_none() {
        adding::<tenants::Tenants>(desk, &mut all);
        adding::<Partners>(desk, &mut all);
    }
    all
}

/// That one more can be added, where somebody may.
fn adding<C: Collection>(desk: &Desk, all: &mut Vec<Found>) {
    if desk.may(Action::Create, kind::<C>()) && C::cannot_add(desk).is_none() {
        all.push(found(C::ADD, "Action", desk.link(&format!("{}/new", C::PATH))));
    }
}

/// What is found by its name.
async fn by_name<C: Collection>(desk: &Desk, q: &str, kind: &'static str) -> Result<Vec<Found>, Refused> {
    let docs = of::<C::Record>(desk, q).await?;
    let found =
        |doc: &Value| found(C::name(doc), kind, desk.link(&format!("{}/{}", C::PATH, text(doc, "id"))));
    Ok(docs.iter().map(found).collect())
}

async fn results(desk: &Desk, q: &str) -> Result<Vec<Found>, Refused> {
    let home = desk.signed_in.home();
    let place = desk.place.as_ref().or(home.as_ref());
    let wanted = q.to_lowercase();
    let pages = navigation::pages(&desk.caller(), place);
    let fits = |label: &str| label.to_lowercase().contains(&wanted);
    let mut all: Vec<Found> = pages
        .into_iter()
        .filter(|(label, _)| fits(label))
        .map(|(label, href)| found(label, "Page", href))
        .collect();
    if !q.is_empty() {
        all.extend(beside(desk).into_iter().filter(|found| fits(&found.name)));
    }
    if q.is_empty() {
        return Ok(all);
    }
    if let Ok(id) = q.parse::<AnyId>() {
        all.extend(by_id(desk, id));
        return Ok(all);
    }
    let tenants = of::<Tenant>(desk, q).await?;
    all.extend(tenants.iter().map(|doc| found(text(doc, "name"), "Tenant", tenants::own_page(doc))));
    let users = of::<User>(desk, q).await?;
    all.extend(users.iter().map(|doc| {
        let name = format!("{} ({})", users::name(doc), text(doc, "email"));
        found(name, "User", desk.link(&format!("users/{}", text(doc, "id"))))
    }));
    let applications = of::<Application>(desk, q).await?;
    all.extend(applications.iter().map(|doc| {
        let (path, kind) = match text(doc, "type") {
            "service" => (ApiAccess::PATH, "API client"),
            _ => ("applications", "Application"),
        };
        found(key_of(doc), kind, desk.link(&format!("{path}/{}", text(doc, "id"))))
    }));
    all.extend(by_name::<Groups>(desk, q, "Group").await?);
    all.extend(by_name::<Roles>(desk, q, "Role").await?);
    all.extend(by_name::<ApiKeys>(desk, q, "API key").await?);
    all.extend(by_name::<Agents>(desk, q, "Agent").await?);
    all.extend(by_name::<Providers>(desk, q, "Identity provider").await?);
    Ok(all)
}

async fn search(desk: Desk) -> Answer {
    let asked = desk.query();
    let q = asked.get("q");
    let row = |found: &Found| Row {
        cells: vec![Piece::Link(found.href.clone(), found.name.clone()).into(), Content::words(found.kind)],
        ..Row::default()
    };
    let all = results(&desk, q).await?;
    let table = Block::Table(Table {
        caption: "Found".to_owned(),
        columns: vec!["Name", "What it is"],
        rows: all.iter().map(row).collect(),
        empty: "Nothing is found.".to_owned(),
    });
    if asked.given("part").is_some() {
        return Ok(desk.show(StatusCode::OK, &Fragment { blocks: vec![table] }));
    }
    let mut screen = desk.screen("Search", &[]);
    screen.about = String::from(
        "A page, an action, a tenant, a person, a client, anything by its name, or an identifier.",
    );
    screen.blocks.push(Block::Filters(Filters {
        action: desk.link("search"),
        chips: Vec::new(),
        fields: vec![Narrow {
            name: "q",
            label: "Search",
            value: q.to_owned(),
            options: Vec::new(),
            kind: "search",
        }],
        keep: Vec::new(),
    }));
    screen.blocks.push(table);
    Ok(desk.show(StatusCode::OK, &screen))
}
