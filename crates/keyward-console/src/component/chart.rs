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

/// How wide a chart is, in its own units.
const WIDTH: u64 = 640;
/// How high.
const HEIGHT: u64 = 160;

/// A part of a column.
struct Bar {
    x: u64,
    y: u64,
    width: u64,
    height: u64,
    class: usize,
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

    fn bars(&self) -> Vec<Bar> {
        let most = self.most().max(1);
        let step = WIDTH / (self.labels.len().max(1) as u64);
        let mut bars = Vec::new();
        for index in 0..self.labels.len() {
            let mut y = HEIGHT;
            for (class, series) in self.series.iter().enumerate() {
                let number = series.numbers.get(index).copied().unwrap_or(0);
                if number == 0 {
                    continue;
                }
                let height = (number * (HEIGHT - 8) / most).max(2);
                y = y.saturating_sub(height);
                let width = step.saturating_sub(2).max(1);
                bars.push(Bar { x: index as u64 * step, y, width, height, class });
            }
        }
        bars
    }

    /// The first and the last label, below the ends of the chart.
    fn ends(&self) -> (&str, &str) {
        let first = self.labels.first().map_or("", String::as_str);
        (first, self.labels.last().map_or("", String::as_str))
    }

    fn totals(&self) -> Vec<(usize, &str, u64)> {
        let named = self.series.iter().enumerate();
        named.map(|(class, series)| (class, series.name.as_str(), series.numbers.iter().sum())).collect()
    }
}
