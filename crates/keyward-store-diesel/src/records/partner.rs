//! Partners.

use diesel::deserialize::Result;
use keyward_model::{Field, Partner, Record};

use super::{Owner, Table, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "partners",
    columns: &[
        "name",
        "slug",
        "status",
        "contact_email",
        "max_tenants",
        "max_users_per_tenant",
        "max_applications_per_tenant",
    ],
    listed: &[required(Field::Name), required(Field::Slug), required(Field::Status)],
    searched: &["name", "slug"],
    owner: Owner::ThePartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let partner = Partner {
        meta: read_meta(row)?,
        name: row.text("name")?,
        slug: row.text("slug")?,
        status: row.parse("status")?,
        contact_email: row.text_opt("contact_email")?,
        max_tenants: row.number_opt("max_tenants")?,
        max_users_per_tenant: row.number_opt("max_users_per_tenant")?,
        max_applications_per_tenant: row.number_opt("max_applications_per_tenant")?,
    };
    Ok(partner.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Partner(partner) = record else { return Vec::new() };
    vec![
        Bind::text(&partner.name),
        Bind::text(&partner.slug),
        Bind::text(partner.status.as_str()),
        Bind::text_opt(partner.contact_email.as_deref()),
        Bind::int_opt(partner.max_tenants),
        Bind::int_opt(partner.max_users_per_tenant),
        Bind::int_opt(partner.max_applications_per_tenant),
    ]
}
