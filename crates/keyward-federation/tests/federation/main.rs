//! Sign-in through `OpenID` Connect providers, honest and hostile, and the guard of outgoing requests.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod attacks;
mod checks;
mod guard;
mod honest;
mod keys;
mod real;
mod rebinding;
mod support;
mod tls;
mod upstreams;
