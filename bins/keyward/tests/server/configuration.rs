//! Configuration: flag over environment over file over default, and every mistake named.

use std::fs;

use crate::support::{Database, sqlite, stderr};

/// `config show` with a file, the environment and flags.
fn shown(database: &Database, file: &str, environment: &[(&str, &str)], flags: &[&str]) -> String {
    let path = database.dir.path().join("keyward.toml");
    fs::write(&path, file).unwrap();
    let mut arguments = vec!["config", "show", "--config", path.to_str().unwrap()];
    arguments.extend(flags);
    let output = database.keyward(&arguments).envs(environment.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_nearest_source_wins() {
    let database = sqlite();
    let file = "environments = [\"live\", \"test\"]\n[token]\nlifetime = 100\n";
    let line = |shown: &str, key: &str| {
        shown.lines().find(|line| line.starts_with(&format!("{key} ="))).unwrap().to_owned()
    };
    let from_file = shown(&database, file, &[], &[]);
    assert!(line(&from_file, "token.lifetime").contains("\"100\"  # file"));
    assert!(line(&from_file, "environments").contains("\"live,test\""));
    let from_environment = shown(&database, file, &[("KEYWARD_TOKEN__LIFETIME", "200")], &[]);
    assert!(
        line(&from_environment, "token.lifetime").contains("\"200\"  # environment KEYWARD_TOKEN__LIFETIME")
    );
    let flags = ["--set", "token.lifetime=300"];
    let from_flag = shown(&database, file, &[("KEYWARD_TOKEN__LIFETIME", "200")], &flags);
    assert!(line(&from_flag, "token.lifetime").contains("\"300\"  # flag"));
    assert!(line(&from_flag, "clients.max_expiry_days").contains("\"730\"  # default"));
}

#[test]
fn secrets_are_masked_and_come_from_files_too() {
    let database = sqlite();
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let path = database.dir.path().join("key");
    fs::write(&path, format!("{key}\n")).unwrap();
    let environment = [
        ("KEYWARD_CRYPTO__MASTER_KEY_FILE", path.to_str().unwrap()),
        ("KEYWARD_DATABASE__URL", "postgres://keyward:pass-word@db/keyward"),
    ];
    let shown = shown(&database, "", &environment, &[]);
    assert!(shown.contains("crypto.master_key = \"***\"") && !shown.contains(key), "{shown}");
    assert!(!shown.contains("pass-word"), "{shown}");
}

#[test]
fn every_mistake_is_named_with_its_path() {
    let database = sqlite();
    let check = |environment: &[(&str, &str)], file: Option<&str>, says: &[&str]| {
        let path = database.dir.path().join("keyward.toml");
        let mut arguments = vec!["config", "check"];
        if let Some(file) = file {
            fs::write(&path, file).unwrap();
            arguments.extend(["--config", path.to_str().unwrap()]);
        }
        let output = database.keyward(&arguments).envs(environment.iter().copied()).output().unwrap();
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(if says.is_empty() { 0 } else { 3 }), "{message}");
        for part in says {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    };
    check(&[], None, &[]);
    check(&[("KEYWARD_TOKEN__LIFETIM", "60")], None, &["token.lifetim", "nearest is token.lifetime"]);
    check(&[], Some("[http]\nbnd = \"x\"\n"), &["http.bnd", "nearest is http.bind", "keyward.toml"]);
    check(&[], Some("[http\n"), &["keyward.toml", "can't be read"]);
    for (name, value, path) in [
        ("KEYWARD_TOKEN__LIFETIME", "59", "token.lifetime"),
        ("KEYWARD_TOKEN__LIFETIME", "86401", "token.lifetime"),
        ("KEYWARD_HTTP__BIND", "localhost", "http.bind"),
        ("KEYWARD_HTTP__WORKERS", "0", "http.workers"),
        ("KEYWARD_HTTP__TRUSTED_PROXIES", "10.0.0.0/33", "http.trusted_proxies"),
        ("KEYWARD_DATABASE__URL", "mysql://db", "database.url"),
        ("KEYWARD_PUBLIC_URL", "keyward.example", "public_url"),
        ("KEYWARD_ENVIRONMENTS", "Production", "environments"),
        ("KEYWARD_LIMITS__TOKEN_PER_CLIENT", "many", "limits.token_per_client"),
        ("KEYWARD_TOKEN__RESOURCES", "not-a-uri", "token.resources"),
        ("KEYWARD_CLIENTS__ALLOW_RENEW", "yes", "clients.allow_renew"),
        ("KEYWARD_CRYPTO__MASTER_KEY", "abc", "crypto.master_key"),
        ("KEYWARD_BOOTSTRAP__CLIENT_SECRET", "kws_live_x", "bootstrap.client_secret"),
        ("KEYWARD_LOG__FORMAT", "xml", "log.format"),
    ] {
        check(&[(name, value)], None, &[path, "is not valid"]);
    }
    check(&[("KEYWARD_HTTP__BIND", "0.0.0.0:8080")], None, &["public_url", "needed"]);
    let exposed = [("KEYWARD_HTTP__BIND", "0.0.0.0:8080"), ("KEYWARD_PUBLIC_URL", "http://keyward.example")];
    check(&exposed, None, &["public_url", "https"]);
    check(&[exposed[0], exposed[1], ("KEYWARD_HTTP__ALLOW_INSECURE", "true")], None, &[]);
    // All of them at once.
    let both = [("KEYWARD_TOKEN__LIFETIME", "x"), ("KEYWARD_HTTP__WORKERS", "x")];
    check(&both, None, &["token.lifetime", "http.workers"]);
}
