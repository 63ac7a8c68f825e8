//! The client against servers on real sockets: a Keyward, and a fake that does as it is told.
//!
//! Time is moved by the tests, so that none waits for it. The servers run on threads of their own, whose clocks go on.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod caching;
mod discovering;
mod elevating;
mod failing;
mod leaking;
mod real;
mod renewing;
mod sending;
mod support;
