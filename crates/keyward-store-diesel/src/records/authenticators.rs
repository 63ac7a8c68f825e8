//! What people prove with who they are.

use diesel::deserialize::Result;
use keyward_model::{Authenticators, Field, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "authenticators",
    columns: &[
        "user_id",
        "partner_id",
        "tenant_id",
        "password",
        "password_changed_at",
        "totp",
        "totp_step",
        "recovery_codes",
    ],
    listed: &[required(Field::UserId), nullable(Field::PartnerId), nullable(Field::TenantId)],
    searched: &[],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let authenticators = Authenticators {
        meta: read_meta(row)?,
        user_id: row.parse("user_id")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        password: row.text_opt("password")?,
        password_changed_at: row.time_opt("password_changed_at")?,
        totp: row.bytes_opt("totp")?,
        totp_step: row.int("totp_step")?,
        recovery_codes: row.json("recovery_codes")?,
    };
    Ok(authenticators.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Authenticators(it) = record else { return Vec::new() };
    vec![
        Bind::id(it.user_id),
        Bind::id_opt(it.partner_id),
        Bind::id_opt(it.tenant_id),
        Bind::text_opt(it.password.as_deref()),
        Bind::time_opt(it.password_changed_at),
        Bind::bytes_opt(it.totp.as_deref()),
        Bind::Int(it.totp_step),
        Bind::json(&it.recovery_codes),
    ]
}
