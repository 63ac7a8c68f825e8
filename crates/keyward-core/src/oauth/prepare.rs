//! What a client may have now: tenants, permissions, and until when.

use std::sync::Arc;

use keyward_model::{
    ApplicationReach, Changes, Entity, FieldChange, Id, Partner, ScopeSet, Tenant, Timestamp,
};
use keyward_policy::liveness;
use serde_json::json;

use super::{OAuthError, OAuthErrorCode};
use crate::directory::{Client, ClientGrant, Entry};

/// The longest scope that an answer is kept for, in bytes.
const KEPT_SCOPE: usize = 1_024;

/// The answer to a token request, all but times, identifier and signature. The last one is kept with the client's cache
/// entry.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// The scope and the tenant that were asked for.
    asked: (Option<String>, Option<String>),
    pub(crate) scope: String,
    pub(crate) tenants: Option<Vec<String>>,
    pub(crate) tenant: Option<Id<Tenant>>,
    pub(crate) partner: Option<Id<Partner>>,
    /// What the audit event says.
    pub(crate) changes: Changes,
    /// No token lives longer; and the answer itself must be made anew then.
    pub(crate) valid_until: Timestamp,
}

fn invalid_target(description: &str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidTarget, description)
}

/// The live part of what a client was given, for one tenant or for all.
pub(crate) struct Entitlement<'a> {
    pub(crate) tenants: Option<Vec<&'a Tenant>>,
    pub(crate) partner: Option<Id<Partner>>,
    pub(crate) permissions: ScopeSet,
    pub(crate) valid_until: Timestamp,
}

fn names(tenant: &Tenant, wanted: &str) -> bool {
    tenant.slug == wanted || tenant.id().to_string() == wanted
}

/// What the client has at `now`, narrowed to one tenant when `wanted` names it. The client itself is alive.
pub(crate) fn entitlement<'a>(
    client: &'a Client,
    wanted: Option<&str>,
    now: Timestamp,
) -> Result<Entitlement<'a>, OAuthError> {
    let application = &client.application;
    let unknown_tenant = || invalid_target("This client has no access to that tenant.");
    if let Some(tenant) = &client.tenant {
        if wanted.is_some_and(|wanted| !names(tenant, wanted)) {
            return Err(unknown_tenant());
        }
        return Ok(Entitlement {
            tenants: Some(vec![tenant]),
            partner: tenant.partner_id,
            permissions: client.allowed.clone(),
            valid_until: application.expires_at,
        });
    }
    if client.grants.is_empty() && application.reach == ApplicationReach::Global {
        if wanted.is_some() {
            return Err(unknown_tenant());
        }
        return Ok(Entitlement {
            tenants: None,
            partner: None,
            permissions: client.allowed.clone(),
            valid_until: application.expires_at,
        });
    }
    let alive = |grant: &&ClientGrant| {
        liveness::grant(&grant.grant, &application.environment, grant.above(), now).is_ok()
    };
    let live: Vec<&ClientGrant> = client.grants.iter().filter(alive).collect();
    if live.is_empty() {
        return Err(if wanted.is_some() {
            unknown_tenant()
        } else {
            invalid_target("No grant of this client is live.")
        });
    }
    let chosen = |grant: &&ClientGrant| {
        wanted.is_none_or(|wanted| grant.tenant.as_ref().is_some_and(|tenant| names(tenant, wanted)))
    };
    let live: Vec<&ClientGrant> = live.into_iter().filter(chosen).collect();
    granted(client, &live).ok_or_else(unknown_tenant)
}

/// The permissions common to these grants; nothing when there are none.
fn granted<'a>(client: &'a Client, live: &[&'a ClientGrant]) -> Option<Entitlement<'a>> {
    let (first, others) = live.split_first()?;
    let mut permissions = first.permissions.clone();
    for grant in others {
        permissions = permissions.intersection(&grant.permissions);
    }
    let tenants: Vec<&Tenant> = live.iter().filter_map(|grant| grant.tenant.as_ref()).collect();
    let partner = tenants.first().and_then(|tenant| tenant.partner_id);
    let one_partner = tenants.iter().all(|tenant| tenant.partner_id == partner);
    let ends = live.iter().filter_map(|grant| grant.grant.expires_at);
    Some(Entitlement {
        tenants: Some(tenants),
        partner: partner.filter(|_| one_partner).or(client.application.partner_id),
        permissions,
        valid_until: ends.fold(client.application.expires_at, Timestamp::min),
    })
}

/// The answer for a scope and a tenant, both optional.
fn prepare(
    client: &Client,
    asked_scope: Option<&str>,
    wanted: Option<&str>,
    now: Timestamp,
) -> Result<Prepared, OAuthError> {
    let invalid_scope = |description: String| OAuthError::new(OAuthErrorCode::InvalidScope, description);
    let asked: Option<ScopeSet> = match asked_scope.map(str::parse).transpose() {
        Ok(asked) => asked,
        Err(_) => {
            return Err(invalid_scope(
                "The scope is malformed: scope-tokens are separated by single spaces.".to_owned(),
            ));
        }
    };
    let has = entitlement(client, wanted, now)?;
    let permissions = match asked {
        None => has.permissions,
        Some(asked) => {
            let missing = asked.difference(&has.permissions);
            if !missing.is_empty() {
                return Err(invalid_scope(format!("This client is not allowed the scope {missing}.")));
            }
            asked
        }
    };
    let tenants: Option<Vec<String>> =
        has.tenants.as_ref().map(|tenants| tenants.iter().map(|tenant| tenant.id().to_string()).collect());
    let scope = permissions.to_string();
    let mut changes = vec![FieldChange { field: "scope".to_owned(), from: json!(null), to: json!(scope) }];
    if let Some(tenants) = &tenants {
        changes.push(FieldChange { field: "tenants".to_owned(), from: json!(null), to: json!(tenants) });
    }
    let tenant = has.tenants.and_then(|tenants| if let [one] = tenants[..] { Some(one.id()) } else { None });
    Ok(Prepared {
        asked: (asked_scope.map(str::to_owned), wanted.map(str::to_owned)),
        scope,
        tenants,
        tenant,
        partner: has.partner,
        changes: Changes::of(&changes),
        valid_until: has.valid_until,
    })
}

/// The answer for a scope and a tenant, from the entry's memory when that was asked for last and is still true: most
/// clients ask for the same again and again.
pub(crate) fn prepare_known(
    entry: &Entry,
    client: &Client,
    (scope, wanted): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<Arc<Prepared>, OAuthError> {
    if let Some(last) = entry.last.load_full()
        && (last.asked.0.as_deref(), last.asked.1.as_deref()) == (scope, wanted)
        && last.valid_until > now
    {
        return Ok(last);
    }
    let prepared = Arc::new(prepare(client, scope, wanted, now)?);
    // The same permissions can be asked for in texts of any length.
    if scope.is_none_or(|scope| scope.len() <= KEPT_SCOPE) {
        entry.last.store(Some(prepared.clone()));
    }
    Ok(prepared)
}
