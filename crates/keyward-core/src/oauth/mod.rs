//! The OAuth side: who may have a token, what it says, and whether it still works.

mod authenticate;
mod authorization_request;
mod authorize;
mod code;
mod error;
mod introspect;
mod issue;
mod person_token;
mod prepare;
mod refresh;
mod request;
mod revoke;
mod userinfo;
mod verified;

pub(crate) use authenticate::Authenticated;
pub use authorize::{Authorization, ConsentAsked, SignInAsked};
pub use error::{OAuthError, OAuthErrorCode};
pub(crate) use issue::ACCESS_TOKEN_TYP;
pub(crate) use prepare::Prepared;
pub use request::{ClientAuth, Introspection, TokenReply, TokenRequest};
pub use userinfo::SignOut;
pub(crate) use verified::{Holder, LiveToken, Verified};

/// The scopes of `OpenID` Connect: what they give is knowledge of a person, not permission.
pub const IDENTITY_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The same as a set.
pub(crate) fn identity_scopes() -> keyward_model::ScopeSet {
    // The constants are well-formed scopes.
    IDENTITY_SCOPES.iter().filter_map(|scope| scope.parse::<keyward_model::Scope>().ok()).collect()
}
