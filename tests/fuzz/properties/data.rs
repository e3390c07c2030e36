//! The content of a message on the wire: one end alone, the same however it is cut, and out what came in.

use schoolgate::smtp::data::{DataReader, Progress};
use schoolgate::smtp::{ContentFacts, LineEnds, dot_stuff, end_of_data};

use super::{bare, choices, pieces};

/// What reading came to.
struct Read {
    content: Vec<u8>,
    facts: ContentFacts,
    /// Octets up to and with the end.
    end: Option<usize>,
    overrun: bool,
}

fn read(pieces: &[&[u8]], message_size: usize, line_ends: LineEnds) -> Read {
    let mut reader = DataReader::new(message_size, line_ends);
    let mut content = Vec::new();
    let mut before = 0;
    let (mut end, mut overrun) = (None, false);
    for piece in pieces {
        match reader.read(piece, &mut content) {
            Progress::More => before += piece.len(),
            Progress::End(used) => {
                assert!(used <= piece.len());
                end = Some(before + used);
                break;
            }
            Progress::Overrun => {
                overrun = true;
                break;
            }
        }
    }
    Read { content, facts: reader.facts(), end, overrun }
}

/// One octet of choices (its last bit is [`LineEnds::Fix`], the next a small limit), one of cuts, and what is on the wire.
pub fn holds(input: &[u8]) {
    let ([mode, cuts], wire) = choices(input);
    let line_ends = if mode & 1 == 0 { LineEnds::Strict } else { LineEnds::Fix };
    let message_size = if mode & 2 == 0 { 1 << 20 } else { 48 };
    let whole = read(&[wire], message_size, line_ends);
    let refusal = whole.facts.refusal(message_size);

    let cut = read(&pieces(wire, cuts), message_size, line_ends);
    assert_eq!((cut.end, cut.overrun), (whole.end, whole.overrun), "cuts move the end");
    if !whole.overrun {
        assert_eq!(cut.facts, whole.facts, "cuts change what is known");
    }
    if refusal.is_none() {
        assert_eq!(cut.content, whole.content, "cuts change the content");
    }

    // Content begins behind the CRLF of DATA, which is the first half of an end at once.
    let line = [b"\r\n", wire].concat();
    let end = memchr::memmem::find(&line, b"\r\n.\r\n").map(|at| at + 3);
    if !whole.overrun {
        assert_eq!(whole.end, end, "only CRLF.CRLF ends content, and it always does");
    }
    if let Some(end) = whole.end {
        let before = &wire[..end - 3];
        // What another server might take for an end; the first octet of the line may be a dot that belongs to one.
        let beside = |octet: u8| matches!(octet, b'\r' | b'\n');
        let around = line[..end].windows(3).filter(|three| three[1] == b'.' && beside(three[0]) && beside(three[2]));
        let lone = around.count() > 0;
        if line_ends == LineEnds::Strict {
            assert_eq!(whole.facts.bare_line_end, bare(before), "no CR or LF alone passes");
        } else {
            assert_eq!(whole.facts.bare_line_end, lone, "a lone dot before the end is no content, all else is mended");
        }
        if line_ends == LineEnds::Fix && !bare(before) {
            let strict = read(&[wire], message_size, LineEnds::Strict);
            assert_eq!(
                (strict.content, strict.facts),
                (whole.content.clone(), whole.facts),
                "there is nothing to mend"
            );
        }
        if refusal.is_none() {
            assert!(!lone && !bare(&whole.content) && !whole.content.contains(&0));
            assert_eq!(whole.content.len(), whole.facts.size);
            let again = sent(&whole.content);
            assert_eq!(again, whole.content, "what is read goes out as it came in");
        }
    }

    // Whatever stands in the store.
    sent(wire);
}

/// Content goes out with one end, and no CR or LF alone; gives what a reader makes of it.
fn sent(content: &[u8]) -> Vec<u8> {
    let stuffed = dot_stuff(content);
    let wire = [&stuffed[..], end_of_data(&stuffed)].concat();
    let line = [b"\r\n", &wire[..]].concat();
    let ends: Vec<usize> = memchr::memmem::find_iter(&line, b"\r\n.\r\n").collect();
    assert_eq!(ends, [line.len() - 5], "one end, and last");
    assert!(!bare(&wire), "no CR or LF goes out alone");
    let undone = read(&[&wire], usize::MAX / 4, LineEnds::Strict);
    assert_eq!(undone.end, Some(wire.len()));
    let mut wanted = Vec::new();
    let mut rest = content;
    while let Some(end) = memchr::memchr2(b'\r', b'\n', rest) {
        wanted.extend_from_slice(&rest[..end]);
        wanted.extend_from_slice(b"\r\n");
        rest = &rest[end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 }..];
    }
    wanted.extend_from_slice(rest);
    if !rest.is_empty() {
        wanted.extend_from_slice(b"\r\n");
    }
    assert_eq!(undone.content, wanted, "undone it is the content");
    undone.content
}
