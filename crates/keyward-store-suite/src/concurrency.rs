//! Many at the same time.

use std::task::Poll;

use futures_util::future::join_all;
use keyward_model::{AdminRole, Entity, Field, Kind, Owner, Reach, Record, UniqueKey, Value};
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
pub(crate) async fn limits_hold_by_versions(store: &dyn Store) {
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

/// A limit that is guarded holds, and no place is left empty, however many try at the same time.
pub(crate) async fn limits_hold_by_guards(store: &dyn Store) {
    const LIMIT: u64 = 13;
    let (full, other) = (tenant("full", None), tenant("other", None));
    put_all(store, vec![full.clone().into(), other.clone().into()]).await;
    for n in 0..6 {
        create(store, user(&format!("first-{n}"), Owner::Tenant(full.id()))).await;
    }
    let attempts = (0..20).map(|n| {
        // Others, whose guard is another one, come in between.
        let of = if n % 5 == 4 { &other } else { &full };
        let guard = at_most(Kind::User, LIMIT).of(Field::TenantId, Value::id(Some(of.id())));
        let new = user(&format!("user-{n}"), Owner::Tenant(of.id()));
        let change = Change { guards: vec![guard], ..Change::default() }.create(new);
        async move {
            for _ in 0..3 {
                match store.commit(change.clone()).await {
                    Ok(_) => return,
                    Err(StoreError::Stale) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    });
    join_all(attempts).await;
    let of = |tenant| with(Kind::User, Field::TenantId, Value::id(Some(tenant)));
    assert_eq!(listed(store, &of(full.id())).await.len() as u64, LIMIT);
    assert_eq!(listed(store, &of(other.id())).await.len(), 4);
}

/// What must not vanish does not, when the last two are deleted at the same time.
pub(crate) async fn the_last_one_stays_by_a_guard(store: &dyn Store) {
    for round in 0..8 {
        let admins = ["one", "two"].map(|name| keyward_model::User {
            admin_role: Some(AdminRole::SuperAdmin),
            ..user(&format!("{name}-{round}"), Owner::Platform)
        });
        put_all(store, admins.iter().cloned().map(Record::from).collect()).await;
        let is_admin = Value::text(AdminRole::SuperAdmin.as_str());
        let guard = at_least(Kind::User, 1).of(Field::AdminRole, is_admin.clone());
        let changes = admins.iter().map(|admin| {
            let change = Change { guards: vec![guard.clone()], ..Change::default() };
            change.replace(admin.meta.version, deleted(admin))
        });
        let (successes, failures) = race(store, changes).await;
        assert_eq!((successes, all_stale(&failures)), (1, true), "{failures:?}");
        let left = listed(store, &with(Kind::User, Field::AdminRole, is_admin)).await;
        assert_eq!(left.len(), 1);
        let last = admins.iter().find(|it| it.id().any() == left[0]).expect("one of them");
        delete(store, last).await;
    }
}

/// Changes with several guards, in whatever order, do not wait for each other for ever.
pub(crate) async fn guards_do_not_wait_in_a_circle(store: &dyn Store) {
    let one = at_most(Kind::Role, 1_000);
    let two = at_most(Kind::Group, 1_000);
    let changes = (0..MANY).map(|n| {
        let guards = if n % 2 == 0 { vec![one.clone(), two.clone()] } else { vec![two.clone(), one.clone()] };
        let (role, group) = (role(&n.to_string(), None), group(&n.to_string(), None));
        Change { guards, ..Change::default() }.create(role).create(group)
    });
    let (successes, failures) = race(store, changes).await;
    assert_eq!(successes, MANY, "{failures:?}");
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
