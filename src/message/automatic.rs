//! Whether a message says of itself that no person wrote it (RFC 3834 5).

use super::Message;

/// Its `Auto-Submitted` says anything but `no`. Of several fields one is enough; parameters and comments do not count
/// (RFC 3834 5: the field is a keyword and what may follow it; RFC 5322 3.2.2: comments).
pub fn is_automatic(message: &Message<'_>) -> bool {
    message.headers_named("Auto-Submitted").any(|header| {
        let keyword = keyword(&header.value);
        !keyword.is_empty() && !keyword.eq_ignore_ascii_case("no")
    })
}

/// The first word outside brackets, up to a semicolon.
fn keyword(value: &str) -> String {
    let mut depth = 0usize;
    let outside = |c: &char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    value.chars().filter(outside).take_while(|c| *c != ';').collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_field_says() {
        for (header, automatic) in [
            ("", false),
            ("Auto-Submitted: no\r\n", false),
            ("auto-submitted: NO\r\n", false),
            ("Auto-Submitted: no; why=\"auto-replied\"\r\n", false),
            ("Auto-Submitted: (a person) no (really)\r\n", false),
            ("Auto-Submitted: \r\n", false),
            ("Auto-Submitted: auto-replied\r\n", true),
            ("Auto-Submitted: auto-generated (rejected)\r\n", true),
            ("AUTO-SUBMITTED:\r\n Auto-Replied; owner=x\r\n", true),
            ("Auto-Submitted: auto-notified\r\n", true),
            ("Auto-Submitted: nobody-knows-this-word\r\n", true),
            ("Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n", true),
            ("Subject: Auto-Submitted: auto-replied\r\n", false),
        ] {
            let raw = format!("{header}From: a@school.example\r\n\r\nAuto-Submitted: auto-replied\r\n");
            assert_eq!(is_automatic(&crate::message::read(raw.as_bytes())), automatic, "{header:?}");
        }
    }
}
