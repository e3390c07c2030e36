//! Calendar entries and contact cards (RFC 5545, RFC 6350): the lines that carry words, unfolded and unescaped. What is HTML
//! there (`X-ALT-DESC`, which Outlook and Google show in place of the description, and `ALTREP`) is read as HTML.

use super::{html, lines, pasted};
use crate::text::Block;

/// Properties without words of a person.
const MACHINE: &[&str] = &[
    "BEGIN",
    "END",
    "VERSION",
    "PRODID",
    "METHOD",
    "UID",
    "SEQUENCE",
    "TRANSP",
    "CLASS",
    "CALSCALE",
    "TZID",
    "TZNAME",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "RRULE",
    "ACTION",
    "TRIGGER",
    "PRIORITY",
    "STATUS",
    "PHOTO",
    "LOGO",
    "KEY",
    "REV",
    "DTSTAMP",
    "CREATED",
    "LAST-MODIFIED",
    "REFRESH-INTERVAL",
];

/// One paragraph for each entry or card, a line for each property; names of attendees stand in their parameters.
pub fn read(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Vec<String> = Vec::new();
    for line in unfold(text) {
        let Some((head, value)) = split_property(&line) else {
            open.push(line);
            continue;
        };
        let name = head.split([';', '.']).next().unwrap_or_default().to_ascii_uppercase();
        if matches!(name.as_str(), "BEGIN" | "END") {
            flush(&mut open, &mut blocks);
            continue;
        }
        // A link in a parameter leads to what is shown in place of the value, or beside it.
        open.extend(head.split('"').skip(1).step_by(2).filter(|said| is_link(said)).map(str::to_owned));
        if MACHINE.contains(&name.as_str()) && is_link(value) {
            open.push(unescape(value));
            continue;
        }
        if MACHINE.contains(&name.as_str()) || name.starts_with("X-MICROSOFT") {
            continue;
        }
        if let Some(common) = head.split(';').find_map(|p| p.strip_prefix("CN=").or_else(|| p.strip_prefix("cn="))) {
            open.push(common.trim_matches('"').to_owned());
        }
        for page in pasted::data_uris(head) {
            page_blocks(&crate::message::guess_text(&page), &mut blocks);
        }
        if name == "X-ALT-DESC" || head.to_ascii_lowercase().contains("fmttype=text/html") {
            page_blocks(&unescape(value), &mut blocks);
            continue;
        }
        let value = if name == "N" { value.replace(';', " ") } else { value.to_owned() };
        let value = unescape(&value);
        if name.starts_with("DT") || name == "BDAY" {
            open.push(format!("{}: {}", label(&name), spaced_date(&value)));
        } else if is_link(&value) {
            open.push(value);
        } else if head.contains("ENCODING=B") || value.len() > 200 && is_machine_text(&value) {
            continue;
        } else if matches!(name.as_str(), "ATTENDEE" | "ORGANIZER") {
            open.push(value.trim_start_matches("mailto:").trim_start_matches("MAILTO:").to_owned());
        } else {
            open.push(value);
        }
    }
    flush(&mut open, &mut blocks);
    blocks
}

/// What a page says, beside the properties that have been read so far.
fn page_blocks(page: &str, blocks: &mut Vec<Block>) {
    blocks.append(&mut lines::blocks(html::pieces(page)));
}

fn flush(open: &mut Vec<String>, blocks: &mut Vec<Block>) {
    let text = std::mem::take(open).join("\n");
    if !text.trim().is_empty() {
        blocks.push(Block::paragraph(text));
    }
}

/// Folded lines begin with one blank, which is not theirs (RFC 5545 3.1).
fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

fn split_property(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    })?;
    Some((&line[..colon.0], &line[colon.0 + 1..]))
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    out
}

fn is_link(value: &str) -> bool {
    value.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) && value.contains("://")
}

/// Content in base64, which is looked for elsewhere.
fn is_machine_text(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
}

fn label(name: &str) -> &'static str {
    match name {
        "BDAY" => "Birthday",
        "DTEND" => "End",
        _ => "Start",
    }
}

/// `20151103` as `2015-11-03`, so that it reads as the date it is.
fn spaced_date(value: &str) -> String {
    let digits = value.len() >= 8 && value.as_bytes()[..8].iter().all(u8::is_ascii_digit);
    if digits { format!("{}-{}-{}{}", &value[..4], &value[4..6], &value[6..8], &value[8..]) } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_cards() {
        for (text, expected) in [
            (
                "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Review for Amy Sm\r\n ith\r\nDESCRIPTION:Asthma\\, new\\nplan\r\nDTSTART:20261103T100000\r\nATTENDEE;CN=\"Bell, Jo\":mailto:jo@x.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                "Review for Amy Smith\nAsthma, new\nplan\nStart: 2026-11-03T100000\nBell, Jo\njo@x.example",
            ),
            (
                "BEGIN:VCARD\nN:Smith;Amy;;;\nBDAY:20151103\nPHOTO;ENCODING=B:AAAA\nEND:VCARD\n",
                "Smith Amy   \nBirthday: 2015-11-03",
            ),
        ] {
            assert_eq!(read(text), [Block::paragraph(expected)]);
        }
    }

    #[test]
    fn pages_in_entries_are_read_as_pages() {
        for (line, expected) in [
            (
                "X-ALT-DESC;FMTTYPE=text/html:<html><body><p>Am<b></b>y Smi<i>th</i>\\, asthma</p></body></html>",
                "Amy Smith, asthma",
            ),
            ("x-alt-desc:<p>Amy&nbsp\\;Smi\r\n <!-- -->th<br>EHCP", "Amy Smith\nEHCP"),
            ("DESCRIPTION;FMTTYPE=Text/HTML:<p>A<b>m</b>y</p>", "Amy"),
            ("DESCRIPTION;ALTREP=\"data:text/html,%3Cp%3EA%3Cb%3Em%3C/b%3Ey%3C/p%3E\":x", "Amy"),
        ] {
            let text = format!("BEGIN:VEVENT\r\nSUMMARY:x\r\n{line}\r\nEND:VEVENT\r\n");
            assert!(read(&text).contains(&Block::paragraph(expected)), "{text}: {:?}", read(&text));
        }
        let long = format!("DESCRIPTION:{}", "Amy_Smith\u{a0}".repeat(40));
        assert_eq!(read(&long).len(), 1);
        assert_eq!(read(&format!("X:{}", "QW15".repeat(80))), []);
    }
}
