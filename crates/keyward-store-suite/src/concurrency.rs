//! Many at the same time.

use std::task::Poll;

use futures_util::future::join_all;
use keyward_model::{Entity, Field, Kind, Owner, Reach, Record, UniqueKey, Value};
use keyward_store::{Change, Feed, Query, Revision, Store, StoreError, TakenKey};

use crate::fixtures::*;

const MANY: usize = 12;

/// Lets others go on.
async fn give_way() {
    let mut gave_way = false;
    std::future::poll_fn(|context| {
        if gave_way {
            return Poll::Ready(());
        }
        gave_way = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Commits everything at once; returns how many succeeded, and what became of the others.
async fn race(store: &dyn Store, changes: impl IntoIterator<Item = Change>) -> (usize, Vec<StoreError>) {
    let results = join_all(changes.into_iter().map(|change| store.commit(change))).await;
    let (mut successes, mut failures) = (0, Vec::new());
    for result in results {
        match result {
            Ok(_) => successes += 1,
            Err(error @ StoreError::Unavailable(_)) => panic!("{error:?}"),
            Err(error) => failures.push(error),
        }
    }
    (successes, failures)
}

fn all_stale(failures: &[StoreError]) -> bool {
    failures.iter().all(|error| matches!(error, StoreError::Stale))
}

/// Whoever comes first replaces the version; it is too late for the others.
pub(crate) async fn one_of_many_replaces_a_version(store: &dyn Store) {
    let mut current = tenant("one", None);
    create(store, current.clone()).await;
    for _ in 0..5 {
        let version = current.meta.version;
        let changes = (0..MANY)
            .map(|n| Change::default().replace(version, next(&current, |it| it.name = n.to_string())));
        let (successes, failures) = race(store, changes).await;
        assert_eq!((successes, all_stale(&failures)), (1, true), "{failures:?}");
        current = read(store, current.id()).await.unwrap();
        assert_eq!(current.meta.version, version + 1);
    }
}

/// Whoever comes first has the key; the others are told which.
pub(crate) async fn one_of_many_takes_a_key(store: &dyn Store) {
    for round in 0..5 {
        let name = format!("app-{round}");
        let key = UniqueKey::ClientId(name.clone());
        let changes = (0..MANY).map(|_| {
            // Something else first, which must not stay behind.
            Change::default()
                .create(role(&format!("{}", id::<keyward_model::Role>()), None))
                .create(application(&name, Owner::Platform))
        });
        let (successes, failures) = race(store, changes).await;
        let taken = TakenKey::Record(key);
        let all_taken = failures.iter().all(|error| matches!(error, StoreError::Taken(it) if *it == taken));
        assert_eq!((successes, all_taken), (1, true), "{failures:?}");
        let count = round + 1;
        assert_eq!(
            listed(store, &with(Kind::Application, Field::ClientId, Value::text(name))).await.len(),
            1
        );
        assert_eq!(listed(store, &Query::all(Kind::Role)).await.len(), count);
    }
}

/// Whoever comes first has the ticket.
pub(crate) async fn one_of_many_consumes_a_ticket(store: &dyn Store) {
    for round in 0..5 {
        let code = ticket(&format!("code-{round}"), Some(at(100)));
        store.commit(tickets([code.clone()])).await.unwrap();
        let changes = (0..MANY).map(|_| consume([code.key.clone()]));
        let (successes, failures) = race(store, changes).await;
        assert_eq!((successes, all_stale(&failures)), (1, true), "{failures:?}");
    }
}

/// Whoever comes first creates the ticket; the others are told that it is there.
pub(crate) async fn one_of_many_creates_a_ticket(store: &dyn Store) {
    for round in 0..5 {
        let key = format!("key-{round}");
        let taken = TakenKey::Ticket(ticket(&key, None).key);
        let (successes, failures) = race(store, (0..MANY).map(|_| tickets([ticket(&key, None)]))).await;
        let all_taken = failures.iter().all(|error| matches!(error, StoreError::Taken(it) if *it == taken));
        assert_eq!((successes, all_taken), (1, true), "{failures:?}");
    }
}

/// Two writers of one chain can't both succeed, neither with the first event nor with a later one.
pub(crate) async fn one_of_many_continues_a_chain(store: &dyn Store) {
    for seq in 1..=5 {
        let changes = (0..MANY).map(|_| append(chained("chain", seq, [event(seq)])));
        let (successes, failures) = race(store, changes).await;
        assert_eq!((successes, all_stale(&failures)), (1, true), "{failures:?}");
    }
    assert_eq!(store.chain("chain", 0, 100).await.unwrap().len(), 5);
}

/// Writers of different chains, with and without other changes, do not disturb each other.
pub(crate) async fn chains_grow_side_by_side(store: &dyn Store) {
    let writers = (0..6).map(|writer| async move {
        let name = format!("chain-{writer}");
        for step in 0..8 {
            let mut change = append(chained(&name, step * 10 + 1, (0..10).map(event)));
            if step % 2 == 0 {
                change = change.create(role(&format!("{name}-{step}"), None));
            }
            store.commit(change).await.unwrap();
        }
    });
    join_all(writers).await;
    let heads = store.chains().await.unwrap();
    assert!(heads.len() == 6 && heads.iter().all(|head| head.seq == 80), "{heads:?}");
    assert_eq!(store.ping().await.unwrap(), 24);
}

/// A limit that is guarded by the version of the record above holds, however many try at the same time.
pub(crate) async fn guards_hold_under_concurrency(store: &dyn Store) {
    const LIMIT: usize = 3;
    let partner = partner("limited");
    create(store, partner.clone()).await;
    let attempts = (0..MANY).map(|n| {
        let id = partner.id();
        async move {
            loop {
                let above = read(store, id).await.unwrap();
                let query = Query::all(Kind::Tenant);
                if store.list(&Reach::Partner(id), &query).await.unwrap().total >= LIMIT as u64 {
                    return;
                }
                let new = tenant(&format!("tenant-{n}"), Some(&above));
                let change = Change::default().create(new).replace(above.meta.version, next(&above, |_| {}));
                match store.commit(change).await {
                    Ok(_) => return,
                    Err(StoreError::Stale) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    });
    join_all(attempts).await;
    assert_eq!(listed(store, &Query::all(Kind::Tenant)).await.len(), LIMIT);
}

/// Whoever follows the feed while others write misses nothing.
pub(crate) async fn revisions_become_visible_in_order(store: &dyn Store) {
    const EACH: usize = 15;
    let write = |writer: usize| async move {
        let mut revisions = Vec::new();
        for n in 0..EACH {
            revisions.push(create(store, role(&format!("{writer}-{n}"), None)).await);
        }
        revisions
    };
    let follow = async {
        let (mut seen, mut ids) = (0, Vec::new());
        while seen < Revision::try_from(4 * EACH).unwrap() {
            let Feed::Changes { revision, ids: new } = store.changed_since(seen).await.unwrap() else {
                panic!("nothing is too old")
            };
            assert!(revision >= seen);
            for id in &new {
                assert!(
                    store.get(&Reach::Platform, *id).await.unwrap().is_some(),
                    "what is told of is there"
                );
            }
            (seen, ids) = (revision, [ids, new].concat());
            // Gives way to the writers, where nothing else does.
            give_way().await;
        }
        ids
    };
    let writers = join_all((0..4).map(write));
    let (written, followed) = futures_util::future::join(writers, follow).await;
    let mut revisions: Vec<Revision> = written.concat();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=Revision::try_from(4 * EACH).unwrap()).collect::<Vec<_>>());
    let mut followed = followed;
    followed.sort();
    followed.dedup();
    let all =
        store.list(&Reach::Platform, &Query { per_page: 1_000, ..Query::all(Kind::Role) }).await.unwrap();
    let mut all: Vec<_> = all.items.iter().map(Record::id).collect();
    all.sort();
    assert_eq!(followed, all);
}
