//! The real binary on a school directory of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{Client, PATIENCE, free_port};

/// A school directory, and `schoolgate serve` on it while started. Killed when dropped.
pub struct Gateway {
    pub port: u16,
    pub config: PathBuf,
    dir: tempfile::TempDir,
    child: Option<Child>,
    monitor: u16,
    /// The user that it runs as, where that is not ours.
    user: Option<u32>,
}

impl Gateway {
    /// Lays a directory from `fixtures/school`, with free ports; mail goes on to `smarthost` on the loopback.
    pub fn new(smarthost: u16) -> Self {
        Self::of("school", smarthost)
    }

    /// As [`Gateway::new`], from another folder below `fixtures/`; its lists may lie beside that folder.
    pub fn of(folder: &str, smarthost: u16) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let school = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
        std::fs::create_dir(dir.path().join("roster")).expect("the roster's directory");
        std::fs::write(dir.path().join("store.key"), "5a".repeat(32)).expect("the key");
        let port = free_port();
        let text = std::fs::read_to_string(school.join("school.toml")).expect("the school's configuration");
        let mut config: toml::Table = text.parse().expect("sound TOML");
        for list in ["pupils", "guardians", "staff", "correspondents"] {
            let name = format!("roster/{list}.csv");
            let from = config["directory"][list].as_str().expect("a list of the roster").to_owned();
            std::fs::copy(school.join(from), dir.path().join(&name)).expect("a list of the roster");
            set(&mut config, "directory", list, name);
        }
        set(&mut config, "listen", "addresses", vec![format!("127.0.0.1:{port}")]);
        set(&mut config, "smarthost", "port", i64::from(smarthost));
        // A tenth of a second, then half a second: what must be tried again is tried while the test looks.
        set(&mut config, "queue", "retry_minutes", vec![0.002, 0.01]);
        let file = dir.path().join("schoolgate.toml");
        std::fs::write(&file, toml::to_string(&config).expect("TOML")).expect("the configuration");
        Self { port, config: file, dir, child: None, monitor: 0, user: None }
    }

    /// A gateway that runs.
    pub fn started(smarthost: u16) -> Self {
        let mut gateway = Self::new(smarthost);
        gateway.start(&[]);
        gateway
    }

    /// Changes the configuration; takes effect at the next start.
    pub fn set(&self, section: &str, key: &str, value: impl Into<toml::Value>) {
        let text = std::fs::read_to_string(&self.config).expect("the configuration");
        let mut config: toml::Table = text.parse().expect("sound TOML");
        set(&mut config, section, key, value);
        std::fs::write(&self.config, toml::to_string(&config).expect("TOML")).expect("the configuration");
    }

    /// From now on it runs as this user, to whom its directory is given; wants root.
    pub fn belongs_to(&mut self, user: u32) {
        self.user = Some(user);
        let directory = self.dir.path();
        let owner = format!("{user}:{user}");
        let given = Command::new("chown").arg("-R").arg(owner).arg(directory).status().expect("chown is there");
        assert!(given.success(), "only root gives files away");
        // Others may read the configuration, as in /etc; not the key.
        for (file, mode) in [(directory.to_owned(), 0o755), (directory.join("store.key"), 0o600)] {
            std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).expect("its mode");
        }
    }

    /// The store's directory.
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// Starts it and waits until it greets.
    pub fn start(&mut self, environment: &[(&str, &str)]) {
        if let Err(status) = self.try_start(environment) {
            panic!("it ended before it listened: {status}\n{}", self.log());
        }
    }

    /// As [`Gateway::start`], for one that may end before it greets: then how it ended.
    pub fn try_start(&mut self, environment: &[(&str, &str)]) -> Result<(), ExitStatus> {
        self.spawn(environment);
        let until = Instant::now() + PATIENCE;
        while Client::connect(self.port).is_err() {
            if let Some(status) = self.exited() {
                return Err(status);
            }
            assert!(Instant::now() < until, "it does not listen\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts the process and waits for nothing.
    pub fn spawn(&mut self, environment: &[(&str, &str)]) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.log_file()).expect("the log");
        let child = program(self.user)
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            // Whoever plays systemd says so.
            .env_remove("NOTIFY_SOCKET")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log twice"))
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.child = Some(child);
    }

    /// SIGKILL: no farewell, nothing flushed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have died by itself; either way it is reaped.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and its exit status.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.wait_for_exit()
    }

    /// Sends a signal by name, as `-HUP`.
    pub fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("kill is there");
        assert!(status.success(), "kill {signal}: {status}");
    }

    /// Waits until it has ended by itself.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.exited() {
                return status;
            }
            assert!(Instant::now() < until, "it does not end\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Whether it runs.
    pub fn running(&mut self) -> bool {
        self.child.is_some() && self.exited().is_none()
    }

    /// How it ended, if it has; then it may be started again.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("its status")?;
        self.child = None;
        Some(status)
    }

    /// Puts metrics and health on a port of their own; takes effect at the next start.
    pub fn monitored(&mut self) {
        self.monitor = free_port();
        self.set("monitor", "address", format!("127.0.0.1:{}", self.monitor));
    }

    /// A page of the monitor: its status and its text. Status 0 where nobody answers.
    pub fn page(&self, path: &str) -> (u16, String) {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.monitor))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: monitor\r\nConnection: close\r\n\r\n")?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            Ok(text)
        };
        let text = ask().unwrap_or_default();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
    }

    /// Waits until `/readyz` answers this status; gives its text.
    pub fn wait_for_readiness(&self, wanted: u16) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let (status, text) = self.page("/readyz");
            if status == wanted {
                return text;
            }
            assert!(Instant::now() < until, "/readyz is {status} {text:?}, not {wanted}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The reply that stands in place of a banner, or the banner.
    pub fn banner(&self) -> String {
        let mut line = String::new();
        let read = TcpStream::connect(("127.0.0.1", self.port)).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            BufReader::new(stream).read_line(&mut line)
        });
        read.map(|_| line).unwrap_or_default()
    }

    /// The directory of the school, where the store is too.
    pub fn directory(&self) -> &Path {
        self.dir.path()
    }

    /// A client that has said EHLO.
    pub fn client(&self) -> Client {
        let mut client = Client::connect(self.port).unwrap_or_else(|e| panic!("no greeting: {e}\n{}", self.log()));
        client.hello().expect("EHLO is answered");
        client
    }

    /// Runs a command of the program on this school; its output.
    pub fn command(&self, arguments: &[&str]) -> std::process::Output {
        self.command_as(None, arguments)
    }

    /// As [`Gateway::command`], as another user; `None` is ourselves.
    pub fn command_as(&self, user: Option<u32>, arguments: &[&str]) -> std::process::Output {
        let mut command = program(user);
        command.args(arguments).arg("--config").arg(&self.config).output().expect("the program starts")
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// All that it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            println!("--- the gateway's log\n{}", self.log());
        }
    }
}

/// The program, as this user; `None` is ourselves.
fn program(user: Option<u32>) -> Command {
    let program = env!("CARGO_BIN_EXE_schoolgate");
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", program]);
    command
}

fn set(config: &mut toml::Table, section: &str, key: &str, value: impl Into<toml::Value>) {
    let section = config.entry(section).or_insert_with(|| toml::Table::new().into());
    section.as_table_mut().expect("a section").insert(key.to_owned(), value.into());
}
