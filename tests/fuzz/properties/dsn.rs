//! What is asked of reports: xtext, NOTIFY, RET, ENVID, ORCPT. What is read is written as it came, and shows no control character.

use schoolgate::smtp::dsn::{EnvelopeId, Notify, OriginalRecipient, Ret};
use schoolgate::smtp::xtext;

/// Lines, each a value.
pub fn holds(input: &[u8]) {
    for line in String::from_utf8_lossy(input).split('\n') {
        if let Some(octets) = xtext::decoded(line) {
            assert!(line.is_ascii() && octets.len() <= line.len());
            let encoded: String = octets.iter().map(|octet| format!("+{octet:02X}")).collect();
            assert_eq!(xtext::decoded(&encoded), Some(octets));
        }
        if let Some(notify) = Notify::parse(line) {
            assert_eq!(Notify::parse(&notify.to_string()), Some(notify));
        }
        if let Some(ret) = Ret::parse(line) {
            assert_eq!(Ret::parse(ret.as_str()), Some(ret));
        }
        if let Some(id) = EnvelopeId::parse(line) {
            assert_eq!(id.as_str(), line);
            assert!(line.len() <= 100 && in_one_word(line));
            assert!(id.decoded().bytes().all(|octet| matches!(octet, b' '..=b'~')), "{:?}", id.decoded());
        }
        if let Some(original) = OriginalRecipient::parse(line) {
            assert_eq!(original.as_str(), line);
            assert!(line.len() <= 500 && in_one_word(line), "{line:?}");
            let (kind, text) = original.decoded();
            assert!(!kind.is_empty() && kind.is_ascii() && kind == kind.to_ascii_lowercase());
            assert!(!text.chars().any(char::is_control), "{text:?}");
            if let Some(named) = original.in_ascii() {
                let again = OriginalRecipient::parse(&named).unwrap_or_else(|| panic!("{line:?} named as {named:?}"));
                assert!(again.is_ascii());
                assert_eq!(again.decoded(), (kind, text), "{line:?} named as {named:?}");
            }
        }
    }
}

/// It may stand as the value of a parameter.
fn in_one_word(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c == ' ' || c == '=')
}
