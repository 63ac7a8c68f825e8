//! SAML 2.0: real counterparts, a table of attacks, and changed messages.
//!
//! Messages are signed by other people's code: `xml-crypto` and `samlify`, run by Node.js.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod attacks;
mod changed;
mod counterparts;
mod documents;
mod people;
mod support;
