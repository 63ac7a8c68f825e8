//! Two roles side by side.

use actix_web::http::StatusCode;
use keyward_model::Role;
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    both,
    collection::Collection,
    desk_at::Desk,
    doc::{text, texts},
    roles::{Roles, is_personal},
};
use crate::component::{Block, Compared, Content, Filters, Narrow, Piece, Row};

pub(super) fn configure(config: &mut actix_web::web::ServiceConfig) {
    config.service(both("settings/iam/roles/compare").route(actix_web::web::get().to(compare)));
}

/// The roles that can be compared here. Those of one person alone are nobody's to choose.
async fn comparable(desk: &Desk) -> Result<Vec<Value>, Refused> {
    let mut pairs = vec![("per_page".to_owned(), "100".to_owned()), ("sort".to_owned(), "name".to_owned())];
    pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
    let mut roles = desk.found(desk.state.keyward.list::<Role>(&desk.call(), &pairs).await)?.data;
    roles.retain(|role| !is_personal(role));
    Ok(roles)
}

async fn compare(desk: Desk) -> Answer {
    let roles = comparable(&desk).await?;
    let mut screen = desk.screen("Compare two roles", &[("Roles", desk.link(Roles::PATH))]);
    if roles.len() < 2 {
        screen.blocks.push(Block::Text(Content::words("There are fewer than two roles here.")));
        return Ok(desk.show(StatusCode::OK, &screen));
    }
    let asked = desk.query();
    let chosen = |name: &str, index: usize| {
        let given = roles.iter().find(|role| text(role, "id") == asked.get(name));
        given.or(roles.get(index)).unwrap_or(&Value::Null)
    };
    let (one, other) = (chosen("one", 0), chosen("other", 1));
    let options: Vec<(String, String)> =
        roles.iter().map(|role| (text(role, "id").to_owned(), text(role, "name").to_owned())).collect();
    let narrow = |name: &'static str, label: &'static str, role: &Value| Narrow {
        name,
        label,
        value: text(role, "id").to_owned(),
        options: options.clone(),
        kind: "text",
    };
    screen.blocks.push(Block::Filters(Filters {
        action: desk.link("settings/iam/roles/compare"),
        chips: Vec::new(),
        fields: vec![narrow("one", "Role", one), narrow("other", "With", other)],
        keep: Vec::new(),
    }));
    screen.blocks.push(Block::Compared(side_by_side(one, other)));
    Ok(desk.show(StatusCode::OK, &screen))
}

fn side_by_side(one: &Value, other: &Value) -> Compared {
    let (left, right) = (texts(one, "permissions"), texts(other, "permissions"));
    let mut all: Vec<&String> = left.iter().chain(&right).collect();
    all.sort();
    all.dedup();
    let has = |has: bool| if has { Content::words("Yes") } else { Piece::Muted("No".to_owned()).into() };
    let row = |permission: &&String| Row {
        cells: vec![
            Content::code(permission.as_str()),
            has(left.contains(permission)),
            has(right.contains(permission)),
        ],
        ..Row::default()
    };
    Compared {
        caption: "Permissions of both roles".to_owned(),
        columns: vec!["Permission".to_owned(), text(one, "name").to_owned(), text(other, "name").to_owned()],
        rows: all.iter().map(row).collect(),
        empty: "Neither has a permission.".to_owned(),
    }
}
