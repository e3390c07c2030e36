//! Items of a numbered list, as minutes and agendas have: each speaks of another matter.

use crate::detect::scene::Line;
use crate::text::normalise::{Gap, TokenKind};

/// The place of the token at which the item of a list begins in which a token stands; nothing before the first item.
pub(super) fn of(line: &Line<'_>, token: usize) -> Option<usize> {
    let begins = |at: &usize| {
        let first = &line.text.tokens[*at];
        let behind = line.text.tokens.get(at + 1).map(|next| next.gap);
        first.kind == TokenKind::Number
            && (*at == 0 || first.gap.has(Gap::NEWLINE))
            // `12.45` is no number of an item, nor is `7 pupils`.
            && behind.is_some_and(|gap| gap.has(Gap::STOP.or(Gap::CLOSE)) && gap.has(Gap::SPACE) && !gap.has(Gap::NEWLINE))
    };
    (0..=token.min(line.text.tokens.len().saturating_sub(1)))
        .rev()
        .filter(|at| *at < line.text.tokens.len())
        .find(begins)
}

/// Whether two places stand in different items of one list.
pub(super) fn apart(one: Option<usize>, other: Option<usize>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}
