//! Whether a picture shows a page: a scan, a photographed list, a screenshot of text.
//!
//! Marks that stand out from what is around them are gathered into rows as letters stand in them: side by side, of like
//! height, on a common line, and each of another shape. A picture is a page where enough such rows make up most of what is
//! drawn in their size. Knows nothing of formats, letters or words; looks at each pixel a fixed number of times, and at a
//! bounded number of marks.

use crate::limits;

/// A picture in shades of grey, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    pub width: usize,
    pub height: usize,
    /// `width` × `height` of them.
    pub pixels: Vec<u8>,
}

/// What stands in rows, in one of the two ways that writing stands out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rows {
    /// Rows one below the other.
    pub rows: usize,
    /// Letters in them, by their widths.
    pub letters: usize,
    /// Of all marks of their size, those in rows.
    pub share: f32,
    /// The usual height of a letter.
    pub height: usize,
}

impl Rows {
    /// `side` is the longer one of the picture. A few words in large letters are a poster.
    fn are_a_page(self, side: usize) -> bool {
        let large = self.height >= limits::PAGE_LARGE_HEIGHT && self.height * limits::PAGE_LARGE >= side;
        let letters = if large { limits::PAGE_LARGE_LETTERS } else { limits::PAGE_LETTERS };
        self.rows >= limits::PAGE_ROWS && self.letters >= letters && self.share >= limits::PAGE_SHARE
    }
}

/// The usual height of the letters, in pixels, where the picture shows a page.
pub fn letters_of_page(grey: &Grey) -> Option<usize> {
    let side = grey.width.max(grey.height);
    rows(grey).into_iter().filter(|rows| rows.are_a_page(side)).max_by_key(|rows| rows.letters).map(|rows| rows.height)
}

/// Rows of what is darker than its surroundings, and of what is lighter.
pub fn rows(grey: &Grey) -> [Rows; 2] {
    if grey.width < 3 || grey.height < 3 || grey.pixels.len() != grey.width * grey.height {
        return [Rows::default(); 2];
    }
    let means = means(grey);
    let apart = limits::PAGE_CONTRAST.max(noise(grey) * limits::PAGE_NOISE);
    [false, true].map(|lighter| {
        let ink = means.iter().zip(&grey.pixels).map(|(mean, pixel)| {
            let (mean, pixel) = (u32::from(*mean), u32::from(*pixel));
            if lighter { pixel > mean + apart } else { pixel + apart < mean }
        });
        in_rows(&marks(ink.collect(), grey.width, grey.height))
    })
}

/// The mean of each pixel's surroundings.
fn means(grey: &Grey) -> Vec<u8> {
    let (width, height, reach) = (grey.width, grey.height, limits::PAGE_SURROUNDINGS);
    // Sums of the columns from `row - reach` to `row + reach`, and a window that goes along them.
    let mut columns = vec![0u32; width];
    let mut means = Vec::with_capacity(width * height);
    let line = |row: usize| &grey.pixels[row * width..][..width];
    for row in 0..reach.min(height) {
        columns.iter_mut().zip(line(row)).for_each(|(sum, pixel)| *sum += u32::from(*pixel));
    }
    for row in 0..height {
        if row + reach < height {
            columns.iter_mut().zip(line(row + reach)).for_each(|(sum, pixel)| *sum += u32::from(*pixel));
        }
        if row > reach {
            columns.iter_mut().zip(line(row - reach - 1)).for_each(|(sum, pixel)| *sum -= u32::from(*pixel));
        }
        let rows = (row + reach + 1).min(height) - row.saturating_sub(reach);
        let mut sum: u32 = columns.iter().take(reach).sum();
        for column in 0..width {
            sum += columns.get(column + reach).unwrap_or(&0);
            if column > reach {
                sum -= columns[column - reach - 1];
            }
            let area = rows * ((column + reach + 1).min(width) - column.saturating_sub(reach));
            means.push((sum / area as u32) as u8);
        }
    }
    means
}

/// How far pixels usually are from the mean of their neighbours.
fn noise(grey: &Grey) -> u32 {
    let mut counts = [0usize; 256];
    for line in grey.pixels.chunks_exact(grey.width) {
        for window in line.windows(3) {
            let beside = (u32::from(window[0]) + u32::from(window[2])) / 2;
            counts[u32::from(window[1]).abs_diff(beside).min(255) as usize] += 1;
        }
    }
    let half = counts.iter().sum::<usize>() / 2;
    let mut below = 0;
    let median = counts.iter().position(|count| {
        below += count;
        below > half
    });
    median.unwrap_or(0) as u32
}

/// The box around ink that hangs together.
#[derive(Debug, Clone, Copy)]
struct Mark {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    ink: usize,
}

impl Mark {
    fn width(&self) -> usize {
        self.right - self.left + 1
    }
    fn height(&self) -> usize {
        self.bottom - self.top + 1
    }
    fn may_be_letters(&self) -> bool {
        let (width, height) = (self.width(), self.height());
        (limits::PAGE_LETTER_LEAST..=limits::PAGE_LETTER_MOST).contains(&height)
            && width <= height * limits::PAGE_WORD_WIDTH
            && self.ink * 10 >= width * height
    }
}

/// The marks that may be letters, from left to right.
fn marks(mut ink: Vec<bool>, width: usize, height: usize) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut open = Vec::new();
    for start in 0..ink.len() {
        if !std::mem::take(&mut ink[start]) {
            continue;
        }
        let (row, column) = (start / width, start % width);
        let mut mark = Mark { left: column, right: column, top: row, bottom: row, ink: 0 };
        open.push(start);
        while let Some(at) = open.pop() {
            let (row, column) = (at / width, at % width);
            mark.left = mark.left.min(column);
            mark.right = mark.right.max(column);
            mark.bottom = mark.bottom.max(row);
            mark.ink += 1;
            for row in row.saturating_sub(1)..=(row + 1).min(height - 1) {
                for column in column.saturating_sub(1)..=(column + 1).min(width - 1) {
                    if std::mem::take(&mut ink[row * width + column]) {
                        open.push(row * width + column);
                    }
                }
            }
        }
        if mark.may_be_letters() {
            if marks.len() == limits::PAGE_MARKS {
                return Vec::new();
            }
            marks.push(mark);
        }
    }
    marks.sort_by_key(|mark| mark.left);
    marks
}

/// The rows that marks stand in.
fn in_rows(marks: &[Mark]) -> Rows {
    let next = followers(marks);
    let mut begins = vec![true; marks.len()];
    next.iter().flatten().for_each(|at| begins[*at] = false);
    // Per row: its middle, its letters' height, how many letters.
    let mut found: Vec<(usize, usize, usize, usize)> = Vec::new();
    for start in (0..marks.len()).filter(|at| begins[*at]) {
        let row: Vec<Mark> =
            std::iter::successors(Some(start), |at| next[*at]).take(marks.len()).map(|at| marks[at]).collect();
        if let Some((height, letters)) = writing(&row) {
            let middle = row.iter().map(|mark| (mark.top + mark.bottom) / 2).sum::<usize>() / row.len();
            found.push((middle, height, letters, row.len()));
        }
    }
    let Some(height) = median(found.iter().flat_map(|row| std::iter::repeat_n(row.1, row.3)).collect()) else {
        return Rows::default();
    };
    found.retain(|row| row.1 * 2 >= height && row.1 <= height * 2);
    found.sort_unstable();
    let mut rows = 0;
    let mut last = None;
    for (middle, ..) in &found {
        if last.is_none_or(|last| middle - last >= height) {
            rows += 1;
            last = Some(*middle);
        }
    }
    let alike = marks.iter().filter(|mark| mark.height() * 2 >= height && mark.height() <= height * 3).count();
    let in_rows: usize = found.iter().map(|row| row.3).sum();
    let letters = found.iter().map(|row| row.2).sum();
    Rows { rows, letters, share: in_rows as f32 / alike.max(1) as f32, height }
}

/// For each mark the one that stands next in its row. No mark follows two others.
fn followers(marks: &[Mark]) -> Vec<Option<usize>> {
    let middle = |mark: &Mark| (mark.top + mark.bottom) / 2 / limits::PAGE_LETTER_MOST;
    let bands = marks.iter().map(middle).max().map_or(0, |most| most + 1);
    let mut by_band: Vec<Vec<usize>> = vec![Vec::new(); bands];
    marks.iter().enumerate().for_each(|(at, mark)| by_band[middle(mark)].push(at));
    let mut taken = vec![false; marks.len()];
    let mut next = vec![None; marks.len()];
    for (at, mark) in marks.iter().enumerate() {
        let until = mark.right + mark.height() * limits::PAGE_GAP;
        let band = middle(mark);
        let near = by_band[band.saturating_sub(1)..(band + 2).min(bands)].iter().flat_map(|band| {
            let from = band.partition_point(|other| marks[*other].left <= mark.left);
            band[from..].iter().take(limits::PAGE_NEAR).take_while(|other| marks[**other].left <= until)
        });
        let follows = |other: &&usize| {
            let other = &marks[**other];
            let (low, high) = (mark.height().min(other.height()), mark.height().max(other.height()));
            let both = (mark.bottom.min(other.bottom) + 1).saturating_sub(mark.top.max(other.top));
            other.right > mark.right && both * 2 >= low && high * 2 <= low * 5
        };
        if let Some(other) = near.filter(follows).min_by_key(|other| marks[**other].left).copied()
            && !std::mem::replace(&mut taken[other], true)
        {
            next[at] = Some(other);
        }
    }
    next
}

/// The usual height and the number of letters of a row that is written; of one that is anything else, nothing.
fn writing(row: &[Mark]) -> Option<(usize, usize)> {
    if row.len() < limits::PAGE_ROW_MARKS {
        return None;
    }
    let height = median(row.iter().map(Mark::height).collect())?;
    let letters = row.iter().map(|mark| (mark.width() / height.max(1)).max(1)).sum();
    // Letters of one height stand on a line or hang from one; what is cast about does neither.
    let slack = height / 6 + usize::from(height > 7);
    let in_line = row
        .windows(2)
        .filter(|w| w[0].bottom.abs_diff(w[1].bottom) <= slack || w[0].top.abs_diff(w[1].top) <= slack)
        .count();
    // Bricks, dots and bars repeat; letters differ.
    let varied = |of: &dyn Fn(&Mark) -> f32| {
        let mean = row.iter().map(of).sum::<f32>() / row.len() as f32;
        let spread = row.iter().map(|mark| (of(mark) - mean).powi(2)).sum::<f32>() / row.len() as f32;
        spread.sqrt() >= mean * limits::PAGE_VARIED
    };
    let solid = median(row.iter().map(|mark| mark.ink * 100 / (mark.width() * mark.height())).collect())?;
    let differ = varied(&|mark| mark.width() as f32) || varied(&|mark| mark.ink as f32);
    let written = letters >= limits::PAGE_ROW_LETTERS && in_line * 10 >= (row.len() - 1) * 7;
    (written && differ && solid <= limits::PAGE_SOLID).then_some((height, letters))
}

fn median(mut of: Vec<usize>) -> Option<usize> {
    of.sort_unstable();
    of.get(of.len() / 2).copied()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Five by seven, a row an octet, for the letters of [`LINES`].
    const FONT: &[(char, [u8; 7])] = &[
        ('A', [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
        ('B', [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e]),
        ('C', [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e]),
        ('D', [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e]),
        ('E', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f]),
        ('H', [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
        ('I', [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e]),
        ('L', [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f]),
        ('M', [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11]),
        ('N', [0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11]),
        ('O', [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e]),
        ('R', [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11]),
        ('S', [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e]),
        ('T', [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04]),
        ('Y', [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04]),
    ];

    const LINES: &[&str] = &[
        "AMY SMITH IS ABSENT",
        "BEN COLE HAS A HEARING TEST",
        "CLARA BELL IS IN CARE",
        "DEE TODD SEES THE DOCTOR",
        "EMIL ROSE TO ITS MOTHER",
        "HAL STONE IN DETENTION",
        "LEA MOSS IS ILL",
        "TOM HART CHANTS ALONE",
    ];

    const NAMES: &[&str] = &[
        "AMY SMITH",
        "BEN COLE",
        "CLARA BELL",
        "DEE TODD",
        "EMIL ROSE",
        "HAL STONE",
        "LEA MOSS",
        "TOM HART",
        "NED LOCH",
        "ANN MARCH",
        "BEA DALE",
        "ELSIE BOND",
        "MIA CHILD",
        "LOIS TROTT",
        "DAN HOLT",
        "TESS ALLEN",
    ];

    fn blank(width: usize, height: usize, shade: u8) -> Grey {
        Grey { width, height, pixels: vec![shade; width * height] }
    }

    fn fill(grey: &mut Grey, (left, top): (usize, usize), (width, height): (usize, usize), shade: u8) {
        for row in top..(top + height).min(grey.height) {
            let line = &mut grey.pixels[row * grey.width..][..grey.width];
            line.iter_mut().skip(left).take(width).for_each(|pixel| *pixel = shade);
        }
    }

    /// Lines of letters, `size` pixels to each of their dots; each line sinks by `sinks` dots of a hundred to the right.
    pub fn written(lines: &[&str], size: usize, (ink, paper): (u8, u8), sinks: usize) -> Grey {
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        let mut grey = blank((longest + 6) * 6 * size, (lines.len() + 3) * 11 * size, paper);
        for (number, line) in lines.iter().enumerate() {
            for (column, letter) in line.chars().enumerate() {
                let Some((_, dots)) = FONT.iter().find(|(of, _)| *of == letter) else { continue };
                for (down, bits) in dots.iter().enumerate() {
                    for across in (0..5).filter(|across| bits >> (4 - across) & 1 == 1) {
                        let left = ((column + 3) * 6 + across) * size;
                        let top = ((number + 1) * 11 + down) * size + left * sinks / 100;
                        fill(&mut grey, (left, top), (size, size), ink);
                    }
                }
            }
        }
        grey
    }

    /// Numbers that look random, always the same.
    fn dice() -> impl FnMut(usize) -> usize {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as usize % below
        }
    }

    fn noisy(mut grey: Grey, by: usize) -> Grey {
        let mut dice = dice();
        for pixel in &mut grey.pixels {
            *pixel = (usize::from(*pixel) + dice(2 * by)).saturating_sub(by).min(255) as u8;
        }
        grey
    }

    fn drawn(width: usize, height: usize, shade: impl Fn(usize, usize) -> u8) -> Grey {
        let pixels = (0..width * height).map(|at| shade(at % width, at / width)).collect();
        Grey { width, height, pixels }
    }

    #[test]
    fn what_is_written_in_rows_is_a_page() {
        const DARK: (u8, u8) = (20, 240);
        for (what, grey) in [
            ("small letters", written(LINES, 1, DARK, 0)),
            ("common ones", written(LINES, 2, DARK, 0)),
            ("large ones", written(LINES, 5, DARK, 0)),
            ("a few lines, cut out of a screen", written(&LINES[..4], 2, DARK, 0)),
            ("a list of names", written(NAMES, 2, DARK, 0)),
            ("turned a little", written(LINES, 2, DARK, 3)),
            ("turned the other way, as light does", written(LINES, 3, (200, 160), 2)),
            ("light on dark", written(LINES, 2, (230, 30), 0)),
            ("low contrast", written(LINES, 2, (150, 200), 0)),
            ("noise", noisy(written(LINES, 2, DARK, 0), 20)),
        ] {
            assert!(letters_of_page(&grey).is_some(), "{what}: {:?}", rows(&grey));
        }
    }

    #[test]
    fn what_is_not_is_none() {
        let mut form = blank(600, 600, 250);
        for at in (20..580).step_by(35) {
            fill(&mut form, (20, at), (560, 2), 0);
            fill(&mut form, (at, 20), (2, 560), 0);
        }
        let mut dice = dice();
        let mut crowd = blank(800, 600, 120);
        let mut code = blank(330, 330, 255);
        for _ in 0..1500 {
            fill(&mut crowd, (dice(800), dice(600)), (3 + dice(30), 3 + dice(30)), dice(256) as u8);
        }
        for at in (0..900).filter(|_| dice(2) == 0) {
            fill(&mut code, (15 + at % 30 * 10, 15 + at / 30 * 10), (10, 10), 0);
        }
        let bricks = |x: usize, y: usize| {
            if y % 15 < 2 || (x + y / 15 % 2 * 18) % 36 < 2 { 200 } else { 90 + (x * 7 + y / 15 * 13) as u8 % 9 }
        };
        for (what, grey) in [
            ("nothing", blank(800, 600, 255)),
            ("a single pixel", blank(1, 1, 0)),
            ("lying measures", Grey { width: 10, height: 10, pixels: vec![0; 5] }),
            ("noise", noisy(blank(800, 600, 128), 120)),
            ("a slope", drawn(800, 600, |x, y| ((x + y) / 6) as u8)),
            ("a board", drawn(600, 600, |x, y| if (x / 12 + y / 12) % 2 == 0 { 0 } else { 255 })),
            ("dots", drawn(600, 600, |x, y| if x % 14 < 7 && y % 14 < 7 { 0 } else { 255 })),
            ("stripes", drawn(600, 600, |_, y| if y / 9 % 2 == 0 { 0 } else { 255 })),
            ("bars", drawn(600, 300, |x, _| if x * x / 7 % 11 < 5 { 0 } else { 255 })),
            ("bricks", drawn(700, 500, bricks)),
            ("a form without words", form),
            ("shapes", crowd),
            ("a code of squares", code),
            ("a logo", written(&["THE SCHOOL AT THE SEA"], 4, (20, 240), 0)),
            (
                "a poster",
                written(
                    &["THE SCHOOL BALL", "IN THE HALL BY THE SEA", "ALL CHILDREN SEE IT", "COME IN SATIN OR LACE"],
                    5,
                    (20, 240),
                    0,
                ),
            ),
            ("a sign", written(&["NO", "BALL", "HERE", "AT ALL"], 4, (20, 240), 0)),
        ] {
            assert_eq!(letters_of_page(&grey), None, "{what}: {:?}", rows(&grey));
        }
    }
}
