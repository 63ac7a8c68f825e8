//! Who can see which rows, as conditions of a query on a table named `r`.
//!
//! A row is visible when the reach covers it, when it is not deleted, and when nothing above it is. The last part is said
//! in three ways, which mean the same and differ in what they cost: for one row, what is above it is looked up; for a
//! page, everything deleted above is gathered once; and a count of everything takes off what is below something deleted,
//! which indexes find, because asking every row would take longer than all the rest.

use keyward_model::Reach;

use crate::{
    records::{Owner, Table},
    sql::{Bind, Sql, join, sql},
};

const PARTNER_OF_ONE: &str =
    "NOT EXISTS (SELECT 1 FROM partners p WHERE p.id = r.partner_id AND p.deleted_at IS NOT NULL)";
const TENANT_OF_ONE: &str = "NOT EXISTS (SELECT 1 FROM tenants t LEFT JOIN partners p ON p.id = t.partner_id \
    WHERE t.id = r.tenant_id AND (t.deleted_at IS NOT NULL OR p.deleted_at IS NOT NULL))";

/// Before a tenant's, or a partner's, identifier and a closing bracket.
const TENANT_OF_ALL: &str = " AND NOT EXISTS (SELECT 1 FROM tenants t LEFT JOIN partners p ON p.id = t.partner_id \
    WHERE (t.deleted_at IS NOT NULL OR p.deleted_at IS NOT NULL) AND t.id = ";
const PARTNER_OF_ALL: &str =
    " AND NOT EXISTS (SELECT 1 FROM partners p WHERE p.deleted_at IS NOT NULL AND p.id = ";

macro_rules! deleted_partners {
    () => {
        "(SELECT id FROM partners WHERE deleted_at IS NOT NULL)"
    };
}
macro_rules! deleted_tenants {
    () => {
        "(SELECT id FROM tenants WHERE deleted_at IS NOT NULL UNION ALL \
        SELECT t.id FROM partners p JOIN tenants t ON t.partner_id = p.id WHERE p.deleted_at IS NOT NULL)"
    };
}

const PARTNER_OF_MANY: &str =
    concat!("(r.partner_id IS NULL OR r.partner_id NOT IN ", deleted_partners!(), ")");
const TENANT_OF_MANY: &str = concat!("(r.tenant_id IS NULL OR r.tenant_id NOT IN ", deleted_tenants!(), ")");

const BELOW_DELETED_PARTNER: &str =
    concat!("r.partner_id IS NOT NULL AND r.partner_id IN ", deleted_partners!());
const BELOW_DELETED_TENANT: &str = concat!("r.tenant_id IS NOT NULL AND r.tenant_id IN ", deleted_tenants!());
const OF_DELETED_PARTNER: &str =
    concat!("r.tenant_id IS NULL AND r.partner_id IS NOT NULL AND r.partner_id IN ", deleted_partners!());

/// Before a partner's identifier and a closing bracket.
const OF_TENANTS_OF: &str =
    "r.tenant_id IN (SELECT id FROM tenants WHERE deleted_at IS NULL AND partner_id = ";

/// By which index the rows of a tenant or partner are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By that of tenants: few are found quickly.
    ByOwner,
    /// By that of the list's order, leaving out what is not theirs: many need not be sorted.
    InOrder,
}

/// The condition that nothing above a row is deleted, for a query of one row or of many.
fn nothing_deleted_above<'a>(owner: Owner, of_partner: &'static str, of_tenant: &'static str) -> Sql<'a> {
    match owner {
        Owner::Platform | Owner::Everyone | Owner::ThePartner => Sql::default(),
        Owner::TheTenant => sql(" AND ").sql(of_partner),
        Owner::Tenant => sql(" AND ").sql(of_tenant),
        // The partner counts only where there is no tenant.
        Owner::TenantOrPartner => {
            sql(" AND ").sql(of_tenant).sql(" AND (r.tenant_id IS NOT NULL OR ").sql(of_partner).sql(")")
        }
    }
}

/// Behind the condition [`covered`]: that nothing above is deleted, for a query that finds one row.
pub(crate) fn live_one<'a>(table: &Table) -> Sql<'a> {
    nothing_deleted_above(table.owner, PARTNER_OF_ONE, TENANT_OF_ONE)
}

/// The same for a query that finds many. What all of them are below is looked up once.
pub(crate) fn live_many<'a>(table: &Table, reach: &Reach) -> Sql<'a> {
    match (reach, table.owner) {
        (Reach::Tenant(id), Owner::Tenant | Owner::TenantOrPartner) => {
            sql(TENANT_OF_ALL).bind(Bind::id(*id)).sql(")")
        }
        // Its deleted tenants are left out by `covered`.
        (Reach::Partner(id), Owner::TheTenant | Owner::Tenant | Owner::TenantOrPartner) => {
            sql(PARTNER_OF_ALL).bind(Bind::id(*id)).sql(")")
        }
        _ => nothing_deleted_above(table.owner, PARTNER_OF_MANY, TENANT_OF_MANY),
    }
}

/// The rows that are below something deleted: as many conditions, no two of which meet the same row.
pub(crate) fn below_deleted(table: &Table) -> &'static [&'static str] {
    match table.owner {
        Owner::Platform | Owner::Everyone | Owner::ThePartner => &[],
        Owner::TheTenant => &[BELOW_DELETED_PARTNER],
        Owner::Tenant => &[BELOW_DELETED_TENANT],
        Owner::TenantOrPartner => &[BELOW_DELETED_TENANT, OF_DELETED_PARTNER],
    }
}

/// The condition that a row is not deleted itself and that the reach covers it. `None` when it covers no row of the
/// table.
pub(crate) fn covered<'a>(table: &Table, reach: &Reach) -> Option<Sql<'a>> {
    let mut parts = covered_parts(table, reach, Way::ByOwner);
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(sql("(").append(join(parts, " OR ")).sql(")")),
    }
}

/// The same as conditions any of which must hold, no two of which meet the same row: each is found by its own index, so
/// that counting them one by one is quicker than counting them together.
pub(crate) fn covered_parts<'a>(table: &Table, reach: &Reach, way: Way) -> Vec<Sql<'a>> {
    let live = || sql("r.deleted_at IS NULL");
    let is = |condition: &'static str, id: Bind<'a>| live().sql(condition).bind(id);
    // No database looks for that in an index.
    let is_true = |condition: &'static str, id: Bind<'a>, end: &'static str| match way {
        Way::ByOwner => live().sql(" AND ").sql(condition).bind(id).sql(end),
        Way::InOrder => live().sql(" AND (").sql(condition).bind(id).sql(end).sql(") IS TRUE"),
    };
    match (reach, table.owner) {
        (Reach::Platform, _) | (_, Owner::Everyone) => vec![live()],
        (_, Owner::Platform) | (Reach::Tenant(_), Owner::ThePartner) => Vec::new(),
        (Reach::Partner(id), Owner::ThePartner) => vec![is(" AND r.id = ", Bind::id(*id))],
        (Reach::Tenant(id), Owner::TheTenant) => vec![is(" AND r.id = ", Bind::id(*id))],
        (Reach::Partner(id), Owner::TheTenant) => vec![is(" AND r.partner_id = ", Bind::id(*id))],
        (Reach::Tenant(id), Owner::Tenant | Owner::TenantOrPartner) => {
            vec![is_true("r.tenant_id = ", Bind::id(*id), "")]
        }
        (Reach::Partner(id), Owner::Tenant) => vec![is_true(OF_TENANTS_OF, Bind::id(*id), ")")],
        // As one, so that they come in one order.
        (Reach::Partner(id), Owner::TenantOrPartner) if way == Way::InOrder => {
            let theirs = sql("r.tenant_id IS NULL AND r.partner_id = ").bind(Bind::id(*id)).sql(" OR ");
            let of_tenants = sql(OF_TENANTS_OF).bind(Bind::id(*id)).sql(")");
            vec![live().sql(" AND (").append(theirs).append(of_tenants).sql(") IS TRUE")]
        }
        (Reach::Partner(id), Owner::TenantOrPartner) => vec![
            is(" AND r.tenant_id IS NULL AND r.partner_id = ", Bind::id(*id)),
            is_true(OF_TENANTS_OF, Bind::id(*id), ")"),
        ],
    }
}
