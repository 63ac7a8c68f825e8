//! Signing in, in process: pages, sessions and tokens as browsers and applications see them, with a clock that tests move.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod apps;
mod code_flow;
mod prompting;
mod refreshing;
mod second_factor;
mod signing_in;
mod support;
