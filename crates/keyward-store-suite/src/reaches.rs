//! Who sees what.

use keyward_model::{Entity, Field, Owner, Reach, Record, UniqueKey, Value};
use keyward_store::{Query, Store};

use crate::fixtures::*;

/// By id, every reach reads what it covers, and nothing else exists for it.
pub(crate) async fn every_reach_reads_what_it_covers(store: &dyn Store) {
    let world = World::stored(store).await;
    for reach in world.reaches() {
        for record in &world.records {
            let expected = world.covers(reach, record).then_some(record);
            assert_eq!(store.get(&reach, record.id()).await.unwrap().as_ref(), expected, "{reach:?}");
        }
        let ids: Vec<_> = world.records.iter().map(Record::id).collect();
        let mut many: Vec<_> = store.get_many(&reach, &ids).await.unwrap().iter().map(Record::id).collect();
        let mut expected: Vec<_> =
            world.records.iter().filter(|it| world.covers(reach, it)).map(Record::id).collect();
        many.sort();
        expected.sort();
        assert_eq!(many, expected, "{reach:?}");
    }
}

/// By key, every reach finds what it covers.
pub(crate) async fn every_reach_finds_what_it_covers(store: &dyn Store) {
    let world = World::stored(store).await;
    for reach in world.reaches() {
        for record in &world.records {
            let expected = world.covers(reach, record).then_some(record);
            for key in record.keys() {
                assert_eq!(store.find(&reach, &key).await.unwrap().as_ref(), expected, "{reach:?} {key:?}");
            }
        }
    }
}

/// In lists and their totals, with conditions and searches too, every reach finds what it covers.
pub(crate) async fn every_reach_lists_what_it_covers(store: &dyn Store) {
    let world = World::stored(store).await;
    for reach in world.reaches() {
        for kind in KINDS {
            let covered = world.records.iter().filter(|it| it.id().kind == kind && world.covers(reach, it));
            let covered: Vec<&Record> = covered.collect();
            let everything = Query::all(kind);
            let mut ids: Vec<_> = covered.iter().map(|record| record.id()).collect();
            ids.sort();
            assert_eq!(listed_in(store, &reach, &everything).await, ids, "{reach:?} {kind:?}");
            let searched = Query { search: Some(String::new()), ..everything.clone() };
            // What has no text to look through is never found, not even by the empty text.
            let can_be_searched = covered.iter().any(|record| !record.search_texts().is_empty());
            let found = if can_be_searched { ids } else { Vec::new() };
            assert_eq!(listed_in(store, &reach, &searched).await, found, "{reach:?} {kind:?}");
            for owner in [world.tenants[0].id(), world.tenants[2].id()] {
                let of_owner = with(kind, Field::TenantId, Value::id(Some(owner)));
                let mut ids: Vec<_> = covered
                    .iter()
                    .filter(|record| record.value(Field::TenantId) == Value::id(Some(owner)))
                    .map(|record| record.id())
                    .collect();
                ids.sort();
                assert_eq!(listed_in(store, &reach, &of_owner).await, ids, "{reach:?} {kind:?} of {owner}");
            }
            let page = store.list(&reach, &Query { per_page: 1, ..everything }).await.unwrap();
            assert_eq!(page.total, covered.len() as u64, "the total for {reach:?} {kind:?}");
        }
    }
}

async fn assert_gone(store: &dyn Store, world: &World, record: &Record) {
    for reach in world.reaches() {
        assert_eq!(store.get(&reach, record.id()).await.unwrap(), None, "{reach:?}");
        for key in record.keys() {
            assert_eq!(store.find(&reach, &key).await.unwrap(), None, "{reach:?} {key:?}");
        }
        let ids = listed_in(store, &reach, &Query::all(record.id().kind)).await;
        assert!(!ids.contains(&record.id()), "{reach:?} lists {:?}", record.id());
    }
}

async fn assert_there(store: &dyn Store, record: &Record) {
    assert_eq!(store.get(&Reach::Platform, record.id()).await.unwrap().as_ref(), Some(record));
    for key in record.keys() {
        assert_eq!(store.find(&Reach::Platform, &key).await.unwrap().as_ref(), Some(record), "{key:?}");
    }
    assert!(listed(store, &Query::all(record.id().kind)).await.contains(&record.id()));
}

/// What is deleted is gone for everybody, and nothing else is.
pub(crate) async fn deleted_records_exist_for_no_reach(store: &dyn Store) {
    let world = World::stored(store).await;
    let owner = Owner::Tenant(world.tenants[0].id());
    let (user, group) = (user("other", owner), group("other", Some(&world.tenants[0])));
    let application = application("other", owner);
    let records = [
        Record::from(role("other", Some(&world.tenants[0]))),
        membership(&group, &user).into(),
        nesting(&group, &group).into(),
        session(&user).into(),
        authenticators(&user).into(),
        federated_identity(&user, &identity_provider("at", owner), "other").into(),
        refresh_token(&user).into(),
        secret(&application).into(),
        user.into(),
        group.into(),
        identity_provider("other", owner).into(),
        agent("other", Some(&world.tenants[0])).into(),
        permission("other").into(),
        signing_key("other").into(),
        revocation("other", at(50)).into(),
        application.into(),
        tenant("other", Some(&world.partners[0])).into(),
        partner("other").into(),
    ];
    put_all(store, records.to_vec()).await;
    for record in records {
        delete_any(store, &record).await;
        assert_gone(store, &world, &record).await;
    }
    for record in &world.records {
        assert_there(store, record).await;
    }
}

/// Whatever belongs to a deleted tenant is gone, and nothing else is.
pub(crate) async fn a_deleted_tenant_takes_along_what_is_in_it(store: &dyn Store) {
    let world = World::stored(store).await;
    let tenant = &world.tenants[0];
    let deleted = delete(store, tenant).await;
    for record in &world.records {
        if record.owner() == Owner::Tenant(tenant.id()) {
            assert_gone(store, &world, record).await;
        } else {
            assert_there(store, record).await;
        }
    }
    // It comes back with all that was in it.
    let back = update(store, &deleted, |it| it.meta.deleted_at = None).await;
    assert_there(store, &back.into()).await;
    for record in world.records.iter().filter(|it| it.owner() == Owner::Tenant(tenant.id())) {
        if record.id() != tenant.id().any() {
            assert_there(store, record).await;
        }
    }
}

/// Whatever belongs to a deleted partner or to its tenants is gone, and nothing else is.
pub(crate) async fn a_deleted_partner_takes_along_its_tenants(store: &dyn Store) {
    let world = World::stored(store).await;
    let partner = &world.partners[0];
    delete(store, partner).await;
    for record in &world.records {
        if world.covers(Reach::Partner(partner.id()), record) && record.owner() != Owner::Everyone {
            assert_gone(store, &world, record).await;
        } else {
            assert_there(store, record).await;
        }
    }
}

/// Secrets are there as long as they are not deleted themselves, nor their owner.
pub(crate) async fn secrets_do_not_depend_on_their_application(store: &dyn Store) {
    let application = application("app", Owner::Platform);
    let secret = secret(&application);
    put_all(store, vec![application.clone().into(), secret.clone().into()]).await;
    delete(store, &application).await;
    assert_there(store, &secret.into()).await;
}

/// Reaches follow a tenant to its new partner.
pub(crate) async fn a_tenant_that_moves_takes_along_its_reach(store: &dyn Store) {
    let mut world = World::stored(store).await;
    let target = world.partners[1].id();
    let moved = update(store, &world.tenants[0], |it| it.partner_id = Some(target)).await;
    let position = world.records.iter().position(|it| it.id() == moved.id().any()).unwrap();
    world.records[position] = moved.clone().into();
    world.tenants[0] = moved;
    for reach in world.reaches() {
        for record in &world.records {
            let expected = world.covers(reach, record).then_some(record);
            assert_eq!(store.get(&reach, record.id()).await.unwrap().as_ref(), expected, "{reach:?}");
        }
    }
    delete(store, &world.partners[0]).await;
    assert_there(store, &world.tenants[0].clone().into()).await;
}

/// Records of owners that nobody stored are the platform's to see, and their own tenant's.
pub(crate) async fn a_missing_owner_is_no_deleted_owner(store: &dyn Store) {
    let missing = tenant("missing", None);
    let orphan = role("orphan", Some(&missing));
    let lonely = application("lonely", Owner::Partner(id()));
    put_all(store, vec![orphan.clone().into(), lonely.clone().into()]).await;
    assert_there(store, &orphan.clone().into()).await;
    assert_there(store, &lonely.clone().into()).await;
    let reach = Reach::Tenant(missing.id());
    assert_eq!(store.get(&reach, orphan.id().any()).await.unwrap(), Some(orphan.clone().into()));
    let key = UniqueKey::RoleName { tenant: Some(missing.id()), name: "orphan".to_owned() };
    assert_eq!(store.find(&Reach::Partner(id()), &key).await.unwrap(), None);
    assert_eq!(store.get(&Reach::Partner(id()), lonely.id().any()).await.unwrap(), None);
}
