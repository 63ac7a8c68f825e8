//! Speaks the protocols of identity providers.
//!
//! This is the other side of [`keyward_core::Federation`]: it sends browsers away and says who came back. It decides
//! nothing about accounts.

pub mod saml;
