//! The example as a process of its own, beside a Keyward.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]

#[path = "../../testing/keyward.rs"]
mod keyward;
#[path = "../../testing/modes.rs"]
mod modes;

use serde_json::json;

#[test]
fn each_mode_takes_its_credentials() {
    modes::each_mode(env!("CARGO_BIN_EXE_points-api"), "points", &json!({ "delta": 10 }));
}
