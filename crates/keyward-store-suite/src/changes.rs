//! Changes as a whole.

use keyward_model::{Entity, Kind, Reach, UniqueKey};
use keyward_store::{
    Change, EventQuery, Feed, Put, Query, Store, StoreError, TakenKey, TicketKey, UsageBatch,
};

use crate::fixtures::*;

fn ticket_taken(result: Result<i64, StoreError>) -> bool {
    matches!(result, Err(StoreError::Taken(TakenKey::Ticket(_))))
}

/// `consume`, `expect`, `tickets`, versions, keys, `guards`, `usage`, `events`: the first that fails decides.
pub(crate) async fn the_first_check_that_fails_decides(store: &dyn Store) {
    let it = role("taken", None);
    create(store, it.clone()).await;
    store.commit(tickets([ticket("taken", None)])).await.unwrap();
    store.commit(append(chained("chain", 1, [event(1)]))).await.unwrap();
    let taken = UniqueKey::RoleName { tenant: None, name: "taken".to_owned() };

    let stale_put = Put { record: next(&it, |_| {}).into(), replaces: Some(7) };
    let taken_put = Put { record: role("taken", None).into(), replaces: None };
    let stale_usage = Some(UsageBatch { counted: Some(counted("chain", 5, 6)), rows: Vec::new() });
    let stale_events = chained("chain", 5, [event(2)]);
    let taken_tickets = vec![ticket("taken", None)];

    let ticket_then_version =
        Change { tickets: taken_tickets.clone(), puts: vec![stale_put.clone()], ..Change::default() };
    assert!(ticket_taken(store.commit(ticket_then_version).await));
    let consume_then_ticket = Change {
        consume: vec![TicketKey::new("test", "missing")],
        tickets: taken_tickets.clone(),
        ..Change::default()
    };
    assert_stale(store.commit(consume_then_ticket).await);
    let expect_then_ticket =
        Change { expect: vec![(it.id().any(), 7)], tickets: taken_tickets, ..Change::default() };
    assert_stale(store.commit(expect_then_ticket).await);
    // Versions of all records come before any key.
    let key_and_version = Change { puts: vec![taken_put.clone(), stale_put], ..Change::default() };
    assert_stale(store.commit(key_and_version).await);
    let key_then_guard =
        Change { puts: vec![taken_put.clone()], guards: vec![at_most(Kind::Role, 0)], ..Change::default() };
    assert_taken(store.commit(key_then_guard).await, &taken);
    let key_then_usage = Change { puts: vec![taken_put.clone()], usage: stale_usage, ..Change::default() };
    assert_taken(store.commit(key_then_usage).await, &taken);
    let key_then_events = Change { puts: vec![taken_put], events: stale_events, ..Change::default() };
    assert_taken(store.commit(key_then_events).await, &taken);
}

/// Whatever is wrong with a change, nothing of the rest is written.
pub(crate) async fn a_change_is_written_whole_or_not_at_all(store: &dyn Store) {
    let old = role("old", None);
    create(store, old.clone()).await;
    store.commit(tickets([ticket("there", None)])).await.unwrap();
    store.commit(append(chained("chain", 1, [event(1)]))).await.unwrap();
    let subject = id::<keyward_model::Secret>().any();
    let good = || {
        let batch =
            UsageBatch { counted: Some(counted("chain", 0, 1)), rows: vec![usage(subject, "::1", 1, 0, 0)] };
        let change = Change {
            consume: vec![TicketKey::new("test", "there")],
            tickets: vec![ticket("new", None)],
            events: chained("chain", 2, [event(2), event(3)]),
            usage: Some(batch),
            ..Change::default()
        };
        change.create(tenant("new", None)).replace(1, next(&old, |it| it.name = "new".to_owned()))
    };
    let spoilt: [fn(&mut Change); 8] = [
        |it| it.consume.push(TicketKey::new("test", "missing")),
        |it| it.expect.push((id::<keyward_model::Tenant>().any(), 1)),
        |it| it.tickets.push(ticket("new", None)),
        |it| it.puts.push(Put { record: role("x", None).into(), replaces: Some(1) }),
        |it| it.puts.push(Put { record: role("new", None).into(), replaces: None }),
        |it| it.guards.push(at_most(Kind::Tenant, 0)),
        |it| it.usage.as_mut().unwrap().counted = Some(counted("chain", 1, 1)),
        |it| it.events.remove(0).seq = 1,
    ];
    let revision = store.ping().await.unwrap();
    let head = store.chains().await.unwrap();
    for spoil in spoilt {
        let mut change = good();
        spoil(&mut change);
        assert!(store.commit(change).await.is_err());
        assert_eq!(store.ping().await.unwrap(), revision);
        assert_eq!(read(store, old.id()).await.as_ref(), Some(&old));
        assert!(listed(store, &Query::all(Kind::Tenant)).await.is_empty());
        assert!(store.ticket(&TicketKey::new("test", "there"), at(0)).await.unwrap().is_some());
        assert!(store.ticket(&TicketKey::new("test", "new"), at(0)).await.unwrap().is_none());
        assert_eq!(store.chains().await.unwrap(), head);
        assert_eq!(store.chain("chain", 0, 9).await.unwrap().len(), 1);
        assert!(store.usage(&[subject]).await.unwrap().is_empty());
        let unchanged = Feed::Changes { revision, ids: Vec::new() };
        assert_eq!(store.changed_since(revision).await.unwrap(), unchanged);
    }
    store.commit(good()).await.unwrap();
    assert_eq!(store.ping().await.unwrap(), revision + 1);
    assert_eq!(store.chain("chain", 0, 9).await.unwrap().len(), 3);
    assert_eq!(store.usage(&[subject]).await.unwrap().len(), 1);
    assert!(store.ticket(&TicketKey::new("test", "there"), at(0)).await.unwrap().is_none());
    assert_eq!(store.chains().await.unwrap()[0].usage_seq, 1);
}

/// A change of nothing is fine.
pub(crate) async fn an_empty_change_does_nothing(store: &dyn Store) {
    assert_eq!(store.commit(Change::default()).await.unwrap(), 0);
    let revision = create(store, role("one", None)).await;
    assert_eq!(store.commit(Change::default()).await.unwrap(), revision);
    assert_eq!(store.chains().await.unwrap(), []);
    let nothing =
        store.events(&Reach::Platform, &EventQuery { limit: 5, ..EventQuery::default() }).await.unwrap();
    assert_eq!((nothing.items.len(), nothing.total, nothing.more), (0, Some(0), false));
    assert_eq!(store.purge(at(1_000_000)).await.unwrap(), 0);
}
