//! The report on personal use by the real gateway: mail with and without the mark goes out or comes back, then the report is
//! asked for beside the gateway, and while none runs.

mod support;

use std::time::Instant;

use support::{Gateway, PATIENCE, Sink, id_of};

const PRIVATE: &str = "someone.else@gmail.com";
const FIRM: &str = "orders@supplier.example";
const OKAFOR: &str = "d.okafor@saltmere.example";
const QUICK: &str = "p.quick@saltmere.example";
const LANE: &str = "t.lane@saltmere.example";

/// Sends it and waits until it has left, or come back; its state.
fn fate(gateway: &Gateway, from: &str, to: &str, subject: &str) -> String {
    let raw = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\nAt four.\r\n");
    let id = id_of(&gateway.client().send(from, &[to.to_owned()], raw.as_bytes()).expect("taken in"));
    let until = Instant::now() + PATIENCE;
    loop {
        let shown = gateway.command(&["queue", "show", &id, "--json"]);
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
        let state = shown["state"].as_str().unwrap_or_default().to_owned();
        if !["pending", "queued"].contains(&state.as_str()) {
            return state;
        }
        assert!(Instant::now() < until, "{id} is still {state}\n{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn report(gateway: &Gateway, more: &[&str]) -> String {
    let output = gateway.command(&[&["report", "personal-use", "--who", "Jane Doe"], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_report_counts_what_left_and_names_nobody_below_the_threshold() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("review", "public_url", "https://desk.saltmere.example");
    gateway.set("review", "listen", format!("127.0.0.1:{}", support::free_port()));
    gateway.set("review", "personal_use_names_from", 5);
    gateway.start(&[]);
    assert!(report(&gateway, &[]).contains("no mail has been counted yet"));
    for number in 0..6 {
        assert_eq!(fate(&gateway, OKAFOR, PRIVATE, &format!("Personal: match {number}")), "delivered");
    }
    for from in [QUICK, QUICK, QUICK, LANE] {
        assert_eq!(fate(&gateway, from, PRIVATE, "Private - lunch"), "delivered");
    }
    assert_eq!(fate(&gateway, LANE, FIRM, "Two boxes of paper"), "delivered");
    assert_eq!(fate(&gateway, LANE, FIRM, "The Personal Education Plan"), "delivered");
    // Not marked: it comes back, and counts when it was marked and has gone.
    assert_eq!(fate(&gateway, LANE, PRIVATE, "lunch"), "returned");
    let month = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::get("Europe/London").expect("London"));
    let month = month.strftime("%Y-%m").to_string();
    let sums = format!("\"{month}\",\"\",\"12\",\"3\",\"10\",\"3\",\"0\"\r\n");
    let named = format!("\"{month}\",\"{OKAFOR}\",\"\",\"\",\"6\",\"\",\"\"\r\n");
    let head = "\"month\",\"mailbox\",\"messages\",\"mailboxes\",\"marked\",\"marked by\",\"asked\"\r\n";
    let table = format!("{head}{sums}{named}");
    assert_eq!(report(&gateway, &["--csv"]), table);
    let words = report(&gateway, &[]);
    assert!(words.contains(&format!("{month} {OKAFOR}: 6")), "{words}");
    for unsaid in [QUICK, LANE, PRIVATE, "lunch", "match"] {
        assert!(!words.contains(unsaid), "{unsaid}: {words}");
    }
    // Killed, and asked while nobody runs: the same, and each look has its line.
    gateway.kill();
    assert_eq!(report(&gateway, &["--csv"]), table);
    let audit = gateway.command(&["audit", "list", "--event", "personal-use-seen", "--json"]);
    let audit: serde_json::Value = serde_json::from_slice(&audit.stdout).expect("JSON");
    let audit = audit.as_array().expect("lines");
    assert_eq!(audit.len(), 4, "{audit:?}");
    assert!(
        audit.iter().all(|line| line["who"].as_str().is_some_and(|who| who.starts_with("Jane Doe ("))),
        "{audit:?}"
    );
    for wrong in [&["report", "personal-use"][..], &["report", "personal-use", "--who", " "]] {
        assert!(!gateway.command(wrong).status.success(), "{wrong:?}: nobody looks unnamed");
    }
}

#[test]
fn what_a_rule_only_watches_is_counted_as_asked_about() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let modes = toml::Table::from_iter([("personal-marker-missing".to_owned(), toml::Value::from("observe"))]);
    gateway.set("policy", "modes", modes);
    gateway.start(&[]);
    for from in [QUICK, LANE] {
        assert_eq!(fate(&gateway, from, PRIVATE, "lunch"), "delivered");
    }
    let counted = report(&gateway, &["--csv"]);
    assert!(counted.contains(",\"\",\"2\",\"2\",\"0\",\"0\",\"2\"\r\n"), "{counted}");
    assert_eq!(fate(&gateway, LANE, PRIVATE, "Private: lunch"), "delivered");
    // One person's, below the usual threshold.
    let counted = report(&gateway, &["--csv"]);
    assert!(counted.contains(",\"\",\"3\",\"2\",\"fewer than 20\",\"1\",\"2\"\r\n"), "{counted}");
}
