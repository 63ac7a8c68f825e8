//! Identity providers.

use diesel::deserialize::Result;
use keyward_model::{Field, IdentityProvider, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "identity_providers",
    columns: &["name", "kind", "partner_id", "tenant_id", "status", "config", "sealed_secret"],
    listed: &[
        required(Field::Name),
        required(Field::Kind),
        required(Field::Status),
        nullable(Field::PartnerId),
        nullable(Field::TenantId),
    ],
    searched: &["name"],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let provider = IdentityProvider {
        meta: read_meta(row)?,
        name: row.text("name")?,
        kind: row.parse("kind")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        status: row.parse("status")?,
        config: row.json("config")?,
        sealed_secret: row.bytes_opt("sealed_secret")?,
    };
    Ok(provider.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::IdentityProvider(provider) = record else { return Vec::new() };
    vec![
        Bind::text(&provider.name),
        Bind::text(provider.kind.as_str()),
        Bind::id_opt(provider.partner_id),
        Bind::id_opt(provider.tenant_id),
        Bind::text(provider.status.as_str()),
        Bind::json(&provider.config),
        Bind::bytes_opt(provider.sealed_secret.as_deref()),
    ]
}
