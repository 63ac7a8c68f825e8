//! A real browser on every page: accessibility, layout, keyboard, and what works without JavaScript.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    samples::{HOSTILE, Words},
    served::{gallery, pages},
};

fn variable(name: &str) -> PathBuf {
    let message = format!("{name} is not set: run this test by scripts/test");
    PathBuf::from(env::var_os(name).expect(&message))
}

/// Runs a script of checks; it prints what it found wrong, and how much it looked at.
fn holds(script: &str, arguments: &[String]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pages/browser");
    let output = Command::new("node")
        .arg(folder.join(script))
        .arg(gallery())
        .args(arguments)
        .env("KEYWARD_TEST_NODE_DIR", variable("KEYWARD_TEST_NODE_DIR"))
        .env("SCREENSHOTS", PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../screenshots"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}:\n{out}{err}");
    assert!(out.contains("looked at "), "{script} looked at nothing:\n{out}{err}");
}

fn names() -> Vec<String> {
    pages(&Words::plain()).iter().map(|page| page.name.to_owned()).collect()
}

#[test]
fn every_page_is_accessible_and_fits_at_every_width_in_both_themes() {
    holds("layout.mjs", &names());
}

#[test]
fn the_keyboard_reaches_every_control() {
    holds("keyboard.mjs", &names());
}

#[test]
fn hostile_names_do_nothing() {
    holds("hostile.mjs", &[HOSTILE.len().to_string()]);
}

#[test]
fn the_script_is_a_comfort_and_no_need() {
    holds("comfort.mjs", &[]);
}
