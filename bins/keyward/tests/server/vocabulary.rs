//! One vocabulary: what people read says the same thing by the same word, in the console, the API and the command line.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What is called otherwise here, and how.
const OTHERWISE: [(&str, &str); 16] = [
    ("login", "sign-in"),
    ("log in", "sign in"),
    ("logout", "sign-out"),
    ("log out", "sign out"),
    ("logged in", "signed in"),
    ("realm", "tenant"),
    ("workspace", "tenant"),
    ("organization", "tenant"),
    ("service account", "API client"),
    ("machine user", "API client"),
    ("api token", "API key"),
    ("app key", "API key"),
    ("privilege", "permission"),
    ("whitelist", "allowed"),
    ("blacklist", "refused"),
    ("sub-tenant", "tenant"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            into.push(path);
        }
    }
}

/// The texts between quotation marks, of code and of JSON.
fn quoted(text: &str) -> String {
    text.split('"').skip(1).step_by(2).collect::<Vec<_>>().join("\n")
}

/// What people read, by where it stands.
fn texts() -> Vec<(PathBuf, String)> {
    let console = root().join("crates/keyward-console");
    let mut templates = Vec::new();
    files(&console.join("templates"), "html", &mut templates);
    let mut code = Vec::new();
    files(&console.join("src/web"), "rs", &mut code);
    files(&console.join("src/page"), "rs", &mut code);
    code.push(root().join("docs/openapi.json"));
    templates.push(root().join("docs/cli.md"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    let code = code.into_iter().map(read).map(|(path, text)| (path, quoted(&text)));
    templates.into_iter().map(read).chain(code).collect()
}

/// Whether a word stands there by itself: not as a part of a name, an address or another word.
fn stands_there(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ':');
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(|c| part(c) && c != '.' && c != ':')
    })
}

#[test]
fn everything_is_called_by_one_name() {
    let all = texts();
    assert!(all.len() > 60, "{} files only", all.len());
    let mut found = Vec::new();
    for (path, text) in &all {
        // The name of a specification is its own.
        let text = text.to_lowercase().replace("rp-initiated logout", "");
        for (word, ours) in OTHERWISE {
            if stands_there(&text, word) {
                found.push(format!("{}: \"{word}\" is called \"{ours}\"", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn another_name_would_be_found() {
    assert!(stands_there("please log in.", "log in") && stands_there("\"login\"", "login"));
    assert!(!stands_there("https://login.example.com login_hint", "login"));
}
