//! The words of pages that are pictures, by Debian's `tesseract`, in a process of its own for each page.
//!
//! The process is given one picture and asked for its words. It may read and execute what Debian installs below `/usr`,
//! write no file, open no network connection (Landlock, where the kernel has it), gain no privilege, and use no more memory
//! and time than is set here; all that holds before it sees the first octet of the picture. Its time is that of the processor:
//! a page is not given up because the machine has other work. Knows nothing of messages.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    path_beneath_rules,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::Why;
use super::pool::{Timed, is_timeout};
use super::worker::give_way;
use crate::limits;
use crate::text::Halt;

/// Names the program, or says `off`.
pub const VARIABLE: &str = "SCHOOLGATE_TESSERACT";

/// Where Debian's package `tesseract-ocr` puts it.
pub const PROGRAM: &str = "/usr/bin/tesseract";

/// What the program reads beside itself: libraries, and what it knows of letters.
const READ: &[&str] = &["/usr", "/lib", "/lib64", "/etc/ld.so.cache"];

/// The program that reads pages, looked for once; nothing where none is installed or none is wanted.
pub fn program() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| found(std::env::var_os(VARIABLE))).as_deref()
}

fn found(named: Option<OsString>) -> Option<PathBuf> {
    let path = PathBuf::from(named.filter(|n| !n.is_empty()).unwrap_or_else(|| PROGRAM.into()));
    path.is_file().then_some(path)
}

/// The lines that `program` finds in a picture in PNG. What it takes of the processor comes off `time`; the page is given up
/// when that is used up, when [`limits::OCR_PATIENCE`] times as long has passed, and when `halt` is set.
///
/// # Errors
/// The reason for which the page counts as unread.
pub fn lines(program: &Path, picture: &[u8], time: &mut Duration, halt: &Halt) -> Result<Vec<String>, Why> {
    let started_at = Instant::now();
    let until = started_at + *time * limits::OCR_PATIENCE;
    let (ours, theirs) = UnixStream::pair().map_err(|_| Why::BeyondLimit)?;
    let mut reader = Process(started(program, theirs).map_err(|_| Why::BeyondLimit)?);
    let text = reader.limit(*time).and_then(|()| answer(&ours, picture, until, halt));
    *time = time.saturating_sub(reader.used().unwrap_or_else(|| started_at.elapsed()));
    if reader.ran_out_of_time() {
        return Err(Why::BeyondLimit);
    }
    let text = text.map_err(|error| if is_timeout(&error) { Why::BeyondLimit } else { Why::Damaged })?;
    let lines: Vec<String> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    let letters = lines.iter().flat_map(|line| line.chars()).filter(|c| c.is_alphanumeric()).count();
    if letters < limits::OCR_LETTERS { Err(Why::Damaged) } else { Ok(lines) }
}

/// Starts the program from a thread that has given up what the program does not need: a thread hands its own confinement
/// on to what it starts, and nobody else is confined by it.
fn started(program: &Path, wire: UnixStream) -> io::Result<Child> {
    let input = OwnedFd::from(wire.try_clone()?);
    let mut command = Command::new(program);
    command.args(["stdin", "stdout", "-l", "eng", "--psm", "6", "quiet"]);
    command.env_clear().env("OMP_THREAD_LIMIT", "1").current_dir("/");
    // Opened here: the thread below may not.
    let nowhere = File::options().write(true).open("/dev/null")?;
    command.stdin(input).stdout(OwnedFd::from(wire)).stderr(nowhere);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("ocr".to_owned()).spawn_scoped(scope, || {
            give_way();
            rustix::thread::set_no_new_privs(true)?;
            confine(program);
            command.spawn()
        })?;
        thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    })
}

/// Reading and executing where programs are installed, and nothing else. A kernel without Landlock is no reason to read no
/// page: the limits hold in any case.
fn confine(program: &Path) {
    let allowed = AccessFs::from_read(ABI::V5);
    let places = READ.iter().map(Path::new).chain([program]);
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(places, allowed)));
    if let Ok(rules) = rules {
        let _ = rules.restrict_self();
    }
}

/// Hands the picture over, and takes what is said of it.
fn answer(wire: &UnixStream, picture: &[u8], until: Instant, halt: &Halt) -> io::Result<String> {
    Timed { wire, until }.write_all(picture)?;
    wire.shutdown(Shutdown::Write)?;
    let mut text = Vec::new();
    loop {
        let look = until.min(Instant::now() + Duration::from_millis(limits::OCR_LOOK_MILLIS));
        let left = limits::OCR_ANSWER.saturating_sub(text.len() as u64);
        match (Timed { wire, until: look }).take(left).read_to_end(&mut text) {
            Ok(_) => return Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(error) if is_timeout(&error) && look < until && !halt.is_set() => {}
            Err(error) => return Err(error),
        }
    }
}

/// The running program; it ends where this does.
struct Process(Child);

impl Process {
    /// Memory, time and files: set while the program still waits for its picture.
    fn limit(&mut self, time: Duration) -> io::Result<()> {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let seconds = time.as_secs() + 1;
        for (resource, current, maximum) in [
            (Resource::As, limits::OCR_MEMORY, limits::OCR_MEMORY),
            // At the first it is told why it ends, at the second it has ended.
            (Resource::Cpu, seconds, seconds + 1),
            (Resource::Fsize, 0, 0),
            (Resource::Core, 0, 0),
        ] {
            prlimit(pid, resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
        }
        Ok(())
    }

    /// What it took of the processor, where the system says so: proc_pid_stat(5), fields 14 and 15.
    fn used(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).ok()?;
        // The name in field 2 may hold anything.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
        Some(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1)))
    }

    /// Whether the system ended it because its time was used up. It has ended then.
    fn ran_out_of_time(&mut self) -> bool {
        // Changes nothing where it is ending by itself.
        let _ = self.0.kill();
        self.0.wait().is_ok_and(|status| status.signal() == Some(Signal::XCPU.as_raw()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both may fail where it is gone already; either way it is reaped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
