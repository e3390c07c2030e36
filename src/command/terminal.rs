//! Text of mail on a terminal: nothing that came in a message may move the cursor, set a title or reach a clipboard.

use std::io::Write;

/// Writes to standard output. A reader that has gone away (`| head`) is an error like any other, not a panic.
pub fn print(text: &str) -> std::io::Result<()> {
    std::io::stdout().lock().write_all(text.as_bytes())
}

/// Writes one line to standard output, as `println!` does, and gives the error.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::command::terminal::print(&(format!($($text)*) + "\n"))
    };
}
pub(crate) use say;

/// The text with every control, bidirectional and invisible format character shown as an escape (CWE-150).
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if harmful(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// JSON in which the same characters are `\u` escapes, so that it is safe to look at and still the same JSON.
pub fn safe_json(value: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    let mut out = Vec::new();
    write_safe_json(&mut out, value)?;
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

/// As [`safe_json`], written as it is made.
pub fn write_safe_json(out: &mut impl Write, value: &impl serde::Serialize) -> Result<(), serde_json::Error> {
    serde_json::to_writer_pretty(SafeJson(out), value)
}

/// Writes JSON on, with harmful characters as escapes.
struct SafeJson<'w, W>(&'w mut W);

impl<W: Write> Write for SafeJson<'_, W> {
    fn write(&mut self, json: &[u8]) -> std::io::Result<usize> {
        // What is written at once is whole characters: escapes and what stands between them.
        let text = std::str::from_utf8(json).map_err(|_| std::io::ErrorKind::InvalidData)?;
        // serde_json writes line breaks only between values; those inside strings are escapes already.
        write_with(
            self.0,
            text,
            |c| c != '\n' && harmful(c),
            |c, out| {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
            },
        )?;
        Ok(json.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// As [`safe`], written as it is made.
pub fn write_safe(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    write_with(out, text, harmful, |c, out| write!(out, "{}", c.escape_unicode()))
}

/// Writes a text, characters that are `odd` in another way.
fn write_with<W: Write>(
    out: &mut W,
    text: &str,
    odd: impl Fn(char) -> bool,
    otherwise: impl Fn(char, &mut W) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut start = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| odd(*c)) {
        out.write_all(&text.as_bytes()[start..at])?;
        otherwise(c, out)?;
        start = at + c.len_utf8();
    }
    out.write_all(&text.as_bytes()[start..])
}

fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_not_obeyed() {
        for (text, shown) in [
            ("plain – naïve", "plain – naïve"),
            ("\x1b[2Jgone", "\\u{1b}[2Jgone"),
            ("\x1b]52;c;aGk=\x07", "\\u{1b}]52;c;aGk=\\u{7}"),
            ("a\u{9b}31mred", "a\\u{9b}31mred"),
            ("two\r\nlines", "two\\u{d}\\u{a}lines"),
            ("gpj.\u{202e}exe", "gpj.\\u{202e}exe"),
        ] {
            assert_eq!(safe(text), shown);
            let mut written = Vec::new();
            write_safe(&mut written, text).expect("written");
            assert_eq!(written, shown.as_bytes());
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"text": "\u{9b}2J \u{202e} \u{e0041} x\n"});
        let printed = safe_json(&value).expect("serialises");
        assert!(printed.chars().all(|c| c == '\n' || !harmful(c)), "{printed}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).expect("parses"), value);
    }
}
