//! The overview at the desk: numbers by week and rule, as the page, its bars and its table give them; no name, for those who may.

use schoolgate::policy::Mode;
use schoolgate::store::accounts::Role;
use schoolgate::store::{Classification, Grounds, QueueId, Ruling};

use crate::support::desk::House;

const TEACHER: &str = "t.person@saltmere.example";
const PARENT: &str = "becky.stone.quayst@gmail.com";
/// How to reach the other household of a child: held.
const OTHER_HOUSEHOLD: &str = "Dear Mrs Stone,\r\n\r\nWe rang 07700 900005 at noon.";

/// The cells of the row that begins with these words, in the first table that has one.
fn cells(page: &str, begins: &str) -> Vec<String> {
    let row = page.split("<tr>").find(|row| row.starts_with(&format!("<th scope=\"row\">{begins}")));
    let row = row.unwrap_or_else(|| panic!("no row {begins}: {page}"));
    row.split("<td").skip(1).map(|cell| cell.split('>').nth(1).unwrap_or_default().replace("</td", "")).collect()
}

async fn decide(house: &House, id: &str, ruling: Ruling, class: Classification) {
    let grounds =
        Grounds { who: "sue".to_owned(), why: "fine".to_owned(), classification: Some(class), ..Grounds::default() };
    house.store.decide_on(&QueueId(id.to_owned()), &ruling, &grounds, Vec::new()).await.unwrap();
}

#[tokio::test]
async fn what_mail_came_to_is_counted_by_week_and_rule_and_names_nobody() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let empty = sue.get("/overview").await;
    assert!(empty.status == 200 && empty.body.contains("No mail has come in yet"), "{}", empty.body);

    for number in 0..6 {
        house.hold(&format!("h{number}"), TEACHER, &[PARENT], "Numbers", OTHER_HOUSEHOLD).await;
    }
    for number in 0..4 {
        let id = format!("q{number}");
        house.queued(&id, TEACHER, &["orders@supplier.example"], "Paper", "Two boxes, please.").await;
    }
    house.returned("r0", TEACHER, &["someone@gmail.com"], "the dentist", "At four.").await;
    for id in ["h0", "h1", "h2"] {
        decide(&house, id, Ruling::Release, Classification::Neither).await;
    }
    decide(&house, "h3", Ruling::Release, Classification::NearMiss).await;
    decide(&house, "h4", Ruling::Return, Classification::Breach).await;

    let overview = house.store.overview().await.unwrap();
    assert_eq!(overview.weeks.len(), 12);
    let week = overview.weeks.last().unwrap();
    let figures = &week.figures;
    assert_eq!(
        (figures.messages, figures.sent, figures.returned, figures.held, figures.released),
        (11, 4 + 4, 1, 6, 4),
        "{figures:?}"
    );
    assert_eq!((week.pace.decisions, overview.pace.decisions), (5, 5));
    let holding: Vec<_> = week.rules.iter().filter(|rule| rule.held > 0).collect();
    assert!(!holding.is_empty(), "{:?}", week.rules);
    let held: Vec<&str> = holding.iter().map(|rule| rule.rule.as_str()).collect();
    for rule in &holding {
        assert_eq!((rule.held, rule.decided, rule.released, rule.false_holds), (6, 5, 4, 3), "{rule:?}");
        assert_eq!(rule.false_hold_percent(), Some(60));
    }

    let page = sue.get("/overview").await.body;
    let monday = week.begins.strftime("%-d %B %Y").to_string();
    assert_eq!(cells(&page, &monday)[..5], ["11", "8", "1", "6", "4"], "{page}");
    let words = held[0].replace('-', " ");
    assert_eq!(cells(&page, &words), ["0", "6", "5", "4", "3 (60&nbsp;%)", "0", "0"], "{page}");
    // The highest bar fills the picture; those of empty weeks are not there.
    assert_eq!(page.matches("<rect class=\"sent\"").count(), 1, "{page}");
    assert!(page.contains("<rect class=\"sent\" x=\"624\" y=\"20\" width=\"40\" height=\"156\">"), "{page}");
    for part in ["s0", "s1", "s2"] {
        assert!(page.contains(&format!("<rect class=\"{part}\" x=")), "{part}: {page}");
    }
    assert!(!page.contains("style=") && page.matches("<script").count() == 1, "{page}");
    let file = sue.get("/overview.csv").await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"overview.csv\""));
    assert!(
        file.body.contains(&format!("\"{}\",\"\",\"11\",\"8\",\"1\",\"6\",\"5\",\"4\"", week.begins)),
        "{}",
        file.body
    );
    assert!(
        file.body.contains(&format!("\"{}\",\"{}\",\"\",\"\",\"0\",\"6\",\"5\",\"4\",\"3\"", week.begins, held[0]))
    );
    for unsaid in ["t.person", "becky", "Stone", "900005", "dentist"] {
        assert!(!page.contains(unsaid) && !file.body.contains(unsaid), "{unsaid}");
    }

    for (name, role, sees) in [
        ("hal", Role::Head, true),
        ("dan", Role::Dpo, true),
        ("cat", Role::Chair, true),
        ("ivy", Role::It, true),
        ("sly", Role::Slt, true),
        ("lea", Role::Dsl, false),
    ] {
        let mut browser = house.person(name, &[role]).await;
        for path in ["/overview", "/overview.csv"] {
            assert_eq!(browser.get(path).await.status, if sees { 200 } else { 404 }, "{path} as {name}");
        }
        assert_eq!(browser.get("/account").await.body.contains(">Overview</a>"), sees, "{name}");
    }
}

/// A rule that only observes stops nothing, and what it would have done is told.
#[tokio::test]
async fn what_an_observing_rule_would_have_done_is_counted() {
    let mut house = House::new().await;
    house.hold("h0", TEACHER, &[PARENT], "Numbers", OTHER_HOUSEHOLD).await;
    let held = house.store.held_line(&QueueId("h0".to_owned())).await.unwrap().unwrap().rules;
    let holds = house.store.rule_effects().await.unwrap().into_iter().find(|rule| rule.held == 1).unwrap().rule;
    house.change_modes(held.iter().map(|rule| (rule.clone(), Mode::Observe)));
    for id in ["q0", "q1"] {
        house.queued(id, TEACHER, &[PARENT], "Numbers", OTHER_HOUSEHOLD).await;
    }
    for id in &held {
        let all = house.store.rule_effects().await.unwrap();
        let rule = all.iter().find(|rule| rule.rule == *id).unwrap();
        let did = (rule.held + rule.returned, rule.would_hold + rule.would_return, rule.would_stop_alone);
        assert_eq!(did, (1, 2, 2), "{rule:?}");
    }
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let page = sue.get("/overview").await.body;
    let row = cells(&page, &holds.replace('-', " "));
    assert_eq!((row[1].as_str(), &row[5..]), ("1", &["0".to_owned(), "2".to_owned()][..]), "{page}");
}
