//! The pages that every resource has: list, add, look, change, delete.

use std::future::{Future, ready};

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Administered, Listing, Written};
use keyward_model::Kind;
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    deleting::{ask_delete, delete},
    desk_at::{Desk, query},
    doc::{standing, text},
    events::activity_of,
    fields::Fields,
    parts::{filters, pager},
    writing::{ask_edit, ask_new, create, save},
};
use crate::{
    Notice, Severity,
    component::{Badge, Block, CodePanel, Deed, Empty, Filters, Part, Row, Table},
    page::{Screen, Tab},
};

/// What speaks against making something as a form has it.
pub(super) enum Doubt {
    /// It is not done so.
    Refused(String),
    /// It is done, once somebody has read this and sends the form again.
    Warned(String),
}

/// How a resource is shown.
pub(super) trait Collection: 'static {
    /// The resource.
    type Record: Administered;
    /// Where its pages are, below the place.
    const PATH: &'static str;
    /// What many are called.
    const TITLE: &'static str;
    /// What one is called.
    const ONE: &'static str;
    /// What the button for a new one says.
    const ADD: &'static str;
    /// What one is, in a sentence.
    const ABOUT: &'static str;
    /// The heads of the list's columns.
    const COLUMNS: &'static [&'static str];
    /// The views of the list beside all: name, parameter, value.
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] =
        &[("Active", "status", "active"), ("Disabled", "status", "disabled")];
    /// Whether those of a tenant are found by `tenant_id`.
    const IN_TENANTS: bool = true;
    /// Whether making or changing one takes a recent proof of who one is.
    const STEP_UP: bool = false;
    /// Whether deleting one does.
    const STEP_UP_TO_DELETE: bool = false;
    /// Parameters that every list of these has.
    const ONLY: &'static [(&'static str, &'static str)] = &[];

    /// What is wrong with making one here, if something is.
    fn cannot_add(_desk: &Desk) -> Option<String> {
        None
    }

    /// The rows of a list.
    fn rows(desk: &Desk, docs: &[Value]) -> impl Future<Output = Result<Vec<Row>, Refused>>;

    /// What stands below a list.
    fn foot(_desk: &Desk) -> Vec<Block> {
        Vec::new()
    }

    /// What a form shows of an object.
    fn given(doc: &Value) -> Fields {
        Fields::of(doc)
    }

    /// The parts of the form, for a new one or for one that there is.
    fn parts(
        desk: &Desk,
        now: &Fields,
        editing: Option<&Value>,
    ) -> impl Future<Output = Result<Vec<Part>, Refused>>;

    /// The body of the request that the form stands for.
    fn body(
        desk: &Desk,
        fields: &Fields,
        editing: Option<&Value>,
    ) -> impl Future<Output = Result<Value, Refused>>;

    /// What speaks against making one so.
    fn doubt(_desk: &Desk, _fields: &Fields) -> impl Future<Output = Result<Option<Doubt>, Refused>> {
        ready(Ok(None))
    }

    /// What is shown when one was made; its page, unless it has a secret.
    fn made(desk: &Desk, written: &Written) -> impl Future<Output = Answer> {
        ready(Ok(desk.on_to(&format!("{}/{}", Self::PATH, written.id))))
    }

    /// What one is called.
    fn name(doc: &Value) -> String {
        text(doc, "name").to_owned()
    }

    /// What else can be done with it.
    fn deeds(_desk: &Desk, _doc: &Value) -> Vec<Deed> {
        Vec::new()
    }

    /// What there is to see of it.
    fn detail(desk: &Desk, doc: &Value) -> impl Future<Output = Result<Vec<Block>, Refused>>;

    /// Other views of it: path below its own, name, and what one must be allowed to see for it.
    fn tabs() -> &'static [(&'static str, &'static str, Kind)] {
        &[]
    }

    /// Why deleting it needs more care than usual: it was used lately.
    fn in_use(_desk: &Desk, _doc: &Value) -> impl Future<Output = Result<Option<String>, Refused>> {
        ready(Ok(None))
    }

    /// What deleting it comes to.
    fn deletion(_doc: &Value) -> String {
        "It is gone at once, for everybody. The audit log keeps what it did.".to_owned()
    }

    /// Whether it can be deleted.
    fn deletable(_doc: &Value) -> bool {
        true
    }

    /// Whether it can be changed.
    fn editable(_doc: &Value) -> bool {
        true
    }
}

/// That a partner has none of these itself, where one is asked for one.
pub(super) fn of_no_partner(desk: &Desk) -> Option<String> {
    let partner = matches!(desk.owner(), keyward_model::Owner::Partner(_));
    partner.then(|| "It belongs to a tenant: choose one at the top to add one.".to_owned())
}

pub(super) fn kind<C: Collection>() -> Kind {
    <C::Record as keyward_model::Identified>::KIND
}

/// Mounts the pages of a resource.
pub(super) fn routes<C: Collection>(config: &mut ServiceConfig) {
    let at = |path: &str| super::both(&format!("{}{path}", C::PATH));
    config
        .service(at("").route(web::get().to(index::<C>)).route(web::post().to(create::<C>)))
        .service(at("/new").route(web::get().to(ask_new::<C>)))
        .service(at("/{id}").route(web::get().to(show::<C>)).route(web::post().to(save::<C>)))
        .service(at("/{id}/edit").route(web::get().to(ask_edit::<C>)))
        .service(at("/{id}/activity").route(web::get().to(activity::<C>)))
        .service(at("/{id}/delete").route(web::get().to(ask_delete::<C>)).route(web::post().to(delete::<C>)));
}

/// The parameters by which the admin API lists what the page shows.
fn list_query<C: Collection>(desk: &Desk, asked: &Fields) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> =
        asked.pairs().iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    let mut fixed: Vec<(&str, &str)> = C::ONLY.to_vec();
    if let Some(place) = desk.place.as_ref().filter(|_| C::IN_TENANTS) {
        fixed.push(("tenant_id", &place.id));
    }
    pairs.retain(|(name, _)| fixed.iter().all(|(known, _)| known != name));
    pairs.extend(fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    pairs
}

async fn index<C: Collection>(desk: Desk) -> Answer {
    if desk.query().given("new").is_some() {
        return ask_new::<C>(desk).await;
    }
    let asked = desk.query();
    let pairs = list_query::<C>(&desk, &asked);
    let listing = desk.state.keyward.list::<C::Record>(&desk.call(), &pairs).await;
    let listing = desk.found(listing)?;
    let mut screen = desk.screen(C::TITLE, &[]);
    screen.about = String::from(C::ABOUT);
    let refusal = C::cannot_add(&desk);
    let adds = desk.may(Action::Create, kind::<C>());
    if adds && refusal.is_none() {
        screen.primary = Some((C::ADD.to_owned(), desk.link(&format!("{}/new", C::PATH))));
    }
    if !adds {
        screen.blocks.push(read_only(&desk).await?);
    } else if let Some(refusal) = refusal {
        screen.blocks.push(Block::Notice(Notice::new(Severity::Info, refusal)));
    }
    screen.blocks.push(Block::Filters(narrowed::<C>(&desk, &asked)));
    screen.blocks.extend(listed::<C>(&desk, &listing, &asked).await?);
    screen.blocks.extend(C::foot(&desk));
    let path = format!("{}?{}", C::Record::COLLECTION, pairs_of(&pairs));
    screen.blocks.push(Block::Code(CodePanel::request(
        &desk.state.keyward.options().issuer,
        "GET",
        path.trim_end_matches('?'),
        None,
    )));
    Ok(desk.show(StatusCode::OK, &screen))
}

pub(super) fn pairs_of(pairs: &[(String, String)]) -> String {
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    query(&pairs)
}

fn narrowed<C: Collection>(desk: &Desk, asked: &Fields) -> Filters {
    filters(&desk.link(C::PATH), C::CHIPS, asked)
}

async fn listed<C: Collection>(
    desk: &Desk,
    listing: &Listing,
    asked: &Fields,
) -> Result<Vec<Block>, Refused> {
    let narrowed = asked.pairs().iter().any(|(name, value)| name != "page" && !value.is_empty());
    if listing.data.is_empty() && !narrowed {
        let adds = desk.may(Action::Create, kind::<C>()) && C::cannot_add(desk).is_none();
        let action = adds.then(|| (C::ADD.to_owned(), desk.link(&format!("{}/new", C::PATH))));
        return Ok(vec![Block::Empty(Empty { text: C::ABOUT.to_owned(), action })]);
    }
    let mut columns = C::COLUMNS.to_vec();
    let mut rows = C::rows(desk, &listing.data).await?;
    // Where all belong to one tenant its name says nothing.
    if desk.place.is_some()
        && let Some(at) = columns.iter().position(|column| *column == "Tenant")
    {
        columns.remove(at);
        for row in &mut rows {
            row.cells.remove(at);
        }
    }
    let empty = format!("No {} matches.", C::ONE);
    let table = Table { caption: C::TITLE.to_owned(), columns, rows, empty };
    Ok(vec![Block::Table(table), Block::Pager(pager(&desk.link(C::PATH), listing, asked))])
}

/// That somebody may look and not change, and whom to ask.
pub(super) async fn read_only(desk: &Desk) -> Result<Block, Refused> {
    let tenant = desk.place.as_ref().map(|place| place.id.as_str());
    let helpers = desk.found(desk.state.keyward.helpers(tenant).await)?;
    let ask =
        if helpers.is_empty() { String::new() } else { format!(" Ask one of: {}.", helpers.join(", ")) };
    let words = format!("You have View. Change is needed to edit.{ask}");
    Ok(Block::Notice(Notice::new(Severity::Info, words)))
}

/// The object that the address names.
pub(super) async fn read<C: Collection>(desk: &Desk) -> Result<(Value, Option<i64>), Refused> {
    let document = desk.state.keyward.read::<C::Record>(&desk.call(), desk.id()).await;
    let document = desk.found(document)?;
    Ok((document.body, document.version))
}

/// The screen of an object, with nothing on it yet; `tab` is the view that is shown.
pub(super) async fn object<C: Collection>(desk: &Desk, doc: &Value, tab: &str) -> Result<Screen, Refused> {
    let mut screen = desk.screen(C::name(doc), &[(C::TITLE, desk.link(C::PATH))]);
    let own = format!("{}/{}", C::PATH, text(doc, "id"));
    if doc["status"].is_string() || doc["state"].is_string() {
        let (tone, words) = standing(doc);
        screen.badge = Some(Badge { tone, words: words.to_owned() });
    }
    if desk.may(Action::Update, kind::<C>()) {
        screen.deeds = C::deeds(desk, doc);
        if C::editable(doc) {
            screen.deeds.push(Deed::link("Edit", desk.link(&format!("{own}/edit"))));
        }
        if C::deletable(doc) {
            screen.deeds.push(Deed::link("Delete", desk.link(&format!("{own}/delete"))));
        }
    } else {
        screen.blocks.push(read_only(desk).await?);
    }
    let mut tabs = vec![("", "Overview")];
    let seen = |(_, _, kind): &&(&str, &str, Kind)| desk.caller().may(Action::List, *kind);
    tabs.extend(C::tabs().iter().filter(seen).map(|(path, label, _)| (*path, *label)));
    if desk.caller().may(Action::List, Kind::Event) {
        tabs.push(("activity", "Activity"));
    }
    let href = |path: &str| desk.link(format!("{own}/{path}").trim_end_matches('/'));
    let view = |(path, label): &(&str, &str)| Tab {
        label: (*label).to_owned(),
        href: href(path),
        current: *path == tab,
    };
    screen.tabs = if tabs.len() > 1 { tabs.iter().map(view).collect() } else { Vec::new() };
    Ok(screen)
}

async fn show<C: Collection>(desk: Desk) -> Answer {
    let (doc, _) = read::<C>(&desk).await?;
    let screen = shown::<C>(&desk, &doc).await?;
    Ok(desk.show(StatusCode::OK, &screen))
}

pub(super) async fn shown<C: Collection>(desk: &Desk, doc: &Value) -> Result<Screen, Refused> {
    let mut screen = object::<C>(desk, doc, "").await?;
    screen.blocks.extend(C::detail(desk, doc).await?);
    let path = format!("{}/{}", C::Record::COLLECTION, text(doc, "id"));
    let issuer = &desk.state.keyward.options().issuer;
    screen.blocks.push(Block::Code(CodePanel::request(issuer, "GET", &path, None)));
    Ok(screen)
}

async fn activity<C: Collection>(desk: Desk) -> Answer {
    let (doc, _) = read::<C>(&desk).await?;
    let mut screen = object::<C>(&desk, &doc, "activity").await?;
    screen.blocks.extend(activity_of(&desk, desk.id()).await?);
    Ok(desk.show(StatusCode::OK, &screen))
}
