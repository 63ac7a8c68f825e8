//! Charts: drawn on the server, with what they say in words and as a table.

use askama::{Template, filters::HtmlSafe};

/// A series: what it is called, and a number for each span.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// Its numbers, one for each label of the chart.
    pub numbers: Vec<u64>,
}

impl Series {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn at(&self, index: &usize) -> u64 {
        self.numbers.get(*index).copied().unwrap_or_default()
    }
}

/// A chart of stacked columns.
#[derive(Debug, Clone, Template)]
#[template(path = "block/chart.html")]
pub struct Chart {
    /// Its place in the page.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// What it says, in a sentence.
    pub summary: String,
    /// What the columns stand for.
    pub labels: Vec<String>,
    /// The series, the lowest first; at most six.
    pub series: Vec<Series>,
}

impl HtmlSafe for Chart {}

/// How high the highest column can be, in pixels.
const HEIGHT: u64 = 160;
/// How high the line of a label is.
const LINE: u64 = 18;
/// The width of the chart: a part of it is so many hundredths of a percent.
const WIDTH: usize = 10_000;

/// What is drawn. Whatever goes to the right is in percent, so that it has all the room there is.
struct Drawing {
    height: u64,
    bars: Vec<Bar>,
    /// The lines across, with their numbers, the highest first.
    marks: Vec<(String, u64)>,
    labels: Vec<Label>,
}

/// A part of a column.
struct Bar {
    x: String,
    y: u64,
    width: String,
    height: u64,
    class: usize,
}

/// What a series is called, at its highest column.
struct Label {
    x: String,
    y: u64,
    /// Where the line to the column ends.
    bottom: u64,
    /// Whether the words go to the left, since there is no room at the right.
    leftward: bool,
    class: usize,
    words: String,
}

impl Label {
    fn anchor(&self) -> &'static str {
        if self.leftward { "end" } else { "start" }
    }

    fn away(&self) -> &'static str {
        if self.leftward { "-8" } else { "8" }
    }
}

/// The end of a scale that has room for `most`: a round number of which the half is a whole one. A few are drawn as few.
fn end_of_scale(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        let fits = |step: &u64| step.saturating_mul(unit) >= most.max(4);
        match [2, 4, 6, 8, 10].iter().copied().find(fits) {
            Some(step) => return step.saturating_mul(unit),
            None => unit = unit.saturating_mul(10),
        }
    }
}

fn percent(hundredths: usize) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Chart {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn total(&self, index: &usize) -> u64 {
        self.total_at(*index)
    }

    fn total_at(&self, index: usize) -> u64 {
        self.series.iter().filter_map(|series| series.numbers.get(index)).sum()
    }

    fn most(&self) -> u64 {
        (0..self.labels.len()).map(|index| self.total_at(index)).max().unwrap_or(0)
    }

    fn is_flat(&self) -> bool {
        self.most() == 0
    }

    fn drawing(&self) -> Drawing {
        let end = end_of_scale(self.most());
        let count = self.labels.len().max(1);
        let lines =
            self.series.iter().filter(|series| series.numbers.iter().any(|number| *number > 0)).count();
        let top = lines as u64 * LINE + 4;
        let width = (WIDTH * 4 / 5 / count).min(WIDTH * 6 / 100);
        let middle = |index: usize| (2 * index + 1) * WIDTH / (2 * count);
        let mut bars = Vec::new();
        // Of each series its highest column: where, how much, and where that ends.
        let mut peaks = vec![(0, 0, 0); self.series.len()];
        for index in 0..self.labels.len() {
            let mut y = top + HEIGHT;
            for ((class, series), peak) in self.series.iter().enumerate().zip(&mut peaks) {
                let number = series.at(&index);
                if number == 0 {
                    continue;
                }
                let height = u64::try_from(u128::from(number) * u128::from(HEIGHT) / u128::from(end))
                    .unwrap_or(HEIGHT);
                let height = height.max(2);
                y = y.saturating_sub(height);
                bars.push(Bar {
                    x: percent(middle(index) - width / 2),
                    y,
                    width: percent(width),
                    height,
                    class,
                });
                if number > peak.1 {
                    *peak = (index, number, y);
                }
            }
        }
        let shown = peaks.into_iter().enumerate().filter(|(_, (_, number, _))| *number > 0);
        let labels = shown.enumerate().map(|(line, (class, (index, number, bottom)))| Label {
            x: percent(middle(index)),
            y: line as u64 * LINE + LINE / 2,
            bottom,
            leftward: middle(index) > WIDTH / 2,
            class,
            words: format!(
                "{}: highest {}",
                self.series.get(class).map_or("", |series| &series.name),
                grouped(number)
            ),
        });
        let marks = [(end, top), (end / 2, top + HEIGHT / 2), (0, top + HEIGHT)];
        Drawing {
            height: top + HEIGHT + 1,
            bars,
            marks: marks.into_iter().map(|(number, y)| (grouped(number), y)).collect(),
            labels: labels.collect(),
        }
    }

    /// The first and the last label, below the ends of the chart.
    fn ends(&self) -> (&str, &str) {
        let first = self.labels.first().map_or("", String::as_str);
        (first, self.labels.last().map_or("", String::as_str))
    }

    fn totals(&self) -> Vec<(usize, &str, String)> {
        let named = self.series.iter().enumerate();
        named
            .map(|(class, series)| (class, series.name.as_str(), grouped(series.numbers.iter().sum())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_with_a_half() {
        for (most, end) in [
            (0, 4),
            (1, 4),
            (4, 4),
            (5, 6),
            (9, 10),
            (10, 10),
            (11, 20),
            (13, 20),
            (61, 80),
            (100, 100),
            (101, 200),
            (1_234, 2_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(end_of_scale(most), end, "{most}");
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn one_is_drawn_lower_than_thirteen() {
        let height = |number| {
            let series = vec![Series { name: "Issued".to_owned(), numbers: vec![0, number] }];
            let labels = vec!["1:00".to_owned(), "2:00".to_owned()];
            let chart = Chart { id: "tokens", title: String::new(), summary: String::new(), labels, series };
            let drawing = chart.drawing();
            assert_eq!(drawing.labels[0].words, format!("Issued: highest {number}"));
            (drawing.bars[0].height, drawing.marks[0].0.clone())
        };
        assert_eq!((height(1), height(13)), ((40, "4".to_owned()), (104, "20".to_owned())));
    }
}
