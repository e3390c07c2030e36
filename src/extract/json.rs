//! Escapes of JSON (RFC 8259 7): `\u00eb` is a letter to whoever shows the file, so it is one here.
//!
//! Knows nothing of what the values mean: they stay lines of text.

/// The text with the escapes of its strings undone, where it is JSON (lines of it included); else as it is.
pub fn unescaped(text: String) -> String {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if !start.starts_with(['{', '[', '"']) || !text.contains('\\') {
        return text;
    }
    let whole =
        serde_json::Deserializer::from_str(start).into_iter::<serde::de::IgnoredAny>().all(|value| value.is_ok());
    undone(&text, whole)
}

/// Undoes `\uXXXX` always, and every other escape where `all` is wanted; what is no escape stays.
pub fn undone(text: &str, all: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((c, length)) = letter(rest) {
            out.push(c);
            rest = &rest[length..];
            continue;
        }
        let plain = match rest.as_bytes().get(1) {
            Some(b'n' | b'r') if all => Some('\n'),
            Some(b't') if all => Some('\t'),
            Some(b'b' | b'f') if all => Some(' '),
            Some(&quoted @ (b'"' | b'/' | b'\\')) if all => Some(quoted.into()),
            _ => None,
        };
        out.push(plain.unwrap_or('\\'));
        rest = &rest[if plain.is_some() { 2 } else { 1 }..];
    }
    out.push_str(rest);
    out
}

/// One letter that `\uXXXX` stands for, or two of them as halves of one, and how long that is.
fn letter(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits =
            text.get(from..from + 6)?.strip_prefix("\\u").filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let Some(c) = char::from_u32(first.into()) {
        return Some((c, 6));
    }
    let both = unit(6).map(|second| char::decode_utf16([first, second]).next());
    match both {
        Some(Some(Ok(c))) => Some((c, 12)),
        // Half a letter is none.
        _ => Some(('\u{fffd}', 6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_where_they_are_some() {
        for (text, expected) in [
            (r#"{"name": "Zo\u00eb Smith"}"#, "{\"name\": \"Zo\u{eb} Smith\"}"),
            (r#"["A\ud83d\ude00", "a\nb\/c \"d\""]"#, "[\"A\u{1f600}\", \"a\nb/c \"d\"\"]"),
            ("{\"a\":\"\\u0041my\"}\n{\"b\":\"x\\ty\"}\n", "{\"a\":\"Amy\"}\n{\"b\":\"x\ty\"}\n"),
            // No JSON as a whole: what can be nothing else is undone.
            (r"[paths] C:\new\table \u0041my", r"[paths] C:\new\table Amy"),
            (r#"["\ud83d"]"#, "[\"\u{fffd}\"]"),
            (r"Dear C:\users", r"Dear C:\users"),
        ] {
            assert_eq!(unescaped(text.to_owned()), expected, "{text}");
        }
    }
}
