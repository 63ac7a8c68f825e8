//! The shape of the workspace: who may depend on whom.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What each crate may depend on: crates of the workspace, and the outside crates that only some may know.
const ALLOWED: &[(&str, &[&str])] = &[
    ("keyward-model", &[]),
    ("keyward-policy", &["keyward-model"]),
    ("keyward-crypto", &["keyward-model", "josekit", "ring"]),
    ("keyward-store", &["keyward-model"]),
    ("keyward-store-suite", &["keyward-model", "keyward-store", "keyward-store-memory", "tokio"]),
    ("keyward-store-memory", &["keyward-model", "keyward-store"]),
    ("keyward-store-diesel", &["keyward-model", "keyward-store", "diesel", "diesel_migrations", "tokio"]),
    ("keyward-core", &["keyward-model", "keyward-policy", "keyward-crypto", "keyward-store", "tokio"]),
    ("keyward-federation", &["keyward-model", "keyward-crypto", "keyward-core", "tokio"]),
    ("keyward-http", &["keyward-model", "keyward-core", "actix-web", "tokio"]),
    ("keyward-console", &["keyward-model", "keyward-core", "keyward-http", "actix-web"]),
    ("keyward-client", &["tokio"]),
    ("keyward-guard", &["keyward-model", "keyward-crypto", "actix-web", "tokio"]),
];

/// Crates that are an architectural decision wherever they appear.
const GUARDED: &[&str] = &[
    "actix-web",
    "diesel",
    "diesel_migrations",
    "josekit",
    "ring",
    "tokio",
    "config",
    "anyhow",
    "clap",
    "tracing-subscriber",
];

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let manifest = package["manifest_path"].as_str().unwrap();
        if !manifest.contains("/crates/") {
            continue;
        }
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} has no place here"));
        assert!(
            manifest.ends_with(&format!("/crates/{name}/Cargo.toml")),
            "directory and package differ: {manifest}"
        );
        let normal = |dependency: &&Value| dependency["kind"].is_null();
        for dependency in package["dependencies"].as_array().unwrap().iter().filter(normal) {
            let on = dependency["name"].as_str().unwrap();
            let matters = on.starts_with("keyward") || GUARDED.contains(&on);
            assert!(!matters || allowed.contains(&on), "{name} must not depend on {on}");
        }
        assert!(!package["description"].as_str().unwrap_or("").is_empty(), "{name} has no description");
        seen.insert(name);
    }
    assert_eq!(seen.len(), ALLOWED.len(), "a crate of the table is gone");
}

#[test]
fn the_architecture_names_every_crate() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    for (name, _) in ALLOWED {
        assert!(text.contains(&format!("`{name}`")), "{name} is not in docs/architecture.md");
    }
}

/// Files that are too long to be read at once.
#[test]
fn no_source_file_is_a_tome() {
    let listed = Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().count() > 50, "the files are listed by git");
    for path in listed.lines() {
        let lines = fs::read_to_string(root().join(path)).unwrap_or_default().lines().count();
        assert!(lines <= 450, "{path} has {lines} lines");
    }
}
