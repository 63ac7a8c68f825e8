//! The pages: what holds of all markup, how assets are served, and what a browser makes of it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

#[path = "../../examples/gallery/samples/mod.rs"]
mod samples;

mod assets;
mod browser;
mod markup;
mod served;
