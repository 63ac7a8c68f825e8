//! Who is in which group.

use diesel::deserialize::Result;
use keyward_model::{Field, Membership, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "memberships",
    columns: &["group_id", "user_id", "tenant_id"],
    listed: &[required(Field::GroupId), required(Field::UserId), nullable(Field::TenantId)],
    searched: &[],
    owner: Owner::Tenant,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let membership = Membership {
        meta: read_meta(row)?,
        group_id: row.parse("group_id")?,
        user_id: row.parse("user_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
    };
    Ok(membership.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Membership(membership) = record else { return Vec::new() };
    vec![Bind::id(membership.group_id), Bind::id(membership.user_id), Bind::id_opt(membership.tenant_id)]
}
