//! `docs/protect-an-api.md`: what it says is run, in its order, by one shell.
//!
//! The second word of a block's language says what is done with it: `console` is run, `python NAME` is written to a file,
//! and `rust PATH` must stand in that file.

use std::{
    env,
    fs::{self, create_dir_all},
    io::{Read, Write},
    net::TcpListener,
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use keyward_model::admission::Reason;
use tempfile::TempDir;

/// How long a command may take, or a program in the background until it says what it is expected to say.
const PATIENCE: Duration = Duration::from_secs(30);
/// The ports of the guide, which others may use on the machine that the tests run on.
const PORTS: [&str; 5] = ["8080", "8081", "8082", "8083", "8084"];
/// What stands for anything.
const ANYTHING: char = '…';

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the server's binary, where those of the examples are, too.
pub(crate) fn binaries() -> &'static Path {
    let folder = Path::new(env!("CARGO_BIN_EXE_keyward")).parent().unwrap();
    for name in ["points-api", "passes-api", "nightly-job"] {
        let built = folder.join(name).exists();
        assert!(built, "{name} is not built: run this test by `cargo test --workspace`, or build it before");
    }
    folder
}

/// So many ports that nobody listens on.
pub(crate) fn free_ports<const COUNT: usize>() -> [String; COUNT] {
    let held: [TcpListener; COUNT] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port().to_string())
}

/// A document with other ports.
pub(crate) fn moved(text: &str, ports: &[String]) -> String {
    PORTS.iter().zip(ports).fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The fenced blocks of a document: language, the rest of the line, and text.
fn blocks(document: &str) -> Vec<(&str, &str, String)> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push((language, rest, text.join("\n") + "\n"));
    }
    blocks
}

/// Commands, each with the lines that it prints.
fn steps(console: &str) -> Vec<(&str, Vec<&str>)> {
    let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in console.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command, Vec::new())),
            (None, Some((_, printed))) => printed.push(line),
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    steps
}

/// Whether lines are as expected, of which parts may stand for anything.
fn are_like(actual: &[&str], expected: &[&str]) -> bool {
    let line_is_like = |(actual, expected): (&&str, &&str)| {
        let mut parts: Vec<&str> = expected.split(ANYTHING).collect();
        let last = parts.pop().unwrap_or_default();
        let mut rest = *actual;
        for (index, part) in parts.iter().enumerate() {
            match rest.find(part) {
                Some(at) if index > 0 || at == 0 => rest = &rest[at + part.len()..],
                _ => return false,
            }
        }
        if parts.is_empty() { rest == last } else { rest.ends_with(last) }
    };
    actual.len() == expected.len() && actual.iter().zip(expected).all(line_is_like)
}

#[test]
fn the_comparison_compares() {
    for (actual, expected, same) in [
        (&["a"][..], &["a"][..], true),
        (&["a"], &["b"], false),
        (&["a", "b"], &["a"], false),
        (&[], &["a"], false),
        (&[], &[], true),
        (&["a-b-c"], &["a…c"], true),
        (&["a-b-c"], &["a…b…c"], true),
        (&["a-b-c"], &["b…c"], false),
        (&["a-b-c"], &["a…b"], false),
        (&["a-b-c"], &["a…c…b"], false),
        (&["says … so"], &["says … so"], true),
    ] {
        assert_eq!(are_like(actual, expected), same, "{actual:?} {expected:?}");
    }
}

/// A shell, with all that it starts; ended when dropped.
struct Shell {
    child: Child,
    input: ChildStdin,
    output: Arc<Mutex<Vec<u8>>>,
    folder: TempDir,
    count: usize,
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        let _ = self.child.wait();
        // nginx left the group, unless the guide came to its end.
        if let Ok(id) = fs::read_to_string(self.folder.path().join("nginx/nginx.pid")) {
            let _ = Command::new("kill").arg(id.trim()).status();
        }
    }
}

impl Shell {
    /// A shell in a folder of its own, where a reader would be in the repository.
    fn start(ports: &[String]) -> Self {
        let folder = TempDir::new().unwrap();
        create_dir_all(folder.path().join("docs/proxies")).unwrap();
        create_dir_all(folder.path().join("target")).unwrap();
        symlink(binaries(), folder.path().join("target/release")).unwrap();
        let nginx = fs::read_to_string(root().join("docs/proxies/nginx.conf")).unwrap();
        fs::write(folder.path().join("docs/proxies/nginx.conf"), moved(&nginx, ports)).unwrap();
        // The Python that has PyJWT.
        let python = env::var("KEYWARD_TEST_PYTHON").expect("run this test by scripts/test");
        let python = Path::new(&python).parent().unwrap();
        let path = format!("{}:{}", python.display(), env::var("PATH").unwrap());
        let mut child = Command::new("bash")
            .args(["--norc", "--noprofile"])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("KEYWARD_HTTP__BIND", format!("127.0.0.1:{}", ports[0]))
            .env("KEYWARD_HTTP__WORKERS", "2")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, mut pipe) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let output = Arc::new(Mutex::new(Vec::new()));
        let copy = output.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                copy.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        let mut shell = Self { child, input, output, folder, count: 0 };
        writeln!(shell.input, "exec 2>&1").unwrap();
        shell
    }

    /// Runs a command; it must print what is expected, one in the background before long.
    fn run(&mut self, command: &str, expected: &[&str]) {
        self.count += 1;
        let mark = format!("-- end of command {} --", self.count);
        self.output.lock().unwrap().clear();
        writeln!(self.input, "{command}\nprintf '\\n%s\\n' '{mark}'").unwrap();
        let began = Instant::now();
        loop {
            let printed = String::from_utf8_lossy(&self.output.lock().unwrap()).replace('\r', "");
            let has_ended = printed.contains(&mark);
            let actual: Vec<&str> =
                printed.lines().filter(|line| !line.is_empty() && *line != mark).collect();
            if has_ended && are_like(&actual, expected) {
                return;
            }
            let may_change = (!has_ended || command.ends_with('&')) && began.elapsed() < PATIENCE;
            let log = if may_change { String::new() } else { self.log() };
            assert!(may_change, "$ {command}\n{actual:#?}\nbut the guide says\n{expected:#?}\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("keyward.log")).unwrap_or_default()
    }
}

#[test]
fn what_it_says_is_so() {
    let guide = fs::read_to_string(root().join("docs/protect-an-api.md")).unwrap();
    let ports = free_ports::<{ PORTS.len() }>();
    let mut shell = Shell::start(&ports);
    let mut commands = 0;
    for (language, rest, text) in blocks(&guide) {
        match (language, rest) {
            ("console", "") => {
                for (command, expected) in steps(&moved(&text, &ports)) {
                    shell.run(command, &expected);
                    commands += 1;
                }
            }
            ("python", name) => {
                fs::write(shell.folder.path().join(name), moved(&text, &ports)).unwrap();
            }
            ("rust", path) => {
                let source = fs::read_to_string(root().join(path)).unwrap();
                assert!(source.contains(&text), "this is not in {path}:\n{text}");
            }
            ("sh", "") => {}
            other => panic!("nobody checks blocks like {other:?}"),
        }
    }
    assert!(commands > 40, "the commands are found");
}

#[test]
fn it_names_every_reason() {
    let guide = fs::read_to_string(root().join("docs/protect-an-api.md")).unwrap();
    for reason in Reason::ALL {
        let row = format!("| `{}` | {} | ", reason.code(), reason.status());
        assert!(guide.contains(&row), "no row {row}");
    }
    let rows = guide.lines().filter(|line| line.starts_with("| `") && line.contains("` | 4"));
    assert_eq!(rows.count(), Reason::ALL.len(), "a reason that there is none of");
}
