//! The one way to write.

use keyward_model::{AnyId, ChainedEvent, Kind, Record, Timestamp, Usage};

use crate::Condition;

/// Everything that one commit writes: all of it or nothing.
///
/// Order of the checks: `consume`, `expect`, `tickets`, `puts` (versions, then keys), `guards`, `usage`, `events`. The
/// first that fails decides the error.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Records to write.
    pub puts: Vec<Put>,
    /// Records that must still have these versions, although they are not written: what the decision relied on.
    /// [`Stale`](crate::StoreError::Stale) otherwise, deleted ones included.
    pub expect: Vec<(AnyId, i64)>,
    /// How many records there must be once the puts are written; [`Stale`](crate::StoreError::Stale) otherwise.
    pub guards: Vec<Guard>,
    /// Tickets to create; [`Taken`](crate::StoreError::Taken) when one with the key exists, expired or not.
    pub tickets: Vec<Ticket>,
    /// Tickets to delete, each of which must exist; [`Stale`](crate::StoreError::Stale) otherwise.
    pub consume: Vec<TicketKey>,
    /// Events of the audit log: of one chain, in order, following its head without a gap.
    /// [`Stale`](crate::StoreError::Stale) when the chain's head is not where the first one follows.
    pub events: Vec<ChainedEvent>,
    /// Evidence of use.
    pub usage: Option<UsageBatch>,
}

/// A bound for how many records of a kind there may be: for limits, and for what must not vanish.
///
/// It counts what exists for [`Reach::Platform`](crate::Reach::Platform), the change's own puts included. Changes with
/// guards of the same kind and conditions are committed one after the other, so that each counts what the others wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The kind of record.
    pub kind: Kind,
    /// Which of them count: those that meet all of these.
    pub conditions: Vec<Condition>,
    /// How many there must be at least.
    pub at_least: u64,
    /// How many there may be at most.
    pub at_most: u64,
}

/// A record to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The record as it shall be, with its new version.
    pub record: Record,
    /// The version that it must have now: `None` when it must not exist yet.
    /// [`Stale`](crate::StoreError::Stale) otherwise.
    pub replaces: Option<i64>,
}

/// Something that exists once: a code, the result of an idempotent request, a mark in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its key.
    pub key: TicketKey,
    /// What it stands for.
    pub value: String,
    /// When it ceases to exist; `None` means never.
    pub expires_at: Option<Timestamp>,
}

/// The key of a [`Ticket`]. Namespaces keep tickets of different uses apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketKey {
    /// The use.
    pub namespace: String,
    /// The key within it.
    pub key: String,
}

impl TicketKey {
    /// A key within a namespace.
    pub fn new(namespace: impl Into<String>, key: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), key: key.into() }
    }
}

/// Evidence of use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageBatch {
    /// The part of a chain of events that it was counted from, if it was.
    pub counted: Option<Counted>,
    /// What to add to what there is of the same credential, day and address: counts are added, `first_used_at` is kept
    /// when older, `last_used_at` when younger.
    pub rows: Vec<Usage>,
}

/// The part of a chain whose events were counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The chain.
    pub chain: String,
    /// Up to which number it had been counted; [`Stale`](crate::StoreError::Stale) when that is no longer so.
    pub from_seq: i64,
    /// Up to which number it is counted now.
    pub to_seq: i64,
}

impl Change {
    /// Adds a record that does not exist yet.
    #[must_use]
    pub fn create(mut self, record: impl Into<Record>) -> Self {
        self.puts.push(Put { record: record.into(), replaces: None });
        self
    }

    /// Adds a new version of a record; `replaces` is the version that was read.
    #[must_use]
    pub fn replace(mut self, replaces: i64, record: impl Into<Record>) -> Self {
        self.puts.push(Put { record: record.into(), replaces: Some(replaces) });
        self
    }

    /// Whether it would write nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty()
            && self.tickets.is_empty()
            && self.consume.is_empty()
            && self.events.is_empty()
            && self.usage.is_none()
    }
}
