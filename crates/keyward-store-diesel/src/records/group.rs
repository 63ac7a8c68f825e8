//! Groups.

use diesel::deserialize::Result;
use keyward_model::{Field, Group, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "groups",
    columns: &["name", "tenant_id", "roles"],
    listed: &[required(Field::Name), nullable(Field::TenantId)],
    searched: &["name"],
    owner: Owner::Tenant,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let group = Group {
        meta: read_meta(row)?,
        name: row.text("name")?,
        tenant_id: row.parse_opt("tenant_id")?,
        roles: row.json("roles")?,
    };
    Ok(group.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Group(group) = record else { return Vec::new() };
    vec![Bind::text(&group.name), Bind::id_opt(group.tenant_id), Bind::json(&group.roles)]
}
