//! What changed when: the memory by which cached entries learn that they are out of date.

use std::{
    collections::HashMap,
    sync::{
        RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use keyward_model::{AnyId, Kind};

/// How many changed records are remembered one by one; beyond that all entries made before count as out of date.
const REMEMBERED: usize = 50_000;

/// Counts changes. An entry remembers the count at which its reading began; it is out of date when anything that it
/// was made of changed later.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    now: AtomicU64,
    changed: RwLock<Changed>,
}

#[derive(Debug, Default)]
struct Changed {
    records: HashMap<AnyId, u64>,
    kinds: HashMap<Kind, u64>,
    everything: u64,
}

/// What an entry was made of, and when.
#[derive(Debug)]
pub(crate) struct Made {
    /// The count when its reading began.
    pub(crate) at: u64,
    /// The records that it was made of.
    pub(crate) of: Vec<AnyId>,
    /// The kinds of which any record matters.
    pub(crate) of_kinds: Vec<Kind>,
    /// The count at which it was last found to be up to date.
    pub(crate) checked: AtomicU64,
}

impl Stamps {
    /// The present count, to be taken before reading what an entry is made of.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }

    /// Notes that these records changed.
    pub(crate) fn record(&self, ids: &[AnyId]) {
        if ids.is_empty() {
            return;
        }
        let mut changed = self.changed.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The count grows under the lock and only after the change is visible in storage, so that an entry whose
        // reading began at the new count has seen it.
        let now = self.now.load(Ordering::Acquire) + 1;
        if changed.records.len() + ids.len() > REMEMBERED {
            changed.records.clear();
            changed.everything = now;
        }
        for id in ids {
            changed.records.insert(*id, now);
            changed.kinds.insert(id.kind, now);
        }
        self.now.store(now, Ordering::Release);
    }

    /// Notes that anything may have changed.
    pub(crate) fn record_everything(&self) {
        let mut changed = self.changed.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.now.load(Ordering::Acquire) + 1;
        changed.records.clear();
        changed.everything = now;
        self.now.store(now, Ordering::Release);
    }

    /// Whether nothing that the entry was made of changed since. One comparison when nothing at all did.
    pub(crate) fn is_current(&self, made: &Made) -> bool {
        let now = self.now();
        if made.checked.load(Ordering::Acquire) == now {
            return true;
        }
        let changed = self.changed.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let untouched = |at: Option<&u64>| at.is_none_or(|at| *at <= made.at);
        let current = changed.everything <= made.at
            && made.of.iter().all(|id| untouched(changed.records.get(id)))
            && made.of_kinds.iter().all(|kind| untouched(changed.kinds.get(kind)));
        if current {
            made.checked.store(now, Ordering::Release);
        }
        current
    }
}

impl Made {
    /// Something made of nothing yet, from readings that begin at this count.
    pub(crate) fn at(at: u64) -> Self {
        Self { at, of: Vec::new(), of_kinds: Vec::new(), checked: AtomicU64::new(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: Kind, last: u8) -> AnyId {
        format!("{}_0000000000000000000000000{last}", kind.prefix()).parse().unwrap()
    }

    #[test]
    fn only_what_an_entry_was_made_of_outdates_it() {
        let stamps = Stamps::default();
        let (role, other) = (id(Kind::Role, 1), id(Kind::Role, 2));
        let entry = Made { of: vec![role], of_kinds: vec![Kind::Permission], ..Made::at(stamps.now()) };
        stamps.record(&[other]);
        assert!(stamps.is_current(&entry));
        stamps.record(&[role]);
        assert!(!stamps.is_current(&entry));
        let entry = Made { of_kinds: vec![Kind::Permission], ..Made::at(stamps.now()) };
        assert!(stamps.is_current(&entry));
        stamps.record(&[id(Kind::Permission, 3)]);
        assert!(!stamps.is_current(&entry));
    }

    #[test]
    fn a_change_during_reading_outdates_the_entry() {
        let stamps = Stamps::default();
        let began = stamps.now();
        stamps.record(&[id(Kind::Tenant, 1)]);
        let entry = Made { of: vec![id(Kind::Tenant, 1)], ..Made::at(began) };
        assert!(!stamps.is_current(&entry));
    }

    #[test]
    fn forgetting_outdates_everything_made_before() {
        let stamps = Stamps::default();
        let entry = Made::at(stamps.now());
        stamps.record_everything();
        assert!(!stamps.is_current(&entry));
        assert!(stamps.is_current(&Made::at(stamps.now())));
    }
}
