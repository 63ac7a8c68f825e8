//! The catalogue of permissions: what each allows, what needs it, and who holds it.

use keyward_core::{Action, HoldersOf, PermissionHolders};
use keyward_http::{Needing, needing_permissions};
use keyward_model::{Kind, Permission, Scope};
use serde_json::{Value, json};

use super::{
    super::visit::Refused,
    collection::Collection,
    desk_at::Desk,
    doc::{so_many, text, texts},
    fields::Fields,
    permissions::ESCALATING,
};
use crate::{
    Notice, Severity,
    component::{
        Badge, Block, Content, CopyField, Facts, Input, Panel, Part, Piece, Row, RowAction, Table, Takes,
        Tone,
    },
};

/// The catalogue: what there is to be granted.
pub(super) struct Resources;

impl Collection for Resources {
    type Record = Permission;
    const PATH: &'static str = "settings/iam/permissions";
    const TITLE: &'static str = "Permission reference";
    const ONE: &'static str = "resource";
    const ADD: &'static str = "Add resource";
    const ABOUT: &'static str = "A resource is something that your APIs protect. View lets somebody look at it, Change does the rest.";
    const COLUMNS: &'static [&'static str] = &["Resource", "View", "Change", "Kept by"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] = &[];
    const IN_TENANTS: bool = false;

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let row = |doc: &Value| {
            let own = desk.link(&format!("{}/{}", Self::PATH, text(doc, "id")));
            let resource = text(doc, "resource");
            let mut name = Content::from(Piece::Link(own.clone(), text(doc, "label").to_owned()))
                .below(Piece::Code(resource.to_owned()));
            if ESCALATING.contains(&resource) {
                name = name.and(Piece::Badge(Tone::Warning, "Can give access".to_owned()));
            }
            let built_in = doc["built_in"] == true;
            let view: Vec<String> = doc["view"].as_str().map(str::to_owned).into_iter().collect();
            Row {
                cells: vec![
                    name,
                    Content::codes(&view, "–"),
                    Content::codes(&texts(doc, "change"), "–"),
                    Content::words(if built_in { "Keyward" } else { "You" }),
                ],
                actions: if built_in || !desk.caller().may(Action::Update, Kind::Permission) {
                    Vec::new()
                } else {
                    RowAction::edit_and_delete(&own, resource)
                },
                over: false,
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    async fn parts(_desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let mut parts: Vec<Part> = Vec::new();
        if editing.is_none() {
            let help = "Letters, digits, hyphens, for example points. It can't be changed later.";
            let input = Input::new("resource", "Code", Takes::Code, now.get("resource"));
            parts.push(input.required().help(help).into());
        }
        parts.push(
            Input::line("label", "Name", now.get("label"))
                .required()
                .help("What people see in the grid.")
                .into(),
        );
        let view = Input::new("view", "View permission", Takes::Code, now.get("view"));
        parts.push(view.help("For example points:read.").into());
        let change = Input::new("change", "Change permissions", Takes::Lines, &now.lines("change"));
        let help = "One on each line, for example points:create, points:update, points:delete.";
        parts.push(change.help(help).into());
        Ok(parts)
    }

    async fn body(_desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body = json!({
            "label": fields.get("label"),
            "view": fields.text_or_null("view"),
            "change": fields.entries("change"),
        });
        if editing.is_none() {
            body["resource"] = fields.get("resource").into();
        }
        Ok(body)
    }

    fn name(doc: &Value) -> String {
        text(doc, "label").to_owned()
    }

    fn editable(doc: &Value) -> bool {
        doc["built_in"] != true
    }

    fn deletable(doc: &Value) -> bool {
        doc["built_in"] != true
    }

    fn deletion(_doc: &Value) -> String {
        "Whoever holds these permissions loses them at once.".to_owned()
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let view = doc["view"].as_str().map(str::to_owned);
        let facts = Facts::default()
            .and("Code", Content::code(text(doc, "resource")))
            .and("View", Content::codes(view.as_slice(), "There is nothing to look at"))
            .and("Change", Content::codes(&texts(doc, "change"), "There is nothing to change"));
        let mut blocks = vec![Panel::new("resource", "Permissions", vec![facts.into()]).into()];
        let mut permissions: Vec<String> = view.into_iter().chain(texts(doc, "change")).collect();
        permissions.sort();
        permissions.dedup();
        let scopes: Vec<Scope> = permissions.iter().filter_map(|one| one.parse().ok()).collect();
        let found = desk.found(desk.state.keyward.permission_holders(&desk.call(), &scopes).await)?;
        if found.more {
            let words = "More hold these permissions than are counted here.";
            blocks.push(Block::Notice(Notice::new(Severity::Info, words)));
        }
        let operations = needing_permissions();
        let panel = |permission: &String| Block::from(explained(desk, doc, permission, &found, &operations));
        blocks.extend(permissions.iter().map(panel));
        Ok(blocks)
    }
}

/// What a permission allows, in words, by its column of the grid and its name.
fn allows(doc: &Value, permission: &str) -> String {
    let label = text(doc, "label");
    if text(doc, "view") == permission {
        return format!("View: to look at {label}.");
    }
    let has = |word: &str| permission.split([':', '.', '-', '_']).any(|part| part.eq_ignore_ascii_case(word));
    match () {
        () if has("create") => format!("Create: to add to {label}. It is a part of Change."),
        () if has("update") => format!("Update: to change what is in {label}. It is a part of Change."),
        () if has("delete") => format!("Delete: to remove from {label}. It is a part of Change."),
        () => format!("Change: to change {label}."),
    }
}

/// A permission with everything that is known of it. The field has the permission's name as its place in the page, so that
/// links can lead to it.
fn explained(desk: &Desk, doc: &Value, permission: &str, found: &HoldersOf, operations: &[Needing]) -> Panel {
    let escalates = ESCALATING.contains(&text(doc, "resource"));
    let mut facts = Facts::default().and("Allows", Content::words(allows(doc, permission)));
    if escalates && text(doc, "view") != permission {
        let words = "Whoever has it can give access to others or to themselves.";
        facts = facts.and("Danger", Piece::Warning(words.to_owned()));
    }
    if let Some(holders) = found.holders.get(permission) {
        facts = held_by(desk, facts, holders);
    }
    let needing: Vec<&Needing> =
        operations.iter().filter(|one| one.permissions.iter().any(|known| known == permission)).collect();
    let row = |one: &&Needing| Row {
        cells: vec![
            Content::code(format!("{} {}", one.method, one.path)),
            Content::words(one.summary.clone()),
        ],
        ..Row::default()
    };
    let table = Table {
        caption: format!("Endpoints that need {permission}"),
        columns: vec!["Endpoint", "What it does"],
        rows: needing.iter().map(row).collect(),
        empty: "No endpoint of Keyward needs it. Your own APIs ask for it.".to_owned(),
    };
    let copy = CopyField::new(permission, "Permission", permission);
    let mut panel = Panel::new(
        format!("about-{permission}"),
        permission,
        vec![Block::Copy(copy), facts.into(), Block::Table(table)],
    );
    if escalates && text(doc, "view") != permission {
        panel.badge = Some(Badge { tone: Tone::Warning, words: "Can give access".to_owned() });
    }
    panel
}

/// Who holds a permission. Of applications and keys it is said how many.
fn held_by(desk: &Desk, facts: Facts, holders: &PermissionHolders) -> Facts {
    let link = |(id, name): &(String, String)| {
        Piece::Link(desk.link(&format!("settings/iam/roles/{id}")), name.clone())
    };
    let roles: Vec<Piece> = holders.roles.iter().map(link).collect();
    let roles = if !desk.caller().may(Action::List, Kind::Role) {
        Piece::Muted("You may not see roles".to_owned()).into()
    } else if roles.is_empty() {
        Piece::Muted("None".to_owned()).into()
    } else {
        Content { pieces: roles, meta: Vec::new() }
    };
    let counted = [
        (holders.applications, "application", "applications"),
        (holders.api_keys, "API key", "API keys"),
        (holders.agents, "agent", "agents"),
    ];
    let counted: Vec<String> = counted
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, more)| so_many(number, one, more))
        .collect();
    let itself = if counted.is_empty() { "None".to_owned() } else { counted.join(", ") };
    facts.and("Roles with it", roles).and("Held directly by", Content::words(itself))
}
