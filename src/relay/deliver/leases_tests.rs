//! A message that is under way is nobody else's, however long it takes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::sink::Script;
use super::tests::{Gateway, PLAIN, Setting, mail};
use super::*;
use crate::store::{Clock, Manner, State, StoreKey};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newsletter_that_takes_longer_than_any_lease_goes_out_once() {
    let clock = Clock::manual(Timestamp::now());
    let time = clock.clone();
    let script = Script {
        at_rcpt: Some(Arc::new(move || time.advance(LEASE * 2))),
        slow: Duration::from_millis(300),
        ..Script::default()
    };
    let gateway = Gateway::start(script, Setting { clock: clock.clone(), ..Setting::default() }).await;
    let addresses: Vec<String> = (0..900).map(|n| format!("parent{n}@b.example")).collect();
    let recipients: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut newsletter = mail("M", &recipients, PLAIN);
    newsletter.at = clock.now();
    gateway.store.commit(vec![newsletter]).await.unwrap();
    // Beside the gateway's own looks into the queue: nothing that is under way is given out again.
    while gateway.state("M").await == State::Queued {
        let (now, minute) = (clock.now(), Duration::from_secs(60));
        assert!(gateway.store.lease_due(now, 10, minute).await.unwrap().is_empty());
        assert!(gateway.store.lease_old(now, now, 10, minute).await.unwrap().is_empty());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(gateway.state("M").await, State::Delivered);
    let mut reached: Vec<String> = gateway.log.taken().into_iter().flat_map(|taken| taken.rcpt).collect();
    reached.sort();
    let mut wanted = addresses.clone();
    wanted.sort();
    assert_eq!(reached, wanted, "each of them once");
    gateway.stop().await;
}

#[tokio::test]
async fn leases_are_renewed_while_a_message_is_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::now());
    let manner = Manner { clock: clock.clone(), ..Manner::default() };
    let key = || StoreKey::from_bytes([5; 32]);
    let store = Store::open_exclusive_in(directory.path(), key(), &manner).await.unwrap();
    let other = Store::open(directory.path(), key()).await.unwrap();
    let mut new = mail("M", &["bob@b.example"], PLAIN);
    new.at = clock.now();
    store.commit(vec![new]).await.unwrap();
    assert_eq!(store.lease_due(clock.now(), 1, LEASE).await.unwrap().len(), 1);
    tokio::select! {
        () = renew_leases(&store, Duration::from_millis(10)) => {}
        () = async {
            for _ in 0..3 {
                clock.advance(LEASE / 2);
                sleep(Duration::from_millis(500)).await;
                assert!(other.lease_due(clock.now(), 1, LEASE).await.unwrap().is_empty());
            }
        } => {}
    }
    clock.advance(LEASE);
    assert_eq!(other.lease_due(clock.now(), 1, LEASE).await.unwrap().len(), 1, "nobody renews it now");
}
