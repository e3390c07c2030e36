//! Text that came from outside made safe for a notice: one line, no controls, nothing invisible, not too long.

/// One line of at most `limit` characters: controls and line breaks become spaces, invisible and direction-changing
/// characters go, runs of spaces become one. What is cut ends in an ellipsis.
pub fn line(text: &str, limit: usize) -> String {
    let visible = text.chars().filter(|&c| !is_invisible(c)).map(|c| if c.is_control() { ' ' } else { c });
    // Reads no further than it must: a subject may be as long as its sender likes.
    let mut line = String::new();
    let mut space = false;
    for (taken, c) in visible.skip_while(|c| c.is_whitespace()).enumerate() {
        if taken >= limit {
            line.push('…');
            break;
        }
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            line.push(' ');
        }
        line.push(c);
    }
    line
}

/// As [`line()`], keeping line breaks: what a reviewer wrote.
pub fn lines(text: &str, limit: usize) -> String {
    let short: String = text.chars().take(limit).collect();
    short.lines().map(|l| line(l, limit)).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Zero-width, direction-changing, tag and line-separating characters (Unicode general categories Cf, Zl, Zp as far as
/// mail shows them).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// A Message-ID fit to be repeated in a header: `<…@…>`, printable ASCII, short enough for one line (RFC 5322 3.6.4, 2.1.1).
pub fn is_message_id(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or("");
    text.len() <= crate::limits::NOTICE_MESSAGE_ID
        && inner.split('@').count() == 2
        && !inner.starts_with('@')
        && !inner.ends_with('@')
        && inner.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'(' | b')' | b',' | b';'))
}

/// Breaks lines of more than `width` characters at spaces; what follows is indented as far as the line was, past a
/// leading `- ` or `1. `. A word longer than that, such as an address, is left whole.
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines().map(str::trim_end) {
        if line.chars().count() <= width {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let marker = line.trim_start().split_once(' ').map_or(0, |(first, _)| {
            let numbered = first.ends_with('.') && first.trim_end_matches('.').parse::<u8>().is_ok();
            if first == "-" || numbered { first.len() + 1 } else { 0 }
        });
        let mut used = indent;
        out.push_str(&line[..indent]);
        for (i, word) in line.split_whitespace().enumerate() {
            let length = word.chars().count();
            if i > 0 && used + 1 + length > width {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent + marker));
                used = indent + marker;
            } else if i > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += length;
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_one_harmless_line() {
        for (given, expected) in [
            ("Year 6 trip", "Year 6 trip"),
            ("a\r\nBcc: x@y.example\r\n\r\nbody", "a Bcc: x@y.example body"),
            ("\u{202E}gpj.exe\u{202C}", "gpj.exe"),
            ("zero\u{200B}width \u{FEFF}mark", "zerowidth mark"),
            ("bell\u{7}\u{1B}[2J", "bell [2J"),
            ("  spaced\t\tout  ", "spaced out"),
            ("two\u{2028}lines", "twolines"),
            ("", ""),
        ] {
            assert_eq!(line(given, 60), expected, "{given:?}");
        }
        let long = line(&"x".repeat(10_000), 60);
        assert_eq!((long.chars().count(), long.ends_with('…')), (61, true));
    }

    #[test]
    fn message_ids_are_repeated_only_when_sane() {
        for (id, sane) in [
            ("<a@b.example>", true),
            ("<LO2P86A.7E6B@LO2P265MB.school.example>", true),
            ("a@b.example", false),
            ("<a@b.example>\r\nBcc: x@y.example", false),
            ("<a b@c.example>", false),
            ("<a@b@c.example>", false),
            ("<@b.example>", false),
            ("<é@b.example>", false),
            ("<>", false),
        ] {
            assert_eq!(is_message_id(id), sane, "{id:?}");
        }
        assert!(!is_message_id(&format!("<{}@b.example>", "x".repeat(2_000))));
    }

    #[test]
    fn wrapped_lines_keep_their_indent() {
        assert_eq!(wrap("- one two three four", 12), "- one two\n  three four\n");
        assert_eq!(wrap("  1. one two three", 12), "  1. one two\n     three\n");
        assert_eq!(wrap("averyveryverylongaddress@example", 12), "averyveryverylongaddress@example\n");
        assert_eq!(wrap("a\n\nb   c  ", 12), "a\n\nb   c\n");
    }
}
