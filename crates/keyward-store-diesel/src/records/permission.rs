//! The permission catalogue.

use diesel::deserialize::Result;
use keyward_model::{Field, Permission, Record, Scope};

use super::{Listed, Owner, Table, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "permissions",
    columns: &["resource", "label", "view_scope", "change_scopes", "built_in"],
    listed: &[required(Field::Resource), Listed { field: Field::Name, column: "label", nullable: false }],
    searched: &["resource", "label", "view_scope", "change_scopes"],
    owner: Owner::Everyone,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let permission = Permission {
        meta: read_meta(row)?,
        resource: row.text("resource")?,
        label: row.text("label")?,
        view: row.parse_opt("view_scope")?,
        change: row.parse("change_scopes")?,
        built_in: row.flag("built_in")?,
    };
    Ok(permission.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Permission(permission) = record else { return Vec::new() };
    vec![
        Bind::text(&permission.resource),
        Bind::text(&permission.label),
        Bind::text_opt(permission.view.as_ref().map(Scope::as_str)),
        Bind::text(permission.change.to_string()),
        Bind::Flag(permission.built_in),
    ]
}
