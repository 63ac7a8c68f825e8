//! The revision and the change feed.

use std::collections::BTreeSet;

use keyward_model::{AnyId, Entity, Reach};
use keyward_store::{Change, Feed, Revision, Store, UsageBatch};

use crate::fixtures::*;

async fn feed(store: &dyn Store, since: Revision) -> (Revision, BTreeSet<AnyId>) {
    match store.changed_since(since).await.unwrap() {
        Feed::Changes { revision, ids } => (revision, ids.into_iter().collect()),
        Feed::Reset { .. } => panic!("nothing was too old to tell"),
    }
}

/// Revocations of tokens that expired before are removed as if they had never been.
pub(crate) async fn expired_revocations_are_purged(store: &dyn Store) {
    let all = [revocation("a", at(1)), revocation("b", at(2)), revocation("c", at(3))];
    for it in &all {
        create(store, it.clone()).await;
    }
    assert_eq!(store.purge(at(2)).await.unwrap(), 1);
    assert_eq!(read(store, all[0].id()).await, None);
    assert_eq!(read(store, all[1].id()).await.as_ref(), Some(&all[1]));
    create(store, all[0].clone()).await;
    assert_eq!(read(store, all[0].id()).await.as_ref(), Some(&all[0]));
}

/// One for each commit that puts records, none for others.
pub(crate) async fn the_revision_counts_changes_of_records(store: &dyn Store) {
    assert_eq!(store.ping().await.unwrap(), 0);
    let it = role("one", None);
    assert_eq!(create(store, it.clone()).await, 1);
    assert_eq!(put_all(store, vec![role("two", None).into(), role("three", None).into()]).await, 2);
    assert_eq!(store.commit(tickets([ticket("key", None)])).await.unwrap(), 2);
    assert_eq!(store.commit(append(chained("chain", 1, [event(1)]))).await.unwrap(), 2);
    let batch = UsageBatch { counted: Some(counted("chain", 0, 1)), rows: Vec::new() };
    assert_eq!(store.commit(Change { usage: Some(batch), ..Change::default() }).await.unwrap(), 2);
    update(store, &it, |_| {}).await;
    assert_eq!(store.ping().await.unwrap(), 3);
    assert_stale(store.commit(Change::default().create(it)).await);
    assert_eq!(store.ping().await.unwrap(), 3);
}

/// From every revision on, the feed names what was created, changed or deleted since.
pub(crate) async fn the_feed_tells_what_changed(store: &dyn Store) {
    assert_eq!(feed(store, 0).await, (0, BTreeSet::new()));
    let world = World::stored(store).await;
    let everything: BTreeSet<AnyId> = world.records.iter().map(keyward_model::Record::id).collect();
    assert_eq!(feed(store, 0).await, (1, everything.clone()));
    assert_eq!(feed(store, 1).await, (1, BTreeSet::new()));
    let (one, two) = (&world.tenants[0], &world.tenants[1]);
    let one_2 = update(store, one, |_| {}).await;
    delete(store, two).await;
    update(store, &one_2, |_| {}).await;
    assert_eq!(feed(store, 0).await, (4, everything));
    assert_eq!(feed(store, 1).await, (4, [one.id().any(), two.id().any()].into()));
    assert_eq!(feed(store, 2).await, (4, [one.id().any(), two.id().any()].into()));
    assert_eq!(feed(store, 3).await, (4, [one.id().any()].into()));
    // A purge forgets nothing that is recent.
    store.purge(at(1_000_000)).await.unwrap();
    assert_eq!(feed(store, 3).await, (4, [one.id().any()].into()));
    let Feed::Changes { ids, .. } = store.changed_since(1).await.unwrap() else {
        panic!("it is not too old")
    };
    let position = |id: AnyId| ids.iter().rposition(|it| *it == id);
    assert!(position(one.id().any()) > position(two.id().any()), "oldest change first: {ids:?}");
}

/// Somebody who has seen what this store never had, for example before a backup was restored, must read all again.
pub(crate) async fn a_feed_that_can_not_tell_says_so(store: &dyn Store) {
    create(store, role("one", None)).await;
    assert_eq!(store.changed_since(2).await.unwrap(), Feed::Reset { revision: 1 });
    assert_eq!(store.changed_since(-1).await.unwrap(), Feed::Reset { revision: 1 });
    assert_eq!(store.get(&Reach::Platform, id::<keyward_model::Role>().any()).await.unwrap(), None);
}
