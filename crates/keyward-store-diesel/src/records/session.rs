//! Sessions.

use diesel::deserialize::Result;
use keyward_model::{Field, Record, Session};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "sessions",
    columns: &[
        "user_id",
        "partner_id",
        "tenant_id",
        "method",
        "provider_id",
        "hash",
        "amr",
        "authenticated_at",
        "ip",
        "user_agent",
        "last_active_at",
        "expires_at",
        "revoked_at",
    ],
    listed: &[
        required(Field::UserId),
        required(Field::ExpiresAt),
        required(Field::LastActiveAt),
        nullable(Field::ProviderId),
        nullable(Field::RevokedAt),
        nullable(Field::PartnerId),
        nullable(Field::TenantId),
    ],
    searched: &[],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let session = Session {
        meta: read_meta(row)?,
        user_id: row.parse("user_id")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        method: row.text("method")?,
        provider_id: row.parse_opt("provider_id")?,
        hash: row.hash("hash")?,
        amr: row.json("amr")?,
        authenticated_at: row.time("authenticated_at")?,
        ip: row.text_opt("ip")?,
        user_agent: row.text_opt("user_agent")?,
        last_active_at: row.time("last_active_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.time_opt("revoked_at")?,
    };
    Ok(session.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Session(session) = record else { return Vec::new() };
    vec![
        Bind::id(session.user_id),
        Bind::id_opt(session.partner_id),
        Bind::id_opt(session.tenant_id),
        Bind::text(&session.method),
        Bind::id_opt(session.provider_id),
        Bind::bytes(&session.hash),
        Bind::json(&session.amr),
        Bind::time(session.authenticated_at),
        Bind::text_opt(session.ip.as_deref()),
        Bind::text_opt(session.user_agent.as_deref()),
        Bind::time(session.last_active_at),
        Bind::time(session.expires_at),
        Bind::time_opt(session.revoked_at),
    ]
}
