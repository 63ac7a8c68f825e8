//! Protecting other APIs: whether the credentials of a request are good, and good enough.
//!
//! Credentials are judged by what is in memory; nothing is read from the database for those that are known. What verified
//! credentials come to is decided by [`keyward_model::admission`].

mod feed;
mod forward;
mod keys;
mod tokens;
mod uses;
mod verify;

pub(crate) use feed::MAX_WAITING;
pub use forward::Presented;
pub(crate) use uses::{KeyUses, store_uses};
pub use verify::{KeyVerdict, KeyVerifier, VerifyKey};
