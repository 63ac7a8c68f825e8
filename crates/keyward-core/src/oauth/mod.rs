//! The OAuth side: who may have a token, what it says, and whether it still works.

mod authenticate;
mod error;
mod introspect;
mod issue;
mod prepare;
mod request;
mod revoke;
mod verified;

pub(crate) use authenticate::Authenticated;
pub use error::{OAuthError, OAuthErrorCode};
pub(crate) use issue::ACCESS_TOKEN_TYP;
pub(crate) use prepare::Prepared;
pub use request::{ClientAuth, Introspection, TokenReply, TokenRequest};
pub(crate) use verified::{Holder, LiveToken, Verified};
