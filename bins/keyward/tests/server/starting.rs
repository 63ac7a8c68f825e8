//! Every refusal to start is one clear sentence and exit code 3, and leaves what it found as it was.

use std::{fs, net::TcpListener, process::Command};

use crate::support::{Database, Server, sqlite, stderr};

/// Runs `serve`, which must refuse with a sentence that contains all of `says`.
fn refuses(mut command: Command, says: &[&str]) {
    let output = command.env("KEYWARD_HTTP__BIND", "127.0.0.1:0").output().unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.starts_with("keyward: "), "{message}");
    for part in says {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(!message.contains("panicked") && message.trim().lines().count() == 1, "{message}");
}

fn serve(database: &Database) -> Command {
    database.keyward(&["serve"])
}

/// A database that a server used, and stopped.
fn used() -> Database {
    let database = sqlite();
    Server::start(&database).stop();
    database
}

fn unchanged(database: &Database, says: &[&str]) {
    let before = fs::read(database.file()).unwrap();
    refuses(serve(database), says);
    assert_eq!(fs::read(database.file()).unwrap(), before, "the database was changed");
}

#[test]
fn a_missing_master_key_is_a_refusal() {
    let database = used();
    let key = fs::read(database.key_file()).unwrap();
    fs::remove_file(database.key_file()).unwrap();
    unchanged(&database, &["master key", "does not exist"]);
    assert!(!database.key_file().exists(), "no new key beside an old database");
    fs::write(database.key_file(), key).unwrap();
    Server::start(&database).stop();
}

#[test]
fn another_master_key_is_a_refusal() {
    let database = used();
    let other = used();
    fs::copy(other.key_file(), database.key_file()).unwrap();
    unchanged(&database, &["master key is not the one"]);
    fs::write(database.key_file(), "nonsense").unwrap();
    unchanged(&database, &["master key", "is not valid"]);
    let mut command = serve(&database);
    command.env("KEYWARD_CRYPTO__MASTER_KEY", "c2hvcnQ=");
    refuses(command, &["crypto.master_key", "32 bytes in base64"]);
}

#[test]
fn a_lost_database_is_never_begun_anew() {
    let database = used();
    fs::remove_file(database.file()).unwrap();
    refuses(serve(&database), &["missing or empty", "restore the database"]);
    assert!(!database.file().exists());
    fs::write(database.file(), "").unwrap();
    refuses(serve(&database), &["missing or empty"]);
    assert_eq!(fs::metadata(database.file()).unwrap().len(), 0);
}

#[test]
fn a_damaged_database_is_a_refusal() {
    let database = used();
    let whole = fs::read(database.file()).unwrap();
    fs::write(database.file(), &whole[..whole.len() / 2]).unwrap();
    unchanged(&database, &["is damaged"]);
    fs::write(database.file(), &whole[..100]).unwrap();
    unchanged(&database, &["is damaged"]);
    let mut damaged = whole.clone();
    damaged[..16].fill(b'x');
    fs::write(database.file(), &damaged).unwrap();
    unchanged(&database, &["is damaged"]);
    fs::write(database.file(), &whole).unwrap();
    Server::start(&database).stop();
}

#[test]
fn a_foreign_database_is_left_alone() {
    let database = sqlite();
    fs::create_dir_all(database.file().parent().unwrap()).unwrap();
    database.execute("CREATE TABLE invoices (id INTEGER); INSERT INTO invoices VALUES (1);");
    unchanged(&database, &["not a Keyward database"]);
    assert!(!database.key_file().exists());
}

#[test]
fn a_newer_database_is_left_alone() {
    let database = used();
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000');");
    unchanged(&database, &["later version of Keyward"]);
}

#[test]
fn a_port_in_use_is_said_before_anything_is_made() {
    let database = sqlite();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = serve(&database).env("KEYWARD_HTTP__BIND", &address).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let message = stderr(&output);
    assert!(message.contains("http.bind") && message.contains(&address), "{message}");
    assert!(!database.file().exists() && !database.key_file().exists());
}

#[test]
fn a_place_that_cannot_be_written_is_said() {
    let database = sqlite();
    fs::write(database.dir.path().join("keyward-data"), "a file").unwrap();
    refuses(serve(&database), &["keyward-data"]);
    let mut command = serve(&database);
    command.env("KEYWARD_DATABASE__URL", "sqlite:///proc/keyward/keyward.db");
    refuses(command, &["/proc/keyward"]);
}

#[test]
fn an_unreachable_postgres_is_said_without_its_password() {
    let database = sqlite();
    let mut command = serve(&database);
    command.env("KEYWARD_DATABASE__URL", "postgres://keyward:pass-word@127.0.0.1:1/keyward");
    let output = command.env("KEYWARD_HTTP__BIND", "127.0.0.1:0").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(!stderr(&output).contains("pass-word"), "{}", stderr(&output));
}

#[test]
fn the_demonstration_refuses_any_other_database() {
    let database = sqlite();
    refuses(database.keyward(&["serve", "--demo"]), &["--demo uses a throw-away database"]);
    assert!(!database.file().exists());
}

#[test]
fn commands_do_not_make_a_database_by_accident() {
    let database = sqlite();
    for arguments in [&["audit", "verify"][..], &["migrate", "status"], &["migrate", "up"]] {
        let output = database.keyward(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(stderr(&output).contains("there is no Keyward database"), "{}", stderr(&output));
        assert!(!database.file().exists());
    }
}
