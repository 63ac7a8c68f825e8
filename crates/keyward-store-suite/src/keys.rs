//! Unique keys.

use keyward_model::{Entity, Group, Meta, Owner, Reach, Record, Role, UniqueKey, User};
use keyward_store::{Change, Store};

use crate::fixtures::*;

/// The same record under another id.
fn twin(record: &Record) -> Record {
    of_any_kind!(record, it => {
        let mut twin = (**it).clone();
        twin.meta = meta();
        twin.into()
    })
}

/// Of every kind: a second record with the same key is refused by name, and nothing of it is written.
pub(crate) async fn a_key_is_held_once(store: &dyn Store) {
    let world = World::stored(store).await;
    let revision = store.ping().await.unwrap();
    for record in &world.records {
        let twin = twin(record);
        let keys = twin.keys();
        let result = store.commit(Change::default().create(twin.clone())).await;
        match keys.first() {
            Some(key) => assert_taken(result, key),
            // Not every kind has keys.
            None => assert!(result.is_ok()),
        }
        if !keys.is_empty() {
            assert_eq!(store.get(&Reach::Platform, twin.id()).await.unwrap(), None);
        }
    }
    let without = world.records.iter().filter(|it| it.keys().is_empty()).count();
    assert_eq!(store.ping().await.unwrap(), revision + i64::try_from(without).unwrap());
    // Its own key is in nobody's way.
    let tenant = update(store, &world.tenants[0], |it| it.name = "renamed".to_owned()).await;
    // An update can't take another's key either.
    let thief = next(&tenant, |it| it.slug.clone_from(&world.tenants[1].slug));
    let key = UniqueKey::TenantSlug(thief.slug.clone());
    assert_taken(store.commit(Change::default().replace(tenant.meta.version, thief)).await, &key);
    assert_eq!(read(store, tenant.id()).await, Some(tenant));
}

/// Keys are compared byte by byte.
pub(crate) async fn keys_differ_in_case(store: &dyn Store) {
    let names = ["reader", "Reader", "READER", "reader ", "réader", "re\u{301}ader"];
    let roles: Vec<Role> = names.iter().map(|name| role(name, None)).collect();
    put_all(store, roles.iter().cloned().map(Record::from).collect()).await;
    for role in roles {
        let key = role.keys().remove(0);
        assert_eq!(store.find(&Reach::Platform, &key).await.unwrap(), Some(role.into()));
    }
}

/// The same text can be a key of each kind.
pub(crate) async fn keys_of_kinds_do_not_meet(store: &dyn Store) {
    let (partner, tenant) = (partner("same"), tenant("same", None));
    let records = vec![
        Record::from(role("same", None)),
        role("same", Some(&tenant)).into(),
        partner.into(),
        tenant.into(),
        permission("same").into(),
        application("same", Owner::Platform).into(),
        user("same", Owner::Platform).into(),
        group("same", None).into(),
        signing_key("same").into(),
        revocation("same", at(1)).into(),
    ];
    put_all(store, records.clone()).await;
    for record in records {
        for key in record.keys() {
            let found = store.find(&Reach::Platform, &key).await.unwrap();
            assert_eq!(found.as_ref(), Some(&record), "{key:?}");
        }
    }
}

/// Each tenant, and the platform, has its own names.
pub(crate) async fn role_names_are_unique_within_their_owner(store: &dyn Store) {
    let (one, two) = (tenant("one", None), tenant("two", None));
    let roles = [role("name", None), role("name", Some(&one)), role("name", Some(&two))];
    put_all(store, vec![one.clone().into(), two.clone().into()]).await;
    for it in roles {
        create(store, it).await;
    }
    for owner in [None, Some(&one), Some(&two)] {
        let again = role("name", owner);
        let key = UniqueKey::RoleName { tenant: again.tenant_id, name: "name".to_owned() };
        assert_taken(store.commit(Change::default().create(again)).await, &key);
    }
}

/// Each tenant, and the platform, has its own groups.
pub(crate) async fn group_names_are_unique_within_their_owner(store: &dyn Store) {
    let (one, two) = (tenant("one", None), tenant("two", None));
    put_all(store, vec![one.clone().into(), two.clone().into()]).await;
    for owner in [None, Some(&one), Some(&two)] {
        let first: Group = group("name", owner);
        create(store, first.clone()).await;
        let again = group("name", owner);
        let key = UniqueKey::GroupName { tenant: again.tenant_id, name: "name".to_owned() };
        assert_taken(store.commit(Change::default().create(again)).await, &key);
        create(store, group("Name", owner)).await;
        assert_eq!(store.find(&Reach::Platform, &key).await.unwrap(), Some(first.into()));
    }
}

/// A person has an address whatever its case, also of letters beyond ASCII. It is read as it was written.
pub(crate) async fn addresses_are_unique_whatever_their_case(store: &dyn Store) {
    let first = user("Ada.Å@Example.org", Owner::Platform);
    create(store, first.clone()).await;
    let key = UniqueKey::UserEmail("ada.å@example.org".to_owned());
    for email in ["ada.å@example.org", "ADA.Å@EXAMPLE.ORG", "Ada.Å@Example.org"] {
        let again = user(email, Owner::Partner(id()));
        assert_taken(store.commit(Change::default().create(again)).await, &key);
    }
    assert_eq!(store.find(&Reach::Platform, &key).await.unwrap(), Some(first.clone().into()));
    let as_written = UniqueKey::UserEmail("Ada.Å@Example.org".to_owned());
    assert_eq!(store.find(&Reach::Platform, &as_written).await.unwrap(), None);
    // One may write one's own address differently.
    let second: User = update(store, &first, |it| it.email = "ADA.å@example.org".to_owned()).await;
    assert_eq!(store.find(&Reach::Platform, &key).await.unwrap(), Some(second.clone().into()));
    create(store, user("ada.a@example.org", Owner::Platform)).await;
    delete(store, &second).await;
    create(store, user("ada.Å@example.org", Owner::Platform)).await;
}

/// A user is in a group once, and a group in another; the other way round is something else.
pub(crate) async fn pairs_are_unique(store: &dyn Store) {
    let users = ["one", "two"].map(|email| user(email, Owner::Platform));
    let groups = ["one", "two"].map(|name| group(name, None));
    let mut all: Vec<Record> = Vec::new();
    for group in &groups {
        all.extend(users.iter().map(|user| Record::from(membership(group, user))));
    }
    all.extend([nesting(&groups[0], &groups[1]).into(), nesting(&groups[1], &groups[0]).into()]);
    put_all(store, all.clone()).await;
    for record in &all {
        let key = record.keys().remove(0);
        assert_eq!(store.find(&Reach::Platform, &key).await.unwrap().as_ref(), Some(record));
        assert_taken(store.commit(Change::default().create(twin(record))).await, &key);
        delete_any(store, record).await;
        assert_eq!(store.find(&Reach::Platform, &key).await.unwrap(), None);
        create(store, twin(record)).await;
    }
}

/// Another may have what a deleted record held.
pub(crate) async fn deletion_frees_keys(store: &dyn Store) {
    let first = application("app", Owner::Platform);
    create(store, first.clone()).await;
    delete(store, &first).await;
    let second = application("app", Owner::Platform);
    create(store, second.clone()).await;
    let key = UniqueKey::ClientId("app".to_owned());
    let found = store.find(&Reach::Platform, &key).await.unwrap();
    assert_eq!(found, Some(second.clone().into()));
    let third = application("app", Owner::Platform);
    assert_taken(store.commit(Change::default().create(third.clone())).await, &key);
    // In one change, too.
    let gone = deleted(&second);
    store.commit(Change::default().replace(1, gone).create(third.clone())).await.unwrap();
    assert_eq!(read(store, third.id()).await, Some(third));
}

/// Another may have the name that a record gave up.
pub(crate) async fn a_new_name_frees_the_old_one(store: &dyn Store) {
    let first = role("old", None);
    create(store, first.clone()).await;
    let first = update(store, &first, |it| it.name = "new".to_owned()).await;
    let key = |name: &str| UniqueKey::RoleName { tenant: None, name: name.to_owned() };
    assert_eq!(store.find(&Reach::Platform, &key("old")).await.unwrap(), None);
    let second = role("old", None);
    create(store, second.clone()).await;
    let clash = next(&second, |it| it.name = "new".to_owned());
    assert_taken(store.commit(Change::default().replace(1, clash)).await, &key("new"));
    assert_eq!(store.find(&Reach::Platform, &key("new")).await.unwrap(), Some(first.into()));
}

/// What belongs to a deleted tenant is not deleted itself, and holds its keys, although nobody sees it.
pub(crate) async fn below_a_deleted_tenant_keys_are_still_held(store: &dyn Store) {
    let owner = tenant("owner", None);
    let hidden = application("owner.app", Owner::Tenant(owner.id()));
    put_all(store, vec![owner.clone().into(), hidden.into()]).await;
    delete(store, &owner).await;
    let key = UniqueKey::ClientId("owner.app".to_owned());
    assert_eq!(store.find(&Reach::Platform, &key).await.unwrap(), None);
    let other = application("owner.app", Owner::Platform);
    assert_taken(store.commit(Change::default().create(other)).await, &key);
    // The tenant's own key is free.
    create(store, tenant("owner", None)).await;
}

/// A record that is to be there again needs its keys like a new one.
pub(crate) async fn a_deleted_record_needs_its_keys_to_come_back(store: &dyn Store) {
    let first = permission("thing");
    create(store, first.clone()).await;
    let gone = delete(store, &first).await;
    let second = permission("thing");
    create(store, second.clone()).await;
    let back = next(&gone, |it| it.meta = Meta { deleted_at: None, ..it.meta.clone() });
    let key = UniqueKey::PermissionResource("thing".to_owned());
    let come_back = Change::default().replace(gone.meta.version, back.clone());
    assert_taken(store.commit(come_back.clone()).await, &key);
    delete(store, &second).await;
    store.commit(come_back).await.unwrap();
    assert_eq!(read(store, first.id()).await, Some(back));
}

/// Records are written one after the other: the next may have what the one before gave up, and not the other way round.
pub(crate) async fn keys_go_from_hand_to_hand_in_one_change(store: &dyn Store) {
    let (one, two) = (role("one", None), role("two", None));
    put_all(store, vec![one.clone().into(), two.clone().into()]).await;
    let takes = next(&two, |it| it.name = "one".to_owned());
    let gives = next(&one, |it| it.name = "three".to_owned());
    let wrong = Change::default().replace(1, takes.clone()).replace(1, gives.clone());
    assert_taken(store.commit(wrong).await, &UniqueKey::RoleName { tenant: None, name: "one".to_owned() });
    assert_eq!(read(store, one.id()).await.as_ref(), Some(&one));
    assert_eq!(read(store, two.id()).await.as_ref(), Some(&two));
    store.commit(Change::default().replace(1, gives.clone()).replace(1, takes.clone())).await.unwrap();
    assert_eq!(read(store, one.id()).await, Some(gives));
    assert_eq!(read(store, two.id()).await, Some(takes));
    let twins = Change::default().create(role("twin", None)).create(role("twin", None));
    assert_taken(store.commit(twins).await, &UniqueKey::RoleName { tenant: None, name: "twin".to_owned() });
}
