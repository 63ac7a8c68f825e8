//! The guard against a real Keyward and against an issuer that fails on purpose.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod api_keys;
mod attacks;
mod feed;
mod foreign;
mod keys;
mod keyward;
mod modes;
mod setup;
mod support;
mod wire;
