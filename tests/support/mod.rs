//! What the tests of the whole gateway share: a school directory with chosen ports, the real binary, an SMTP client that
//! says exactly what it is told, and a sink that plays the smarthost.
//!
//! Relayed mail and the gateway's own notices both arrive at the sink. A helper that waits panics with what is missing
//! when the time is up; nothing waits for ever.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code, unused_imports)]

pub mod browser;
pub mod certificates;
mod client;
pub mod compose;
pub mod desk;
mod fate;
mod fixtures;
mod gateway;
mod machine;
pub mod provider;
mod sink;

pub use client::{Client, Reply};
pub use fate::wrong_fates;
pub use fixtures::{Case, cases, cases_of, fixture, header, id_of, is_notice_about, relayed};
pub use gateway::Gateway;
pub use machine::Machine;
pub use sink::{Sink, Taken};

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Longest wait for something that takes milliseconds on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing more may come before a count is taken as final.
pub const SETTLE: Duration = Duration::from_millis(700);

/// A port of the loopback that is free, and that no connection is given as its own end before it is listened on: below those that the
/// kernel hands out (`ip_local_port_range` begins at 32768), and never twice in this process. Test binaries run beside each other, so each
/// begins somewhere else.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(7_919);
    (0..PORTS)
        .map(|_| FIRST + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS)
        .map(|port| u16::try_from(port).expect("below 32000"))
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a free port")
}

/// Where a program lies, if it is installed.
pub fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

/// Small pseudo-random numbers (SplitMix64); the seed is printed, and `SCHOOLGATE_SEED` repeats a run.
pub struct Seeded(u64);

impl Seeded {
    pub fn new() -> Self {
        let seed = std::env::var("SCHOOLGATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
            now.as_nanos() as u64
        });
        println!("SCHOOLGATE_SEED={seed}");
        Self(seed)
    }

    /// The same numbers on every run, unless `SCHOOLGATE_SEED` says otherwise: for tests that hold figures to a floor.
    pub fn fixed(seed: u64) -> Self {
        let seed = std::env::var("SCHOOLGATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(seed);
        println!("SCHOOLGATE_SEED={seed}");
        Self(seed)
    }

    /// Numbers of their own: however many are drawn from them, those drawn from here afterwards stay the same.
    pub fn branch(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// From 0 up to, but without, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}
