//! Revoked tokens.

use diesel::deserialize::Result;
use keyward_model::{Field, Record, Revocation};

use super::{Owner, Table, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "revocations",
    columns: &["jti", "expires_at"],
    listed: &[required(Field::ExpiresAt)],
    searched: &["jti"],
    owner: Owner::Platform,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let revocation =
        Revocation { meta: read_meta(row)?, jti: row.text("jti")?, expires_at: row.time("expires_at")? };
    Ok(revocation.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Revocation(revocation) = record else { return Vec::new() };
    vec![Bind::text(&revocation.jti), Bind::time(revocation.expires_at)]
}
