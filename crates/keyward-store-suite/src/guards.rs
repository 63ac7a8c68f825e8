//! Guards: bounds for how many records there may be.

use keyward_model::{Entity, Field, Kind, Owner, Role, Status, UniqueKey, Value};
use keyward_store::{Change, Condition, Guard, Query, Store, Test};

use crate::fixtures::*;

fn guarded(guard: Guard) -> Change {
    Change { guards: vec![guard], ..Change::default() }
}

/// As many as the bound says, what the change itself puts counted; nothing is written beyond.
pub(crate) async fn guards_bound_from_above(store: &dyn Store) {
    let create = |limit, names: &[&str]| {
        let roles = names.iter().map(|name| role(name, None));
        roles.fold(guarded(at_most(Kind::Role, limit)), Change::create)
    };
    assert_stale(store.commit(create(0, &["a"])).await);
    assert_eq!(listed(store, &Query::all(Kind::Role)).await, []);
    assert_eq!(store.ping().await.unwrap(), 0);
    store.commit(create(2, &["a", "b"])).await.unwrap();
    assert_stale(store.commit(create(3, &["c", "d"])).await);
    store.commit(create(3, &["c"])).await.unwrap();
    assert_stale(store.commit(create(3, &["d"])).await);
    // A new version is no other record.
    let key = UniqueKey::RoleName { tenant: None, name: "a".to_owned() };
    let found = store.find(&keyward_model::Reach::Platform, &key).await.unwrap().unwrap();
    let first = Role::try_from(found).unwrap();
    let renamed = guarded(at_most(Kind::Role, 3)).replace(1, next(&first, |it| it.name = "d".to_owned()));
    store.commit(renamed).await.unwrap();
    // One that goes makes room for another in the same change.
    let second = read(store, first.id()).await.unwrap();
    let swapped = guarded(at_most(Kind::Role, 3)).create(role("e", None)).replace(2, deleted(&second));
    store.commit(swapped).await.unwrap();
    assert_stale(store.commit(create(3, &["f"])).await);
    assert_eq!(listed(store, &Query::all(Kind::Role)).await.len(), 3);
}

/// No fewer than the bound says, what the change itself deletes left out.
pub(crate) async fn guards_bound_from_below(store: &dyn Store) {
    let admins = ["one", "two"].map(|email| user(email, Owner::Platform));
    put_all(store, admins.iter().cloned().map(Into::into).collect()).await;
    let [one, two] = &admins;
    let active = || at_least(Kind::User, 1).of(Field::Status, Value::text("active"));
    let both = guarded(active()).replace(1, deleted(one)).replace(1, deleted(two));
    assert_stale(store.commit(both).await);
    store.commit(guarded(active()).replace(1, deleted(one))).await.unwrap();
    assert_stale(store.commit(guarded(active()).replace(1, deleted(two))).await);
    let disabled = next(two, |it| it.status = Status::Disabled);
    assert_stale(store.commit(guarded(active()).replace(1, disabled.clone())).await);
    assert_eq!(read(store, two.id()).await.as_ref(), Some(two));
    // Another may take the place.
    let replaced = guarded(active()).replace(1, disabled).create(user("three", Owner::Platform));
    store.commit(replaced).await.unwrap();
}

/// Only what meets all conditions counts, and only what exists.
pub(crate) async fn guards_count_what_meets_their_conditions(store: &dyn Store) {
    let world = World::stored(store).await;
    let bare = |guard: Guard| async move { store.commit(guarded(guard)).await };
    let exactly = |guard: Guard, number| Guard { at_least: number, at_most: number, ..guard };
    let of_tenant = |index: usize| {
        let tenant = Value::id(Some(world.tenants[index].id()));
        at_least(Kind::User, 0).of(Field::TenantId, tenant)
    };
    bare(exactly(at_least(Kind::User, 0), 7)).await.unwrap();
    bare(exactly(of_tenant(0), 1)).await.unwrap();
    bare(exactly(of_tenant(0).of(Field::Status, Value::text("active")), 1)).await.unwrap();
    bare(exactly(of_tenant(0).of(Field::Status, Value::text("disabled")), 0)).await.unwrap();
    bare(exactly(at_least(Kind::User, 0).of(Field::TenantId, Value::Null), 3)).await.unwrap();
    bare(exactly(at_least(Kind::User, 0).of(Field::Slug, Value::Null), 7)).await.unwrap();
    bare(exactly(at_least(Kind::User, 0).of(Field::Slug, Value::text("x")), 0)).await.unwrap();
    bare(exactly(at_least(Kind::User, 0).of(Field::Email, Value::text("a\0b")), 0)).await.unwrap();
    bare(exactly(at_least(Kind::Event, 0), 0)).await.unwrap();
    let before = Condition { field: Field::CreatedAt, test: Test::Before(at(0)) };
    let from = Condition { field: Field::CreatedAt, test: Test::From(at(0)) };
    bare(exactly(Guard { conditions: vec![before], ..at_least(Kind::User, 0) }, 0)).await.unwrap();
    bare(exactly(Guard { conditions: vec![from], ..at_least(Kind::User, 0) }, 7)).await.unwrap();
    assert_stale(bare(exactly(of_tenant(0), 0)).await);
    assert_stale(bare(exactly(of_tenant(0), 2)).await);
    // Below something deleted nothing exists, and a change counts its own deletion, too.
    let gone = guarded(exactly(at_least(Kind::User, 0), 6));
    store.commit(gone.replace(1, deleted(&world.tenants[0]))).await.unwrap();
    bare(exactly(of_tenant(0), 0)).await.unwrap();
    delete(store, &world.partners[0]).await;
    bare(exactly(at_least(Kind::User, 0), 4)).await.unwrap();
}

/// All guards of a change must hold. They alone write nothing.
pub(crate) async fn all_guards_must_hold(store: &dyn Store) {
    create(store, role("one", None)).await;
    let both = |a: Guard, b: Guard| Change { guards: vec![a, b], ..Change::default() };
    let (holds, fails) = (at_most(Kind::Role, 1), at_least(Kind::Role, 2));
    assert_eq!(store.commit(both(holds.clone(), holds.clone())).await.unwrap(), 1);
    assert_stale(store.commit(both(holds.clone(), fails.clone())).await);
    assert_stale(store.commit(both(fails, holds)).await);
}
