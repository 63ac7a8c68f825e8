//! Roles: named sets of permissions.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::{Kind, Role};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused, see_other},
    both,
    collection::{Collection, of_no_partner, read},
    desk_at::{Desk, query},
    doc::{items, text, texts, time},
    fields::Fields,
    permissions::{chosen, grid, in_words},
    staff::alone,
};
use crate::component::{
    Block, Content, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Table, Takes,
};

pub(super) struct Roles;

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
        Ok(blocks)
    }
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(both("settings/iam/roles/compare").route(web::get().to(compare)))
        .service(both("settings/iam/roles/{id}/duplicate").route(web::get().to(duplicate)));
}

/// A new role with the permissions of one that there is.
async fn duplicate(desk: Desk) -> Answer {
    let (doc, _) = read::<Roles>(&desk).await?;
    let name = format!("Copy of {}", text(&doc, "name"));
    let mut pairs = vec![("name", name.as_str())];
    pairs.extend(items(&doc, "permissions").iter().filter_map(Value::as_str).map(|one| ("permissions", one)));
    Ok(see_other(&desk.link(&format!("{}/new?{}", Roles::PATH, query(&pairs)))))
}

async fn compare(desk: Desk) -> Answer {
    let mut pairs = vec![("per_page".to_owned(), "100".to_owned()), ("sort".to_owned(), "name".to_owned())];
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    let roles = desk.found(desk.state.keyward.list::<Role>(&desk.call(), &pairs).await)?.data;
    let asked = desk.query();
    let options: Vec<(String, String)> =
        roles.iter().map(|role| (text(role, "id").to_owned(), text(role, "name").to_owned())).collect();
    let chosen = |name: &str, index: usize| {
        let given = asked.get(name).to_owned();
        let first = options.get(index).map(|(id, _)| id.clone()).unwrap_or_default();
        if given.is_empty() { first } else { given }
    };
    let (one, other) = (chosen("one", 0), chosen("other", 1));
    let mut screen = desk.screen("Compare two roles", &[("Roles", desk.link(Roles::PATH))]);
    let narrow = |name: &'static str, label: &'static str, value: &str| crate::component::Narrow {
        name,
        label,
        value: value.to_owned(),
        options: options.clone(),
        kind: "text",
    };
    if options.len() < 2 {
        screen.blocks.push(Block::Text(Content::words("There are fewer than two roles here.")));
        return Ok(desk.show(StatusCode::OK, &screen));
    }
    screen.blocks.push(Block::Filters(crate::component::Filters {
        action: desk.link("settings/iam/roles/compare"),
        chips: Vec::new(),
        fields: vec![narrow("one", "Role", &one), narrow("other", "With", &other)],
        keep: Vec::new(),
    }));
    let held = |id: &str| {
        let role = roles.iter().find(|role| text(role, "id") == id);
        role.map(|role| texts(role, "permissions")).unwrap_or_default()
    };
    let (left, right) = (held(&one), held(&other));
    let mut all: Vec<String> = left.iter().chain(&right).cloned().collect();
    all.sort();
    all.dedup();
    let has = |has: bool| if has { Content::words("Yes") } else { Piece::Muted("No".to_owned()).into() };
    let row = |permission: &String| Row {
        cells: vec![
            Content::code(permission.clone()),
            has(left.contains(permission)),
            has(right.contains(permission)),
        ],
        ..Row::default()
    };
    screen.blocks.push(Block::Table(Table {
        caption: "Permissions of both roles".to_owned(),
        columns: vec!["Permission", "Role", "With"],
        rows: all.iter().map(row).collect(),
        empty: "Neither has a permission.".to_owned(),
    }));
    Ok(desk.show(StatusCode::OK, &screen))
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
    let offered = |role: &&Value| {
        !text(role, "name").starts_with("Only ") || held.contains(&text(role, "id").to_owned())
    };
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
