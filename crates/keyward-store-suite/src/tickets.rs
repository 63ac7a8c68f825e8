//! Tickets: what exists once.

use keyward_store::{Store, StoreError, TakenKey, Ticket, TicketKey};

use crate::fixtures::*;

async fn lookup(store: &dyn Store, key: &TicketKey) -> Option<Ticket> {
    store.ticket(key, at(0)).await.unwrap()
}

/// A key can be used once for each use; the one who came first keeps it, expired or not.
pub(crate) async fn tickets_exist_once(store: &dyn Store) {
    let first = Ticket { value: "ü'\"\\%_\n".to_owned(), ..ticket("key", None) };
    store.commit(tickets([first.clone()])).await.unwrap();
    assert_eq!(lookup(store, &first.key).await.as_ref(), Some(&first));
    let is_taken = |result: &Result<i64, StoreError>, key: &TicketKey| matches!(result, Err(StoreError::Taken(TakenKey::Ticket(taken))) if taken == key);
    let again = store.commit(tickets([ticket("other", None), ticket("key", Some(at(5)))])).await;
    assert!(is_taken(&again, &first.key), "{again:?}");
    assert_eq!(lookup(store, &TicketKey::new("test", "other")).await, None);
    assert_eq!(lookup(store, &first.key).await.as_ref(), Some(&first));
    // Namespaces and cases are kept apart.
    let others = ["KEY", "key ", "ke"].map(|key| ticket(key, None));
    let elsewhere = Ticket { key: TicketKey::new("else", "key"), ..first.clone() };
    store.commit(tickets(others.into_iter().chain([elsewhere]))).await.unwrap();
    // One that has expired is still in the way.
    store.commit(tickets([ticket("old", Some(at(-5)))])).await.unwrap();
    let old = store.commit(tickets([ticket("old", None)])).await;
    assert!(is_taken(&old, &TicketKey::new("test", "old")), "{old:?}");
    // Twice in one change is once too often.
    let twice = store.commit(tickets([ticket("twice", None), ticket("twice", None)])).await;
    assert!(is_taken(&twice, &TicketKey::new("test", "twice")), "{twice:?}");
}

/// A ticket is there until the moment of its expiry.
pub(crate) async fn tickets_expire(store: &dyn Store) {
    let (brief, lasting) = (ticket("brief", Some(at(10))), ticket("lasting", None));
    store.commit(tickets([brief.clone(), lasting.clone()])).await.unwrap();
    assert_eq!(store.ticket(&brief.key, at(9)).await.unwrap().as_ref(), Some(&brief));
    assert_eq!(store.ticket(&brief.key, at(10)).await.unwrap(), None);
    assert_eq!(store.ticket(&brief.key, at(11)).await.unwrap(), None);
    assert_eq!(store.ticket(&lasting.key, at(1_000_000_000_000)).await.unwrap(), Some(lasting));
}

/// What was consumed is gone, and what does not exist can't be consumed.
pub(crate) async fn tickets_are_consumed_once(store: &dyn Store) {
    let (one, two) = (ticket("one", None), ticket("two", Some(at(5))));
    store.commit(tickets([one.clone(), two.clone()])).await.unwrap();
    assert_stale(store.commit(consume([TicketKey::new("else", "one")])).await);
    assert_stale(store.commit(consume([one.key.clone(), TicketKey::new("test", "none")])).await);
    assert_eq!(lookup(store, &one.key).await.as_ref(), Some(&one));
    assert_stale(store.commit(consume([one.key.clone(), one.key.clone()])).await);
    store.commit(consume([one.key.clone(), two.key.clone()])).await.unwrap();
    assert_eq!(lookup(store, &one.key).await, None);
    assert_stale(store.commit(consume([one.key.clone()])).await);
    store.commit(tickets([one.clone()])).await.unwrap();
    assert_eq!(lookup(store, &one.key).await, Some(one));
}

/// A ticket that is consumed makes way for another.
pub(crate) async fn tickets_are_replaced_in_one_change(store: &dyn Store) {
    let old = ticket("key", None);
    store.commit(tickets([old.clone()])).await.unwrap();
    let new = Ticket { value: "new".to_owned(), expires_at: Some(at(50)), ..old.clone() };
    let mut change = tickets([new.clone()]);
    change.consume.push(old.key.clone());
    store.commit(change).await.unwrap();
    assert_eq!(lookup(store, &old.key).await, Some(new));
}

/// A purge removes what expired before, and tells how much.
pub(crate) async fn expired_tickets_are_purged(store: &dyn Store) {
    let all =
        [ticket("a", Some(at(1))), ticket("b", Some(at(2))), ticket("c", Some(at(3))), ticket("d", None)];
    store.commit(tickets(all.clone())).await.unwrap();
    let revision = store.ping().await.unwrap();
    assert_eq!(store.purge(at(1)).await.unwrap(), 0);
    assert_eq!(store.purge(at(3)).await.unwrap(), 2);
    assert_eq!(store.purge(at(3)).await.unwrap(), 0);
    assert_eq!(store.ping().await.unwrap(), revision);
    store.commit(tickets(all[..2].to_vec())).await.unwrap();
    assert!(store.commit(tickets([all[2].clone()])).await.is_err());
    assert_eq!(lookup(store, &all[3].key).await.as_ref(), Some(&all[3]));
}
