//! Mail that waits before it leaves: never early, never twice, never lost; taken back or sent on by its sender alone.

use jiff::{SignedDuration, ToSpan};

use super::*;
use crate::policy::Duties;
use crate::school_time::SchoolTime;
use crate::store::{Brought, OpenLink, SENDER, SenderAct};

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const MINUTE: Duration = Duration::from_secs(60);

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn second_look(minutes: u32) -> Duties {
    Duties { wait_minutes: Some(minutes), wait_rules: vec!["second-look".to_owned()], ..Duties::default() }
}

fn when_open() -> Duties {
    Duties { wait_until_open: true, wait_rules: vec!["out-of-hours".to_owned()], ..Duties::default() }
}

fn mail(clock: &Clock, name: &str, state: State, duties: &Duties) -> NewEntry {
    let mut new = NewEntry { at: clock.now(), ..entry(name, state, name.as_bytes()) };
    if let Some(report) = &mut new.report {
        report.duties = duties.clone();
    }
    new
}

async fn linked(store: &Store, new: NewEntry) -> String {
    let link = store.new_sender_link(&new.id, SignedDuration::ZERO).unwrap();
    store.commit_with(vec![new], Some(link.clone())).await.unwrap();
    link.token.reveal().to_owned()
}

async fn link(store: &Store, token: &str) -> Option<OpenLink> {
    match store.sender_link(token, HERE).await.unwrap() {
        Brought::Open(link) => Some(*link),
        _ => None,
    }
}

/// What may leave now, and is leased by that; by its time, and by its age.
async fn leased(store: &Store) -> Vec<String> {
    let now = store.clock().now();
    let mut due = store.lease_due(now, 100, HOUR).await.unwrap();
    due.extend(store.lease_old(now, now, 100, HOUR).await.unwrap());
    due.into_iter().map(|leased| leased.id.0).collect()
}

async fn leaves(store: &Store, name: &str) -> Option<Timestamp> {
    store.show(&id(name)).await.unwrap().summary.leaves.map(|leaves| leaves.at)
}

fn send_now(because: &str) -> SenderAct {
    SenderAct::SendNow { because: because.to_owned() }
}

#[tokio::test]
async fn until_when_a_message_waits() {
    let both = Duties { wait_minutes: Some(2), ..when_open() };
    let urgent = Duties { urgent: true, ..when_open() };
    for (number, (now, duties, until)) in [
        ("2026-11-17T12:00:00Z", second_look(2), Some("2026-11-17T12:02:00Z")),
        ("2026-11-17T12:00:00Z", when_open(), None),
        // The evening, the weekend, a holiday.
        ("2026-11-17T19:00:00Z", when_open(), Some("2026-11-18T08:00:00Z")),
        ("2026-11-20T17:00:00Z", when_open(), Some("2026-11-23T08:00:00Z")),
        ("2026-12-24T18:00:00Z", when_open(), Some("2026-12-28T08:00:00Z")),
        // Both nights on which the clocks change.
        ("2026-10-23T18:00:00Z", when_open(), Some("2026-10-26T08:00:00Z")),
        ("2026-03-27T18:00:00Z", when_open(), Some("2026-03-30T07:00:00Z")),
        // The later of both.
        ("2026-11-17T12:00:00Z", both.clone(), Some("2026-11-17T12:02:00Z")),
        ("2026-11-17T19:00:00Z", both, Some("2026-11-18T08:00:00Z")),
        ("2026-11-18T07:59:00Z", Duties { wait_minutes: Some(2), ..when_open() }, Some("2026-11-18T08:01:00Z")),
        ("2026-11-17T19:00:00Z", urgent, None),
        ("2026-11-17T19:00:00Z", Duties::default(), None),
    ]
    .into_iter()
    .enumerate()
    {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(at(now));
        let store = opened_by(directory.path(), &clock).await;
        let holiday = jiff::civil::date(2026, 12, 25);
        store.use_school_time(SchoolTime { holidays: vec![(holiday, holiday)], ..SchoolTime::default() });
        let mut handed = store.hand_over(10, HOUR);
        let mut programs = mail(&clock, "P", State::Queued, &duties);
        programs.report.as_mut().unwrap().automatic = true;
        let mut said = mail(&clock, "U", State::Queued, &duties);
        said.report.as_mut().unwrap().markers = vec!["urgent".to_owned()];
        store.commit(vec![mail(&clock, "M", State::Queued, &duties), programs, said, notice("N", "M")]).await.unwrap();
        let until = until.map(at);
        let ours = leaves(&store, "M").await;
        assert_eq!(ours, until, "{number}: {now}");
        assert_eq!(leaves(&store, "P").await, None, "{number}: what a program wrote");
        let second = duties.wait_minutes.map(|minutes| at(now) + i64::from(minutes).minutes());
        assert_eq!(leaves(&store, "U").await, second, "{number}: urgent, it has its second look alone");
        let fresh: Vec<String> = std::iter::from_fn(|| handed.try_recv().ok()).map(|leased| leased.id.0).collect();
        assert_eq!(fresh.contains(&"M".to_owned()), until.is_none(), "{number}: {fresh:?}");
        assert!(fresh.contains(&"P".to_owned()) && fresh.contains(&"N".to_owned()), "{number}: {fresh:?}");
        let Some(until) = until else { continue };
        let line = store.show(&id("M")).await.unwrap().audit.into_iter().find(|line| line.event == "waits").unwrap();
        assert!(line.detail.contains(&until.to_string()) && line.detail.contains(&duties.wait_rules[0]), "{line:?}");
        let just_before = until.duration_since(clock.now()).unsigned_abs() - Duration::from_secs(1);
        clock.advance(just_before);
        assert!(!leased(&store).await.contains(&"M".to_owned()), "{number}: a second early");
        store.retry_all("Sue").await.unwrap();
        assert!(matches!(store.retry(&id("M"), "Sue").await, Err(StoreError::Refused(_))), "{number}");
        assert!(!leased(&store).await.contains(&"M".to_owned()), "{number}: asked for a try");
        let queued = store.backlog().await.unwrap().into_iter().find(|count| count.state == State::Queued).unwrap();
        assert!(queued.oldest.is_some(), "{number}");
        clock.advance(Duration::from_secs(1));
        assert!(leased(&store).await.contains(&"M".to_owned()), "{number}: now");
        assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, [], "{number}");
    }
}

#[tokio::test]
async fn what_was_pending_waits_from_when_it_came_in() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(at("2026-11-17T12:00:00Z"));
    let store = opened_by(directory.path(), &clock).await;
    for (name, later, waits) in [("A", MINUTE, true), ("B", MINUTE * 3, false)] {
        store.commit(vec![mail(&clock, name, State::Pending, &Duties::default())]).await.unwrap();
        let came = clock.now();
        clock.advance(later);
        let mut decided = report(Action::Deliver);
        decided.duties = second_look(2);
        store.decide_pending(&id(name), &decided, State::Queued, Vec::new(), Beside::default()).await.unwrap();
        let until = waits.then(|| came + 2.minutes());
        assert_eq!(leaves(&store, name).await, until, "{name}");
        assert_eq!(leased(&store).await.contains(&name.to_owned()), !waits, "{name}");
        clock.advance(MINUTE);
        assert_eq!(leased(&store).await.contains(&name.to_owned()), waits, "{name}");
    }
}

#[tokio::test]
async fn what_a_person_lets_go_waits_for_opening_and_for_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(at("2026-11-17T19:00:00Z"));
    let store = opened_by(directory.path(), &clock).await;
    let opens = Some(at("2026-11-18T08:00:00Z"));
    let both = Duties { wait_minutes: Some(1_440), ..when_open() };
    for (name, duties, until) in [
        ("look", second_look(2), None),
        ("both", both, opens),
        ("urgent", Duties { urgent: true, ..when_open() }, None),
    ] {
        store.commit(vec![mail(&clock, name, State::Held, &duties)]).await.unwrap();
        store.release(&id(name), "Sue", "fine", Vec::new()).await.unwrap();
        assert_eq!(leaves(&store, name).await, until, "{name}");
    }
    // The same by its sender's own page.
    let link = store.new_sender_link(&id("own"), SignedDuration::from_hours(72)).unwrap();
    let returned = mail(&clock, "own", State::Returned, &when_open());
    store.commit_with(vec![returned], Some(link.clone())).await.unwrap();
    let page = self::link(&store, link.token.reveal()).await.unwrap();
    let right = SenderAct::Send { because: "it is right".to_owned(), remember: Vec::new() };
    assert!(store.do_as_sender(&page, right, Vec::new()).await.unwrap());
    assert_eq!(leaves(&store, "own").await, opens);
    let mut first = leased(&store).await;
    first.sort();
    first.dedup();
    assert_eq!(first, ["look", "urgent"]);
    clock.advance(HOUR * 13);
    let mut then = leased(&store).await;
    then.sort();
    assert_eq!(then, ["both", "own"]);
}

#[tokio::test]
async fn its_sender_cancels_it_or_sends_it_now_and_the_first_is_obeyed() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(at("2026-11-17T19:00:00Z"));
    let store = opened_by(directory.path(), &clock).await;
    let night = |name: &str| mail(&clock, name, State::Queued, &when_open());
    let look = |name: &str| mail(&clock, name, State::Queued, &second_look(2));
    // Cancelled: it never leaves.
    let token = linked(&store, look("A")).await;
    let page = link(&store, &token).await.unwrap();
    assert!(page.leaves.is_some() && !page.held);
    assert!(store.do_as_sender(&page, SenderAct::Cancel, Vec::new()).await.unwrap());
    assert!(!store.do_as_sender(&page, send_now(""), Vec::new()).await.unwrap(), "once");
    assert_eq!(state_of(&store, "A").await, State::Discarded);
    // Sent now.
    let token = linked(&store, look("B")).await;
    let page = link(&store, &token).await.unwrap();
    assert!(store.do_as_sender(&page, send_now(""), Vec::new()).await.unwrap());
    assert_eq!(leased(&store).await, ["B"]);
    assert!(!store.do_as_sender(&page, SenderAct::Cancel, Vec::new()).await.unwrap(), "it is in hand");
    assert!(matches!(store.sender_link(&token, HERE).await.unwrap(), Brought::Left));
    // What waits for opening is sent now with a reason alone, which the audit keeps.
    let token = linked(&store, night("C")).await;
    let page = link(&store, &token).await.unwrap();
    assert!(!store.do_as_sender(&page, send_now(""), Vec::new()).await.unwrap());
    assert!(leased(&store).await.is_empty());
    assert!(store.do_as_sender(&page, send_now("the trip is off"), Vec::new()).await.unwrap());
    assert_eq!(leased(&store).await, ["C"]);
    let audit = store.show(&id("C")).await.unwrap().audit;
    let line = audit.iter().find(|line| line.event == "sent-now").unwrap();
    assert!(line.who == SENDER && line.detail.contains("the trip is off"), "{line:?}");
    // Its time is over and nobody has it in hand: it can still be taken back, until it is leased.
    let token = linked(&store, look("D")).await;
    clock.advance(MINUTE * 2);
    let page = link(&store, &token).await.unwrap();
    assert_eq!(leased(&store).await, ["D"]);
    assert!(!store.do_as_sender(&page, SenderAct::Cancel, Vec::new()).await.unwrap(), "the lease was first");
    store.record_attempt(&id("D"), outcomes(&Outcome::Unknown), clock.now() + 1.hour(), Vec::new()).await.unwrap();
    assert!(matches!(store.sender_link(&token, HERE).await.unwrap(), Brought::Left), "it may have gone");
    assert!(!store.do_as_sender(&page, SenderAct::Cancel, Vec::new()).await.unwrap());
    assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, []);
}

#[tokio::test]
async fn other_hours_let_it_leave_earlier_and_never_later() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual(at("2026-11-17T19:00:00Z"));
    let mut store = opened_by(directory.path(), &clock).await;
    let both = Duties { wait_minutes: Some(15), ..when_open() };
    store.commit(vec![mail(&clock, "A", State::Queued, &when_open())]).await.unwrap();
    store.commit(vec![mail(&clock, "B", State::Queued, &both)]).await.unwrap();
    let hours = |opens: i8, closes: i8| SchoolTime {
        opens: jiff::civil::time(opens, 0, 0, 0),
        closes: jiff::civil::time(closes, 0, 0, 0),
        ..SchoolTime::default()
    };
    for (times, a, b) in [
        (hours(9, 16), "2026-11-18T08:00:00Z", "2026-11-18T08:00:00Z"),
        (hours(7, 16), "2026-11-18T07:00:00Z", "2026-11-18T07:00:00Z"),
        (hours(8, 16), "2026-11-18T07:00:00Z", "2026-11-18T07:00:00Z"),
        // Open now: the second look still holds.
        (hours(7, 20), "2026-11-17T19:00:00Z", "2026-11-17T19:15:00Z"),
    ] {
        store.keep_school_time(times.clone()).await.unwrap();
        store.close().await;
        store = opened_by(directory.path(), &clock).await;
        store.keep_school_time(times).await.unwrap();
        assert_eq!((leaves(&store, "A").await, leaves(&store, "B").await), (Some(at(a)), Some(at(b))));
    }
    assert_eq!(leased(&store).await, ["A"]);
    clock.advance(MINUTE * 15);
    assert_eq!(leased(&store).await, ["B"]);
}

/// Whatever comes in which order, nothing is lost, and nothing leaves twice or early.
#[tokio::test]
async fn whatever_happens_it_leaves_once_and_not_before_its_time_or_is_cancelled() {
    for seed in 1..25_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let directory = tempfile::tempdir().unwrap();
        let mut clock = Clock::manual(at("2026-11-20T16:00:00Z"));
        let mut store = opened_by(directory.path(), &clock).await;
        store.keep_school_time(SchoolTime::default()).await.unwrap();
        let (mut tokens, mut sent, mut cancelled) = (Vec::new(), Vec::<String>::new(), Vec::<String>::new());
        let mut at_once = Vec::new();
        for step in 0..60 {
            match next(8) {
                0 if tokens.len() < 6 => {
                    let name = format!("M{}", tokens.len());
                    let duties = [second_look(2), when_open(), Duties { wait_minutes: Some(90), ..when_open() }];
                    let new = mail(&clock, &name, State::Queued, &duties[next(3) as usize]);
                    tokens.push((name, linked(&store, new).await));
                }
                1 => {
                    drop(store);
                    store = opened_by(directory.path(), &clock).await;
                    store.keep_school_time(SchoolTime::default()).await.unwrap();
                }
                2 => {
                    store.retry_all("Sue").await.unwrap();
                }
                3 if !tokens.is_empty() => {
                    let (name, token) = &tokens[next(tokens.len() as u64) as usize];
                    let Some(page) = link(&store, token).await else { continue };
                    if next(2) == 0 {
                        if store.do_as_sender(&page, SenderAct::Cancel, Vec::new()).await.unwrap() {
                            cancelled.push(name.clone());
                        }
                    } else if store.do_as_sender(&page, send_now("it is urgent"), Vec::new()).await.unwrap() {
                        at_once.push(name.clone());
                    }
                }
                4 => {
                    // A clock that somebody sets back.
                    clock = Clock::manual(clock.now() - (next(40) as i64).minutes());
                    drop(store);
                    store = opened_by(directory.path(), &clock).await;
                }
                5 => clock.advance(MINUTE * (next(600) as u32)),
                _ => clock.advance(MINUTE * (next(3) as u32)),
            }
            for name in leased(&store).await {
                let until = leaves(&store, &name).await.unwrap_or(clock.now());
                assert!(until <= clock.now() || at_once.contains(&name), "seed {seed}, step {step}: {name} is early");
                let next_due = clock.now();
                let state =
                    store.record_attempt(&id(&name), outcomes(&delivered()), next_due, Vec::new()).await.unwrap();
                assert_eq!(state, State::Delivered);
                assert!(!sent.contains(&name) && !cancelled.contains(&name), "seed {seed}, step {step}: {name}");
                sent.push(name);
            }
        }
        clock.advance(HOUR * 24 * 7);
        sent.extend(leased(&store).await);
        let mut all: Vec<String> = sent.into_iter().chain(cancelled).collect();
        all.sort();
        let there: Vec<String> = tokens.into_iter().map(|(name, _)| name).collect();
        assert_eq!(all, there, "seed {seed}: each once");
        assert_eq!(store.audit_check(Scope::Whole).await.unwrap().faults, [], "seed {seed}");
    }
}

fn delivered() -> Outcome {
    Outcome::Delivered { reply: "250 2.0.0 taken".to_owned() }
}
