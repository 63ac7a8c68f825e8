//! Limits that a partner sets for its tenants: refused before, and held in the commit.

use keyward_model::{Application, Entity, Field, Id, Kind, Partner, Reach, Tenant, User, Value};
use keyward_store::{Change, Condition, Guard, Query, StoreExt, Test};

use super::Work;
use crate::Error;

/// Refuses one more record of a kind where `limit` is reached, and makes the change hold that.
async fn room(
    work: &Work<'_>,
    kind: Kind,
    (field, value): (Field, Value),
    limit: Option<u32>,
    what: &str,
    change: &mut Change,
) -> Result<(), Error> {
    let Some(limit) = limit.map(u64::from) else { return Ok(()) };
    let query = Query { per_page: 1, ..Query::all(kind).with(field, value.clone()) };
    let used = work.keyward.inner.store.list(&Reach::Platform, &query).await?.total;
    if used >= limit {
        let detail = format!("The partner's limit of {limit} {what} is reached.");
        return Err(Error::LimitReached { limit, used, detail });
    }
    let conditions = vec![Condition { field, test: Test::Is(value) }];
    change.guards.push(Guard { kind, conditions, at_least: 0, at_most: limit });
    Ok(())
}

/// The partner of a tenant, which must be the same when the change is committed.
async fn partner_of(
    work: &Work<'_>,
    tenant: Option<Id<Tenant>>,
    change: &mut Change,
) -> Result<Option<Partner>, Error> {
    let store = &work.keyward.inner.store;
    let Some(tenant) = tenant else { return Ok(None) };
    let tenant: Option<Tenant> = store.get_as(&Reach::Platform, tenant).await?;
    let Some(partner) = tenant.and_then(|tenant| tenant.partner_id) else { return Ok(None) };
    let partner: Option<Partner> = store.get_as(&Reach::Platform, partner).await?;
    change.expect.extend(partner.iter().map(|partner| (partner.id().any(), partner.meta.version)));
    Ok(partner)
}

/// Room for one more tenant of a partner.
pub(crate) async fn tenants(work: &Work<'_>, partner: &Partner, change: &mut Change) -> Result<(), Error> {
    let of = (Field::PartnerId, Value::id(Some(partner.id())));
    room(work, Kind::Tenant, of, partner.max_tenants, "tenants", change).await
}

/// Room for one more user of the tenant.
pub(crate) async fn users(work: &Work<'_>, user: &User, change: &mut Change) -> Result<(), Error> {
    let Some(partner) = partner_of(work, user.tenant_id, change).await? else { return Ok(()) };
    let of = (Field::TenantId, Value::id(user.tenant_id));
    room(work, Kind::User, of, partner.max_users_per_tenant, "users per tenant", change).await
}

/// Room for one more application of the tenant.
pub(crate) async fn applications(
    work: &Work<'_>,
    application: &Application,
    change: &mut Change,
) -> Result<(), Error> {
    let Some(partner) = partner_of(work, application.tenant_id, change).await? else { return Ok(()) };
    let of = (Field::TenantId, Value::id(application.tenant_id));
    let limit = partner.max_applications_per_tenant;
    room(work, Kind::Application, of, limit, "applications per tenant", change).await
}
