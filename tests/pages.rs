//! Pages that are pictures: their words are found, or the message is held.

mod support;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use support::{Gateway, Sink, compose, id_of};

const FROM: &str = "w.carr@saltmere.example";
const TO: &str = "bookings@shorelinecoaches.example";

/// A list of pupils with what they need, as a screenshot.
const REGISTER: &[u8] = include_bytes!("pages/register.png");

/// What `check` says of a message with this file, where pages are read by `tesseract`.
fn checked(name: &str, bytes: &[u8], tesseract: &str) -> serde_json::Value {
    let message = compose::with_files("Trip", "See attached.", &[(name, bytes)]);
    let school = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/school/school.toml");
    let mut program = Command::new(env!("CARGO_BIN_EXE_schoolgate"))
        .args(["check", "--json", "--config", school, "--mail-from", FROM, "--rcpt", TO, "-"])
        .env("SCHOOLGATE_TESSERACT", tesseract)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    program.stdin.take().expect("its input").write_all(&message).expect("the message is taken");
    let output = program.wait_with_output().expect("its end");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// A PDF of one page that shows a picture in shades of grey, and nothing else.
fn scanned(width: usize, height: usize, shades: &[u8]) -> Vec<u8> {
    let hex: String = shades.iter().map(|shade| format!("{shade:02x}")).collect();
    let page = format!("q 595 0 0 410 0 0 cm BI /W {width} /H {height} /BPC 8 /CS /G /F /AHx ID {hex}> EI Q");
    compose::pdf(page.as_bytes(), true, &[])
}

fn register_as_scan() -> Vec<u8> {
    let picture = image::load_from_memory(REGISTER).expect("a picture").into_luma8();
    scanned(picture.width() as usize, picture.height() as usize, picture.as_raw())
}

#[test]
fn the_words_of_a_page_are_found() {
    let Some(tesseract) = support::installed("tesseract") else {
        return println!("skipped: no tesseract");
    };
    for (name, bytes) in [("register.png", REGISTER.to_vec()), ("register.pdf", register_as_scan())] {
        let report = checked(name, &bytes, tesseract.to_str().expect("UTF-8"));
        assert_eq!(report["action"], "hold", "{name}: {report}");
        let told = report.to_string();
        for word in ["words in the picture", "bulk"] {
            assert!(told.contains(word), "{name}: no {word}: {told}");
        }
        assert!(!told.contains("unknown-type") && !told.contains("damaged"), "{name}: {told}");
    }
}

#[test]
fn a_page_that_nobody_reads_is_held_and_a_photograph_is_not() {
    for (name, bytes) in [("register.png", REGISTER.to_vec()), ("register.pdf", register_as_scan())] {
        let report = checked(name, &bytes, "off");
        assert_eq!(report["action"], "hold", "{name}: {report}");
        assert!(report.to_string().contains("unknown-type"), "{name}: {report}");
    }
    let hills = image::GrayImage::from_fn(800, 600, |x, y| {
        let hill = (f64::from(x) / 90.0).sin() * 60.0 + 300.0;
        image::Luma([if f64::from(y) < hill { 200 } else { (60 + (x * 31 + y * 17) % 23) as u8 }])
    });
    let mut photograph = std::io::Cursor::new(Vec::new());
    hills.write_to(&mut photograph, image::ImageFormat::Jpeg).expect("a JPEG");
    let report = checked("hills.jpg", photograph.get_ref(), "off");
    // A photograph is asked about, but nothing of it is unread.
    assert_eq!(report["action"], "warn", "{report}");
    assert!(!report.to_string().contains("unreadable-content"), "{report}");
}

#[test]
fn a_program_that_never_ends_or_says_nothing_leaves_the_page_unread() {
    for (program, why) in [("/usr/bin/true", "damaged"), ("/usr/bin/yes", "damaged")] {
        let report = checked("register.png", REGISTER, program);
        assert_eq!(report["action"], "hold", "{program}: {report}");
        assert!(report.to_string().contains(why), "{program}: {report}");
    }
}

/// Time counts by the processor: a program that waits for longer than a message has is read, one that works for as long is not.
#[test]
fn a_page_is_given_up_by_what_it_takes_of_the_processor() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, script, told) in [
        (
            "waits",
            "while read -r _; do :; done; /usr/bin/sleep 12; echo Thomas Penhale has dyslexia and Yusuf Rahman epilepsy",
            "words in the picture",
        ),
        ("works", "while :; do :; done", "beyond-limit"),
    ] {
        let program = folder.path().join(name);
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a program");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("its mode");
        let report = checked("register.png", REGISTER, program.to_str().expect("UTF-8"));
        assert_eq!(report["action"], "hold", "{name}: {report}");
        assert!(report.to_string().contains(told), "{name}: {report}");
    }
}

#[test]
fn the_gateway_reads_a_page_that_a_worker_has_found() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[]);
    let message = compose::with_files("Trip", "See attached.", &[("register.png", REGISTER)]);
    let id = id_of(&gateway.client().send(FROM, &[TO.to_owned()], &message).expect("taken in"));
    let shown = gateway.command(&["quarantine", "show", &id]);
    let told = String::from_utf8_lossy(&shown.stdout).into_owned();
    let sign = if support::installed("tesseract").is_some() { "bulk" } else { "unread" };
    assert!(shown.status.success() && told.contains(sign), "{told}\n{}", gateway.log());
}

/// Every thread for small messages would wait, and more of them than there are: no page is read before the small message
/// is through.
#[test]
fn a_small_message_does_not_wait_for_pages_of_others() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let slow = gateway.directory().join("slow");
    let gate = gateway.directory().join("gate");
    let script = format!(
        "#!/bin/sh\nwhile [ ! -e {} ]; do /usr/bin/sleep 0.05; done; echo The coach leaves at nine from the gate\n",
        gate.display()
    );
    std::fs::write(&slow, script).expect("a program");
    std::fs::set_permissions(&slow, PermissionsExt::from_mode(0o755)).expect("its mode");
    gateway.start(&[("SCHOOLGATE_TESSERACT", slow.to_str().expect("UTF-8"))]);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (answered, answers) = mpsc::channel();
    for _ in 0..=threads {
        let (mut client, answered) = (gateway.client(), answered.clone());
        std::thread::spawn(move || {
            let message = compose::with_files("Trip", "See attached.", &[("register.png", REGISTER)]);
            let reply = client.send(FROM, &[TO.to_owned()], &message).map(|reply| reply.code).ok();
            let _ = answered.send(reply);
        });
    }
    // Until all of them have been read as far as their pages.
    std::thread::sleep(Duration::from_millis(1_000));
    let plain = compose::message("Subject: Coach\r\n", "The coach is booked for nine.\r\n");
    let reply = gateway.client().send(FROM, &[TO.to_owned()], &plain).expect("taken in");
    assert_eq!(reply.code, 250, "{}", reply.text());
    sink.wait("the plain message", |taken| taken.iter().any(|t| !t.from.is_empty()));
    assert!(answers.try_recv().is_err(), "a page was through before it\n{}", gateway.log());
    std::fs::write(&gate, "").expect("the gate opens");
    for _ in 0..=threads {
        let answer = answers.recv_timeout(Duration::from_secs(30)).expect("an answer");
        assert_eq!(answer, Some(250), "{}", gateway.log());
    }
}
