//! Lists of records and of events, and how many there are.

use std::collections::BTreeMap;

use keyward_model::{Action, ChainedEvent, Event, Kind, Reach, Record, Subject, Timestamp};
use keyward_store::{Condition, Cursor, Direction, EventPage, EventQuery, Page, Query, Tally};

use crate::data::Data;

pub(crate) fn list(data: &Data, reach: &Reach, query: &Query) -> Page<Record> {
    let selected = |record: &&Record| {
        is_among(data, reach, query.kind, &query.conditions, record)
            && query.search.as_deref().is_none_or(|text| contains(record, text))
    };
    let mut records: Vec<&Record> = data.records.values().filter(selected).collect();
    // `Value` sorts null first and texts by their bytes; ids sort as their texts do.
    records.sort_by_key(|record| (record.value(query.sort), record.id()));
    if query.direction == Direction::Descending {
        records.reverse();
    }
    let total = records.len() as u64;
    let skipped = usize::try_from(query.offset()).unwrap_or(usize::MAX);
    let items = records.into_iter().skip(skipped).take(query.per_page as usize).cloned().collect();
    Page { items, total }
}

/// How many records of a kind exist for the platform that meet all conditions.
pub(crate) fn count(data: &Data, kind: Kind, conditions: &[Condition]) -> u64 {
    let is_counted = |record: &&Record| is_among(data, &Reach::Platform, kind, conditions, record);
    data.records.values().filter(is_counted).count() as u64
}

fn is_among(data: &Data, reach: &Reach, kind: Kind, conditions: &[Condition], record: &Record) -> bool {
    record.id().kind == kind
        && data.is_visible(reach, record)
        && conditions.iter().all(|condition| holds(condition, record))
}

fn holds(condition: &Condition, record: &Record) -> bool {
    condition.test.holds(&record.value(condition.field))
}

fn contains(record: &Record, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    record.search_texts().iter().any(|searched| searched.to_ascii_lowercase().contains(&text))
}

pub(crate) fn events(data: &Data, reach: &Reach, query: &EventQuery) -> EventPage {
    let selected = |chained: &&ChainedEvent| covers(reach, &chained.event) && selects(query, &chained.event);
    let mut events: Vec<&ChainedEvent> = data.events.iter().filter(selected).collect();
    events.sort_by_key(|chained| std::cmp::Reverse(chained.event.id));
    let (skipped, total) = match query.cursor {
        Cursor::Offset(offset) => (usize::try_from(offset).unwrap_or(usize::MAX), Some(events.len() as u64)),
        Cursor::Before(id) => (events.iter().take_while(|chained| chained.event.id >= id).count(), None),
    };
    let rest = events.get(skipped..).unwrap_or_default();
    let limit = query.limit as usize;
    let items = rest.iter().take(limit).map(|chained| (*chained).clone()).collect();
    EventPage { items, total, more: rest.len() > limit }
}

pub(crate) fn tally(data: &Data, reach: &Reach, query: &EventQuery, seconds: u32) -> Vec<Tally> {
    let span = i64::from(seconds.max(1)) * 1_000;
    let mut counts: BTreeMap<(Timestamp, &str, Option<&str>), u64> = BTreeMap::new();
    for ChainedEvent { event, .. } in &data.events {
        if covers(reach, event) && selects(query, event) {
            let began = event.occurred_at.unix_millis().div_euclid(span) * span;
            // A span that began before the calendar does is as long as the calendar has of it.
            let from = Timestamp::from_unix_millis(began).unwrap_or(event.occurred_at);
            *counts.entry((from, event.action.as_str(), event.reason.as_deref())).or_default() += 1;
        }
    }
    let tally = |((from, action, reason), count): ((_, &str, Option<&str>), _)| Tally {
        from,
        action: action.to_owned(),
        reason: reason.map(str::to_owned),
        count,
    };
    counts.into_iter().map(tally).collect()
}

fn covers(reach: &Reach, event: &Event) -> bool {
    match reach {
        Reach::Platform => true,
        Reach::Partner(partner) => event.partner_id == Some(*partner),
        Reach::Tenant(tenant) => event.tenant_id == Some(*tenant),
    }
}

fn selects(query: &EventQuery, event: &Event) -> bool {
    let has_id = |subject: Option<&Subject>, id: &str| subject.and_then(|it| it.id.as_deref()) == Some(id);
    let from = |at: Timestamp| event.occurred_at >= at;
    let to = |at: Timestamp| event.occurred_at < at;
    query.from.is_none_or(from)
        && query.to.is_none_or(to)
        && query.actor.as_deref().is_none_or(|id| has_id(Some(&event.actor), id))
        && query.resource.as_deref().is_none_or(|id| has_id(event.resource.as_ref(), id))
        && query.action.as_deref().is_none_or(|wanted| is_action(&event.action, wanted))
        && query.outcome.is_none_or(|outcome| event.outcome == outcome)
        && query.tenant_id.as_deref().is_none_or(|id| event.tenant_id.is_some_and(|it| it.to_string() == id))
}

fn is_action(action: &Action, wanted: &str) -> bool {
    if wanted.ends_with('.') { action.as_str().starts_with(wanted) } else { action.as_str() == wanted }
}
