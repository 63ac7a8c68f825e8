//! Who can see which rows, as conditions of a query on a table named `r`.

use keyward_model::Reach;

use crate::{
    records::{Owner, Table},
    sql::{Bind, Sql, sql},
};

/// How many rows are looked at. The conditions are the same; what differs is what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// One: what is above it is looked up.
    One,
    /// Many: everything deleted above is gathered once, which usually is little.
    Many,
}

const NO_PARTNER: &str =
    "NOT EXISTS (SELECT 1 FROM partners p WHERE p.id = r.partner_id AND p.deleted_at IS NOT NULL)";
const NO_PARTNERS: &str =
    "(r.partner_id IS NULL OR r.partner_id NOT IN (SELECT id FROM partners WHERE deleted_at IS NOT NULL))";

const NO_TENANT: &str = "NOT EXISTS (SELECT 1 FROM tenants t LEFT JOIN partners p ON p.id = t.partner_id \
    WHERE t.id = r.tenant_id AND (t.deleted_at IS NOT NULL OR p.deleted_at IS NOT NULL))";
const NO_TENANTS: &str = "(r.tenant_id IS NULL OR r.tenant_id NOT IN (SELECT id FROM tenants WHERE deleted_at IS NOT NULL \
    UNION ALL SELECT t.id FROM partners p JOIN tenants t ON t.partner_id = p.id WHERE p.deleted_at IS NOT NULL))";

/// The condition that a row is not deleted, nor what owns it, and that the reach covers it. `None` when the reach covers
/// no row of the table.
pub(crate) fn visible<'a>(table: &Table, reach: &Reach, extent: Extent) -> Option<Sql<'a>> {
    let live = sql("r.deleted_at IS NULL");
    let no_partner = if extent == Extent::One { NO_PARTNER } else { NO_PARTNERS };
    let no_tenant = if extent == Extent::One { NO_TENANT } else { NO_TENANTS };
    let live = match table.owner {
        Owner::Platform | Owner::Everyone | Owner::ThePartner => live,
        Owner::TheTenant => live.sql(" AND ").sql(no_partner),
        Owner::Tenant => live.sql(" AND ").sql(no_tenant),
        // The partner counts only where there is no tenant.
        Owner::TenantOrPartner => {
            live.sql(" AND ").sql(no_tenant).sql(" AND (r.tenant_id IS NOT NULL OR ").sql(no_partner).sql(")")
        }
    };
    let covered = match (reach, table.owner) {
        (Reach::Platform, _) | (_, Owner::Everyone) => return Some(live),
        (_, Owner::Platform) | (Reach::Tenant(_), Owner::ThePartner) => return None,
        (Reach::Partner(id), Owner::ThePartner) => sql(" AND r.id = ").bind(Bind::id(*id)),
        (Reach::Tenant(id), Owner::TheTenant) => sql(" AND r.id = ").bind(Bind::id(*id)),
        (Reach::Partner(id), Owner::TheTenant) => sql(" AND r.partner_id = ").bind(Bind::id(*id)),
        (Reach::Tenant(id), Owner::Tenant | Owner::TenantOrPartner) => {
            sql(" AND r.tenant_id = ").bind(Bind::id(*id))
        }
        (Reach::Partner(id), Owner::Tenant) => tenant_of(Bind::id(*id)),
        (Reach::Partner(id), Owner::TenantOrPartner) => {
            sql(" AND (r.tenant_id IS NOT NULL OR r.partner_id = ")
                .bind(Bind::id(*id))
                .sql(") AND (r.tenant_id IS NULL OR (1 = 1")
                .append(tenant_of(Bind::id(*id)))
                .sql("))")
        }
    };
    Some(live.append(covered))
}

fn tenant_of(partner: Bind<'_>) -> Sql<'_> {
    sql(" AND r.tenant_id IN (SELECT id FROM tenants WHERE partner_id = ").bind(partner).sql(")")
}
