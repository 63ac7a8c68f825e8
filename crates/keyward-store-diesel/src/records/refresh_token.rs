//! Refresh tokens, a row for each family.

use diesel::deserialize::Result;
use keyward_model::{Field, Record, RefreshToken};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "refresh_tokens",
    columns: &[
        "user_id",
        "partner_id",
        "tenant_id",
        "application_id",
        "session_id",
        "scope",
        "audience",
        "authenticated_at",
        "generation",
        "rotated_at",
        "expires_at",
        "revoked_at",
    ],
    listed: &[
        required(Field::UserId),
        required(Field::ExpiresAt),
        nullable(Field::PartnerId),
        nullable(Field::TenantId),
    ],
    searched: &[],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let token = RefreshToken {
        meta: read_meta(row)?,
        user_id: row.parse("user_id")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        application_id: row.parse("application_id")?,
        session_id: row.parse("session_id")?,
        scope: row.parse("scope")?,
        audience: row.text("audience")?,
        authenticated_at: row.time("authenticated_at")?,
        generation: row.int("generation")?,
        rotated_at: row.time("rotated_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.time_opt("revoked_at")?,
    };
    Ok(token.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::RefreshToken(token) = record else { return Vec::new() };
    vec![
        Bind::id(token.user_id),
        Bind::id_opt(token.partner_id),
        Bind::id_opt(token.tenant_id),
        Bind::id(token.application_id),
        Bind::id(token.session_id),
        Bind::text(token.scope.to_string()),
        Bind::text(&token.audience),
        Bind::time(token.authenticated_at),
        Bind::Int(token.generation),
        Bind::time(token.rotated_at),
        Bind::time(token.expires_at),
        Bind::time_opt(token.revoked_at),
    ]
}
