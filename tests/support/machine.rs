//! A clean machine: this one as it lies, in a mount namespace of its own, where whatever is written goes to memory and
//! is gone with the test. Users, `/etc` and `/usr/bin` can be changed as a technician would.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Where commands start, as a technician who keeps the configuration there.
const HOME: &str = "/etc/schoolgate";

/// An overlay over `/`; what is below it stays as it is. Says `made` once all is there and lasts until its input ends.
const MAKE: &str = r#"set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for kernel in dev proc sys; do mount --rbind "/$kernel" "$1/root/$kernel"; done
rm -rf "$1/root/etc/schoolgate" "$1/root/var/lib/schoolgate"
echo made
cat"#;

pub struct Machine {
    keeper: Child,
    place: TempDir,
}

impl Machine {
    /// `None`, and a word why, where this process may not make one.
    pub fn new() -> Option<Self> {
        let place = tempfile::tempdir().expect("a temporary directory");
        let keeper = Command::new("unshare")
            .args(["--mount", "sh", "-c", MAKE, "sh"])
            .arg(place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut keeper) = keeper else {
            println!("skipped: no `unshare` (util-linux)");
            return None;
        };
        let mut said = String::new();
        BufReader::new(keeper.stdout.as_mut().expect("its output")).read_line(&mut said).expect("a line");
        if said.trim() == "made" {
            return Some(Self { keeper, place });
        }
        let output = keeper.wait_with_output().expect("its end");
        println!("skipped: only root may mount: {}", String::from_utf8_lossy(&output.stderr));
        None
    }

    /// Runs a line of the shell, as root or as this user, to its end.
    pub fn run(&self, user: Option<&str>, line: &str) -> Output {
        self.command(user, line).stdin(Stdio::null()).output().expect("a shell")
    }

    /// Starts a line of the shell; its errors are collected.
    pub fn spawn(&self, user: Option<&str>, line: &str) -> Child {
        let mut command = self.command(user, line);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a shell")
    }

    /// As root; panics with what it said where it fails.
    pub fn must(&self, line: &str) -> String {
        let output = self.run(None, line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A file of root's, with this content and mode.
    pub fn write(&self, path: &str, mode: &str, content: &[u8]) {
        let line = format!("mkdir -p \"$(dirname {path})\" && cat > {path} && chmod {mode} {path}");
        let mut shell = self.command(None, &line).stdin(Stdio::piped()).spawn().expect("a shell");
        shell.stdin.take().expect("its input").write_all(content).expect("the content is taken");
        assert!(shell.wait().expect("its end").success(), "{path} is written");
    }

    fn command(&self, user: Option<&str>, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.keeper.id())).args(["--", "chroot"]);
        if let Some(user) = user {
            command.arg(format!("--userspec={user}:{user}"));
        }
        command.arg(self.place.path().join("root")).args(["sh", "-c"]);
        command.arg(format!("if [ -d {HOME} ]; then cd {HOME}; fi; {line}"));
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
