//! Versions, and what a change expects of records that it does not write.

use keyward_model::Entity;
use keyward_store::{Change, Store};

use crate::fixtures::*;

/// What exists, deleted or not, can't be created again.
pub(crate) async fn a_record_is_created_once(store: &dyn Store) {
    let it = tenant("one", None);
    create(store, it.clone()).await;
    let other = next(&it, |it| it.slug = "other".to_owned());
    assert_stale(store.commit(Change::default().create(other.clone())).await);
    assert_eq!(read(store, it.id()).await.as_ref(), Some(&it));
    delete(store, &it).await;
    assert_stale(store.commit(Change::default().create(other)).await);
    assert_eq!(read(store, it.id()).await, None);
}

/// A new version needs the version that it replaces.
pub(crate) async fn a_record_is_replaced_at_its_version(store: &dyn Store) {
    let first = tenant("one", None);
    let missing = Change::default().replace(1, next(&first, |_| {}));
    assert_stale(store.commit(missing).await);
    create(store, first.clone()).await;
    let second = update(store, &first, |it| it.name = "second".to_owned()).await;
    for version in [0, 1, 3] {
        let change = Change::default().replace(version, next(&second, |it| it.name = "never".to_owned()));
        assert_stale(store.commit(change).await);
        assert_eq!(read(store, first.id()).await.as_ref(), Some(&second));
    }
    let gone = delete(store, &second).await;
    let change = Change::default().replace(second.meta.version, next(&second, |_| {}));
    assert_stale(store.commit(change).await);
    // The version alone decides, and it is the application that counts.
    let back = next(&gone, |it| {
        it.meta.deleted_at = None;
        it.meta.version = 41;
    });
    store.commit(Change::default().replace(gone.meta.version, back.clone())).await.unwrap();
    assert_eq!(read(store, first.id()).await, Some(back));
}

/// A change is refused when something that it relies on has another version, is deleted or never was.
pub(crate) async fn what_is_expected_must_still_hold(store: &dyn Store) {
    let guard = partner("guard");
    let expecting = |version| Change { expect: vec![(guard.id().any(), version)], ..Change::default() };
    assert_stale(store.commit(expecting(1).create(role("a", None))).await);
    create(store, guard.clone()).await;
    store.commit(expecting(1).create(role("a", None))).await.unwrap();
    assert_stale(store.commit(expecting(2).create(role("b", None))).await);
    let guard_2 = update(store, &guard, |_| {}).await;
    assert_stale(store.commit(expecting(1).create(role("b", None))).await);
    store.commit(expecting(2).create(role("b", None))).await.unwrap();
    // Together with a new version of the same record: both are about what was before.
    let mut change = expecting(2);
    change = change.replace(2, next(&guard_2, |_| {}));
    store.commit(change).await.unwrap();
    let guard_3 = read(store, guard.id()).await.unwrap();
    delete(store, &guard_3).await;
    assert_stale(store.commit(expecting(4).create(role("c", None))).await);
    assert_stale(store.commit(expecting(3).create(role("c", None))).await);
    assert_eq!(listed(store, &keyward_store::Query::all(keyward_model::Kind::Role)).await.len(), 2);
    // An expectation alone writes nothing and is checked all the same.
    assert_stale(store.commit(expecting(3)).await);
}

/// Each version of a record replaces the one before it, within one change as well.
pub(crate) async fn a_change_may_write_a_record_twice(store: &dyn Store) {
    let first = role("one", None);
    let second = next(&first, |it| it.name = "two".to_owned());
    let third = next(&second, |it| it.name = "three".to_owned());
    let change = Change::default().create(first.clone()).replace(1, second.clone());
    let before = store.ping().await.unwrap();
    assert_eq!(store.commit(change).await.unwrap(), before + 1);
    assert_eq!(read(store, first.id()).await.as_ref(), Some(&second));
    let skips = Change::default().replace(2, third.clone()).replace(2, third.clone());
    assert_stale(store.commit(skips).await);
    assert_eq!(read(store, first.id()).await, Some(second));
}
