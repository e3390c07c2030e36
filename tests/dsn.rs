//! Reports that senders ask for (RFC 3461), through the real gateway, with a smarthost that reports itself and one that does not.

mod support;

use support::{Client, Gateway, Sink, Taken, relayed};

const SENDER: &str = "w.carr@saltmere.example";
const CLERK: &str = "clerk@shorelinecoaches.example";
const PORTER: &str = "porter@shorelinecoaches.example";
const DRIVER: &str = "driver@shorelinecoaches.example";

/// Sends a message with these parameters of MAIL and these recipients with theirs.
fn send(client: &mut Client, from: &str, mail: &str, recipients: &[(&str, &str)]) {
    client.ask(&format!("MAIL FROM:<{from}>{mail}"), 250).expect("MAIL");
    for (to, asked) in recipients {
        client.ask(&format!("RCPT TO:<{to}>{asked}"), 250).expect("RCPT");
    }
    client.ask("DATA", 354).expect("DATA");
    let content = format!(
        "From: {SENDER}\r\nTo: {CLERK}\r\nSubject: Coach\r\nMessage-ID: <coach@saltmere.example>\r\n\r\n\
         A 29-seater, please.\r\n.\r\n"
    );
    client.raw(content.as_bytes()).expect("the content");
    let reply = client.reply().expect("a reply");
    assert_eq!(reply.code, 250, "{reply:?}");
}

/// The reports among what came, in the order of what they say.
fn reports(taken: &[Taken]) -> Vec<String> {
    let mut reports: Vec<String> =
        taken.iter().filter(|t| t.from.is_empty()).map(|t| String::from_utf8_lossy(&t.content).into_owned()).collect();
    reports.sort_by_key(|report| report.contains("Action: relayed"));
    reports
}

/// Who is reported on in which way: `failed clerk@…`.
fn told(report: &str) -> Vec<String> {
    let value = |name| report.lines().filter_map(move |line| line.strip_prefix(name));
    let whom = value("Final-Recipient: ").map(|to| to.split_once("; ").expect("a type").1);
    value("Action: ").zip(whom).map(|(action, to)| format!("{action} {to}")).collect()
}

// Relay checklist, row 105.
#[test]
fn a_smarthost_that_reports_is_told_what_was_asked_and_we_report_no_success() {
    let sink = Sink::start();
    sink.offer_dsn(true);
    let gateway = Gateway::started(sink.port);
    let mut client = gateway.client();
    let asked = " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;the+2Bclerk@shorelinecoaches.example";
    send(&mut client, SENDER, " RET=FULL ENVID=trip+2B7", &[(CLERK, asked), (PORTER, " NOTIFY=NEVER"), (DRIVER, "")]);
    let taken = sink.wait("the message", |taken| !taken.is_empty());
    let said: Vec<&str> = taken[0].said.iter().map(|line| line.split_once('>').expect("a path").1).collect();
    assert!(said[0].ends_with(" RET=FULL ENVID=trip+2B7"), "{said:?}");
    assert_eq!(said[1..], [asked, " NOTIFY=NEVER", ""]);
    assert!(reports(&sink.settled()).is_empty(), "success is the smarthost's business");
}

// Relay checklist, rows 104 and 105.
#[test]
fn each_recipient_is_reported_on_as_was_asked() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    for (name, refusal) in [("gone", "550 5.1.1 No such user"), ("left", "550 5.1.1 No such user")] {
        sink.answer_recipient(&format!("{name}@shorelinecoaches.example"), refusal);
    }
    let (gone, left) = ("gone@shorelinecoaches.example", "left@shorelinecoaches.example");
    for (mail, recipients, wanted) in [
        ("", vec![(CLERK, ""), (PORTER, " NOTIFY=FAILURE,DELAY")], vec![]),
        ("", vec![(CLERK, " NOTIFY=SUCCESS"), (PORTER, "")], vec![vec![format!("relayed {CLERK}")]]),
        ("", vec![(gone, " NOTIFY=NEVER")], vec![]),
        ("", vec![(gone, " NOTIFY=SUCCESS,DELAY")], vec![]),
        ("", vec![(gone, "")], vec![vec![format!("failed {gone}")]]),
        ("", vec![(gone, " NOTIFY=FAILURE"), (left, " NOTIFY=NEVER")], vec![vec![format!("failed {gone}")]]),
        (
            " RET=FULL ENVID=trip+2B7",
            vec![
                (CLERK, " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;the+2Bclerk@shorelinecoaches.example"),
                (gone, " NOTIFY=SUCCESS,FAILURE"),
                (PORTER, " NOTIFY=NEVER"),
                (left, ""),
            ],
            vec![vec![format!("failed {gone}"), format!("failed {left}")], vec![format!("relayed {CLERK}")]],
        ),
    ] {
        let before = sink.settled().len();
        send(&mut gateway.client(), SENDER, mail, &recipients);
        let expected = wanted.len();
        sink.wait("the reports", |taken| reports(&taken[before..]).len() >= expected);
        let taken = sink.settled()[before..].to_vec();
        let found = reports(&taken);
        assert_eq!(found.iter().map(|report| told(report)).collect::<Vec<_>>(), wanted, "{recipients:?}");
        for report in &found {
            let failed = report.contains("Action: failed");
            assert_eq!(report.contains("29-seater"), failed && mail.contains("FULL"), "{report}");
            assert_eq!(report.contains("\r\nOriginal-Envelope-Id: trip+7\r\n"), mail.contains("ENVID"), "{report}");
            assert!(
                report.contains("coach@saltmere.example") && report.contains("\r\nAuto-Submitted: auto-replied\r\n")
            );
            for field in ["Reporting-MTA: dns; ", "Arrival-Date: ", "Status: ", "Diagnostic-Code: smtp; "] {
                assert!(report.contains(&format!("\r\n{field}")), "{field} in {report}");
            }
        }
        let original = "\r\nOriginal-Recipient: rfc822; the+clerk@shorelinecoaches.example\r\nFinal-Recipient: ";
        let named = recipients.iter().any(|(_, asked)| asked.contains("ORCPT"));
        assert_eq!(found.iter().any(|report| report.contains(original)), named);
        for message in taken.iter().filter(|t| !t.from.is_empty()) {
            assert!(relayed(&message.content).is_some());
            assert!(message.said.iter().all(|line| !line.contains("NOTIFY") && !line.contains("RET=")), "{message:?}");
        }
    }
}

// Relay checklist, rows 107 and 108.
#[test]
fn addresses_outside_ascii_are_reported_as_they_are() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    sink.answer_recipient("grün@shorelinecoaches.example", "550 5.1.1 Grün\tis\x07 unknown");
    for original in [r"utf-8;gr\x{FC}n@old.example", "utf-8;grün@old.example"] {
        let before = sink.taken().len();
        let to = ("grün@shorelinecoaches.example", format!(" ORCPT={original}"));
        send(&mut gateway.client(), SENDER, " SMTPUTF8", &[(to.0, &to.1)]);
        let taken = sink.wait("the report", |taken| !reports(&taken[before..]).is_empty());
        let report = &reports(&taken[before..])[0];
        for words in [
            "Content-Type: message/global-delivery-status\r\n",
            "\r\nOriginal-Recipient: utf-8; grün@old.example\r\n",
            "\r\nFinal-Recipient: utf-8; grün@shorelinecoaches.example\r\n",
        ] {
            assert!(report.contains(words), "{words} is missing:\n{report}");
        }
        assert!(!report.contains('\x07') && !report.contains("Grün"), "{report}");
    }
}

// Relay checklist, rows 102 and 105.
#[test]
fn nobody_is_told_at_the_null_sender_and_no_report_reports_on_a_report() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    sink.answer_recipient(CLERK, "550 5.1.1 No such user");
    sink.answer_recipient(SENDER, "550 5.1.1 No such user");
    for path in ["<>", " <>"] {
        let mut client = gateway.client();
        client.ask(&format!("MAIL FROM:{path} RET=FULL"), 250).expect("MAIL");
        client.ask(&format!("RCPT TO:<{CLERK}> NOTIFY=SUCCESS,FAILURE,DELAY"), 250).expect("RCPT");
        client.ask("DATA", 354).expect("DATA");
        client.raw(b"Subject: Undelivered\r\n\r\nIt did not arrive.\r\n.\r\n").expect("the content");
        assert_eq!(client.reply().expect("a reply").code, 250);
    }
    // A report that its own sender cannot be given.
    send(&mut gateway.client(), SENDER, "", &[(CLERK, "")]);
    assert!(sink.settled().is_empty(), "nobody takes anything: {:?}", sink.taken());
    let list = gateway.command(&["queue", "list", "--state", "failed", "--json"]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert_eq!(list.matches("\"failed\"").count(), 4, "three messages and one report: {list}");
}

// Relay checklist, rows 105 and 110.
#[test]
fn a_sender_hears_of_a_delay_once_and_is_told_when_it_is_over() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    // Seven tenths of a second.
    gateway.set("queue", "delay_notice_hours", 0.0002);
    // Three seconds: only who waits for a try that lies ahead is told.
    gateway.set("queue", "retry_minutes", vec![0.002, 0.05]);
    gateway.start(&[]);
    for to in [CLERK, PORTER, DRIVER] {
        sink.answer_recipient(to, "450 4.2.1 Later");
    }
    let recipients = [(CLERK, " NOTIFY=FAILURE,DELAY"), (PORTER, " NOTIFY=FAILURE"), (DRIVER, "")];
    send(&mut gateway.client(), SENDER, "", &recipients);
    sink.wait("the notice", |taken| !taken.is_empty());
    gateway.terminate();
    gateway.start(&[]);
    let taken = sink.settled();
    assert_eq!(taken.len(), 1, "once, over a restart too: {taken:?}");
    let report = &reports(&taken)[0];
    assert_eq!(told(report), [format!("delayed {CLERK}"), format!("delayed {DRIVER}")]);
    assert!(report.contains("\r\nWill-Retry-Until: ") && report.contains("\r\nStatus: 4.2.1\r\n"), "{report}");
    assert_eq!(taken[0].recipients, [SENDER]);
    for to in [CLERK, PORTER, DRIVER] {
        sink.answer_recipient(to, "250");
    }
    let taken = sink.wait("the message", |taken| taken.len() == 2);
    assert_eq!(taken[1].recipients, [CLERK, PORTER, DRIVER]);
    assert_eq!(sink.settled().len(), 2);
}
