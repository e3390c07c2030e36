//! Replies of other servers: read the same in any pieces, bounded, and fit to stand in a log.

use schoolgate::smtp::answer::sanitised;
use schoolgate::smtp::{Answer, AnswerReader, NoAnswer};

use super::{choices, pieces};

/// All answers in these pieces, and how it came to an end.
fn read(pieces: &[&[u8]]) -> (Vec<Answer>, Option<NoAnswer>) {
    let mut reader = AnswerReader::default();
    let mut answers = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            match reader.read(rest) {
                Ok((used, answer)) => {
                    assert!(0 < used && used <= rest.len(), "it comes on");
                    answers.extend(answer);
                    rest = &rest[used..];
                }
                Err(none) => return (answers, Some(none)),
            }
        }
    }
    answers.extend(reader.end());
    (answers, None)
}

/// One octet of cuts, then what a server says.
pub fn holds(input: &[u8]) {
    let ([cuts], said) = choices(input);
    let (answers, end) = read(&[said]);
    assert_eq!(read(&pieces(said, cuts)), (answers.clone(), end), "cuts change what is heard");
    for answer in answers {
        assert!(matches!(answer.class(), 2..=5) && answer.code < 600, "{answer:?}");
        let shown = answer.to_string();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert_eq!(sanitised(&answer.text()), answer.text());
        if let Some(enhanced) = answer.enhanced() {
            assert!(answer.lines[0].trim_start().starts_with(|c: char| c.is_ascii_digit()), "{enhanced}");
        }
        let (again, end) = read(&[format!("{:03} {}\r\n", answer.code, answer.text()).as_bytes()]);
        assert_eq!(end, None);
        assert_eq!(again.iter().map(|answer| answer.code).collect::<Vec<_>>(), [answer.code], "{shown:?}");
    }
}
