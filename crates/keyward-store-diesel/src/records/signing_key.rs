//! Signing keys.

use diesel::deserialize::Result;
use keyward_model::{Record, SigningKey};

use super::{Owner, Table, read_meta};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "signing_keys",
    columns: &["kid", "algorithm", "public_jwk", "sealed", "active_at", "retires_at"],
    listed: &[],
    searched: &["kid"],
    owner: Owner::Platform,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let key = SigningKey {
        meta: read_meta(row)?,
        kid: row.text("kid")?,
        algorithm: row.parse("algorithm")?,
        public_jwk: row.text("public_jwk")?,
        sealed: row.bytes("sealed")?,
        active_at: row.time("active_at")?,
        retires_at: row.time_opt("retires_at")?,
    };
    Ok(key.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::SigningKey(key) = record else { return Vec::new() };
    vec![
        Bind::text(&key.kid),
        Bind::text(key.algorithm.as_str()),
        Bind::text(&key.public_jwk),
        Bind::bytes(&key.sealed),
        Bind::time(key.active_at),
        Bind::time_opt(key.retires_at),
    ]
}
