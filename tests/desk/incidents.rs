//! The register at the desk: opened by a decision, read and written on by those who may, its clock started by a person alone.

use schoolgate::store::accounts::Role;
use schoolgate::store::{AuditFilter, IncidentFilter, IncidentKind, IncidentLine};

use crate::support::desk::{Browser, House};

async fn lines(house: &House) -> Vec<IncidentLine> {
    house.store.incidents(IncidentFilter::default(), None, 50).await.unwrap().0
}

async fn decides(browser: &mut Browser, id: &str, decision: &str, class: &str) -> u16 {
    let token = browser.get("/nowhere").await.field("token");
    let form = [("token", token.as_str()), ("decision", decision), ("class", class), ("reason", "Wrong parent.")];
    browser.send("POST", &format!("/held/{id}/decide"), &form).await.status
}

fn ago(hours: i64) -> (String, String) {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    let at = at.to_zoned(schoolgate::school_time::london());
    (at.date().to_string(), at.strftime("%H:%M").to_string())
}

/// A decision classed as a breach enters what is known of it; the clock runs when a person says so and not before; it is
/// assessed by the School Business Manager, closed by the data protection officer, and read by head and chair.
#[tokio::test]
async fn a_decision_opens_one_and_people_take_it_to_its_end() {
    let house = House::new().await;
    let pupil = house.ground.school.pupils[0].clone();
    let name = format!("{} {}", pupil.forename, pupil.surname);
    let about = format!("{name} has asthma and was given an inhaler at lunch.");
    for id in ["a1", "a2", "a3"] {
        house.hold(id, "t.person@saltmere.example", &["someone@gmail.com"], "A note", &about).await;
    }
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    assert_eq!(decides(&mut sue, "a1", "release", "breach").await, 200);
    assert_eq!(decides(&mut sue, "a2", "return", "near-miss").await, 200);
    assert_eq!(decides(&mut sue, "a3", "return", "neither").await, 200);
    let all = lines(&house).await;
    let kinds: Vec<IncidentKind> = all.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [IncidentKind::LikelyBreach, IncidentKind::NearMiss], "a3 was neither");
    let path = format!("/incidents/{}", all[0].id);
    let list = sue.get("/incidents").await.body;
    assert!(list.contains(&path) && !list.contains(&format!("/incidents/{}", all[1].id)), "{list}");
    assert!(!list.contains(&name) && list.contains("1 child"), "the list names nobody: {list}");
    assert!(sue.get("/incidents?show=near-misses").await.body.contains(&format!("/incidents/{}", all[1].id)));
    let page = sue.get(&path).await.body;
    for known in [name.as_str(), "health", "someone@gmail.com", "Until then no clock runs", "Wrong parent."] {
        assert!(page.contains(known), "{known}: {page}");
    }

    // Aware: deliberate, not in the future, and in hours of the clock from then on.
    let (day, time) = ago(30);
    let aware = format!("{path}/aware");
    let unsure = sue.press(&path, &aware, &[("day", &day), ("time", &time)]).await;
    assert!(unsure.status == 422 && unsure.body.contains("Tick the box"), "{}", unsure.body);
    let ahead = ago(-30);
    let ahead = sue.press(&path, &aware, &[("day", &ahead.0), ("time", &ahead.1), ("sure", "yes")]).await;
    assert!(ahead.status == 422 && ahead.body.contains("still to come"), "{}", ahead.body);
    assert!(lines(&house).await[0].aware_at.is_none());
    assert_eq!(sue.press(&path, &aware, &[("day", &day), ("time", &time), ("sure", "yes")]).await.status, 303);
    let page = sue.get(&path).await.body;
    assert!(page.contains("41 hours are left to tell the ICO"), "{page}");
    assert!(sue.get("/incidents").await.body.contains("41 hours are left to tell the ICO"));
    let near = format!("/incidents/{}", all[1].id);
    let none = sue.press(&near, &format!("{near}/aware"), &[("day", &day), ("time", &time), ("sure", "yes")]).await;
    assert!(none.status == 422 && none.body.contains("has no 72 hours"), "{}", none.body);

    // The assessment: what is missing is said at its field; an older version is not written over.
    let children = format!("{name}: health, safeguarding");
    let words = [
        ("version", "1"),
        ("kind", "likely-breach"),
        ("happened", "It went to a <b>stranger</b>."),
        ("children", children.as_str()),
        ("to_whom", "someone@gmail.com"),
        ("consequences", "Distress."),
        ("measures", "The recipient has deleted it."),
        ("ico", "not-told"),
    ];
    let write = format!("{path}/write");
    let without = sue.press(&path, &write, &words).await;
    assert!(without.status == 422 && without.body.contains("#ico-why") && without.body.contains("Distress."));
    let unknown = [&words[..3], &[("children", "Somebody: nonsense")]].concat();
    assert!(sue.press(&path, &write, &unknown).await.body.contains("Known kinds are"));
    let whole = [&words[..], &[("ico_why", "Unlikely to harm anybody.")]].concat();
    assert_eq!(sue.send("POST", &write, &whole).await.status, 403, "without the token");
    assert_eq!(sue.press(&path, &write, &whole).await.status, 303);
    let again = sue.press(&path, &write, &whole).await;
    assert!(again.status == 422 && again.body.contains("omebody else has written"), "{}", again.body);
    let page = sue.get(&path).await.body;
    assert!(page.contains("It went to a &lt;b&gt;stranger&lt;&#x2f;b&gt;.") && !page.contains("<b>stranger"), "{page}");
    assert!(page.contains("Version 1, by sue") && page.contains("Version 2, by sue") && page.contains("is not told"));
    assert!(!page.contains("hours are left"), "the question is answered: {page}");

    // Others: the head and the chair read, the lead for safeguarding sees theirs alone, a technician nothing.
    for (role, sees, other) in [
        (Role::Head, 200, 200),
        (Role::Chair, 200, 200),
        (Role::Dsl, 200, 404),
        (Role::Slt, 404, 404),
        (Role::It, 404, 404),
    ] {
        let mut reader = house.person(role.as_str(), &[role]).await;
        let page = reader.get(&path).await;
        assert_eq!((page.status, reader.get(&near).await.status), (sees, other), "{role:?}");
        assert!(!page.body.contains("action=\"/incidents"), "to see is not to do: {}", page.body);
        for action in ["write", "aware", "close"] {
            assert_eq!(reader.press("/account", &format!("{path}/{action}"), &whole).await.status, 404, "{role:?}");
        }
    }
    let mut dora = house.person("dora", &[Role::Dpo]).await;
    assert_eq!(sue.press(&path, &format!("{path}/close"), &[("why", "done")]).await.status, 404);
    let early = dora.press(&near, &format!("{near}/close"), &[("why", " ")]).await;
    assert_eq!(early.status, 422, "{}", early.body);
    assert_eq!(dora.press(&path, &format!("{path}/close"), &[("why", "Nothing more to do.")]).await.status, 303);
    let closed = dora.get(&path).await.body;
    assert!(closed.contains("Nothing more to do.") && !closed.contains(&format!("{path}/write")), "{closed}");
    let record = house.store.audit_list(&AuditFilter::default(), 500).await.unwrap();
    let events: Vec<(&str, &str)> = record.iter().map(|line| (line.event.as_str(), line.who.as_str())).collect();
    for wanted in [
        ("incident-opened", "sue"),
        ("incident-aware", "sue"),
        ("incident-written", "sue"),
        ("incident-seen", "chair"),
        ("incident-closed", "dora"),
    ] {
        assert!(events.contains(&wanted), "{wanted:?}: {events:?}");
    }
    let ours = record.iter().filter(|line| line.event.starts_with("incident"));
    assert!(ours.into_iter().all(|line| !line.detail.contains(&pupil.surname) && !line.detail.contains("gmail")));
}

/// Nobody writes on an incident about a message of their own, whatever their role.
#[tokio::test]
async fn nobody_writes_on_their_own() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm, Role::Dpo]).await;
    let mut helen = house.person("helen", &[Role::Head]).await;
    let mut dora = house.person("dora", &[Role::Dpo]).await;
    house.hold("a1", "sue@saltmere.example", &["someone@gmail.com"], "A note", "Nothing much.").await;
    assert_eq!(decides(&mut helen, "a1", "return", "breach").await, 200);
    let path = format!("/incidents/{}", lines(&house).await[0].id);
    let page = sue.get(&path).await;
    assert!(page.status == 200 && page.body.contains("somebody else writes on it"), "{}", page.body);
    assert!(!page.body.contains("action=\"/incidents"), "{}", page.body);
    let (day, time) = ago(1);
    let form = [
        ("kind", "near-miss"),
        ("happened", "Nothing."),
        ("version", "1"),
        ("day", &day),
        ("time", &time),
        ("sure", "yes"),
        ("why", "nothing"),
    ];
    for action in ["write", "aware", "close"] {
        assert_eq!(sue.press("/account", &format!("{path}/{action}"), &form).await.status, 403, "{action}");
    }
    assert_eq!(lines(&house).await[0].version, 1);
    assert_eq!(dora.press(&path, &format!("{path}/aware"), &form).await.status, 303);
}

/// What is taken away for the ICO holds numbers, kinds and times; all of it is for the data protection officer; and what of one
/// child was where is found. Each is recorded.
#[tokio::test]
async fn an_export_names_nobody_and_a_dossier_one_child() {
    let house = House::new().await;
    let pupil = house.ground.school.pupils[0].clone();
    let name = format!("{} {}", pupil.forename, pupil.surname);
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut dora = house.person("dora", &[Role::Dpo]).await;
    let form = [("kind", "likely-breach"), ("happened", "=HYPERLINK(\"x\")")];
    assert_eq!(sue.press("/incidents/new", "/incidents/new", &form).await.status, 303);
    let id = lines(&house).await[0].id.clone();
    let path = format!("/incidents/{id}");
    let children = format!("{name}: health\nSomebody Else: attendance");
    let form = [
        ("version", "1"),
        ("kind", "likely-breach"),
        ("happened", "=HYPERLINK(\"x\")"),
        ("children", &children),
        ("further", "3"),
        ("to_whom", "someone@gmail.com"),
    ];
    assert_eq!(sue.press(&path, &format!("{path}/write"), &form).await.status, 303);
    let table = sue.press("/incidents", "/incidents/export", &[("what", "register")]).await;
    assert!(table.header("content-type").is_some_and(|kind| kind.starts_with("text/csv")), "{}", table.head);
    assert!(table.body.contains(&id.0) && table.body.contains("\"5\",\"attendance, health\""), "{}", table.body);
    for hidden in [pupil.surname.as_str(), &pupil.id, "Somebody", "gmail", "HYPERLINK", "sue"] {
        assert!(!table.body.contains(hidden), "{hidden}: {}", table.body);
    }
    assert_eq!(sue.press("/incidents", "/incidents/export", &[("what", "whole")]).await.status, 404);
    let whole = dora.press("/incidents", "/incidents/export", &[("what", "whole")]).await.body;
    assert!(
        whole.contains(&name) && whole.contains("someone@gmail.com") && whole.contains("\"'=HYPERLINK("),
        "{whole}"
    );
    let theirs = dora.press("/incidents/dossier", "/incidents/dossier", &[("pupil", &pupil.id)]).await.body;
    assert!(theirs.contains(&name) && theirs.contains(&path) && theirs.contains("health"), "{theirs}");
    assert!(!theirs.contains("attendance"), "another child's: {theirs}");
    let other = house.ground.school.pupils[5].id.clone();
    let none = dora.press("/incidents/dossier", "/incidents/dossier", &[("pupil", &other)]).await.body;
    assert!(none.contains("stands in no incident"), "{none}");
    let filter = AuditFilter { event: Some("incidents-exported".to_owned()), ..AuditFilter::default() };
    let record = house.store.audit_list(&filter, 100).await.unwrap();
    assert_eq!(record.len(), 4);
    assert!(record.iter().all(|line| !line.detail.contains(&pupil.id)));
}
