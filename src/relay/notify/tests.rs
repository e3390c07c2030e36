use super::*;
use crate::detect::Tier;
use crate::inspect::{FiredRule, ReportedPupil, ReportedRecipient};
use crate::people::{PupilIndex, RecipientKind};
use crate::policy::{Facts, PupilFact, RecipientFact, RulePack, decide};
use crate::relay::answer::offered;
use crate::relay::sender::Ask;
use crate::store::{HeldLine, Leaves};
use jiff::ToSpan;

pub fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

pub fn notifier() -> Notifier {
    let role = |role: &str, mailboxes: &[&str]| (role.to_owned(), mailboxes.iter().map(|m| address(m)).collect());
    let roles = BTreeMap::from([
        role("sbm", &["sbm@school.example"]),
        role("head", &["head@school.example"]),
        role("chair", &["chair@governors.example"]),
        role("dsl", &["dsl@school.example", "head@school.example"]),
    ]);
    Notifier::new(
        "St Bride’s Primary School",
        "01632 960321",
        "gate.school.example",
        address("schoolgate@school.example"),
        None,
        roles,
    )
    .expect("the built-in templates are sound")
}

fn fired(id: &str, action: Action, why: &str, remedy: &str, clauses: &[&str]) -> FiredRule {
    FiredRule {
        id: id.to_owned(),
        action,
        breach: action == Action::Hold,
        why: why.to_owned(),
        remedy: remedy.to_owned(),
        clauses: clauses.iter().map(|c| (*c).to_owned()).collect(),
        observed_only: false,
        confirmed: None,
        exempt: None,
        found: Vec::new(),
        reasons: Vec::new(),
    }
}

fn report(action: Action, rules: Vec<FiredRule>) -> Report {
    Report {
        breach: action == Action::Hold,
        notify: vec!["sbm".to_owned()],
        rules,
        recipients: vec![ReportedRecipient {
            address: "a@b.example".to_owned(),
            kind: "external".to_owned(),
            guardian_of: Vec::new(),
            entitled: false,
        }],
        pupils: ["P001", "P002"]
            .map(|id| ReportedPupil {
                id: id.to_owned(),
                tier: "record".to_owned(),
                categories: vec!["attainment".to_owned()],
                places: vec!["body".to_owned()],
                shared_name: false,
            })
            .into(),
        unlisted_pupils: 1,
        ..Report::of(action)
    }
}

/// What the core pack says of these facts.
pub fn decided(facts: &Facts) -> Report {
    let pack = RulePack::embedded("core").expect("the core pack parses");
    let verdict = decide(&pack, facts, &crate::policy::Allowed::default());
    let rules = verdict.fired.into_iter().map(|fired| FiredRule {
        id: pack.rules[fired.rule].id.clone(),
        action: fired.action,
        breach: pack.rules[fired.rule].breach,
        why: fired.why,
        remedy: fired.remedy,
        clauses: pack.rules[fired.rule].clauses.clone(),
        observed_only: fired.observed_only,
        confirmed: fired.confirmed,
        exempt: fired.exempt,
        found: Vec::new(),
        reasons: Vec::new(),
    });
    Report { breach: verdict.breach, notify: verdict.notify, ..report(verdict.action, rules.collect()) }
}

fn recipient(address: &str, kind: RecipientKind) -> RecipientFact {
    RecipientFact { address: address.to_owned(), kind, guardian_of: Vec::new(), known: Default::default() }
}

fn pupils(number: u32, tier: Tier) -> Vec<PupilFact> {
    (0..number).map(|n| PupilFact { pupil: Some(PupilIndex(n)), tier, doubtful: false, shared_name: false }).collect()
}

fn warned() -> Report {
    decided(&Facts {
        recipients: vec![recipient("clerk@council.example", RecipientKind::Trusted)],
        pupils: pupils(3, Tier::Record),
        adult_identifier: true,
        visible_private: vec!["a@b.example".to_owned(); 5],
        ..Facts::default()
    })
}

fn held() -> Report {
    let mut report = decided(&Facts {
        recipients: vec![
            recipient("parent.one@gmail.com", RecipientKind::Personal),
            recipient("clerk@council.example", RecipientKind::Trusted),
        ],
        pupils: pupils(3, Tier::Record),
        ..Facts::default()
    });
    let mut observed = fired("pupil-images", Action::Warn, "SEEN BY NOBODY", "SEEN BY NOBODY", &[]);
    observed.observed_only = true;
    report.rules.insert(1, observed);
    report
}

/// One rule alone, about one pupil, whom the subject names.
fn one_rule(kind: RecipientKind, tier: Tier) -> Report {
    let recipients = vec![recipient("parent.one@gmail.com", kind)];
    let mut report = decided(&Facts { recipients, pupils: pupils(1, tier), ..Facts::default() });
    report.pupils.truncate(1);
    report.unlisted_pupils = 0;
    report.pupils[0].places.insert(0, "subject".to_owned());
    report
}

pub fn envelope(sender: Option<&str>) -> Envelope {
    Envelope::new(sender.map(address), vec![address("parent.one@gmail.com"), address("clerk@council.example")])
}

pub fn about<'a>(envelope: &'a Envelope, id: &'a QueueId) -> About<'a> {
    About {
        envelope,
        subject: "Reports for Thursday",
        message_id: Some("<D26F44E3@school.example>"),
        id,
        at: "2026-10-02T15:31:00Z".parse().expect("a timestamp"),
        now: "2026-10-02T15:31:05Z".parse().expect("a timestamp"),
        not_told: &[],
        link: None,
    }
}

pub fn id() -> QueueId {
    QueueId("06F2K7Q9ZB3M5T1X".to_owned())
}

pub fn body_parts(notice: &Notice) -> (String, String) {
    let message = mail_parser::MessageParser::default().parse(&notice.content).expect("a message");
    (message.body_text(0).expect("text").into_owned(), message.body_html(0).expect("html").into_owned())
}

fn header<'n>(notice: &'n Notice, name: &str) -> Vec<&'n str> {
    let text = std::str::from_utf8(&notice.content).expect("ASCII headers");
    let head = text.split_once("\r\n\r\n").expect("an empty line").0;
    head.split("\r\n").filter_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).collect()
}

/// Compares with `tests/golden/NAME`, or writes it where `SCHOOLGATE_UPDATE_GOLDEN` is set.
fn golden(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/notices").join(name);
    if std::env::var_os("SCHOOLGATE_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("the directory");
        std::fs::write(&file, found).expect("the golden file");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert_eq!(found, expected, "{name} differs; if that is meant, set SCHOOLGATE_UPDATE_GOLDEN=1");
}

pub fn due() -> jiff::Timestamp {
    "2026-10-06T15:30:00Z".parse().expect("a timestamp")
}

fn held_line(id: &str, breach: bool, pupils: u32) -> HeldLine {
    HeldLine {
        id: QueueId(id.to_owned()),
        mail_from: Some(address("m.teacher@school.example")),
        to: Some(address("parent.one@gmail.com")),
        recipients: pupils,
        at: due(),
        held_at: due(),
        due_at: Some(due()),
        rules: vec!["pupil-record-to-personal".to_owned()],
        kinds: vec!["personal".to_owned()],
        notified: vec!["sbm".to_owned()],
        pupils,
        breach,
        safeguarding: false,
        sealed: false,
        damaged: None,
        decided: None,
    }
}

/// What became of the message, as letters say it first.
const FIRST_WORDS: [&str; 10] = [
    "BREACH",
    "TEN MINUTES",
    "ICO",
    "NOT SENT",
    "DECISION",
    "RELEASED",
    "HAS DECIDED",
    "ON ITS WAY",
    "NOTHING WAS CHANGED",
    "MESSAGE LEAVES",
];

/// Relay checklist, row 109.
#[test]
fn notices_read_as_written_down() {
    let (without, id) = (notifier(), id());
    let notifier = notifier().at_desk(Some("https://desk.school.example".to_owned()), crate::school_time::london());
    let envelope = envelope(Some("m.teacher@school.example"));
    let about = about(&envelope, &id);
    let (line, other) = (held_line("06F2K7Q9ZB3M5T1X", true, 3), held_line("06F2K7Q9ZB3M5T1Y", false, 1));
    let waiting = |line| notifier.waiting(line);
    let letter = |letter, waiting, more| {
        notifier.of_what_waits(letter, vec![address("sbm@school.example")], waiting, more, &id, about.now)
    };
    let token = "AbCdEfGhIjKlMnOpQrStUv";
    let link = crate::store::SenderLink {
        token: serde_json::from_value(token.into()).expect("a token"),
        message: id.clone(),
        until: "2026-10-05T15:31:00Z".parse().expect("a timestamp"),
    };
    let reply_to = address("answer+06f2k7q9zb3m5t1x-00112233445566778899aabbccddeeff@gate.school.example");
    let all = offered(&[Ask::Mark, Ask::Confirm, Ask::Wrong, Ask::Cancel]);
    let way = |answers| Some(Way { link: Some(&link), answer_to: Some(&reply_to), answers });
    let linked = About { link: way(&all), ..about };
    let cancelled = offered(&[Ask::Cancel]);
    let held_linked = About { link: way(&cancelled), ..about };
    let note = "Please use the council’s portal for this.\nCall me if it does not open.";
    let passed = Report::of(Action::Deliver);
    let moment =
        Leaves { at: about.now + 2.minutes(), second_look_until: Some(about.now + 2.minutes()), opens_at: None };
    let opening = Leaves { at: due(), second_look_until: None, opens_at: Some(due()) };
    let (look, night) = (offered(&Ask::waiting(&moment, about.now)), offered(&Ask::waiting(&opening, about.now)));
    let (waits, waits_for_opening) = (About { link: way(&look), ..about }, About { link: way(&night), ..about });
    for (name, notice) in [
        ("returned", notifier.returned_to_sender(&warned(), &about)),
        ("held", notifier.held_for_sender(&held(), &about)),
        ("review", notifier.held_for_reviewer(&held(), &about, due())),
        ("returned-linked", notifier.returned_to_sender(&warned(), &linked)),
        ("held-linked", notifier.held_for_sender(&held(), &held_linked)),
        ("answered", notifier.answered(&warned(), &about, Ask::Mark.title(), Ask::Mark.done())),
        ("answered-in-vain", notifier.answered(&warned(), &linked, "Nothing was changed", "That is not possible.")),
        ("returned-by-reviewer", notifier.returned_by_reviewer(&held(), &about, note)),
        ("returned-undecided", notifier.returned_undecided(&held(), &about)),
        ("discarded", notifier.discarded_for_sender(&held(), &about)),
        ("waits-linked", notifier.waits(&passed, &waits, &moment)),
        ("waits-until-open-linked", notifier.waits(&passed, &waits_for_opening, &opening)),
        ("waits", without.waits(&passed, &waits, &moment)),
        ("released", notifier.released_for_sender(&held(), &about)),
        ("released-in-part", notifier.released_in_part(&held(), &about, &about.envelope.recipients[..1])),
        ("returned-one-rule", notifier.returned_to_sender(&one_rule(RecipientKind::Personal, Tier::Mention), &about)),
        ("held-one-rule", notifier.held_for_sender(&one_rule(RecipientKind::Lookalike, Tier::Record), &about)),
        (
            "review-one-pupil",
            notifier.held_for_reviewer(&one_rule(RecipientKind::Disposable, Tier::Record), &about, due()),
        ),
        ("review-without-a-desk", without.held_for_reviewer(&held(), &about, due())),
        ("digest", letter(WaitingLetter::Digest, vec![waiting(&line), waiting(&other)], 3)),
        ("reminder", letter(WaitingLetter::Reminder, vec![waiting(&line)], 0)),
        ("escalated", letter(WaitingLetter::Escalated, vec![waiting(&line)], 0)),
        ("incident-reported", notifier.incident_reported(vec![address("sbm@school.example")], &id, about.now)),
        ("report-received", notifier.report_received(&about)),
        ("incident-reminder", notifier.incident_reminder(vec![address("sbm@school.example")], &id, due(), about.now)),
        (
            "incident-reminder-late",
            without.incident_reminder(vec![address("sbm@school.example")], &id, about.now, due()),
        ),
    ] {
        let notice = notice.expect(name);
        let (text, html) = body_parts(&notice);
        let head = std::str::from_utf8(&notice.content).expect("ASCII").split_once("\r\n\r\n").expect("headers").0;
        golden(&format!("{name}.headers"), &format!("{}\n", head.replace("\r\n", "\n")));
        golden(&format!("{name}.txt"), &text.replace("\r\n", "\n"));
        golden(&format!("{name}.html"), &html.replace("\r\n", "\n"));
        // In both parts of the sender's own letters, and in no other.
        let has = |part: &str| part.replace("&#x2f;", "/").contains(&format!("https://desk.school.example/m/{token}"));
        assert_eq!((has(&text), has(&html)), (name.ends_with("linked"), name.ends_with("linked")), "{name}");
        assert!(notice.envelope.mail_from.is_none());
        assert!(!text.contains("SEEN BY NOBODY") && !html.contains("SEEN BY NOBODY"));
        assert!(notice.content.split(|&b| b == b'\n').rev().skip(1).all(|l| l.ends_with(b"\r") && l.len() <= 998));
        // Fail-closed wording: what became of the message comes first, in the subject and in the text.
        assert!(text.lines().next().is_some_and(|l| FIRST_WORDS.iter().any(|w| l.contains(w))), "{text}");
    }
}

/// Relay checklist, row 111.
#[test]
fn reviewers_see_neither_subject_nor_findings() {
    let (notifier, id) = (notifier(), id());
    let envelope = envelope(Some("m.teacher@school.example"));
    let notice = notifier
        .held_for_reviewer(&held(), &About { subject: "Zebedee Quill’s plan", ..about(&envelope, &id) }, due())
        .expect("a notice");
    assert!(!String::from_utf8_lossy(&notice.content).contains("Zebedee"));
    let (text, _) = body_parts(&notice);
    for wanted in ["m.teacher@school.example", "clerk@council.example", "3 pupils", "likely", &id.0] {
        assert!(text.contains(wanted), "{wanted} is missing from\n{text}");
    }
    for pupil in ["P001", "P002"] {
        assert!(!text.contains(pupil));
    }
}

/// Who reads a notice learns which trait a rule goes by and where it stands.
#[test]
fn a_notice_says_which_trait_was_found_and_where() {
    let (notifier, id) = (notifier(), id());
    let envelope = envelope(Some("m.teacher@school.example"));
    let mut report = held();
    report.rules[0].found = vec![crate::inspect::FoundTrait {
        kind: "open-link".to_owned(),
        place: "the message itself, line 4".to_owned(),
    }];
    let about = about(&envelope, &id);
    for notice in [
        notifier.returned_to_sender(&report, &about),
        notifier.held_for_sender(&report, &about),
        notifier.held_for_reviewer(&report, &about, due()),
    ] {
        let (text, html) = body_parts(&notice.expect("a notice"));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = "Found: a link that anyone may open, in the message itself, line 4.";
        assert!(text.contains(words) && html.contains(words), "{text}");
    }
}

/// U10: what was found does not go out again with the notice.
/// Relay checklist, row 111.
#[test]
fn a_subject_in_which_something_was_found_is_not_repeated() {
    let (notifier, id) = (notifier(), id());
    let envelope = envelope(Some("m.teacher@school.example"));
    let about = About { subject: "Zebedee Quill’s plan", ..about(&envelope, &id) };
    let mut found = warned();
    found.findings.push(crate::inspect::ReportedFinding {
        kind: "credential".to_owned(),
        text: "x".to_owned(),
        place: "subject".to_owned(),
        detail: None,
        confidence: "high".to_owned(),
        pupil: None,
        because: "x".to_owned(),
        excerpt: None,
    });
    for (report, words) in [
        (one_rule(RecipientKind::Personal, Tier::Record), "(subject not repeated here: it names a pupil)"),
        (found, "(subject not repeated here: something was found in it)"),
    ] {
        for notice in [
            notifier.returned_to_sender(&report, &about),
            notifier.held_for_sender(&report, &about),
            notifier.returned_by_reviewer(&report, &about, ""),
            notifier.discarded_for_sender(&report, &about),
            notifier.released_for_sender(&report, &about),
        ] {
            let (text, html) = body_parts(&notice.expect("a notice"));
            assert!(text.contains(words) && html.contains(words), "{text}");
            assert!(!text.contains("Zebedee") && !html.contains("Zebedee"), "{text}");
        }
    }
    let (text, _) = body_parts(&notifier.returned_to_sender(&warned(), &about).expect("a notice"));
    assert!(text.contains("Zebedee"), "where nothing was found the sender sees which message it was");
}

#[test]
fn reviewers_learn_whether_the_sender_knows() {
    let (notifier, id) = (notifier(), id());
    for (sender, told) in
        [(Some("m.teacher@school.example"), true), (Some("schoolgate@school.example"), false), (None, false)]
    {
        let envelope = envelope(sender);
        let (text, _) =
            body_parts(&notifier.held_for_reviewer(&held(), &about(&envelope, &id), due()).expect("a notice"));
        assert_eq!(text.contains("Sender:  has been told"), told, "{sender:?}");
        assert_eq!(notifier.held_for_sender(&held(), &about(&envelope, &id)).is_some(), told, "{sender:?}");
    }
}

#[test]
fn nobody_is_told_of_their_own_message_as_reviewer() {
    let (notifier, id) = (notifier(), id());
    for (sender, notify, also, expected) in [
        (Some("m.teacher@school.example"), &["sbm"][..], &[][..], &["sbm@school.example"][..]),
        (Some("SBM@School.Example"), &["sbm"], &[], &["head@school.example"]),
        (Some("l.sharp@school.example"), &["sbm"], &["sbm@school.example"], &["head@school.example"]),
        (Some("sbm@school.example"), &["sbm"], &["head@school.example"], &["chair@governors.example"]),
        (
            Some("sbm@school.example"),
            &["sbm"],
            &["head@school.example", "chair@governors.example"],
            &["dsl@school.example"],
        ),
        (
            Some("sbm@school.example"),
            &["sbm"],
            &["head@school.example", "chair@governors.example", "dsl@school.example"],
            &[],
        ),
        (Some("head@school.example"), &["sbm", "head"], &[], &["sbm@school.example"]),
        (Some("t@school.example"), &["dsl", "head"], &[], &["dsl@school.example", "head@school.example"]),
        (Some("t@school.example"), &["it"], &[], &["sbm@school.example"]),
        (Some("t@school.example"), &[], &[], &["sbm@school.example"]),
        (None, &["sbm"], &[], &["sbm@school.example"]),
    ] {
        let mut report = held();
        report.notify = notify.iter().map(|&role| role.to_owned()).collect();
        let envelope = envelope(sender);
        let also: Vec<Address> = also.iter().map(|a| address(a)).collect();
        let notice = notifier.held_for_reviewer(&report, &About { not_told: &also, ..about(&envelope, &id) }, due());
        let told: Vec<String> =
            notice.iter().flat_map(|n| &n.envelope.recipients).map(|a| a.as_str().to_owned()).collect();
        assert_eq!(told, expected, "{sender:?} {notify:?} {also:?}");
    }
}

/// U10: no backscatter.
#[test]
fn the_null_sender_and_ourselves_are_told_nothing() {
    let (notifier, id) = (notifier(), id());
    for sender in [None, Some("schoolgate@school.example"), Some("Schoolgate@SCHOOL.example")] {
        let envelope = envelope(sender);
        let about = about(&envelope, &id);
        assert!(notifier.returned_to_sender(&warned(), &about).is_none(), "{sender:?}");
        assert!(notifier.held_for_sender(&held(), &about).is_none(), "{sender:?}");
        assert!(notifier.returned_by_reviewer(&held(), &about, "x").is_none(), "{sender:?}");
        assert!(notifier.discarded_for_sender(&held(), &about).is_none(), "{sender:?}");
        assert!(notifier.released_for_sender(&held(), &about).is_none(), "{sender:?}");
    }
}

#[test]
fn nothing_from_outside_makes_a_header_or_mark_up() {
    let (notifier, id) = (notifier(), id());
    let hostile = [
        "x\r\nBcc: thief@evil.example\r\n\r\nHello".to_owned(),
        "=?utf-8?q?x=0D=0ABcc:_thief@evil.example?=".to_owned(),
        "<script>alert(1)</script><a href=\"https://evil.example\">".to_owned(),
        "{{ school }}{% include 'x' %}".to_owned(),
        "\u{202E}txet\u{202C}\u{0}\u{7f}".to_owned(),
        "A".repeat(10_000),
        "--=_returned-06F2K7Q9ZB3M5T1X--\r\n".repeat(3),
    ];
    let envelope = envelope(Some("\"odd, name\"@school.example"));
    for subject in &hostile {
        let about = About { subject, message_id: Some("<a@b>\r\nBcc: thief@evil.example"), ..about(&envelope, &id) };
        let notice = notifier.returned_to_sender(&warned(), &about).expect("a notice");
        for forbidden in ["Bcc", "In-Reply-To", "References"] {
            assert!(header(&notice, forbidden).is_empty(), "{subject:?}");
        }
        assert_eq!(header(&notice, "Subject"), ["NOT SENT: subject does not say Confidential"]);
        assert_eq!(header(&notice, "To"), ["undisclosed-recipients:;"]);
        assert_eq!(header(&notice, "Auto-Submitted"), ["auto-replied"]);
        let parsed = mail_parser::MessageParser::default().parse(&notice.content).expect("a message");
        assert_eq!(parsed.parts.len(), 3, "{subject:?}");
        let (text, html) = body_parts(&notice);
        assert!(!html.contains("<script") && !html.contains("<a "), "{subject:?}");
        assert!(!text.contains('\u{202E}') && !html.contains('\u{202E}'));
        assert!(text.len() < 4_000, "a long subject is cut");
    }
}

#[test]
fn many_recipients_are_counted_not_listed() {
    let (notifier, id) = (notifier(), id());
    let recipients = (0..500).map(|n| address(&format!("parent{n}@gmail.com"))).collect();
    let envelope = Envelope::new(Some(address("m.teacher@school.example")), recipients);
    let notice = notifier.returned_to_sender(&warned(), &about(&envelope, &id)).expect("a notice");
    let (text, _) = body_parts(&notice);
    assert!(text.contains("and 480 more") && text.contains("parent19@") && !text.contains("parent20@"), "{text}");
}

#[test]
fn a_school_replaces_templates_and_learns_at_start_what_is_wrong() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = |name: &str, text: &str| {
        for entry in std::fs::read_dir(dir.path()).expect("the directory") {
            std::fs::remove_file(entry.expect("an entry").path()).expect("removed");
        }
        std::fs::write(dir.path().join(name), text).expect("written");
        let from = address("schoolgate@school.example");
        Notifier::new("A School", "", "gate.school.example", from, Some(dir.path()), BTreeMap::new())
    };
    let id = id();
    let envelope = envelope(Some("m.teacher@school.example"));
    let own = start("returned.txt", "Oh dear: NOT SENT.\n{{ subject }}\n").expect("a sound template");
    let notice = own.returned_to_sender(&warned(), &about(&envelope, &id)).expect("a notice");
    let (text, html) = body_parts(&notice);
    assert_eq!(text.replace("\r\n", "\n").trim_end(), "Oh dear: NOT SENT.\nReports for Thursday");
    assert!(html.contains("Your message was not sent"), "the HTML stays the built-in one");

    for (name, text, place, words) in [
        ("returned.txt", "one\ntwo\n{% if %}\n", "returned.txt:3:", "syntax error"),
        ("held.html", "one\n{{ subjekt }}\n", "held.html:2:", "undefined"),
        ("rules.txt", "{% for rule in rules %}\n\n{{ rule.whyy }}{% endfor %}", "rules.txt:3:", "undefined"),
        ("retruned.txt", "x", "retruned.txt: ", "there is no template of this name"),
    ] {
        let error = start(name, text).expect_err(name).to_string();
        assert!(error.contains(place) && error.contains(words), "{name}: {error}");
    }
    let missing = dir.path().join("nowhere");
    let from = address("schoolgate@school.example");
    let error = Notifier::new("A", "", "h", from, Some(&missing), BTreeMap::new()).expect_err("no directory");
    assert!(error.to_string().contains("nowhere: cannot be read"), "{error}");
}
