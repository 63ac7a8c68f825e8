//! The admin API: each operation authenticates, asks whether the caller may do such a thing at all, and only then looks
//! at the request.

mod api_keys;
mod applications;
mod bulk;
mod exchange;
mod people;
mod resource;
mod row;
mod secrets;
mod standalone;

use keyward_model::{
    Agent, ApiKey, Application, Group, IdentityProvider, Partner, Permission, Role, Tenant, User,
};

pub(crate) use exchange::{Answer, Exchange, Reply, one_header, route};

use crate::operation::Operation;

/// Where the admin API is.
const BASE: &str = "/api/v1/admin";
/// The media type of bodies.
const JSON: &[&str] = &["application/json"];
/// The media types of patches (RFC 7396).
const PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

pub(crate) fn operations() -> Vec<Operation> {
    // In front of the others, because `bulk` is no identifier.
    let mut all = vec![
        bulk::operation::<Partner>("Partners"),
        bulk::operation::<Tenant>("Tenants"),
        bulk::operation::<User>("Users"),
        bulk::operation::<Group>("Groups"),
        bulk::operation::<Role>("Roles"),
        bulk::operation::<Permission>("Permissions"),
        bulk::operation::<Application>("Applications"),
        bulk::operation::<IdentityProvider>("IdentityProviders"),
        bulk::operation::<Agent>("Agents"),
        bulk::operation::<ApiKey>("ApiKeys"),
    ];
    all.extend(resource::operations::<Partner>("Partners", "partner"));
    all.extend(resource::operations::<Tenant>("Tenants", "tenant"));
    all.extend(people::operations());
    all.extend(resource::operations::<Role>("Roles", "role"));
    all.extend(resource::operations::<Permission>("Permissions", "permission"));
    all.extend(applications::operations());
    all.extend(api_keys::operations());
    all.extend(resource::operations::<IdentityProvider>("IdentityProviders", "identity provider"));
    all.extend(standalone::operations());
    all
}
