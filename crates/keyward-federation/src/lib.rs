//! Sign-in through other identity providers: the implementation of [`keyward_core::Federation`].
//!
//! - [`outbound`]: the one guarded client for whatever has an address that a tenant can set;
//! - [`oidc`]: an `OpenID` Connect relying party.
//!
//! It decides nothing about people: it sends a browser away, and says who came back.

pub mod oidc;
pub mod outbound;

// `Providers`, which implements `keyward_core::Federation` and asks `oidc::Oidc` or its SAML sibling by the kind of the
// provider, belongs here.
