//! The packs that are compiled in, and bad ones.

use super::*;

#[test]
fn the_core_pack_is_sound_and_holds_its_rules() {
    let pack = RulePack::embedded("core").expect("the core pack parses");
    let ids: Vec<_> = pack.rules.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "impersonation",
            "pupil-record-to-personal",
            "pupil-mention-to-personal",
            "pupil-record-to-wrong-guardian",
            "bulk-pupils-outside",
            "sensitive-unprotected",
            "confidential-marker-missing",
            "personal-marker-missing",
            "personal-marker-misused",
            "adult-identifier-outside",
            "adult-identifier-unmarked",
            "visible-recipients",
            "credentials-disclosed",
            "offensive-language",
            "unreadable-content",
            "pupil-images",
            "lookalike-recipient",
            "barred-parent",
            "pupil-images-refused",
            "adult-matter-outside",
            "audience-outside",
            "other-household",
        ]
    );
    assert!(pack.rules.iter().all(|r| !r.clauses.is_empty()), "every rule names a clause");
}

#[test]
fn a_rule_that_does_not_say_who_confirms_it_asks_each_time() {
    let text = "name = \"x\"\n[[rule]]\nid = \"a\"\naction = \"warn\"\nbreach = false\nwhy = \"w\"\nremedy = \"r\"\n\
                when = [{ bulk = true }]";
    let pack = RulePack::parse(Path::new("p.toml"), text).expect("sound");
    assert_eq!(pack.rules[0].confirm, Confirm::Nobody);
    let core = RulePack::embedded("core").expect("the core pack parses");
    assert!(core.rules.iter().all(|rule| !(rule.breach && rule.confirm == Confirm::Sender)));
    let wrong = core.rules.iter().find(|rule| rule.id == "pupil-record-to-wrong-guardian").expect("there");
    assert_eq!((wrong.confirm, wrong.confirm_at_once), (Confirm::Reviewer, 1));
}

#[test]
fn bad_packs_are_refused_with_line_and_column() {
    let rule = |body: &str| format!("name = \"x\"\n[[rule]]\n{body}");
    let sound = "id = \"a\"\naction = \"warn\"\nbreach = false\nwhy = \"w\"\nremedy = \"r\"\n";
    let cases: &[(String, (usize, usize), &str)] = &[
        ("name = \"x\"".into(), (1, 1), "no [[rule]]"),
        ("name = x".into(), (1, 8), ""),
        (rule(&format!("{sound}when = [{{ to = [\"pesonal\"] }}]")), (8, 17), "pesonal"),
        (rule(&format!("{sound}when = [{{ tears = [\"record\"] }}]")), (8, 11), "tears"),
        (rule(&format!("{sound}when = []")), (8, 8), "never fire"),
        (rule(&format!("{sound}when = [{{}}]")), (8, 9), "every message"),
        (rule(&format!("{sound}clauses = [\"no\"]\nwhen = [{{ bulk = true }}]")), (8, 12), "no [[clause]] `no`"),
        (rule(&format!("{sound}notify = [\"boss\"]\nwhen = [{{ bulk = true }}]")), (8, 11), "no role `boss`"),
        (
            rule(&format!("{}confirm = \"sender\"\nwhen = [{{ bulk = true }}]", sound.replace("false", "true"))),
            (8, 11),
            "not confirmed by its sender",
        ),
        (rule(&format!("{sound}confirm = \"anybody\"\nwhen = [{{ bulk = true }}]")), (8, 11), "anybody"),
        (rule(&format!("{sound}confirm_at_once = 0\nwhen = [{{ bulk = true }}]")), (8, 19), "allows nothing"),
        (rule(&sound.replace("warn", "delay").to_string()), (4, 10), "delay"),
        (rule(&format!("{sound}retention_days = 3\nwhen = [{{ bulk = true }}]")), (8, 18), "journal = true is missing"),
        (
            rule(&format!("{sound}journal = true\nretention_days = 0\nwhen = [{{ bulk = true }}]")),
            (9, 18),
            "between 1 and",
        ),
        (rule(&format!("{sound}wait_minutes = 1441\nwhen = [{{ bulk = true }}]")), (8, 16), "between 1 and 1440"),
        (rule(&format!("{sound}footer = \" \"\nwhen = [{{ bulk = true }}]")), (8, 10), "between 1 and"),
        (rule(&format!("{sound}footer = \"a\\u0007\"\nwhen = [{{ bulk = true }}]")), (8, 10), "plain text"),
        (
            rule("id = \"a\"\naction = \"deliver\"\nbreach = true\njournal = true\nwhen = [{ bulk = true }]"),
            (5, 10),
            "no likely breach",
        ),
        (rule(&format!("{}when = [{{ bulk = true }}]", sound.replace("\"w\"", "\"{who}\""))), (6, 7), "{who}"),
        (
            rule(&format!("{sound}when = [{{ bulk = true }}]\n[[rule]]\n{sound}when = [{{ bulk = true }}]")),
            (10, 6),
            "a second time (first in line 3)",
        ),
    ];
    for (text, place, words) in cases {
        let errors = RulePack::parse(Path::new("p.toml"), text).expect_err(text).0;
        assert_eq!(errors[0].place, Some(*place), "{text}\n{errors:?}");
        assert!(errors[0].problem.contains(words), "{text}\n{errors:?}");
    }
}

/// Every embedded pack, printed merged and read again, is the same.
#[test]
fn what_is_printed_merged_reads_as_the_same_pack() {
    for (name, _) in EMBEDDED {
        let pack = RulePack::embedded(name).expect("sound");
        let printed = pack.to_toml().expect("it can be written");
        let again = RulePack::parse(Path::new("printed.toml"), &printed).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(again.to_toml().expect("it can be written"), printed, "{name}");
        let clauses = |pack: &RulePack| pack.rules.iter().map(|rule| rule.clauses.clone()).collect::<Vec<_>>();
        assert_eq!(clauses(&again), clauses(&pack), "{name}");
    }
}

/// A rule that stops nothing, over one of the same pack that stops: each with something to do.
const DUTIES: &str = r#"
name = "school"
extends = "core"

[[rule]]
id = "keep"
action = "deliver"
journal = true
retention_days = 30
exempt = true
when = [{ to = ["guardian"] }]

[[rule]]
id = "look-again"
action = "deliver"
wait_minutes = 2
footer = "Line one\nLine two"
when = [{ to = ["guardian", "external"] }]

[[rule]]
id = "pupil-images"
journal = true
wait_until_open = true

[[rule]]
id = "danger"
action = "deliver"
urgent = true
when = [{ marker = "urgent" }]
"#;

#[test]
fn what_is_done_with_mail_that_goes_is_read_laid_over_and_printed() {
    let pack = RulePack::parse(Path::new("school.toml"), DUTIES).expect("sound");
    let duty = |pack: &RulePack, id: &str| pack.rules.iter().find(|rule| rule.id == id).expect(id).duty.clone();
    let keep = Duty { journal: true, retention_days: Some(30), ..Duty::default() };
    let look = Duty { wait_minutes: Some(2), footer: Some("Line one\nLine two".to_owned()), ..Duty::default() };
    let images =
        Duty { journal: true, retention_days: Some(limits::JOURNAL_DAYS), wait_until_open: true, ..Duty::default() };
    let printed = RulePack::parse(Path::new("p.toml"), &pack.to_toml().expect("written")).expect("sound");
    for pack in [&pack, &printed] {
        assert_eq!(duty(pack, "keep"), keep);
        assert_eq!(duty(pack, "look-again"), look);
        assert_eq!(duty(pack, "pupil-images"), images);
        assert_eq!(duty(pack, "danger"), Duty { urgent: true, ..Duty::default() });
        assert!(duty(pack, "impersonation").is_empty());
    }
    // A third layer may add and prolong, and take nothing away.
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("school.toml"), DUTIES).expect("written");
    let over = |body: &str| format!("name = \"x\"\nextends = \"school.toml\"\n[[rule]]\nid = {body}");
    let parse = |text: &str| RulePack::parse(&directory.path().join("x.toml"), text);
    for (body, words) in [
        ("\"keep\"\njournal = false", "journal = false is milder"),
        ("\"look-again\"\nwait_minutes = 1", "wait_minutes = 1 is milder than 2"),
        ("\"look-again\"\nurgent = true", "urgent = true is milder than false"),
        ("\"pupil-images\"\nwait_until_open = false", "wait_until_open = false is milder"),
    ] {
        let errors = parse(&over(body)).expect_err(body).0;
        assert!(errors[0].problem.contains(words) && errors[0].place.is_some_and(|at| at.0 == 5), "{errors:?}");
    }
    let longer = parse(&over("\"look-again\"\nwait_minutes = 5")).expect("sound");
    assert_eq!(duty(&longer, "look-again"), Duty { wait_minutes: Some(5), ..look });
}

const TIGHTER: &str = r#"
name = "school"
policy = "A school's policy"
extends = "core"

[[clause]]
id = "S-1"
number = "4.1"
text = "Sensitive things go by the secure site."
rules = ["sensitive-unprotected"]
shown_by = ["s-1-breaks"]

[[rule]]
id = "sensitive-unprotected"
notify = ["head"]
when_also = [{ tier = ["sensitive"], to = ["trusted"] }]

[[rule]]
id = "direct-to-guardian"
action = "hold"
breach = false
approver = "head"
exempt = true
why = "It goes to {recipients}."
remedy = "Ask the office to send it."
when = [{ sender = ["individual"], to = ["guardian"] }]
"#;

#[test]
fn a_school_tightens_adds_and_speaks_in_its_own_words() {
    let pack = RulePack::parse(Path::new("school.toml"), TIGHTER).expect("sound");
    let core = RulePack::embedded("core").expect("sound");
    assert_eq!(pack.chain, ["core", "school"]);
    assert_eq!(pack.rules.len(), core.rules.len() + 1);
    let rule = |pack: &RulePack, id: &str| pack.rules.iter().find(|rule| rule.id == id).cloned().expect(id);
    let (own, below) = (rule(&pack, "sensitive-unprotected"), rule(&core, "sensitive-unprotected"));
    assert_eq!(own.clauses, ["4.1: Sensitive things go by the secure site."]);
    assert_eq!((own.action, own.breach, &own.why), (below.action, below.breach, &below.why));
    assert_eq!(own.when.len(), below.when.len() + 1);
    assert_eq!(own.notify, ["head"]);
    let direct = rule(&pack, "direct-to-guardian");
    assert_eq!((direct.notify.as_slice(), direct.approver.as_deref()), (&["head".to_owned()][..], Some("head")));
    let rows = crate::policy::coverage::coverage(&pack);
    assert_eq!(rows.len(), 1, "core's clauses are no school's");
    assert!(rows[0].state.is_kept());
}

#[test]
fn a_layer_is_refused_where_it_is_wrong_in_its_own_file() {
    let over = |body: &str| format!("name = \"x\"\nextends = \"core\"\n{body}");
    let rule = |body: &str| over(&format!("[[rule]]\nid = \"sensitive-unprotected\"\n{body}"));
    for (text, place, words) in [
        (over("").replace("core", "cor"), (2, 11), "no pack `cor`; embedded are: core"),
        (over("").replace("core", "no/such.toml"), (2, 11), "cannot be read"),
        (rule("action = \"warn\""), (5, 10), "milder than hold"),
        (rule("breach = false"), (5, 10), "breach = false is milder"),
        (rule("mode = \"observe\""), (5, 8), "mode = observe is milder than enforce"),
        (rule("confirm = \"sender\""), (5, 11), "confirm = sender is milder"),
        (rule("exempt = true"), (5, 10), "exempt = true is milder"),
        (rule("when = [{ bulk = true }]"), (5, 8), "`when_also` adds"),
        (rule("when_also = [{}]"), (5, 14), "every message"),
        (rule("when_also = [{ category = [\"helth\"] }]"), (5, 14), "no category `helth`"),
        (rule("when_also = [{ sender_role = [\"boss\"] }]"), (5, 14), "no role `boss`"),
        (rule("approver = \"it\""), (5, 12), "decides on nothing"),
        (rule("replace = true\naction = \"warn\""), (4, 6), "lacks breach, why, remedy, when"),
        (over("[[rule]]\nid = \"sensitive-unprotectd\"\naction = \"hold\""), (4, 6), "lacks breach, why, remedy, when"),
        (over("[[clause]]\nid = \"A\"\ntext = \"t\"\nrules = [\"no-such\"]"), (6, 10), "there is no rule `no-such`"),
        (over("[[clause]]\nid = \"A\"\ntext = \"t\"\nmachinery = [\"no\"]"), (6, 14), "there is no machinery `no`"),
        (over("[[route]]\nid = \"a\"\nnotify = []\nwhen = [{ bulk = true }]"), (4, 6), "tells nobody"),
        (over("[[route]]\nid = \"a\"\nnotify = [\"boss\"]\nwhen = [{ bulk = true }]"), (5, 11), "no role `boss`"),
    ] {
        let errors = RulePack::parse(Path::new("p.toml"), &text).expect_err(&text).0;
        assert_eq!(
            (errors[0].place, errors[0].file.as_path()),
            (Some(place), Path::new("p.toml")),
            "{text}\n{errors:?}"
        );
        assert!(errors[0].problem.contains(words), "{text}\n{errors:?}");
    }
}

#[test]
fn what_is_milder_on_purpose_is_written_whole() {
    let text = "name = \"x\"\nextends = \"core\"\n[[rule]]\nid = \"pupil-images\"\nreplace = true\naction = \"deliver\"\n\
                breach = false\nwhy = \"w\"\nremedy = \"r\"\nwhen = [{ photograph = true }]";
    let pack = RulePack::parse(Path::new("p.toml"), text).expect("sound");
    let rule = pack.rules.iter().find(|rule| rule.id == "pupil-images").expect("there");
    assert_eq!((rule.action, rule.when.len(), rule.clauses.len()), (Action::Deliver, 1, 0));
}

#[test]
fn a_pack_that_lies_on_itself_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("round.toml");
    std::fs::write(&file, "name = \"x\"\nextends = \"round.toml\"").expect("written");
    let errors = RulePack::load(&file).expect_err("round").0;
    assert_eq!(errors[0].place, Some((2, 11)));
    assert!(errors[0].problem.contains("lies on itself") || errors[0].problem.contains("lie on"), "{errors:?}");
}
