//! A PostgreSQL server of a test's own, on loopback.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio_postgres::{Config, NoTls};

/// Ports that are tried: another program may take one before the server does.
const PORTS: u32 = 5;

/// How often it is looked whether the server answers, and how long.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 400;

/// A server, which ends with it.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    user: Option<(u32, u32)>,
    port: u16,
    running: Option<Child>,
}

impl Server {
    /// Starts one with an empty cluster; none where PostgreSQL is not installed, which it says.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped: PostgreSQL is not installed (initdb is not found)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL refuses to run as root.
        let user = match is_root(folder.path()) {
            true => Some(postgres_user()?),
            false => None,
        };
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let mut server = Self { programs, folder, user, port: 0, running: None };
        let made = server
            .program("initdb")
            .args(["--no-sync", "--auth=trust", "--username=test", "--encoding=UTF8", "-D"])
            .arg(server.cluster())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for _ in 0..PORTS {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            server.port = free.local_addr().unwrap().port();
            drop(free);
            if server.run().await {
                return Some(server);
            }
        }
        panic!("PostgreSQL did not start on {PORTS} ports");
    }

    /// Starts the server on its port; whether it answers.
    pub(crate) async fn run(&mut self) -> bool {
        let child = self
            .program("postgres")
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "fsync=off", "-p", &self.port.to_string(), "-D"])
            .arg(self.cluster())
            .spawn()
            .unwrap();
        self.running = Some(child);
        for _ in 0..LOOKS {
            if self.config().connect(NoTls).await.is_ok() {
                return true;
            }
            if self.running.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("PostgreSQL does not answer");
    }

    /// Stops the server at once, as a power loss would.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        let stopped = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
        if !stopped.is_ok_and(|stopped| stopped.success()) {
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("test").dbname("postgres");
        config
    }

    fn cluster(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the newest PostgreSQL's programs are.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = found.into_iter().rev().chain(std::env::split_paths(&path));
    let mut with_all = all.filter(|folder| folder.join("initdb").exists());
    with_all.find(|folder| folder.join("postgres").exists())
}

fn is_root(made: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(made).unwrap().uid() == 0
}

/// The ids of the user `postgres`.
fn postgres_user() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = users.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let ids = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        (fields[0] == "postgres").then_some(ids)
    });
    if user.is_none() {
        println!("skipped: PostgreSQL does not run as root, and there is no user postgres");
    }
    user
}
