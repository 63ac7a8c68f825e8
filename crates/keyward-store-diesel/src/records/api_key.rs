//! API keys.

use diesel::deserialize::Result;
use keyward_model::{ApiKey, Field, Record};

use super::{Listed, Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "api_keys",
    columns: &[
        "name",
        "tenant_id",
        "permissions",
        "environment",
        "status",
        "expires_at",
        "allowed_ips",
        "hint",
        "hash",
        "revoked_at",
        "predecessor_id",
        "successor_id",
        "rotated_at",
        "retire_after_quiet_hours",
        "retires_from",
    ],
    listed: LISTED,
    searched: &["name", "hint"],
    owner: Owner::Tenant,
    read,
    write,
};

const LISTED: &[Listed] = &[
    required(Field::Name),
    required(Field::TenantId),
    required(Field::Environment),
    required(Field::Status),
    nullable(Field::ExpiresAt),
    nullable(Field::RetiresFrom),
];

fn read(row: &dyn Row) -> Result<Record> {
    let key = ApiKey {
        meta: read_meta(row)?,
        name: row.text("name")?,
        tenant_id: row.parse("tenant_id")?,
        permissions: row.parse("permissions")?,
        environment: row.text("environment")?,
        status: row.parse("status")?,
        expires_at: row.time_opt("expires_at")?,
        allowed_ips: row.json("allowed_ips")?,
        hint: row.text("hint")?,
        hash: row.hash("hash")?,
        revoked_at: row.time_opt("revoked_at")?,
        predecessor_id: row.parse_opt("predecessor_id")?,
        successor_id: row.parse_opt("successor_id")?,
        rotated_at: row.time_opt("rotated_at")?,
        retire_after_quiet_hours: row.number_opt("retire_after_quiet_hours")?,
    };
    Ok(key.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::ApiKey(key) = record else { return Vec::new() };
    vec![
        Bind::text(&key.name),
        Bind::id(key.tenant_id),
        Bind::text(key.permissions.to_string()),
        Bind::text(&key.environment),
        Bind::text(key.status.as_str()),
        Bind::time_opt(key.expires_at),
        Bind::json(&key.allowed_ips),
        Bind::text(&key.hint),
        Bind::bytes(&key.hash),
        Bind::time_opt(key.revoked_at),
        Bind::id_opt(key.predecessor_id),
        Bind::id_opt(key.successor_id),
        Bind::time_opt(key.rotated_at),
        Bind::int_opt(key.retire_after_quiet_hours),
        Bind::time_opt(key.retires_from()),
    ]
}
