//! No task ends unseen: whichever part of the gateway fails, the process ends with a status, and nothing is lost.

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use support::{Client, Gateway, PATIENCE, Sink, header};

const SENDER: &str = "w.carr@saltmere.example";
const RECIPIENT: &str = "bookings@shorelinecoaches.example";

/// Every long-lived task, as faults name it.
const TASKS: &[&str] = &["listener", "delivery", "pending", "store-watch", "monitor", "control", "writer"];

fn message(number: usize) -> Vec<u8> {
    format!(
        "From: Wendy Carr <{SENDER}>\r\nTo: {RECIPIENT}\r\nSubject: Coach {number}\r\n\
         Message-ID: <{number}.supervised@saltmere.example>\r\n\r\nThe coach leaves at nine.\r\n"
    )
    .into_bytes()
}

fn send(gateway: &Gateway, number: usize) -> std::io::Result<support::Reply> {
    let mut client = Client::connect(gateway.port)?;
    client.hello()?;
    client.send(SENDER, &[RECIPIENT.to_owned()], &message(number))
}

/// The numbers that came, each as often as it came.
fn arrived(sink: &Sink) -> Vec<usize> {
    let number = |id: String| id.trim_start_matches('<').split('.').next().and_then(|n| n.parse().ok());
    sink.taken()
        .iter()
        .filter(|taken| !taken.from.is_empty())
        .filter_map(|taken| header(&taken.content, "Message-ID").and_then(number))
        .collect()
}

#[test]
fn a_task_that_panics_ends_the_process_and_nothing_answered_is_lost() {
    for task in TASKS {
        // At its start, and in the midst of things; what the writer is asked at first is the gateway's own start.
        for pass in if *task == "writer" { [4, 9] } else { [1, 3] } {
            let sink = Sink::start();
            let mut gateway = Gateway::new(sink.port);
            gateway.monitored();
            gateway.spawn(&[("SCHOOLGATE_FAULT", &format!("panic:{task}:{pass}"))]);
            let until = Instant::now() + PATIENCE;
            let mut answered = BTreeSet::new();
            let mut number = 0;
            let status = loop {
                if let Some(status) = gateway.exited() {
                    break status;
                }
                assert!(Instant::now() < until, "panic:{task}:{pass}: it lives on\n{}", gateway.log());
                // A client that is cut off keeps its message.
                if send(&gateway, number).is_ok_and(|reply| reply.code == 250) {
                    answered.insert(number);
                }
                number += 1;
                gateway.page("/metrics");
                if *task == "control" {
                    gateway.command(&["queue", "list"]);
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            assert_eq!(status.code(), Some(70), "panic:{task}:{pass}\n{}", gateway.log());
            let log = gateway.log();
            let told = log.lines().any(|line| {
                line.contains("ERROR") && line.contains("task-ended") && line.contains(&format!("task=\"{task}\""))
            });
            assert!(told, "panic:{task}:{pass} is an error event\n{log}");

            gateway.start(&[]);
            assert_eq!(send(&gateway, number).expect("an answer").code, 250);
            answered.insert(number);
            sink.wait("what was answered", |_| {
                arrived(&sink).into_iter().collect::<BTreeSet<_>>().is_superset(&answered)
            });
        }
    }
}
