//! The proxies, with the configurations as they are published but for the ports.

use std::{
    env,
    fs::{self, File},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{StatusCode, blocking::Client};
use tempfile::TempDir;

use super::upstream::Upstream;
use crate::{
    guide::{free_ports, moved, root},
    support::{Server, eventually},
};

/// The user that Debian has for those who own nothing.
const NOBODY: u32 = 65_534;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Traefik,
    Envoy,
}

impl Kind {
    /// The name of its configuration.
    fn file(self) -> &'static str {
        match self {
            Self::Nginx => "nginx.conf",
            Self::Traefik => "traefik-dynamic.yml",
            Self::Envoy => "envoy.yaml",
        }
    }

    /// How it is started on a configuration, which says so itself for those that need more than its name.
    fn command(self, configuration: &Path) -> Command {
        let folder = configuration.parent().unwrap();
        let mut command;
        match self {
            Self::Nginx => {
                command = Command::new("/usr/sbin/nginx");
                command.arg("-p").arg(folder).arg("-c").arg(configuration).args(["-g", "daemon off;"]);
                if fs::metadata(folder).unwrap().uid() == 0 {
                    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
                    command.uid(NOBODY).gid(NOBODY);
                }
            }
            Self::Traefik => {
                command = Command::new(tool("traefik"));
                command.args(flags(&fs::read_to_string(configuration).unwrap()));
                // It would ask for newer versions of itself.
                command.arg("--global.checknewversion=false");
            }
            Self::Envoy => {
                command = Command::new(tool("envoy"));
                // Several may run at the same time.
                command.arg("-c").arg(configuration).args(["--disable-hot-restart", "--concurrency", "1"]);
            }
        }
        command.current_dir(folder);
        command
    }
}

/// A program that comes as a Python package.
fn tool(name: &str) -> PathBuf {
    let python = env::var("KEYWARD_TEST_PYTHON").expect("run this test by scripts/test");
    Path::new(&python).with_file_name(name)
}

/// The flags in the command that Traefik's configuration begins with.
fn flags(configuration: &str) -> Vec<String> {
    let words =
        configuration.lines().filter_map(|line| line.strip_prefix("#   ")).flat_map(str::split_whitespace);
    let flags: Vec<String> = words.filter(|word| word.starts_with("--")).map(str::to_owned).collect();
    assert_eq!(flags.len(), 3, "{flags:?}");
    flags
}

/// A proxy that runs; stopped when dropped.
pub(super) struct Proxy {
    pub(super) url: String,
    child: Child,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // So that it stops its workers, too.
        let _ = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Proxy {
    pub(super) fn start(kind: Kind, server: &Server, upstream: &Upstream) -> Self {
        let [port] = free_ports();
        let (_, keyward) = server.address.rsplit_once(':').unwrap();
        let unused = String::new();
        let ports = [keyward.to_owned(), unused.clone(), unused, port.clone(), upstream.port.clone()];
        let folder = TempDir::new().unwrap();
        let (configuration, log) = (folder.path().join(kind.file()), folder.path().join("stderr"));
        let published = fs::read_to_string(root().join("docs/proxies").join(kind.file())).unwrap();
        fs::write(&configuration, moved(&published, &ports)).unwrap();
        let mut command = kind.command(&configuration);
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn();
        let child = child.expect("nginx is installed, and the others are, too: run scripts/test");
        let http = Client::new();
        let mut proxy = Self { url: format!("http://127.0.0.1:{port}"), child, _folder: folder };
        eventually(Duration::from_secs(30), kind.file(), || {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none(), "{kind:?}: {}", fs::read_to_string(&log).unwrap());
            // Traefik listens before it knows of any route.
            http.get(&proxy.url).send().is_ok_and(|reply| reply.status() == StatusCode::UNAUTHORIZED)
        });
        proxy
    }
}
