//! What happened over time, as charts.

use std::collections::BTreeMap;

use keyward_core::{Action, Count, CountedEvents, Error};
use keyward_model::{Kind, Timestamp};

use super::desk_at::Desk;
use crate::{
    Notice, Severity,
    component::{Block, Chart, Content, Panel, Row, Series, Table},
};

/// An hour and a day, in seconds.
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// How many days the charts by the day tell of.
const DAYS: usize = 14;
/// How many hours the charts by the hour tell of.
const HOURS: usize = 24;

/// A chart of events by their outcome.
pub(super) struct Outcomes {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What each series is called, and the action that it counts.
    pub(super) series: &'static [(&'static str, &'static str)],
}

/// Spans of time, one after the other, the last of which is now.
#[derive(Clone, Copy)]
pub(super) struct Spans {
    now: Timestamp,
    first: i64,
    seconds: i64,
    number: usize,
}

impl Spans {
    fn until(now: Timestamp, seconds: i64, number: usize) -> Self {
        let before = i64::try_from(number).unwrap_or_default() - 1;
        Self { now, first: now.unix_seconds().div_euclid(seconds) - before, seconds, number }
    }

    /// The last 24 hours.
    pub(super) fn hours(now: Timestamp) -> Self {
        Self::until(now, HOUR, HOURS)
    }

    /// The last 14 days.
    pub(super) fn days(now: Timestamp) -> Self {
        Self::until(now, DAY, DAYS)
    }

    fn begins(self, index: usize) -> Timestamp {
        let seconds = (self.first + i64::try_from(index).unwrap_or_default()) * self.seconds;
        Timestamp::from_unix_millis(seconds * 1_000).unwrap_or(self.now)
    }

    fn labels(self) -> Vec<String> {
        let label = |index| {
            let at = self.begins(index);
            if self.seconds == DAY {
                at.date_for_people()
            } else {
                at.as_chrono().format("%-d %b, %H:00").to_string()
            }
        };
        (0..self.number).map(label).collect()
    }

    fn numbers(self, counts: &[Count], action: &str) -> Vec<u64> {
        let mut numbers = vec![0; self.number];
        for count in counts.iter().filter(|count| count.action == action) {
            let index = count.from.unix_seconds().div_euclid(self.seconds) - self.first;
            if let Some(number) = usize::try_from(index).ok().and_then(|index| numbers.get_mut(index)) {
                *number += count.count;
            }
        }
        numbers
    }

    /// What happened in this time, of this tenant or of all.
    pub(super) async fn counted(
        self,
        desk: &Desk,
        action: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Vec<Count>, Error> {
        let tenant = desk.place.as_ref().map(|place| place.id.as_str());
        let what = CountedEvents { action, resource, tenant };
        let seconds = u32::try_from(self.seconds).unwrap_or(u32::MAX);
        desk.state.keyward.counts(&desk.call(), what, self.begins(0), seconds).await
    }
}

/// How often an action was done.
pub(super) fn times(counts: &[Count], action: &str) -> u64 {
    counts.iter().filter(|count| count.action == action).map(|count| count.count).sum()
}

/// The chart of what was counted.
pub(super) fn drawn(chart: &Outcomes, counts: &[Count], spans: Spans) -> Chart {
    let mut words: Vec<String> = Vec::new();
    for (name, action) in chart.series {
        let name = if words.is_empty() { (*name).to_owned() } else { name.to_lowercase() };
        words.push(format!("{name} {}", times(counts, action)));
    }
    let series = |(name, action): &(&str, &str)| Series {
        name: (*name).to_owned(),
        numbers: spans.numbers(counts, action),
    };
    Chart {
        id: chart.id,
        title: chart.title.to_owned(),
        summary: format!("{}.", words.join(", ")),
        labels: spans.labels(),
        series: chart.series.iter().map(series).collect(),
    }
}

/// A chart of the last 14 days, for those who may look at the log. One that fails says so, and nothing else fails with it.
pub(super) async fn by_day(desk: &Desk, chart: &Outcomes, resource: Option<&str>) -> Option<Block> {
    if !desk.caller().may(Action::List, Kind::Event) {
        return None;
    }
    let spans = Spans::days(desk.now);
    // Of one action alone, or of all of its noun.
    let action = match chart.series {
        [(_, only)] => (*only).to_owned(),
        [(_, first), ..] => format!("{}.", first.split('.').next().unwrap_or_default()),
        [] => return None,
    };
    Some(match spans.counted(desk, Some(&action), resource).await {
        Ok(counts) => {
            let chart = Block::Chart(drawn(chart, &counts, spans));
            Panel::new("days", "The last 14 days", vec![chart]).into()
        }
        Err(error) => failed(chart.title, &error),
    })
}

/// That a part of a page is not there, and why.
pub(super) fn failed(what: &str, error: &Error) -> Block {
    if let Error::Unavailable(cause) = error {
        tracing::error!(%cause, what, "a part of a page could not be answered");
    }
    Block::Notice(Notice::new(Severity::Error, format!("{what}: {error}")))
}

/// The reasons of an action, the most frequent first; none when there are none.
pub(super) fn by_reason(id: &str, title: &str, counts: &[Count], action: &str) -> Option<Panel> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for count in counts.iter().filter(|count| count.action == action) {
        *reasons.entry(count.reason.as_deref().unwrap_or("other")).or_default() += count.count;
    }
    let reasons = reasons.into_iter().map(|(reason, number)| (reason.replace('_', " "), number)).collect();
    most_frequent(id, title, "Reason", reasons)
}

/// The ten most frequent of what was counted; none when there are none.
pub(super) fn most_frequent(
    id: &str,
    title: &str,
    column: &'static str,
    mut counted: Vec<(String, u64)>,
) -> Option<Panel> {
    counted.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    counted.truncate(10);
    if counted.is_empty() {
        return None;
    }
    let row = |(name, number): (String, u64)| Row {
        cells: vec![Content::words(name), Content::words(number.to_string())],
        ..Row::default()
    };
    let table = Table {
        caption: title.to_owned(),
        columns: vec![column, "Times"],
        rows: counted.into_iter().map(row).collect(),
        empty: String::new(),
    };
    Some(Panel::new(id, title, vec![Block::Table(table)]))
}
