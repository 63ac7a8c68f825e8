//! Applications. Roles, addresses and grants are read with the application and never by themselves, so they are JSON in
//! its row: one row to read for a client, one to write for a change of its grants.

use diesel::deserialize::Result;
use keyward_model::{Application, Field, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "applications",
    columns: &[
        "name",
        "type",
        "reach",
        "partner_id",
        "tenant_id",
        "client_id",
        "environment",
        "status",
        "expires_at",
        "notes",
        "roles",
        "allowed_scopes",
        "token_lifetime",
        "token_alg",
        "redirect_uris",
        "allowed_origins",
        "token_exchange_allowed",
        "grants",
    ],
    listed: &[
        required(Field::Name),
        required(Field::ClientId),
        required(Field::Type),
        required(Field::Reach),
        required(Field::Status),
        required(Field::Environment),
        required(Field::ExpiresAt),
        nullable(Field::PartnerId),
        nullable(Field::TenantId),
    ],
    searched: &["name", "client_id", "notes"],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let application = Application {
        meta: read_meta(row)?,
        name: row.text("name")?,
        kind: row.parse("type")?,
        reach: row.parse("reach")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        client_id: row.text("client_id")?,
        environment: row.text("environment")?,
        status: row.parse("status")?,
        expires_at: row.time("expires_at")?,
        notes: row.text_opt("notes")?,
        roles: row.json("roles")?,
        allowed_scopes: row.parse("allowed_scopes")?,
        token_lifetime: row.number_opt("token_lifetime")?,
        token_alg: row.parse("token_alg")?,
        redirect_uris: row.json("redirect_uris")?,
        allowed_origins: row.json("allowed_origins")?,
        token_exchange_allowed: row.flag("token_exchange_allowed")?,
        grants: row.json("grants")?,
    };
    Ok(application.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Application(application) = record else { return Vec::new() };
    vec![
        Bind::text(&application.name),
        Bind::text(application.kind.as_str()),
        Bind::text(application.reach.as_str()),
        Bind::id_opt(application.partner_id),
        Bind::id_opt(application.tenant_id),
        Bind::text(&application.client_id),
        Bind::text(&application.environment),
        Bind::text(application.status.as_str()),
        Bind::time(application.expires_at),
        Bind::text_opt(application.notes.as_deref()),
        Bind::json(&application.roles),
        Bind::text(application.allowed_scopes.to_string()),
        Bind::int_opt(application.token_lifetime),
        Bind::text(application.token_alg.as_str()),
        Bind::json(&application.redirect_uris),
        Bind::json(&application.allowed_origins),
        Bind::Flag(application.token_exchange_allowed),
        Bind::json(&application.grants),
    ]
}
