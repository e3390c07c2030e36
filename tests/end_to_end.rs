//! Every rule's messages through the real program: delivered byte for byte, returned, held, or refused.

mod support;

use std::collections::BTreeSet;

use support::{Case, Gateway, Sink, Taken, cases, header, id_of, relayed, wrong_fates};

/// The rules of the core policy.
const RULES: &[&str] = &[
    "impersonation",
    "pupil-record-to-personal",
    "pupil-mention-to-personal",
    "pupil-record-to-wrong-guardian",
    "bulk-pupils-outside",
    "sensitive-unprotected",
    "confidential-marker-missing",
    "personal-marker-missing",
    "personal-marker-misused",
    "adult-identifier-outside",
    "adult-identifier-unmarked",
    "visible-recipients",
    "credentials-disclosed",
    "offensive-language",
    "unreadable-content",
    "pupil-images",
    "lookalike-recipient",
    "barred-parent",
    "pupil-images-refused",
    "adult-matter-outside",
    "audience-outside",
    "other-household",
];

#[test]
fn every_rule_has_a_message_that_breaks_it_and_one_that_keeps_it() {
    let cases = cases();
    for rule in RULES {
        let tag = format!("rule:{rule}");
        let about = |word: &str| cases.iter().filter(|c| c.tagged(&tag) && c.tagged(word)).collect::<Vec<_>>();
        assert!(!about("keeps").is_empty(), "{rule}: nothing keeps it");
        assert!(!about("breaks").is_empty(), "{rule}: nothing breaks it");
        for case in about("breaks") {
            assert!(case.rules.iter().any(|r| r == rule), "{} breaks {rule} without naming it", case.id);
        }
        for case in about("keeps") {
            assert!(!case.rules.iter().any(|r| r == rule), "{} keeps {rule} and names it", case.id);
        }
    }
    let ids: BTreeSet<_> = cases.iter().map(|c| header(&c.message(), "Message-ID")).collect();
    assert_eq!(ids.len(), cases.len(), "each message has a Message-ID of its own");
}

#[test]
fn each_message_meets_the_fate_that_its_label_names() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let cases = cases();
    let wrong = wrong_fates(&gateway, &sink, &cases);
    assert!(wrong.is_empty(), "{} of {} went wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn recipients_have_outcomes_of_their_own() {
    let sink = Sink::start();
    sink.answer_recipient("busy@shorelinecoaches.example", "450 4.2.1 Later");
    sink.answer_recipient("gone@shorelinecoaches.example", "550 5.1.1 No such mailbox");
    let gateway = Gateway::started(sink.port);
    let to = ["bookings", "busy", "gone"].map(|name| format!("{name}@shorelinecoaches.example"));
    let message = b"From: Wendy Carr <w.carr@saltmere.example>\r\nTo: bookings@shorelinecoaches.example\r\n\
        Subject: Coach\r\nMessage-ID: <outcomes@saltmere.example>\r\n\r\nA 29-seater, please.\r\n..\r\n";
    let reply = gateway.client().send("w.carr@saltmere.example", &to, message).expect("a transaction");
    assert_eq!(reply.code, 250, "{reply:?}");
    let reached = |taken: &[Taken], name: &str| taken.iter().filter(|t| t.recipients.iter().any(|r| r == name)).count();
    sink.wait("the first recipient", |taken| reached(taken, &to[0]) == 1);
    sink.wait("a report to the sender", |taken| {
        taken.iter().any(|t| t.from.is_empty() && t.recipients == ["w.carr@saltmere.example"])
    });
    sink.answer_recipient(&to[1], "250 2.1.5 Now");
    sink.wait("the recipient that was busy", |taken| reached(taken, &to[1]) == 1);
    let taken = sink.settled();
    assert_eq!(to.each_ref().map(|name| reached(&taken, name)), [1, 1, 0]);
    for copy in taken.iter().filter(|t| !t.from.is_empty()) {
        assert_eq!(relayed(&copy.content), Some(&message[..]));
    }
}

/// A clean message of the fixtures, sent.
fn send_clean(gateway: &Gateway) -> Case {
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    let reply = gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("a transaction");
    assert_eq!(reply.code, 250, "{reply:?}");
    case
}

#[test]
fn mail_is_taken_while_the_smarthost_is_away_and_delivered_when_it_is_back() {
    let port = support::free_port();
    let gateway = Gateway::started(port);
    let case = send_clean(&gateway);
    let until = std::time::Instant::now() + support::PATIENCE;
    while !gateway.log().contains("the smarthost cannot be used") {
        assert!(std::time::Instant::now() < until, "{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let sink = Sink::start_on(port);
    sink.wait("the message that waited", |taken| !taken.is_empty());
    let taken = sink.settled();
    assert_eq!(taken.len(), 1, "once, and nobody is told of a short wait");
    assert_eq!(relayed(&taken[0].content), Some(&case.message()[..]));
}

#[test]
fn a_smarthost_that_takes_nothing_from_us_is_told_of_once_and_nothing_bounces() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("queue", "retry_minutes", vec![0.01]);
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    sink.answer_recipient(&case.rcpt[0], "550 5.7.64 TenantAttribution; Relay Access Denied");
    gateway.start(&[]);
    send_clean(&gateway);
    let until = std::time::Instant::now() + support::PATIENCE;
    while gateway.log().matches("\"deferred\"").count() < 3 {
        assert!(std::time::Instant::now() < until, "{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    sink.answer_recipient(&case.rcpt[0], "250 2.1.5 ok");
    sink.wait("the message that waited", |taken| !taken.is_empty());
    assert_eq!(sink.settled().len(), 1, "nothing bounced");
    let log = gateway.log();
    assert_eq!(log.matches("the smarthost cannot be used").count(), 1, "{log}");
    assert_eq!(log.matches("smarthost-back").count(), 1, "{log}");
}

#[test]
fn a_slow_smarthost_slows_nobody_who_sends() {
    let sink = Sink::start();
    sink.delay(std::time::Duration::from_millis(700));
    let gateway = Gateway::started(sink.port);
    let start = std::time::Instant::now();
    let cases: Vec<_> = (0..8).map(|_| send_clean(&gateway)).collect();
    let answered = start.elapsed();
    sink.delay(std::time::Duration::ZERO);
    sink.wait("all of them", |taken| taken.len() == cases.len());
    // Eight messages of several commands each would have taken the smarthost half a minute.
    assert!(answered < std::time::Duration::from_secs(10), "answered after {answered:?}");
}

#[test]
fn what_cannot_be_delivered_in_its_time_is_given_up_and_reported_once() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    // A second and a half.
    gateway.set("queue", "give_up_hours", 0.0004);
    gateway.start(&[]);
    let to = "busy@shorelinecoaches.example";
    sink.answer_recipient(to, "450 4.2.1 Later");
    let message = b"From: w.carr@saltmere.example\r\nTo: busy@shorelinecoaches.example\r\nSubject: Coach\r\n\
        Message-ID: <give-up@saltmere.example>\r\n\r\nA 29-seater, please.\r\n";
    let reply = gateway.client().send("w.carr@saltmere.example", &[to.to_owned()], message).expect("a transaction");
    assert_eq!(reply.code, 250, "{reply:?}");
    sink.wait("the report", |taken| taken.iter().any(|t| t.from.is_empty()));
    let taken = sink.settled();
    let reports: Vec<_> = taken.iter().filter(|t| t.from.is_empty()).collect();
    assert_eq!(reports.len(), 1);
    let report = String::from_utf8_lossy(&reports[0].content).into_owned();
    for words in [
        "multipart/report",
        "message/delivery-status",
        "Action: failed",
        "Status: 4.4.7",
        to,
        "give-up@saltmere.example",
    ] {
        assert!(report.contains(words), "{words} is missing:\n{report}");
    }
    assert!(!report.contains("29-seater"), "the report quotes no text of the message");
    let shown = gateway.command(&["queue", "list", "--state", "failed", "--json"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("\"failed\""));
}

#[test]
fn a_client_has_as_many_connections_as_are_configured() {
    let mut gateway = Gateway::new(Sink::start().port);
    gateway.set("listen", "connections_per_client", 2);
    gateway.start(&[]);
    let until = std::time::Instant::now() + support::PATIENCE;
    let mut held = Vec::new();
    while held.len() < 2 {
        // The connection that saw it start may not be over yet.
        held.extend(support::Client::connect(gateway.port));
        assert!(std::time::Instant::now() < until, "{}", gateway.log());
    }
    assert!(support::Client::connect(gateway.port).is_err(), "one too many is no 220");
    drop(held);
    while support::Client::connect(gateway.port).is_err() {
        assert!(std::time::Instant::now() < until, "places are given back; {}", gateway.log());
    }
}

/// Out-of-office answers go, marked or not; what stops one waits, and nobody is written to in answer to it.
#[test]
fn automatic_answers_need_no_marker_and_are_never_answered() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let (teacher, stranger) = ("b.stubbs@saltmere.example", "jo.bloggs4@gmail.com");
    let code = "The code for the staff entrance door is 4821Y.";
    // (envelope sender, header, what it says, whether it goes, whether its sender is written to)
    let cases = [
        ("", "Auto-Submitted: auto-replied\r\n", "Back on Monday.", true, false),
        ("", "", "Back on Monday.", true, false),
        (teacher, "Auto-Submitted: auto-generated (vacation)\r\n", "Back on Monday.", true, false),
        (teacher, "Auto-Submitted: no\r\n", "Back on Monday.", false, true),
        (teacher, "", "Back on Monday.", false, true),
        (teacher, "Auto-Submitted: auto-replied\r\n", code, false, false),
        ("", "", code, false, false),
    ];
    for (number, (from, header, words, goes, told)) in cases.into_iter().enumerate() {
        let content = format!(
            "From: {teacher}\r\nTo: {stranger}\r\nSubject: Away\r\n{header}Message-ID: <{number}@away>\r\nDate: Mon, 12 Oct 2026 12:00:00 +0100\r\n\r\n{words}\r\n"
        );
        let reply = gateway.client().send(from, &[stranger.to_owned()], content.as_bytes()).expect("taken");
        let id = id_of(&reply);
        let taken = sink.settled();
        let what = format!("{from:?} {header:?} {words:?}");
        let gone = taken.iter().any(|t| t.recipients == [stranger] && relayed(&t.content) == Some(content.as_bytes()));
        let text = |taken: &Taken| String::from_utf8_lossy(&taken.content).into_owned();
        let written = taken.iter().any(|t| t.recipients == [teacher] && text(t).contains(&id));
        assert_eq!((gone, written), (goes, told), "{what}");
        let shown = gateway.command(&["queue", "show", &id]);
        let waits = String::from_utf8_lossy(&shown.stdout).contains("held");
        assert_eq!(waits, !goes && !told, "{what}: {}", String::from_utf8_lossy(&shown.stdout));
    }
}

/// What is about the headteacher is for the chair of governors, and never for the headteacher.
#[test]
fn who_is_spoken_of_is_not_told_and_the_next_above_is() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    // Of whom a confidential matter stands in it, and to which of the reviewers' mailboxes the letters go.
    let cases: [(&str, &[&str]); 3] = [
        ("Mrs Ruth Ellery", &["chair@tidewatertrust.example", "sbm@saltmere.example"]),
        ("Mrs Jean Tallis", &["head@saltmere.example"]),
        ("Mrs Pat Quick", &["sbm@saltmere.example"]),
    ];
    for (name, wanted) in cases {
        let content = format!(
            "From: d.okafor@saltmere.example\r\nTo: office@tidylodge.example\r\nSubject: Cover\r\n\r\n\
             {name} has been suspended while an allegation against her is looked into.\r\n"
        );
        let to = ["office@tidylodge.example".to_owned()];
        let reply = gateway.client().send("d.okafor@saltmere.example", &to, content.as_bytes()).expect("taken");
        let id = id_of(&reply);
        let mut told: Vec<String> = sink
            .settled()
            .into_iter()
            .filter(|taken| taken.from.is_empty() && String::from_utf8_lossy(&taken.content).contains(&id))
            .flat_map(|taken| taken.recipients)
            .filter(|to| to != "d.okafor@saltmere.example")
            .collect();
        told.sort();
        assert_eq!(told, wanted, "{name}");
    }
}
