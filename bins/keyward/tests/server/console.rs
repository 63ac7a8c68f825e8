//! The console in a real browser, as somebody uses it who goes by what they see.

use std::{path::PathBuf, process::Command};

use crate::{
    clients::variable,
    support::{Server, sqlite},
};

#[test]
fn a_newcomer_gets_everything_done_with_and_without_javascript() {
    let database = sqlite();
    let server = Server::start_with(&database, &[]);
    let folder = variable("KEYWARD_TEST_NODE_DIR");
    let output = Command::new("node")
        .arg(folder.join("console.mjs"))
        .current_dir(database.dir.path())
        .env("KEYWARD_PUBLIC_URL", &server.address)
        .env("KEYWARD_DATABASE__URL", &database.url)
        .env("KEYWARD_TEST_BINARY", env!("CARGO_BIN_EXE_keyward"))
        .env("SCREENSHOTS", PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../screenshots/console"))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}\n{}", server.log());
    let verified = out.lines().filter(|line| line.starts_with("verified: ")).count();
    assert_eq!(verified, 15, "{out}");
}
