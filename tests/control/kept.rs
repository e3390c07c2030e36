//! What is kept for later, as commands see it beside the gateway: the deadlines of held mail, and what was allowed.

use schoolgate::smtp::{Address, Envelope};
use schoolgate::store::{Class, Grounds, NewAllowance, NewEntry, QueueId, Ruling, State as Standing, Store, StoreKey};

use super::support::{Gateway, PATIENCE, Sink};
use super::{hold_one, ok, refused};

#[test]
fn what_is_held_is_listed_with_its_deadline() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let id = hold_one(&gateway);
    let listed: serde_json::Value =
        serde_json::from_str(&ok(&gateway, None, &["quarantine", "list", "--json"])).expect("JSON");
    let line = listed.as_array().and_then(|all| all.iter().find(|one| one["id"] == id.as_str())).expect("it is listed");
    let due: jiff::Timestamp = line["due_at"].as_str().expect("a deadline").parse().expect("a time");
    assert!(due > jiff::Timestamp::now(), "{due}");
    let words = due.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    let plain = ok(&gateway, None, &["quarantine", "list"]);
    let row = plain.lines().find(|row| row.contains(&id)).expect("it is listed");
    assert!(plain.contains("decide by") && row.contains(&words), "{words}: {plain}");
    ok(&gateway, None, &["quarantine", "discard", &id, "--who", "Jane Doe", "--why", "looked at"]);
    assert!(!ok(&gateway, None, &["quarantine", "list"]).contains(&id));
}

/// Before the gateway starts: a release to these that is remembered, as the desk does it.
fn remember(gateway: &Gateway, recipients: &[(&str, bool)]) {
    let address = |text: &str| Address::parse(text).expect("an address");
    let raw = b"From: <t.person@saltmere.example>\r\nSubject: A note\r\n\r\nx\r\n";
    let now = jiff::Timestamp::now();
    let new = |(to, listed): &(&str, bool)| NewAllowance {
        rule: "pupil-record-to-wrong-guardian".to_owned(),
        sender: "t.person@saltmere.example".to_owned(),
        recipient: (*to).to_owned(),
        pupil: Some("P001".to_owned()),
        sender_listed: false,
        recipient_listed: *listed,
        until: now + std::time::Duration::from_secs(86_400),
    };
    let entry = NewEntry {
        id: QueueId("06f2k7q9zb3m5t1x".to_owned()),
        class: Class::Mail,
        about: None,
        state: Standing::Held,
        envelope: Envelope::new(
            Some(address("t.person@saltmere.example")),
            recipients.iter().map(|(to, _)| address(to)).collect(),
        ),
        content: raw.as_slice().into(),
        sha256: ring::digest::digest(&ring::digest::SHA256, raw).as_ref().try_into().expect("32 octets"),
        report: None,
        at: now,
        client: None,
    };
    let grounds = Grounds {
        who: "sue".to_owned(),
        why: "they asked".to_owned(),
        remember: recipients.iter().map(new).collect(),
        ..Grounds::default()
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let store = Store::open_exclusive(&gateway.store(), StoreKey::from_bytes([0x5a; 32])).await.expect("the store");
        let id = entry.id.clone();
        store.commit(vec![entry]).await.expect("held");
        store.decide_on(&id, &Ruling::Release, &grounds, Vec::new()).await.expect("released");
        store.close().await;
    });
}

/// The allowances that the command lists, by recipient.
fn allowed(gateway: &Gateway) -> Vec<(String, String)> {
    let listed: serde_json::Value =
        serde_json::from_str(&ok(gateway, None, &["allow", "list", "--json"])).expect("JSON");
    let word = |value: &serde_json::Value| value.as_str().expect("a word").to_owned();
    let each = |kept: &serde_json::Value| (word(&kept["allowance"]["recipient"]), word(&kept["id"]));
    let mut all: Vec<_> = listed.as_array().expect("a list").iter().map(each).collect();
    all.sort();
    all
}

#[test]
fn what_is_allowed_is_listed_and_ended_beside_the_gateway_and_ends_with_the_guardian() {
    const GUARDIAN: &str = "laura.swift.lighthouse@gmail.com";
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    remember(&gateway, &[("a@elsewhere.example", false), ("b@elsewhere.example", false), (GUARDIAN, true)]);
    gateway.start(&[]);
    let plain = ok(&gateway, None, &["allow", "list"]);
    for words in [GUARDIAN, "t.person@saltmere.example to a@elsewhere.example about P001", "given by sue on"] {
        assert!(plain.contains(words), "{words}: {plain}");
    }
    let kept = allowed(&gateway);
    assert_eq!(
        kept.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(),
        ["a@elsewhere.example", "b@elsewhere.example", GUARDIAN]
    );
    let first = ["allow", "end", &kept[0].1, "--who", "Jane Doe", "--why", "not needed"];
    assert!(refused(&gateway, None, &first[..3]).contains("--who"), "who and why are asked for");
    assert!(ok(&gateway, None, &first).contains("ended: the rule asks again"));
    assert!(refused(&gateway, None, &first).contains("nothing that holds has the id"), "it has ended");
    let audit = ok(&gateway, None, &["audit", "list"]);
    assert!(audit.contains("allowance-ended by Jane Doe"), "{audit}");

    // The guardian is gone from the roster; who was on no list stays.
    let roster = gateway.directory().join("roster/guardians.csv");
    let whole = std::fs::read_to_string(&roster).expect("the guardians");
    let without: String =
        whole.lines().filter(|line| !line.contains(GUARDIAN)).map(|line| format!("{line}\n")).collect();
    assert_ne!(whole.lines().count(), without.lines().count());
    std::fs::write(&roster, without).expect("the guardians");
    gateway.signal("-HUP");
    let until = std::time::Instant::now() + PATIENCE;
    while allowed(&gateway).len() > 1 {
        assert!(std::time::Instant::now() < until, "the allowance ends with the guardian\n{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (to, last) = allowed(&gateway).remove(0);
    assert_eq!(to, "b@elsewhere.example");
    let audit = ok(&gateway, None, &["audit", "list"]);
    assert_eq!(audit.matches("allowance-ended by gateway").count(), 1, "{audit}");
    ok(&gateway, None, &["allow", "end", &last, "--who", "Jane Doe", "--why", "not needed"]);
    assert!(ok(&gateway, None, &["allow", "list"]).contains("nothing is allowed beyond the rules"));
}
