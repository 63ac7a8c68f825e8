//! Which group is in which.

use diesel::deserialize::Result;
use keyward_model::{Field, Nesting, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "nestings",
    columns: &["group_id", "child_id", "tenant_id"],
    listed: &[required(Field::GroupId), required(Field::ChildId), nullable(Field::TenantId)],
    searched: &[],
    owner: Owner::Tenant,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let nesting = Nesting {
        meta: read_meta(row)?,
        group_id: row.parse("group_id")?,
        child_id: row.parse("child_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
    };
    Ok(nesting.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Nesting(nesting) = record else { return Vec::new() };
    vec![Bind::id(nesting.group_id), Bind::id(nesting.child_id), Bind::id_opt(nesting.tenant_id)]
}
