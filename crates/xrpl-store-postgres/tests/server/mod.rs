//! A PostgreSQL server of a test's own, on loopback. Tests of other crates use it too.

#![allow(dead_code)]

use std::{
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

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
    pub(crate) port: u16,
    password: Option<String>,
    /// Settings besides.
    settings: Vec<String>,
    running: Option<Child>,
}

impl Server {
    /// Starts one that lets everybody in; none where PostgreSQL is not installed, which it says.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(None, |_| Vec::new())
    }

    /// Starts one for whose user `test` a password is needed, if one is given, with settings that may
    /// name files in its folder.
    pub(crate) fn start_with(
        password: Option<&str>,
        settings: impl FnOnce(&Path) -> Vec<String>,
    ) -> Option<Self> {
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
        let settings = settings(folder.path());
        if let Some(password) = password {
            std::fs::write(folder.path().join("password"), password).unwrap();
        }
        if let Some((uid, gid)) = user {
            let inside = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
            for path in inside.chain([folder.path().to_owned()]) {
                chown(path, Some(uid), Some(gid)).unwrap();
            }
        }
        let kept = password.map(str::to_owned);
        let mut server =
            Self { programs, folder, user, port: 0, password: kept, settings, running: None };
        let mut make = server.program("initdb");
        make.args(["--no-sync", "--username=test", "--encoding=UTF8", "-D"]).arg(server.cluster());
        match password {
            Some(_) => make.args(["--auth=scram-sha-256", "--pwfile=password"]),
            None => make.args(["--auth=trust"]),
        };
        let made = make.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for _ in 0..PORTS {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            server.port = free.local_addr().unwrap().port();
            drop(free);
            if server.run() {
                return Some(server);
            }
        }
        panic!("PostgreSQL did not start on {PORTS} ports");
    }

    /// Starts the server on its port; whether it answers.
    pub(crate) fn run(&mut self) -> bool {
        let mut command = self.program("postgres");
        command
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "fsync=off", "-p", &self.port.to_string(), "-D"])
            .arg(self.cluster());
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.running = Some(command.spawn().unwrap());
        for _ in 0..LOOKS {
            let mut look = self.program("pg_isready");
            look.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if look.status().unwrap().success() {
                return true;
            }
            if self.running.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            thread::sleep(LOOK);
        }
        panic!("PostgreSQL does not answer");
    }

    /// Stops the server at once, as a power loss would (`pg_ctl stop -m immediate`).
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        let stopped = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
        if !stopped.is_ok_and(|stopped| stopped.success()) {
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    /// The address of its database, without a password.
    pub(crate) fn address(&self) -> String {
        format!("postgres://test@127.0.0.1:{}/postgres", self.port)
    }

    /// What a statement results in, in lines.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let Output { status, stdout, stderr } = self
            .program("psql")
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, &self.address()])
            .env("PGPASSWORD", self.password.as_deref().unwrap_or_default())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(status.success(), "{statement}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap().trim_end().to_owned()
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
