//! Each screen of the console in a real browser, with and without JavaScript.

use std::{path::PathBuf, process::Command};

use crate::{
    clients::variable,
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
    let upstream = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../crates/keyward-federation/tests/clients/provider.mjs");
    let output = Command::new("node")
        .arg(variable("KEYWARD_TEST_NODE_DIR").join("screens.mjs"))
        .current_dir(database.dir.path())
        .env("KEYWARD_PUBLIC_URL", &server.address)
        .env("KEYWARD_DATABASE__URL", &database.url)
        .env("KEYWARD_TEST_BINARY", env!("CARGO_BIN_EXE_keyward"))
        .env("KEYWARD_TEST_PROVIDER", upstream)
        .env("KEYWARD_TEST_EMAIL", EMAIL)
        .env("KEYWARD_TEST_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}\n{}", server.log());
    let verified = out.lines().filter(|line| line.starts_with("verified: ")).count();
    assert_eq!(verified, 39, "{out}");
}
