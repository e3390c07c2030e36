//! 250 means: on stable storage. Proven by dying at every step, and at any moment.

mod support;

use std::collections::BTreeMap;

use support::{Client, Gateway, Seeded, Sink, Taken, header, relayed};

const SENDER: &str = "w.carr@saltmere.example";
const RECIPIENT: &str = "bookings@shorelinecoaches.example";

/// Where the program dies, told by `SCHOOLGATE_FAULT`, and how often a message may arrive for it: from our final dot until
/// its answer is recorded, nobody can know whether the smarthost has it.
const FAULTS: &[(&str, usize)] = &[
    ("before-content-write", 1),
    ("after-content-write", 1),
    ("after-content-sync", 1),
    // From the commit on delivery runs beside the answer, so it may have sent its final dot when these are reached.
    ("after-commit", 2),
    ("before-250", 2),
    ("after-250", 2),
    ("before-send", 1),
    ("after-final-dot", 2),
    ("after-smarthost-250", 2),
    ("before-record", 2),
    ("after-record", 1),
];

/// Of these, the points before the 250 is on the wire.
const BEFORE_THE_ANSWER: &[&str] =
    &["before-content-write", "after-content-write", "after-content-sync", "after-commit", "before-250"];

/// A message that says which it is; the long tail would show a torn write.
fn message(number: usize) -> Vec<u8> {
    let mut text = format!(
        "From: Wendy Carr <{SENDER}>\r\nTo: {RECIPIENT}\r\nSubject: Coach {number}\r\n\
         Message-ID: <{number}.durable@saltmere.example>\r\n\r\n"
    );
    for line in 0..200 {
        text.push_str(&format!("Seat {line} of coach {number} is by the window.\r\n"));
    }
    text.into_bytes()
}

/// Sends messages until one is not answered; the numbers of those that were answered 250.
fn send_until_it_dies(gateway: &Gateway, numbers: std::ops::Range<usize>) -> Vec<usize> {
    let mut answered = Vec::new();
    for number in numbers {
        let sent = Client::connect(gateway.port).and_then(|mut client| {
            client.hello()?;
            client.send(SENDER, &[RECIPIENT.to_owned()], &message(number))
        });
        match sent {
            Ok(reply) if reply.code == 250 => answered.push(number),
            Ok(reply) => panic!("message {number}: {reply:?}"),
            Err(_) => break,
        }
    }
    answered
}

/// How often each message came; panics where one is not whole.
fn arrivals(taken: &[Taken], sent: usize) -> BTreeMap<usize, usize> {
    let mut arrivals = BTreeMap::new();
    for copy in taken.iter().filter(|t| !t.from.is_empty()) {
        let id = header(&copy.content, "Message-ID").expect("a Message-ID");
        let number: usize =
            id.trim_start_matches('<').split('.').next().and_then(|n| n.parse().ok()).expect("a number");
        assert!(number < sent, "message {number} was never sent");
        assert_eq!(relayed(&copy.content), Some(&message(number)[..]), "message {number} is not whole");
        *arrivals.entry(number).or_default() += 1;
    }
    arrivals
}

/// Every answered message came at least once and at most `most` times; the others at most as often.
fn check(sink: &Sink, what: &str, answered: &[usize], sent: usize, most: usize) {
    sink.wait(what, |taken| {
        let arrivals = arrivals(taken, sent);
        answered.iter().all(|number| arrivals.contains_key(number))
    });
    for (number, times) in arrivals(&sink.settled(), sent) {
        assert!(times <= most, "{what}: message {number} came {times} times");
    }
}

/// The first pass of a point at which the program has started and greets.
fn first_pass_by_mail(fault: &str) -> usize {
    let passed = |pass: &usize| {
        let mut gateway = Gateway::new(Sink::start().port);
        gateway.try_start(&[("SCHOOLGATE_FAULT", &format!("{fault}:{pass}"))]).is_ok()
    };
    (1..10).find(passed).unwrap_or_else(|| panic!("{fault}: it does not start"))
}

/// A gateway that greets and dies at this pass after the first, or at a later one where it died before it greeted: how often a
/// point is passed while it starts depends on when health is looked at.
fn started_with(fault: &str, first: usize, later: usize, smarthost: u16) -> (Gateway, usize) {
    let started = |later: usize| {
        let mut gateway = Gateway::new(smarthost);
        let pass = format!("{fault}:{}", first + later);
        gateway.try_start(&[("SCHOOLGATE_FAULT", &pass)]).ok().map(|()| (gateway, later))
    };
    (later..later + 5).find_map(started).unwrap_or_else(|| panic!("{fault}: it does not start"))
}

/// Relay checklist, row 68.
#[test]
fn dying_at_any_step_loses_nothing_that_was_answered() {
    for &(fault, most) in FAULTS {
        // Some points are passed while it starts, too: those passes come before the first that mail can reach.
        let first = first_pass_by_mail(fault);
        // Then that pass, and a later one, when other messages are on their way.
        for later in [0, 2] {
            let sink = Sink::start();
            let (mut gateway, later) = started_with(fault, first, later, sink.port);
            let what = format!("{fault}:{}", first + later);
            let sent = 5;
            let answered = send_until_it_dies(&gateway, 0..sent);
            println!("{what}: {answered:?} were answered");
            let status = gateway.wait_for_exit();
            assert!(!status.success(), "{what}: {status}");
            if BEFORE_THE_ANSWER.contains(&fault) {
                assert!(answered.len() <= later, "{what}: 250 was said to {answered:?} before the last could be kept");
            }
            gateway.start(&[]);
            check(&sink, &what, &answered, sent, most);
            let twice = arrivals(&sink.taken(), sent).values().filter(|&&times| times > 1).count();
            let logged = gateway.log().matches("possible_duplicate=true").count();
            assert!(logged >= twice, "{what}: {twice} came twice, {logged} are logged as possible duplicates");
            assert!(gateway.running(), "{what}: it lives after the restart");
        }
    }
}

/// Relay checklist, row 72.
#[test]
fn a_full_disk_is_no_250() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[("SCHOOLGATE_FAULT", "disk-full")]);
    let reply = gateway.client().send(SENDER, &[RECIPIENT.to_owned()], &message(0)).expect("a reply");
    assert_eq!(reply.code, 452, "{reply:?}");
    // Now that it is known, MAIL says so, unless the store has shown meanwhile that it commits.
    let refused = gateway.client().send(SENDER, &[RECIPIENT.to_owned()], &message(1));
    let told = refused.map_or_else(|error| error.to_string(), |reply| reply.code.to_string());
    assert!(told.contains("452"), "{told}");
    assert!(gateway.running(), "it lives on");
    gateway.kill();
    gateway.start(&[]);
    let answered = send_until_it_dies(&gateway, 2..4);
    assert_eq!(answered, [2, 3]);
    check(&sink, "after the disk has room again", &answered, 4, 1);
    assert!(!arrivals(&sink.taken(), 4).keys().any(|&number| number < 2), "what was not answered 250 stays away");
}

#[test]
fn killed_at_any_moment_it_loses_nothing_that_was_answered() {
    let mut random = Seeded::new();
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let rounds = 4;
    let each = 10;
    let mut answered = Vec::new();
    for round in 0..rounds {
        gateway.start(&[]);
        let stop = round * each + 1 + random.below(each as u64 - 1) as usize;
        answered.extend(send_until_it_dies(&gateway, round * each..stop));
        std::thread::sleep(std::time::Duration::from_millis(random.below(60)));
        gateway.kill();
    }
    gateway.start(&[]);
    assert!(!answered.is_empty(), "something was sent");
    // Each kill may cut off what was under way on every connection to the smarthost: once more per round at most.
    check(&sink, "after the last restart", &answered, rounds * each, 1 + rounds);
}

/// Relay checklist, row 86.
#[test]
fn a_smarthost_that_dies_after_the_final_dot_is_asked_again() {
    let sink = Sink::start();
    sink.die_after_dot(1);
    let gateway = Gateway::started(sink.port);
    let answered = send_until_it_dies(&gateway, 0..1);
    assert_eq!(answered, [0]);
    sink.wait("a second try", |taken| taken.iter().any(|t| t.answered));
    assert_eq!(arrivals(&sink.settled(), 1), BTreeMap::from([(0, 2)]));
}

/// Where a message stands, as the command line tells it.
fn state_of(gateway: &Gateway, id: &str) -> String {
    let shown = gateway.command(&["queue", "show", id, "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
    value["state"].as_str().unwrap_or_default().to_owned()
}

/// Relay checklist, row 127.
#[test]
fn a_message_whose_inspection_failed_once_waits_and_is_decided() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[("SCHOOLGATE_FAULT", "inspection-fails:1")]);
    let reply = gateway.client().send(SENDER, &[RECIPIENT.to_owned()], &message(0)).expect("a reply");
    assert_eq!(reply.code, 250, "{reply:?}");
    sink.wait("the message", |taken| !taken.is_empty());
    assert_eq!(arrivals(&sink.settled(), 1), BTreeMap::from([(0, 1)]));
    assert!(gateway.log().contains("undecided"), "{}", gateway.log());
}

/// Relay checklist, row 127.
#[test]
fn a_message_that_cannot_be_inspected_is_held_and_never_leaves() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[("SCHOOLGATE_FAULT", "inspection-fails:4")]);
    let reply = gateway.client().send(SENDER, &[RECIPIENT.to_owned()], &message(0)).expect("a reply");
    assert_eq!(reply.code, 250, "{reply:?}");
    let id = support::id_of(&reply);
    // Three tries with ten seconds between them.
    let until = std::time::Instant::now() + 3 * support::PATIENCE;
    while state_of(&gateway, &id) != "held" {
        assert!(std::time::Instant::now() < until, "{}", gateway.log());
        assert!(arrivals(&sink.taken(), 1).is_empty(), "it left undecided");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    // Its sender and the School Business Manager are told, and the next message is not affected.
    sink.wait("the notices", |taken| taken.iter().filter(|t| t.from.is_empty()).count() == 2);
    gateway.client().send(SENDER, &[RECIPIENT.to_owned()], &message(1)).expect("a reply");
    sink.wait("the next message", |taken| arrivals(taken, 2).contains_key(&1));
    assert!(!arrivals(&sink.settled(), 2).contains_key(&0), "it never left");
}

#[test]
fn a_delivery_that_panics_costs_its_message_a_try_and_after_three_it_is_set_aside() {
    for (panics, arriving) in [(1, vec![(0, 1), (1, 1)]), (3, vec![(1, 1)])] {
        let sink = Sink::start();
        let mut gateway = Gateway::new(sink.port);
        gateway.start(&[("SCHOOLGATE_FAULT", &format!("panic:delivering:{panics}"))]);
        let reply = gateway.client().send(SENDER, &[RECIPIENT.to_owned()], &message(0)).expect("a reply");
        let id = support::id_of(&reply);
        // One second lies between two tries.
        let until = std::time::Instant::now() + support::PATIENCE;
        while gateway.log().matches("its delivery broke off").count() < panics {
            assert!(std::time::Instant::now() < until, "{}", gateway.log());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        gateway.client().send(SENDER, &[RECIPIENT.to_owned()], &message(1)).expect("a reply");
        sink.wait("what can be delivered", |taken| arrivals(taken, 2).len() == arriving.len());
        assert_eq!(arrivals(&sink.settled(), 2), BTreeMap::from_iter(arriving), "{panics} panics");
        let shown = gateway.command(&["queue", "show", &id, "--json"]);
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
        assert_eq!(shown["damaged"].is_string(), panics == 3, "{shown}");
        if panics == 3 {
            // A person may have it tried again.
            gateway.command(&["queue", "retry", &id]);
            sink.wait("the message that was set aside", |taken| arrivals(taken, 2).contains_key(&0));
        }
    }
}
