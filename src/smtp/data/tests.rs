//! Content in every cut, by tables and by chance.

mod forms;

use super::*;

const BIG: usize = 1 << 20;

/// Reads in pieces cut at `cuts`; gives content, facts and what lies behind the end.
fn read(input: &[u8], cuts: &[usize], size: usize) -> (Vec<u8>, ContentFacts, Option<Vec<u8>>) {
    read_with(LineEnds::Strict, input, cuts, size)
}

fn read_with(
    line_ends: LineEnds,
    input: &[u8],
    cuts: &[usize],
    size: usize,
) -> (Vec<u8>, ContentFacts, Option<Vec<u8>>) {
    let mut reader = DataReader::new(size, line_ends);
    let mut out = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([input.len()]) {
        match reader.read(&input[from..to], &mut out) {
            Progress::More => from = to,
            Progress::End(n) => return (out, reader.facts(), Some(input[from + n..].to_vec())),
            Progress::Overrun => break,
        }
    }
    (out, reader.facts(), None)
}

/// Input; `Some(content)` when it ends there; whether a bare line end is reported.
type Form = (&'static [u8], Option<&'static [u8]>, bool);

const FORMS: &[Form] = &[
    (b".\r\n", Some(b""), false),
    (b"\r\n.\r\n", Some(b"\r\n"), false),
    (b"a\r\n.\r\n", Some(b"a\r\n"), false),
    (b"..\r\n.\r\n", Some(b".\r\n"), false),
    (b"..x\r\n.\r\n", Some(b".x\r\n"), false),
    (b".x\r\n.\r\n", Some(b"x\r\n"), false),
    (b"a\r\n..\r\n...\r\n.\r\n", Some(b"a\r\n.\r\n..\r\n"), false),
    (b"a.\r\n.\r\n", Some(b"a.\r\n"), false),
    (b"a\r\n . \r\n.\r\n", Some(b"a\r\n . \r\n"), false),
    (b"a\r\n. \r\n.\r\n", Some(b"a\r\n \r\n"), false),
    (b"a\r\n.\0\r\n.\r\n", Some(b"a\r\n\0\r\n"), false),
    (b"a\r\n\0.\r\n.\r\n", Some(b"a\r\n\0.\r\n"), false),
    (b"\xff\xfe\r\n.\r\n", Some(b"\xff\xfe\r\n"), false),
    (b"", None, false),
    (b".", None, false),
    (b".\r", None, false),
    (b"a\r\n.\r", None, false),
    (b"a\r\n.", None, false),
    (b".\n", None, true),
    (b".\rx", None, true),
    (b"a\n.\n", None, true),
    (b"a\n.\r", None, true),
    (b"a\r.\n", None, true),
    (b"a\r.\r", None, true),
    (b"a\n.\r\n", None, true),
    (b"a\r.\r\n", None, true),
    (b"a\r\n.\n", None, true),
    (b"a\r\n.\rb", None, true),
    (b"a\r\n.\r\r\n", None, true),
    (b"a\r\r\n.\r\r\n", None, true),
    (b"a\r\n\r.\r\n", None, true),
    (b"a\r\n\n.\r\n", None, true),
    (b"a\n\r\n.\r\n", Some(b"a"), true),
    (b"a\r\r\n.\r\n", Some(b"a"), true),
    (b"\r.\r\n.\r\n", Some(b""), true),
    (b"\n.\n\r\n.\r\n", Some(b""), true),
];

#[test]
fn bare_line_ends_are_mended_where_that_is_wanted() {
    let table: &[(&[u8], Option<&[u8]>)] = &[
        (b"a\nb\r\n.\r\n", Some(b"a\r\nb\r\n")),
        (b"a\n\nb\n\r\n.\r\n", Some(b"a\r\n\r\nb\r\n\r\n")),
        (b"\na\r\n.\r\n", Some(b"\r\na\r\n")),
        (b"a\rb\r\n.\r\n", Some(b"a b\r\n")),
        (b"a\r\r\n.\r\n", Some(b"a \r\n")),
        (b"a\n\r\n.\r\n", Some(b"a\r\n\r\n")),
        (b"a\n..b\n.c\r\n.\r\n", Some(b"a\r\n.b\r\nc\r\n")),
        (b"a\r.b\r\n.\r\n", Some(b"a .b\r\n")),
        (b"a\n.\r\n\r\n.\r\n", None),
        (b"a\n.\n\r\n.\r\n", None),
        (b"a\r\n.\nMAIL\r\n.\r\n", None),
        (b"a\r\n.\rMAIL\r\n.\r\n", None),
        (b"a\r.\r\n\r\n.\r\n", None),
        (b"a\r.\rMAIL\r\n.\r\n", None),
    ];
    for (input, content) in table {
        let shown = input.escape_ascii();
        for cuts in [vec![], (1..input.len()).collect()] {
            let (out, facts, rest) = read_with(LineEnds::Fix, input, &cuts, BIG);
            assert_eq!(rest.as_deref(), Some(&b""[..]), "{shown}: it ends with its last line");
            assert_eq!(facts.bare_line_end, content.is_none(), "{shown}");
            if let Some(content) = content {
                assert_eq!(out.escape_ascii().to_string(), content.escape_ascii().to_string(), "{shown}");
                assert!(facts.mended);
            }
        }
    }
    let plain = b"Received: a\r\n..b\r\n\r\nc\r\n.\r\n";
    assert_eq!(read_with(LineEnds::Fix, plain, &[], BIG), read(plain, &[], BIG), "what is whole is left alone");
}

#[test]
fn a_lone_dot_beside_a_bare_line_end_is_refused_whatever_stands_around_it() {
    let mut ends = vec![String::new()];
    for _ in 0..3 {
        let longer: Vec<String> = ends.iter().flat_map(|end| ["\r", "\n"].map(|one| format!("{end}{one}"))).collect();
        ends.extend(longer);
    }
    ends.sort_unstable();
    ends.dedup();
    let mut tried = 0;
    for (before, after) in ends.iter().flat_map(|before| ends.iter().map(move |after| (before, after))) {
        if before.is_empty() || after.is_empty() {
            continue;
        }
        let smuggled = format!("a{before}.{after}MAIL FROM:<x@x.example>\r\n.\r\n");
        let (_, facts, rest) = read_with(LineEnds::Fix, smuggled.as_bytes(), &[], BIG);
        let is_true_end = before.ends_with("\r\n") && after.starts_with("\r\n");
        if is_true_end {
            assert!(rest.is_some_and(|rest| rest.len() > 5), "{before:?} {after:?}");
        } else {
            assert_eq!(rest.as_deref(), Some(&b""[..]), "{before:?} {after:?}: read to the true end");
            assert!(facts.bare_line_end, "{before:?} {after:?}: and refused");
        }
        tried += 1;
    }
    assert!(tried > 190, "{tried} of 14 by 14");
}

#[test]
fn only_a_dot_between_two_crlf_ends_the_content() {
    for (input, content, bare) in FORMS {
        let mut behind = input.to_vec();
        if content.is_some() {
            behind.extend_from_slice(b"MAIL FROM:<>\r\n");
        }
        let (out, facts, rest) = read(&behind, &[], BIG);
        let form = input.escape_ascii();
        assert_eq!(facts.bare_line_end, *bare, "{form}");
        match content {
            Some(content) => {
                assert_eq!(out, *content, "{form}");
                assert_eq!(rest.as_deref(), Some(&b"MAIL FROM:<>\r\n"[..]), "{form}");
            }
            None => assert_eq!(rest, None, "{form}"),
        }
    }
}

/// Relay checklist, row 48.
#[test]
fn every_cut_of_the_input_reads_the_same() {
    for (form, _, _) in FORMS {
        let mut input = b"Received: x\r\n y\r\nSubject: s\r\n\r\n".to_vec();
        input.extend_from_slice(form);
        for input in [form.to_vec(), input] {
            let whole = read(&input, &[], BIG);
            for i in 0..=input.len() {
                for j in i..=input.len() {
                    assert_eq!(read(&input, &[i, j], BIG), whole, "{} cut at {i}, {j}", input.escape_ascii());
                }
            }
            let each: Vec<usize> = (0..input.len()).collect();
            assert_eq!(read(&input, &each, BIG), whole, "{} octet by octet", input.escape_ascii());
        }
    }
}

#[test]
fn facts_of_the_header() {
    let table: &[(&[u8], usize, usize, usize)] = &[
        (b".\r\n", 0, 0, 0),
        (b"\r\nReceived: in the body\r\n.\r\n", 0, 0, 0),
        (b"Received: a\r\nRECEIVED: b\r\n\r\nx\r\n.\r\n", 2, 26, 2),
        (b"Received: a\r\n\tReceived: folded\r\nReceiver: c\r\n\r\n.\r\n", 3, 45, 1),
        (b"Received:\r\nReceived\r\n.\r\n", 2, 21, 1),
    ];
    for (input, lines, bytes, received) in table {
        let facts = read(input, &[], BIG).1;
        let found = (facts.header_lines, facts.header_bytes, facts.received);
        assert_eq!(found, (*lines, *bytes, *received), "{}", input.escape_ascii());
    }
    let facts = read("Subject: ä\r\n\r\na\0b\r\n.\r\n".as_bytes(), &[], BIG).1;
    assert!(facts.eight_bit && facts.nul && !facts.bare_line_end);
    assert_eq!(facts.refusal(BIG), Some(Refusal::Nul));
}

/// Relay checklist, row 54.
#[test]
fn a_first_line_may_not_fold_and_long_lines_pass() {
    for (input, refusal) in [
        (&b" x\r\n.\r\n"[..], Some(Refusal::StartsFolded)),
        (b"\tx\r\n.\r\n", Some(Refusal::StartsFolded)),
        (b". x\r\n.\r\n", Some(Refusal::StartsFolded)),
        (b"\r\n x\r\n.\r\n", None),
        (b"From x\r\n x\r\n.\r\n", None),
    ] {
        assert_eq!(read(input, &[], BIG).1.refusal(BIG), refusal, "{}", input.escape_ascii());
    }
    for length in [998, 999, 100_000] {
        let line = [vec![b'x'; length], b"\r\n".to_vec()].concat();
        let (out, facts, _) = read(&[&line[..], b".\r\n"].concat(), &[], BIG);
        assert_eq!((out, facts.refusal(BIG)), (line, None));
    }
}

/// Relay checklist, rows 52 and 53.
#[test]
fn one_octet_over_the_limit_is_read_to_its_end_and_refused() {
    let at_limit = read(b"12345678\r\n.\r\nX", &[], 10);
    assert_eq!((at_limit.1.refusal(10), at_limit.2.as_deref()), (None, Some(&b"X"[..])));
    let over = read(b"123456789\r\n.\r\nX", &[], 10);
    assert_eq!((over.1.refusal(10), over.2.as_deref()), (Some(Refusal::TooBig), Some(&b"X"[..])));
    assert!(over.0.len() <= 10);
    // A first line that a mailbox would take for its separator is content like any other.
    for (input, refusal) in [(&b"From x\r\n\r\n.\r\n"[..], None), (b">From x\r\n\r\n.\r\n", Some(Refusal::TooBig))] {
        let (out, facts, _) = read(input, &[], 10);
        assert_eq!(facts.refusal(10), refusal);
        assert!(refusal.is_some() || out == b"From x\r\n\r\n");
    }
    let mut reader = DataReader::new(10, LineEnds::Strict);
    assert_eq!(reader.read(&[b'x'; 21], &mut Vec::new()), Progress::Overrun);
}

/// Relay checklist, row 64.
#[test]
fn headers_without_end_and_hops_without_end() {
    let lines = b"X: y\r\n".repeat(limits::HEADER_LINES + 1);
    let hops = b"Received: y\r\n".repeat(limits::RECEIVED_HOPS);
    for (input, refusal) in [(lines, Refusal::HeaderTooLong), (hops, Refusal::TooManyHops)] {
        let facts = read(&[input.as_slice(), b"\r\n.\r\n"].concat(), &[], BIG).1;
        assert_eq!(facts.refusal(BIG), Some(refusal));
    }
}

#[test]
fn stuffing_table() {
    let table: &[(&[u8], &[u8])] = &[
        (b"", b""),
        (b"a\r\n", b"a\r\n"),
        (b".", b".."),
        (b".\r\n", b"..\r\n"),
        (b"a\r\n.b\r\n..\r\n", b"a\r\n..b\r\n...\r\n"),
        (b"a.b\r\n", b"a.b\r\n"),
        (b"a\nb", b"a\r\nb"),
        (b"a\n.\nb\r", b"a\r\n..\r\nb\r\n"),
        (b"a\r.\r\n", b"a\r\n..\r\n"),
        (b"\r\r\n\n", b"\r\n\r\n\r\n"),
    ];
    for (content, wire) in table {
        assert_eq!(dot_stuff(content).as_ref(), *wire, "{}", content.escape_ascii());
    }
    assert!(matches!(dot_stuff(b"a\r\nb\r\n"), Cow::Borrowed(_)));
}

proptest::proptest! {
    #[test]
    fn what_is_written_is_read_back(content in "([.ab\u{e9}]{0,4}\r\n){0,12}") {
        let stuffed = dot_stuff(content.as_bytes());
        let wire = [&*stuffed, end_of_data(&stuffed), b"QUIT\r\n"].concat();
        let (out, facts, rest) = read(&wire, &[], BIG);
        proptest::prop_assert_eq!(out, content.as_bytes());
        proptest::prop_assert_eq!(facts.size, content.len());
        proptest::prop_assert_eq!(rest.as_deref(), Some(&b"QUIT\r\n"[..]));
    }

    #[test]
    fn no_bare_line_end_is_ever_written(content in "[.ab\r\n]{0,60}") {
        let stuffed = dot_stuff(content.as_bytes());
        let wire = [&*stuffed, end_of_data(&stuffed)].concat();
        let (_, facts, rest) = read(&wire, &[], BIG);
        proptest::prop_assert!(!facts.bare_line_end, "{:?}", wire);
        proptest::prop_assert_eq!(rest, Some(Vec::new()));
    }
}
