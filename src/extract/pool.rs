//! Workers: processes of this same program in which files are read that only foreign code can read.
//!
//! A file that exhausts time or memory, or brings its reader down, costs one worker; the file counts as unread, a new
//! worker takes the place, and the next file finds nothing changed. A worker reads one file at a time and is one message's
//! alone while it does.

use std::ffi::OsString;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Done, Isolation, Task, Why, wire};
use crate::limits;

/// Signals that the kernel ends a process with for what it used, and the one of an allocation that was refused.
const SIGXCPU: i32 = 24;
const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// A set of warm workers. Any number of threads may ask at the same time; there are as many workers as ask.
pub struct Pool {
    program: OsString,
    idle: Mutex<Vec<Worker>>,
    warm: usize,
    /// Why a worker could not be started, where one could not.
    trouble: Mutex<Option<io::Error>>,
}

struct Worker {
    child: Child,
    wire: UnixStream,
    files: usize,
}

/// How an exchange with a worker ended, if not well.
enum Failure {
    /// It was gone before it had the file: the file is not to blame.
    Gone,
    /// The time was over.
    Late,
    /// It died, or said what no worker says.
    Broken,
    /// It read the file to more text than is taken.
    TooLong,
}

impl Pool {
    /// A pool of this program's own workers, `warm` of them started now.
    ///
    /// # Errors
    /// Where a process cannot be started.
    pub fn start(warm: usize) -> io::Result<Self> {
        let pool = Self::lazy(warm);
        for _ in 0..warm {
            let worker = pool.spawn()?;
            pool.put_back(worker);
        }
        Ok(pool)
    }

    /// A pool that starts no worker before there is a file for it, and then keeps as many as `warm`.
    pub fn lazy(warm: usize) -> Self {
        // The program that runs, also after an upgrade has put another in its place.
        Self { program: "/proc/self/exe".into(), idle: Mutex::default(), warm, trouble: Mutex::default() }
    }

    /// Whether every worker that was wanted so far could be started; where one could not, files count as unread for no
    /// fault of theirs.
    ///
    /// # Errors
    /// The last reason for which one could not.
    pub fn sound(&self) -> io::Result<()> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    fn fresh(&self) -> Option<Worker> {
        self.spawn().map_err(|error| *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error)).ok()
    }

    fn spawn(&self) -> io::Result<Worker> {
        let (ours, theirs) = UnixStream::pair()?;
        let input = OwnedFd::from(theirs.try_clone()?);
        let mut command = Command::new(&self.program);
        command.arg("worker").env_clear().current_dir("/");
        // The allocator would reserve twice a worker's memory at once, and leave no room for the stack of a thread.
        command.env("MIMALLOC_ARENA_RESERVE", limits::WORKER_RESERVE_KIB.to_string());
        command.envs(limits::ALLOCATOR.map(|(name, value)| (name, value.to_string())));
        if let Some(fault) = std::env::var_os("SCHOOLGATE_FAULT") {
            command.env("SCHOOLGATE_FAULT", fault);
        }
        let child = command.stdin(input).stdout(OwnedFd::from(theirs)).stderr(Stdio::null()).spawn()?;
        Ok(Worker { child, wire: ours, files: 0 })
    }

    fn take(&self) -> Option<Worker> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, worker: Worker) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.warm && worker.files < limits::WORKER_FILES && !worker.is_large() {
            idle.push(worker);
            return;
        }
        let short = idle.len() < self.warm;
        drop(idle);
        drop(worker);
        if short {
            self.replenish();
        }
    }

    /// A warm worker for one that is gone. Where it cannot be started now, the next file tries again.
    fn replenish(&self) {
        if let Ok(worker) = self.spawn() {
            self.put_back(worker);
        }
    }

    fn exchange(worker: &mut Worker, task: &Task<'_>, until: Instant) -> Result<Done, Failure> {
        worker.files += 1;
        let mut sent = BufWriter::with_capacity(limits::READ_BUFFER, Timed { wire: &worker.wire, until });
        if let Err(error) = wire::send_task(&mut sent, task) {
            return Err(if is_timeout(&error) { Failure::Late } else { Failure::Gone });
        }
        let mut answered = BufReader::with_capacity(limits::READ_BUFFER, Timed { wire: &worker.wire, until });
        match wire::receive_done(&mut answered, limits::WORKER_ANSWER) {
            // Nothing follows an answer; whoever says more says what no worker says.
            Ok(done) => {
                if answered.buffer().is_empty() {
                    Ok(done)
                } else {
                    Err(Failure::Broken)
                }
            }
            Err(error) if is_timeout(&error) => Err(Failure::Late),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(Failure::TooLong),
            Err(_) => Err(Failure::Broken),
        }
    }
}

impl Isolation for Pool {
    fn read(&self, task: &Task<'_>) -> Result<Done, Why> {
        let until = Instant::now() + task.budget.time;
        if task.bytes.len() > limits::WORKER_TASK {
            return Err(Why::BeyondLimit);
        }
        // A worker may have died while nobody looked; that is no fault of this file, and a fresh one reads it.
        for attempt in 0..2 {
            let warm = if attempt == 0 { self.take() } else { None };
            let Some(mut worker) = warm.or_else(|| self.fresh()) else { return Err(Why::BeyondLimit) };
            match Self::exchange(&mut worker, task, until) {
                Ok(done) => {
                    self.put_back(worker);
                    return Ok(done);
                }
                Err(Failure::Gone) if attempt == 0 => {}
                Err(failure) => {
                    let ended = worker.end();
                    self.replenish();
                    return Err(reason(&failure, ended));
                }
            }
        }
        Err(Why::Damaged)
    }
}

/// A worker that used up what it may have, or lacked memory (which Rust answers with an abort), met a limit; any other
/// end is the file's damage.
fn reason(failure: &Failure, signal: Option<i32>) -> Why {
    match (failure, signal) {
        (Failure::Late | Failure::TooLong, _) => Why::BeyondLimit,
        (_, Some(SIGXCPU | SIGABRT | SIGKILL)) => Why::BeyondLimit,
        _ => Why::Damaged,
    }
}

impl Worker {
    /// Whether it keeps more memory than one that waits should.
    fn is_large(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        // Where the kernel does not say, the number of files is what counts.
        resident.and_then(|kib| kib.parse::<usize>().ok()).is_some_and(|kib| kib > limits::WORKER_KEPT / 1024)
    }

    /// Ends it; the signal that it had died of before, if it had.
    fn end(&mut self) -> Option<i32> {
        // One that has closed its end is dying: what of is worth a moment's wait.
        let until = Instant::now() + Duration::from_millis(limits::WORKER_FAREWELL_MILLIS);
        let closed = self.wire.set_nonblocking(true).is_ok() && matches!((&self.wire).read(&mut [0; 1]), Ok(0));
        while closed && Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.signal();
            }
            std::thread::sleep(Duration::from_millis(limits::WORKER_LOOK_MILLIS));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        None
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both may fail where it is gone already; either way it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the other end was too slow.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// A wire, with one end of patience for all that is read or written.
pub struct Timed<'w> {
    pub wire: &'w UnixStream,
    pub until: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wire.set_read_timeout(self.left()?)?;
        let read = self.wire.read(buffer)?;
        Ok(read)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.wire.set_write_timeout(self.left()?)?;
        let written = self.wire.write(buffer)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_file_with;
    use super::*;

    #[test]
    fn a_worker_that_cannot_be_started_is_told() {
        let pool = Pool { program: "/nowhere/schoolgate".into(), ..Pool::lazy(1) };
        // A small text wants no worker.
        assert!(read_file_with(Some(&pool), "a.txt", b"Dear all\n").unread.is_empty());
        assert!(pool.sound().is_ok());
        let reading = read_file_with(Some(&pool), "a.bin", &[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(reading.unread.first().map(|unread| unread.why), Some(Why::BeyondLimit));
        assert!(pool.sound().is_err());
    }
}
