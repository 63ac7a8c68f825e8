//! What was revoked before its expiry: for the checks of this process, and for the feed that others follow.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

use keyward_crypto::feed::{self, Entry};
use keyward_model::{AnyId, Field, Kind, Reach, Revocation, Revoked as Of, Timestamp, UniqueKey, Value};
use keyward_store::{Query, Revision, Store, StoreError, StoreExt};
use tokio::sync::watch;

use super::all;

/// What somebody can say is revoked up to a moment, beside single tokens.
const MARKS: [Of; 3] = [Of::All, Of::ClientTokens, Of::TenantTokens];

/// The revocations that count.
#[derive(Debug)]
pub(crate) struct Revoked {
    known: RwLock<Known>,
    /// Changes with every entry, for those who wait for one.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    /// Tokens by their `jti`, with their expiry.
    tokens: HashMap<String, Timestamp>,
    /// Up to which moment of issue the tokens of a subject are revoked, when somebody said so.
    before: HashMap<String, Timestamp>,
    /// Everything, in the order in which it was learned.
    log: BTreeMap<u64, Logged>,
    /// Where the latest entry about a subject is.
    at: HashMap<String, u64>,
    /// How many entries there were.
    count: u64,
}

#[derive(Clone, Debug)]
struct Logged {
    /// The revision at which it is known to be written.
    revision: Revision,
    entry: Entry,
}

/// Where a reader of the feed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// It knows nothing.
    Nothing,
    /// It knows what was written up to this revision.
    Revision(Revision),
    /// It knows so many entries of this process.
    Entry(u64),
}

impl Revoked {
    pub(crate) async fn read(
        store: &dyn Store,
        revision: Revision,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let revoked = Self { known: RwLock::default(), newest: watch::Sender::new(0) };
        revoked.reload(store, revision).await?;
        revoked.forget_expired(now);
        Ok(revoked)
    }

    pub(crate) async fn reload(&self, store: &dyn Store, revision: Revision) -> Result<(), StoreError> {
        let (all, _) = all::<Revocation>(store, Query::all(Kind::Revocation)).await?;
        for revocation in &all {
            self.insert(revocation, revision);
        }
        Ok(())
    }

    /// Takes up the revocations among these records, all written at or before a revision.
    pub(crate) async fn follow(
        &self,
        store: &dyn Store,
        ids: &[AnyId],
        revision: Revision,
    ) -> Result<(), StoreError> {
        for id in ids.iter().filter_map(|id| id.typed::<Revocation>()) {
            if let Some(revocation) = store.get_as(&Reach::Platform, id).await? {
                self.insert(&revocation, revision);
            }
        }
        Ok(())
    }

    pub(crate) fn insert(&self, revocation: &Revocation, revision: Revision) {
        let text = revocation.of.subject(&revocation.name);
        let entry = Entry {
            subject: feed::subject(&text),
            before: revocation.before.map(Timestamp::unix_millis),
            until: revocation.expires_at.unix_seconds(),
        };
        let mut guard = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let known = &mut *guard;
        let before = known.at.get(&text).and_then(|at| known.log.get(at)).cloned();
        if before.as_ref().is_some_and(|logged| logged.entry == entry) {
            return;
        }
        known.enforce(revocation);
        // What somebody says about moments of issue must not bring back what is dead whatever its moment.
        let covers_more = |logged: &Logged| logged.entry.before.is_none_or(|at| Some(at) >= entry.before);
        if MARKS.contains(&revocation.of) && before.as_ref().is_some_and(covers_more) {
            return;
        }
        known.count += 1;
        let count = known.count;
        known.log.insert(count, Logged { revision, entry });
        if let Some(replaced) = known.at.insert(text, count) {
            known.log.remove(&replaced);
        }
        drop(guard);
        self.newest.send_replace(count);
    }

    /// Whether a token was revoked: by itself, or with all that were issued by then.
    pub(crate) fn covers(&self, jti: &str, client_id: &str, issued_millis: i64) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.tokens.contains_key(jti)
            || known.is_marked(Of::All, "", issued_millis)
            || known.is_marked(Of::ClientTokens, client_id, issued_millis)
    }

    /// Whether the tokens of a tenant that were issued by then were revoked.
    pub(crate) fn covers_tenant(&self, tenant: &str, issued_millis: i64) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.is_marked(Of::TenantTokens, tenant, issued_millis)
    }

    pub(crate) fn forget_expired(&self, now: Timestamp) {
        let mut guard = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let known = &mut *guard;
        known.tokens.retain(|_, expires_at| *expires_at > now);
        let seconds = now.unix_seconds();
        known.log.retain(|_, logged| logged.entry.until > seconds);
        let log = &known.log;
        known.at.retain(|_, at| log.contains_key(at));
    }

    /// Asks storage about what may have been said about a token.
    pub(crate) async fn ask(
        &self,
        store: &dyn Store,
        jti: &str,
        revision: Revision,
    ) -> Result<(), StoreError> {
        let key = UniqueKey::RevokedJti(jti.to_owned());
        let token: Option<Revocation> = store.find_as(&Reach::Platform, &key).await?;
        if let Some(revocation) = token {
            self.insert(&revocation, revision);
        }
        for of in MARKS {
            let query = Query::all(Kind::Revocation).with(Field::Kind, Value::text(of.as_str()));
            let (marks, _) = all::<Revocation>(store, query).await?;
            for revocation in &marks {
                self.insert(revocation, revision);
            }
        }
        Ok(())
    }

    /// What a reader of the feed does not know yet, and how many entries there were.
    pub(crate) fn since(&self, since: Since) -> (Vec<Entry>, u64) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let entry = |(_, logged): (&u64, &Logged)| logged.entry.clone();
        let entries = match since {
            Since::Nothing => known.log.iter().map(entry).collect(),
            Since::Revision(from) => {
                known.log.iter().filter(|(_, logged)| logged.revision > from).map(entry).collect()
            }
            Since::Entry(count) => known.log.range(count.saturating_add(1)..).map(entry).collect(),
        };
        (entries, known.count)
    }

    /// Waits until there were more entries than this.
    pub(crate) async fn more_than(&self, count: u64) {
        // The sender lives as long as this does.
        let _ = self.newest.subscribe().wait_for(|newest| *newest > count).await;
    }
}

impl Known {
    /// What this process itself checks. All else follows from what it reads of clients, secrets and tenants.
    fn enforce(&mut self, revocation: &Revocation) {
        let Revocation { of, name, before, expires_at, .. } = revocation;
        match before {
            _ if *of == Of::Jti => {
                self.tokens.insert(name.clone(), *expires_at);
            }
            Some(at) if MARKS.contains(of) => {
                let mark = self.before.entry(of.subject(name)).or_insert(*at);
                *mark = (*mark).max(*at);
            }
            _ => {}
        }
    }

    fn is_marked(&self, of: Of, name: &str, issued_millis: i64) -> bool {
        // Nearly always there is nothing to look up.
        !self.before.is_empty()
            && self.before.get(&of.subject(name)).is_some_and(|at| issued_millis <= at.unix_millis())
    }
}

#[cfg(test)]
mod tests {
    use keyward_model::{Id, Meta, SeededRandom};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    fn revocation(of: Of, before: Option<i64>) -> Revocation {
        let meta = Meta::new(Id::generate(at(1), &SeededRandom::new(1)), at(1));
        Revocation { meta, of, name: "acme.crm".to_owned(), before: before.map(at), expires_at: at(9_000) }
    }

    fn told(revocations: &[Revocation]) -> Vec<Option<i64>> {
        let revoked = Revoked { known: RwLock::default(), newest: watch::Sender::new(0) };
        for revocation in revocations {
            revoked.insert(revocation, 1);
        }
        revoked.since(Since::Nothing).0.iter().map(|entry| entry.before).collect()
    }

    #[test]
    fn later_entries_replace_earlier_ones() {
        let disabled = revocation(Of::Client, None);
        assert_eq!(told(&[disabled.clone(), revocation(Of::Client, Some(5))]), [Some(5)], "it came back");
        assert_eq!(told(&[revocation(Of::Client, Some(5)), disabled]), [None]);
    }

    #[test]
    fn what_somebody_says_brings_nothing_back() {
        let said = revocation(Of::ClientTokens, Some(5));
        assert_eq!(told(&[revocation(Of::Client, None), said.clone()]), [None]);
        assert_eq!(told(&[revocation(Of::Client, Some(7)), said.clone()]), [Some(7)]);
        assert_eq!(told(&[revocation(Of::Client, Some(3)), said]), [Some(5)]);
    }

    #[test]
    fn a_reader_gets_what_it_does_not_know() {
        let revoked = Revoked { known: RwLock::default(), newest: watch::Sender::new(0) };
        revoked.insert(&revocation(Of::Client, Some(5)), 10);
        let (_, count) = revoked.since(Since::Nothing);
        assert!(revoked.since(Since::Entry(count)).0.is_empty());
        revoked.insert(&revocation(Of::Tenant, None), 11);
        assert_eq!(revoked.since(Since::Entry(count)).0.len(), 1);
        assert_eq!(revoked.since(Since::Revision(10)).0.len(), 1);
        assert_eq!(revoked.since(Since::Revision(9)).0.len(), 2);
        revoked.forget_expired(at(9_000));
        assert!(revoked.since(Since::Nothing).0.is_empty());
    }
}
