//! Each screen of the console in a real browser, with and without JavaScript.

use crate::{
    clients::story,
    support::{Server, sqlite},
};

const EMAIL: &str = "root@platform.example";
const PASSWORD: &str = "marble otter lantern 41";

#[test]
fn every_screen_does_what_it_is_for_with_and_without_javascript() {
    let database = sqlite();
    let server = Server::start_with(
        &database,
        &[
            ("KEYWARD_BOOTSTRAP__ADMIN_EMAIL", EMAIL),
            ("KEYWARD_BOOTSTRAP__ADMIN_PASSWORD", PASSWORD),
            ("KEYWARD_SIGN_IN__TOTP_REQUIRED", ""),
            ("KEYWARD_OUTBOUND__ALLOW", "127.0.0.1/32"),
        ],
    );
    let (verified, out) = story(
        "screens.mjs",
        &database,
        &server,
        &[("KEYWARD_TEST_EMAIL", EMAIL), ("KEYWARD_TEST_PASSWORD", PASSWORD)],
    );
    assert_eq!(verified, 39, "{out}");
}
