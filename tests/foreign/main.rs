//! The gateway among programs that nobody here wrote: clients that send through it, servers that stand before and behind it, and a
//! sink that tells what it was given.
//!
//! Each program runs on the loopback with a directory, a queue, ports and a configuration of its own, touches nothing of an installed
//! one, and ends with its test. What is not installed, or cannot be started by who runs the tests, is skipped, with a word; where
//! `SCHOOLGATE_MTAS` is set, all of them are said to be here, and nothing is skipped. It names the folder to which the servers are
//! unpacked that Debian does not install beside Postfix.

#[path = "../support/mod.rs"]
mod support;

mod between;
mod bytes;
mod clients;
mod exim;
mod opensmtpd;
mod postfix;
mod server;
mod trust;

/// Says why a test is skipped; fails it where nothing may be.
fn skipped(why: &str) {
    assert!(std::env::var_os("SCHOOLGATE_MTAS").is_none(), "SCHOOLGATE_MTAS is set, but {why}");
    println!("skipped: {why}");
}

/// An account of somebody at a server.
#[derive(Clone, Copy)]
struct Account {
    user: &'static str,
    password: &'static str,
}
