//! Lists that were asked before: what an adapter remembers of them must change nothing.

use keyward_model::{AnyId, Entity, Field, Kind, Owner, Record};
use keyward_store::{Direction, Query, Store};

use crate::fixtures::*;

/// Every page is the same, whoever asks, in whatever order, and however often.
pub(crate) async fn lists_are_the_same_when_asked_again(store: &dyn Store) {
    let world = World::stored(store).await;
    let [one, two] = world.partners.each_ref().map(|partner| Owner::Partner(partner.id()));
    let [first, second, third, _] = world.tenants.each_ref().map(|tenant| Owner::Tenant(tenant.id()));
    let mut records = Vec::new();
    for number in 0..48 {
        let owners = [first, first, first, second, third, one, two, Owner::Platform];
        let mut application = application(&format!("again-{number}"), owners[number % owners.len()]);
        // Few names, so that many are alike.
        application.name = format!("Name {}", number * 7 % 5);
        records.push(Record::from(application));
    }
    put_all(store, records.clone()).await;
    records.extend(world.records.iter().filter(|record| record.id().kind == Kind::Application).cloned());
    for round in 0..3 {
        for reach in world.reaches() {
            for sort in [Field::CreatedAt, Field::Name, Field::UpdatedAt] {
                let mut expected: Vec<(String, AnyId)> = records
                    .iter()
                    .filter(|record| world.covers(reach, record))
                    .map(|it| key(it, sort))
                    .collect();
                expected.sort();
                for direction in [Direction::Ascending, Direction::Descending] {
                    let mut found = Vec::new();
                    for page in 1..=12 {
                        let query =
                            Query { sort, direction, page, per_page: 5, ..Query::all(Kind::Application) };
                        let listed = store.list(&reach, &query).await.expect("a list");
                        assert_eq!(listed.total, expected.len() as u64, "{query:?} in {reach:?}");
                        found.extend(listed.items.iter().map(Record::id));
                    }
                    let ids = expected.iter().map(|(_, id)| *id);
                    let ids: Vec<AnyId> =
                        if direction == Direction::Ascending { ids.collect() } else { ids.rev().collect() };
                    assert_eq!(found, ids, "by {sort:?}, {direction:?}, in {reach:?}");
                }
            }
        }
        // What is remembered is out of date after that.
        create(store, group(&format!("Another {round}"), None)).await;
    }
}

/// By what an application is sorted.
fn key(record: &Record, sort: Field) -> (String, AnyId) {
    let Record::Application(application) = record else { panic!("an application") };
    let text = match sort {
        Field::Name => application.name.clone(),
        Field::CreatedAt => application.meta.created_at.to_string(),
        _ => application.meta.updated_at.to_string(),
    };
    (text, record.id())
}
