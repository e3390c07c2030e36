//! What runs inside a worker process: reads files handed to it, one after the other, and answers what they say.
//!
//! The process gives up what it does not need before it looks at the first octet: it may open no file and no network
//! connection (Landlock, where the kernel has it), gain no privilege, and use no more memory and processor time than one
//! message may cost. What it says about a file goes to standard output alone; it logs nothing, since a panic's text could
//! quote the message.

use std::io::{self, BufReader, BufWriter, Write};
use std::time::Duration;

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::file::{At, Declared, Reader};
use super::package::Budget;
use super::{Done, wire};
use crate::limits;

/// Answers on standard output what comes on standard input, until that ends.
///
/// # Errors
/// Where a limit cannot be set, or a frame cannot be read or written: the process is to end then.
pub fn run() -> io::Result<()> {
    std::panic::set_hook(Box::new(|_| {}));
    confine()?;
    let mut input = BufReader::with_capacity(limits::READ_BUFFER, io::stdin().lock());
    let mut output = BufWriter::with_capacity(limits::READ_BUFFER, io::stdout().lock());
    while let Some(task) = wire::receive_task(&mut input)? {
        allow_time(task.time)?;
        misbehave(&task.bytes);
        wire::send_done(&mut output, &read(task))?;
    }
    Ok(())
}

fn read(task: wire::OwnedTask) -> Done {
    let budget = Budget { parts: task.parts, bytes: task.unpacked, text: task.text, time: task.time };
    let mut reader = Reader { budget, passwords: task.passwords, ..Reader::default() };
    let declared = Declared { content_type: &task.content_type, charset: task.charset.as_deref() };
    reader.file_here(&task.bytes, declared, task.inline, &At { place: task.place, depth: task.depth });
    Done { reading: reader.reading, budget: reader.budget }
}

/// Lets small mail go first where this thread, and what it starts, wants the processor too. A thread that does so already
/// steps back no further: it hands what it gave up on to what it starts. Should it fail, small mail merely waits longer.
pub fn give_way() {
    let given = rustix::process::getpriority_process(None).unwrap_or_default();
    if given < limits::WORKER_NICE {
        let _ = rustix::process::nice(limits::WORKER_NICE - given);
    }
}

/// Memory, core files, privileges, the file system and the network: all that stays the same for every file.
fn confine() -> io::Result<()> {
    let most = |octets: u64| Rlimit { current: Some(octets), maximum: Some(octets) };
    setrlimit(Resource::As, most(limits::WORKER_MEMORY))?;
    setrlimit(Resource::Core, most(0))?;
    give_way();
    rustix::thread::set_no_new_privs(true)?;
    // A kernel without Landlock is no reason to read no attachments: the limits above hold in any case.
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create);
    if let Ok(rules) = rules {
        let _ = rules.restrict_self();
    }
    Ok(())
}

/// Processor time from now on, to the second above; the kernel ends the process that uses it up (SIGXCPU).
fn allow_time(time: Duration) -> io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.max(0) as u64;
    let maximum = getrlimit(Resource::Cpu).maximum;
    let until = used.saturating_add(time.as_secs()).saturating_add(1);
    setrlimit(Resource::Cpu, Rlimit { current: Some(maximum.map_or(until, |m| m.min(until))), maximum })?;
    Ok(())
}

/// What a broken reader would do, for tests of the pool: only where the environment says `SCHOOLGATE_FAULT=worker`, and
/// then on files that ask for it.
fn misbehave(bytes: &[u8]) {
    let Some(wish) = bytes.strip_prefix(b"\0fault: ") else { return };
    if std::env::var_os("SCHOOLGATE_FAULT").is_none_or(|fault| fault != "worker") {
        return;
    }
    if wish.starts_with(b"abort") {
        std::process::abort();
    } else if wish.starts_with(b"exit") {
        std::process::exit(0);
    } else if wish.starts_with(b"loop") {
        loop {
            std::hint::spin_loop();
        }
    } else if wish.starts_with(b"sleep") {
        std::thread::sleep(Duration::MAX);
    } else if wish.starts_with(b"keep") {
        // What foreign code never gives back.
        std::mem::forget(vec![1u8; limits::WORKER_KEPT + 1]);
    } else if wish.starts_with(b"memory") {
        let mut all = Vec::new();
        loop {
            all.push(vec![1u8; 16 << 20]);
        }
    } else if wish.starts_with(b"babble") {
        // An answer that is none of ours.
        let _ = io::stdout().lock().write_all(&[0xff; 4096]);
        let _ = io::stdout().lock().flush();
    }
}
