//! Nothing that a message says reaches logs or metrics: not its text, not its names, not what was found in it.

mod support;

use std::io::{Read, Write};

use support::{Gateway, Sink, cases, free_port};

/// Words that stand in the fixtures' messages and belong to no address, rule or file of the program.
fn words_of_messages() -> Vec<String> {
    let mut words: Vec<String> = cases()
        .iter()
        .filter(|case| case.action != "deliver")
        .filter_map(|case| support::header(&case.message(), "Subject"))
        .map(|subject| subject.trim().to_owned())
        .filter(|subject| subject.len() > 12)
        .collect();
    let pupils = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/school/roster/pupils.csv"))
        .expect("the roster of the fixtures");
    for row in pupils.lines().skip(1) {
        // UPN and NHS number: ten characters or more that stand nowhere else by chance.
        words.extend(row.split(',').take(4).filter(|cell| cell.len() >= 10).map(str::to_owned));
    }
    words
}

fn metrics(port: u16) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the metrics port answers");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("asks");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answers");
    text
}

/// U12.
/// Relay checklist, row 138.
#[test]
fn logs_and_metrics_hold_no_word_of_a_message() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let port = free_port();
    gateway.set("monitor", "address", format!("127.0.0.1:{port}"));
    gateway.start(&[("SCHOOLGATE_LOG", "trace")]);
    for case in cases() {
        // Refused or taken: here only what is written about it matters.
        let _ = gateway.client().send(&case.mail_from, &case.rcpt, &case.message());
    }
    sink.settled();
    let metrics = metrics(port);
    assert!(metrics.contains("schoolgate_messages_total{action=\"hold\"}"), "{metrics}");
    gateway.terminate();
    let log = gateway.log();
    assert!(log.contains("decided"), "the log tells of decisions");
    let words = words_of_messages();
    assert!(words.len() > 50, "there is something to look for");
    for word in words {
        assert!(!log.contains(&word), "the log holds a word of a message of {} characters", word.len());
        assert!(!metrics.contains(&word), "the metrics hold a word of a message");
    }
}
