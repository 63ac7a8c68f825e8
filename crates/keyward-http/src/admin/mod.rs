//! The admin API: each operation authenticates, asks whether the caller may do such a thing at all, and only then looks
//! at the request.

mod applications;
mod exchange;
mod resource;
mod standalone;

use keyward_model::{Permission, Role, Tenant};

pub(crate) use exchange::{Answer, Exchange, Reply, route};

use crate::operation::Operation;

/// Where the admin API is.
const BASE: &str = "/api/v1/admin";
/// The media type of bodies.
const JSON: &[&str] = &["application/json"];
/// The media types of patches (RFC 7396).
const PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

pub(crate) fn operations() -> Vec<Operation> {
    let mut all = resource::operations::<Tenant>("Tenants", "tenant");
    all.extend(resource::operations::<Role>("Roles", "role"));
    all.extend(resource::operations::<Permission>("Permissions", "permission"));
    all.extend(applications::operations());
    all.extend(standalone::operations());
    all
}
