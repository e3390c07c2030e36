//! Titles and mottoes in quotation marks: `'In Care of the Sea'` is the name of a story, and says nothing of who wrote it.
//!
//! Only where the message tells of works or of a debate: what a form is called (`"Child in Need"`) or what a child said stands
//! in quotation marks as well.

use crate::detect::scene::Scene;
use crate::detect::vocabulary::Hit;
use crate::detect::words::{CHILD, KIN, PRONOUNS, WORKS, is};
use crate::limits;
use crate::text::Text;
use crate::text::normalise::Case;

/// Quotation marks.
pub(super) const MARKS: &[char] = &['"', '\'', '“', '”', '‘', '’', '«', '»'];

/// The hit stands in a title or a motto.
pub(super) fn title(scene: &Scene<'_>, text: &Text<'_>, hit: &Hit, name: &dyn Fn(usize) -> bool) -> bool {
    let Some((from, to)) = around(text, hit) else { return false };
    let beside = (to - from).saturating_sub(hit.to - hit.from);
    if beside < limits::TITLE_BESIDE || (from..to).any(name) {
        return false;
    }
    let small = |at: usize| text.word(at).len() <= limits::TITLE_SMALL_WORD;
    let capital = |at: usize| matches!(text.tokens[at].case, Case::Capitalised | Case::Upper);
    let titled = capital(from) && (from..to).all(|at| small(at) || capital(at));
    let person = |at: usize| {
        let word = text.word(at);
        is(PRONOUNS, word) || is(CHILD, word) || is(KIN, word) || matches!(word, "i" | "im" | "me" | "my")
    };
    (titled || !(from..to).any(person)) && of_works(scene)
}

/// The tokens between the quotation marks about a hit; nothing where there are none, or they are too far apart for a title.
fn around(text: &Text<'_>, hit: &Hit) -> Option<(usize, usize)> {
    let folded = text.folded();
    let opens = |at: usize| folded[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    let closes = |at: usize| folded[at..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    let first = text.tokens.get(hit.from)?.start();
    let last = text.tokens.get(hit.to.checked_sub(1)?)?.end();
    let open = folded[..first].rmatch_indices(MARKS).find(|&(at, mark)| opens(at) != closes(at + mark.len()))?;
    let close =
        folded[last..].match_indices(MARKS).find(|&(at, mark)| opens(last + at) != closes(last + at + mark.len()))?;
    // The mark before it opens, the one behind it closes.
    let (from, to) = (open.0 + open.1.len(), last + close.0);
    let apart = opens(open.0) && closes(to + close.1.len()) && !folded[from..to].contains("\n\n");
    let (from, to) = (text.token_at(from), text.token_at(to.saturating_sub(1)) + 1);
    (apart && from < to && to <= text.tokens.len() && to - from <= limits::TITLE_WORDS).then_some((from, to))
}

/// The message tells of stories, pictures, pieces or motions.
pub(super) fn of_works(scene: &Scene<'_>) -> bool {
    scene.lines().any(|(_, line)| (0..line.text.tokens.len()).any(|at| is(WORKS, line.text.word(at))))
}
