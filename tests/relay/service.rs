//! The service as a whole: a disk that fails, gateways in a loop, an end in the midst of mail, and what watches it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Talk;
use super::support::{Gateway, PATIENCE, Sink, free_port};

fn message(number: usize) -> String {
    format!(
        "Subject: The boiler\r\nMessage-ID: <{number}.service@saltmere.example>\r\n\r\nIt hums again, for the {number}.\r\n"
    )
}

/// The numbers of the messages that arrived.
fn numbers(sink: &Sink) -> BTreeSet<usize> {
    let taken = sink.taken();
    let ids = taken.iter().filter_map(|one| super::support::header(&one.content, "Message-ID"));
    ids.filter_map(|id| id.trim_start_matches('<').split('.').next()?.parse().ok()).collect()
}

/// Relay checklist, rows 70 and 71: 451, a word in the log, nothing kept, and the next message is taken.
#[test]
fn a_sync_that_fails_is_451_and_the_next_message_is_taken() {
    for fault in ["sync-fails", "directory-sync-fails"] {
        let sink = Sink::start();
        let mut gateway = Gateway::new(sink.port);
        gateway.start(&[("SCHOOLGATE_FAULT", fault)]);
        let send = |number| {
            let mut talk = Talk::begins(gateway.port, fault);
            talk.says(format!("{}.\r\n", message(number)).as_bytes());
            talk.line()
        };
        let refused = send(1);
        assert!(refused.starts_with(b"451 4.3.0 "), "{fault}: {}\n{}", refused.escape_ascii(), gateway.log());
        assert!(gateway.log().contains("a message could not be stored"), "{fault}\n{}", gateway.log());
        // Nobody is greeted before the store has shown that it commits.
        let until = Instant::now() + PATIENCE;
        while !gateway.banner().starts_with("220 ") {
            assert!(Instant::now() < until, "{fault}\n{}", gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        let taken = send(2);
        assert!(taken.starts_with(b"250 "), "{fault}: {}", taken.escape_ascii());
        sink.wait("the second", |taken| !taken.is_empty());
        sink.settled();
        assert_eq!(numbers(&sink), BTreeSet::from([2]), "{fault}");
    }
}

fn accepted(gateway: &Gateway) -> usize {
    gateway.log().matches("event=\"accepted\"").count()
}

/// Relay checklist, row 66.
#[test]
fn two_gateways_that_point_at_each_other_come_to_rest() {
    let mut first = Gateway::new(free_port());
    let mut second = Gateway::new(first.port);
    first.set("smarthost", "port", i64::from(second.port));
    second.set("listen", "hostname", "second.saltmere.example");
    second.start(&[]);
    first.start(&[]);
    let mut talk = Talk::begins(first.port, "the loop");
    talk.says(format!("{}.\r\n", message(1)).as_bytes());
    talk.codes(&["250"], "the loop");
    // It goes round once and is refused by its first; the report of that goes round once, and of a report there is none.
    let waits = |gateway: &Gateway| {
        ["queued", "pending"].iter().any(|state| {
            let listed = gateway.command(&["queue", "list", "--state", state, "--json"]);
            String::from_utf8_lossy(&listed.stdout).trim() != "[]"
        })
    };
    let until = Instant::now() + PATIENCE;
    while !second.log().contains("5.4.6") || waits(&first) || waits(&second) {
        assert!(Instant::now() < until, "{}\n{}", first.log(), second.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    std::thread::sleep(Duration::from_secs(2));
    let turns = (accepted(&first), accepted(&second));
    assert!((1..=3).contains(&turns.0) && (1..=3).contains(&turns.1), "{turns:?}\n{}\n{}", first.log(), second.log());
    assert!(!waits(&first) && !waits(&second));
}

/// Relay checklist, row 80.
#[test]
fn an_end_with_a_hundred_messages_under_way_loses_none_that_was_answered() {
    const CLIENTS: usize = 100;
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("listen", "connections_per_client", 2 * CLIENTS as i64);
    gateway.start(&[]);
    let mut under_way: Vec<Talk> = (0..CLIENTS)
        .map(|number| {
            let mut talk = Talk::begins(gateway.port, "under way");
            talk.says(&message(number).as_bytes()[..40]);
            talk
        })
        .collect();
    let mut idle = Talk::at(gateway.port);
    idle.codes(&["220"], "idle");
    gateway.signal("-TERM");
    assert!(idle.line().starts_with(b"421 4.3.2 "), "{}", gateway.log());
    // From here on nobody begins anything.
    let late = TcpStream::connect(("127.0.0.1", gateway.port)).is_ok_and(|mut stream| {
        let mut said = String::new();
        stream.read_to_string(&mut said).is_ok() && said.starts_with("220")
    });
    assert!(!late, "a client is greeted after the end has begun");
    let mut answered = BTreeSet::new();
    for (number, talk) in under_way.iter_mut().enumerate() {
        // Every third client goes away instead.
        if number % 3 == 2 {
            let _ = talk.stream.shutdown(std::net::Shutdown::Both);
            continue;
        }
        talk.says(format!("{}.\r\nMAIL FROM:<office@saltmere.example>\r\n", &message(number)[40..]).as_bytes());
        let reply = talk.line();
        if reply.starts_with(b"250 ") {
            answered.insert(number);
        } else {
            assert!(reply.starts_with(b"4"), "{number}: {}", reply.escape_ascii());
        }
        let farewell = talk.line();
        assert!(farewell.is_empty() || farewell.starts_with(b"421 "), "{number}: {}", farewell.escape_ascii());
    }
    assert!(gateway.wait_for_exit().success(), "{}", gateway.log());
    assert!(answered.len() >= CLIENTS / 2, "{} were answered\n{}", answered.len(), gateway.log());
    gateway.start(&[]);
    sink.wait("what was answered", |_| numbers(&sink).is_superset(&answered));
    sink.settled();
    assert_eq!(numbers(&sink), answered, "and nothing else");
}

/// A page of the monitor, with its headers in lower case.
fn page(gateway: &Gateway, port: u16, accept: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap_or_else(|e| panic!("{e}\n{}", gateway.log()));
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{accept}\r\n").expect("asks");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answers");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_lowercase(), body.to_owned())
}

/// What is wrong with a page by the rules of its form: families in one piece, each sample below the type of its family, and an
/// end in OpenMetrics alone.
fn faults(body: &str, openmetrics: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut seen, mut family, mut kind) = (BTreeSet::new(), "", "");
    let ends = body.lines().filter(|line| *line == "# EOF").count();
    if ends != usize::from(openmetrics) || body.ends_with("# EOF\n") != openmetrics {
        faults.push(format!("{ends} ends"));
    }
    for line in body.lines().filter(|line| *line != "# EOF") {
        let words: Vec<&str> = line.split(' ').collect();
        let fits = match words.as_slice() {
            ["#", "HELP", _, ..] => true,
            ["#", "TYPE", name, of] => {
                (family, kind) = (*name, *of);
                seen.insert(name.to_string())
            }
            [""] => !openmetrics,
            _ => {
                let (sample, value) = line.rsplit_once(' ').unwrap_or_default();
                let name = sample.split('{').next().unwrap_or_default();
                let suffixes: &[&str] = match (kind, openmetrics) {
                    ("counter", true) => &["_total"],
                    ("histogram", _) => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                value.parse::<f64>().is_ok() && suffixes.iter().any(|suffix| name == format!("{family}{suffix}"))
            }
        };
        if !fits {
            faults.push(line.to_owned());
        }
    }
    if seen.len() < 5 {
        faults.push(format!("{} families", seen.len()));
    }
    faults
}

/// Relay checklist, row 143.
#[test]
fn metrics_are_told_in_the_form_that_is_asked_for() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let port = free_port();
    gateway.set("monitor", "address", format!("127.0.0.1:{port}"));
    gateway.start(&[]);
    let mut talk = Talk::begins(gateway.port, "metrics");
    talk.says(format!("{}.\r\n", message(1)).as_bytes());
    talk.codes(&["250"], "metrics");
    sink.wait("it", |taken| !taken.is_empty());
    let prometheus = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n";
    for (accept, openmetrics) in
        [("", false), ("Accept: */*\r\n", false), ("Accept: text/plain\r\n", false), (prometheus, true)]
    {
        let (head, body) = page(&gateway, port, accept);
        let form =
            if openmetrics { "application/openmetrics-text; version=1.0.0" } else { "text/plain; version=0.0.4" };
        assert!(head.contains(&format!("content-type: {form}")), "{accept}: {head}");
        assert!(body.contains("\nschoolgate_messages_taken_total 1\n"), "{accept}: {body}");
        assert!(body.contains("schoolgate_message_octets_bucket{le="), "{accept}: {body}");
        assert_eq!(faults(&body, openmetrics), Vec::<String>::new(), "{accept}");
        assert!(!faults(&body, !openmetrics).is_empty(), "one form is not the other");
    }
}

/// Relay checklist, row 142.
#[test]
fn who_looks_whether_it_lives_leaves_the_log_alone() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.monitored();
    gateway.start(&[]);
    gateway.wait_for_readiness(200);
    let before = gateway.log().lines().count();
    for _ in 0..20 {
        assert_eq!(
            (gateway.page("/healthz").0, gateway.page("/readyz").0, gateway.page("/metrics").0),
            (200, 200, 200)
        );
        // As load balancers and containers look: a connection that says nothing, and one that says goodbye.
        drop(TcpStream::connect(("127.0.0.1", gateway.port)).expect("it listens"));
        assert!(gateway.banner().starts_with("220 "));
        let mut talk = Talk::at(gateway.port);
        talk.codes(&["220"], "a look");
        talk.says(b"QUIT\r\n");
        talk.codes(&["221"], "a look");
    }
    std::thread::sleep(Duration::from_millis(500));
    let log = gateway.log();
    assert_eq!(log.lines().count(), before, "{log}");
    // Somebody who does more is told of.
    let mut talk = Talk::begins(gateway.port, "mail");
    talk.says(format!("{}.\r\n", message(1)).as_bytes());
    talk.codes(&["250"], "mail");
    assert!(gateway.log().lines().count() > before);
}

/// Memory of a process that no other shares and that is not given back, in kB (proc_pid_status(5)).
fn resident(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Relay checklist, row 59, through the program. Each message waits for the disk and is read: `SCHOOLGATE_MESSAGES=10000` sends them all,
/// which takes minutes; a message that stayed in memory shows among fewer too.
#[test]
fn ten_thousand_messages_on_one_connection_leave_memory_flat() {
    let all = std::env::var("SCHOOLGATE_MESSAGES").map_or(1_000, |all| all.parse().expect("a number"));
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let mut talk = Talk::at(gateway.port);
    assert_eq!(talk.code(), "220");
    talk.says(b"EHLO client.example\r\n");
    assert_eq!(talk.code(), "250");
    let envelope = "MAIL FROM:<office@saltmere.example>\r\nRCPT TO:<a@firm.example>\r\nDATA\r\n";
    // Long for the memory, and short for who reads it.
    let blank = "\r\n".repeat(16 * 1024);
    let mut warm = 0;
    for number in 0..all {
        talk.says(envelope.as_bytes());
        talk.codes(&["250", "250", "354"], "the envelope");
        talk.says(format!("{}{blank}.\r\n", message(number)).as_bytes());
        assert_eq!(talk.code(), "250", "{number}");
        if number == all / 2 {
            warm = resident(&gateway);
        }
    }
    let after = resident(&gateway);
    println!("{warm} kB after {} messages, {after} kB after {all}", all / 2);
    // All that came meanwhile would be 15 MB and more.
    assert!(after < warm + 10 * 1024, "{warm} kB, then {after} kB");
    talk.says(b"QUIT\r\n");
    assert_eq!(talk.code(), "221");
    sink.wait("all of them", |taken| taken.len() == all);
}

/// Relay checklist, row 129: what the record names is what the sink has, to the octet.
#[test]
fn the_hash_of_the_record_is_the_hash_of_what_arrived() {
    use sha2::{Digest, Sha256};
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let mut seeded = super::support::Seeded::new();
    let pieces =
        ["It hums.", "\r\n", ".", "..", "\r\n.", " ", "\t", "=3D", "Zo\u{eb}", "--X", "From the office", "\r\n\r\n"];
    let typed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=X\r\n";
    let mut shapes = vec![
        ("no body", String::new(), String::new()),
        ("blank lines alone", String::new(), "\r\n\r\n\r\n".to_owned()),
        ("dots", String::new(), ".\r\n..\r\n.x\r\n. \r\n".to_owned()),
        ("a long line", String::new(), format!("{}\r\n", "hums ".repeat(190))),
        ("a line beyond 998", String::new(), format!("{}\r\n", "hums ".repeat(400))),
        ("large", String::new(), "The boiler hums again.\r\n".repeat(60_000)),
        ("folds", "X-A: a\r\n\tb\r\n  c \r\nx-b:c\r\n".to_owned(), "It hums.\r\n".to_owned()),
        ("eight bits", "Content-Transfer-Encoding: 8bit\r\n".to_owned(), "Zo\u{eb}.\r\n".to_owned()),
        ("parts", typed.to_owned(), "before\r\n--X\r\n\r\nIt hums.\r\n--X--\r\nbehind\r\n".to_owned()),
        ("quoted", "Content-Transfer-Encoding: quoted-printable\r\n".to_owned(), "It=\r\n hums.=20\r\n".to_owned()),
        ("trace of others", "Received: from a by b; Tue, 3 Mar 2026 09:00:00 +0000\r\n".to_owned(), "x\r\n".to_owned()),
    ];
    for _ in 0..12 {
        let body: String = (0..seeded.below(60)).map(|_| *seeded.pick(&pieces)).collect();
        shapes.push(("random", String::new(), body + "\r\n"));
    }
    for (number, (name, headers, body)) in shapes.into_iter().enumerate() {
        let content = message(number).replacen("\r\n\r\n", &format!("\r\n{headers}\r\n{body}"), 1);
        let content = content.trim_end_matches(&format!("It hums again, for the {number}.\r\n")).to_owned();
        let mut client = gateway.client();
        let reply = client.send("office@saltmere.example", &["a@firm.example".to_owned()], content.as_bytes());
        let reply = reply.expect("it is taken");
        assert_eq!(reply.code, 250, "{name}: {}", reply.text());
        let taken = sink.wait(name, |taken| taken.len() > number).pop().expect("it arrived");
        assert_eq!(super::support::relayed(&taken.content), Some(content.as_bytes()), "{name}");
        let shown = gateway.command(&["queue", "show", &super::support::id_of(&reply), "--json"]);
        let record: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
        let hash: String = Sha256::digest(&taken.content).iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(record["sha256"].as_str(), Some(&*hash), "{name}: {record}");
        assert_eq!(record["size"], taken.content.len(), "{name}");
    }
}
