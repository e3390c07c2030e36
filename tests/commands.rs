//! The commands as a technician uses them: beside a running gateway, and alone.

mod support;

use std::process::{Command, Output};

use support::{Case, Gateway, PATIENCE, Sink, Taken, cases, id_of, relayed};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command that must succeed; what it printed.
fn ok(gateway: &Gateway, arguments: &[&str]) -> String {
    let output = gateway.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    text(&output)
}

fn json(gateway: &Gateway, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&ok(gateway, arguments)).unwrap_or_else(|e| panic!("{arguments:?}: {e}"))
}

fn held_case() -> Case {
    cases().into_iter().find(|c| c.action == "hold" && c.accept.is_empty()).expect("a message that is held")
}

/// Sends a message that is held; its queue id.
fn hold_one(gateway: &Gateway) -> (Case, String) {
    let case = held_case();
    let reply = gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in");
    (case, id_of(&reply))
}

fn from_the_sender<'t>(taken: &'t [Taken], case: &Case) -> Vec<&'t Taken> {
    taken.iter().filter(|t| t.from == case.mail_from).collect()
}

#[test]
fn a_released_message_leaves_once_as_it_came() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let (case, id) = hold_one(&gateway);
    assert!(ok(&gateway, &["quarantine", "list"]).contains(&id));
    let shown = ok(&gateway, &["quarantine", "show", &id]);
    assert!(shown.contains(&case.rules[0]), "{shown}");
    for arguments in [&["release", &id, "--who", "Sue"][..], &["release", &id, "--who", " ", "--why", "x"]] {
        let output = gateway.command(&[&["quarantine"], arguments].concat());
        assert!(!output.status.success(), "who and why are asked for: {}", text(&output));
    }
    let release = ["quarantine", "release", &id, "--who", "Sue Bell", "--why", "the address is right"];
    assert!(ok(&gateway, &release).contains("is released"));
    let again = ok(&gateway, &release);
    assert!(again.contains("nothing changed") && again.contains("Sue Bell"), "{again}");
    let taken = sink.wait("the released message", |taken| !from_the_sender(taken, &case).is_empty());
    assert_eq!(relayed(&from_the_sender(&taken, &case)[0].content), Some(&case.message()[..]));
    assert_eq!(from_the_sender(&sink.settled(), &case).len(), 1, "released once");
    let value = json(&gateway, &["queue", "show", &id, "--json"]);
    assert_eq!(value["state"], "delivered");
    let audit = value["audit"].to_string();
    assert!(audit.contains("released by Sue Bell (") && audit.contains("): the address is right"), "{audit}");
}

#[test]
fn what_was_found_is_shown_only_when_asked_and_the_look_is_recorded() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let (_, id) = hold_one(&gateway);
    let plain = json(&gateway, &["quarantine", "show", &id, "--json"]);
    assert_eq!(plain["report"]["findings"], serde_json::json!([]));
    let output = gateway.command(&["quarantine", "show", &id, "--findings"]);
    assert!(!output.status.success(), "{}", text(&output));
    let looked = ["quarantine", "show", &id, "--findings", "--who", "Sue Bell", "--why", "breach review", "--json"];
    let value = json(&gateway, &looked);
    assert!(value["report"]["findings"].as_array().is_some_and(|f| !f.is_empty()));
    let audit = value["audit"].to_string();
    assert!(audit.contains("viewed by Sue Bell (") && audit.contains("): breach review"), "{value}");
}

#[test]
fn the_message_is_opened_only_for_a_purpose_and_that_is_recorded() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let (_, id) = hold_one(&gateway);
    let by = ["--who", "Sue Bell", "--why", "a parent rang"];
    for refused in [vec!["--message"], vec!["--message", "--purpose", "curiosity"]] {
        let arguments = [&["quarantine", "show", &id][..], &refused, &by].concat();
        let output = gateway.command(&arguments);
        assert!(!output.status.success(), "{refused:?}: {}", text(&output));
        assert!(!text(&output).contains("body (body)"), "{}", text(&output));
    }
    let arguments = [&["quarantine", "show", &id, "--message", "--purpose", "facts"][..], &by].concat();
    let shown = ok(&gateway, &arguments);
    assert!(shown.contains("body (body)"), "{shown}");
    let audit = ok(&gateway, &["audit", "list", "--message", &id, "--event", "viewed", "--json"]);
    assert!(audit.contains("facts") && audit.contains("a parent rang"), "{audit}");
}

#[test]
fn a_held_message_is_returned_or_discarded_and_its_sender_told() {
    for (word, state, subject) in [("return", "returned", "NOT SENT"), ("discard", "discarded", "NOT SENT")] {
        let sink = Sink::start();
        let gateway = Gateway::started(sink.port);
        let (case, id) = hold_one(&gateway);
        let mut arguments = vec!["quarantine", word, &id, "--who", "Sue", "--why", "wrong parent"];
        if word == "return" {
            arguments.extend(["--note", "Please use the parent's own address."]);
        }
        ok(&gateway, &arguments);
        let notices = |taken: &[Taken]| {
            taken.iter().filter(|t| t.from.is_empty() && t.recipients.contains(&case.mail_from)).count()
        };
        // One says that it is held, the other what became of it.
        let taken = sink.wait("the second notice", |taken| notices(taken) == 2);
        let last = taken.iter().rfind(|t| t.recipients.contains(&case.mail_from)).expect("the notice");
        let told = support::header(&last.content, "Subject").unwrap_or_default();
        assert!(told.starts_with(subject), "{word}: {told}");
        assert_eq!(json(&gateway, &["queue", "show", &id, "--json"])["state"], state);
        assert!(from_the_sender(&sink.settled(), &case).is_empty(), "{word}: it never left");
    }
}

#[test]
fn a_waiting_queue_is_listed_retried_held_and_dropped() {
    let sink = Sink::start();
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    let mut gateway = Gateway::new(sink.port);
    gateway.set("queue", "retry_minutes", vec![30.0]);
    gateway.start(&[]);
    sink.answer_recipient(&case.rcpt[0], "450 4.2.1 come again later");
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(id_of(&gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in")));
    }
    let until = std::time::Instant::now() + PATIENCE;
    let tried = || {
        json(&gateway, &["queue", "list", "--json"])
            .as_array()
            .map_or(0, |rows| rows.iter().filter(|row| row["attempts"] == 1 && row["state"] == "queued").count())
    };
    while tried() < 3 {
        assert!(std::time::Instant::now() < until, "not tried\n{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let because = ["--who", "Kit", "--why", "sent in error"];
    ok(&gateway, &[&["queue", "hold", &ids[0]], &because[..]].concat());
    ok(&gateway, &[&["queue", "drop", &ids[1]], &because[..]].concat());
    sink.answer_recipient(&case.rcpt[0], "250 2.1.5 ok");
    ok(&gateway, &["queue", "retry", &ids[2]]);
    sink.wait("the retried message", |taken| from_the_sender(taken, &case).len() == 1);
    sink.settled();
    let state = |id: &str| json(&gateway, &["queue", "show", id, "--json"])["state"].clone();
    assert_eq!([state(&ids[0]), state(&ids[1]), state(&ids[2])], ["held", "discarded", "delivered"]);
    let neither = gateway.command(&["queue", "retry"]);
    assert!(!neither.status.success(), "{}", text(&neither));
    let output = gateway.command(&["queue", "show", "nosuchid"]);
    assert!(!output.status.success() && text(&output).contains("nosuchid"), "{}", text(&output));
}

#[test]
fn all_that_waits_for_a_dead_smarthost_is_tried_at_once_when_asked() {
    let port = support::free_port();
    let case = cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail");
    let mut gateway = Gateway::new(port);
    gateway.set("queue", "retry_minutes", vec![30.0]);
    gateway.start(&[]);
    for _ in 0..3 {
        id_of(&gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in"));
    }
    let until = std::time::Instant::now() + PATIENCE;
    while !gateway.log().contains("the smarthost cannot be used") {
        assert!(std::time::Instant::now() < until, "{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let sink = Sink::start_on(port);
    let output = gateway.command(&["queue", "retry", "--all", "--who", "Kit"]);
    assert!(output.status.success() && text(&output).contains("3 messages"), "{}", text(&output));
    sink.wait("all that waited", |taken| from_the_sender(taken, &case).len() == 3);
}

#[test]
fn check_prints_the_contract_and_its_status_is_the_action() {
    let gateway = Gateway::new(1);
    for case in cases().into_iter().filter(|c| c.accept.is_empty()) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), case.message()).expect("written");
        let mut arguments = vec!["check", "--mail-from", &case.mail_from, "--json"];
        case.rcpt.iter().for_each(|r| arguments.extend(["--rcpt", r]));
        let name = file.path().to_str().expect("UTF-8");
        arguments.push(name);
        let output = gateway.command(&arguments);
        let status = match case.action.as_str() {
            "deliver" => 0,
            "warn" => 10,
            "hold" => 20,
            _ => 30,
        };
        assert_eq!(output.status.code(), Some(status), "{}: {}", case.id, text(&output));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!(value["action"], case.action.as_str(), "{}", case.id);
        for key in ["breach", "notify", "rules", "recipients", "pupils", "findings", "markers", "unreadable"] {
            assert!(!value[key].is_null(), "{}: {key} is missing", case.id);
        }
    }
}

#[test]
fn a_message_cannot_reach_the_terminal() {
    let gateway = Gateway::new(1);
    let raw = "From: a@saltmere.example\r\nTo: x@y.example\r\nSubject: \x1b[2J\x1b]0;gone\x07\r\n\r\n\
        My password is \x1b[31mSpring2026!\x1b[0m and the alarm code is 4471\u{202e}\r\n";
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), raw).expect("written");
    let name = file.path().to_str().expect("UTF-8");
    for extra in [&["--explain"][..], &["--json"]] {
        let arguments =
            [&["check", "--mail-from", "a@saltmere.example", "--rcpt", "x@y.example", name], extra].concat();
        let printed = text(&gateway.command(&arguments));
        assert!(printed.contains("credentials-disclosed"), "{printed}");
        assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed:?}");
        assert!(!printed.contains('\u{202e}'));
    }
}

#[test]
fn replay_reads_a_folder_an_mbox_and_a_maildir_alike() {
    let gateway = Gateway::new(1);
    let dir = tempfile::tempdir().expect("a folder");
    let cases = cases();
    let mut mbox = Vec::new();
    for name in ["eml", "maildir/cur", "maildir/new"] {
        std::fs::create_dir_all(dir.path().join(name)).expect("a folder");
    }
    for case in &cases {
        let raw = case.message();
        std::fs::write(dir.path().join("eml").join(format!("{}.eml", case.id)), &raw).expect("written");
        std::fs::write(dir.path().join("maildir/cur").join(format!("{}:2,S", case.id)), &raw).expect("written");
        mbox.extend_from_slice(b"From sender@saltmere.example Sat Nov 21 10:00:00 2026\n");
        for line in raw.split_inclusive(|&b| b == b'\n') {
            if line.starts_with(b"From ") {
                mbox.push(b'>');
            }
            mbox.extend_from_slice(line);
        }
        mbox.extend_from_slice(b"\n");
    }
    std::fs::write(dir.path().join("sent.mbox"), mbox).expect("written");
    let actions = |name: &str| {
        let path = dir.path().join(name);
        let value = json(&gateway, &["replay", "--json", path.to_str().expect("UTF-8")]);
        assert_eq!(value["messages"], cases.len(), "{name}");
        value["actions"].clone()
    };
    let folder = actions("eml");
    assert!(folder["hold"].as_u64().is_some_and(|n| n > 5), "{folder}");
    assert_eq!(actions("maildir"), folder);
    assert_eq!(actions("sent.mbox"), folder);
}

#[test]
fn replay_refuses_what_is_no_mail_and_decides_the_rest() {
    let gateway = Gateway::new(1);
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    let replay = |arguments: &[&str], name: &str| {
        let output = gateway.command(&[&["replay"], arguments, &[path(name).to_str().expect("UTF-8")]].concat());
        (output.status.code(), text(&output))
    };
    for name in ["empty-folder", "mixed"] {
        std::fs::create_dir(path(name)).expect("a folder");
    }
    std::fs::write(path("empty-folder/notes.txt"), "Subject: no .eml").expect("written");
    std::fs::write(path("empty.mbox"), "").expect("written");
    std::fs::write(path("list.csv"), "id,name\n1,x\n").expect("written");
    std::fs::write(path("photo.eml"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").expect("written");
    for (name, words) in [
        ("empty-folder", "no .eml file"),
        ("empty.mbox", "the file is empty"),
        ("list.csv", "no header line"),
        ("photo.eml", "is no mail"),
        ("absent", "cannot be read"),
    ] {
        let (status, told) = replay(&[], name);
        assert_eq!(status, Some(1), "{name}: {told}");
        assert!(told.contains(name) && told.contains(words), "{name}: {told}");
    }

    let held = held_case();
    for name in ["2.eml", "10.eml"] {
        let envelope = format!("Return-Path: <{}>\r\nBcc: {}\r\n", held.mail_from, held.rcpt.join(", "));
        let raw = [envelope.as_bytes(), &held.message()].concat();
        std::fs::write(path("mixed").join(name), raw).expect("written");
    }
    std::fs::copy(path("photo.eml"), path("mixed/3.eml")).expect("copied");
    let subject = support::header(&held.message(), "Subject").expect("a subject");
    let (status, told) = replay(&["--list"], "mixed");
    assert_eq!(status, Some(10), "{told}");
    assert!(told.contains("3.eml: is no mail") && told.contains("2 decided"), "{told}");
    assert!(told.find("2.eml: hold") < told.find("10.eml: hold") && told.contains("2.eml: hold"), "{told}");
    assert!(!told.contains(&subject), "a pipe gets no subject: {told}");
    assert!(replay(&["--list", "--subjects"], "mixed").1.contains(&subject), "unless it is asked for");
    let program = env!("CARGO_BIN_EXE_schoolgate");
    let command = format!("{program} replay --list --config {} {}", gateway.config.display(), path("mixed").display());
    let shown = Command::new("script").args(["-qec", &command, "/dev/null"]).output().expect("script is there");
    assert!(text(&shown).contains(&subject), "{}", text(&shown));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let gateway = Gateway::new(1);
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).expect("written");
        dir.path().join(name).to_str().expect("UTF-8").to_owned()
    };
    let message = file("a.eml", "Subject: x\r\n\r\nHello\r\n");
    let list = file("list.csv", &"Amy,Oak\n".repeat(50_000));
    let case =
        r#"{"id":"1","file":"a.eml","mail_from":"office@saltmere.example","rcpt":["a@b.example"],"action":"deliver"}"#;
    let cases = file("cases.jsonl", case);
    let config = gateway.config.to_str().expect("UTF-8");
    for arguments in [
        &["extract", &message][..],
        &["extract", &list],
        &["extract", "--json", &list],
        &["check", "--config", config, "--mail-from", "a@saltmere.example", "--rcpt", "x@y.example", &message],
        &[
            "check",
            "--json",
            "--config",
            config,
            "--mail-from",
            "a@saltmere.example",
            "--rcpt",
            "x@y.example",
            &message,
        ],
        &["score", "--config", config, "--by-rule", "--by-tag", &cases],
        &["replay", "--config", config, dir.path().to_str().expect("UTF-8")],
        &["policy", "check", "--config", config],
        &["roster", "check", "--config", config],
        &["doctor", "--config", config],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_schoolgate"))
            .args(arguments)
            .stdout(writer)
            .stderr(std::process::Stdio::piped())
            .output()
            .expect("the program starts");
        assert_eq!(program.status.code(), Some(0), "{arguments:?}: {program:?}");
        assert!(program.stderr.is_empty(), "{arguments:?}: {program:?}");
    }
}

/// The message of a case without the tags asked for need not even be there.
#[test]
fn score_decides_only_the_cases_with_the_tags_asked_for() {
    let gateway = Gateway::new(1);
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("a.eml"), "Subject: x\r\n\r\nHello\r\n").expect("written");
    let case = |id: &str, file: &str, tag: &str| {
        format!(
            r#"{{"id":"{id}","file":"{file}","mail_from":"office@saltmere.example","rcpt":["a@b.example"],"action":"deliver","tags":["{tag}"]}}"#
        )
    };
    let cases = dir.path().join("cases.jsonl");
    std::fs::write(&cases, [case("1", "a.eml", "here"), case("2", "gone.eml", "away")].join("\n")).expect("written");
    for (tags, status, told) in [
        (&["--tag", "here"][..], Some(0), r#""cases": 1"#),
        (&["--tag", "-away"], Some(0), r#""cases": 1"#),
        (&[], Some(10), "gone.eml"),
        (&["--tag", "here", "--tag", "away"], Some(1), "no case has these tags"),
    ] {
        let output = gateway.command(&[&["score", "--json"], tags, &[cases.to_str().expect("UTF-8")]].concat());
        assert_eq!(output.status.code(), status, "{tags:?}: {}", text(&output));
        assert!(text(&output).contains(told), "{tags:?}: {}", text(&output));
    }
}

#[test]
fn score_names_every_line_that_is_no_label() {
    let gateway = Gateway::new(1);
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("a.eml"), "Subject: x\r\n\r\nHello\r\n").expect("written");
    std::fs::write(dir.path().join("b.eml"), "no mail at all\n").expect("written");
    let good =
        r#"{"id":"1","file":"a.eml","mail_from":"office@saltmere.example","rcpt":["a@b.example"],"action":"deliver"}"#;
    let lines = [
        (good.to_owned(), ""),
        (good.replace(r#""id":"1","#, ""), "id"),
        (good.replace(r#""file":"a.eml","#, ""), "file"),
        (good.replace(r#""mail_from":"office@saltmere.example","#, ""), "mail_from"),
        (good.replace(r#""rcpt":["a@b.example"],"#, ""), "rcpt"),
        (good.replace(r#","action":"deliver""#, ""), "action"),
        (good.replace("deliver", "explode"), "explode"),
        (good.replace(r#""id""#, r#""rules":["no-such-rule"],"id""#), "no-such-rule"),
        (good.replace("a.eml", "absent.eml"), "absent.eml: cannot be read"),
        (good.replace("a.eml", "b.eml"), "b.eml: is no mail"),
        ("Dear all".to_owned(), "no labelled case"),
    ];
    let cases = dir.path().join("cases.jsonl");
    std::fs::write(&cases, lines.iter().map(|(line, _)| line.clone() + "\n").collect::<String>()).expect("written");
    let name = cases.to_str().expect("UTF-8");
    let output = gateway.command(&["score", name]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(10), "{told}");
    for (at, (_, words)) in lines.iter().enumerate().skip(1) {
        let line = told.lines().find(|line| line.contains(&format!("cases.jsonl:{}: ", at + 1)));
        assert!(line.is_some_and(|line| line.contains(words)), "{words}: {told}");
    }
    assert!(told.contains("1 of 1"), "what can be read is scored: {told}");
    for nothing in ["", "Dear all\n"] {
        std::fs::write(&cases, nothing).expect("written");
        let output = gateway.command(&["score", name]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    }
}

#[test]
fn replay_shows_what_another_pack_would_change() {
    let gateway = Gateway::new(1);
    let dir = tempfile::tempdir().expect("a folder");
    let core = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/core.toml")).expect("the pack");
    let milder = dir.path().join("milder.toml");
    std::fs::write(&milder, core.replace("action = \"hold\"", "action = \"warn\"")).expect("written");
    let messages = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/school/messages");
    let value = json(&gateway, &["replay", "--json", "--against", milder.to_str().expect("UTF-8"), messages]);
    let changed = value["changes"]["hold -> warn"].as_u64();
    assert_eq!(changed, value["actions"]["hold"].as_u64(), "{value}");
    assert!(changed.is_some_and(|n| n > 5), "{value}");
}

#[test]
fn doctor_says_what_keeps_the_gateway_from_working() {
    let sink = Sink::start();
    let gateway = Gateway::new(sink.port);
    let told = ok(&gateway, &["doctor"]);
    for words in ["configuration", "roster", "key", "store", "smarthost", "clear text", "The gateway can work."] {
        assert!(told.contains(words), "{words} is missing:\n{told}");
    }
    gateway.set("smarthost", "tls", "required");
    gateway.set("store", "key_file", "nowhere.key");
    let output = gateway.command(&["doctor"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for words in ["nowhere.key", "no mail would leave", "2 to put right"] {
        assert!(text(&output).contains(words), "{words} is missing:\n{}", text(&output));
    }
}

#[test]
fn demo_shows_mail_delivered_returned_held_and_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_schoolgate"))
        .args(["demo", "--once", "--listen", "127.0.0.1:0"])
        .output()
        .expect("the program starts");
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    for words in [
        "DELIVERED",
        "returned to the sender",
        "held for the School Business Manager",
        "REFUSED",
        "YOUR MESSAGE WAS NOT SENT",
    ] {
        assert!(told.contains(words), "{words} is missing:\n{told}");
    }
}

#[test]
fn demo_tells_what_becomes_of_the_visitors_own_mail() {
    let out = tempfile::NamedTempFile::new().expect("a file");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_schoolgate"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .stdout(out.reopen().expect("the file again"))
        .spawn()
        .expect("the program starts");
    let told = || std::fs::read_to_string(out.path()).expect("what it printed");
    let wait = |words: &str| {
        let until = std::time::Instant::now() + PATIENCE;
        while !told().contains(words) {
            assert!(std::time::Instant::now() < until, "{words} does not come:\n{}", told());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    wait("Ctrl-C ends it");
    let printed = told();
    let printed = printed.split_once("Now a message of your own").expect("the invitation").1;
    let after = |words: &str| {
        let rest = printed.split_once(words).unwrap_or_else(|| panic!("{words}:\n{printed}")).1;
        rest.split_whitespace().next().expect("a word").trim_end_matches(',').to_owned()
    };
    let config = after("quarantine list --config ");
    let port: u16 = after("port ").trim_end_matches('.').parse().expect("a port");
    let (private, from) = (after("a private mailbox "), after("--from "));
    let pupils = printed.lines().find_map(|line| line.trim().strip_prefix("pupils  ")).expect("pupils").trim();
    let pupil = pupils.split(", ").nth(1).expect("a pupil").to_owned();

    let send = |to: &str, body: &str| {
        let mut client = support::Client::connect(port).expect("it greets");
        client.hello().expect("EHLO");
        let raw = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: Today\r\n\r\n{body}\r\n");
        client.send(&from, &[to.to_owned()], raw.as_bytes()).expect("an answer")
    };
    let clean = id_of(&send(&after("a guardian "), "The trip leaves at nine."));
    wait(&format!("{clean}: {from}"));
    wait(&format!("mail from {from} to {}: Today", after("a guardian ")));
    let held = id_of(&send(&private, &format!("{pupil} was upset today; her social worker rang.")));
    wait(&format!("{held}: {from} -> {private}\n    NOT SENT, held"));

    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_schoolgate"));
        command.args(arguments).args(["--config", &config]).output().expect("the program starts")
    };
    let list = command(&["quarantine", "list"]);
    assert!(list.status.success() && text(&list).contains(&held), "{}", text(&list));
    let release = command(&["quarantine", "release", &held, "--who", "A visitor", "--why", "a trial"]);
    assert!(release.status.success() && text(&release).contains("is released"), "{}", text(&release));
    wait(&format!("{held}: was held, now "));
    wait(&format!("mail from {from} to {private}: Today"));

    // What is refused at the door is told too.
    let refused = cases().into_iter().find(|case| case.action == "reject").expect("a message that is refused");
    let mut client = support::Client::connect(port).expect("it greets");
    client.hello().expect("EHLO");
    let reply = client.send(&refused.mail_from, &refused.rcpt, &refused.message()).expect("an answer");
    assert_eq!(reply.code, 550, "{}", reply.text());
    wait(": REFUSED; your mail program says why");

    let taken = Command::new(env!("CARGO_BIN_EXE_schoolgate"))
        .args(["demo", "--once", "--listen", &format!("127.0.0.1:{port}")])
        .output()
        .expect("the program starts");
    assert!(!taken.status.success() && text(&taken).contains("--listen"), "{}", text(&taken));

    let id = demo.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill is there").success());
    assert!(demo.wait().expect("its end").success());
    assert!(!std::path::Path::new(&config).exists(), "what it kept goes with it");
}

#[test]
fn a_second_gateway_on_the_same_store_is_refused() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let output = Command::new(env!("CARGO_BIN_EXE_schoolgate"))
        .args(["serve", "--config"])
        .arg(&gateway.config)
        .output()
        .expect("the program starts");
    assert!(!output.status.success());
    assert!(text(&output).contains("in use"), "{}", text(&output));
}

#[test]
fn hang_up_reads_rules_and_roster_anew_and_keeps_the_old_ones_where_the_new_are_bad() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let (case, _) = hold_one(&gateway);
    let log_says = |words: &str| {
        let until = std::time::Instant::now() + PATIENCE;
        while !gateway.log().contains(words) {
            assert!(std::time::Instant::now() < until, "{words}\n{}", gateway.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    gateway.set("policy", "bulk_pupils", -1);
    gateway.signal("-HUP");
    log_says("nothing was reloaded");
    gateway.set("policy", "bulk_pupils", 10);
    let modes: toml::Table = case.rules.iter().map(|id| (id.clone(), "observe".into())).collect();
    gateway.set("policy", "modes", modes);
    gateway.signal("-HUP");
    log_says("event=\"reloaded\"");
    gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in");
    sink.wait("the message that is only observed now", |taken| !from_the_sender(taken, &case).is_empty());
}

#[test]
fn every_command_finds_its_configuration_without_being_told() {
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_schoolgate"));
        command.env_remove("SCHOOLGATE_CONFIG");
        command
    };
    for command in [
        "serve",
        "doctor",
        "check",
        "score",
        "replay",
        "roster check",
        "roster import",
        "queue list",
        "queue show",
        "queue retry",
        "queue hold",
        "queue drop",
        "quarantine list",
        "quarantine show",
        "quarantine release",
        "quarantine return",
        "quarantine discard",
        "audit verify",
        "audit list",
        "audit export",
    ] {
        let help = text(&program().args(command.split(' ')).arg("--help").output().expect("the program starts"));
        for words in ["SCHOOLGATE_CONFIG", "/etc/schoolgate/schoolgate.toml"] {
            assert!(help.contains(words), "{command}: {words} is missing:\n{help}");
        }
    }
    let gateway = Gateway::new(1);
    let check = |file: &std::path::Path| {
        program().args(["roster", "check"]).env("SCHOOLGATE_CONFIG", file).output().expect("the program starts")
    };
    assert!(text(&check(&gateway.config)).contains("Saltmere Primary School"), "{}", text(&check(&gateway.config)));
    let missing = check(std::path::Path::new("/nowhere/schoolgate.toml"));
    assert!(!missing.status.success());
    for words in ["/nowhere/schoolgate.toml", "--config", "SCHOOLGATE_CONFIG", "/etc/schoolgate/schoolgate.toml"] {
        assert!(text(&missing).contains(words), "{words} is missing: {}", text(&missing));
    }
}
