//! The tools of the other tests, tried on each other: the client talks to the sink with nothing in between.

mod support;

use std::time::{Duration, Instant};

use support::{Client, Sink, header, relayed};

const TO: [&str; 2] = ["a@shorelinecoaches.example", "b@shorelinecoaches.example"];

fn to() -> Vec<String> {
    TO.map(str::to_owned).into()
}

fn client(sink: &Sink) -> Client {
    let mut client = Client::connect(sink.port).expect("a greeting");
    client.hello().expect("EHLO is answered");
    client
}

#[test]
fn content_arrives_byte_for_byte() {
    let sink = Sink::start();
    for content in [
        &b"Subject: dots\r\n\r\n.\r\n..\r\n.a\r\n\r\n"[..],
        b"Subject: bare\r\n\r\na\rb\n.\nc\r\n",
        b"Subject: eight bit\r\n\r\n\xc3\xa9\xff\x00\r\n",
        b"",
    ] {
        let reply = client(&sink).send("", &to(), content).expect("a transaction");
        assert_eq!(reply.code, 250);
        let taken = sink.taken().pop().expect("a message");
        assert_eq!(taken.content, content);
        assert_eq!((taken.from.as_str(), taken.recipients), ("", to()));
    }
}

#[test]
fn the_sink_answers_as_it_is_told() {
    let sink = Sink::start();
    sink.answer_recipient(TO[0], "450 4.2.1 Later");
    let refused = client(&sink).send("x@y.example", &to(), b"").expect_err("a refused recipient");
    assert!(refused.to_string().contains("450"), "{refused}");
    sink.answer_recipient(TO[0], "250 2.1.5 Now");
    sink.answer_dot(TO[1], "451 4.3.0 Not now");
    assert_eq!(client(&sink).send("x@y.example", &to(), b"").expect("a reply").code, 451);
    assert!(sink.taken().is_empty());
    sink.answer_dot(TO[1], "250 2.0.0 Now");
    sink.delay(Duration::from_millis(150));
    let before = Instant::now();
    assert_eq!(client(&sink).send("x@y.example", &to(), b"").expect("a reply").code, 250);
    assert!(before.elapsed() >= Duration::from_millis(150));
    sink.die_after_dot(1);
    assert!(client(&sink).send("x@y.example", &to(), b"").is_err());
    assert_eq!(sink.settled().iter().map(|t| t.answered).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn what_was_relayed_is_told_from_what_was_added() {
    let received = b"Received: from a\r\n\tby b;\r\n Sat\r\n";
    for (original, expected) in [
        (&b"Subject: x\r\n\r\nbody\r\n"[..], true),
        (b"Received: an older one\r\nSubject: x\r\n\r\n", true),
        (b"\r\nno header\r\n", true),
    ] {
        let whole = [&received[..], original].concat();
        assert_eq!(relayed(&whole) == Some(original), expected);
    }
    assert_eq!(relayed(b"Subject: x\r\n\r\n"), None);
    assert_eq!(header(b"A: 1\r\nSubject: two\r\n lines\r\n\r\nSubject: no", "subject").as_deref(), Some("two lines"));
}
