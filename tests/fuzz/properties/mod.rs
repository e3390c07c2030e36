//! What holds for any octets, a file a room: each has one function `holds`, which panics where it does not.
//!
//! Called by libFuzzer through the targets in `fuzz/`, and by `tests/fuzz.rs` over the corpus and over what chance makes of it, so that
//! a finding becomes a test by becoming a file. Uses nothing of the library that is not public.

// Each fuzz target uses one of them.
#![allow(dead_code)]

pub mod addresses;
pub mod answers;
pub mod client;
pub mod commands;
pub mod data;
pub mod dsn;
pub mod headers;
pub mod proxy;
pub mod session;
pub mod xclient;

/// The first octets of an input, which choose how the rest is used; zeros where there are none.
fn choices<const N: usize>(input: &[u8]) -> ([u8; N], &[u8]) {
    let (chosen, rest) = input.split_at(input.len().min(N));
    let mut choices = [0; N];
    choices[..chosen.len()].copy_from_slice(chosen);
    (choices, rest)
}

/// The octets in pieces: all at once, one by one, or of lengths that follow from `how`.
fn pieces(input: &[u8], how: u8) -> Vec<&[u8]> {
    let longest = match how {
        0 => input.len().max(1),
        how => usize::from(how % 23) + 1,
    };
    let mut pieces = Vec::new();
    let (mut rest, mut state) = (input, usize::from(how));
    while !rest.is_empty() {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let length = if how == 0 { longest } else { (state >> 16) % longest + 1 };
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Whether a CR or LF stands alone.
fn bare(octets: &[u8]) -> bool {
    (0..octets.len()).any(|at| match octets[at] {
        b'\r' => octets.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || octets[at - 1] != b'\r',
        _ => false,
    })
}

/// Replies of ours: whole lines of at most 512 octets (RFC 5321 4.5.3.1.5), codes of the closed list alone, printable ASCII.
/// Gives their codes.
fn replies(written: &[u8]) -> Vec<u16> {
    let shown = written.escape_ascii();
    assert!(written.ends_with(b"\r\n") && !bare(written), "no whole lines: {shown}");
    let mut codes = Vec::new();
    let mut open = None;
    for line in written.split_inclusive(|&octet| octet == b'\n') {
        assert!(line.len() <= 512, "a line of {} octets: {shown}", line.len());
        let text = std::str::from_utf8(&line[..line.len() - 2]).expect("ASCII");
        assert!(text.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{shown}");
        let code: u16 = text.get(..3).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no code: {shown}"));
        assert!(schoolgate::smtp::Code::ALL.iter().any(|known| known.number() == code), "{code} is on no list");
        assert!(open.is_none_or(|open| open == code), "two codes in one reply: {shown}");
        open = (text.as_bytes().get(3) == Some(&b'-')).then_some(code);
        if open.is_none() {
            codes.push(code);
        }
    }
    assert!(open.is_none(), "a reply without its end: {shown}");
    codes
}
