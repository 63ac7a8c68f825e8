//! Keyward's cryptography: the only crate that sees `ring` and `josekit`.
//!
//! - [`credential`]: secrets and keys as people paste them, with prefix and checksum;
//! - [`master`]: the deployment's master key, and what is derived from it: keyed hashes and sealing at rest;
//! - [`jws`]: signing keys, signatures and the JWKS (RFC 7515, 7517, 7518, 8037);
//! - [`access_token`]: access tokens of RFC 9068, and the one place where their claims are checked;
//! - [`password`] and [`totp`]: what people prove themselves with;
//! - [`refresh`]: refresh tokens that need no storage;
//! - [`feed`]: the revocation feed, and what a verifier remembers of it;
//! - `attacks` (feature `test-vectors`): forged and confused tokens, for the tests of whatever verifies tokens.

pub mod access_token;
#[cfg(any(test, feature = "test-vectors"))]
pub mod attacks;
pub mod credential;
pub mod digest;
pub mod feed;
pub mod jws;
pub mod master;
pub mod password;
pub mod random;
pub mod refresh;
pub mod totp;
