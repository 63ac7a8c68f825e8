//! Lists: filters, searches, order and pages.

use keyward_model::{
    AnyId, Application, ApplicationReach, ApplicationType, Entity, Field, Kind, Owner, Reach, Record, Role,
    Status, TenancyStatus, Value,
};
use keyward_store::{Condition, Cursor, Direction, EventQuery, Query, Store, Test, TicketKey};

use crate::fixtures::*;

const FIELDS: [Field; 25] = [
    Field::ProviderId,
    Field::RevokedAt,
    Field::LastActiveAt,
    Field::RetiresFrom,
    Field::CreatedAt,
    Field::UpdatedAt,
    Field::ExpiresAt,
    Field::Name,
    Field::Slug,
    Field::Status,
    Field::PartnerId,
    Field::TenantId,
    Field::HolderId,
    Field::GroupId,
    Field::UserId,
    Field::ChildId,
    Field::OwnerId,
    Field::Email,
    Field::AdminRole,
    Field::Kind,
    Field::ClientId,
    Field::Type,
    Field::Reach,
    Field::Environment,
    Field::Resource,
];

fn expected<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    holds: impl Fn(&Record) -> bool,
) -> Vec<AnyId> {
    let mut ids: Vec<AnyId> = records.into_iter().filter(|it| holds(it)).map(Record::id).collect();
    ids.sort();
    ids
}

/// Records that differ in everything that can be asked for.
async fn varied(store: &dyn Store) -> Vec<Record> {
    let world = World::new();
    let mut records = world.records.clone();
    records.extend(full_records());
    let tenant = &world.tenants[0];
    let other = Application {
        kind: ApplicationType::Native,
        reach: ApplicationReach::Tenant,
        status: Status::Disabled,
        environment: "test".to_owned(),
        expires_at: at(3),
        ..application("varied", Owner::Tenant(tenant.id()))
    };
    let mut secret = secret(&other);
    secret.expires_at = Some(at(3));
    let mut suspended = crate::fixtures::tenant("suspended", Some(&world.partners[0]));
    suspended.status = TenancyStatus::Suspended;
    suspended.meta.created_at = at(3);
    records.extend([Record::from(other), secret.into(), suspended.into()]);
    put_all(store, records.clone()).await;
    records
}

/// For every kind, field and value that occurs, a list has the records with that value.
pub(crate) async fn lists_are_filtered(store: &dyn Store) {
    let records = varied(store).await;
    for kind in KINDS {
        let of_kind: Vec<&Record> = records.iter().filter(|it| it.id().kind == kind).collect();
        for field in FIELDS {
            let mut values: Vec<Value> = of_kind.iter().map(|it| it.value(field)).collect();
            values.sort();
            values.dedup();
            for value in values {
                let found = listed(store, &with(kind, field, value.clone())).await;
                let mut found_sorted = found.clone();
                found_sorted.sort();
                let expected = expected(of_kind.iter().copied(), |it| it.value(field) == value);
                assert_eq!(found_sorted, expected, "{kind:?} {field:?} {value:?}");
            }
        }
    }
    // Several conditions must all hold.
    let both = with(Kind::Application, Field::Status, Value::text("disabled"))
        .with(Field::Environment, Value::text("test"));
    assert_eq!(listed(store, &both).await.len(), 1);
    let neither = both.with(Field::Type, Value::text("service"));
    assert_eq!(listed(store, &neither).await.len(), 0);
}

/// Null is asked for as such, and meets no other condition.
pub(crate) async fn lists_know_fields_without_value(store: &dyn Store) {
    let application = application("app", Owner::Platform);
    let plain = secret(&application);
    let mut ending = secret(&application);
    ending.expires_at = Some(at(5));
    put_all(store, vec![plain.clone().into(), ending.clone().into()]).await;
    let (plain, ending) = (plain.id().any(), ending.id().any());
    let null = |field| with(Kind::Secret, field, Value::Null);
    assert_eq!(listed(store, &null(Field::ExpiresAt)).await, [plain]);
    assert_eq!(listed(store, &null(Field::TenantId)).await, [plain, ending]);
    assert_eq!(listed(store, &null(Field::CreatedAt)).await, []);
    let test = |test| Query {
        conditions: vec![Condition { field: Field::ExpiresAt, test }],
        ..Query::all(Kind::Secret)
    };
    assert_eq!(listed(store, &test(Test::Before(at(1_000_000)))).await, [ending]);
    assert_eq!(listed(store, &test(Test::From(at(-1_000_000)))).await, [ending]);
}

/// Before a moment, and from a moment on: to the millisecond.
pub(crate) async fn lists_compare_moments(store: &dyn Store) {
    let all: Vec<_> =
        [999, 1_000, 1_001, 2_000].map(|millis| revocation(&format!("{millis}"), at(millis))).into();
    put_all(store, all.iter().cloned().map(Record::from).collect()).await;
    let ids: Vec<AnyId> = all.iter().map(|it| it.id().any()).collect();
    let test = |tests: &[Test]| {
        let conditions =
            tests.iter().cloned().map(|test| Condition { field: Field::ExpiresAt, test }).collect();
        Query { conditions, ..Query::all(Kind::Revocation) }
    };
    assert_eq!(listed(store, &test(&[Test::Before(at(1_000))])).await, ids[..1]);
    assert_eq!(listed(store, &test(&[Test::From(at(1_000))])).await, ids[1..]);
    assert_eq!(listed(store, &test(&[Test::From(at(1_000)), Test::Before(at(1_001))])).await, ids[1..2]);
    assert_eq!(listed(store, &test(&[Test::Is(Value::Time(at(1_001)))])).await, ids[2..3]);
    assert_eq!(listed(store, &test(&[Test::Is(Value::Time(at(1_002)))])).await, []);
}

/// A kind that does not have a field has no value there; no value equals one of another type.
pub(crate) async fn lists_know_no_field_of_others(store: &dyn Store) {
    let records = varied(store).await;
    for kind in KINDS {
        let of_kind: Vec<&Record> = records.iter().filter(|it| it.id().kind == kind).collect();
        for field in FIELDS {
            let tests = [
                Test::Is(Value::Null),
                Test::Is(Value::text("active")),
                Test::Is(Value::Time(at(0))),
                Test::Before(at(10)),
                Test::From(at(-10)),
            ];
            for test in tests {
                let holds = |record: &Record| match (&test, record.value(field)) {
                    (Test::Is(wanted), value) => value == *wanted,
                    (Test::Before(end), Value::Time(at)) => at < *end,
                    (Test::From(start), Value::Time(at)) => at >= *start,
                    _ => false,
                };
                let conditions = vec![Condition { field, test: test.clone() }];
                let mut found = listed(store, &Query { conditions, ..Query::all(kind) }).await;
                found.sort();
                assert_eq!(found, expected(of_kind.iter().copied(), holds), "{kind:?} {field:?} {test:?}");
            }
            // A sort by such a field leaves the order to the ids.
            if of_kind.iter().all(|it| it.value(field) == Value::Null) {
                let sorted = listed(store, &Query { sort: field, ..Query::all(kind) }).await;
                assert_eq!(sorted, expected(of_kind.iter().copied(), |_| true), "{kind:?} by {field:?}");
            }
        }
    }
}

async fn searched(store: &dyn Store, kind: Kind, text: &str) -> Vec<AnyId> {
    listed(store, &Query { search: Some(text.to_owned()), ..Query::all(kind) }).await
}

/// A search finds its text anywhere in any of the searched fields; ASCII letters match whatever their case, others only
/// as they are.
pub(crate) async fn lists_are_searched(store: &dyn Store) {
    let mut noted = application("crm-sync", Owner::Platform);
    noted.name = "Émile's CRM".to_owned();
    noted.notes = Some("Calls\nNightly".to_owned());
    let other = application("billing", Owner::Platform);
    put_all(store, vec![noted.clone().into(), other.clone().into()]).await;
    let (noted, other) = (noted.id().any(), other.id().any());
    for text in ["crm", "CRM", "Crm-S", "'s c", "nightly", "LLS\nn", "Émile", "ÉMILE", "mile"] {
        assert_eq!(searched(store, Kind::Application, text).await, [noted], "{text:?}");
    }
    assert_eq!(searched(store, Kind::Application, "émile").await, []);
    assert_eq!(searched(store, Kind::Application, "").await, [noted, other]);
    assert_eq!(searched(store, Kind::Application, "i").await, [noted, other]);
    assert_eq!(searched(store, Kind::Application, "crm-sync ").await, []);
    // Only the fields that are searched.
    assert_eq!(searched(store, Kind::Application, "production").await, []);
    let records = full_records();
    put_all(store, records.clone()).await;
    for record in &records {
        for text in record.search_texts() {
            let text = text.to_ascii_uppercase();
            assert!(searched(store, record.id().kind, &text).await.contains(&record.id()), "{text:?}");
        }
    }
    let both = Query {
        search: Some("full".to_owned()),
        ..with(Kind::Tenant, Field::Status, Value::text("suspended"))
    };
    assert_eq!(listed(store, &both).await, []);
}

/// `%`, `_` and the backslash mean themselves.
pub(crate) async fn searches_take_wildcards_as_they_are(store: &dyn Store) {
    let names =
        ["100%", "100 percent", "a_b", "a-b", "back\\slash", "backslash", "quote'", "per%cent_under\\all"];
    let roles: Vec<Role> = names.iter().map(|name| role(name, None)).collect();
    put_all(store, roles.iter().cloned().map(Record::from).collect()).await;
    let expect = |texts: &[&str]| -> Vec<AnyId> {
        roles.iter().filter(|role| texts.contains(&role.name.as_str())).map(|role| role.id().any()).collect()
    };
    let all = "per%cent_under\\all";
    for (text, found) in [
        ("%", vec!["100%", all]),
        ("_", vec!["a_b", all]),
        ("\\", vec!["back\\slash", all]),
        ("a_b", vec!["a_b"]),
        ("0%", vec!["100%"]),
        ("K\\s", vec!["back\\slash"]),
        ("'", vec!["quote'"]),
        ("%_", vec![]),
        ("\\%", vec![]),
        ("\\\\", vec![]),
        ("[a]", vec![]),
        ("*", vec![]),
        ("?", vec![]),
    ] {
        assert_eq!(searched(store, Kind::Role, text).await, expect(&found), "{text:?}");
    }
}

/// By every field, both ways.
pub(crate) async fn lists_are_sorted(store: &dyn Store) {
    let records = varied(store).await;
    for kind in KINDS {
        for field in FIELDS {
            let mut of_kind: Vec<&Record> = records.iter().filter(|it| it.id().kind == kind).collect();
            of_kind.sort_by_key(|it| (it.value(field), it.id()));
            let mut ids: Vec<AnyId> = of_kind.iter().map(|it| it.id()).collect();
            let query = Query { sort: field, ..Query::all(kind) };
            assert_eq!(listed(store, &query).await, ids, "{kind:?} by {field:?}");
            ids.reverse();
            let query = Query { direction: Direction::Descending, ..query };
            assert_eq!(listed(store, &query).await, ids, "{kind:?} by {field:?}, descending");
        }
    }
}

/// Whatever the language of the database: upper case before lower case, punctuation and accents where their bytes are.
pub(crate) async fn texts_are_sorted_by_their_bytes(store: &dyn Store) {
    let mut names = vec![
        "a", "B", "b", "A", "Z", "z", "ä", "Ä", "z z", "zz", "z-z", "_", "~", "é", "e", "f", " x", "10", "9",
        "漢", "aa", "a b", "a-b", "a_b", "ab", "🔑", "\u{ffff}",
    ];
    put_all(store, names.iter().map(|name| role(name, None).into()).collect()).await;
    names.sort_unstable_by_key(|name| name.as_bytes());
    let query = Query { sort: Field::Name, ..Query::all(Kind::Role) };
    let sorted = |page: keyward_store::Page<Record>| -> Vec<Value> {
        page.items.iter().map(|record| record.value(Field::Name)).collect()
    };
    let mut expected: Vec<Value> = names.into_iter().map(Value::text).collect();
    assert_eq!(sorted(store.list(&Reach::Platform, &query).await.unwrap()), expected);
    expected.reverse();
    let query = Query { direction: Direction::Descending, ..query };
    assert_eq!(sorted(store.list(&Reach::Platform, &query).await.unwrap()), expected);
}

/// Records without a value come first, or last when descending.
pub(crate) async fn nulls_come_first(store: &dyn Store) {
    let application = application("app", Owner::Platform);
    let secrets = [None, Some(20), None, Some(10)].map(|millis: Option<i64>| {
        let mut secret = secret(&application);
        secret.expires_at = millis.map(at);
        secret
    });
    put_all(store, secrets.iter().cloned().map(Record::from).collect()).await;
    let [a, b, c, d] = secrets.map(|secret| secret.id().any());
    let query = Query { sort: Field::ExpiresAt, ..Query::all(Kind::Secret) };
    assert_eq!(listed(store, &query).await, [a, c, d, b]);
    let query = Query { direction: Direction::Descending, ..query };
    assert_eq!(listed(store, &query).await, [b, d, c, a]);
}

/// Equal values are in the order of ids, in the direction of the list, so that pages never overlap.
pub(crate) async fn ties_are_in_the_order_of_ids(store: &dyn Store) {
    let all: Vec<Application> = (0..25).map(|n| application(&format!("app-{n}"), Owner::Platform)).collect();
    // Stored in another order than that of their ids.
    for chunk in all.rchunks(7) {
        put_all(store, chunk.iter().cloned().map(Record::from).collect()).await;
    }
    let mut ids: Vec<AnyId> = all.iter().map(|it| it.id().any()).collect();
    for direction in [Direction::Ascending, Direction::Descending] {
        for sort in [Field::Status, Field::ExpiresAt, Field::CreatedAt, Field::TenantId, Field::Slug] {
            let mut read = Vec::new();
            for page in 1..=5 {
                let query = Query { sort, direction, page, per_page: 6, ..Query::all(Kind::Application) };
                let page = store.list(&Reach::Platform, &query).await.unwrap();
                read.extend(page.items.iter().map(Record::id));
            }
            assert_eq!(read, ids, "by {sort:?}, {direction:?}");
        }
        ids.reverse();
    }
}

/// Pages have their share each, and all of them the total.
pub(crate) async fn lists_are_paged(store: &dyn Store) {
    let roles: Vec<Role> = (0..10).map(|n| role(&format!("role {n}"), None)).collect();
    put_all(store, roles.iter().cloned().map(Record::from).collect()).await;
    let ids: Vec<AnyId> = roles.iter().map(|it| it.id().any()).collect();
    for (page, per_page, from, to) in [
        (1, 3, 0, 3),
        (2, 3, 3, 6),
        (4, 3, 9, 10),
        (5, 3, 10, 10),
        (1, 10, 0, 10),
        (2, 10, 10, 10),
        (1, 11, 0, 10),
    ] {
        let query = Query { page, per_page, ..Query::all(Kind::Role) };
        let found = store.list(&Reach::Platform, &query).await.unwrap();
        assert_eq!(found.total, 10, "{per_page} on page {page}");
        let found: Vec<AnyId> = found.items.iter().map(Record::id).collect();
        assert_eq!(found, ids[from..to], "{per_page} on page {page}");
    }
    let far = Query { page: u32::MAX, per_page: u32::MAX, ..Query::all(Kind::Role) };
    let found = store.list(&Reach::Platform, &far).await.unwrap();
    assert_eq!((found.items.len(), found.total), (0, 10));
    let nothing = store.list(&Reach::Platform, &Query::all(Kind::Event)).await.unwrap();
    assert_eq!((nothing.items.len(), nothing.total), (0, 0));
}

/// However often a list was read before, its pages and its total are those of the records that there are.
pub(crate) async fn lists_follow_changes(store: &dyn Store) {
    let partner = partner("partner");
    let tenant = tenant("tenant", Some(&partner));
    let mut roles: Vec<Role> = (0..9).map(|n| role(&format!("role {n}"), Some(&tenant))).collect();
    put_all(store, vec![partner.clone().into(), tenant.clone().into()]).await;
    put_all(store, roles.iter().cloned().map(Record::from).collect()).await;
    let within = [Reach::Platform, Reach::Partner(partner.id()), Reach::Tenant(tenant.id())];
    let check = async |roles: &[Role]| {
        for (reach, direction) in within.iter().flat_map(|reach| {
            [Direction::Ascending, Direction::Descending].map(|direction| (reach, direction))
        }) {
            let mut expected: Vec<AnyId> = roles.iter().map(|it| it.id().any()).collect();
            if direction == Direction::Descending {
                expected.reverse();
            }
            // From both ends, and twice, so that whatever is remembered is used.
            for page in [1, 2, 3, 4, 5, 5, 4, 3, 2, 1] {
                let query = Query { page, per_page: 2, direction, ..Query::all(Kind::Role) };
                let found = store.list(reach, &query).await.unwrap();
                assert_eq!(found.total, expected.len() as u64, "{reach:?} {direction:?} page {page}");
                let found: Vec<AnyId> = found.items.iter().map(Record::id).collect();
                let from = expected.len().min(usize::try_from(query.offset()).unwrap());
                let to = expected.len().min(from + 2);
                assert_eq!(found, expected[from..to], "{reach:?} {direction:?} page {page}");
            }
        }
    };
    check(&roles).await;
    let another = role("another", Some(&tenant));
    create(store, another.clone()).await;
    roles.push(another);
    check(&roles).await;
    delete(store, &roles.remove(1)).await;
    check(&roles).await;
    delete(store, &tenant).await;
    check(&[]).await;
}

/// A character that not every database can store is a character that nothing contains.
pub(crate) async fn queries_with_nul_find_nothing(store: &dyn Store) {
    World::stored(store).await;
    store.commit(append(chained("chain", 1, [event(1)]))).await.unwrap();
    let nul = || "a\0b".to_owned();
    assert_eq!(searched(store, Kind::Tenant, &nul()).await, []);
    assert_eq!(listed(store, &with(Kind::Tenant, Field::Slug, Value::text(nul()))).await, []);
    let key = keyward_model::UniqueKey::ClientId(nul());
    assert_eq!(store.find(&Reach::Platform, &key).await.unwrap(), None);
    assert_eq!(store.ticket(&TicketKey::new("test", nul()), at(0)).await.unwrap(), None);
    assert_eq!(store.chain(&nul(), 0, 5).await.unwrap(), []);
    let query = EventQuery { limit: 5, cursor: Cursor::Offset(0), ..EventQuery::default() };
    for query in [
        EventQuery { actor: Some(nul()), ..query.clone() },
        EventQuery { action: Some(nul()), ..query.clone() },
        EventQuery { action: Some("\0.".to_owned()), ..query.clone() },
        EventQuery { resource: Some(nul()), ..query.clone() },
        EventQuery { tenant_id: Some(nul()), ..query },
    ] {
        assert_eq!(store.events(&Reach::Platform, &query).await.unwrap().total, Some(0));
    }
}
