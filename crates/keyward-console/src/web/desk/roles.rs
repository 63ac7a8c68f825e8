//! Roles: named sets of permissions.

use actix_web::web::{self, ServiceConfig};
use keyward_core::{Action, Listing, RoleHolders};
use keyward_model::{Kind, Role};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused, see_other},
    api_access::ApiAccess,
    both,
    collection::{Collection, of_no_partner, read},
    desk_at::{Desk, query},
    doc::{items, so_many, text, texts, time},
    fields::Fields,
    parts::key_of,
    permissions::{chosen, grid, in_words},
    staff::alone,
    users,
};
use crate::component::{
    Block, Content, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Table, Takes,
};

pub(super) struct Roles;

/// Whether a role holds what was given to one person alone.
pub(super) fn is_personal(role: &Value) -> bool {
    text(role, "name").starts_with("Only ")
}

impl Collection for Roles {
    type Record = Role;
    const PATH: &'static str = "settings/iam/roles";
    const TITLE: &'static str = "Roles";
    const ONE: &'static str = "role";
    const ADD: &'static str = "Add role";
    const ABOUT: &'static str = "A role is a named set of permissions, given to people, groups and clients.";
    const COLUMNS: &'static [&'static str] = &["Name", "Permissions", "Tenant", "Changed"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] = &[];
    const STEP_UP: bool = true;

    fn cannot_add(desk: &Desk) -> Option<String> {
        of_no_partner(desk)
    }

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["tenant_id"]).await?;
        let catalogue = desk.grantable_rows().await?;
        let may = desk.may(Action::Update, Kind::Role);
        let row = |doc: &Value| {
            let own = desk.link(&format!("{}/{}", Self::PATH, text(doc, "id")));
            let name = text(doc, "name");
            Row {
                cells: vec![
                    Piece::Link(own.clone(), name.to_owned()).into(),
                    in_words(catalogue, &texts(doc, "permissions")),
                    names.owner(doc),
                    time(doc, "updated_at", desk.now, "–"),
                ],
                actions: if may { RowAction::edit_and_delete(&own, name) } else { Vec::new() },
                over: false,
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    fn foot(desk: &Desk) -> Vec<Block> {
        let reference = Piece::Link(desk.link("settings/iam/permissions"), "Permission reference".to_owned());
        let compare = Piece::Link(desk.link("settings/iam/roles/compare"), "Compare two roles".to_owned());
        vec![Block::Text(Content::from(reference).and(compare))]
    }

    async fn parts(desk: &Desk, now: &Fields, _editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let name = Input::line("name", "Name", now.get("name")).required();
        Ok(vec![name.into(), grid(desk, now, "permissions", "Whoever has this role").await?])
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let permissions = chosen(desk, fields, "permissions").await?;
        let body = json!({ "name": fields.get("name"), "permissions": permissions });
        Ok(if editing.is_none() { desk.owned(body) } else { body })
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        vec![Deed::link("Duplicate", desk.link(&format!("{}/{}/duplicate", Self::PATH, text(doc, "id"))))]
    }

    fn deletion(_doc: &Value) -> String {
        "Everybody who has it loses its permissions at once.".to_owned()
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let facts = Facts::default()
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Permissions", Content::codes(&texts(doc, "permissions"), "None"))
            .and("Changed", time(doc, "updated_at", desk.now, "–"));
        let mut blocks: Vec<Block> = alone(doc).into_iter().collect();
        blocks.push(Panel::new("role", "Role", vec![facts.into()]).into());
        let holders = desk.found(desk.state.keyward.role_holders(&desk.call(), text(doc, "id")).await)?;
        blocks.push(who_has_it(desk, &holders).into());
        Ok(blocks)
    }

    async fn in_use(desk: &Desk, doc: &Value) -> Result<Option<String>, Refused> {
        let holders = desk.found(desk.state.keyward.role_holders(&desk.call(), text(doc, "id")).await)?;
        let unseen =
            [&holders.users, &holders.groups, &holders.applications].iter().any(|of| of.total.is_none());
        let words = "Somebody may have it whom you may not see.";
        Ok(holders_in_words(&holders).or_else(|| unseen.then(|| words.to_owned())))
    }
}

/// Holders of a kind: what they are, where their pages are, and what one is called.
type OfKind<'a> = (&'static str, &'a str, &'a Listing, fn(&Value) -> String);

/// Who has a role: of each kind the first, and a word about the others.
fn who_has_it(desk: &Desk, holders: &RoleHolders) -> Panel {
    let kinds: [OfKind<'_>; 3] = [
        ("Person", "users", &holders.users, users::name),
        ("Group", "groups", &holders.groups, |doc| text(doc, "name").to_owned()),
        ("Application", "applications", &holders.applications, key_of),
    ];
    let (mut rows, mut more) = (Vec::new(), Vec::new());
    for (kind, path, listing, name) in kinds {
        rows.extend(listing.data.iter().map(|doc| {
            let (path, kind) = if is_client(doc) { (ApiAccess::PATH, "API client") } else { (path, kind) };
            let own = desk.link(&format!("{path}/{}", text(doc, "id")));
            Row { cells: vec![Piece::Link(own, name(doc)).into(), Content::words(kind)], ..Row::default() }
        }));
        let others = total(listing).saturating_sub(listing.data.len() as u64);
        if others > 0 {
            more.push(format!("{others} more of the kind {}", kind.to_lowercase()));
        }
    }
    let mut help = holders_in_words(holders).unwrap_or_default();
    if !more.is_empty() {
        help = format!("{help} The first are listed; not here: {}.", more.join(", "));
    }
    let table = Table {
        caption: "Who has it".to_owned(),
        columns: vec!["Name", "What it is"],
        rows,
        empty: nobody(desk).to_owned(),
    };
    Panel::new("holders", "Who has it", vec![Block::Table(table)]).help(help)
}

/// That nobody has a role, as far as that can be said to who may not see everybody.
fn nobody(desk: &Desk) -> &'static str {
    let all = [Kind::User, Kind::Group, Kind::Application];
    if all.iter().all(|kind| desk.caller().may(Action::List, *kind)) {
        "Nobody has it."
    } else {
        "Nobody whom you may see has it."
    }
}

fn is_client(doc: &Value) -> bool {
    text(doc, "type") == "service"
}

fn total(listing: &Listing) -> u64 {
    listing.total.unwrap_or_default()
}

/// How many have a role, in a sentence; none when nobody has it.
fn holders_in_words(holders: &RoleHolders) -> Option<String> {
    let applications = &holders.applications;
    let clients =
        total(applications) == applications.data.len() as u64 && applications.data.iter().all(is_client);
    let (one, more) = if clients { ("API client", "API clients") } else { ("application", "applications") };
    let counted = [
        (total(&holders.users), "person", "people"),
        (total(&holders.groups), "group", "groups"),
        (total(applications), one, more),
    ];
    let all: u64 = counted.iter().map(|(number, ..)| number).sum();
    let mut words: Vec<String> = counted
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, more)| so_many(number, one, more))
        .collect();
    let last = words.pop()?;
    let whole = if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) };
    Some(format!("{whole} {} it.", if all == 1 { "has" } else { "have" }))
}

pub(super) fn configure(config: &mut ServiceConfig) {
    super::comparing::configure(config);
    config.service(both("settings/iam/roles/{id}/duplicate").route(web::get().to(duplicate)));
}

/// A new role with the permissions of one that there is.
async fn duplicate(desk: Desk) -> Answer {
    let (doc, _) = read::<Roles>(&desk).await?;
    let name = format!("Copy of {}", text(&doc, "name"));
    let mut pairs = vec![("name", name.as_str())];
    pairs.extend(items(&doc, "permissions").iter().filter_map(Value::as_str).map(|one| ("permissions", one)));
    Ok(see_other(&desk.link(&format!("{}/new?{}", Roles::PATH, query(&pairs)))))
}

/// A choice among the roles that can be given here. Those that are held and stand in no choice are sent along as they are.
pub(super) async fn choice(desk: &Desk, now: &Fields, help: &str) -> Result<Vec<Part>, Refused> {
    let mut pairs = vec![("per_page".to_owned(), "100".to_owned()), ("sort".to_owned(), "name".to_owned())];
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    let mut roles = Vec::new();
    if desk.caller().may(Action::List, Kind::Role) {
        roles = desk.found(desk.state.keyward.list::<Role>(&desk.call(), &pairs).await)?.data;
    }
    Ok(choice_of(&roles, now, help))
}

/// The same among these.
pub(super) fn choice_of(roles: &[Value], now: &Fields, help: &str) -> Vec<Part> {
    let held = now.all("roles");
    let offered = |role: &&Value| !is_personal(role) || held.contains(&text(role, "id").to_owned());
    let options: Vec<(String, String)> = roles
        .iter()
        .filter(offered)
        .map(|role| (text(role, "id").to_owned(), text(role, "name").to_owned()))
        .collect();
    let unseen = held.iter().filter(|id| options.iter().all(|(known, _)| known != *id));
    let mut parts: Vec<Part> = unseen.map(|id| Part::Hidden("roles".to_owned(), id.clone())).collect();
    if !options.is_empty() {
        parts.push(Input::new("roles", "Roles", Takes::Any(options), &now.lines("roles")).help(help).into());
    }
    parts
}
