//! As many idle connections as the configuration can allow.

use std::net::Ipv4Addr;
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;

use super::caller::{Caller, address, is_served, memory, open, until_open};
use crate::support::{Gateway, PATIENCE, Sink};

/// The most that `[listen] connections` may say.
const MOST: usize = 10_000;
/// From one address.
const OF_ONE: usize = 50;
/// Connections that are begun at the same time.
const AT_ONCE: usize = 100;
/// What an idle connection may cost, KiB: its task, its session, and what the allocator keeps beside them. With a read buffer of its own
/// it would be 64 more.
const EACH: u64 = 16;
/// Files that the test, or the gateway, has open besides.
const BESIDE: u64 = 600;

/// As many descriptors as this process may have at all.
fn raised() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the hard limit");
    maximum.unwrap_or(u64::MAX)
}

/// Starts the gateway as from a shell, whose soft limit is far below the connections that the configuration allows.
fn start_as_from_a_shell(gateway: &mut Gateway) {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(1_024), ..before }).expect("fewer are always possible");
    gateway.start(&[]);
    setrlimit(Resource::Nofile, before).expect("as before");
}

/// Connections of so many numbers, each with its banner heard and EHLO said.
async fn crowd(port: u16, numbers: std::ops::Range<usize>) -> Vec<Caller> {
    let mut held = Vec::new();
    let mut coming = JoinSet::new();
    let mut keep = |joined: Option<Result<(Caller, String), _>>| {
        let (caller, banner): (Caller, String) =
            joined.expect("somebody comes").unwrap_or_else(|e: tokio::task::JoinError| panic!("{e}"));
        assert!(banner.starts_with("220 "), "{} are let in: {banner}", held.len());
        held.push(caller);
    };
    for number in numbers.clone() {
        if coming.len() == AT_ONCE {
            keep(coming.join_next().await);
        }
        coming.spawn(async move {
            let mut caller = Caller::from(address(number / OF_ONE), port).await.expect("it is let in");
            let banner = caller.hears().await;
            caller.greets().await;
            (caller, banner)
        });
    }
    while !coming.is_empty() {
        keep(coming.join_next().await);
    }
    assert_eq!(held.len(), numbers.len());
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_connections_cost_little_and_others_are_served() {
    let descriptors = raised();
    let most = MOST.min(usize::try_from(descriptors - BESIDE).expect("a number"));
    if most < MOST {
        println!("this process may open {descriptors} files: {most} connections instead of {MOST}");
    }
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.monitored();
    for (key, count) in [("connections", most), ("connections_per_client", OF_ONE)] {
        gateway.set("listen", key, i64::try_from(count).expect("a number"));
    }
    start_as_from_a_shell(&mut gateway);
    is_served(&gateway, "before").await;
    until_open(&gateway, 0).await;
    let before = memory(&gateway);
    let mut crowds = Vec::new();
    for round in 1..=2 {
        let mut held = crowd(gateway.port, 0..most - 1).await;
        assert_eq!(open(&gateway), most - 1);
        let with = memory(&gateway);
        let each = with.saturating_sub(before) as f64 / most as f64;
        println!("{round}: {most} connections, {before} KiB before, {with} KiB with them: {each:.1} KiB each");
        assert!(with <= before + EACH * most as u64, "{each:.1} KiB for each, more than {EACH}");
        let mut again = Caller::from(address(0), gateway.port).await.expect("it is heard");
        let refused = again.hears().await;
        assert!(refused.starts_with("421 4.3.2 "), "one address has had its share: {refused}");
        assert_eq!(again.hears().await, "", "and is closed");
        // Another is served beside them, and has the last place.
        let mut last = Caller::from(Ipv4Addr::LOCALHOST, gateway.port).await.expect("it is heard");
        last.begins().await;
        assert!(last.sends("beside").await.starts_with("250 "));
        let mut over = Caller::from(Ipv4Addr::new(127, 9, 9, 9), gateway.port).await.expect("it is heard");
        let refused = over.hears().await;
        assert!(refused.starts_with("421 4.3.2 "), "one too many in all: {refused}");
        // Who was idle so long is still there.
        let woken = held.last_mut().expect("somebody").asks("NOOP").await;
        assert!(woken.starts_with("250 "), "{woken}");
        drop((held, last));
        until_open(&gateway, 0).await;
        is_served(&gateway, "after").await;
        until_open(&gateway, 0).await;
        // The allocator gives back a little later, as others are served.
        let until = Instant::now() + PATIENCE;
        while memory(&gateway) > before + with.saturating_sub(before) / 2 {
            assert!(Instant::now() < until, "{} KiB after them, {before} before, {with} with them", memory(&gateway));
            is_served(&gateway, "after").await;
        }
        println!("{round}: {} KiB after them", memory(&gateway));
        crowds.push(with);
    }
    assert!(crowds[1] <= crowds[0] + EACH * most as u64 / 10, "it grows from crowd to crowd: {crowds:?}");
    sink.wait("all that was sent", |taken| taken.len() >= 5);
}
