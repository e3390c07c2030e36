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
    let json = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // serde_json writes line breaks only between values; those inside strings are escapes already.
        if c != '\n' && harmful(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Ok(out)
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
