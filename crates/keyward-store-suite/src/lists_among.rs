//! Fields that have one of several values.

use std::collections::BTreeMap;

use keyward_model::{
    AnyId, Application, Entity, Field, Grant, Group, Kind, Owner, Reach, Role, Secret, User, Value,
};
use keyward_store::{Condition, Query, Store, Test};

use crate::fixtures::*;

/// One of several values, none of which need be there; null is none of them.
pub(crate) async fn lists_find_one_of_several(store: &dyn Store) {
    let application = application("app", Owner::Platform);
    let (one, other) = (secret(&application), secret(&application));
    put_all(store, vec![one.clone().into(), other.clone().into()]).await;
    let (one, other) = (one.id().any(), other.id().any());
    let strangers = [one, id::<Secret>().any()].map(|id| Value::id(Some(id)));
    for (among, expected) in [
        (vec![Value::id(Some(application.id())), strangers[1].clone()], vec![one, other]),
        (strangers.to_vec(), Vec::new()),
        (Vec::new(), Vec::new()),
        (vec![Value::text("a\0b"), Value::Null], Vec::new()),
    ] {
        let conditions = vec![Condition { field: Field::HolderId, test: Test::OneOf(among) }];
        assert_eq!(listed(store, &Query { conditions, ..Query::all(Kind::Secret) }).await, expected);
    }
}

async fn with_any(store: &dyn Store, kind: Kind, field: Field, words: &[&str]) -> Vec<AnyId> {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let conditions = vec![Condition { field, test: Test::HasAny(words) }];
    listed(store, &Query { conditions, ..Query::all(kind) }).await
}

/// Whoever has one of several roles or permissions, whole words alone.
pub(crate) async fn lists_find_who_holds_something(store: &dyn Store) {
    let tenant = tenant("t", None);
    let (one, other) = (
        role("one", None),
        Role { permissions: "a:read-all c".parse().expect("valid"), ..role("other", None) },
    );
    let holder = User { roles: vec![other.id(), one.id()], ..user("holder@example.com", Owner::Platform) };
    let group = Group { roles: vec![one.id()], ..group("g", None) };
    let grant = Grant {
        tenant_id: tenant.id(),
        environment: "production".to_owned(),
        permissions: "a:read".parse().expect("valid"),
        roles: vec![one.id()],
        expires_at: None,
    };
    let granted = Application { grants: vec![grant], ..application("granted", Owner::Platform) };
    let key = api_key("key", tenant.id());
    put_all(
        store,
        vec![
            tenant.into(),
            one.clone().into(),
            other.clone().into(),
            user("stranger@example.com", Owner::Platform).into(),
            holder.clone().into(),
            group.clone().into(),
            granted.clone().into(),
            application("other", Owner::Platform).into(),
            key.clone().into(),
        ],
    )
    .await;
    let (first, second) = (one.id().to_string(), other.id().to_string());
    for (kind, words, expected) in [
        (Kind::User, vec![first.as_str()], vec![holder.id().any()]),
        (Kind::User, vec![second.as_str(), first.as_str()], vec![holder.id().any()]),
        (Kind::User, vec![&first[..20], "", "a\0b", "\""], Vec::new()),
        (Kind::User, Vec::new(), Vec::new()),
        (Kind::Group, vec![first.as_str()], vec![group.id().any()]),
        (Kind::Group, vec![second.as_str()], Vec::new()),
        (Kind::Application, vec![first.as_str()], vec![granted.id().any()]),
        (Kind::Secret, vec![first.as_str()], Vec::new()),
    ] {
        assert_eq!(with_any(store, kind, Field::Roles, &words).await, expected, "{kind:?} {words:?}");
    }
    for (kind, words, expected) in [
        (Kind::Role, vec!["a:read"], vec![one.id().any()]),
        (Kind::Role, vec!["A:read", "a:rea", "read"], Vec::new()),
        (Kind::Role, vec!["c", "b:write"], vec![one.id().any(), other.id().any()]),
        (Kind::ApiKey, vec!["a:read"], vec![key.id().any()]),
        (Kind::User, vec!["a:read"], Vec::new()),
    ] {
        assert_eq!(with_any(store, kind, Field::Permissions, &words).await, expected, "{kind:?} {words:?}");
    }
}

/// A row of the catalogue is found by what it gives.
pub(crate) async fn catalogue_rows_are_found_by_their_permissions(store: &dyn Store) {
    let (points, passes) = (permission("points"), permission("passes"));
    put_all(store, vec![points.clone().into(), passes.into()]).await;
    for wanted in ["points:read", "POINTS:DELETE", "nts:create"] {
        let query = Query { search: Some(wanted.to_owned()), ..Query::all(Kind::Permission) };
        assert_eq!(listed(store, &query).await, [points.id().any()], "{wanted}");
    }
}

/// Records are counted by whose they are, as far as they are there.
pub(crate) async fn records_are_counted_by_a_field(store: &dyn Store) {
    let world = World::stored(store).await;
    for reach in world.reaches() {
        for (kind, field) in [
            (Kind::User, Field::TenantId),
            (Kind::Tenant, Field::PartnerId),
            (Kind::Application, Field::Status),
        ] {
            let mut expected: BTreeMap<Value, u64> = BTreeMap::new();
            for record in world.records.iter().filter(|record| record.id().kind == kind) {
                if world.covers(reach, record) && record.value(field) != Value::Null {
                    *expected.entry(record.value(field)).or_default() += 1;
                }
            }
            let expected: Vec<(Value, u64)> = expected.into_iter().collect();
            let query = Query { page: 2, per_page: 1, ..Query::all(kind) };
            assert_eq!(
                store.count_by(&reach, &query, field).await.expect("counts"),
                expected,
                "{reach:?} {kind:?}"
            );
        }
    }
    let one = world.tenants[0].id();
    let conditions =
        vec![Condition { field: Field::TenantId, test: Test::OneOf(vec![Value::id(Some(one))]) }];
    let query = Query { conditions, ..Query::all(Kind::User) };
    let found = store.count_by(&Reach::Platform, &query, Field::TenantId).await.expect("counts");
    assert!(found.iter().all(|(value, _)| *value == Value::id(Some(one))), "{found:?}");
    assert_eq!(store.count_by(&Reach::Platform, &query, Field::Slug).await.expect("counts"), []);
}
