//! Administration: authorise, validate, commit with audit. What differs between resources is in a file each.

mod agents;
mod api_keys;
mod applications;
mod bulk;
mod counting;
mod counts;
mod dashboard;
mod events;
mod export;
mod grants;
mod groups;
mod holders;
mod idempotency;
mod identity_providers;
mod key_usage;
pub(crate) mod limits;
mod membership;
mod partners;
mod permissions;
mod resource;
mod revocations;
mod roles;
mod secret_rotation;
mod secrets;
mod sessions;
mod signing_keys;
mod standing;
mod tenants;
mod uris;
mod users;
mod work;

use keyward_model::{Id, Identified};
use serde::Serialize;
use serde_json::Value;

use crate::{Error, Written};
pub use applications::{Renewal, UsageView};
pub use bulk::{BulkBody, BulkItem, BulkOp, BulkOutcome};
pub use counts::{Count, CountedEvents, Endings};
pub use dashboard::{ActivityView, SeriesView, StatsView};
pub use export::{EventExport, ExportFormat};
pub use grants::{GrantBody, GrantsBody};
pub use holders::{HoldersOf, PermissionHolders, RoleHolders};
pub(crate) use identity_providers::secret_context;
pub use key_usage::{DayView, KeyUsageView, PredecessorView};
pub use membership::{MemberBody, NestedBody};
pub use resource::Administered;
pub use revocations::RevocationBody;
pub use secret_rotation::{HolderUse, SecretRotation};
pub use secrets::SecretHolder;
pub(crate) use secrets::of_value as secrets_of_value;
pub use sessions::{SessionState, SessionsOf};
pub use signing_keys::Rotation;
pub use standing::UserStanding;
pub use users::{EffectivePermissionView, RolesBody, SourceView};
pub(crate) use work::{Draft, Work, conflict as touched_conflict, next_version};

/// How often a change is tried again when the data changed in the meantime.
pub(crate) const ATTEMPTS: u32 = 8;

/// One page of a list, rendered.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    /// The items.
    pub data: Vec<Value>,
    /// Which page it is, when it is counted in pages.
    pub page: Option<u32>,
    /// How many items a page has.
    pub per_page: u32,
    /// How many items there are, when they were counted.
    pub total: Option<u64>,
    /// How many pages there are, when they were counted.
    pub total_pages: Option<u64>,
    /// Where the next page begins, in lists that can be followed so.
    pub next_cursor: Option<String>,
}

impl Listing {
    pub(crate) fn of_page(data: Vec<Value>, page: u32, per_page: u32, total: u64) -> Self {
        let total_pages = total.div_ceil(u64::from(per_page.max(1)));
        Self {
            data,
            page: Some(page),
            per_page,
            total: Some(total),
            total_pages: Some(total_pages),
            next_cursor: None,
        }
    }
}

/// An object, rendered.
#[derive(Clone, Debug)]
pub struct Document {
    /// The object as JSON.
    pub body: Value,
    /// Its version, for objects that have one.
    pub version: Option<i64>,
}

impl From<Written> for Document {
    fn from(written: Written) -> Self {
        Self { body: written.body, version: Some(written.version) }
    }
}

/// The versions that a change may meet (RFC 9110 section 13.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version.
    Any,
    /// One of these.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// Refuses a version that was not meant.
    pub(crate) fn check(condition: Option<&Self>, version: i64) -> Result<(), Error> {
        match condition {
            Some(Self::Versions(versions)) if !versions.contains(&version) => Err(Error::PreconditionFailed),
            _ => Ok(()),
        }
    }
}

/// The identifier in a path; what is none names nothing.
pub(crate) fn parse_id<R: Identified>(text: &str) -> Result<Id<R>, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// The answer when a change met another one again and again.
pub(crate) fn busy() -> Error {
    Error::Conflict { code: "busy", detail: "The object is being changed by others. Try again.".to_owned() }
}
