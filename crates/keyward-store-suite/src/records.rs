//! Records as such.

use keyward_model::{Entity, Reach, Record, Timestamp, UniqueKey};
use keyward_store::{Query, Store, StoreExt};

use crate::fixtures::*;

/// What is written is what is read: by id, by key, in lists; with everything set and with nothing.
pub(crate) async fn records_are_read_as_they_were_written(store: &dyn Store) {
    let mut records = full_records();
    records.extend(World::new().records);
    put_all(store, records.clone()).await;
    for record in &records {
        let found = store.get(&Reach::Platform, record.id()).await.unwrap();
        assert_eq!(found.as_ref(), Some(record));
        for key in record.keys() {
            assert_eq!(store.find(&Reach::Platform, &key).await.unwrap().as_ref(), Some(record), "{key:?}");
        }
    }
    // Those that there are not, and those that are asked for twice, change nothing.
    let mut ids: Vec<_> = records.iter().map(Record::id).collect();
    ids.extend([ids[0], id::<keyward_model::Tenant>().any(), id::<keyward_model::Event>().any()]);
    let mut many = store.get_many(&Reach::Platform, &ids).await.unwrap();
    many.sort_by_key(Record::id);
    many.dedup();
    let mut expected = records.clone();
    expected.sort_by_key(Record::id);
    assert_eq!(many, expected);
    for kind in KINDS {
        let page = store.list(&Reach::Platform, &Query::all(kind)).await.unwrap();
        let mut expected: Vec<&Record> = records.iter().filter(|record| record.id().kind == kind).collect();
        expected.sort_by_key(|record| record.id());
        assert_eq!(page.items.iter().collect::<Vec<_>>(), expected);
        assert_eq!(page.total, expected.len() as u64);
    }
}

/// A new version replaces every field, those that go back to nothing included.
pub(crate) async fn records_are_replaced_whole(store: &dyn Store) {
    let full = full_records();
    put_all(store, full.clone()).await;
    let Some(Record::Application(old)) = full.iter().find(|it| matches!(it, Record::Application(_))) else {
        panic!("there is an application")
    };
    let bare = application("bare", keyward_model::Owner::Platform);
    let bare = keyward_model::Application { meta: old.meta.clone(), ..bare };
    let new = update(store, &bare, |_| {}).await;
    assert_eq!(read(store, old.id()).await, Some(new));
    let Some(Record::Partner(old)) = full.iter().find(|it| matches!(it, Record::Partner(_))) else {
        panic!("there is a partner")
    };
    let bare = keyward_model::Partner { meta: old.meta.clone(), ..partner("bare") };
    let new = update(store, &bare, |_| {}).await;
    assert_eq!(read(store, old.id()).await, Some(new));
}

/// Nothing is found by what names nothing, whatever the kind.
pub(crate) async fn ids_that_do_not_exist_are_not_found(store: &dyn Store) {
    let world = World::stored(store).await;
    for record in full_records() {
        for reach in world.reaches() {
            assert_eq!(store.get(&reach, record.id()).await.unwrap(), None);
            for key in record.keys() {
                assert_eq!(store.find(&reach, &key).await.unwrap(), None);
            }
        }
    }
    let event = id::<keyward_model::Event>();
    assert_eq!(store.get(&Reach::Platform, event.any()).await.unwrap(), None);
    let none: Option<keyward_model::Tenant> =
        store.find_as(&Reach::Platform, &UniqueKey::TenantSlug(String::new())).await.unwrap();
    assert_eq!(none, None);
}

/// Moments keep every millisecond, before the epoch and far ahead as well.
pub(crate) async fn moments_keep_their_milliseconds(store: &dyn Store) {
    let texts = [
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00.000Z",
        "2026-02-28T23:59:59.001Z",
        "2028-02-29T12:00:00.100Z",
        "9999-12-31T23:59:59.999Z",
    ];
    for (index, text) in texts.into_iter().enumerate() {
        let moment = Timestamp::parse(text).unwrap();
        let mut revocation = revocation(&format!("jti-{index}"), moment);
        revocation.meta.created_at = moment;
        revocation.meta.updated_at = moment;
        create(store, revocation.clone()).await;
        assert_eq!(read(store, revocation.id()).await, Some(revocation));
    }
}
