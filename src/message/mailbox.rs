//! Address lists of From, Sender, To and Cc (RFC 5322 3.4), read from the undecoded value.
//!
//! An encoded word can never bring in an address: decoding is for the display name alone.

use super::encoded_word;

/// A display name with its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Decoded; empty where there is none.
    pub display: String,
    /// As written between the angle brackets, without a source route.
    pub address: String,
}

/// All mailboxes of an unfolded value; groups are flattened.
pub fn parse_list(raw: &str) -> Vec<Mailbox> {
    let mut found = Vec::new();
    let mut item = Item::default();
    let mut chars = raw.char_indices().peekable();
    let (mut in_quotes, mut depth) = (false, 0usize);
    while let Some((at, c)) = chars.next() {
        if depth > 0 {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\\' => {
                    item.comment.extend(chars.next().map(|(_, c)| c));
                    continue;
                }
                _ => {}
            }
            if depth > 0 {
                item.comment.push(c);
            }
            continue;
        }
        match c {
            '\\' if in_quotes => item.push_plain(chars.next().map(|(_, c)| c)),
            '"' => {
                in_quotes = !in_quotes;
                item.quote();
            }
            _ if in_quotes => item.push_plain(Some(c)),
            '=' if raw[at..].starts_with("=?") => {
                // An encoded word is one token, whatever commas it holds.
                let length = encoded_word_length(&raw[at..]).unwrap_or(1);
                item.push_plain(raw[at..at + length].chars());
                while chars.next_if(|(i, _)| *i < at + length).is_some() {}
            }
            '(' => depth = 1,
            '<' => item.open(),
            '>' => item.close(),
            ',' | ';' if !item.in_angle => item.finish(&mut found),
            ':' if !item.in_angle && item.angles.is_empty() => item = Item::default(),
            c => item.push(c),
        }
    }
    item.finish(&mut found);
    found
}

fn encoded_word_length(text: &str) -> Option<usize> {
    let mut marks = text.match_indices('?').map(|(i, _)| i).skip(1);
    let (_charset, encoding) = (marks.next()?, marks.next()?);
    let end = text[encoding + 1..].find("?=")? + encoding + 1 + 2;
    (!text[..end].contains([' ', '\t'])).then_some(end)
}

#[derive(Default)]
struct Item {
    /// Words outside angle brackets, quotes undone.
    words: String,
    /// The same as written, for an address without angle brackets.
    bare: String,
    comment: String,
    angles: Vec<String>,
    in_angle: bool,
}

impl Item {
    fn push(&mut self, c: char) {
        if self.in_angle {
            if let Some(angle) = self.angles.last_mut() {
                angle.push(c);
            }
        } else {
            self.words.push(c);
            self.bare.push(c);
        }
    }

    fn push_plain(&mut self, text: impl IntoIterator<Item = char>) {
        text.into_iter().for_each(|c| self.push(c));
    }

    fn quote(&mut self) {
        if self.in_angle {
            self.push('"');
        } else {
            self.bare.push('"');
        }
    }

    fn open(&mut self) {
        self.in_angle = true;
        self.angles.push(String::new());
    }

    fn close(&mut self) {
        self.in_angle = false;
    }

    fn finish(&mut self, found: &mut Vec<Mailbox>) {
        let item = std::mem::take(self);
        let display = |text: &str| encoded_word::decode(text.trim()).split_whitespace().collect::<Vec<_>>().join(" ");
        if item.angles.is_empty() {
            let address = item.bare.trim().to_owned();
            if !address.is_empty() {
                found.push(Mailbox { display: display(&item.comment), address });
            }
            return;
        }
        let words = if item.words.trim().is_empty() { &item.comment } else { &item.words };
        for angle in &item.angles {
            found.push(Mailbox { display: display(words), address: without_route(angle).trim().to_owned() });
        }
    }
}

/// `@relay.example:amy@school.example` (RFC 5321 4.1.1.3, obsolete) without the route.
fn without_route(path: &str) -> &str {
    match path.trim_start().strip_prefix('@').and_then(|rest| rest.split_once(':')) {
        Some((_, address)) => address,
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        for (raw, expected) in [
            ("a@b.example", vec![("", "a@b.example")]),
            ("Amy Smith <a@b.example>", vec![("Amy Smith", "a@b.example")]),
            ("\"Smith, Amy\" <a@b.example>, c@d", vec![("Smith, Amy", "a@b.example"), ("", "c@d")]),
            ("a@b.example (Amy Smith)", vec![("Amy Smith", "a@b.example")]),
            ("Parents: a@b, C <c@d>;, e@f", vec![("", "a@b"), ("C", "c@d"), ("", "e@f")]),
            ("=?utf-8?Q?Smith,_Zo=C3=AB?= <z@b>", vec![("Smith, Zoë", "z@b")]),
            ("=?utf-8?Q?x=40evil.example?= <z@b>", vec![("x@evil.example", "z@b")]),
            ("<@r.example:a@b>", vec![("", "a@b")]),
            ("\"a@b\" <c@d>", vec![("a@b", "c@d")]),
            ("<a@b> <c@d>", vec![("", "a@b"), ("", "c@d")]),
            ("\"quo ted\"@b", vec![("", "\"quo ted\"@b")]),
            ("undisclosed-recipients:;", vec![]),
            ("", vec![]),
            ("Amy <a@b", vec![("Amy", "a@b")]),
        ] {
            let expected: Vec<Mailbox> =
                expected.into_iter().map(|(d, a)| Mailbox { display: d.into(), address: a.into() }).collect();
            assert_eq!(parse_list(raw), expected, "{raw}");
        }
    }
}
