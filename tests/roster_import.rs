//! Importing a roster with the real program: what it reports, what it stores, and that a running gateway takes it.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use support::{Client, Gateway, Sink, header};

fn format(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/roster-formats").join(name).display().to_string()
}

fn school() -> Gateway {
    let gateway = Gateway::new(9);
    gateway.set("directory", "imported", true);
    gateway
}

fn beside(gateway: &Gateway, name: &str) -> PathBuf {
    gateway.config.parent().expect("the school's directory").join(name)
}

fn sealed(gateway: &Gateway) -> PathBuf {
    beside(gateway, "store/people.sealed")
}

fn import(gateway: &Gateway, arguments: &[&str]) -> Output {
    gateway.command(&[&["roster", "import"], arguments].concat())
}

/// Standard output and error.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn check(gateway: &Gateway) -> String {
    said(&gateway.command(&["roster", "check"]))
}

#[test]
fn an_import_reports_and_stores_sealed() {
    let gateway = school();
    let source = &format("parent-evening.csv");
    // Until the first import the files serve.
    assert!(check(&gateway).contains(": 69 pupils"), "{}", check(&gateway));
    let dry = import(&gateway, &["--dry-run", source]);
    let told = said(&dry);
    assert_eq!(dry.status.code(), Some(10), "{told}");
    for words in [
        "line 5, Home Email (column K)",
        "3 pupils new, 69 gone, 0 changed",
        "new      1201",
        "gone     P001",
        "an import would be refused: 69 of 69 pupils",
        "nothing was stored",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    assert!(!beside(&gateway, "store").exists(), "a dry run leaves nothing");
    let refused = import(&gateway, &[source]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("69 of 69 pupils would be gone"), "{}", said(&refused));
    assert!(!sealed(&gateway).exists());
    let stored = import(&gateway, &["--force", source]);
    let told = said(&stored);
    assert!(told.contains("stored: 3 pupils, 5 guardians"), "{told}");
    assert!(["Quill", "Hattie", "Stroud", "example.org"].iter().all(|name| !told.contains(name)), "{told}");
    assert!(check(&gateway).contains(": 3 pupils, 5 guardians, 15 staff"), "{}", check(&gateway));
    for file in std::fs::read_dir(beside(&gateway, "store")).expect("the store") {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(["Quill", "Hattie", "1201", "example.org"].iter().all(|name| !text.contains(name)), "in clear");
    }
    let again = import(&gateway, &[source]);
    assert!(said(&again).contains("0 pupils new, 0 gone, 0 changed, 3 as before"), "{}", said(&again));
    let names = import(&gateway, &["--names", source]);
    assert_eq!(names.status.code(), Some(1));
    assert!(said(&names).contains("terminal") && !said(&names).contains("Quill"), "{}", said(&names));
}

#[test]
fn a_spoilt_report_loses_nobody_and_says_what_was_put_right() {
    let gateway = school();
    let stored = import(&gateway, &["--force", &format("spoilt/report.csv")]);
    let told = said(&stored);
    assert_eq!(stored.status.code(), Some(10), "{told}");
    for words in [
        "line 11, Forename (column C): a quotation mark is opened and not closed",
        "note: ",
        "line 5, Surname (column B): had character references of HTML",
        "line 5, Forename (column C): had character references of HTML",
        "line 6, Adno (column A): is a total or a footer",
        "line 7, Adno (column A): is a total or a footer",
        "line 9, Adno (column A): is the heading once more",
        "line 14, Adno (column A): is a total or a footer",
        "line 17, Adno (column A): is a total or a footer",
        "; 1 problems",
        "stored: 6 pupils",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    assert!(["Brien", "Tallis", "Stroud"].iter().all(|name| !told.contains(name)), "{told}");

    let stored = import(&gateway, &["--force", &format("spoilt/mojibake.csv")]);
    let told = said(&stored);
    assert_eq!(stored.status.code(), Some(0), "{told}");
    for words in [
        "line 2, Forename (column B): was UTF-8 taken for Windows-1252",
        "line 3, Surname (column A)",
        "line 3, Forename (column B)",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    let shown = on_a_terminal(&gateway, &["roster", "show", "--pupils"]);
    for name in ["Siân Llewellyn-Roe", "Zoë Rowley-Esmé", "Tom Brown"] {
        assert!(shown.contains(name), "{name}\n{shown}");
    }

    let before = check(&gateway);
    let refused = import(&gateway, &["--force", &format("spoilt/Students.xlsx")]);
    assert_eq!(refused.status.code(), Some(1));
    let told = said(&refused);
    assert!(told.contains("Excel workbook") && told.contains("CSV UTF-8") && told.contains("Students.xlsx"), "{told}");
    let told = said(&import(&gateway, &["--force", "--format", "csv", &format("spoilt/Students.xlsx")]));
    assert!(told.contains("Excel workbook"), "{told}");
    assert_eq!(check(&gateway), before, "what was there stays");
}

/// What a command shows on a terminal of its own (script(1) of util-linux).
fn on_a_terminal(gateway: &Gateway, arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_schoolgate");
    let command = format!("{program} {} --config {}", arguments.join(" "), gateway.config.display());
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).output().expect("script is there");
    said(&output)
}

#[test]
fn show_lists_what_the_gateway_would_use() {
    let gateway = school();
    let show = |arguments: &[&str]| said(&gateway.command(&[&["roster", "show"], arguments].concat()));
    let told = show(&[]);
    for words in ["69 pupils", "90 guardians", "15 staff", "13 correspondents", "links", "lists of [directory]"] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    assert!(said(&import(&gateway, &["--force", &format("parent-evening.csv")])).contains("stored"));
    let told = show(&[]);
    assert!(told.contains("3 pupils") && told.contains("5 guardians") && told.contains("imported"), "{told}");

    // Names go to a terminal; a file or another program gets ids.
    let arguments = ["--pupils", "--guardians", "--staff", "--contacts"];
    let piped = show(&arguments);
    assert!(piped.contains("1201") && piped.contains("saltshire.gov.example"), "{piped}");
    for name in ["Quill", "Hattie", "Tallis", "example.org", "gmail.com"] {
        assert!(!piped.contains(name), "{name}\n{piped}");
    }
    let shown = on_a_terminal(&gateway, &[&["roster", "show"], &arguments[..]].concat());
    for words in ["1201", "Hattie Quill", "Tallis", "trusted", "saltshire.gov.example"] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    let found = on_a_terminal(&gateway, &["roster", "show", "quill"]);
    assert!(found.contains("Hattie Quill") && !found.contains("Tallis"), "{found}");
    assert!(show(&["nobody-of-this-name"]).contains("nobody"));
    let names = gateway.command(&["roster", "show", "--names", "--pupils"]);
    assert!(!names.status.success() && said(&names).contains("terminal"), "{}", said(&names));
}

#[test]
fn nothing_of_a_list_moves_the_cursor() {
    let gateway = school();
    let file = beside(&gateway, "list.csv");
    std::fs::write(&file, "Adno,Surname,Forename\n7,Lowe\u{1b}[2J,Mina\u{202e}\n").expect("written");
    assert!(said(&import(&gateway, &["--force", &file.display().to_string()])).contains("stored"));
    let shown = on_a_terminal(&gateway, &["roster", "show", "--pupils"]);
    assert!(shown.contains("Lowe") && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn guardians_and_staff_stay_when_no_source_has_any() {
    let gateway = school();
    let file = beside(&gateway, "new-pupils.csv");
    let list = std::fs::read_to_string(beside(&gateway, "roster/pupils.csv")).expect("the pupils");
    let mut lines: Vec<&str> = list.lines().collect();
    let last = lines.pop().expect("a last pupil");
    let id = last.split(',').next().expect("an id");
    std::fs::write(&file, lines.join("\r\n") + "\r\n").expect("a list without the last pupil");
    let told = said(&import(&gateway, &[&file.display().to_string()]));
    for words in
        ["0 pupils new, 1 gone, 0 changed, 68 as before", &format!("gone     {id}"), "guardians: no source has any"]
    {
        assert!(told.contains(words), "{words}\n{told}");
    }
    let told = check(&gateway);
    assert!(told.contains(": 68 pupils,") && told.contains(" 15 staff"), "{told}");
    // The gateway's files may go now.
    std::fs::remove_file(beside(&gateway, "roster/pupils.csv")).expect("removed");
    assert_eq!(check(&gateway), told);
}

#[test]
fn another_key_or_a_damaged_file_is_refused() {
    let gateway = school();
    let source = &format("parent-evening.csv");
    assert!(said(&import(&gateway, &["--force", source])).contains("stored"));
    let key = beside(&gateway, "store.key");
    let before = std::fs::read(sealed(&gateway)).expect("the sealed roster");
    std::fs::write(&key, "5b".repeat(32)).expect("another key");
    for told in [check(&gateway), said(&import(&gateway, &["--force", source]))] {
        assert!(told.contains("another key"), "{told}");
    }
    assert_eq!(std::fs::read(sealed(&gateway)).expect("the sealed roster"), before, "it stays");
    std::fs::write(&key, "5a".repeat(32)).expect("the key");
    std::fs::write(sealed(&gateway), &before[..before.len() - 1]).expect("a cut file");
    let told = check(&gateway);
    assert!(told.contains("cut short or was changed") && !told.contains("69 pupils"), "{told}");
    let mut gateway = gateway;
    assert!(gateway.try_start(&[]).is_err(), "it does not serve on half a school");
}

#[test]
fn a_killed_import_leaves_the_old_roster_or_the_new_one() {
    let gateway = school();
    let (old, new) = (format("parent-evening.csv"), format("bromcom.csv"));
    for (point, stays) in [
        ("before-people-write", true),
        ("during-people-write", true),
        ("after-people-write", true),
        ("after-people-sync", true),
        ("after-people-rename", false),
    ] {
        assert!(said(&import(&gateway, &["--force", &old])).contains("stored"));
        let before = check(&gateway);
        let killed = Command::new(env!("CARGO_BIN_EXE_schoolgate"))
            .args(["roster", "import", "--force", &new, "--config"])
            .arg(&gateway.config)
            .env("SCHOOLGATE_FAULT", point)
            .output()
            .expect("the program starts");
        assert_eq!(killed.status.code(), None, "{point}: it was to die\n{}", said(&killed));
        let after = check(&gateway);
        assert!(after.contains("; 0 problems"), "{point}: {after}");
        // Guardians go with their pupils: none of the old ones is left.
        assert_eq!(after == before, stays, "{point}: {after}");
    }
}

#[test]
fn a_running_gateway_takes_the_new_roster() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("directory", "imported", true);
    let first = &format("plain/pupils.csv");
    assert!(said(&import(&gateway, &["--force", first])).contains("stored"));
    gateway.start(&[]);
    let mut number = 0;
    // Whether a message about the pupil reaches a private mailbox.
    let mut leaves = |gateway: &Gateway, pupil: &str| {
        number += 1;
        let id = format!("<{number}.import@saltmere.example>");
        let message = format!(
            "From: <office@saltmere.example>\r\nTo: <pat.someone@gmail.com>\r\nSubject: Personal: today\r\n\
             Message-ID: {id}\r\n\r\n{pupil} was upset today and her social worker rang.\r\n"
        );
        let reply = Client::connect(gateway.port).and_then(|mut client| {
            client.hello()?;
            client.send("office@saltmere.example", &["pat.someone@gmail.com".to_owned()], message.as_bytes())
        });
        assert_eq!(reply.expect("an answer").code, 250);
        let its_own = |t: &support::Taken| header(&t.content, "Message-ID").as_deref() == Some(&id);
        let taken = sink
            .wait("message or notice", |taken| taken.iter().any(|t| its_own(t) || support::is_notice_about(t, &id)));
        taken.iter().any(its_own)
    };
    assert!(leaves(&gateway, "Hattie Quill"), "nobody of this name is known yet");
    assert!(!leaves(&gateway, "Peggy Pell"));

    // By itself, within a minute.
    assert!(said(&import(&gateway, &["--force", &format("parent-evening.csv")])).contains("stored"));
    wait(Duration::from_secs(60), || gateway.log().matches("reloaded").count() == 1, "the look at the file");
    assert!(!leaves(&gateway, "Hattie Quill"));
    assert!(leaves(&gateway, "Peggy Pell"), "she has left the school");

    // At once, when told. One that does not open leaves the old one in place.
    let good = std::fs::read(sealed(&gateway)).expect("the sealed roster");
    std::fs::write(sealed(&gateway), &good[..good.len() / 2]).expect("a cut file");
    gateway.signal("-HUP");
    wait(Duration::from_secs(10), || gateway.log().contains("nothing was reloaded"), "a word that it was not reloaded");
    assert!(!leaves(&gateway, "Hattie Quill"));
    assert!(!gateway.log().contains("Quill"), "no name in the log");
    std::fs::write(sealed(&gateway), good).expect("the whole file");
    gateway.signal("-HUP");
    wait(Duration::from_secs(10), || gateway.log().matches("reloaded").count() > 2, "the reload");
    assert!(gateway.terminate().success());
}

fn wait(patience: Duration, done: impl Fn() -> bool, what: &str) {
    let until = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < until, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}
