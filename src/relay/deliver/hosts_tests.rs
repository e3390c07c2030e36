//! Rows 97, 99 and 101: several smarthosts, the caps, and a route that is changed while mail waits.

use tokio::net::TcpListener;

use super::sink::{Log, Odd, Script, smarthost};
use super::tests::{Gateway, PLAIN, Setting, mail};
use super::*;
use crate::config::QueueConfig;
use crate::config::SmarthostConfig;
use crate::config::{HostConfig, SignInConfig, SignInProof, SmarthostTls};
use crate::store::QueueId;
use crate::store::{Clock, State};
use jiff::Timestamp;

const HOUR: Duration = Duration::from_secs(3_600);

/// A smarthost by script, with what it is given.
async fn host(script: Script) -> (HostConfig, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Log::default();
    tokio::spawn(smarthost(listener, script, log.clone()));
    (HostConfig::new("localhost", port, SmarthostTls::None), log)
}

/// One that turns everybody away, until what is locked there is gone.
fn away() -> (Script, Arc<Mutex<Option<Odd>>>) {
    let script = Script::default();
    let odd = Arc::clone(&script.odd);
    *odd.lock().unwrap() = Some(Odd { step: "BANNER", bytes: b"421 busy\r\n".to_vec(), class: 4 });
    (script, odd)
}

async fn commit(gateway: &Gateway, ids: std::ops::Range<usize>) {
    let all = ids.map(|id| mail(&format!("M{id}"), &["bob@b.example"], PLAIN)).collect();
    gateway.store.commit(all).await.unwrap();
}

async fn until(what: &str, fits: impl Fn() -> bool) {
    for _ in 0..1_500 {
        if fits() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 15 s");
}

async fn outages(gateway: &Gateway, count: usize) {
    for _ in 0..800 {
        if gateway.store.outages().await.unwrap().len() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there are not {count} outages within 8 s");
}

// Relay checklist, row 99.
#[tokio::test]
async fn mail_goes_to_the_first_that_can_be_used_and_one_message_probes_the_one_that_is_away() {
    let (script, odd) = away();
    let (second, seconds) = host(Script::default()).await;
    let (third, thirds) = host(Script::default()).await;
    let setting = Setting { retry: Duration::from_secs(3), fallback: vec![second, third], ..Setting::default() };
    let gateway = Gateway::start(script, setting).await;
    commit(&gateway, 0..10).await;
    until("the second has all", || seconds.taken().len() == 10).await;
    for id in 0..10 {
        assert_eq!(gateway.tried(&format!("M{id}")).await.summary.attempts, 1, "no try is lost");
    }
    outages(&gateway, 1).await;
    // At most those that were begun together have met the first, and one more for each time that it was due.
    assert!(*gateway.log.connections.lock().unwrap() <= 4, "{:?}", gateway.log.connections);
    *odd.lock().unwrap() = None;
    // It is back with one message that goes there on its own schedule, and then all go there.
    let mut next = 10;
    while gateway.log.taken().is_empty() {
        commit(&gateway, next..next + 1).await;
        gateway.tried(&format!("M{next}")).await;
        next += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    outages(&gateway, 0).await;
    let before = seconds.taken().len();
    commit(&gateway, next..next + 10).await;
    gateway.until("the first has them", |log| log.taken().len() == 11).await;
    assert_eq!((seconds.taken().len(), thirds.taken().len()), (before, 0));
    gateway.stop().await;
}

// Relay checklist, row 99.
#[tokio::test]
async fn when_all_are_away_mail_waits_over_a_restart_and_a_person_has_each_tried_at_once() {
    let (second_script, second_odd) = away();
    let (second, seconds) = host(second_script).await;
    let (script, _odd) = away();
    let (first, log) = host(script).await;
    let setting = || Setting { retry: HOUR, fallback: vec![second.clone()], ..Setting::default() };
    let gateway = Gateway::start_at(first.port, log.clone(), setting()).await;
    commit(&gateway, 0..1).await;
    assert_eq!(gateway.tried("M0").await.summary.state, State::Queued);
    commit(&gateway, 1..5).await;
    outages(&gateway, 2).await;
    let (store, directory) = (gateway.store.clone(), gateway.stop().await);
    store.close().await;
    let met = (*log.connections.lock().unwrap(), *seconds.connections.lock().unwrap());
    assert_eq!(met, (1, 1));
    let gateway = Gateway::start_in(directory, first.port, log.clone(), setting()).await;
    outages(&gateway, 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((*log.connections.lock().unwrap(), *seconds.connections.lock().unwrap()), met, "neither is tried");
    *second_odd.lock().unwrap() = None;
    gateway.store.retry_all("Sue").await.unwrap();
    until("the second has all", || seconds.taken().len() == 5).await;
    assert_eq!(*log.connections.lock().unwrap(), 2, "the first was tried at once too, by one");
    outages(&gateway, 1).await;
    gateway.stop().await;
}

// Relay checklist, rows 96 and 99.
#[tokio::test]
async fn a_sign_in_that_fails_is_the_trouble_of_its_host_and_a_refusal_of_one_recipient_is_none() {
    let rcpt = std::collections::HashMap::from([("never", "550 5.1.1 no such user"), ("later", "450 4.2.0 busy")]);
    let (second, seconds) = host(Script { rcpt, ..Script::default() }).await;
    let proof = SignInProof::Password("/nowhere/password".into());
    let setting = Setting {
        sign_in: Some(SignInConfig { user: "gate".to_owned(), proof }),
        fallback: vec![second],
        ..Setting::default()
    };
    let gateway = Gateway::start(Script { offers: vec!["AUTH PLAIN"], ..Script::default() }, setting).await;
    let recipients = ["ok@b.example", "never@b.example", "later@b.example"];
    gateway.store.commit(vec![mail("M", &recipients, PLAIN)]).await.unwrap();
    let shown = gateway.tried("M").await;
    let states: Vec<_> = shown.recipients.iter().map(|r| r.state.as_str()).collect();
    assert_eq!(states, ["delivered", "failed", "due"]);
    // The message and the report on it.
    until("the second has both", || seconds.taken().len() == 2).await;
    outages(&gateway, 1).await;
    assert!(gateway.log.taken().is_empty());
    gateway.stop().await;
}

// Relay checklist, row 101.
#[tokio::test]
async fn mail_that_waits_leaves_by_a_new_route() {
    let (script, _odd) = away();
    let gateway = Gateway::start(script, Setting::default()).await;
    commit(&gateway, 0..1).await;
    gateway.tried("M0").await;
    commit(&gateway, 1..4).await;
    let (new, taken) = host(Script::default()).await;
    let queue = QueueConfig { retry: vec![HOUR], give_up: 24 * HOUR, delay_notice: 24 * HOUR };
    gateway.delivery.change(Route::new(SmarthostConfig::only(new, 2), queue).unwrap());
    until("what was not tried leaves at once", || taken.taken().len() == 3).await;
    gateway.store.retry(&QueueId("M0".to_owned()), "Sue").await.unwrap();
    until("what was tried", || taken.taken().len() == 4).await;
    outages(&gateway, 0).await;
    gateway.stop().await;
}

// Relay checklist, row 97.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_no_host_has_more_connections_than_allowed_through_every_change() {
    let (second, seconds) = host(Script { slow: Duration::from_millis(3), ..Script::default() }).await;
    let script = Script { slow: Duration::from_millis(3), ..Script::default() };
    let odd = Arc::clone(&script.odd);
    let (first, log) = host(script).await;
    let setting = Setting {
        connections: 3,
        retry: Duration::from_millis(50),
        fallback: vec![second.clone()],
        ..Setting::default()
    };
    let gateway = Gateway::start_at(first.port, log.clone(), setting).await;
    for round in 0..10 {
        commit(&gateway, round * 40..round * 40 + 40).await;
        let busy = Odd { step: "MAIL", bytes: b"421 4.7.0 busy\r\n".to_vec(), class: 4 };
        *odd.lock().unwrap() = (round % 3 == 1).then_some(busy);
        let smarthost = SmarthostConfig { fallback: vec![second.clone()], ..SmarthostConfig::only(first.clone(), 3) };
        let queue = QueueConfig { retry: vec![Duration::from_millis(50)], give_up: HOUR, delay_notice: HOUR };
        gateway.delivery.change(Route::new(smarthost, queue).unwrap());
        until("half of it", || log.taken().len() + seconds.taken().len() >= round * 40 + 20).await;
    }
    *odd.lock().unwrap() = None;
    until("all", || log.taken().len() + seconds.taken().len() == 400).await;
    let most = [&log, &seconds].map(|log| log.open.lock().unwrap().1);
    assert!(most.iter().all(|most| *most <= 3), "{most:?}");
    assert_eq!(most[0], 3, "and those that are allowed are used");
    gateway.stop().await;
}

// Relay checklist, row 97.
#[tokio::test]
async fn no_more_messages_leave_in_a_minute_than_are_allowed() {
    let clock = Clock::manual(Timestamp::now());
    let (first, log) = host(Script::default()).await;
    let setting =
        Setting { clock: clock.clone(), per_minute: Some(5), connections: 4, give_up: 24 * HOUR, ..Setting::default() };
    let gateway = Gateway::start_at(first.port, log.clone(), setting).await;
    commit(&gateway, 0..12).await;
    let route = |cap| {
        let smarthost = SmarthostConfig { messages_per_minute: cap, ..SmarthostConfig::only(first.clone(), 4) };
        Route::new(smarthost, QueueConfig { retry: vec![HOUR], give_up: 24 * HOUR, delay_notice: 24 * HOUR }).unwrap()
    };
    // Time that goes by, the cap from then on, and how many have left then, by all rounds that come.
    for (seconds, cap, left) in
        [(0, 5, 5), (59, 5, 5), (1, 5, 10), (30, 5, 10), (29, 5, 10), (1, 1, 11), (59, 1, 11), (1, 1, 12)]
    {
        gateway.delivery.change(route(Some(cap)));
        clock.advance(Duration::from_secs(seconds));
        until(&format!("{left}"), || log.taken().len() >= left).await;
        tokio::time::sleep(POLL + POLL / 4).await;
        assert_eq!(log.taken().len(), left, "after {seconds} s");
    }
    for id in 0..12 {
        let shown = gateway.tried(&format!("M{id}")).await;
        assert_eq!((shown.summary.state, shown.summary.attempts), (State::Delivered, 1), "waiting is no try");
    }
    // Each transaction counts: of 250 recipients, 100 to one, there are three.
    clock.advance(Duration::from_secs(60));
    gateway.delivery.change(route(Some(2)));
    let many: Vec<String> = (0..250).map(|number| format!("r{number}@b.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    gateway.store.commit(vec![mail("MANY", &many, PLAIN)]).await.unwrap();
    until("two", || log.taken().len() == 14).await;
    tokio::time::sleep(POLL + POLL / 4).await;
    assert_eq!(log.taken().len(), 14);
    assert_eq!(gateway.state("MANY").await, State::Queued);
    clock.advance(Duration::from_secs(60));
    until("the third", || log.taken().len() == 15).await;
    assert_eq!(log.taken()[14].rcpt.len(), 50);
    gateway.stop().await;
}
