//! Floods: of each kind of command, of lines, of connections and of handshakes.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::caller::{Caller, RECIPIENT, SENDER, address, certificate, connect, doors, is_served, memory, until_open};
use crate::support::{Gateway, PATIENCE, Sink};

/// Connections of one kind of flood, all at the same time.
const TIMES: usize = 20;
/// Connections that are begun and closed at once.
const FLEETING: usize = 3_000;
/// Handshakes that are begun and left.
const LEFT: usize = 400;
/// What all the floods together may leave behind, KiB: pages that the allocator keeps, and code that is in memory once it has run. One
/// flood's octets are many times that.
const LEFT_BEHIND: u64 = 48 * 1_024;
/// Of the messages that are sent beside the floods.
const SUBJECTS: [&str; 4] = [
    "beside floods of commands",
    "beside those that come and go",
    "beside handshakes that were left",
    "behind all floods",
];
/// Octets that one connection of a flood sends at most.
const MOST: usize = 1_024 * 1_024;

/// A flood: what it is, what is said first, what is said again and again, and what is heard last.
type Flood = (&'static str, String, String, &'static [&'static str]);

fn floods() -> Vec<Flood> {
    // What is refused is answered slowly, so these take some seconds.
    let mail = format!("EHLO c.saltmere.example\r\nMAIL FROM:<{SENDER}>\r\n");
    let rcpt = |address: &str| format!("RCPT TO:<{address}>\r\n");
    let errors: &[&str] = &["421 4.7.0 "];
    let many: String = (0..1_000).map(|n| rcpt(&format!("r{n}@shorelinecoaches.example"))).collect();
    vec![
        ("recipients that are refused", mail.clone(), "RCPT TO:<@>\r\n".into(), errors),
        ("one recipient, accepted again and again", mail.clone(), rcpt(RECIPIENT), errors),
        ("recipients beyond the limit", mail.clone() + &many, rcpt("one.more@shorelinecoaches.example"), errors),
        ("unknown commands", String::new(), "XYZZY plugh\r\n".into(), errors),
        ("NOOP", String::new(), "NOOP\r\n".into(), errors),
        ("RSET", String::new(), "RSET\r\n".into(), errors),
        ("VRFY", String::new(), "VRFY w.carr\r\n".into(), errors),
        ("HELO", String::new(), "HELO c.saltmere.example\r\n".into(), errors),
        ("MAIL and RSET", "EHLO c\r\n".into(), format!("MAIL FROM:<{SENDER}>\r\nRSET\r\n"), errors),
        ("long lines", String::new(), format!("NOOP {}\r\n", "x".repeat(4_000)), errors),
        ("a line without an end", String::new(), "x".repeat(8_192), &["500 5.5.2 ", "500 5.5.6 "]),
    ]
}

/// Sends as fast as it can until the connection ends; what was heard last.
async fn flood(number: usize, port: u16, first: &str, again: &str) -> String {
    let mut caller = Caller::from(address(number), port).await.expect("it is let in");
    let banner = caller.hears().await;
    assert!(banner.starts_with("220 "), "{banner}");
    let (reading, mut writing) = caller.stream.into_split();
    let (first, again) = (first.to_owned(), again.repeat(MOST / 64 / again.len().max(1) + 1));
    let flood = tokio::spawn(async move {
        let _ = writing.write_all(first.as_bytes()).await;
        for _ in 0..64 {
            if writing.write_all(again.as_bytes()).await.is_err() {
                break;
            }
        }
        // To the end of what is said, not of what is heard.
        writing
    });
    let mut caller = Caller { stream: BufReader::new(tokio::io::join(reading, tokio::io::sink())) };
    let heard = timeout(PATIENCE * 2, caller.hears_the_end()).await.expect("it ends");
    flood.abort();
    heard.last().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_end_and_leave_nothing_behind() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.monitored();
    let _ = certificate(gateway.directory());
    let door = "tls_certificate = \"gate.pem\"\ntls_key = \"gate.key\"\nrelay_from = [\"127.0.0.0/8\"]\n";
    let ports = doors(
        &gateway,
        &[("starttls", &format!("{door}tls = \"starttls\"")), ("implicit", &format!("{door}tls = \"implicit\""))],
    );
    let [starttls, implicit] = ports[..] else { panic!("two doors") };
    gateway.start(&[]);
    // With the subjects of later: what the gateway loads when it first wants it was left behind by no flood.
    for subject in SUBJECTS {
        is_served(&gateway, subject).await;
    }
    let before = memory(&gateway);
    let mut served = SUBJECTS.len();

    let mut floods_of_commands = JoinSet::new();
    for (kind, (what, first, again, last)) in floods().into_iter().enumerate() {
        for time in 0..TIMES {
            let (port, first, again) = (gateway.port, first.clone(), again.clone());
            floods_of_commands.spawn(async move {
                let heard = flood(kind * TIMES + time, port, &first, &again).await;
                assert!(last.iter().any(|last| heard.starts_with(last)), "{what}: {heard:?}");
            });
        }
    }
    while let Some(ended) = floods_of_commands.join_next().await {
        ended.unwrap_or_else(|e| panic!("{e}\n{}", gateway.log()));
        if floods_of_commands.len() % TIMES == 0 {
            is_served(&gateway, SUBJECTS[0]).await;
            served += 1;
        }
    }

    for number in 0..FLEETING {
        // It may be refused where too many are open; it is never answered with a reset that others feel.
        drop(connect(address(number / 40), gateway.port).await.expect("it listens"));
        if number % (FLEETING / 3) == 0 {
            is_served(&gateway, SUBJECTS[1]).await;
            served += 1;
        }
    }

    let mut left = Vec::new();
    for number in 0..LEFT {
        let mut stream = connect(address(number / 40), implicit).await.expect("it listens");
        // A hello that announces more than comes; then it goes, or stays until it is cut.
        let _ = stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await;
        let mut behind = Caller::from(address(number / 40), starttls).await.expect("it listens");
        if behind.hears().await.starts_with("220 ") && behind.asks("EHLO c").await.starts_with("250 ") {
            let _ = behind.asks("STARTTLS").await;
            let _ = behind.stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await;
        }
        if number % 4 == 0 {
            left.push((stream, behind));
        }
    }
    is_served(&gateway, SUBJECTS[2]).await;
    served += 1;
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Those that stay are cut by the gateway, not by us.
    until_open(&gateway, 0).await;
    drop(left);

    is_served(&gateway, SUBJECTS[3]).await;
    served += 1;
    until_open(&gateway, 0).await;
    let after = memory(&gateway);
    println!("{before} KiB before, {after} KiB after");
    assert!(after <= before + LEFT_BEHIND, "{before} KiB before the floods, {after} KiB after them");
    sink.wait("all that was sent", |taken| taken.len() >= served);
    assert_eq!(sink.settled().len(), served, "and nothing of the floods");
}
