//! Rules at the desk: who sees them, and the way of a mode from proposal to force, each step by another role.

use jiff::Timestamp;
use schoolgate::inspect::inspect;
use schoolgate::policy::Action;
use schoolgate::smtp::Envelope;
use schoolgate::store::accounts::Role;
use schoolgate::store::{AuditFilter, ModeStep};

use crate::support::desk::{House, address};

const TEACHER: &str = "t.person@saltmere.example";
const PARENT: &str = "becky.stone.quayst@gmail.com";
const TEXT: &str = "Dear Mrs Stone,\r\n\r\nWe rang 07700 900005 at noon.";

/// What is decided now on a message that is held by one rule; that rule.
fn decided(house: &House) -> (Action, Vec<String>) {
    let raw = format!("From: <{TEACHER}>\r\nTo: <{PARENT}>\r\nSubject: Numbers\r\n\r\n{TEXT}\r\n");
    let envelope = Envelope::new(Some(address(TEACHER)), vec![address(PARENT)]);
    let report = inspect(&house.in_force(), &envelope, raw.as_bytes(), Timestamp::now());
    (report.action, report.rules.into_iter().filter(|rule| rule.action >= Action::Hold).map(|rule| rule.id).collect())
}

/// The id of what is proposed, as the page's form has it.
fn proposal(page: &str, what: &str) -> Option<String> {
    let form = page.split("action=\"/rules/").find(|form| form.split('"').next().is_some_and(|to| to.ends_with(what)));
    form.and_then(|form| form.split('/').next()).map(str::to_owned).filter(|id| !id.contains('<'))
}

#[tokio::test]
async fn a_mode_is_proposed_approved_and_put_in_force_by_three_and_decides_at_once() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut hal = house.person("hal", &[Role::Head, Role::Sbm]).await;
    let mut ivy = house.person("ivy", &[Role::It]).await;
    house.hold("h0", TEACHER, &[PARENT], "Numbers", TEXT).await;
    let (action, rules) = decided(&house);
    assert!(action == Action::Hold && rules.len() == 1, "{action:?} {rules:?}");
    let rule = rules[0].as_str();
    let page = sue.get("/rules").await.body;
    assert!(page.contains(&rule.replace('-', " ")) && page.contains("this returned 0 messages and held 1"), "{page}");
    assert!(!page.contains("is milder than"), "{page}");
    for (form, says) in [
        ([("rule", "no-such"), ("mode", "observe"), ("because", "x")], "Choose one of the rules"),
        ([("rule", rule), ("mode", "enforce"), ("because", "x")], "does not have now"),
        ([("rule", rule), ("mode", "off"), ("because", "x")], "does not have now"),
        ([("rule", rule), ("mode", "observe"), ("because", " ")], "Say why"),
    ] {
        let answer = sue.press("/rules", "/rules", &form).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{form:?}: {}", answer.body);
    }
    let form = [("rule", rule), ("mode", "observe"), ("because", "holds <b>too</b> much")];
    assert_eq!(ivy.press("/rules", "/rules", &form).await.status, 404, "it does not propose");
    assert_eq!(sue.press("/rules", "/rules", &form).await.status, 303);
    let page = sue.get("/rules").await.body;
    assert!(page.contains("holds &lt;b&gt;too") && proposal(&page, "/approve").is_none(), "{page}");
    let id = proposal(&hal.get("/rules").await.body, "/approve").expect("the head may approve it");
    let (approve, put) = (format!("/rules/{id}/approve"), format!("/rules/{id}/put"));
    assert_eq!(sue.press("/rules", &approve, &[]).await.status, 404);
    // Put in force before it is approved: nothing comes of it.
    assert!(proposal(&ivy.get("/rules").await.body, "/put").is_none());
    assert_eq!(ivy.press("/rules", &put, &[]).await.status, 303);
    assert_eq!(decided(&house).0, Action::Hold);
    assert_eq!(hal.press("/rules", &approve, &[]).await.status, 303);
    assert_eq!(hal.press("/rules", &put, &[]).await.status, 404, "who approves does not put in force");
    assert_eq!(decided(&house).0, Action::Hold, "approved is not in force");
    let before = house.in_force().version().to_owned();
    for _ in 0..2 {
        assert_eq!(ivy.press("/rules", &put, &[]).await.status, 303);
    }
    assert_eq!(decided(&house).0, Action::Deliver);
    assert_ne!(house.in_force().version(), before, "other rules have another version");
    let page = sue.get("/rules").await.body;
    assert!(page.contains("put in force here by ivy") && page.contains("is milder than the rule itself"), "{page}");

    // Nobody approves their own, whatever roles they have; the store says so too.
    let form = [("rule", rule), ("mode", "enforce"), ("because", "back")];
    assert_eq!(hal.press("/rules", "/rules", &form).await.status, 303);
    assert!(proposal(&hal.get("/rules").await.body, "/approve").is_none());
    let id = proposal(&hal.get("/rules").await.body, "/drop").expect("it may be dropped");
    let answer = hal.press("/rules", &format!("/rules/{id}/approve"), &[]).await;
    assert!(answer.status == 422 && answer.body.contains("nobody approves what they proposed"), "{}", answer.body);
    assert!(house.store.change_mode(ModeStep::Put(id.clone()), "sue").await.is_err(), "not her role");
    assert_eq!(sue.press("/rules", &format!("/rules/{id}/drop"), &[]).await.status, 303);
    assert!(proposal(&sue.get("/rules").await.body, "/drop").is_none());
    assert_eq!(decided(&house).0, Action::Deliver, "what is in force stays");

    let lines = house.store.audit_list(&AuditFilter::default(), 200).await.unwrap();
    let said: Vec<String> = lines
        .iter()
        .filter(|line| line.event.starts_with("mode-"))
        .map(|line| format!("{} {}", line.event, line.who))
        .collect();
    assert_eq!(
        said,
        ["mode-proposed sue", "mode-approved hal", "mode-put ivy", "mode-proposed hal", "mode-dropped sue"]
    );
    let why = lines.iter().find(|line| line.event == "mode-put").unwrap();
    assert!(
        why.detail.contains("too") && why.detail.contains("observe") && why.detail.contains(rule),
        "{}",
        why.detail
    );
    assert!(hal.get("/audit").await.body.contains("put another mode of a rule in force"));

    for (name, role) in [("sly", Role::Slt), ("lea", Role::Dsl), ("dan", Role::Dpo), ("cat", Role::Chair)] {
        let mut browser = house.person(name, &[role]).await;
        assert_eq!(browser.get("/rules").await.status, 404, "{name}");
        assert!(!browser.get("/account").await.body.contains(">Rules</a>"), "{name}");
    }
}
