//! Where the body of a page ends: before its last `</body>`, outside comments, scripts, styles and tags (HTML 13.2.5).

use std::ops::Range;

/// Where words can stand that everybody sees: an offset into the page; `None` where it ends inside something that hides them.
///
/// Bytes, because every charset that says ASCII as ASCII has these signs nowhere else.
pub fn place(page: &[u8]) -> Option<usize> {
    let mut body = None;
    let whole = walk(page, |seen| {
        if let Seen::BodyEnds(at) = seen {
            body = Some(at);
        }
    });
    body.or(whole.then_some(page.len()))
}

/// What a reader reads of it.
pub fn text(page: &str) -> String {
    let mut shown = String::with_capacity(page.len());
    walk(page.as_bytes(), |seen| {
        if let Seen::Text(text) = seen {
            shown.push_str(page.get(text).unwrap_or_default());
        }
    });
    // Without tags, so that references alone are read.
    mail_parser::decoders::html::html_to_text(&shown.replace(['<', '>'], " "))
}

/// What is met on the way through a page.
enum Seen {
    Text(Range<usize>),
    BodyEnds(usize),
}

/// Goes through a page; whether it ends where text is shown.
fn walk(page: &[u8], mut meet: impl FnMut(Seen)) -> bool {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', &page[at..]) {
        let start = at + found;
        meet(Seen::Text(at..start));
        let rest = &page[start + 1..];
        let next = match rest {
            [b'!', b'-', b'-', ..] => after_comment(page, start + 4),
            [b'/', letter, ..] if letter.is_ascii_alphabetic() => {
                let end = after_tag(page, start + 2);
                if end.is_some() && is_named(&rest[1..], b"body") {
                    meet(Seen::BodyEnds(start));
                }
                end
            }
            [b'!' | b'?', ..] | [b'/', _, ..] => memchr::memchr(b'>', rest).map(|end| start + end + 2),
            [letter, ..] if letter.is_ascii_alphabetic() => after_tag(page, start + 1).and_then(|end| {
                let closed = page[..end].ends_with(b"/>");
                match HIDING.iter().find(|name| is_named(rest, name)) {
                    Some(&(b"svg" | b"math")) if closed => Some(end),
                    Some(name) => after_hiding(page, end, name),
                    None if is_named(rest, b"plaintext") => None,
                    None => Some(end),
                }
            }),
            _ => Some(start + 1),
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    meet(Seen::Text(at..page.len()));
    true
}

/// Elements whose content is no mark-up, or is not shown.
const HIDING: &[&[u8]] = &[
    b"script",
    b"style",
    b"textarea",
    b"title",
    b"xmp",
    b"iframe",
    b"noembed",
    b"noframes",
    b"template",
    b"select",
    b"svg",
    b"math",
    b"object",
    b"audio",
    b"video",
    b"canvas",
];

/// The name of a tag, whatever follows it.
fn is_named(tag: &[u8], name: &[u8]) -> bool {
    tag.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name))
        && tag.get(name.len()).is_none_or(|next| next.is_ascii_whitespace() || matches!(next, b'/' | b'>'))
}

fn after_comment(page: &[u8], from: usize) -> Option<usize> {
    let rest = page.get(from..)?;
    if rest.starts_with(b">") {
        return Some(from + 1);
    }
    if rest.starts_with(b"->") {
        return Some(from + 2);
    }
    // `--!>` ends one too.
    memchr::memmem::find_iter(rest, b"--").find_map(|at| match rest.get(at + 2..)? {
        [b'>', ..] => Some(from + at + 3),
        [b'!', b'>', ..] => Some(from + at + 4),
        _ => None,
    })
}

/// Behind the `>` of a tag, those in quoted values left out.
fn after_tag(page: &[u8], from: usize) -> Option<usize> {
    let (mut quote, mut before_value) = (None, false);
    for (at, &byte) in page.iter().enumerate().skip(from) {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') if before_value => quote = Some(byte),
            (None, b'=') => before_value = true,
            (None, byte) if byte.is_ascii_whitespace() => {}
            (None, _) => before_value = false,
        }
    }
    None
}

fn after_hiding(page: &[u8], from: usize, name: &[u8]) -> Option<usize> {
    let mut at = from;
    loop {
        let start = at + memchr::memmem::find(page.get(at..)?, b"</")?;
        if is_named(&page[start + 2..], name) {
            return after_tag(page, start + 2);
        }
        at = start + 2;
    }
}
