//! The evidence of use.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use keyward_model::{AnyId, ApiKey, Secret, Usage};
use keyward_store::{Change, Store, UsageBatch};

use crate::fixtures::*;

fn batch(chain: &str, from_seq: i64, to_seq: i64, rows: Vec<Usage>) -> Change {
    let batch = UsageBatch { counted: Some(counted(chain, from_seq, to_seq)), rows };
    Change { usage: Some(batch), ..Change::default() }
}

async fn stored(store: &dyn Store, subjects: &[AnyId]) -> BTreeMap<(AnyId, String), Usage> {
    let rows = store.usage(subjects).await.unwrap();
    let count = rows.len();
    let rows: BTreeMap<_, _> =
        rows.into_iter().map(|row| ((row.subject, row.address.clone()), row)).collect();
    assert_eq!(rows.len(), count, "one row for each credential and address");
    rows
}

/// Counts are added, the oldest first use and the youngest last use are kept.
pub(crate) async fn usage_is_added_up(store: &dyn Store) {
    let (one, two) = (id::<Secret>().any(), id::<Secret>().any());
    store.commit(append(chained("chain", 1, (1..=9).map(event)))).await.unwrap();
    assert!(stored(store, &[one, two]).await.is_empty());
    let rows =
        vec![usage(one, "::1", 4, 10, 20), usage(one, "10.0.0.1", 1, 5, 5), usage(two, "::1", 2, 1, 2)];
    store.commit(batch("chain", 0, 3, rows)).await.unwrap();
    // The same address may come twice in one batch.
    let rows =
        vec![usage(one, "::1", 10, 15, 17), usage(one, "::1", 100, 5, 30), usage(one, "other", 2, 0, 0)];
    store.commit(batch("chain", 3, 9, rows)).await.unwrap();
    let rows = stored(store, &[one]).await;
    assert_eq!(rows.len(), 3);
    let sum = Usage { needed: 57, ..usage(one, "::1", 114, 5, 30) };
    assert_eq!(rows[&(one, "::1".to_owned())], sum);
    assert_eq!(rows[&(one, "10.0.0.1".to_owned())], usage(one, "10.0.0.1", 1, 5, 5));
    assert_eq!(stored(store, &[two]).await.len(), 1);
    assert_eq!(stored(store, &[one, two, id::<Secret>().any()]).await.len(), 4);
    assert_eq!(stored(store, &[]).await.len(), 0);
    assert_eq!(store.chains().await.unwrap()[0].usage_seq, 9);
}

/// Each day has a row of its own, and what no chain gave is added all the same.
pub(crate) async fn usage_is_told_by_day(store: &dyn Store) {
    let subject = id::<ApiKey>().any();
    let day = 86_400_000;
    let uses = |rows| Change { usage: Some(UsageBatch { counted: None, rows }), ..Change::default() };
    store
        .commit(uses(vec![usage(subject, "::1", 2, 0, 1), usage(subject, "::1", 4, day, day)]))
        .await
        .unwrap();
    store.commit(uses(vec![usage(subject, "::1", 8, day + 5, day + 7)])).await.unwrap();
    let rows = store.usage(&[subject]).await.unwrap();
    let told: Vec<(NaiveDate, u64)> = rows.iter().map(|row| (row.day, row.count)).collect();
    let date = |millis| at(millis).as_chrono().date_naive();
    assert_eq!(told, [(date(0), 2), (date(day), 12)]);
    assert!(store.chains().await.unwrap().is_empty());
}

/// No part of a chain is counted twice.
pub(crate) async fn usage_is_counted_once(store: &dyn Store) {
    let subject = id::<Secret>().any();
    let rows = || vec![usage(subject, "::1", 1, 0, 0)];
    assert_stale(store.commit(batch("chain", 0, 1, rows())).await);
    store.commit(append(chained("chain", 1, (1..=5).map(event)))).await.unwrap();
    store.commit(batch("chain", 0, 3, rows())).await.unwrap();
    for from in [0, 2, 4] {
        assert_stale(store.commit(batch("chain", from, 5, rows())).await);
    }
    assert_eq!(stored(store, &[subject]).await[&(subject, "::1".to_owned())].count, 1);
    store.commit(batch("chain", 3, 5, rows())).await.unwrap();
    store.commit(append(chained("chain", 6, [event(6)]))).await.unwrap();
    let head = store.chains().await.unwrap().remove(0);
    assert_eq!((head.seq, head.usage_seq), (6, 5));
}
