//! One writer: commands beside the running gateway and without it, as root, as its own user and as a stranger.

#[path = "control/kept.rs"]
mod kept;
mod support;

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::compose;
use support::{Case, Gateway, PATIENCE, Sink, Taken, cases, header, id_of, installed};

const SERVICE: u32 = 64_999;
const STRANGER: u32 = 64_998;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn ok(gateway: &Gateway, user: Option<u32>, arguments: &[&str]) -> String {
    let output = gateway.command_as(user, arguments);
    assert!(output.status.success(), "{arguments:?} as {user:?}: {}", text(&output));
    text(&output)
}

fn refused(gateway: &Gateway, user: Option<u32>, arguments: &[&str]) -> String {
    let output = gateway.command_as(user, arguments);
    assert!(!output.status.success(), "{arguments:?} as {user:?}: {}", text(&output));
    text(&output)
}

/// Whether users can be changed to; says so where not.
fn may_be_others() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    if !root || installed("setpriv").is_none() {
        println!("skipped: only root runs programs as other users, with setpriv (util-linux)");
        return false;
    }
    true
}

fn held_case() -> Case {
    cases().into_iter().find(|c| c.action == "hold" && c.accept.is_empty()).expect("a message that is held")
}

fn hold_one(gateway: &Gateway) -> String {
    let case = held_case();
    id_of(&gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("taken in"))
}

/// Notices to the sender of the held message whose Subject begins like this.
fn told(taken: &[Taken], subject: &str) -> usize {
    let to = held_case().mail_from;
    let its = |t: &&Taken| t.from.is_empty() && t.recipients.contains(&to);
    let says = |t: &&Taken| header(&t.content, "Subject").is_some_and(|s| s.starts_with(subject));
    taken.iter().filter(its).filter(says).count()
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("the store") {
        let path = entry.expect("an entry").path();
        found.push(path.clone());
        if path.is_dir() {
            files(&path, found);
        }
    }
}

/// Everything in the store is the service's.
fn all_belongs_to(gateway: &Gateway, user: u32, when: &str) {
    let mut found = vec![gateway.store()];
    files(&gateway.store(), &mut found);
    for file in found {
        // What SQLite has just removed is nobody's.
        let Ok(about) = std::fs::symlink_metadata(&file) else { continue };
        assert_eq!((about.uid(), about.gid()), (user, user), "{when}: {}", file.display());
    }
}

fn state(gateway: &Gateway, id: &str) -> String {
    let shown: serde_json::Value =
        serde_json::from_str(&ok(gateway, None, &["queue", "show", id, "--json"])).expect("JSON");
    shown["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn root_and_the_service_decide_beside_the_gateway_and_a_stranger_does_not() {
    if !may_be_others() {
        return;
    }
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("directory", "imported", true);
    gateway.belongs_to(SERVICE);
    gateway.start(&[]);
    let socket = std::fs::symlink_metadata(gateway.store().join("control.sock")).expect("the socket");
    assert!(socket.file_type().is_socket() && socket.permissions().mode() & 0o777 == 0o600);
    let format = |name: &str| format!("{}/fixtures/roster-formats/{name}", env!("CARGO_MANIFEST_DIR"));
    // All before the first import: with another roster they would not be held.
    let mut held: Vec<String> = (0..5).map(|_| hold_one(&gateway)).collect();
    let people = [(None, "(root)", "plain/pupils.csv"), (Some(SERVICE), "(uid 64999)", "bromcom.csv")];
    for (returned, (user, name, roster)) in (1..).zip(people) {
        let (back, go) = (held.remove(0), held.remove(0));
        let because = ["--who", "Jane Doe", "--why", "looked at"];
        assert!(ok(&gateway, user, &["quarantine", "list"]).contains(&back));
        assert!(ok(&gateway, user, &["queue", "list", "--state", "held"]).contains(&go));
        ok(&gateway, user, &[&["quarantine", "return", &back], &because[..]].concat());
        ok(&gateway, user, &[&["quarantine", "release", &go], &because[..]].concat());
        sink.wait("the notice of the return", |taken| told(taken, "NOT SENT: sent back") == returned);
        sink.wait("the notice of the release", |taken| told(taken, "RELEASED") == returned);
        let shown = ok(&gateway, user, &["quarantine", "show", &back]);
        assert!(shown.contains(&format!("returned by Jane Doe {name}: looked at")), "{shown}");
        let before = gateway.log().matches("rules and roster").count();
        assert!(ok_or_faults(&gateway, user, &["roster", "import", "--force", &format(roster)]).contains("stored:"));
        let until = std::time::Instant::now() + PATIENCE / 3;
        while gateway.log().matches("rules and roster").count() == before {
            assert!(std::time::Instant::now() < until, "the new roster is taken at once\n{}", gateway.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        all_belongs_to(&gateway, SERVICE, name);
    }
    let id = held.remove(0);
    for arguments in [
        &["quarantine", "list"][..],
        &["queue", "show", &id],
        &["quarantine", "release", &id, "--who", "Eve", "--why", "x"],
        &["roster", "import", "--force", &format("bromcom.csv")],
    ] {
        let said = refused(&gateway, Some(STRANGER), arguments);
        assert!(said.contains("run this as root or as"), "{said}");
    }
    assert_eq!(state(&gateway, &id), "held");
}

/// An import may find rows that cannot be used, which its status tells.
fn ok_or_faults(gateway: &Gateway, user: Option<u32>, arguments: &[&str]) -> String {
    let output = gateway.command_as(user, arguments);
    assert!(matches!(output.status.code(), Some(0 | 10)), "{arguments:?} as {user:?}: {}", text(&output));
    text(&output)
}

#[test]
fn what_root_does_while_no_gateway_runs_can_be_used_by_the_service() {
    if !may_be_others() {
        return;
    }
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.belongs_to(SERVICE);
    for user in [None, Some(SERVICE)] {
        let said = refused(&gateway, user, &["quarantine", "list"]);
        assert!(said.contains("there is no store yet at") && said.contains("start the gateway first"), "{said}");
    }
    assert!(!gateway.store().exists(), "a command makes no store");
    gateway.start(&[]);
    let id = hold_one(&gateway);
    sink.wait("the notices", |taken| told(taken, "HELD") == 1);
    assert!(gateway.terminate().success());
    assert!(!gateway.store().join("control.sock").exists(), "it goes with the gateway");
    let said = refused(&gateway, Some(STRANGER), &["quarantine", "list"]);
    assert!(said.contains("run this as root or as the user with id 64999"), "{said}");
    let because = ["--who", "Jane Doe", "--why", "looked at"];
    assert!(ok(&gateway, None, &["quarantine", "list"]).contains(&id));
    ok(&gateway, None, &[&["quarantine", "return", &id], &because[..]].concat());
    let source = format!("{}/fixtures/roster-formats/bromcom.csv", env!("CARGO_MANIFEST_DIR"));
    assert!(ok_or_faults(&gateway, None, &["roster", "import", "--force", &source]).contains("stored:"));
    all_belongs_to(&gateway, SERVICE, "after root's commands");
    gateway.start(&[]);
    sink.wait("the notice of the return", |taken| told(taken, "NOT SENT: sent back") == 1);
    assert!(!gateway.log().contains("set aside"), "{}", gateway.log());
    assert_eq!(state(&gateway, &id), "returned");
}

/// Starts two deciders together; what each said.
fn two_at_once(gateway: &Gateway, arguments: [&[&str]; 2]) -> [String; 2] {
    let children = arguments.map(|arguments| {
        Command::new(env!("CARGO_BIN_EXE_schoolgate"))
            .args(arguments)
            .arg("--config")
            .arg(&gateway.config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    });
    children.map(|child| {
        let output = child.wait_with_output().expect("its output");
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    })
}

/// Relay checklist, row 134.
#[test]
fn of_two_who_decide_at_once_one_is_first() {
    let sink = Sink::start();
    let mut gateway = Gateway::started(sink.port);
    // Beside the gateway, and without it.
    for (round, runs) in [true, true, true, true, false, false].into_iter().enumerate() {
        let id = hold_one(&gateway);
        if !runs {
            assert!(gateway.terminate().success());
        }
        let others = [["quarantine", "discard"], ["quarantine", "return"], ["queue", "drop"]];
        let other = others[round % others.len()];
        let said = two_at_once(
            &gateway,
            [
                &["quarantine", "release", &id, "--who", "Ann", "--why", "right"],
                &[other[0], other[1], &id, "--who", "Bob", "--why", "wrong"],
            ],
        );
        let late: Vec<&String> = said.iter().filter(|s| s.contains("nothing changed")).collect();
        let [late] = late.as_slice() else { panic!("one of the two is late: {said:?}") };
        let first = if said[0] == **late { "by Bob" } else { "released by Ann" };
        assert!(late.contains(first), "{said:?}");
        if !runs {
            gateway.start(&[]);
        }
        let shown = ok(&gateway, None, &["queue", "show", &id]);
        assert_eq!(
            ["released by", "discarded by", "returned by"].map(|e| shown.matches(e).count()).iter().sum::<usize>(),
            1
        );
        if first == "by Bob" {
            assert!(["returned", "discarded"].contains(&state(&gateway, &id).as_str()));
        }
    }
}

#[test]
fn a_release_stands_while_the_message_waits() {
    let sink = Sink::start();
    let case = held_case();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("queue", "retry_minutes", vec![30.0]);
    gateway.start(&[]);
    for to in &case.rcpt {
        sink.answer_recipient(to, "450 4.2.1 come again later");
    }
    let id = hold_one(&gateway);
    let because = ["--who", "Bob", "--why", "changed my mind"];
    ok(&gateway, None, &["quarantine", "release", &id, "--who", "Ann", "--why", "right"]);
    for command in [["quarantine", "discard"], ["quarantine", "return"], ["queue", "drop"], ["queue", "hold"]] {
        let said = ok(&gateway, None, &[&command[..], &[&id], &because[..]].concat());
        assert!(said.contains("nothing changed") && said.contains("released by Ann"), "{command:?}: {said}");
    }
    assert_eq!(state(&gateway, &id), "queued");
    sink.wait("the notice of the release", |taken| told(taken, "RELEASED") == 1);
    assert_eq!(told(&sink.settled(), "RELEASED"), 1);
}

#[test]
fn a_socket_left_behind_is_replaced_and_a_silent_gateway_is_told_apart() {
    let sink = Sink::start();
    let mut gateway = Gateway::started(sink.port);
    let id = hold_one(&gateway);
    gateway.kill();
    assert!(gateway.store().join("control.sock").exists(), "left by the kill");
    assert!(ok(&gateway, None, &["quarantine", "list"]).contains(&id), "nobody answers there: alone");
    gateway.start(&[]);
    assert!(ok(&gateway, None, &["quarantine", "list"]).contains(&id));
    // The lock is held and the socket is gone: nothing is opened.
    std::fs::remove_file(gateway.store().join("control.sock")).expect("removed");
    let said = refused(&gateway, None, &["quarantine", "list"]);
    assert!(said.contains("in use by another schoolgate") && said.contains("nothing was done"), "{said}");
}

#[test]
fn a_store_far_down_has_its_socket() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let far = format!("{}/store", ["a-directory-with-quite-a-long-name"; 6].join("/"));
    gateway.set("store", "path", far);
    gateway.start(&[]);
    let id = hold_one(&gateway);
    assert!(ok(&gateway, None, &["quarantine", "list"]).contains(&id));
    ok(&gateway, None, &["quarantine", "release", &id, "--who", "Ann", "--why", "right"]);
    assert!(gateway.terminate().success());
}

#[test]
fn nonsense_on_the_socket_costs_its_own_connection() {
    use std::io::{Read, Write};
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let frame = |text: &str| [&(text.len() as u64).to_be_bytes()[..], text.as_bytes()].concat();
    for (sent, said) in [
        (frame("{}"), "cannot be read"),
        (frame("not json"), "cannot be read"),
        (u64::MAX.to_be_bytes().to_vec(), "are the most"),
        (frame("{\"version\": 99, \"request\": {\"new\": 1}}"), "version 99"),
        (frame("{\"version\": 2, \"request\": {\"burn\": []}}"), "burn"),
        (Vec::new(), ""),
    ] {
        let mut stream =
            std::os::unix::net::UnixStream::connect(gateway.store().join("control.sock")).expect("it listens");
        stream.write_all(&sent).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("closed");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer, or none");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains(said), "{said}: {answer}");
    }
    ok(&gateway, None, &["quarantine", "list"]);
}

#[test]
fn the_audit_is_verified_listed_and_given_away() {
    let sink = Sink::start();
    let mut gateway = Gateway::started(sink.port);
    let id = hold_one(&gateway);
    ok(&gateway, None, &["quarantine", "release", &id, "--who", "Ann", "--why", "right"]);
    sink.wait("the released message", |taken| taken.iter().any(|t| t.from == held_case().mail_from));
    sink.settled();
    for runs in [true, false] {
        if !runs {
            assert!(gateway.terminate().success());
        }
        assert!(ok(&gateway, None, &["audit", "verify"]).contains("the audit holds"));
        assert!(ok(&gateway, None, &["doctor"]).contains("it holds"));
        let lines = |arguments: &[&str]| -> Vec<serde_json::Value> {
            let told = ok(&gateway, None, &[&["audit", "list", "--json"], arguments].concat());
            serde_json::from_str(&told).expect("a list")
        };
        let seqs = |lines: &[serde_json::Value]| lines.iter().map(|l| l["seq"].as_i64()).collect::<Vec<_>>();
        let all = lines(&[]);
        assert!(all.len() > 5 && seqs(&all).is_sorted());
        for (arguments, count) in [
            (&["--message", &id, "--event", "released"][..], 1),
            (&["--who", "ann"], 1),
            (&["--who", "nobody"], 0),
            (&["--since", "2999-01-01"], 0),
            (&["--until", "2999-01-01", "--since", "2020-01-01T00:00:00Z"], all.len()),
            (&["--until", "2020-01-01"], 0),
        ] {
            assert_eq!(lines(arguments).len(), count, "{arguments:?}");
        }
        assert!(refused(&gateway, None, &["audit", "list", "--since", "lately"]).contains("2026-11-21"));
        let file = gateway.config.with_file_name(format!("audit-{runs}.jsonl"));
        let name = file.to_str().expect("UTF-8");
        ok(&gateway, None, &["audit", "export", "--output", name]);
        assert_eq!(std::fs::metadata(&file).expect("the export").permissions().mode() & 0o777, 0o600);
        refused(&gateway, None, &["audit", "export", "--output", name]);
        let exported = std::fs::read_to_string(&file).expect("the export");
        assert_eq!(exported, ok(&gateway, None, &["audit", "export"]));
        assert_eq!(exported.lines().count(), all.len());
        verify_as_a_stranger(&exported);
    }
}

/// By what the documentation says alone.
fn verify_as_a_stranger(exported: &str) {
    use sha2::Digest;
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut prev = vec![0u8; 32];
    for line in exported.lines() {
        let l: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = serde_json::json!([l["seq"], l["at"], l["message"], l["event"], l["who"], l["detail"]]).to_string();
        assert_eq!(l["prev"], hex(&prev));
        prev = sha2::Sha256::digest([&prev[..], text.as_bytes()].concat()).to_vec();
        assert_eq!(l["hash"], hex(&prev), "{line}");
    }
}

#[test]
fn an_audit_that_was_changed_is_told_and_mail_goes_on() {
    let sink = Sink::start();
    let mut gateway = Gateway::started(sink.port);
    hold_one(&gateway);
    sink.wait("the notice", |taken| told(taken, "HELD") == 1);
    assert!(gateway.terminate().success());
    let database = gateway.store().join("queue.db");
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        use sqlx::Connection;
        let url = format!("sqlite://{}", database.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("the database");
        for statement in ["drop trigger audit_is_true", "update audit set who = 'nobody' where seq = 1"] {
            sqlx::query(statement).execute(&mut connection).await.expect(statement);
        }
        connection.close().await.expect("closed");
    });
    gateway.start(&[]);
    let until = std::time::Instant::now() + PATIENCE;
    while !gateway.log().contains("line 1: it was changed") {
        assert!(std::time::Instant::now() < until, "{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(gateway.log().lines().any(|l| l.contains("ERROR") && l.contains("audit_is_true")), "{}", gateway.log());
    let output = gateway.command(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    for words in ["`audit_is_true`, which protects the store, is missing", "line 1: it was changed", "2 faults"] {
        assert!(text(&output).contains(words), "{words}: {}", text(&output));
    }
    assert_eq!(gateway.command(&["doctor"]).status.code(), Some(1));
    hold_one(&gateway);
    sink.wait("mail goes on", |taken| told(taken, "HELD") == 2);
}

#[test]
#[ignore = "started by the test below, as another user"]
fn child_that_asks_the_socket() {
    use std::io::{Read, Write};
    let Some(socket) = std::env::var_os("SCHOOLGATE_TEST_SOCKET") else { return };
    let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("it was opened to everybody");
    let request = r#"{"version": 2, "request": {"list": [{"state": "held", "class": null, "damaged": false}]}}"#;
    // It may have hung up before it was asked.
    let _ = stream.write_all(&[&(request.len() as u64).to_be_bytes()[..], request.as_bytes()].concat());
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    println!("\nanswered {}", String::from_utf8_lossy(&answer[8..]));
}

#[test]
fn a_stranger_is_not_answered_even_where_the_socket_lies_open() {
    if !may_be_others() {
        return;
    }
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.belongs_to(SERVICE);
    gateway.start(&[]);
    let id = hold_one(&gateway);
    let socket = gateway.store().join("control.sock");
    for (file, mode) in [(gateway.store(), 0o755), (socket.clone(), 0o666)] {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).expect("its mode");
    }
    for (user, known) in [(SERVICE, true), (0, true), (STRANGER, false)] {
        let output = Command::new("setpriv")
            .args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"])
            .arg(std::env::current_exe().expect("this program"))
            .args(["--exact", "child_that_asks_the_socket", "--ignored", "--nocapture"])
            .env("SCHOOLGATE_TEST_SOCKET", &socket)
            .output()
            .expect("it starts");
        let said = text(&output);
        assert!(said.contains("answered {"), "{user}: {said}");
        assert_eq!(said.contains(&id), known, "{user}: {said}");
        assert_eq!(said.contains("only root and the gateway's own user"), !known, "{user}: {said}");
    }
}

/// The token of the link that a command printed.
fn token_in(said: &str) -> String {
    let (_, token) = said.split_once("/sign-up/").unwrap_or_else(|| panic!("a link: {said}"));
    token.trim().to_owned()
}

#[test]
fn accounts_are_managed_beside_the_gateway_and_without_it_and_a_link_is_shown_once() {
    let sink = Sink::start();
    let mut gateway = Gateway::started(sink.port);
    let add = |name: &'static str| {
        let address = if name == "jane" { "jane@school.example" } else { "joe@school.example" };
        vec!["user", "add", name, "--address", address, "--role", "sbm,head", "--who", "Sue Okoro"]
    };
    let mut tokens = vec![token_in(&ok(&gateway, None, &add("jane")))];
    assert!(refused(&gateway, None, &add("jane")).contains("there is an account with the name jane already"));
    tokens.push(token_in(&ok(&gateway, None, &["user", "reset", "Jane"])));
    let last = refused(&gateway, None, &["user", "disable", "jane"]);
    assert!(last.contains("last account in use") && last.contains("--last-sbm"), "{last}");
    ok(&gateway, None, &["user", "disable", "jane", "--last-sbm"]);
    assert!(ok(&gateway, None, &["user", "disable", "jane"]).contains("nothing changed"));
    refused(&gateway, None, &["user", "role", "nobody", "--role", "it"]);
    refused(&gateway, None, &["user", "role", "jane", "--role", "king"]);
    refused(&gateway, None, &["user", "enable", "jane", "--who", " "]);
    refused(&gateway, None, &["user", "add", "x", "--address", "no address", "--role", "it"]);
    assert!(gateway.terminate().success());

    tokens.push(token_in(&ok(&gateway, None, &add("joe"))));
    ok(&gateway, None, &["user", "enable", "jane"]);
    ok(&gateway, None, &["user", "role", "jane", "--role", "dsl, it"]);
    let list: serde_json::Value = serde_json::from_str(&ok(&gateway, None, &["user", "list", "--json"])).expect("JSON");
    let told: Vec<_> = list.as_array().expect("a list").iter().map(|a| (&a["name"], &a["roles"])).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].0.as_str(), told[0].1.to_string()), (Some("jane"), r#"["dsl","it"]"#.to_owned()));
    let audit = ok(&gateway, None, &["audit", "list", "--json"]);
    assert!(audit.contains("Sue Okoro (") && audit.contains("command line ("), "{audit}");
    ok(&gateway, None, &["audit", "verify"]);

    // Told once: in nothing that is kept.
    assert!(tokens.iter().all(|token| token.len() == 43), "{tokens:?}");
    let mut kept = Vec::new();
    files(&gateway.store(), &mut kept);
    let kept: Vec<_> = kept.iter().filter_map(|file| std::fs::read(file).ok()).collect();
    assert!(kept.iter().any(|bytes| bytes.windows(11).any(|w| w == b"joe@school.")), "the accounts are there in clear");
    for token in &tokens {
        let holds = |bytes: &[u8]| bytes.windows(token.len()).any(|w| w == token.as_bytes());
        assert!(!holds(gateway.log().as_bytes()) && !audit.contains(token.as_str()) && !kept.iter().any(|k| holds(k)));
    }
}

#[test]
fn senders_are_managed_beside_the_gateway_and_without_it_and_a_password_is_shown_once() {
    let sink = Sink::start();
    let mut gateway = Gateway::started(sink.port);
    let password_in = |said: &str| said.trim().rsplit('\n').next().expect("a last line").to_owned();
    let add = ["sender", "add", "Copier", "--send-as", "office@saltmere.example", "--who", "Sue Okoro"];
    let mut told = vec![password_in(&ok(&gateway, None, &add))];
    assert!(refused(&gateway, None, &add).contains("there is an account with the name copier already"));
    told.push(password_in(&ok(&gateway, None, &["sender", "password", "copier"])));
    let foreign = refused(&gateway, None, &["sender", "senders", "copier", "--send-as", "office@elsewhere.example"]);
    assert!(
        foreign.contains("office@elsewhere.example") && foreign.contains("not a mailbox of the school"),
        "{foreign}"
    );
    refused(&gateway, None, &["sender", "add", "x", "--send-as-domain", "sub.saltmere.example"]);
    refused(&gateway, None, &["sender", "add", "x"]);
    ok(&gateway, None, &["sender", "disable", "copier"]);
    assert!(ok(&gateway, None, &["sender", "disable", "copier"]).contains("nothing changed"));
    assert!(gateway.terminate().success());

    let file = gateway.store().join("../given-password");
    std::fs::write(&file, "plum kettle orchard\n").expect("written");
    let file = file.to_str().expect("a path");
    let given = ok(
        &gateway,
        None,
        &["sender", "add", "mis@saltmere.example", "--send-as-domain", "saltmere.example", "--password-file", file],
    );
    assert!(!given.contains("plum kettle"), "{given}");
    ok(&gateway, None, &["sender", "enable", "copier"]);
    ok(&gateway, None, &["sender", "senders", "copier", "--send-as", "a@saltmere.example,b@saltmere.example"]);
    let list: serde_json::Value =
        serde_json::from_str(&ok(&gateway, None, &["sender", "list", "--json"])).expect("JSON");
    assert_eq!(list[0]["mailboxes"].to_string(), r#"["a@saltmere.example","b@saltmere.example"]"#);
    assert_eq!(
        (&list[1]["name"], list[1]["domains"].to_string()),
        (&"mis@saltmere.example".into(), r#"["saltmere.example"]"#.to_owned())
    );
    assert!(ok(&gateway, None, &["sender", "list"]).contains("everybody at saltmere.example"));
    ok(&gateway, None, &["sender", "remove", "copier"]);
    refused(&gateway, None, &["sender", "enable", "copier"]);
    let audit = ok(&gateway, None, &["audit", "list", "--json"]);
    assert!(
        audit.contains("sender-created") && audit.contains("sender-removed") && audit.contains("Sue Okoro ("),
        "{audit}"
    );
    ok(&gateway, None, &["audit", "verify"]);

    // Told once, and the one that was given not at all: in nothing that is kept.
    assert!(told.iter().all(|password| password.len() == 29), "{told:?}");
    told.push("plum kettle orchard".to_owned());
    let mut kept = Vec::new();
    files(&gateway.store(), &mut kept);
    let kept: Vec<_> = kept.iter().filter_map(|file| std::fs::read(file).ok()).collect();
    for password in &told {
        let holds = |bytes: &[u8]| bytes.windows(password.len()).any(|w| w == password.as_bytes());
        assert!(
            !holds(gateway.log().as_bytes()) && !audit.contains(password.as_str()) && !kept.iter().any(|k| holds(k))
        );
    }
}

/// U11: nothing of a message, of an address or of what a person typed moves the cursor, sets a title or reaches a clipboard.
#[test]
fn a_held_message_cannot_reach_the_terminal() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let hostile = "\u{1b}[2J\u{1b}]0;gone\u{7}\u{1b}]52;c;aGk=\u{7}\u{1b}]8;;http://evil.example\u{1b}\\x\u{9b}31m\u{202e}\u{2028}\u{85}\t";
    let subject = compose::base64_line(hostile.as_bytes());
    let raw = compose::message(
        &format!(
            "Subject: {hostile}=?utf-8?B?{subject}?=\nContent-Type: text/plain; charset=utf-8\nX-Hostile: {hostile}"
        ),
        "\u{1b}[2JAlbert Fisher was upset, his social worker rang. UPN A998441726129\u{1b}[31m\u{202e}.\n",
    );
    let to = ["someone@gmail.com".to_owned()];
    let id = id_of(&gateway.client().send("w.carr@saltmere.example", &to, &raw).expect("taken in"));
    let because = ["--who", "jane\u{1b}[2J", "--why", hostile];
    let with = |more: &[&'static str]| -> Vec<String> {
        ["quarantine", "show", id.as_str()].iter().chain(more).chain(&because).map(|&word| word.to_owned()).collect()
    };
    let plain = |words: &[&str]| -> Vec<String> { words.iter().map(|&word| word.to_owned()).collect() };
    let mut shown = String::new();
    for arguments in [
        plain(&["quarantine", "list"]),
        with(&["--findings"]),
        with(&["--message", "--purpose", "facts"]),
        plain(&["quarantine", "show", &id]),
        plain(&["queue", "list"]),
        plain(&["queue", "show", &id]),
        plain(&["audit", "list"]),
    ] {
        for json in [false, true] {
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            arguments.extend(json.then_some("--json").filter(|_| !arguments.contains(&"--message")));
            let output = gateway.command(&arguments);
            let printed =
                String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments:?}: {printed}");
            let harmful = |c: char| c != '\n' && c.is_control() || matches!(c, '\u{202e}' | '\u{2028}');
            assert!(!printed.contains(harmful), "{arguments:?}: {printed:?}");
            shown.push_str(&printed);
        }
    }
    assert!(shown.contains("UPN A998441726129") && shown.contains("\\u{1b}") && shown.contains("\\u001b"), "{shown}");
    let log = gateway.log();
    assert!(log.lines().count() > 1 && !log.contains(|c: char| c != '\n' && c.is_control()), "{log:?}");
}
