//! Tenants.

use diesel::deserialize::Result;
use keyward_model::{Field, Record, Tenant};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "tenants",
    columns: &[
        "name",
        "slug",
        "status",
        "contact_email",
        "partner_id",
        "settings",
        "branding",
        "publishable_key",
    ],
    listed: &[
        required(Field::Name),
        required(Field::Slug),
        required(Field::Status),
        nullable(Field::PartnerId),
    ],
    searched: &["name", "slug"],
    owner: Owner::TheTenant,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let tenant = Tenant {
        meta: read_meta(row)?,
        name: row.text("name")?,
        slug: row.text("slug")?,
        status: row.parse("status")?,
        contact_email: row.text_opt("contact_email")?,
        partner_id: row.parse_opt("partner_id")?,
        settings: row.json("settings")?,
        branding: row.json("branding")?,
        publishable_key: row.text("publishable_key")?,
    };
    Ok(tenant.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Tenant(tenant) = record else { return Vec::new() };
    vec![
        Bind::text(&tenant.name),
        Bind::text(&tenant.slug),
        Bind::text(tenant.status.as_str()),
        Bind::text_opt(tenant.contact_email.as_deref()),
        Bind::id_opt(tenant.partner_id),
        Bind::json(&tenant.settings),
        Bind::json(&tenant.branding),
        Bind::text(&tenant.publishable_key),
    ]
}
