//! The console in a real browser, as somebody uses it who goes by what they see.

use crate::{
    clients::story,
    support::{Server, sqlite},
};

#[test]
fn a_newcomer_gets_everything_done_with_and_without_javascript() {
    let database = sqlite();
    let server = Server::start_with(&database, &[]);
    let (verified, out) = story(
        "console.mjs",
        &database,
        &server,
        &[("SCREENSHOTS", concat!(env!("CARGO_TARGET_TMPDIR"), "/../screenshots/console"))],
    );
    assert_eq!(verified, 15, "{out}");
}
