//! What was revoked before its expiry.

use diesel::deserialize::Result;
use keyward_model::{Field, Record, Revocation};

use super::{Owner, Table, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "revocations",
    columns: &["kind", "name", "before_at", "expires_at"],
    listed: &[required(Field::Kind), required(Field::Name), required(Field::ExpiresAt)],
    searched: &["name"],
    owner: Owner::Platform,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let revocation = Revocation {
        meta: read_meta(row)?,
        of: row.parse("kind")?,
        name: row.text("name")?,
        before: row.time_opt("before_at")?,
        expires_at: row.time("expires_at")?,
    };
    Ok(revocation.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Revocation(revocation) = record else { return Vec::new() };
    vec![
        Bind::text(revocation.of.as_str()),
        Bind::text(&revocation.name),
        Bind::time_opt(revocation.before),
        Bind::time(revocation.expires_at),
    ]
}
