//! Lists of records and of events, and how many there are.

use std::collections::BTreeMap;

use keyward_model::{ChainedEvent, Event, Reach, Record, Subject, Timestamp};
use keyward_store::{Condition, Cursor, Direction, EventPage, EventQuery, Page, Query, Tally};
use redb::ReadableTable;

use crate::data::{Fallible, Records, decode};

pub(crate) fn list(records: &impl Records, reach: &Reach, query: &Query) -> Fallible<Page<Record>> {
    // What is cheap to tell comes first: whether a record is visible depends on others.
    let is_selected = |record: &Record| {
        let matches = meets(record, &query.conditions)
            && query.search.as_deref().is_none_or(|text| contains(record, text));
        Ok(matches && records.is_visible(reach, record)?)
    };
    let mut selected = records.select(query.kind, is_selected)?;
    // `Value` sorts null first and texts by their bytes.
    selected.sort_by_cached_key(|record| (record.value(query.sort), record.id()));
    if query.direction == Direction::Descending {
        selected.reverse();
    }
    let total = selected.len() as u64;
    let skipped = usize::try_from(query.offset()).unwrap_or(usize::MAX);
    let items = selected.into_iter().skip(skipped).take(query.per_page as usize).collect();
    Ok(Page { items, total })
}

/// Whether a record meets all conditions.
pub(crate) fn meets(record: &Record, conditions: &[Condition]) -> bool {
    conditions.iter().all(|condition| condition.test.holds(&record.value(condition.field)))
}

fn contains(record: &Record, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    record.search_texts().iter().any(|searched| searched.to_ascii_lowercase().contains(&text))
}

/// Goes through the events from the newest to the oldest, no further than needed.
pub(crate) fn events(
    events: &impl ReadableTable<u128, &'static [u8]>,
    reach: &Reach,
    query: &EventQuery,
) -> Fallible<EventPage> {
    let (skipped, is_counted, range) = match query.cursor {
        Cursor::Offset(offset) => (offset, true, events.range::<u128>(..)?),
        Cursor::Before(id) => (0, false, events.range(..id.uuid().as_u128())?),
    };
    let (mut items, mut total, mut more) = (Vec::new(), 0_u64, false);
    for entry in range.rev() {
        let chained: ChainedEvent = decode(entry?.1.value())?;
        if !covers(reach, &chained.event) || !selects(query, &chained.event) {
            continue;
        }
        total += 1;
        if total > skipped && items.len() < query.limit as usize {
            items.push(chained);
        } else if total > skipped {
            more = true;
            if !is_counted {
                break;
            }
        }
    }
    Ok(EventPage { items, total: is_counted.then_some(total), more })
}

pub(crate) fn tally(
    events: &impl ReadableTable<u128, &'static [u8]>,
    reach: &Reach,
    query: &EventQuery,
    seconds: u32,
) -> Fallible<Vec<Tally>> {
    let span = i64::from(seconds.max(1)) * 1_000;
    let mut counts: BTreeMap<(Timestamp, String, Option<String>), u64> = BTreeMap::new();
    for entry in events.iter()? {
        let ChainedEvent { event, .. } = decode(entry?.1.value())?;
        if covers(reach, &event) && selects(query, &event) {
            let began = event.occurred_at.unix_millis().div_euclid(span) * span;
            // A span that began before the calendar does is as long as the calendar has of it.
            let from = Timestamp::from_unix_millis(began).unwrap_or(event.occurred_at);
            *counts.entry((from, event.action.as_str().to_owned(), event.reason)).or_default() += 1;
        }
    }
    let tally = |((from, action, reason), count)| Tally { from, action, reason, count };
    Ok(counts.into_iter().map(tally).collect())
}

fn covers(reach: &Reach, event: &Event) -> bool {
    match reach {
        Reach::Platform => true,
        Reach::Partner(partner) => event.partner_id == Some(*partner),
        Reach::Tenant(tenant) => event.tenant_id == Some(*tenant),
    }
}

fn selects(query: &EventQuery, event: &Event) -> bool {
    let is_about = |subject: Option<&Subject>, id: &str| subject.and_then(|it| it.id.as_deref()) == Some(id);
    let is_action = |wanted: &str| {
        let action = event.action.as_str();
        if wanted.ends_with('.') { action.starts_with(wanted) } else { action == wanted }
    };
    query.from.is_none_or(|from| event.occurred_at >= from)
        && query.to.is_none_or(|to| event.occurred_at < to)
        && query.actor.as_deref().is_none_or(|id| is_about(Some(&event.actor), id))
        && query.resource.as_deref().is_none_or(|id| is_about(event.resource.as_ref(), id))
        && query.action.as_deref().is_none_or(is_action)
        && query.outcome.is_none_or(|outcome| event.outcome == outcome)
        && query.tenant_id.as_deref().is_none_or(|id| event.tenant_id.is_some_and(|it| it.to_string() == id))
}
