//! Items of a numbered list, as minutes and agendas have: each speaks of another matter.

use crate::detect::marks::Marks;
use crate::detect::scene::Line;
use crate::text::normalise::{Gap, TokenKind};

/// The tokens of a paragraph at which its items begin, in order.
pub(super) struct Items(Vec<usize>);

impl Items {
    /// Found once, for all places that are asked about.
    pub(super) fn of(line: &Line<'_>) -> Self {
        let tokens = line.text.tokens;
        let begins = |at: &usize| {
            let first = &tokens[*at];
            let behind = tokens.get(at + 1).map(|next| next.gap);
            first.kind == TokenKind::Number
                && (*at == 0 || first.gap.has(Gap::NEWLINE))
                // `12.45` is no number of an item, nor is `7 pupils`.
                && behind.is_some_and(|gap| {
                    gap.has(Gap::STOP.or(Gap::CLOSE)) && gap.has(Gap::SPACE) && !gap.has(Gap::NEWLINE)
                })
        };
        let numbered = line.all_marks.has(Marks::DIGIT);
        Self(if numbered { (0..tokens.len()).filter(begins).collect() } else { Vec::new() })
    }

    /// Where the item begins in which a token stands; nothing before the first item.
    pub(super) fn at(&self, token: usize) -> Option<usize> {
        self.0[..self.0.partition_point(|begins| *begins <= token)].last().copied()
    }

    /// Whether two tokens stand in different items.
    pub(super) fn apart(&self, one: usize, other: usize) -> bool {
        self.at(one).zip(self.at(other)).is_some_and(|(one, other)| one != other)
    }
}
