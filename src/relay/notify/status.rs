//! What became of each recipient, as RFC 3464 writes it for machines.

use crate::limits;

use super::compose::DeliveryStatus;
use super::{About, Failure, clean};

/// The fields of the message, then of each recipient, parted by empty lines. Nothing that came from outside can start a
/// line.
pub fn delivery_status(hostname: &str, about: &About<'_>, failures: &[Failure<'_>]) -> DeliveryStatus {
    let global = failures.iter().any(|failure| !failure.recipient.as_str().is_ascii());
    let arrival = about.at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000");
    let mut text = format!("Reporting-MTA: dns; {hostname}\r\nArrival-Date: {arrival}\r\n");
    for failure in failures {
        let kind = if failure.recipient.as_str().is_ascii() { "rfc822" } else { "utf-8" };
        let address = clean::line(failure.recipient.as_str(), limits::NOTICE_MESSAGE_ID);
        let status = enhanced(failure.status).unwrap_or("5.0.0");
        text.push_str(&format!("\r\nFinal-Recipient: {kind}; {address}\r\nAction: failed\r\nStatus: {status}\r\n"));
        let reply = clean::line(failure.reply, limits::NOTICE_SUBJECT_CHARS);
        if !reply.is_empty() {
            let reply: String = reply.chars().map(|c| if c.is_ascii() || global { c } else { '?' }).collect();
            text.push_str(&format!("Diagnostic-Code: smtp; {reply}\r\n"));
        }
    }
    DeliveryStatus { text, global }
}

/// `4.x.x` or `5.x.x` (RFC 3463 2), which a field may hold as it stands.
fn enhanced(status: &str) -> Option<&str> {
    let codes: Vec<&str> = status.split('.').collect();
    let number = |code: &&str| (1..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    (codes.len() == 3 && matches!(codes[0], "4" | "5") && codes.iter().all(number)).then_some(status)
}
