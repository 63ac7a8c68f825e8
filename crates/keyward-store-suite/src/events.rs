//! The audit log.

use keyward_model::{Action, ChainHead, ChainedEvent, Entity, Event, Outcome, Reach, Subject, encode_uuid};
use keyward_store::{Cursor, EventQuery, Store};

use crate::fixtures::*;

fn query() -> EventQuery {
    EventQuery { limit: 100, ..EventQuery::default() }
}

/// What a query selects for the platform, newest first, in numbers of the chain.
async fn selected(store: &dyn Store, query: EventQuery) -> Vec<i64> {
    let page = store.events(&Reach::Platform, &query).await.unwrap();
    assert_eq!(page.total, Some(page.items.len() as u64), "the total of {query:?}");
    assert!(!page.more, "{query:?} has everything on one page");
    page.items.iter().map(|event| event.seq).collect()
}

/// With everything in it and with nothing, an event comes back as it was written, wherever it is read.
pub(crate) async fn events_are_read_as_they_were_written(store: &dyn Store) {
    let named = |it: &mut Event| it.resource = Some(Subject { kind: "token".into(), id: None, name: None });
    let mut third = event(3);
    named(&mut third);
    let events = chained("chain", 1, [event(1), full_event(2), third]);
    store.commit(append(events.clone())).await.unwrap();
    assert_eq!(store.chain("chain", 0, 10).await.unwrap(), events);
    let page = store.events(&Reach::Platform, &query()).await.unwrap();
    assert_eq!(page.items, events.iter().rev().cloned().collect::<Vec<ChainedEvent>>());
    assert_eq!(store.chain("other", 0, 10).await.unwrap(), []);
}

/// Events follow the head of their chain without a gap, or not at all.
pub(crate) async fn chains_have_no_gaps(store: &dyn Store) {
    assert_stale(store.commit(append(chained("chain", 2, [event(1)]))).await);
    assert_stale(store.commit(append(chained("chain", 0, [event(1)]))).await);
    store.commit(append(chained("chain", 1, [event(1), event(2)]))).await.unwrap();
    for first in [1, 2, 4] {
        assert_stale(store.commit(append(chained("chain", first, [event(3)]))).await);
    }
    let mut gap = chained("chain", 3, [event(3), event(4)]);
    gap[1].seq = 5;
    assert_stale(store.commit(append(gap)).await);
    let mut mixed = chained("chain", 3, [event(3), event(4)]);
    mixed[1].chain = "other".to_owned();
    assert_stale(store.commit(append(mixed)).await);
    assert_stale(store.commit(append(chained("CHAIN", 3, [event(3)]))).await);
    assert_eq!(store.chain("chain", 0, 10).await.unwrap().len(), 2);
    store.commit(append(chained("chain", 3, [event(3)]))).await.unwrap();
    store.commit(append(chained("CHAIN", 1, [event(3)]))).await.unwrap();
    assert_eq!(store.chain("chain", 0, 10).await.unwrap().len(), 3);
    assert_eq!(store.chain("CHAIN", 0, 10).await.unwrap().len(), 1);
}

/// A head tells the first and the last event of its chain.
pub(crate) async fn chains_are_listed_oldest_first(store: &dyn Store) {
    for (chain, opened) in [("b", 10), ("c", 5), ("a", 10)] {
        store.commit(append(chained(chain, 1, [event(opened)]))).await.unwrap();
    }
    let more = chained("c", 2, [event(20), event(30)]);
    store.commit(append(more.clone())).await.unwrap();
    let heads = store.chains().await.unwrap();
    let names: Vec<&str> = heads.iter().map(|head| head.chain.as_str()).collect();
    assert_eq!(names, ["c", "a", "b"]);
    let expected = ChainHead {
        chain: "c".to_owned(),
        opened_at: at(5),
        updated_at: at(30),
        seq: 3,
        hash: more[1].hash,
        usage_seq: 0,
    };
    assert_eq!(heads[0], expected);
}

/// A chain is read from any number on, as far as asked.
pub(crate) async fn chains_are_read_in_parts(store: &dyn Store) {
    let events = chained("chain", 1, (1..=600).map(event));
    for part in events.chunks(251) {
        store.commit(append(part.to_vec())).await.unwrap();
    }
    store.commit(append(chained("other", 1, [event(1), event(2)]))).await.unwrap();
    assert_eq!(store.chain("chain", 0, 1_000).await.unwrap(), events);
    assert_eq!(store.chain("chain", 0, 7).await.unwrap(), events[..7]);
    assert_eq!(store.chain("chain", 590, 7).await.unwrap(), events[590..597]);
    assert_eq!(store.chain("chain", 597, 7).await.unwrap(), events[597..]);
    assert_eq!(store.chain("chain", 600, 7).await.unwrap(), []);
    assert_eq!(store.chain("chain", 0, 0).await.unwrap(), []);
}

/// Every filter selects what it says, and all of them together what all say.
pub(crate) async fn events_are_filtered(store: &dyn Store) {
    let tenant = id::<keyward_model::Tenant>();
    let mut events: Vec<Event> = (1..=6).map(|number| event(number * 10)).collect();
    events[0].actor.id = Some("actor".to_owned());
    events[1].resource = Some(Subject { kind: "x".into(), id: Some("actor".to_owned()), name: None });
    events[2].action = Action::TOKEN_DENIED;
    events[2].outcome = Outcome::Denied;
    events[3].action = Action::from_text("tokens.issued".to_owned());
    events[4].action = Action::TENANT_CREATED;
    events[4].tenant_id = Some(tenant);
    events[4].actor.id = Some("Actor".to_owned());
    events[5].outcome = Outcome::Failure;
    store.commit(append(chained("chain", 1, events))).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let cases: [(EventQuery, &[i64]); 17] = [
        (query(), &[6, 5, 4, 3, 2, 1]),
        (EventQuery { from: Some(at(30)), ..query() }, &[6, 5, 4, 3]),
        (EventQuery { to: Some(at(30)), ..query() }, &[2, 1]),
        (EventQuery { from: Some(at(20)), to: Some(at(40)), ..query() }, &[3, 2]),
        (EventQuery { actor: text("actor"), ..query() }, &[1]),
        (EventQuery { resource: text("actor"), ..query() }, &[2]),
        (EventQuery { resource: text("nothing"), ..query() }, &[]),
        (EventQuery { action: text("token.issued"), ..query() }, &[6, 2, 1]),
        (EventQuery { action: text("token."), ..query() }, &[6, 3, 2, 1]),
        (EventQuery { action: text("token"), ..query() }, &[]),
        (EventQuery { action: text("Token."), ..query() }, &[]),
        (EventQuery { action: text("."), ..query() }, &[]),
        (EventQuery { outcome: Some(Outcome::Success), ..query() }, &[5, 4, 2, 1]),
        (EventQuery { outcome: Some(Outcome::Denied), ..query() }, &[3]),
        (EventQuery { tenant_id: Some(tenant.to_string()), ..query() }, &[5]),
        (EventQuery { tenant_id: text("actor"), ..query() }, &[]),
        (EventQuery { action: text("tenant."), actor: text("Actor"), from: Some(at(50)), ..query() }, &[5]),
    ];
    for (query, expected) in cases {
        assert_eq!(selected(store, query.clone()).await, expected, "{query:?}");
    }
}

/// An event that has the number of its resource is found like any other, and so are others about the same one.
pub(crate) async fn events_are_found_by_a_number_that_they_share(store: &dyn Store) {
    let about = |mut it: Event, id: &str| {
        it.resource = Some(Subject { kind: "token".into(), id: Some(id.to_owned()), name: None });
        it
    };
    let shared = event(10);
    let number = encode_uuid(shared.id.uuid());
    let other = encode_uuid(event(11).id.uuid());
    let events = [about(shared, &number), about(event(20), &number), about(event(30), &other)];
    store.commit(append(chained("chain", 1, events))).await.unwrap();
    let asked = |id: &str| EventQuery { resource: Some(id.to_owned()), ..query() };
    assert_eq!(selected(store, asked(&number)).await, [2, 1]);
    assert_eq!(selected(store, asked(&other)).await, [3]);
    assert_eq!(selected(store, EventQuery { to: Some(at(20)), ..asked(&number) }).await, [1]);
    assert_eq!(selected(store, asked(&number.to_uppercase())).await, [0_i64; 0]);
}

/// A reach covers the events that name its tenant or partner, whatever happened to them.
pub(crate) async fn events_are_covered_by_reaches(store: &dyn Store) {
    let world = World::stored(store).await;
    let mut events: Vec<Event> = (1..=4).map(event).collect();
    let (partner, tenant) = (&world.partners[0], &world.tenants[0]);
    events[1].partner_id = Some(partner.id());
    events[2].partner_id = Some(partner.id());
    events[2].tenant_id = Some(tenant.id());
    events[3].tenant_id = Some(world.tenants[1].id());
    store.commit(append(chained("chain", 1, events))).await.unwrap();
    for round in 0..2 {
        for reach in world.reaches() {
            let expected: &[i64] = match reach {
                Reach::Platform => &[4, 3, 2, 1],
                Reach::Partner(id) if id == partner.id() => &[3, 2],
                Reach::Tenant(id) if id == tenant.id() => &[3],
                Reach::Tenant(id) if id == world.tenants[1].id() => &[4],
                Reach::Partner(_) | Reach::Tenant(_) => &[],
            };
            let page = store.events(&reach, &query()).await.unwrap();
            let found: Vec<i64> = page.items.iter().map(|event| event.seq).collect();
            assert_eq!(found, expected, "{reach:?}");
            assert_eq!(page.total, Some(expected.len() as u64), "{reach:?}");
            // A filter never reaches further.
            let asked = EventQuery { tenant_id: Some(tenant.id().to_string()), ..query() };
            let found = store.events(&reach, &asked).await.unwrap();
            assert_eq!(found.items.len(), usize::from(expected.contains(&3)), "{reach:?}");
        }
        if round == 0 {
            delete(store, tenant).await;
        }
    }
}

/// A long log is searched like a short one, by whatever its events name, whoever wrote them.
pub(crate) async fn events_are_found_in_a_long_log(store: &dyn Store) {
    let (tenant, partner) = (id::<keyward_model::Tenant>(), id::<keyward_model::Partner>());
    let named = |number: i64| {
        let mut event = event(number);
        event.partner_id = (number % 7 == 0).then_some(partner);
        event.actor.id = Some(format!("actor {}", number % 3));
        event.tenant_id = (number % 2 == 0).then_some(tenant);
        let about = Subject { kind: "x".into(), id: Some(format!("actor {}", number % 5)), name: None };
        event.resource = Some(about);
        event
    };
    let events = chained("long", 1, (1..=2_600).map(named));
    for part in events.chunks(130) {
        store.commit(append(part.to_vec())).await.unwrap();
    }
    store.commit(append(chained("short", 1, (2_601..=2_620).map(named)))).await.unwrap();
    store.commit(append(chained("last", 1, (2_621..=2_625).map(named)))).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let (platform, within, of_partner) = (Reach::Platform, Reach::Tenant(tenant), Reach::Partner(partner));
    for (reach, asked, rest, of) in [
        (platform, query(), 0, 1),
        (platform, EventQuery { actor: text("actor 0"), ..query() }, 0, 3),
        (platform, EventQuery { resource: text("actor 1"), ..query() }, 1, 5),
        (within, query(), 0, 2),
        (of_partner, query(), 0, 7),
        (of_partner, EventQuery { actor: text("actor 0"), ..query() }, 0, 21),
        (within, EventQuery { actor: text("actor 0"), ..query() }, 0, 6),
        (within, EventQuery { actor: text("actor 0"), resource: text("actor 0"), ..query() }, 0, 30),
    ] {
        let expected: Vec<_> = (1..=2_625).rev().filter(|number| number % of == rest).map(at).collect();
        for skipped in [0, expected.len() / 2, expected.len() - 1] {
            let asked = EventQuery { cursor: Cursor::Offset(skipped as u64), limit: 7, ..asked.clone() };
            let page = store.events(&reach, &asked).await.unwrap();
            let found: Vec<_> = page.items.iter().map(|found| found.event.occurred_at).collect();
            assert_eq!(found, expected[skipped..expected.len().min(skipped + 7)], "{reach:?} {asked:?}");
            assert_eq!(page.total, Some(expected.len() as u64), "{reach:?} {asked:?}");
        }
    }
}

/// By number: every page, its total, and whether more follow. Events of all chains are one list.
pub(crate) async fn events_are_paged_by_number(store: &dyn Store) {
    let all: Vec<Event> = (1..=10).map(event).collect();
    let (even, odd): (Vec<Event>, Vec<Event>) =
        all.iter().cloned().partition(|it| it.id.uuid().as_u128() % 2 == 0);
    let in_two = [chained("even", 1, even), chained("odd", 1, odd)];
    for chain in in_two.into_iter().filter(|chain| !chain.is_empty()) {
        store.commit(append(chain)).await.unwrap();
    }
    let newest: Vec<Event> = all.into_iter().rev().collect();
    for (offset, limit, more) in
        [(0, 3, true), (3, 3, true), (7, 3, false), (9, 3, false), (10, 3, false), (0, 10, false)]
    {
        let cursor = Cursor::Offset(offset);
        let page = store.events(&Reach::Platform, &EventQuery { cursor, limit, ..query() }).await.unwrap();
        let items: Vec<Event> = page.items.into_iter().map(|it| it.event).collect();
        let from = usize::try_from(offset).unwrap();
        let to = newest.len().min(from + limit as usize);
        assert_eq!(items, newest[from..to], "{limit} from {offset}");
        assert_eq!((page.total, page.more), (Some(10), more), "{limit} from {offset}");
    }
}

/// By cursor: everything older than an event, however many newer ones came in between.
pub(crate) async fn events_are_paged_by_cursor(store: &dyn Store) {
    let events = chained("chain", 1, (1..=10).map(event));
    store.commit(append(events.clone())).await.unwrap();
    let mut cursor = Cursor::default();
    let mut read = Vec::new();
    let mut number = 10;
    loop {
        let page = store.events(&Reach::Platform, &EventQuery { cursor, limit: 4, ..query() }).await.unwrap();
        assert_eq!(page.total.is_some(), matches!(cursor, Cursor::Offset(_)));
        cursor = Cursor::Before(page.items.last().unwrap().event.id);
        read.extend(page.items);
        assert_eq!(page.more, read.len() < 10);
        if !page.more {
            break;
        }
        number += 1;
        store.commit(append(chained("chain", number, [event(number)]))).await.unwrap();
    }
    read.reverse();
    assert_eq!(read, events);
    let oldest = Cursor::Before(events[0].event.id);
    let page = store.events(&Reach::Platform, &EventQuery { cursor: oldest, ..query() }).await.unwrap();
    assert_eq!((page.items.len(), page.more), (0, false));
}
