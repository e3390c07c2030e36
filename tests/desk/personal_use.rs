//! The report on personal use at the desk: shown when asked for, recorded, names for those who may have them alone.

use schoolgate::inspect::PersonalUse;
use schoolgate::store::accounts::Role;
use schoolgate::store::{AuditFilter, Outcome, RecipientOutcome};

use crate::support::desk::{Browser, House, address};

/// Sends so many messages that are marked as personal, and has them delivered.
async fn marks(house: &House, from: &str, many: usize) {
    for number in 0..many {
        let id = format!("{}{number}", from.len());
        house.queued(&id, from, &["someone@elsewhere.example"], "Personal: the dentist", "At four.").await;
    }
    let now = jiff::Timestamp::now();
    for leased in house.store.lease_due(now, 100, std::time::Duration::from_secs(60)).await.unwrap() {
        let outcome = Outcome::Delivered { reply: "250".to_owned() };
        let outcomes = vec![RecipientOutcome { position: 0, outcome }];
        house.store.record_attempt(&leased.id, outcomes, now, Vec::new()).await.unwrap();
    }
}

async fn looks(house: &House) -> Vec<String> {
    let filter = AuditFilter { event: Some("personal-use-seen".to_owned()), ..AuditFilter::default() };
    house.store.audit_list(&filter, 100).await.unwrap().into_iter().map(|line| line.who).collect()
}

/// The cells of the first month.
fn cells(page: &str) -> Vec<String> {
    let row = page.split("<tbody>").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a month");
    row.split("<td>").skip(1).map(|cell| cell.split("</td>").next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn who_may_sees_the_report_and_is_recorded_and_names_are_for_two_roles() {
    let house = House::made(None, |desk| desk.naming_from(5)).await;
    let hostile = "\"<script>alert(1)</script>&{{7*7}}\"@saltmere.example";
    marks(&house, "d.okafor@saltmere.example", 6).await;
    marks(&house, "p.quick@saltmere.example", 4).await;
    marks(&house, "t.lane@saltmere.example", 3).await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let asked = sue.get("/personal-use").await;
    assert!(asked.status == 200 && asked.body.contains("Show it"), "{}", asked.body);
    assert!(!asked.body.contains("okafor") && looks(&house).await.is_empty(), "to fetch it shows nothing");
    let shown = sue.press("/personal-use", "/personal-use", &[]).await;
    assert_eq!(cells(&shown.body), ["13", "3", "13", "3", "0"], "{}", shown.body);
    assert!(shown.body.contains("d.okafor@saltmere.example: 6 marked personal"), "{}", shown.body);
    assert!(!shown.body.contains("quick") && !shown.body.contains("lane") && !shown.body.contains("dentist"));
    assert_eq!(looks(&house).await, ["sue"]);

    marks(&house, hostile, 5).await;
    for (name, role, names) in
        [("hal", Role::Head, true), ("dan", Role::Dpo, false), ("cat", Role::Chair, false), ("sam", Role::Sbm, true)]
    {
        let mut browser = house.person(name, &[role]).await;
        let shown = browser.press("/personal-use", "/personal-use", &[]).await;
        assert_eq!(cells(&shown.body), ["18", "4", "18", "4", "0"], "{name}: {}", shown.body);
        assert_eq!(shown.body.contains("okafor"), names, "{name}: {}", shown.body);
        assert_eq!(shown.body.contains("&lt;script&gt;alert(1)"), names, "{name}: {}", shown.body);
        assert!(!shown.body.contains("<script>alert") && !shown.body.contains(">49<"), "{name}: a mailbox is text");
        assert_eq!(looks(&house).await.last().map(String::as_str), Some(name));
    }
    let before = looks(&house).await;
    for (name, roles) in [("sly", vec![Role::Slt]), ("lea", vec![Role::Dsl]), ("ivy", vec![Role::It]), ("nob", vec![])]
    {
        let mut browser = house.person(name, &roles).await;
        let answer = browser.press("/nowhere", "/personal-use", &[]).await;
        assert!(answer.status == 404 && !answer.body.contains("okafor"), "{name}: {}", answer.body);
        assert!(!browser.get("/account").await.body.contains("Personal use"), "{name} is not led there");
    }
    assert!(Browser::new(house.address).send("POST", "/personal-use", &[]).await.status == 403);
    assert_eq!(looks(&house).await, before, "who sees nothing leaves no line");
    assert!(sue.get("/account").await.body.contains(">Personal use</a>"));
    assert!(sue.get("/audit").await.body.contains("looked at the report on personal use"));
}

#[tokio::test]
async fn one_who_is_alone_below_the_threshold_is_not_told_from_the_sum() {
    let house = House::made(None, |desk| desk.naming_from(5)).await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let none = sue.press("/personal-use", "/personal-use", &[]).await;
    assert!(none.body.contains("No mail has been counted yet"), "{}", none.body);
    marks(&house, "d.okafor@saltmere.example", 6).await;
    marks(&house, "p.quick@saltmere.example", 2).await;
    let shown = sue.press("/personal-use", "/personal-use", &[]).await;
    assert_eq!(cells(&shown.body), ["8", "2", "fewer than 11", "2", "0"], "{}", shown.body);
}

/// What counts: the staff's own, by a marker that stands out.
#[tokio::test]
async fn what_a_message_is_to_the_report() {
    let house = House::new().await;
    let of = |from: &str, to: &str, subject: &str, more: &str| {
        let raw = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n{more}\r\nAt four.\r\n");
        let envelope = schoolgate::smtp::Envelope::new(Some(address(from)), vec![address(to)]);
        let now = jiff::Timestamp::now();
        schoolgate::inspect::inspect(&house.ground, &envelope, raw.as_bytes(), now).personal_use
    };
    let (teacher, office) = ("d.okafor@saltmere.example", "office@saltmere.example");
    let (private, firm) = ("someone@gmail.com", "orders@supplier.example");
    let (unmarked, marked, asked) = (Some(PersonalUse::Unmarked), Some(PersonalUse::Marked), Some(PersonalUse::Asked));
    for (from, to, subject, more, want) in [
        (teacher, private, "Personal: the dentist", "", marked),
        (teacher, firm, "[Private] keys", "", marked),
        (office, firm, "Lunch - personal", "", marked),
        (teacher, teacher, "PRIVATE", "", marked),
        (teacher, private, "the dentist", "", asked),
        (teacher, firm, "the dentist", "", unmarked),
        (teacher, firm, "The Personal Education Plan", "", unmarked),
        (teacher, private, "My personal best", "", unmarked),
        (teacher, firm, "Private and Confidential", "", unmarked),
        (teacher, private, "Personal: away", "Auto-Submitted: auto-replied\r\n", None),
        ("someone@elsewhere.example", firm, "Personal: keys", "", None),
    ] {
        assert_eq!(of(from, to, subject, more), want, "{from} to {to}: {subject}");
    }
}
