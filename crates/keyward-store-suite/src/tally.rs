//! How many events there were in spans of time.

use keyward_model::{Action, Entity, Event, Outcome, Reach, Timestamp};
use keyward_store::{Cursor, EventQuery, Store};

use crate::fixtures::*;

/// A minute that begins with the minute of the clock.
const MINUTE: i64 = 1_795_000_020_000;

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).expect("a moment within the calendar")
}

fn happened(millis: i64, action: Action, reason: Option<&str>) -> Event {
    Event { occurred_at: moment(millis), action, reason: reason.map(str::to_owned), ..event(0) }
}

/// What a tally says: span in milliseconds, action, reason, count.
type Line = (i64, String, Option<String>, u64);

async fn tallied(store: &dyn Store, reach: &Reach, query: &EventQuery, seconds: u32) -> Vec<Line> {
    let lines = store.tally(reach, query, seconds).await.unwrap();
    lines.into_iter().map(|it| (it.from.unix_millis(), it.action, it.reason, it.count)).collect()
}

fn line(from: i64, action: &str, reason: Option<&str>, count: u64) -> Line {
    (from, action.to_owned(), reason.map(str::to_owned), count)
}

/// Spans begin at multiples of their length, to the millisecond; those without events are left out.
pub(crate) async fn events_are_tallied_by_spans(store: &dyn Store) {
    let moments = [-1, 0, 1, 999, 59_999, 60_000, 60_001, 3_600_000, 86_400_000 * 400];
    let events = moments.map(|millis| happened(MINUTE + millis, Action::TOKEN_ISSUED, None));
    // Not in the order of time, and of two chains.
    store.commit(append(chained("one", 1, events[4..].to_vec()))).await.unwrap();
    store.commit(append(chained("two", 1, events[..4].to_vec()))).await.unwrap();
    for seconds in [1, 7, 60, 900, 3_600, 86_400, 604_800, u32::MAX] {
        let span = i64::from(seconds) * 1_000;
        let mut expected: Vec<Line> = Vec::new();
        for millis in moments {
            let from = (MINUTE + millis).div_euclid(span) * span;
            match expected.last_mut() {
                Some(last) if last.0 == from => last.3 += 1,
                _ => expected.push(line(from, "token.issued", None, 1)),
            }
        }
        let found = tallied(store, &Reach::Platform, &EventQuery::default(), seconds).await;
        assert_eq!(found, expected, "{seconds} seconds");
    }
    let by_minute = tallied(store, &Reach::Platform, &EventQuery::default(), 60).await;
    let counts: Vec<u64> = by_minute.iter().map(|line| line.3).collect();
    assert_eq!(counts, [1, 4, 2, 1, 1]);
}

/// Before the Unix epoch as well.
pub(crate) async fn spans_go_back_before_the_epoch(store: &dyn Store) {
    let moments = [-60_001, -60_000, -1, 0, 59_999];
    let events = moments.map(|millis| happened(millis, Action::TOKEN_ISSUED, None));
    store.commit(append(chained("chain", 1, events))).await.unwrap();
    let expected = [
        line(-120_000, "token.issued", None, 1),
        line(-60_000, "token.issued", None, 2),
        line(0, "token.issued", None, 2),
    ];
    assert_eq!(tallied(store, &Reach::Platform, &EventQuery::default(), 60).await, expected);
}

/// By action and reason, in the order of their bytes; without a reason first.
pub(crate) async fn events_are_tallied_by_action_and_reason(store: &dyn Store) {
    let denied = |millis, reason| happened(MINUTE + millis, Action::TOKEN_DENIED, reason);
    let events = [
        denied(1, Some("é")),
        denied(2, None),
        denied(3, Some("expired")),
        denied(4, Some("Expired")),
        denied(5, Some("expired")),
        denied(6, Some("")),
        happened(MINUTE + 7, Action::TENANT_CREATED, None),
        happened(MINUTE + 8, Action::TOKEN_ISSUED, None),
        happened(MINUTE - 1, Action::TOKEN_ISSUED, None),
    ];
    store.commit(append(chained("chain", 1, events))).await.unwrap();
    let expected = [
        line(MINUTE - 60_000, "token.issued", None, 1),
        line(MINUTE, "tenant.created", None, 1),
        line(MINUTE, "token.denied", None, 1),
        line(MINUTE, "token.denied", Some(""), 1),
        line(MINUTE, "token.denied", Some("Expired"), 1),
        line(MINUTE, "token.denied", Some("expired"), 2),
        line(MINUTE, "token.denied", Some("é"), 1),
        line(MINUTE, "token.issued", None, 1),
    ];
    assert_eq!(tallied(store, &Reach::Platform, &EventQuery::default(), 60).await, expected);
}

/// Only what the reach covers and the query selects; its page does not matter.
pub(crate) async fn tallies_are_of_what_a_query_selects(store: &dyn Store) {
    let world = World::new();
    let (partner, tenant) = (&world.partners[0], &world.tenants[0]);
    let mut events: Vec<Event> = (0..6).map(|n| happened(MINUTE + n, Action::TOKEN_ISSUED, None)).collect();
    for event in &mut events[2..] {
        event.partner_id = Some(partner.id());
    }
    for event in &mut events[3..] {
        event.tenant_id = Some(tenant.id());
    }
    events[4].outcome = Outcome::Denied;
    events[5].actor.id = Some("actor".to_owned());
    let newest = events[5].id;
    store.commit(append(chained("chain", 1, events))).await.unwrap();
    let all = EventQuery::default();
    let text = |text: &str| Some(text.to_owned());
    let of_partner = Reach::Partner(partner.id());
    let cases = [
        (Reach::Platform, all.clone(), 6),
        (of_partner, all.clone(), 4),
        (Reach::Tenant(tenant.id()), all.clone(), 3),
        (Reach::Tenant(id()), all.clone(), 0),
        (Reach::Platform, EventQuery { from: Some(moment(MINUTE + 4)), ..all.clone() }, 2),
        (Reach::Platform, EventQuery { to: Some(moment(MINUTE + 4)), ..all.clone() }, 4),
        (Reach::Platform, EventQuery { outcome: Some(Outcome::Denied), ..all.clone() }, 1),
        (of_partner, EventQuery { outcome: Some(Outcome::Success), ..all.clone() }, 3),
        (Reach::Platform, EventQuery { actor: text("actor"), ..all.clone() }, 1),
        (Reach::Platform, EventQuery { action: text("token."), ..all.clone() }, 6),
        (Reach::Platform, EventQuery { action: text("tenant."), ..all.clone() }, 0),
        (Reach::Platform, EventQuery { action: text("a\0."), ..all.clone() }, 0),
        (Reach::Platform, EventQuery { resource: text("nothing"), ..all.clone() }, 0),
        (of_partner, EventQuery { tenant_id: Some(tenant.id().to_string()), ..all.clone() }, 3),
        (Reach::Platform, EventQuery { cursor: Cursor::Offset(5), limit: 1, ..all.clone() }, 6),
        (Reach::Platform, EventQuery { cursor: Cursor::Before(newest), ..all }, 6),
    ];
    for (reach, query, count) in cases {
        let expected = if count == 0 { vec![] } else { vec![line(MINUTE, "token.issued", None, count)] };
        assert_eq!(tallied(store, &reach, &query, 60).await, expected, "{query:?} in {reach:?}");
    }
}
