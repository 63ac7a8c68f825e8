//! What `serve --demo` prints works when pasted.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::text;

/// A running demonstration; killed when dropped.
struct Demo {
    child: Child,
    printed: Vec<String>,
    dir: TempDir,
}

impl Demo {
    /// Starts it and reads all that it prints.
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
        command.args(["serve", "--demo"]).current_dir(&dir).env("KEYWARD_HTTP__BIND", "127.0.0.1:0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut printed = Vec::new();
        for line in lines {
            let is_last = line.contains("Ctrl-C");
            printed.push(line);
            if is_last {
                break;
            }
        }
        Self { child, printed, dir }
    }

    /// Pastes the printed commands into a shell; what each line of output says.
    fn pasted(&self) -> Vec<Value> {
        let commands: Vec<&str> = self.printed.iter().filter_map(|line| line.strip_prefix("  ")).collect();
        assert!(commands.len() > 8, "{:?}", self.printed);
        let script = commands.join("\n");
        let shell = Command::new("sh").args(["-ec", &script]).current_dir(&self.dir).output().unwrap();
        let errors = String::from_utf8_lossy(&shell.stderr);
        assert!(shell.status.success(), "{script}\n{errors}");
        let output = String::from_utf8(shell.stdout).unwrap();
        let json =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}\n{script}\n{errors}"));
        output.lines().filter(|line| !line.is_empty()).map(json).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn its_commands_work_when_pasted() {
    let demo = Demo::start();
    let [by_token, refused, by_key, issued, denied] = &demo.pasted()[..] else {
        panic!("{:?}", demo.printed);
    };
    assert_eq!(by_token["points"][0]["balance"], 120);
    assert_eq!(refused["status"], 403);
    assert_eq!(refused["required_permissions"], serde_json::json!(["points:write"]));
    assert!(text(refused, "/detail").contains("points:write"));
    assert_eq!(by_key["points"][0]["balance"], 120);
    // The newest is the administrator's own.
    assert_eq!(issued["data"][1]["action"], "token.issued");
    assert_eq!(issued["data"][1]["actor"]["name"], "acme.crm-sync");
    assert_eq!(denied["data"][0]["reason"], "permission_denied");
    assert_eq!(denied["data"][0]["actor"]["name"], "acme.crm-sync");
}

#[test]
fn it_refuses_any_other_database() {
    let dir = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command.args(["serve", "--demo"]).current_dir(&dir).env("KEYWARD_DATABASE__URL", "sqlite://mine.db");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(!dir.path().join("mine.db").exists());
}
