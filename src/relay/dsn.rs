//! Reports to the sender of a message (RFC 3464, 3461 6, 6533): that it did not arrive, takes longer, or was passed on to a
//! server that reports nothing. `multipart/report` from the null sender: plain words, fields, and the header of the
//! original; the original itself only in a report of failure whose sender asked for that.
//!
//! Knows no store and no smarthost: whoever calls it knows what became of whom. Invariants: nothing that a server, a sender
//! or an original says ends a line or a part; nobody is told about a notice of ours, or anything at the null sender.

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

use crate::limits;
use crate::school_time;
use crate::smtp::client::header_of;
use crate::smtp::dsn::{EnvelopeId, OfMessage, OriginalRecipient, Ret};
use crate::smtp::{Address, Enhanced, Envelope};
use crate::store::{Class, Leased, NewEntry, QueueId, State};

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It did not arrive, and is not tried again.
    Failed,
    /// It did not arrive yet.
    Delayed {
        /// When it is given up.
        until: Timestamp,
    },
    /// It was passed on to a server that does not report its arrival (RFC 3461 5.2.2).
    Relayed,
}

/// One recipient of a report.
#[derive(Debug, Clone)]
pub struct About {
    /// Whom.
    pub address: Address,
    /// The same as the sender first wrote it.
    pub original: Option<OriginalRecipient>,
    /// The smarthost's last reply or our own reason, on one line: `550 5.1.1 no such user`.
    pub reply: String,
    /// It was tried until its time was over; otherwise the reply decided.
    pub given_up: bool,
    /// The sender is told if it fails after this.
    pub told_of_failure: bool,
}

/// The message that is reported on.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// Its id.
    pub id: &'a QueueId,
    /// When it was taken in.
    pub at: Timestamp,
    /// What its sender asked for.
    pub asked: &'a OfMessage,
    /// Its bytes.
    pub content: &'a [u8],
}

/// Who is told about a message: nobody for notices and for the null sender (RFC 5321 6.1).
pub fn report_to(message: &Leased) -> Option<&Address> {
    match message.class {
        Class::Notice => None,
        Class::Mail => message.mail_from.as_ref(),
    }
}

/// The report to `to` about these recipients, ready to be committed.
pub fn report(
    to: &Address,
    what: What,
    original: Original<'_>,
    about: &[About],
    hostname: &str,
    now: Timestamp,
) -> NewEntry {
    let id = QueueId::generate(now);
    let text = compose(&id, to, what, original, about, hostname, now);
    let digest = ring::digest::digest(&ring::digest::SHA256, &text);
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest.as_ref());
    let mut envelope = Envelope::new(None, vec![to.clone()]);
    envelope.smtputf8 = !to.is_ascii() || !header_of(&text).is_ascii();
    envelope.eight_bit = !text.is_ascii();
    NewEntry {
        id,
        class: Class::Notice,
        about: Some(original.id.clone()),
        state: State::Queued,
        envelope,
        content: Arc::from(text),
        sha256,
        report: None,
        at: now,
        client: None,
    }
}

/// The enhanced status code (RFC 3463).
fn status(what: What, about: &About) -> String {
    let (class, otherwise) = match what {
        What::Failed if about.given_up => return "4.4.7".to_owned(),
        What::Failed => (5, "5.0.0"),
        What::Delayed { .. } => (4, "4.0.0"),
        What::Relayed => (2, "2.0.0"),
    };
    let code = about.reply.split(' ').nth(1).and_then(Enhanced::parse).filter(|code| code.class == class);
    code.map_or_else(|| otherwise.to_owned(), |code| code.to_string())
}

fn date(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

/// The fields about one recipient (RFC 3464 2.3).
fn fields(what: What, about: &About, address_type: &str, now: Timestamp) -> String {
    let (address, reply) = (&about.address, ascii(&about.reply));
    let mut fields = String::from("\r\n");
    if let Some((kind, original)) = about.original.as_ref().map(OriginalRecipient::decoded) {
        let _ = write!(fields, "Original-Recipient: {kind}; {original}\r\n");
    }
    let action = match what {
        What::Failed => "failed",
        What::Delayed { .. } => "delayed",
        What::Relayed => "relayed",
    };
    let status = status(what, about);
    let _ = write!(fields, "Final-Recipient: {address_type}; {address}\r\nAction: {action}\r\nStatus: {status}\r\n");
    if reply.len() >= 3 && reply.bytes().take(3).all(|b| b.is_ascii_digit()) {
        let _ = write!(fields, "Diagnostic-Code: smtp; {reply}\r\n");
    }
    let _ = match what {
        What::Delayed { until } => write!(fields, "Will-Retry-Until: {}\r\n", date(until)),
        What::Failed | What::Relayed => write!(fields, "Last-Attempt-Date: {}\r\n", date(now)),
    };
    fields
}

/// What a person reads.
fn words(what: What, about: &[About], number: &QueueId) -> String {
    let one = about.len() == 1;
    let whom = if one { "this recipient" } else { "these recipients" };
    let mut list = String::new();
    for About { address, reply, given_up, .. } in about {
        let _ = write!(list, "  {address}\r\n");
        if what == What::Failed {
            let why = if *given_up { "could not be reached in time; last answer: " } else { "refused: " };
            let _ = write!(list, "    {why}{}\r\n", ascii(reply));
        }
    }
    let help = format!("ask your IT support and give them this number: {number}\r\n");
    match what {
        What::Failed => {
            let what = if one { "the address; if it is right," } else { "the addresses; if they are right," };
            format!(
                "Your message could not be delivered to {whom}:\r\n\r\n{list}\r\n\
                 It will not be tried again. Please check {what}\r\n{help}"
            )
        }
        What::Delayed { until } => {
            let until = school_time::in_words(until, &school_time::london());
            let told = match about.iter().all(|about| about.told_of_failure) {
                true => "\r\nIf it cannot be delivered by then, you will be told.",
                false => "",
            };
            format!(
                "Your message has not been delivered to {whom} yet:\r\n\r\n{list}\r\n\
                 Please do not send it again: it is safe, and we keep trying until\r\n{until}.{told}\r\n\r\n\
                 If it is urgent, please reach {} in another way. If you have a question,\r\n{help}",
                if one { "the person" } else { "the people" }
            )
        }
        What::Relayed => format!(
            "Your message was passed on for {whom}:\r\n\r\n{list}\r\n\
             You asked to be told when it arrives. The mail service that has it now does not\r\n\
             tell us that, so this is all that we can say. If you have a question,\r\n{help}"
        ),
    }
}

/// What is returned of the original, and the type of its part.
fn returned(what: What, original: Original<'_>, global: bool) -> (&'static str, Vec<u8>) {
    let Original { content, asked, .. } = original;
    // Only where something failed (RFC 3461 4.3), and in a form that no server has to be asked for (RFC 6532 wants SMTPUTF8).
    let whole = what == What::Failed && asked.ret == Some(Ret::Full);
    if whole && content.len() <= limits::REPORT_ORIGINAL && header_of(content).is_ascii() {
        return ("message/rfc822", content.to_vec());
    }
    (if global { "message/global-headers" } else { "text/rfc822-headers" }, quoted_header(content).into_bytes())
}

fn compose(
    id: &QueueId,
    to: &Address,
    what: What,
    original: Original<'_>,
    about: &[About],
    hostname: &str,
    now: Timestamp,
) -> Vec<u8> {
    let fields_of = |address_type| about.iter().map(|about| fields(what, about, address_type, now)).collect::<String>();
    // RFC 6533: addresses outside ASCII are written as they are, in a part of another type.
    let global = !to.is_ascii() || !fields_of("rfc822").is_ascii();
    let (status_type, address_type, encoding) = match global {
        true => ("message/global-delivery-status", "utf-8", "8bit"),
        false => ("message/delivery-status", "rfc822", "7bit"),
    };
    let (returned_type, returned) = returned(what, original, global);
    let returned_encoding = if returned.is_ascii() { "7bit" } else { "8bit" };
    let whole_encoding = if returned.is_ascii() { encoding } else { "8bit" };
    let mut boundary = format!("=_{id}");
    while memchr::memmem::find(&returned, boundary.as_bytes()).is_some() {
        boundary.push('=');
    }
    let subject = match what {
        What::Failed => "Your message could not be delivered",
        What::Delayed { .. } => "Your message has not been delivered yet",
        What::Relayed => "Your message was passed on",
    };
    let (words, fields) = (words(what, about, original.id), fields_of(address_type));
    let (now, arrived) = (date(now), date(original.at));
    let named = original.asked.id.as_ref().map(EnvelopeId::decoded);
    let named = named.map_or_else(String::new, |named| format!("Original-Envelope-Id: {named}\r\n"));
    let mut text = format!(
        "From: Mail delivery <mailer-daemon@{hostname}>\r\n\
         To: <{to}>\r\n\
         Subject: {subject}\r\n\
         Date: {now}\r\n\
         Message-ID: <{id}@{hostname}>\r\n\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\
         Content-Transfer-Encoding: {whole_encoding}\r\n\
         \r\n\
         --{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         {words}\
         \r\n\
         --{boundary}\r\n\
         Content-Type: {status_type}\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         {named}\
         Reporting-MTA: dns; {hostname}\r\n\
         Arrival-Date: {arrived}\r\n\
         {fields}\r\n\
         --{boundary}\r\n\
         Content-Type: {returned_type}\r\n\
         Content-Transfer-Encoding: {returned_encoding}\r\n\
         \r\n"
    )
    .into_bytes();
    text.extend_from_slice(&returned);
    text.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    text
}

/// A reply on one line of ASCII, so that it can break out of no field (RFC 3464 2.1.2).
fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(limits::REPLY_KEPT).collect()
}

/// The original's header, whole lines of ASCII up to the limit.
fn quoted_header(content: &[u8]) -> String {
    let mut quoted = String::new();
    for line in header_of(content).split_inclusive(|&b| b == b'\n') {
        if quoted.len() + line.len() > limits::REPORT_HEADERS {
            break;
        }
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        quoted.extend(line.iter().map(|&b| if b == b'\t' || (b' '..=b'~').contains(&b) { b as char } else { '?' }));
        quoted.push_str("\r\n");
    }
    quoted
}

#[cfg(test)]
mod tests {
    use mail_parser::MimeHeaders;

    use super::*;
    use crate::smtp::dsn::OfRecipient;
    use crate::store::DueRecipient;

    fn message(sender: Option<&str>, class: Class) -> Leased {
        let address = Address::parse("bob@b.example").unwrap();
        Leased {
            id: QueueId("Q1".into()),
            class,
            mail_from: sender.map(|a| Address::parse(a).unwrap()),
            smtputf8: false,
            eight_bit: false,
            reports: OfMessage::default(),
            recipients: vec![DueRecipient { position: 0, address, asked: OfRecipient::default(), attempts: 0 }],
            sha256: [0; 32],
            may_leave: true,
            at: Timestamp::from_second(1_000_000).unwrap(),
            waits_since: Timestamp::from_second(1_000_000).unwrap(),
            attempts: 1,
            footers: Vec::new(),
            content: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn report_of(what: What, asked: &OfMessage, about: &[About], content: &[u8]) -> NewEntry {
        let to = Address::parse("amy@school.example").unwrap();
        let id = QueueId("Q1".into());
        let original = Original { id: &id, at: at(1_000_000), asked, content };
        super::report(&to, what, original, about, "gate.school.example", at(2_000_000))
    }

    fn report(failures: &[About], content: &[u8]) -> NewEntry {
        report_of(What::Failed, &OfMessage::default(), failures, content)
    }

    fn failure(address: &str, reply: &str, given_up: bool) -> About {
        let address = Address::parse(address).unwrap();
        About { address, original: None, reply: reply.to_owned(), given_up, told_of_failure: true }
    }

    fn first_written(about: About, original: &str) -> About {
        About { original: Some(OriginalRecipient::parse(original).unwrap()), ..about }
    }

    fn full() -> OfMessage {
        OfMessage { ret: Some(Ret::Full), id: EnvelopeId::parse("trip+2B7") }
    }

    /// Compares with `tests/golden/reports/NAME`, or writes it where `SCHOOLGATE_UPDATE_GOLDEN` is set.
    fn golden(name: &str, found: &str) {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reports").join(name);
        if std::env::var_os("SCHOOLGATE_UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, found).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(found, expected, "{name} differs; if that is meant, set SCHOOLGATE_UPDATE_GOLDEN=1");
    }

    // Relay checklist, row 104.
    #[test]
    fn reports_read_as_written_down() {
        let content = b"From: amy@school.example\r\nSubject: Coach\r\n\r\nA 29-seater, please.\r\n";
        let to = Address::parse("amy@school.example").unwrap();
        let (id, plain, full) = (QueueId("Q1".into()), OfMessage::default(), full());
        let delayed = What::Delayed { until: "2026-12-03T14:05:00Z".parse().unwrap() };
        let bob = failure("bob@b.example", "550 5.1.1 no such user", false);
        let cy = || failure("cy@c.example", "451 4.3.0 busy", true);
        let late = About { told_of_failure: false, ..cy() };
        let dan = first_written(failure("dan@d.example", "250 2.6.0 ok", false), "rfc822;d+2Bn@d.example");
        let eva = first_written(failure("bøb@b.example", "550 5.1.1 no", false), r"utf-8;b\x{F8}b@b.example");
        for (name, what, asked, about) in [
            ("failed", What::Failed, &plain, vec![bob.clone(), cy()]),
            ("failed-full", What::Failed, &full, vec![bob.clone()]),
            ("failed-utf-8", What::Failed, &plain, vec![eva]),
            ("delayed", delayed, &full, vec![cy()]),
            ("delayed-and-no-more", delayed, &plain, vec![late, bob]),
            ("relayed", What::Relayed, &full, vec![dan]),
        ] {
            let original = Original { id: &id, at: at(1_000_000), asked, content };
            let report =
                compose(&QueueId("R1".into()), &to, what, original, &about, "gate.school.example", at(2_000_000));
            let report = String::from_utf8(report).unwrap();
            assert!(!report.replace("\r\n", "").contains(['\r', '\n']), "{name}");
            golden(&format!("{name}.eml"), &report.replace("\r\n", "\n"));
        }
    }

    // Relay checklist, row 105.
    #[test]
    fn the_original_goes_back_whole_only_when_asked_and_not_beyond_its_size() {
        let delayed = What::Delayed { until: at(3_000_000) };
        let bob = [failure("bob@b.example", "550 5.1.1 no such user", false)];
        let small = b"Subject: trip\r\n\r\nBODY\r\n".to_vec();
        let of = |size: usize| [b"Subject: trip\r\n\r\nBODY\r\n", &vec![b'x'; size - 23][..]].concat();
        let latin = b"Subject: tr\xefp\r\n\r\nBODY\r\n".to_vec();
        let eight = "Subject: trip\r\n\r\nBODY Zoë\r\n".as_bytes().to_vec();
        let hdrs = OfMessage { ret: Some(Ret::Headers), id: None };
        for (what, asked, content, whole) in [
            (What::Failed, full(), &small, true),
            (What::Failed, full(), &eight, true),
            (What::Failed, full(), &of(limits::REPORT_ORIGINAL), true),
            (What::Failed, full(), &of(limits::REPORT_ORIGINAL + 1), false),
            (What::Failed, full(), &latin, false),
            (What::Failed, hdrs, &small, false),
            (What::Failed, OfMessage::default(), &small, false),
            (delayed, full(), &small, false),
            (What::Relayed, full(), &small, false),
        ] {
            let entry = report_of(what, &asked, &bob, content);
            let returned = memchr::memmem::find(&entry.content, content).is_some();
            assert_eq!(returned, whole, "{what:?} {:?} {}", asked.ret, content.len());
            assert_eq!(memchr::memmem::find(&entry.content, b"BODY").is_some(), whole);
            assert_eq!(entry.envelope.eight_bit, !entry.content.is_ascii());
            let parsed = mail_parser::MessageParser::default().parse(&*entry.content).unwrap();
            assert_eq!(parsed.parts.len(), 4, "{what:?}");
        }
    }

    // Relay checklist, row 106.
    #[test]
    fn an_original_cannot_break_out_of_its_part() {
        let bob = [failure("bob@b.example", "550 5.1.1 no such user", false)];
        // The boundary is made of an id that nobody knows before; here of all that it could be.
        let inside =
            "Subject: trip\r\n\r\n.\r\n--=_R1\r\nContent-Type: text/html\r\n\r\n--=_R1=--\r\n..\r\n--=_R1--\r\n";
        let (id, asked) = (QueueId("Q1".into()), full());
        let original = Original { id: &id, at: at(1), asked: &asked, content: inside.as_bytes() };
        let to = Address::parse("amy@school.example").unwrap();
        let text = compose(&QueueId("R1".into()), &to, What::Failed, original, &bob, "gate.school.example", at(2));
        let parsed = mail_parser::MessageParser::default().parse(&text).unwrap();
        assert_eq!(parsed.parts.len(), 4);
        let boundary = parsed.content_type().unwrap().attribute("boundary").unwrap().to_owned();
        assert!(!inside.contains(&boundary), "{boundary}");
    }

    #[test]
    fn nobody_is_told_about_notices_and_null_senders() {
        assert!(report_to(&message(None, Class::Mail)).is_none());
        assert!(report_to(&message(Some("a@b.example"), Class::Notice)).is_none());
        assert!(report_to(&message(Some("a@b.example"), Class::Mail)).is_some());
    }

    #[test]
    fn a_report_has_three_parts_and_no_body_of_the_original() {
        let content = b"Subject: trip\r\nX-Evil: --=_\r\n\r\nSECRET BODY\r\n";
        let failures =
            [failure("bob@b.example", "550 5.1.1 no such user", false), failure("cy@c.example", "451 busy", true)];
        let entry = report(&failures, content);
        assert!(entry.envelope.mail_from.is_none());
        let text = String::from_utf8(entry.content.to_vec()).unwrap();
        assert!(!text.contains("SECRET") && text.contains("Subject: trip\r\n"), "{text}");
        assert!(text.is_ascii() && !text.replace("\r\n", "").contains(['\r', '\n']));
        let parsed = mail_parser::MessageParser::default().parse(text.as_bytes()).unwrap();
        let part = parsed.part(2).unwrap();
        let fields = String::from_utf8_lossy(part.contents());
        for field in [
            "Reporting-MTA: dns; gate.school.example",
            "Final-Recipient: rfc822; bob@b.example",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 no such user",
            "Status: 4.4.7",
            "Action: failed",
        ] {
            assert!(fields.contains(field), "{field} in {fields}");
        }
        assert_eq!(parsed.parts.len(), 4);
        assert!(parsed.message_id().is_some() && parsed.date().is_some());
    }

    // Relay checklist, rows 107 and 108.
    #[test]
    fn what_the_peer_said_breaks_out_of_nothing() {
        let entry = report(&[failure("bob@b.example", "550 x\r\nBcc: e@e\r\n\r\n--=_", false)], b"A: \xff\xfe\r\n\r\n");
        let text = String::from_utf8(entry.content.to_vec()).unwrap();
        assert!(!text.contains("\nBcc") && text.is_ascii());
        let utf8 = report(&[failure("bøb@b.example", "550 5.1.1 no", false)], b"A: b\r\n\r\n");
        // Its own header is ASCII and so is its reader: no server has to offer SMTPUTF8 for that.
        assert!(!utf8.envelope.smtputf8 && utf8.envelope.eight_bit);
        let text = String::from_utf8(utf8.content.to_vec()).unwrap();
        assert!(text.contains("Content-Type: message/global-delivery-status") && text.contains("utf-8; bøb@b.example"));
    }

    #[test]
    fn status_codes_are_taken_from_the_reply_where_it_has_one() {
        for (reply, given_up, wanted) in [
            ("550 5.1.1 no", false, "5.1.1"),
            ("550 no", false, "5.0.0"),
            ("550 4.1.1 no", false, "5.0.0"),
            ("550 5.1.1.1 no", false, "5.0.0"),
            ("550 5.1234.1 no", false, "5.0.0"),
            ("", false, "5.0.0"),
            ("451 4.3.0 later", true, "4.4.7"),
        ] {
            assert_eq!(status(What::Failed, &failure("a@b.example", reply, given_up)), wanted, "{reply}");
        }
        for (what, reply, wanted) in [
            (What::Relayed, "250 2.6.0 ok", "2.6.0"),
            (What::Relayed, "250 ok", "2.0.0"),
            (What::Delayed { until: at(0) }, "450 4.2.1 later", "4.2.1"),
            (What::Delayed { until: at(0) }, "the smarthost could not be reached", "4.0.0"),
        ] {
            assert_eq!(status(what, &failure("a@b.example", reply, false)), wanted, "{reply}");
        }
    }
}
