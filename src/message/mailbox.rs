//! Address lists of From, Sender, To and Cc (RFC 5322 3.4), read from the undecoded value.
//!
//! An encoded word can never bring in an address: decoding is for the display name alone.

use super::encoded_word::{self, Next};

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
    let mut ends = Next::of(raw, |text| text.find("?="));
    let mut blanks = Next::of(raw, |text| text.find([' ', '\t']));
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
                let end = text_of_encoded_word(raw, at).and_then(|text| ends.from(text)).map(|end| end + 2);
                let end = end.filter(|end| blanks.from(at).is_none_or(|blank| blank >= *end));
                let length = end.map_or(1, |end| end - at);
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

/// Where the text of an encoded word begins that begins at `at`.
fn text_of_encoded_word(raw: &str, at: usize) -> Option<usize> {
    let mut marks = raw[at..].match_indices('?').map(|(i, _)| at + i).skip(1);
    let (_charset, encoding) = (marks.next()?, marks.next()?);
    Some(encoding + 1)
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
        // The name is that of the first; a long one before thousands of addresses would be kept thousands of times.
        let mut display = display(words);
        for angle in &item.angles {
            let address = without_route(angle).trim().to_owned();
            found.push(Mailbox { display: std::mem::take(&mut display), address });
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

    #[test]
    fn a_name_is_kept_once_and_letters_are_looked_at_once() {
        let name = "Amy ".repeat(100_000);
        let list = parse_list(&format!("{name}{}", "<a@b>".repeat(20_000)));
        assert_eq!(list.len(), 20_000);
        assert_eq!(list.iter().map(|mailbox| mailbox.display.len()).sum::<usize>(), name.trim().len());
        // Encoded words without an end, and with one that is far off.
        for end in ["", "?="] {
            assert_eq!(parse_list(&("=?a?q".repeat(200_000) + " " + end)).len(), 1);
            assert!(!encoded_word::decode(&("=?a?b? ".repeat(200_000) + end)).is_empty());
        }
        let mut calls = 0;
        let text = "a?=b?=c";
        let counted = std::cell::RefCell::new(&mut calls);
        let mut ends = Next::of(text, |rest| {
            **counted.borrow_mut() += 1;
            rest.find("?=")
        });
        let found: Vec<Option<usize>> = (0..text.len()).map(|at| ends.from(at)).collect();
        assert_eq!(found, [Some(1), Some(1), Some(4), Some(4), Some(4), None, None]);
        assert_eq!(calls, 3);
    }
}
