//! Bars as numbers: where each part of each bar stands in a picture, for a template that draws it (SVG 2, presentation attributes
//! alone: the desk's policy forbids styles on elements).
//!
//! Never knows what is counted. Invariant: only numbers and short labels of our own come out, and each bar lies inside the picture.

use serde::Serialize;

use super::view::printed;
use crate::limits;

/// The picture's height, and what is left below the bars for their labels and above for the highest number.
const HEIGHT: u64 = limits::CHART_HEIGHT;
const BELOW: u64 = limits::CHART_BELOW;
const ABOVE: u64 = limits::CHART_ABOVE;
/// The room of one bar with the gap beside it, and the bar's own width.
const PITCH: u64 = limits::CHART_PITCH;
const WIDTH: u64 = limits::CHART_BAR;

printed!(Chart);

/// Bars side by side, each of parts that lie on each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chart {
    width: u64,
    height: u64,
    /// Where the bars stand.
    floor: u64,
    bars: Vec<Bar>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Bar {
    label: String,
    /// Of its middle.
    middle: u64,
    /// All parts together, and where that is written.
    sum: u64,
    top: u64,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Part {
    /// Which of the series; its class names it.
    series: usize,
    x: u64,
    y: u64,
    width: u64,
    height: u64,
}

impl Chart {
    /// One bar a label, its parts from the bottom up in the order of the series.
    pub fn of(bars: impl IntoIterator<Item = (String, Vec<u64>)>) -> Self {
        let bars: Vec<(String, Vec<u64>)> = bars.into_iter().collect();
        let sum = |parts: &[u64]| parts.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
        let most = bars.iter().map(|(_, parts)| sum(parts)).max().unwrap_or_default().max(1);
        let (floor, room) = (HEIGHT - BELOW, HEIGHT - BELOW - ABOVE);
        // In u128, so that no count is too large to be drawn.
        let scaled =
            |part: u64| u64::try_from(u128::from(part) * u128::from(room) / u128::from(most)).unwrap_or(room).min(room);
        let mut left = (PITCH - WIDTH) / 2;
        let bars = bars.into_iter().map(|(label, counts)| {
            let (mut so_far, mut parts) = (0_u64, Vec::new());
            for (series, count) in counts.iter().enumerate() {
                let below = scaled(so_far);
                so_far = so_far.saturating_add(*count);
                // From sums, so that rounding never pushes a bar out of the picture; what is there is seen.
                let height = (scaled(so_far) - below).max(u64::from(*count > 0));
                if height > 0 {
                    parts.push(Part { series, x: left, y: floor - below - height, width: WIDTH, height });
                }
            }
            let top = parts.last().map_or(floor, |part| part.y).min(floor) - 5;
            let bar = Bar { label, middle: left + WIDTH / 2, sum: so_far, top, parts };
            left += PITCH;
            bar
        });
        let bars: Vec<Bar> = bars.collect();
        Self { width: PITCH * bars.len().max(1) as u64, height: HEIGHT, floor, bars }
    }

    /// Whether there is anything to draw.
    pub fn is_empty(&self) -> bool {
        self.bars.iter().all(|bar| bar.sum == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_in_the_picture_and_the_highest_fills_it() {
        for counts in [
            vec![vec![0, 0]],
            vec![vec![1, 2], vec![300, 0], vec![0, 1]],
            vec![vec![u64::MAX, u64::MAX], vec![1, 0]],
            vec![vec![1; 40], vec![39; 40]],
            vec![],
        ] {
            let chart = Chart::of(counts.iter().map(|parts| ("1 Nov".to_owned(), parts.clone())));
            assert_eq!(chart.bars.len(), counts.len());
            for (bar, counts) in chart.bars.iter().zip(&counts) {
                assert_eq!(bar.parts.len(), counts.iter().filter(|&&count| count > 0).count(), "what is there is seen");
                let mut below = chart.floor;
                for part in &bar.parts {
                    assert!(part.y + part.height <= chart.floor && part.x + part.width <= chart.width, "{part:?}");
                    assert!(part.y + part.height >= below.saturating_sub(1), "no gap between parts: {part:?}");
                    below = part.y;
                }
            }
        }
        let chart = Chart::of([("a".to_owned(), vec![50, 50]), ("b".to_owned(), vec![0, 50])]);
        let heights: Vec<u64> = chart.bars.iter().flat_map(|bar| &bar.parts).map(|part| part.height).collect();
        assert_eq!(heights, [78, 78, 78]);
        assert_eq!(chart.bars[0].parts[1].y, ABOVE);
        assert!(Chart::of([("a".to_owned(), vec![0])]).is_empty() && !chart.is_empty());
    }
}
