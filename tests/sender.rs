//! The sender's own page, over the real gateway: what came back goes, goes marked, is cancelled or handed over, by a person
//! with the link and by nothing else.

#[path = "sender/crashes.rs"]
mod crashes;
mod support;

use std::net::SocketAddr;

use schoolgate::inspect::inspect;
use schoolgate::smtp::Envelope;
use schoolgate::store::{Class, NewEntry, QueueId, State};
use support::desk::{Answer, Browser, House, address};
use support::{Case, Gateway, Sink, Taken, cases, free_port, id_of, relayed};

const DEPUTY: &str = "d.okafor@saltmere.example";
const COUNCIL: &str = "clerk@saltshire.gov.example";
const SBM: &str = "sbm@saltmere.example";

/// A gateway with a desk, and the sink behind it.
struct School {
    gateway: Gateway,
    sink: Sink,
    desk: SocketAddr,
}

/// A message that came back or is held, with its sender's way to it.
struct Stopped {
    id: String,
    path: String,
}

impl School {
    fn new() -> Self {
        let sink = Sink::start();
        let mut gateway = Gateway::new(sink.port);
        let port = free_port();
        gateway.set("review", "listen", format!("127.0.0.1:{port}"));
        gateway.set("review", "public_url", format!("http://127.0.0.1:{port}"));
        gateway.start(&[]);
        Self { gateway, sink, desk: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Sends what is stopped, and takes the link out of the notice to its sender.
    fn stopped(&self, from: &str, to: &[String], content: &[u8]) -> Stopped {
        let id = id_of(&self.gateway.client().send(from, to, content).expect("taken"));
        let is_it = |taken: &Taken| taken.recipients == [from] && text_of(taken).contains(&format!("Reference: {id}"));
        let taken = self.sink.wait("the notice to the sender", |taken| taken.iter().any(is_it));
        let text = text_of(taken.iter().find(|taken| is_it(taken)).expect("the notice"));
        let links: Vec<&str> = text.match_indices("/m/").map(|(at, _)| &text[at..at + 25]).collect();
        assert!(links.len() >= 2 && links.iter().all(|link| *link == links[0]), "one link, in both parts: {text}");
        Stopped { id, path: links[0].to_owned() }
    }

    /// A record of a pupil to the council, with this header and no marker in it.
    fn unmarked(&self, subject: &str) -> (Stopped, Vec<u8>) {
        let content = unmarked(subject);
        (self.stopped(DEPUTY, &[COUNCIL.to_owned()], &content), content)
    }

    fn browser(&self) -> Browser {
        Browser::new(self.desk)
    }

    /// What a person does: the form as it stands on the page, its box ticked.
    async fn act(&self, path: &str, what: &str, words: &str) -> Answer {
        let mut browser = self.browser();
        let token = browser.get(path).await.field("token");
        browser.send("POST", path, &[("token", &token), ("what", what), ("words", words), ("sure", "yes")]).await
    }

    async fn status(&self, path: &str) -> u16 {
        self.browser().get(path).await.status
    }

    /// Mail that went on to this recipient.
    fn went_to(&self, recipient: &str) -> Vec<Taken> {
        let mail = |taken: &Taken| !taken.from.is_empty() && taken.recipients.iter().any(|to| to == recipient);
        self.sink.settled().into_iter().filter(mail).collect()
    }

    fn audit_holds(&self) {
        let verified = self.gateway.command(&["audit", "verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

fn unmarked(subject: &str) -> Vec<u8> {
    format!(
        "From: David Okafor <{DEPUTY}>\r\nTo: {COUNCIL}\r\n{subject}Message-ID: <u@saltmere.example>\r\n\r\n\
         Lottie Fenn lives at 48 Marram Road, Saltmere.\r\nDate of birth: 8 February 2023.\r\n"
    )
    .into_bytes()
}

/// A notice with the soft line ends of quoted-printable taken out.
fn text_of(taken: &Taken) -> String {
    String::from_utf8_lossy(&taken.content).replace("=\r\n", "").replace("&#x2f;", "/")
}

fn photograph() -> Case {
    let one = |case: &Case| case.action == "warn" && case.rules == ["pupil-images"] && case.rcpt.len() == 1;
    cases().into_iter().find(one).expect("a photograph that comes back")
}

#[tokio::test]
async fn a_photograph_that_is_right_goes_and_is_not_asked_about_again() {
    let school = School::new();
    let case = photograph();
    let stopped = school.stopped(&case.mail_from, &case.rcpt, &case.message());
    let page = school.browser().get(&stopped.path).await;
    assert_eq!(page.status, 200);
    for shown in [case.rcpt[0].as_str(), "This is right, because", "Cancel it", "You are wrong", stopped.id.as_str()] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("Send it with Confidential"), "which would put nothing right");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    // Without a reason it stays.
    assert_eq!(school.act(&stopped.path, "confirm", " ").await.status, 422);
    let sent = school.act(&stopped.path, "confirm", "It is the boiler").await;
    assert!(sent.status == 200 && sent.body.contains("On its way"), "{}", sent.body);
    school.sink.wait("the photograph", |taken| taken.iter().any(|t| relayed(&t.content) == Some(&case.message()[..])));
    assert_eq!(school.status(&stopped.path).await, 404, "the link is used");
    // Its twin goes by itself.
    school.gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken");
    school.sink.wait("the twin", |taken| {
        taken.iter().filter(|t| relayed(&t.content) == Some(&case.message()[..])).count() == 2
    });
    school.audit_holds();
    let log = school.gateway.log();
    assert!(!log.contains(&stopped.path[3..]) && !log.contains("boiler"), "{log}");
}

#[tokio::test]
async fn a_marked_message_is_the_old_one_but_for_one_line() {
    let school = School::new();
    for (subject, marked) in [
        ("Subject: Lottie\r\n", "Subject: Confidential: Lottie\r\n"),
        ("Subject: Lottie,\r\n our newest\r\n", "Subject: Confidential: Lottie,\r\n our newest\r\n"),
        ("Subject: =?utf-8?Q?Caf=C3=A9?=\r\n", "Subject: Confidential: =?utf-8?Q?Caf=C3=A9?=\r\n"),
        ("", "Subject: Confidential\r\n"),
    ] {
        let (stopped, _) = school.unmarked(subject);
        let sent = school.act(&stopped.path, "mark", "").await;
        assert!(sent.status == 200 && sent.body.contains("On its way"), "{subject}: {}", sent.body);
        let mut expected = unmarked(marked);
        if subject.is_empty() {
            // A new line stands behind the others.
            let text = String::from_utf8(unmarked("")).unwrap();
            expected = text.replacen("\r\n\r\n", &format!("\r\n{marked}\r\n"), 1).into_bytes();
        }
        school
            .sink
            .wait("the marked message", |taken| taken.iter().any(|t| relayed(&t.content) == Some(&expected[..])));
        assert_eq!(school.act(&stopped.path, "mark", "").await.status, 404, "once");
        let line = school.gateway.command(&["audit", "list", "--message", &stopped.id, "--json"]);
        let line = String::from_utf8_lossy(&line.stdout).into_owned();
        assert!(line.contains("sent_sha256") && line.contains("sent_verdict"), "{line}");
    }
    assert_eq!(school.went_to(COUNCIL).len(), 4);
    school.audit_holds();
}

#[tokio::test]
async fn it_is_cancelled_or_handed_over_and_decided_on() {
    let school = School::new();
    let (cancelled, _) = school.unmarked("Subject: one\r\n");
    assert!(school.act(&cancelled.path, "cancel", "").await.body.contains("Cancelled"));
    let (handed, _) = school.unmarked("Subject: two\r\n");
    let told = |taken: &[Taken]| {
        taken.iter().filter(|t| t.recipients.iter().any(|to| to == SBM) && text_of(t).contains(&handed.id)).count()
    };
    assert!(school.act(&handed.path, "wrong", "The council asked for it").await.body.contains("Handed over"));
    school.sink.wait("the notice to who decides", |taken| told(taken) == 1);
    // What is held is cancelled or said something about, and nothing else.
    let page = school.browser().get(&handed.path).await;
    assert!(page.body.contains("Your message is held") && !page.body.contains("Send it marked"), "{}", page.body);
    for what in ["mark", "confirm", "wrong"] {
        let answer = school.act(&handed.path, what, "words").await;
        assert!(matches!(answer.status, 404 | 422), "{what}: {}", answer.status);
    }
    assert!(school.act(&handed.path, "note", "By Friday, please").await.body.contains("Noted"));
    assert!(school.went_to(COUNCIL).is_empty());
    let released = school.gateway.command(&["quarantine", "release", &handed.id, "--who", "sue", "--why", "asked for"]);
    assert!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    school.sink.wait("what was released", |taken| taken.iter().any(|t| t.recipients == [COUNCIL]));
    let over = school.browser().get(&handed.path).await;
    let used = school.browser().get(&cancelled.path).await;
    let unknown = school.browser().get("/m/AAAAAAAAAAAAAAAAAAAAAA").await;
    for answer in [&over, &used, &unknown] {
        assert_eq!((answer.status, &answer.body), (404, &unknown.body), "over, used and unknown look the same");
    }
    school.audit_holds();
}

#[tokio::test]
async fn what_opens_links_and_sends_forms_changes_nothing() {
    let school = School::new();
    let (unmarked, _) = school.unmarked("Subject: Lottie\r\n");
    let photograph = photograph();
    let confirmable = school.stopped(&photograph.mail_from, &photograph.rcpt, &photograph.message());
    scanned(&school, &unmarked, &["mark", "wrong", "cancel"]).await;
    scanned(&school, &confirmable, &["confirm", "wrong", "cancel"]).await;
    assert!(school.went_to(COUNCIL).is_empty() && school.went_to(&photograph.rcpt[0]).is_empty());
    school.audit_holds();
}

/// Plays what follows links and fills in forms, with whatever it finds.
async fn scanned(school: &School, stopped: &Stopped, offered: &[&str]) {
    let mut scanner = school.browser();
    scanner.more = vec!["Sec-Purpose: prefetch;prerender".to_owned()];
    let page = scanner.get(&stopped.path).await;
    assert_eq!(scanner.send("HEAD", &stopped.path, &[]).await.status, 200);
    let forms: Vec<&str> = page.body.split("<form ").skip(1).collect();
    assert_eq!(forms.len(), offered.len(), "{}", page.body);
    let boxes: Vec<&str> =
        page.body.split("<input type=\"checkbox\"").skip(1).filter_map(|rest| rest.split('>').next()).collect();
    assert!(
        boxes.len() == offered.len() && boxes.iter().all(|one| !one.contains("checked") && one.contains("required")),
        "{boxes:?}"
    );
    for form in forms {
        let what = form.split("name=\"what\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("hidden");
        assert!(offered.contains(&what), "{what} is not for this sender");
        let filled = [("token", page.field("token")), ("what", what.to_owned()), ("words", "x".to_owned())];
        let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = scanner.send("POST", &stopped.path, &filled).await;
        assert!(answer.status == 422 && answer.body.contains("Nothing was changed"), "{what}: {}", answer.status);
        let ticked =
            |token: &str| vec![("token", token.to_owned()), ("what", what.to_owned()), ("sure", "yes".to_owned())];
        // Without the form's token, with another message's, or from elsewhere.
        let (other, _) = school.unmarked("Subject: other\r\n");
        let others = school.browser().get(&other.path).await.field("token");
        for token in ["", &others] {
            let form = ticked(token);
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(scanner.send("POST", &stopped.path, &form).await.status, 422, "{what}");
        }
        let mut elsewhere = school.browser();
        elsewhere.origin = Some("https://evil.example".to_owned());
        let form = ticked(&page.field("token"));
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(elsewhere.send("POST", &stopped.path, &form).await.status, 403, "{what}");
    }
    assert_eq!(school.status(&stopped.path).await, 200, "it is still there");
}

#[tokio::test]
async fn what_is_stopped_for_more_than_its_subject_is_not_sent_marked() {
    let school = School::new();
    let case = cases().into_iter().find(|c| c.action == "hold" && c.rules.len() == 1).expect("a message that is held");
    let held = school.stopped(&case.mail_from, &case.rcpt, &case.message());
    for what in ["mark", "confirm"] {
        assert_eq!(school.act(&held.path, what, "it is right").await.status, 422, "{what}");
    }
    assert!(school.act(&held.path, "cancel", "").await.body.contains("Cancelled"));
    assert_eq!(school.status(&held.path).await, 404);
    assert!(school.went_to(&case.rcpt[0]).is_empty());
    school.audit_holds();
}

/// The rules of today look at it anew: what they stop is not sent, and the page says why.
#[tokio::test]
async fn what_something_else_stops_by_now_is_not_sent_marked() {
    let house = House::new().await;
    let content = unmarked("Subject: Lottie\r\n");
    let from = || Some(address(DEPUTY));
    let now = jiff::Timestamp::now();
    let as_it_was = inspect(&house.ground, &Envelope::new(from(), vec![address(COUNCIL)]), &content, now);
    assert_eq!(as_it_was.rules.len(), 1, "{:?}", as_it_was.rules);
    let id = QueueId("m1".to_owned());
    let entry = NewEntry {
        id: id.clone(),
        class: Class::Mail,
        about: None,
        state: State::Returned,
        envelope: Envelope::new(from(), vec![address("someone@gmail.com")]),
        sha256: ring::digest::digest(&ring::digest::SHA256, &content).as_ref().try_into().unwrap(),
        content: content.into(),
        report: Some(as_it_was),
        at: now,
        client: None,
    };
    let link = house.store.new_sender_link(&id, jiff::SignedDuration::from_hours(1)).unwrap();
    let path = format!("/m/{}", link.token.reveal());
    house.store.commit_with(vec![entry], Some(link)).await.unwrap();
    let mut browser = Browser::new(house.address);
    let token = browser.get(&path).await.field("token");
    let answer = browser.send("POST", &path, &[("token", &token), ("what", "mark"), ("sure", "yes")]).await;
    assert!(answer.status == 409 && answer.body.contains("something else still stops it"), "{}", answer.body);
    assert!(answer.body.contains("personal"), "and why: {}", answer.body);
    assert_eq!(browser.get(&path).await.status, 200);
    assert_eq!(house.store.show(&id).await.unwrap().summary.state, State::Returned);
}

/// A photograph together with a record: the one is for its sender to confirm, the other wants the mark, and neither alone helps.
#[tokio::test]
async fn what_wants_both_the_mark_and_a_confirmation_goes_in_one_step() {
    let school = School::new();
    let case = photograph();
    let text = String::from_utf8(case.message()).expect("ASCII");
    let (head, parts) = text.split_once("\r\n\r\n").expect("a body");
    let boundary = parts.lines().next().expect("a boundary");
    let record = "Lottie Fenn lives at 48 Marram Road, Saltmere.\r\nDate of birth: 8 February 2023.\r\n";
    let content = format!("{head}\r\n\r\n{boundary}\r\nContent-Type: text/plain\r\n\r\n{record}\r\n{parts}");
    let stopped = school.stopped(&case.mail_from, &case.rcpt, content.as_bytes());
    let page = school.browser().get(&stopped.path).await;
    let offered: Vec<&str> =
        page.body.split("name=\"what\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(offered, ["mark-confirm", "wrong", "cancel"], "{}", page.body);
    scanned(&school, &stopped, &offered).await;
    for (what, words) in [("mark", "it is right"), ("confirm", "it is right"), ("mark-confirm", " ")] {
        assert_eq!(school.act(&stopped.path, what, words).await.status, 422, "{what} {words:?}");
    }
    let sent = school.act(&stopped.path, "mark-confirm", "It is the boiler").await;
    assert!(sent.status == 200 && sent.body.contains("On its way"), "{}", sent.body);
    let marked = content.replacen("Subject: ", "Subject: Confidential: ", 1);
    let came = |taken: &[Taken]| taken.iter().filter(|t| relayed(&t.content) == Some(marked.as_bytes())).count();
    school.sink.wait("the marked message", |taken| came(taken) == 1);
    assert_eq!(school.status(&stopped.path).await, 404, "once");
    // Of the photograph it is not asked again; the mark is wanted of each message.
    let again = school.stopped(&case.mail_from, &case.rcpt, content.as_bytes());
    let page = school.browser().get(&again.path).await;
    assert!(page.body.contains("Send it with Confidential") && !page.body.contains("This is right"), "{}", page.body);
    school.gateway.client().send(&case.mail_from, &case.rcpt, marked.as_bytes()).expect("taken");
    school.sink.wait("its twin, marked by its sender", |taken| came(taken) == 2);
    let allowed = school.gateway.command(&["allow", "list", "--json"]);
    let allowed = String::from_utf8_lossy(&allowed.stdout).into_owned();
    assert!(allowed.contains("pupil-images") && !allowed.contains("marker-missing"), "{allowed}");
    school.audit_holds();
}
