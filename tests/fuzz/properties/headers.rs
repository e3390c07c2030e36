//! Messages of any shape: read to the end, and all that is found lies where it is said to lie.

use schoolgate::message::{self, header::read_block};

/// One octet for where the block stands, then the message.
pub fn holds(input: &[u8]) {
    // Longer ones take their time without being another kind.
    let ([base], raw) = super::choices(&input[..input.len().min(16 << 10)]);
    let base = usize::from(base);
    let block = read_block(raw, base);
    assert!(block.body <= raw.len());
    let mut at = base;
    for header in &block.headers {
        assert!(at <= header.span.start && header.span.start < header.span.end, "in order, none in another");
        at = header.span.end;
        let field = &raw[header.span.start - base..header.span.end - base];
        assert!(field.starts_with(header.name.as_bytes()) || !header.name.is_ascii(), "{:?}", header.name);
        assert!(!header.value.contains(['\r', '\n']) || header.value != header.raw_value, "folding is undone");
        assert!(header.is(&header.name.to_ascii_uppercase()));
    }
    assert!(at <= base + block.body, "the header ends where the body begins");

    let read = message::read(raw);
    assert_eq!(read.raw, raw);
    for header in &read.headers {
        assert!(raw.get(header.span.clone()).is_some(), "a span lies inside");
    }
    assert!(read.received_count() <= read.headers.len());
    for (place, part) in read.parts.iter().enumerate() {
        assert!(part.parent.is_none_or(|parent| parent < place), "no part holds itself");
    }
    for list in [read.from_addresses(), read.sender_addresses(), read.to_addresses(), read.cc_addresses()] {
        assert!(list.len() <= raw.len());
    }
    let head = message::read_head(raw);
    assert_eq!(head.headers.len(), read.headers.len());
    assert_eq!(head.subject(), read.subject());
}
