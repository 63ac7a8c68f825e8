//! Agents.

use diesel::deserialize::Result;
use keyward_model::{Agent, Field, Record};

use super::{Owner, Table, nullable, read_meta, required};
use crate::{row::Row, sql::Bind};

pub(super) const TABLE: Table = Table {
    name: "agents",
    columns: &[
        "name",
        "tenant_id",
        "owner_id",
        "allowed_tools",
        "allowed_scopes",
        "rate_limit_rpm",
        "status",
    ],
    listed: &[
        required(Field::Name),
        required(Field::Status),
        nullable(Field::TenantId),
        nullable(Field::OwnerId),
    ],
    searched: &["name"],
    owner: Owner::Tenant,
    read,
    write,
};

fn read(row: &dyn Row) -> Result<Record> {
    let agent = Agent {
        meta: read_meta(row)?,
        name: row.text("name")?,
        tenant_id: row.parse_opt("tenant_id")?,
        owner_id: row.parse_opt("owner_id")?,
        allowed_tools: row.json("allowed_tools")?,
        allowed_scopes: row.parse("allowed_scopes")?,
        rate_limit_rpm: row.number_opt("rate_limit_rpm")?,
        status: row.parse("status")?,
    };
    Ok(agent.into())
}

fn write(record: &Record) -> Vec<Bind<'_>> {
    let Record::Agent(agent) = record else { return Vec::new() };
    vec![
        Bind::text(&agent.name),
        Bind::id_opt(agent.tenant_id),
        Bind::id_opt(agent.owner_id),
        Bind::json(&agent.allowed_tools),
        Bind::text(agent.allowed_scopes.to_string()),
        Bind::int_opt(agent.rate_limit_rpm),
        Bind::text(agent.status.as_str()),
    ]
}
