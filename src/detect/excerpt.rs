//! What stands around a finding: its line, and one line either side, cut to what a person reads at a glance.
//!
//! A row of a table is one line, its cells with bars between. Cuts fall between characters.

use std::ops::Range;

use super::scene::Scene;
use crate::limits;

/// A finding in its surroundings. As secret as the message: for the report and the encrypted store alone.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Excerpt {
    /// The line before; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// The line in which it was found.
    pub line: String,
    /// The first octet of `line` that was found.
    pub from: usize,
    /// One past the last octet of `line` that was found.
    pub to: usize,
    /// The line after; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
}

impl std::fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Excerpt").finish_non_exhaustive()
    }
}

impl Excerpt {
    /// The line in three: what stands before what was found, what was found, and the rest. A range that does not fit the
    /// line marks nothing.
    pub fn parts(&self) -> (&str, &str, &str) {
        match (self.line.get(..self.from), self.line.get(self.from..self.to), self.line.get(self.to..)) {
            (Some(lead), Some(found), Some(rest)) => (lead, found, rest),
            _ => (&self.line, "", ""),
        }
    }
}

const BETWEEN_CELLS: &str = " | ";
const CUT: &str = "…";

impl Scene<'_> {
    /// What stands around octets of the source of a line.
    pub(super) fn excerpt(&self, at: usize, range: Range<usize>) -> Excerpt {
        let own = self.row_of(at);
        let (mut text, mut found) = (String::new(), range.clone());
        for line in own.clone() {
            if line > own.start {
                text.push_str(BETWEEN_CELLS);
            }
            if line == at {
                found = text.len() + range.start..text.len() + range.end;
            }
            text.push_str(self.lines[line].text.source());
        }
        let document = &self.of_document[self.lines[at].document()];
        let row = |line: usize| -> String {
            self.row_of(line).map(|line| self.lines[line].text.source()).collect::<Vec<_>>().join(BETWEEN_CELLS)
        };
        let before = if own.start > document.start { row(own.start - 1) } else { String::new() };
        let after = if own.end < document.end { row(own.end) } else { String::new() };
        // A paragraph may have lines of its own; a cell is on one.
        let breaks = self.lines[at].cell().is_none();
        around(&before, &text, found, &after, breaks)
    }

    /// The lines that stand in one row with this one: the cells of a table, near it at least.
    fn row_of(&self, at: usize) -> Range<usize> {
        let place = |line: usize| {
            let line = self.lines.get(line)?;
            Some((line.document(), line.block(), line.cell()?.0))
        };
        let own = place(at);
        let together = |line: usize| own.is_some() && place(line) == own;
        let (mut first, mut end) = (at, at + 1);
        while at - first < limits::EXCERPT_CELLS && first > 0 && together(first - 1) {
            first -= 1;
        }
        while end - at < limits::EXCERPT_CELLS && together(end) {
            end += 1;
        }
        first..end
    }
}

/// The excerpt of what stands at `found` in `text`, between these neighbours.
fn around(before: &str, text: &str, found: Range<usize>, after: &str, breaks: bool) -> Excerpt {
    let (head, tail) = (text.get(..found.start).unwrap_or_default(), text.get(found.end..).unwrap_or_default());
    let start = if breaks { head.rfind('\n').map_or(0, |at| at + 1) } else { 0 };
    let end = if breaks { tail.find('\n').map_or(text.len(), |at| found.end + at) } else { text.len() };
    let end = if breaks && text[found.end..end].ends_with('\r') { end - 1 } else { end };
    let inside = |part: &str| part.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
    let before = inside(&head[..start]).or_else(|| inside(before)).unwrap_or_default();
    let below = |part: &str| part.lines().find(|line| !line.trim().is_empty()).map(str::to_owned);
    let after = below(&text[end..]).or_else(|| below(after)).unwrap_or_default();
    let (line, at) = window(&text[start..end], found.start - start..found.end - start, limits::EXCERPT_LINE);
    let end_of_before = before.len()..before.len();
    Excerpt {
        before: window(&before, end_of_before, limits::EXCERPT_NEIGHBOUR).0,
        line,
        from: at.start,
        to: at.end,
        after: window(&after, 0..0, limits::EXCERPT_NEIGHBOUR).0,
    }
}

/// At most about `most` octets of a line, those around `found` first; where that stands in them. Line breaks and tabs become
/// spaces.
fn window(line: &str, found: Range<usize>, most: usize) -> (String, Range<usize>) {
    let found = found.start..found.end.min(line.floor_char_boundary(found.start + most));
    let spare = most.saturating_sub(found.len());
    // What one side does not need, the other may have.
    let behind = (line.len() - found.end).min(spare - (spare / 2).min(found.start));
    let start = line.ceil_char_boundary(found.start.saturating_sub(spare - behind));
    let end = line.floor_char_boundary(found.end + behind);
    let lead = if start > 0 { CUT } else { "" };
    let rest = if end < line.len() { CUT } else { "" };
    let kept = line[start..end].replace(['\n', '\r', '\t'], " ");
    let moved = |at: usize| at - start + lead.len();
    (format!("{lead}{kept}{rest}"), moved(found.start)..moved(found.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(excerpt: &Excerpt) -> String {
        let (lead, found, rest) = excerpt.parts();
        format!("{}/{lead}[{found}]{rest}/{}", excerpt.before, excerpt.after)
    }

    #[test]
    fn a_finding_is_shown_between_its_neighbours() {
        let cases = [
            ("Dear all,", "Amy is ill.", "Amy", "Regards", true, "Dear all,/[Amy] is ill./Regards"),
            ("Dear all,", "one\nAmy is ill\n\nthree", "Amy", "Regards", true, "one/[Amy] is ill/three"),
            ("Dear all,\nfirst line", "Amy", "Amy", "a\nb", true, "first line/[Amy]/a"),
            ("Name | Note", "Amy | two\nlines", "lines", "", false, "Name | Note/Amy | two [lines]/"),
            ("", "Zoë – naïve", "naïve", "", true, "/Zoë – [naïve]/"),
        ];
        for (before, text, what, after, breaks, wanted) in cases {
            let at = text.find(what).expect("it stands there");
            assert_eq!(marked(&around(before, text, at..at + what.len(), after, breaks)), wanted, "{text}");
        }
    }

    #[test]
    fn long_lines_are_cut_between_characters_and_keep_what_was_found() {
        let most = limits::EXCERPT_LINE;
        for filler in ["é", "a", "漢", "🎒"] {
            for (ahead, behind) in [(0, 900), (900, 0), (900, 900), (3, 900), (900, 3)] {
                let text = format!("{}FOUND{}", filler.repeat(ahead), filler.repeat(behind));
                let at = text.find("FOUND").expect("it stands there");
                let excerpt = around(&text, &text, at..at + 5, &text, true);
                assert_eq!(excerpt.parts().1, "FOUND", "{filler} {ahead} {behind}");
                assert!(excerpt.line.len() <= most + 2 * CUT.len(), "{}", excerpt.line.len());
                assert!(excerpt.line.len() >= most - 8, "no room is given away: {}", excerpt.line.len());
                assert!(excerpt.before.starts_with(CUT) && excerpt.after.ends_with(CUT));
                assert!(excerpt.before.len().max(excerpt.after.len()) <= limits::EXCERPT_NEIGHBOUR + CUT.len());
            }
            let all = filler.repeat(2_000);
            let excerpt = around("", &all, 0..all.len(), "", true);
            assert!(excerpt.line.len() <= most + CUT.len() && !excerpt.parts().1.is_empty());
        }
    }

    #[test]
    fn a_range_that_does_not_fit_marks_nothing() {
        for (from, to) in [(1, 2), (3, 2), (0, 9), (7, 9)] {
            let excerpt = Excerpt { line: "éa".into(), from, to, ..Excerpt::default() };
            assert_eq!(excerpt.parts(), ("éa", "", ""), "{from}..{to}");
        }
    }
}
