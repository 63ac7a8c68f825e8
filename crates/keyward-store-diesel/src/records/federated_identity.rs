//! Accounts at identity providers.

use diesel::deserialize::Result;
use keyward_model::{FederatedIdentity, Field, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "federated_identities",
    columns: &["user_id", "partner_id", "tenant_id", "provider_id", "subject", "email"],
    listed: &[
        required(Field::UserId),
        required(Field::ProviderId),
        nullable(Field::PartnerId),
        nullable(Field::TenantId),
    ],
    searched: &[],
    owner: Owner::TenantOrPartner,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let identity = FederatedIdentity {
        meta: read_meta(row)?,
        user_id: row.parse("user_id")?,
        partner_id: row.parse_opt("partner_id")?,
        tenant_id: row.parse_opt("tenant_id")?,
        provider_id: row.parse("provider_id")?,
        subject: row.text("subject")?,
        email: row.text_opt("email")?,
    };
    Ok(identity.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::FederatedIdentity(identity) = record else { return Vec::new() };
    vec![
        Bind::id(identity.user_id),
        Bind::id_opt(identity.partner_id),
        Bind::id_opt(identity.tenant_id),
        Bind::id(identity.provider_id),
        Bind::text(&identity.subject),
        Bind::text_opt(identity.email.as_deref()),
    ]
}
