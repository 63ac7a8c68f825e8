//! Secrets of applications and agents.

use diesel::deserialize::Result;
use keyward_model::{Field, Record, Secret};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "secrets",
    columns: &["holder_id", "partner_id", "tenant_id", "hint", "hash", "expires_at", "revoked_at"],
    listed: &[
        required(Field::HolderId),
        nullable(Field::TenantId),
        nullable(Field::PartnerId),
        nullable(Field::ExpiresAt),
    ],
    searched: &["hint"],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let secret = Secret {
        meta: read_meta(row)?,
        holder_id: row.parse("holder_id")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        hint: row.text("hint")?,
        hash: row.hash("hash")?,
        expires_at: row.time_opt("expires_at")?,
        revoked_at: row.time_opt("revoked_at")?,
    };
    Ok(secret.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Secret(secret) = record else { return Vec::new() };
    vec![
        Bind::id(secret.holder_id),
        Bind::id_opt(secret.partner_id),
        Bind::id_opt(secret.tenant_id),
        Bind::text(&secret.hint),
        Bind::bytes(&secret.hash),
        Bind::time_opt(secret.expires_at),
        Bind::time_opt(secret.revoked_at),
    ]
}
