//! What is stored, and who can see it.

use std::collections::{BTreeMap, HashMap};

use keyward_model::{
    AnyId, ChainHead, ChainedEvent, Id, Owner, Partner, Reach, Record, Tenant, Timestamp, UniqueKey, Usage,
};
use keyward_store::{Revision, Ticket, TicketKey};

/// How many revisions the change feed looks back at least, after a purge.
const FEED_REVISIONS: i64 = 10_000;

/// Everything.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// All records, deleted ones included.
    pub(crate) records: BTreeMap<AnyId, Record>,
    /// Which record holds a key; deleted ones hold none.
    pub(crate) keys: HashMap<UniqueKey, AnyId>,
    pub(crate) tickets: HashMap<TicketKey, Ticket>,
    /// In the order in which they were written.
    pub(crate) events: Vec<ChainedEvent>,
    pub(crate) chains: BTreeMap<String, ChainHead>,
    /// By credential, day and address.
    pub(crate) usage: BTreeMap<(AnyId, chrono::NaiveDate, String), Usage>,
    pub(crate) revision: Revision,
    /// Oldest first.
    pub(crate) changes: Vec<(Revision, AnyId)>,
    /// The oldest revision since which all changes are kept.
    pub(crate) feed_from: Revision,
}

impl Data {
    /// Whether the record exists for this reach.
    pub(crate) fn is_visible(&self, reach: &Reach, record: &Record) -> bool {
        let owner = record.owner();
        let partner_of_tenant = owner.tenant().and_then(|id| self.partner_of(id));
        let is_gone = match owner {
            Owner::Platform | Owner::Everyone => false,
            Owner::Partner(partner) => self.is_deleted(partner.any()),
            Owner::Tenant(tenant) => {
                self.is_deleted(tenant.any())
                    || partner_of_tenant.is_some_and(|partner| self.is_deleted(partner.any()))
            }
        };
        record.deleted_at().is_none() && !is_gone && reach.covers(owner, partner_of_tenant)
    }

    fn is_deleted(&self, id: AnyId) -> bool {
        self.records.get(&id).is_some_and(|record| record.deleted_at().is_some())
    }

    fn partner_of(&self, tenant: Id<Tenant>) -> Option<Id<Partner>> {
        match self.records.get(&tenant.any()) {
            Some(Record::Tenant(tenant)) => tenant.partner_id,
            _ => None,
        }
    }

    /// Stores a record in the place of the one with its id; returns that one.
    pub(crate) fn put(&mut self, record: Record) -> Option<Record> {
        let id = record.id();
        let old = self.take(id);
        if record.deleted_at().is_none() {
            self.keys.extend(record.keys().into_iter().map(|key| (key, id)));
        }
        self.records.insert(id, record);
        old
    }

    /// Removes a record as if it had never been.
    pub(crate) fn take(&mut self, id: AnyId) -> Option<Record> {
        let old = self.records.remove(&id)?;
        for key in old.keys() {
            if self.keys.get(&key) == Some(&id) {
                self.keys.remove(&key);
            }
        }
        Some(old)
    }

    /// Removes what expired before this moment, and changes that are too old for the feed.
    pub(crate) fn purge(&mut self, before: Timestamp) -> u64 {
        let size = |data: &Self| data.tickets.len() + data.records.len() + data.changes.len();
        let had = size(self);
        self.tickets.retain(|_, ticket| ticket.expires_at.is_none_or(|at| at >= before));
        let is_over = |record: &&Record| matches!(record, Record::Revocation(it) if it.expires_at < before);
        let over: Vec<AnyId> = self.records.values().filter(is_over).map(Record::id).collect();
        for id in over {
            self.take(id);
        }
        self.feed_from = self.feed_from.max(self.revision - FEED_REVISIONS);
        self.changes.retain(|(at, _)| *at > self.feed_from);
        (had - size(self)) as u64
    }
}
