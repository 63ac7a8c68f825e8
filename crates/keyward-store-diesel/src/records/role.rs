//! Roles.

use diesel::deserialize::Result;
use keyward_model::{Field, Record, Role};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "roles",
    columns: &["name", "tenant_id", "permissions"],
    listed: &[required(Field::Name), nullable(Field::TenantId)],
    searched: &["name"],
    owner: Owner::Tenant,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let role = Role {
        meta: read_meta(row)?,
        name: row.text("name")?,
        tenant_id: row.parse_opt("tenant_id")?,
        permissions: row.parse("permissions")?,
    };
    Ok(role.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Role(role) = record else { return Vec::new() };
    vec![Bind::text(&role.name), Bind::id_opt(role.tenant_id), Bind::text(role.permissions.to_string())]
}
