//! Users. Addresses are compared without case by a column of their own, because databases fold letters differently.

use diesel::deserialize::Result;
use keyward_model::{AdminRole, Field, Preferences, Record, User};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "users",
    columns: &[
        "email",
        "email_key",
        "name",
        "admin_role",
        "partner_id",
        "tenant_id",
        "status",
        "custom_attributes",
        "roles",
        "valid_after",
        "preferences",
    ],
    listed: &[
        required(Field::Email),
        required(Field::Name),
        required(Field::Status),
        nullable(Field::AdminRole),
        nullable(Field::PartnerId),
        nullable(Field::TenantId),
    ],
    searched: &["email", "name"],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let user = User {
        meta: read_meta(row)?,
        email: row.text("email")?,
        name: row.text("name")?,
        admin_role: row.parse_opt("admin_role")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        status: row.parse("status")?,
        custom_attributes: row.json("custom_attributes")?,
        roles: row.json("roles")?,
        valid_after: row.time_opt("valid_after")?,
        preferences: match row.text_opt("preferences")? {
            Some(text) => serde_json::from_str(&text)?,
            None => Preferences::default(),
        },
    };
    Ok(user.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::User(user) = record else { return Vec::new() };
    vec![
        Bind::text(&user.email),
        Bind::text(user.email.to_lowercase()),
        Bind::text(&user.name),
        Bind::text_opt(user.admin_role.map(AdminRole::as_str)),
        Bind::id_opt(user.partner_id),
        Bind::id_opt(user.tenant_id),
        Bind::text(user.status.as_str()),
        Bind::json(&user.custom_attributes),
        Bind::json(&user.roles),
        Bind::time_opt(user.valid_after),
        Bind::json(&user.preferences),
    ]
}
