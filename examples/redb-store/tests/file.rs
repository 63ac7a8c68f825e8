//! What the suite can't know: that there is a file.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use keyward_model::{
    Action, ChainedEvent, Changes, Context, Event, Kind, Meta, Outcome, Reach, Role, Subject, Timestamp,
};
use keyward_store::{Change, EventQuery, Feed, Query, Store, StoreError, StoreExt, Ticket, TicketKey};
use redb_store::RedbStore;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-03T12:00:00.123Z").unwrap()
}

fn role() -> Role {
    let meta = Meta::new("rol_01k90000000000000000000000".parse().unwrap(), now());
    Role { meta, name: "role".to_owned(), tenant_id: None, permissions: "a:read".parse().unwrap() }
}

fn event() -> ChainedEvent {
    let event = Event {
        id: "evt_01k90000000000000000000000".parse().unwrap(),
        occurred_at: now(),
        action: Action::ROLE_CREATED,
        outcome: Outcome::Success,
        reason: None,
        actor: Subject::system(),
        resource: None,
        tenant_id: None,
        partner_id: None,
        changes: Changes::default(),
        context: Context::default(),
    };
    ChainedEvent { event, chain: "chain".to_owned(), seq: 1, hash: [7; 32] }
}

fn ticket() -> Ticket {
    let key = TicketKey::new("test", "key");
    Ticket { key, value: "value".to_owned(), expires_at: Some(now().plus_seconds(1)) }
}

/// A role, a ticket and an event.
fn change() -> Change {
    Change { tickets: vec![ticket()], events: vec![event()], ..Change::default() }.create(role())
}

async fn assert_all_there(store: &RedbStore) {
    let role = role();
    assert_eq!(store.get_as(&Reach::Platform, role.meta.id).await.unwrap().as_ref(), Some(&role));
    assert_eq!(store.ticket(&ticket().key, now()).await.unwrap(), Some(ticket()));
    assert_eq!(store.chain("chain", 0, 10).await.unwrap(), [event()]);
    let query = EventQuery { limit: 10, ..EventQuery::default() };
    assert_eq!(store.events(&Reach::Platform, &query).await.unwrap().items, [event()]);
    let changes = Feed::Changes { revision: 1, ids: vec![role.meta.id.any()] };
    assert_eq!(store.changed_since(0).await.unwrap(), changes);
}

#[tokio::test]
async fn data_survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keyward.redb");
    let store = RedbStore::open(&path).unwrap();
    store.commit(change()).await.unwrap();
    // Nobody else has the file meanwhile.
    assert!(matches!(RedbStore::open(&path), Err(StoreError::Unavailable(_))));
    drop(store);

    let store = RedbStore::open(&path).unwrap();
    assert_all_there(&store).await;
    // What was taken stays taken.
    assert!(matches!(store.commit(change()).await, Err(StoreError::Taken(_))));
}

#[tokio::test]
async fn a_commit_goes_through_without_its_caller() {
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(directory.path().join("keyward.redb")).unwrap();
    let hurried = tokio::time::timeout(Duration::ZERO, store.commit(change())).await;
    let arrived = async { while store.ping().await.unwrap() == 0 {} };
    tokio::time::timeout(Duration::from_secs(10), arrived).await.unwrap();
    assert_all_there(&store).await;
    drop(hurried);
}

/// Moments behind the year 9999 have no form that is read again.
#[tokio::test]
async fn what_could_not_be_read_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(directory.path().join("keyward.redb")).unwrap();
    let mut role = role();
    role.meta.updated_at = role.meta.updated_at.plus_seconds(i64::MAX);
    let refused = store.commit(Change::default().create(role)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(store.list(&Reach::Platform, &Query::all(Kind::Role)).await.unwrap().total, 0);
}
