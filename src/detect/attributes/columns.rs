//! Columns that are known by what stands in them, whatever they are called: results out of a maximum that the heading
//! gives, and grades. What only counts the rows is nothing.

use super::{Context, Said};
use crate::detect::scene::Scene;
use crate::detect::words::{GRADES, is_in_any_case};
use crate::limits;
use crate::text::Text;
use crate::text::normalise::{Gap, TokenKind};

/// Results in the rows of pupils.
pub(super) fn results(scene: &Scene<'_>, context: &Context<'_>, category: usize, out: &mut Vec<Said>) {
    for (at, line) in scene.lines() {
        if line.cell().is_none() || context.row(at).is_empty() {
            continue;
        }
        let Some(heading) = scene.column_heading(at) else { continue };
        let value = line.text.folded().trim();
        let most = || maximum(&scene.lines[heading].text);
        let result = is_in_any_case(GRADES, value)
            || value.parse::<f32>().is_ok_and(|value| value >= 0.0 && most().is_some_and(|most| value <= most));
        if result {
            let to = line.text.tokens.len();
            out.push(Said::record(at, 0, to, category, true));
        }
    }
}

/// `Spelling /20`, `Paper 1 (out of 40)`, `Quiz, max 25`: the most that can be had.
fn maximum(heading: &Text<'_>) -> Option<f32> {
    let last = heading.tokens.len().checked_sub(1)?;
    let (token, before) = (&heading.tokens[last], heading.word(last.checked_sub(1)?));
    let told = (token.gap.has(Gap::SLASH) && heading.tokens[last - 1].kind != TokenKind::Number)
        || (token.gap.has(Gap::SLASH) && token.gap.has(Gap::SPACE))
        || matches!(before, "of" | "max" | "maximum");
    let most: u16 = heading.word(last).parse().ok()?;
    (told && limits::RESULT_MAXIMUM.contains(&most)).then_some(f32::from(most))
}

#[cfg(test)]
mod tests {
    use super::maximum;
    use crate::text::TextBuf;

    #[test]
    fn headings_that_give_a_maximum() {
        for (heading, want) in [
            ("Spelling /20", Some(20.0)),
            ("Paper 1 /40", Some(40.0)),
            ("Paper 1 (out of 40)", Some(40.0)),
            ("Quiz, max 25", Some(25.0)),
            ("Week 5", None),
            ("12/10", None),
            ("2025/26", None),
            ("Of", None),
            ("Room 14", None),
            ("Seats of 2026", None),
        ] {
            assert_eq!(maximum(&TextBuf::new(heading).text()), want, "{heading}");
        }
    }
}
