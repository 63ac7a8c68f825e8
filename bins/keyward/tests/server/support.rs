//! A server of one's own, its database, and somebody to talk to it.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The address that servers call their own, whatever port they listen on: tokens then outlive a restart.
pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:8080";

/// A database that goes with the test, and the folder that the server works in.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) dir: TempDir,
    postgres: Option<(String, String)>,
}

pub(crate) fn sqlite() -> Database {
    let dir = TempDir::new().unwrap();
    let url = format!("sqlite://{}", dir.path().join("keyward-data/keyward.db").display());
    Database { url, dir, postgres: None }
}

pub(crate) fn postgres() -> Database {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = env::var("KEYWARD_TEST_POSTGRES")
        .expect("this test needs PostgreSQL: run it by `scripts/postgres run cargo test …`");
    let name = format!("keyward_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    psql(&server, &format!("CREATE DATABASE {name}"));
    let (base, _) = server.rsplit_once('/').unwrap();
    Database { url: format!("{base}/{name}"), dir: TempDir::new().unwrap(), postgres: Some((server, name)) }
}

fn psql(server: &str, sql: &str) -> String {
    let output =
        Command::new("psql").args([server, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Database {
    pub(crate) fn file(&self) -> PathBuf {
        PathBuf::from(self.url.strip_prefix("sqlite://").unwrap())
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.dir.path().join("keyward-data/master.key")
    }

    /// Runs SQL behind the server's back; what PostgreSQL answers.
    pub(crate) fn execute(&self, sql: &str) -> String {
        if self.postgres.is_some() {
            return psql(&self.url, sql);
        }
        let script =
            "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.executescript(sys.argv[2])\nc.commit()";
        let status = Command::new("python3").args(["-c", script]).arg(self.file()).arg(sql).status().unwrap();
        assert!(status.success(), "{sql}");
        String::new()
    }

    /// The command, in the database's folder.
    pub(crate) fn keyward(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
        command.args(arguments).current_dir(self.dir.path()).env("KEYWARD_DATABASE__URL", &self.url);
        command
    }

    /// The output of a command that succeeds.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.keyward(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A client for the admin API, made at the command line: identifier and secret.
    pub(crate) fn admin_client(&self) -> (String, String) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("admin-{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let made =
            self.run(&["admin", "create-client", &name, "--scope", "admin:read admin:write", "-o", "json"]);
        let made: Value = serde_json::from_str(&made).unwrap();
        (text(&made, "/client_id"), text(&made, "/client_secret"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.postgres {
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = Command::new("psql").args([server.as_str(), "-qc", &drop]).output();
        }
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The text at a place of a JSON document.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} of {value}")).to_owned()
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    pub(crate) log: PathBuf,
}

impl Server {
    pub(crate) fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    pub(crate) fn start_with(database: &Database, settings: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let log = database.dir.path().join(format!("log-{}", COUNT.fetch_add(1, Ordering::SeqCst)));
        let mut command = database.keyward(&["serve"]);
        command
            .env("KEYWARD_HTTP__BIND", "127.0.0.1:0")
            .env("KEYWARD_HTTP__WORKERS", "2")
            .env("KEYWARD_LIMITS__TOKEN_PER_CLIENT", "0")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().and_then(Result::ok);
        let Some(first) = first else {
            let status = child.wait().unwrap();
            panic!("the server did not start ({status}): {}", fs::read_to_string(&log).unwrap());
        };
        let address =
            first.strip_prefix("Keyward listens on ").unwrap_or_else(|| panic!("{first}")).to_owned();
        // Nobody else reads what follows, and a full pipe would stop the server.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, log }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// How it ended, if it did so in time.
    pub(crate) fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended_within(Duration::from_secs(10)).expect("an exit within ten seconds");
        assert!(status.success(), "{status}");
    }

    /// Asks the token endpoint.
    pub(crate) fn ask_token(
        &self,
        http: &Client,
        (id, secret): &(String, String),
    ) -> reqwest::Result<Response> {
        let form = [("grant_type", "client_credentials")];
        http.post(self.url("/oauth2/token")).basic_auth(id, Some(secret)).form(&form).send()
    }

    pub(crate) fn token(&self, client: &(String, String)) -> String {
        let reply = self.ask_token(&Client::new(), client).unwrap();
        assert_eq!(reply.status(), 200, "{}", self.log());
        text(&reply.json().unwrap(), "/access_token")
    }

    /// Somebody who may do everything.
    pub(crate) fn admin(&self, client: &(String, String)) -> Admin {
        Admin { http: Client::new(), base: self.url("/api/v1/admin"), token: self.token(client) }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A caller of the admin API.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Admin {
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.base)).bearer_auth(&self.token)
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let reply = self.request(reqwest::Method::GET, path).send().unwrap();
        assert_eq!(reply.status(), 200, "GET {path}");
        reply.json().unwrap()
    }

    pub(crate) fn create(&self, path: &str, body: &Value) -> Value {
        let reply = self.request(reqwest::Method::POST, path).json(body).send().unwrap();
        let status = reply.status();
        let answer: Value = reply.json().unwrap();
        assert_eq!(status, 201, "POST {path}: {answer}");
        answer
    }

    /// Every event of the audit log that a query selects.
    pub(crate) fn events(&self, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("audit?per_page=100{query}{cursor}"));
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            match page.pointer("/pagination/next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// A tenant, a permission in the catalogue, and an API client that has it: identifier and secret.
    pub(crate) fn api_client(&self, slug: &str, algorithm: &str) -> (Value, (String, String)) {
        let tenant = self.create("tenants", &json!({ "name": slug, "slug": slug }));
        let row = json!({ "resource": format!("points-{slug}"), "view": format!("{slug}:read"), "change": [format!("{slug}:write")] });
        self.create("permissions", &row);
        let application = self.create(
            "applications",
            &json!({
                "type": "service", "tenant_id": tenant["id"], "client_id": "crm-sync",
                "allowed_scopes": [format!("{slug}:read"), format!("{slug}:write")], "token_alg": algorithm
            }),
        );
        let client = (text(&application, "/client_id"), text(&application, "/secret/value"));
        (application, client)
    }
}

/// What a JWT says, its signature aside.
pub(crate) fn claims(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Tries until something holds, at most this long.
pub(crate) fn eventually(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
