//! Names that a program has spoilt on their way into a list: character references of HTML (`O&#39;Brien`), and UTF-8 that
//! was taken for Windows-1252 and encoded again (`SiÃ¢n`). Both are undone where what stands there cannot be meant and
//! what comes out can; whoever calls reports it.

use std::borrow::Cow;

use crate::limits;
use crate::text::decoded_again;

/// The text as it was meant, and what was done to it in plain words; `None` where nothing is to be undone.
pub fn repair(text: &str) -> Option<(String, &'static str)> {
    let (mut now, mut references, mut encoding) = (Cow::Borrowed(text), false, false);
    for _ in 0..limits::ROSTER_REPAIRS {
        let before = now.clone();
        if let Some(plain) = without_references(&now) {
            (now, references) = (Cow::Owned(plain), true);
        }
        if let Some(plain) = decoded_again(&now) {
            (now, encoding) = (Cow::Owned(plain), true);
        }
        if now == before {
            break;
        }
    }
    let what = match (references, encoding) {
        (false, false) => return None,
        (true, false) => "had character references of HTML (&#39;), which were undone",
        (false, true) => "was UTF-8 taken for Windows-1252 (Ã©), which was undone",
        (true, true) => "had character references of HTML, and UTF-8 taken for Windows-1252; both were undone",
    };
    Some((now.into_owned(), what))
}

/// The text with every character reference resolved that HTML knows and that stands for something to be read.
fn without_references(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut found) = (text, false);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(limits::ROSTER_REFERENCE + 2).position(|byte| byte == b';');
        match end.and_then(|end| Some((end, referred(&rest[1..end])?))) {
            Some((end, meant)) => {
                out.push_str(&meant);
                rest = &rest[end + 1..];
                found = true;
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

/// What `#39`, `#xE2` or `acirc` stands for.
fn referred(name: &str) -> Option<String> {
    let good = |c: char| !c.is_control() && c != '\u{fffd}';
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        // HTML reads the numbers between as Windows-1252: `&#146;` is an apostrophe.
        let meant = match u8::try_from(code) {
            Ok(byte @ 0x80..=0x9f) => {
                encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next()?
            }
            _ => char::from_u32(code)?,
        };
        return good(meant).then(|| meant.to_string());
    }
    if name == "nbsp" {
        return Some(" ".to_owned());
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let reference = format!("&{name};");
    let meant = mail_parser::decoders::html::html_to_text(&reference);
    let meant = meant.trim_matches(['\r', '\n']);
    (meant != reference && meant.chars().count() == 1 && meant.chars().all(good)).then(|| meant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::repair;

    #[test]
    fn what_is_undone_and_what_stays() {
        for (spoilt, meant) in [
            ("O&#39;Brien", "O'Brien"),
            ("O&#x27;Brien", "O'Brien"),
            ("O&#146;Brien", "O’Brien"),
            ("Si&acirc;n", "Siân"),
            ("Zo&euml; &amp; Co", "Zoë & Co"),
            ("O&amp;#39;Brien", "O'Brien"),
            ("&Scaron;imon", "Šimon"),
            ("Anne&nbsp;Marie", "Anne Marie"),
            ("SiÃ¢n", "Siân"),
            ("ZoÃ« Rowley-EsmÃ©", "Zoë Rowley-Esmé"),
            ("Oâ€™Brien", "O’Brien"),
            ("Sean â€“ known as", "Sean – known as"),
            ("Å\u{81}ukasz", "Łukasz"),
            ("PaweÅ‚", "Paweł"),
            ("YaÄŸmur", "Yağmur"),
            ("Åšliwa", "Śliwa"),
            ("SiÃƒÂ¢n", "Siân"),
            ("ZoÃ« MÃ¼ller-Ångström", "Zoë Müller-Ångström"),
            ("O\u{e2}\u{80}\u{99}Brien", "O’Brien"),
        ] {
            assert_eq!(repair(spoilt).map(|(text, _)| text).as_deref(), Some(meant), "{spoilt}");
        }
        for sound in [
            "Siân",
            "JOÃO",
            "João",
            "NÍŽEK",
            "ŠÁŠA",
            "Ångström",
            "Ní Bhriain",
            "Müller",
            "São Tomé",
            "Marks & Spencer; Co",
            "R&D;",
            "a&b;c",
            "&;",
            "&#0;",
            "&#55296;",
            "Tom & Jo",
            "Ã",
            "",
        ] {
            assert_eq!(repair(sound), None, "{sound}");
        }
    }
}
