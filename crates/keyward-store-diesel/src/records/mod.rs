//! How each kind of record is stored: one table, one file.

mod agent;
mod api_key;
mod application;
mod authenticators;
mod federated_identity;
mod group;
mod identity_provider;
mod membership;
mod nesting;
mod partner;
mod permission;
mod refresh_token;
mod revocation;
mod role;
mod secret;
mod session;
mod signing_key;
mod tenant;
mod user;

use diesel::deserialize::Result;
use keyward_model::{AnyId, Entity, Field, Identified, Kind, Meta, Record};

use crate::{row::Row, sql::Bind};

/// How records of a kind are stored.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns beyond those that all tables have.
    pub(crate) columns: &'static [&'static str],
    /// The columns by which lists can be filtered or sorted, beside `created_at` and `updated_at`.
    pub(crate) listed: &'static [Listed],
    /// The columns in which a search looks.
    pub(crate) searched: &'static [&'static str],
    pub(crate) owner: Owner,
    pub(crate) read: fn(&dyn Row) -> Result<Record>,
    /// The values of `columns`, in their order.
    pub(crate) write: fn(&Record) -> Vec<Bind<'_>>,
}

/// A column by which lists can be filtered or sorted.
pub(crate) struct Listed {
    pub(crate) field: Field,
    pub(crate) column: &'static str,
    pub(crate) nullable: bool,
}

/// Where a table says who owns its records.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    /// Nowhere: the platform does.
    Platform,
    /// Nowhere: everyone may read them.
    Everyone,
    /// Each partner owns itself.
    ThePartner,
    /// Each tenant owns itself.
    TheTenant,
    /// `tenant_id`, or the platform.
    Tenant,
    /// `tenant_id`, or else `partner_id`, or the platform.
    TenantOrPartner,
}

/// The columns that all tables have.
pub(crate) const META: [&str; 5] = ["id", "version", "created_at", "updated_at", "deleted_at"];

const CREATED: Listed = required(Field::CreatedAt);
const UPDATED: Listed = required(Field::UpdatedAt);

/// A column of the field's name that always has a value.
const fn required(field: Field) -> Listed {
    Listed { field, column: field.as_str(), nullable: false }
}

/// A column of the field's name that may be null.
const fn nullable(field: Field) -> Listed {
    Listed { field, column: field.as_str(), nullable: true }
}

impl Table {
    /// The column of a field, if these records have it.
    pub(crate) fn listed(&self, field: Field) -> Option<&'static Listed> {
        match field {
            Field::CreatedAt => Some(&CREATED),
            Field::UpdatedAt => Some(&UPDATED),
            _ => self.listed.iter().find(|listed| listed.field == field),
        }
    }

    /// All columns.
    pub(crate) fn all_columns(&self) -> impl Iterator<Item = &'static str> {
        META.into_iter().chain(self.columns.iter().copied())
    }
}

/// How records of this kind are stored; `None` for events, which are no records.
pub(crate) fn table(kind: Kind) -> Option<&'static Table> {
    match kind {
        Kind::Partner => Some(&partner::TABLE),
        Kind::Tenant => Some(&tenant::TABLE),
        Kind::Role => Some(&role::TABLE),
        Kind::Permission => Some(&permission::TABLE),
        Kind::Application => Some(&application::TABLE),
        Kind::Secret => Some(&secret::TABLE),
        Kind::User => Some(&user::TABLE),
        Kind::Group => Some(&group::TABLE),
        Kind::Membership => Some(&membership::TABLE),
        Kind::Nesting => Some(&nesting::TABLE),
        Kind::IdentityProvider => Some(&identity_provider::TABLE),
        Kind::Agent => Some(&agent::TABLE),
        Kind::ApiKey => Some(&api_key::TABLE),
        Kind::Authenticators => Some(&authenticators::TABLE),
        Kind::FederatedIdentity => Some(&federated_identity::TABLE),
        Kind::Session => Some(&session::TABLE),
        Kind::RefreshToken => Some(&refresh_token::TABLE),
        Kind::SigningKey => Some(&signing_key::TABLE),
        Kind::Revocation => Some(&revocation::TABLE),
        Kind::Event => None,
    }
}

/// The record in a row; its identifier tells the kind.
pub(crate) fn read(row: &dyn Row) -> Result<Record> {
    let id: AnyId = row.parse("id")?;
    let table = table(id.kind).ok_or("an identifier of something that is no record")?;
    (table.read)(row)
}

/// The values of all columns, in their order.
pub(crate) fn write<'a>(table: &Table, record: &'a Record) -> Vec<Bind<'a>> {
    let mut values = match record {
        Record::Partner(it) => meta(&it.meta),
        Record::Tenant(it) => meta(&it.meta),
        Record::Role(it) => meta(&it.meta),
        Record::Permission(it) => meta(&it.meta),
        Record::Application(it) => meta(&it.meta),
        Record::Secret(it) => meta(&it.meta),
        Record::User(it) => meta(&it.meta),
        Record::Group(it) => meta(&it.meta),
        Record::Membership(it) => meta(&it.meta),
        Record::Nesting(it) => meta(&it.meta),
        Record::IdentityProvider(it) => meta(&it.meta),
        Record::Agent(it) => meta(&it.meta),
        Record::ApiKey(it) => meta(&it.meta),
        Record::Authenticators(it) => meta(&it.meta),
        Record::FederatedIdentity(it) => meta(&it.meta),
        Record::Session(it) => meta(&it.meta),
        Record::RefreshToken(it) => meta(&it.meta),
        Record::SigningKey(it) => meta(&it.meta),
        Record::Revocation(it) => meta(&it.meta),
    };
    values.extend((table.write)(record));
    values
}

fn meta<'a, R: Identified>(meta: &Meta<R>) -> Vec<Bind<'a>> {
    vec![
        Bind::id(meta.id),
        Bind::Int(meta.version),
        Bind::time(meta.created_at),
        Bind::time(meta.updated_at),
        Bind::time_opt(meta.deleted_at),
    ]
}

fn read_meta<R: Entity>(row: &dyn Row) -> Result<Meta<R>> {
    Ok(Meta {
        id: row.parse("id")?,
        version: row.int("version")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.time_opt("deleted_at")?,
    })
}
