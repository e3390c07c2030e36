//! What a style sheet of a page writes into it: the strings of `content` and of properties of its own (CSS Generated Content,
//! CSS Syntax 4.3.7). Knows no page, and reads each letter of a style once.

/// The strings of `content` and of a style's own properties (`--name`), their escapes undone (CSS Syntax 4.3.7).
pub fn written_by_style(style: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = style;
    while let Some(colon) = rest.find(':') {
        let property =
            rest[..colon].trim_end().rsplit([';', '{', '}', '/', ' ', '\n', '\t']).next().unwrap_or_default();
        let shows = property.eq_ignore_ascii_case("content") || property.starts_with("--");
        rest = &rest[colon + 1..];
        if shows {
            let (text, length) = strings_of_value(rest);
            found.push(text);
            rest = &rest[length..];
        }
    }
    found
}

/// All strings of a value, joined, and where it ends.
fn strings_of_value(value: &str) -> (String, usize) {
    let mut out = String::new();
    let mut open: Option<char> = None;
    let mut chars = value.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, open) {
            ('\\', Some(_)) => {
                let mut code = 0u32;
                let mut digits = 0;
                while let Some((_, c)) = chars.next_if(|(_, c)| digits < 6 && c.is_ascii_hexdigit()) {
                    code = code * 16 + c.to_digit(16).unwrap_or(0);
                    digits += 1;
                }
                if digits > 0 {
                    // One blank ends the number and is no part of the text.
                    let _ = chars.next_if(|(_, c)| c.is_ascii_whitespace());
                    out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                } else if let Some((_, c)) = chars.next()
                    && c != '\n'
                {
                    out.push(c);
                }
            }
            (c, Some(quote)) if c == quote => open = None,
            (c, Some(_)) => out.push(c),
            ('"' | '\'', None) => open = Some(c),
            (';' | '}', None) => return (out, at),
            _ => {}
        }
    }
    (out, value.len())
}
