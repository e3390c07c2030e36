//! A mail server of somebody else's that takes mail and hands all of it to one next hop.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Client, PATIENCE, free_port, installed};
use crate::trust::Trust;
use crate::{Account, exim, opensmtpd, postfix, skipped};

/// Whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postfix,
    Exim,
    OpenSmtpd,
}

/// How it stands among the others.
pub struct Place<'a> {
    /// The port of the next hop, on the loopback.
    pub next: u16,
    /// It signs in there, after STARTTLS and a look at the certificate; in clear without a word where there is none.
    pub signs_in: Option<Account>,
    /// Whoever sends to it must sign in so, under TLS; where there is none, all of the loopback may send, in clear.
    pub asks: Option<Account>,
    pub trust: &'a Trust,
}

/// Its directory and ports, before it runs.
pub struct Site<'a> {
    pub root: &'a Path,
    pub port: u16,
    /// Where it speaks TLS from the first octet, if it asks for an account.
    pub implicit: u16,
    pub place: &'a Place<'a>,
}

/// How it is ended.
pub enum End {
    /// It and all that it started are of one group of processes.
    Group(Child),
    /// What it started dies with it.
    Process(Child),
    /// This command ends it.
    Command(Command),
}

pub struct Server {
    pub port: u16,
    pub implicit: u16,
    kind: Kind,
    dir: tempfile::TempDir,
    end: End,
}

impl Server {
    /// Listens on free ports of the loopback. `None`, and a word why, where it cannot run.
    pub fn start(kind: Kind, place: &Place) -> Option<Self> {
        let begin = match kind {
            Kind::Postfix => postfix::begin,
            Kind::Exim => exim::begin,
            Kind::OpenSmtpd => opensmtpd::begin,
        };
        if said_by(Command::new("id").arg("-u")).trim() != "0" {
            skipped(&format!("{kind:?} starts as root alone"));
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        // Its own user reads there.
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).expect("its mode");
        place.trust.lay(dir.path());
        let site = Site { root: dir.path(), port: free_port(), implicit: free_port(), place };
        let end = begin(&site)?;
        let server = Self { port: site.port, implicit: site.implicit, kind, dir, end };
        let until = Instant::now() + PATIENCE;
        while Client::connect(server.port).is_err() {
            assert!(Instant::now() < until, "{kind:?} does not listen\n{}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    /// Tells it to try again what waits. The others do so each second; a Postfix that finds a message of its queue in delivery at that
    /// moment leaves it alone for longer than a test waits.
    pub fn flush(&self) {
        if self.kind == Kind::Postfix
            && let Some(postfix) = program("postfix")
        {
            said_by(Command::new(postfix).arg("-c").arg(self.dir.path().join("etc")).arg("flush"));
        }
    }

    /// All that it has said.
    pub fn log(&self) -> String {
        let read = |name| std::fs::read(self.dir.path().join(name)).unwrap_or_default();
        let logs = ["mail.log", "mainlog", "paniclog", "said"].map(read).concat();
        String::from_utf8_lossy(&logs).into_owned()
    }

    /// Waits until it has said this.
    pub fn until_told(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < until, "{words:?} is not said\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.end {
            End::Group(child) => {
                let _ = Command::new("kill").args(["-TERM", "--", &format!("-{}", child.id())]).output();
                let _ = child.wait();
            }
            End::Process(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            End::Command(command) => {
                let _ = command.output();
            }
        }
        if std::thread::panicking() {
            println!("--- {}\n{}", self.dir.path().display(), self.log());
        }
    }
}

/// Starts it in a group of its own; what it says goes to `said`.
pub fn spawn(command: &mut Command, root: &Path) -> Child {
    let said = std::fs::File::create(root.join("said")).expect("its file");
    command.stdin(Stdio::null()).stdout(said.try_clone().expect("the file twice")).stderr(said);
    command.process_group(0).spawn().expect("the program starts")
}

/// Runs it to its end, which is a good one; what it said.
pub fn said_by(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A server that was unpacked, or is installed after all.
pub fn program(name: &str) -> Option<PathBuf> {
    let unpacked = std::env::var_os("SCHOOLGATE_MTAS").map(|folder| Path::new(&folder).join("usr/sbin").join(name));
    let found = unpacked.filter(|file| file.is_file()).or_else(|| installed(name));
    if found.is_none() {
        skipped(&format!("{name} is not installed"));
    }
    found
}

/// Whether the machine has these users; the programs want them.
pub fn has_users(names: &[&str]) -> bool {
    let is_there = |name: &&str| Command::new("id").arg(name).output().expect("id is there").status.success();
    let missing = names.iter().find(|name| !is_there(name));
    if let Some(name) = missing {
        skipped(&format!("there is no user {name}"));
    }
    missing.is_none()
}
