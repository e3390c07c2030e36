//! Reports of failure to the sender of a message (RFC 3464, 3461 6, 6533): `multipart/report` from the null sender, with
//! what failed in plain words, in fields, and the header of the original; never its body.

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

use crate::limits;
use crate::smtp::client::header_of;
use crate::smtp::{Address, Enhanced, Envelope};
use crate::store::{Class, Leased, NewEntry, QueueId, State};

/// A recipient that the message did not reach.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Whom.
    pub address: Address,
    /// The smarthost's last reply or our own reason, on one line: `550 5.1.1 no such user`.
    pub reply: String,
    /// It was tried until its time was over; otherwise it was refused for good.
    pub given_up: bool,
}

/// Who is told of a failure: nobody for notices and for the null sender (RFC 5321 6.1).
pub fn report_to(message: &Leased) -> Option<&Address> {
    match message.class {
        Class::Notice => None,
        Class::Mail => message.mail_from.as_ref(),
    }
}

/// The report to `to`, ready to be committed.
pub fn failure_report(
    to: &Address,
    message: &Leased,
    content: &[u8],
    failures: &[Failure],
    hostname: &str,
    now: Timestamp,
) -> NewEntry {
    let id = QueueId::generate(now);
    let text = compose(&id, to, message, content, failures, hostname, now).into_bytes();
    let digest = ring::digest::digest(&ring::digest::SHA256, &text);
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest.as_ref());
    let mut envelope = Envelope::new(None, vec![to.clone()]);
    envelope.smtputf8 = !text.is_ascii();
    envelope.eight_bit = !text.is_ascii();
    NewEntry {
        id,
        class: Class::Notice,
        about: Some(message.id.clone()),
        state: State::Queued,
        envelope,
        content: Arc::from(text),
        sha256,
        report: None,
        at: now,
        client: None,
    }
}

/// The enhanced status code (RFC 3463) of a failure.
fn status(failure: &Failure) -> String {
    if failure.given_up {
        return "4.4.7".to_owned();
    }
    let code = failure.reply.split(' ').nth(1).and_then(Enhanced::parse).filter(|code| code.class == 5);
    code.map_or_else(|| "5.0.0".to_owned(), |code| code.to_string())
}

fn date(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

fn compose(
    id: &QueueId,
    to: &Address,
    message: &Leased,
    content: &[u8],
    failures: &[Failure],
    hostname: &str,
    now: Timestamp,
) -> String {
    // RFC 6533: addresses outside ASCII are written as they are, in a part of another type.
    let global = !to.as_str().is_ascii() || failures.iter().any(|f| !f.address.as_str().is_ascii());
    let (status_type, header_type, address_type, encoding) = match global {
        true => ("message/global-delivery-status", "message/global-headers", "utf-8", "8bit"),
        false => ("message/delivery-status", "text/rfc822-headers", "rfc822", "7bit"),
    };
    let header = quoted_header(content);
    let mut boundary = format!("=_{id}");
    while header.contains(&boundary) {
        boundary.push('=');
    }
    let mut list = String::new();
    let mut fields = String::new();
    for failure in failures {
        let (address, reply) = (&failure.address, ascii(&failure.reply));
        let why = if failure.given_up { "could not be reached in time; last answer: " } else { "refused: " };
        let _ = write!(list, "  {address}\r\n    {why}{reply}\r\n");
        let _ = write!(
            fields,
            "\r\nFinal-Recipient: {address_type}; {address}\r\nAction: failed\r\nStatus: {}\r\n",
            status(failure)
        );
        if reply.bytes().take(3).all(|b| b.is_ascii_digit()) {
            let _ = write!(fields, "Diagnostic-Code: smtp; {reply}\r\n");
        }
        let _ = write!(fields, "Last-Attempt-Date: {}\r\n", date(now));
    }
    let (whom, what) = match failures {
        [_] => ("this recipient", "the address; if it is right,"),
        _ => ("these recipients", "the addresses; if they are right,"),
    };
    let (now, arrived, number) = (date(now), date(message.at), &message.id);
    format!(
        "From: Mail delivery <mailer-daemon@{hostname}>\r\n\
         To: <{to}>\r\n\
         Subject: Your message could not be delivered\r\n\
         Date: {now}\r\n\
         Message-ID: <{id}@{hostname}>\r\n\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         --{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         Your message could not be delivered to {whom}:\r\n\
         \r\n\
         {list}\r\n\
         It will not be tried again. Please check {what}\r\n\
         ask your IT support and give them this number: {number}\r\n\
         \r\n\
         --{boundary}\r\n\
         Content-Type: {status_type}\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         Reporting-MTA: dns; {hostname}\r\n\
         Arrival-Date: {arrived}\r\n\
         {fields}\r\n\
         --{boundary}\r\n\
         Content-Type: {header_type}\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\
         \r\n\
         {header}\r\n\
         --{boundary}--\r\n"
    )
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
    use super::*;
    use crate::store::DueRecipient;

    fn message(sender: Option<&str>, class: Class) -> Leased {
        let address = Address::parse("bob@b.example").unwrap();
        Leased {
            id: QueueId("Q1".into()),
            class,
            mail_from: sender.map(|a| Address::parse(a).unwrap()),
            smtputf8: false,
            eight_bit: false,
            recipients: vec![DueRecipient { position: 0, address, attempts: 0 }],
            sha256: [0; 32],
            may_leave: true,
            at: Timestamp::from_second(1_000_000).unwrap(),
            attempts: 1,
            content: None,
        }
    }

    fn report(failures: &[Failure], content: &[u8]) -> NewEntry {
        let to = Address::parse("amy@school.example").unwrap();
        let now = Timestamp::from_second(2_000_000).unwrap();
        failure_report(&to, &message(Some(to.as_str()), Class::Mail), content, failures, "gate.school.example", now)
    }

    fn failure(address: &str, reply: &str, given_up: bool) -> Failure {
        Failure { address: Address::parse(address).unwrap(), reply: reply.to_owned(), given_up }
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

    #[test]
    fn what_the_peer_said_breaks_out_of_nothing() {
        let entry = report(&[failure("bob@b.example", "550 x\r\nBcc: e@e\r\n\r\n--=_", false)], b"A: \xff\xfe\r\n\r\n");
        let text = String::from_utf8(entry.content.to_vec()).unwrap();
        assert!(!text.contains("\nBcc") && text.is_ascii());
        let utf8 = report(&[failure("bøb@b.example", "550 5.1.1 no", false)], b"A: b\r\n\r\n");
        assert!(utf8.envelope.smtputf8);
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
            assert_eq!(status(&failure("a@b.example", reply, given_up)), wanted, "{reply}");
        }
    }
}
