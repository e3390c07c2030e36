//! Disclosures at the desk: asked for, approved by somebody else, left out of, taken away as one file that verifies.

use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use schoolgate::store::AuditFilter;

use super::alive::alive;
use super::*;

const TEACHER: &str = "t.person@saltmere.example";
const ASKED: [(&str, &str); 3] =
    [("kind", "subject-access"), ("mailbox", TEACHER), ("why", "a letter of 1 May, <b>signed</b>")];

/// The lines about disclosures, the oldest first: who, what, and the rest.
async fn record(house: &House) -> Vec<(String, String, String)> {
    let mut lines = house.store.audit_list(&AuditFilter::default(), 1_000).await.unwrap();
    lines.sort_by_key(|line| line.seq);
    let ours = lines.into_iter().filter(|line| line.event.starts_with("disclos"));
    ours.map(|line| (line.who, line.event, line.detail)).collect()
}

/// Asks by the form; where the request is shown.
async fn ask(browser: &mut Browser, form: &[(&str, &str)]) -> String {
    let answer = browser.press("/disclosures", "/disclosures", form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").unwrap().to_owned()
}

fn verify(folder: &Path, nowhere: &Path) -> (bool, String) {
    let program = env!("CARGO_BIN_EXE_schoolgate");
    let mut command = Command::new(program);
    let output = command.args(["disclose", "verify"]).arg(folder).arg("--config").arg(nowhere).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.success(), text)
}

#[tokio::test]
async fn what_is_asked_for_is_approved_by_somebody_else_and_taken_away_whole() {
    let house = House::new().await;
    house.hold("a1", TEACHER, &["someone@gmail.com"], "plan", "The quiet plan.").await;
    house.hold("a2", TEACHER, &["other@gmail.com"], "plan B", "The louder plan.").await;
    house.hold("s1", TEACHER, &["someone@gmail.com"], "Personal", "The doctor on Friday.").await;
    house.hold("b1", "p.quick@saltmere.example", &["someone@gmail.com"], "bus", "The bus.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut dora = house.person("dora", &[Role::Dpo]).await;
    let mut helen = house.person("helen", &[Role::Head]).await;
    for (form, says) in [
        (&[("kind", "gossip"), ("mailbox", TEACHER), ("why", "x")][..], "Choose what it is for."),
        (&[("kind", "disciplinary"), ("why", "x")], "Say what is looked for"),
        (&[("kind", "disciplinary"), ("mailbox", "nobody"), ("why", "x")], "no e-mail address"),
        (&[("kind", "disciplinary"), ("since", "tomorrow"), ("why", "x")], "no day"),
        (&[("kind", "disciplinary"), ("mailbox", TEACHER), ("why", " ")], "Say why"),
        (&[("kind", "disciplinary"), ("mailbox", "z@saltmere.example"), ("why", "x")], "Nothing that is kept fits"),
    ] {
        let answer = dora.press("/disclosures", "/disclosures", form).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{form:?}: {}", answer.body);
    }
    assert!(record(&house).await.is_empty(), "nothing was asked for");

    // What was found is shown by its envelopes, and each look is recorded.
    let page = ask(&mut dora, &ASKED).await;
    let shown = dora.get(&page).await;
    assert!(shown.status == 200 && alive(&shown.body).is_empty(), "{:?}", alive(&shown.body));
    for says in
        ["someone@gmail.com", "other@gmail.com", "sealed: marked personal", "3 messages: 2 to hand over", "&lt;b&gt;"]
    {
        assert!(shown.body.contains(says), "{says}: {}", shown.body);
    }
    for hidden in ["plan", "doctor", "The bus", "p.quick"] {
        assert!(!shown.body.contains(hidden), "{hidden}: {}", shown.body);
    }
    let list = helen.get("/disclosures").await;
    assert!(list.body.contains("waits for a second person") && list.body.contains("3 messages"), "{}", list.body);
    assert!(!list.body.contains(TEACHER) && !list.body.contains("letter"), "the list names nobody: {}", list.body);

    // Nobody takes it away or decides on their own.
    let to = |what: &str| format!("{page}/{what}");
    let purpose = [("purpose", "compliance"), ("why", "the letter")];
    let early = sue.press(&page, &to("take"), &purpose).await;
    assert!(early.status == 422 && early.body.contains("Nobody has approved it yet"), "{}", early.body);
    assert!(!shown.body.contains("/decide\"") && !sue.get(&page).await.body.contains("/decide\""));
    let own = dora.press(&page, &to("decide"), &[("decision", "approve")]).await;
    assert!(own.status == 422 && own.body.contains("Nobody decides on their own request"), "{}", own.body);
    assert_eq!(sue.press(&page, &to("decide"), &[("decision", "approve")]).await.status, 404);
    let open = helen.get(&page).await.body;
    assert!(open.contains("/decide\"") && !open.contains("/take\"") && !open.contains("/leave-out\""), "{open}");
    assert_eq!(helen.press(&page, &to("decide"), &[("decision", "approve")]).await.status, 303);
    assert_eq!(helen.press(&page, &to("take"), &purpose).await.status, 404, "who approves does not take away");

    // Out, in, and one out again.
    for (what, why, status) in [("out", " ", 422), ("out", "a friend's confidence", 303), ("in", "", 303)] {
        let form = [("message", "a2"), ("what", what), ("why", why)];
        assert_eq!(sue.press(&page, &to("leave-out"), &form).await.status, status, "{what} {why}");
    }
    let other = [("message", "b1"), ("what", "out"), ("why", "x")];
    let other = sue.press(&page, &to("leave-out"), &other).await;
    assert!(other.status == 422 && other.body.contains("is not of this request"), "{}", other.body);
    let out = [("message", "a2"), ("what", "out"), ("why", "a friend's confidence")];
    assert_eq!(sue.press(&page, &to("leave-out"), &out).await.status, 303);
    let now = sue.get(&page).await.body;
    assert!(now.contains("1 to hand over, 1 left out, 1 sealed") && now.contains("confidence (sue)"), "{now}");

    // Taken away with a purpose, as one file.
    for (form, says) in
        [(&[("why", "x")][..], "Choose the purpose"), (&[("purpose", "compliance")], "Say why it is taken")]
    {
        let answer = sue.press(&page, &to("take"), form).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{form:?}: {}", answer.body);
    }
    assert!(record(&house).await.iter().all(|(_, event, _)| event != "disclosed" && event != "disclosure-exported"));
    let file = sue.press(&page, &to("take"), &purpose).await;
    let id = page.rsplit('/').next().unwrap();
    let named = format!("attachment; filename=\"disclosure-{id}.zip\"");
    for (header, value) in [
        ("content-disposition", named.as_str()),
        ("content-type", "application/zip"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(file.header(header), Some(value), "{}", file.body);
    }
    let folder = house.directory.path().join("unpacked");
    let mut archive = zip::ZipArchive::new(Cursor::new(file.octets)).unwrap();
    let mut names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    let want = ["audit.jsonl", "incidents.csv", "index.csv", "index.html", "manifest.json", "messages/a1.eml"];
    assert_eq!(names, want, "neither what is left out nor what is sealed");
    archive.extract(&folder).unwrap();
    let eml = std::fs::read(folder.join("messages/a1.eml")).unwrap();
    assert_eq!(eml, &house.store.content(&QueueId("a1".to_owned())).await.unwrap()[..], "octet for octet");
    let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
    for says in ["left out: a friend's confidence", "sealed: marked personal", TEACHER, "Person 1"] {
        assert!(index.contains(says), "{says}: {index}");
    }
    assert!(!index.contains("gmail.com") && !index.contains("doctor"), "{index}");
    let nowhere = house.directory.path().join("nowhere.toml");
    let (sound, told) = verify(&folder, &nowhere);
    assert!(sound && told.contains("as it was made"), "{told}");
    std::fs::write(folder.join("messages/a1.eml"), [&eml[..], b"\r\n"].concat()).unwrap();
    let (sound, told) = verify(&folder, &nowhere);
    assert!(!sound && told.contains("messages/a1.eml: it was changed"), "{told}");

    // Each step is in the audit, and none says whose.
    let lines = record(&house).await;
    let steps: Vec<String> = lines
        .iter()
        .filter(|(_, event, _)| event != "disclosure-seen")
        .map(|(who, event, _)| format!("{who} {event}"))
        .collect();
    let want = [
        "dora disclosure-asked",
        "helen disclosure-approved",
        "sue disclosure-left-out",
        "sue disclosure-taken-in",
        "sue disclosure-left-out",
        "sue disclosed",
        "sue disclosure-exported",
    ];
    assert_eq!(steps, want);
    for who in ["dora", "helen", "sue"] {
        assert!(lines.iter().any(|(one, event, _)| one == who && event == "disclosure-seen"), "{who} looked");
    }
    let taken = &lines.iter().find(|(_, event, _)| event == "disclosure-exported").unwrap().2;
    assert!(taken.contains("compliance") && taken.contains("the letter"), "{taken}");
    for hidden in [TEACHER, "gmail.com", "confidence", "plan"] {
        assert!(lines.iter().all(|(_, _, detail)| !detail.contains(hidden)), "{hidden}: {lines:?}");
    }
    assert!(sue.get("/disclosures").await.body.contains("taken away"));
    let page = helen.get("/audit").await.body;
    assert!(page.contains("took a disclosure away") && page.contains("approved a disclosure"), "{page}");
}

#[tokio::test]
async fn nobody_sees_or_approves_what_is_about_themselves_and_a_refusal_ends_it() {
    let house = House::new().await;
    house.hold("a1", "helen@saltmere.example", &["someone@gmail.com"], "plan", "The quiet plan.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut dora = house.person("dora", &[Role::Dpo]).await;
    let mut helen = house.person("helen", &[Role::Head, Role::Sbm]).await;
    let about = [("kind", "disciplinary"), ("mailbox", "Helen@saltmere.example"), ("why", "a complaint")];
    let page = ask(&mut sue, &about).await;
    let form = |what: &str| format!("{page}/{what}");
    assert!(!helen.get("/disclosures").await.body.contains(&page), "she is not told of it");
    assert_eq!(helen.get(&page).await.status, 404);
    let token = helen.get("/account").await.field("token");
    for (what, field) in
        [("decide", ("decision", "approve")), ("leave-out", ("message", "a1")), ("take", ("purpose", "facts"))]
    {
        let fields = [("token", token.as_str()), ("why", "x"), field];
        assert_eq!(helen.send("POST", &form(what), &fields).await.status, 404, "{what}");
    }
    // Refused with a reason, once; then nothing of it is handed over.
    for (fields, says) in
        [(&[("decision", "refuse")][..], "refused with a reason"), (&[], "Choose whether it is approved")]
    {
        let answer = dora.press(&page, &form("decide"), fields).await;
        assert!(answer.status == 422 && answer.body.contains(says), "{}", answer.body);
    }
    let no = [("decision", "refuse"), ("why", "not necessary")];
    assert_eq!(dora.press(&page, &form("decide"), &no).await.status, 303);
    let shown = sue.get(&page).await.body;
    assert!(shown.contains("refused by dora") && shown.contains("not necessary"), "{shown}");
    assert!(!shown.contains("/take\"") && !shown.contains("/leave-out\""), "{shown}");
    let take = sue.press(&page, &form("take"), &[("purpose", "facts"), ("why", "x")]).await;
    assert!(take.status == 422 && take.body.contains("It was refused"), "{}", take.body);
    let again = dora.press(&page, &form("decide"), &[("decision", "approve")]).await;
    assert!(again.status == 422 && again.body.contains("It was decided on before"), "{}", again.body);
    // Who asks about themselves sees it, and the rest is somebody else's.
    let own = ask(&mut helen, &about).await;
    let shown = helen.get(&own).await.body;
    assert!(shown.contains("about a mailbox of yours") && !shown.contains("/leave-out\""), "{shown}");
    assert_eq!(dora.press(&own, &format!("{own}/decide"), &[("decision", "approve")]).await.status, 303);
    let take = helen.press(&own, &format!("{own}/take"), &[("purpose", "facts"), ("why", "x")]).await;
    assert!(take.status == 422 && take.body.contains("somebody else does it"), "{}", take.body);
    let events: Vec<String> = record(&house).await.into_iter().map(|(_, event, _)| event).collect();
    assert!(
        events.contains(&"disclosure-refused".to_owned()) && !events.contains(&"disclosed".to_owned()),
        "{events:?}"
    );
}

/// What the chair opens to one person is handed over by that person and by nobody else.
#[tokio::test]
async fn sealed_mail_is_in_it_for_whom_the_chair_opens_it() {
    let house = House::new().await;
    house.hold("s1", TEACHER, &["someone@gmail.com"], "Personal", "The doctor on Friday.").await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let mut dora = house.person("dora", &[Role::Dpo]).await;
    let mut chair = house.person("chair", &[Role::Chair]).await;
    let page = ask(&mut sue, &ASKED).await;
    assert_eq!(dora.press(&page, &format!("{page}/decide"), &[("decision", "approve")]).await.status, 303);
    assert_eq!(sue.press("/held/s1", "/held/s1/ask", &[("why", "a court asks")]).await.status, 303);
    let request = chair.get("/held/s1").await.field("request");
    assert_eq!(chair.press("/held/s1", "/held/s1/approve", &[("request", &request)]).await.status, 303);
    for (browser, is_in) in [(&mut dora, false), (&mut sue, true)] {
        let counts = if is_in {
            "1 message: 1 to hand over, 0 left out, 0 sealed"
        } else {
            "1 message: 0 to hand over, 0 left out, 1 sealed"
        };
        let shown = browser.get(&page).await.body;
        assert!(shown.contains(counts), "{counts}: {shown}");
        let purpose = [("purpose", "compliance"), ("why", "a court asks")];
        let file = browser.press(&page, &format!("{page}/take"), &purpose).await;
        assert_eq!(file.status, 200, "{}", file.body);
        let archive = zip::ZipArchive::new(Cursor::new(file.octets)).unwrap();
        assert_eq!(archive.index_for_name("messages/s1.eml").is_some(), is_in);
    }
}
