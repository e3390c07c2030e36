//! Tags of a page that have more attributes than anybody writes: the tokeniser compares each attribute with all before it,
//! so that a single tag of a megabyte would take it minutes.
//!
//! Knows how a tag is written (HTML 13.2.5.8 to 13.2.5.40), never whether a `<` stands in a comment, a script or another
//! tag's value: each may begin a tag. Looks at each octet once.

use std::borrow::Cow;

use crate::limits;

/// Where in a tag a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Tag,
    Before,
    Name,
    After,
    BeforeValue,
    Double,
    Single,
    Bare,
}

/// Ends a tag, whatever is open in it.
const END: &str = "'\">";

/// The page with an end put behind the last attribute of a tag that is compared; what follows is text then. The same page where
/// no tag has so many.
pub fn bounded(html: &str) -> Cow<'_, str> {
    let bytes = html.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    // A tag for each `<` that may have begun one, with its attributes so far. Those in the same state go on alike.
    let mut open: Vec<(State, usize)> = Vec::new();
    while at < bytes.len() {
        if open.is_empty() {
            let Some(next) = memchr::memchr(b'<', &bytes[at..]) else { break };
            at += next;
        }
        let byte = bytes[at];
        let mut next: Vec<(State, usize)> = std::mem::take(&mut open);
        next.retain_mut(|(state, count)| step(byte, state, count));
        for (state, count) in next {
            merge(&mut open, state, count);
        }
        if open.iter().any(|(_, count)| *count > limits::PAGE_ATTRIBUTES) {
            // An attribute begins with the octet, which is no part of a longer letter: it is the first of one.
            out.push_str(&html[copied..at]);
            out.push_str(END);
            copied = at;
            open.clear();
        }
        if byte == b'<' {
            let name = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'/'));
            if bytes.get(name).is_some_and(u8::is_ascii_alphabetic) {
                merge(&mut open, State::Tag, 0);
                // The stroke of an end tag is none between attributes.
                if name == at + 2 && open.len() == 1 {
                    at += 1;
                }
            }
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(&html[copied..]);
    Cow::Owned(out)
}

fn merge(open: &mut Vec<(State, usize)>, state: State, count: usize) {
    match open.iter_mut().find(|(known, _)| *known == state) {
        Some((_, most)) => *most = count.max(*most),
        None => open.push((state, count)),
    }
}

/// The state behind an octet; false where the tag ends with it.
fn step(byte: u8, state: &mut State, count: &mut usize) -> bool {
    let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c);
    let was = *state;
    *state = match (was, byte) {
        (State::Double, b'"') | (State::Single, b'\'') => State::Before,
        (State::Double | State::Single, _) => was,
        (_, b'>') => return false,
        (State::Tag | State::Bare, _) if blank => State::Before,
        (State::Bare, _) => State::Bare,
        (State::BeforeValue, b'"') => State::Double,
        (State::BeforeValue, b'\'') => State::Single,
        (State::BeforeValue, _) => {
            if blank {
                was
            } else {
                State::Bare
            }
        }
        (_, b'/') => State::Before,
        (State::Tag, _) => State::Tag,
        (State::Name, _) if blank => State::After,
        (State::Before | State::After, _) if blank => was,
        (State::Name | State::After, b'=') => State::BeforeValue,
        (State::Name, _) => State::Name,
        (State::Before | State::After, _) => {
            *count += 1;
            State::Name
        }
    };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_with_more_attributes_than_are_compared_end() {
        let many = |n: usize| (0..n).map(|n| format!(" a{n}=\"b c/d\"")).collect::<String>();
        let most = limits::PAGE_ATTRIBUTES;
        for (page, ends) in [
            (format!("<p{}>Amy", many(most)), 0),
            (format!("<p{}>Amy", many(most + 1)), 1),
            (format!("</p{}>Amy", many(most + 1)), 1),
            (format!("<p{}>Amy", " a".repeat(most + 1)), 1),
            (format!("<p{}>Amy", "/a".repeat(most + 1)), 1),
            (format!("<p {}>Amy", "a=''".repeat(most + 1)), 1),
            // A tag that begins inside what looks like the value of another.
            (format!("<!-- <a b=\" --><p{}>Amy", many(most + 1)), 1),
            // Ordinary: values with blanks and strokes in them, words behind tags, no tag.
            (format!("<img src=\"data:image/png;base64,{}\">", "ab/ c".repeat(most)), 0),
            (format!("<p style='{}'>{}", "a: b; ".repeat(most), "Amy Smith ".repeat(most)), 0),
            (format!("1 < 2 {}", "Amy Smith ".repeat(most)), 0),
            ("<p a>Zo\u{eb}</p>".repeat(most), 0),
        ] {
            assert_eq!(bounded(&page).matches(END).count(), ends, "{}", &page[..40]);
        }
    }
}
