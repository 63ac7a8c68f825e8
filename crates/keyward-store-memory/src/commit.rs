//! Writing: everything or nothing.

use std::collections::HashMap;

use keyward_model::{AnyId, ChainHead, ChainedEvent, Record, Usage};
use keyward_store::{Change, Guard, Put, Revision, StoreError, TakenKey, UsageBatch};

use crate::{data::Data, select};

impl Data {
    /// Writes everything in the change, or nothing.
    pub(crate) fn commit(&mut self, change: Change) -> Result<Revision, StoreError> {
        self.check_tickets_and_versions(&change)?;
        let ids: Vec<AnyId> = change.puts.iter().map(|put| put.record.id()).collect();
        let mut undo = Vec::with_capacity(change.puts.len());
        let put = self.put_all(change.puts, &mut undo);
        let guarded = put.and_then(|()| self.check_guards(&change.guards));
        let checked = guarded.and_then(|()| self.check_log(change.usage.as_ref(), &change.events));
        if let Err(error) = checked {
            self.undo(undo);
            return Err(error);
        }
        for key in &change.consume {
            self.tickets.remove(key);
        }
        self.tickets.extend(change.tickets.into_iter().map(|ticket| (ticket.key.clone(), ticket)));
        if let Some(batch) = change.usage {
            self.add_usage(batch);
        }
        self.append(change.events);
        if !ids.is_empty() {
            self.revision += 1;
            self.changes.extend(ids.into_iter().map(|id| (self.revision, id)));
        }
        Ok(self.revision)
    }

    fn check_tickets_and_versions(&self, change: &Change) -> Result<(), StoreError> {
        let require = |holds: bool| if holds { Ok(()) } else { Err(StoreError::Stale) };
        for (index, key) in change.consume.iter().enumerate() {
            require(self.tickets.contains_key(key) && !change.consume[..index].contains(key))?;
        }
        for (id, version) in &change.expect {
            let live = self.records.get(id).filter(|record| record.deleted_at().is_none());
            require(live.map(Record::version) == Some(*version))?;
        }
        for (index, ticket) in change.tickets.iter().enumerate() {
            let exists = self.tickets.contains_key(&ticket.key) && !change.consume.contains(&ticket.key);
            if exists || change.tickets[..index].iter().any(|other| other.key == ticket.key) {
                return Err(StoreError::Taken(TakenKey::Ticket(ticket.key.clone())));
            }
        }
        // A change may write a record more than once: each version replaces the one before it.
        let mut versions = HashMap::new();
        for Put { record, replaces } in &change.puts {
            let stored = || self.records.get(&record.id()).map(Record::version);
            let version = versions.insert(record.id(), record.version()).or_else(stored);
            require(version == *replaces)?;
        }
        Ok(())
    }

    /// Puts one record after the other; each needs its keys when its turn comes. What was there before goes to `undo`.
    fn put_all(&mut self, puts: Vec<Put>, undo: &mut Vec<(AnyId, Option<Record>)>) -> Result<(), StoreError> {
        for Put { record, .. } in puts {
            let id = record.id();
            let wanted = if record.deleted_at().is_none() { record.keys() } else { Vec::new() };
            let taken = wanted.into_iter().find(|key| self.keys.get(key).is_some_and(|holder| *holder != id));
            if let Some(key) = taken {
                return Err(StoreError::Taken(TakenKey::Record(key)));
            }
            undo.push((id, self.put(record)));
        }
        Ok(())
    }

    fn undo(&mut self, undo: Vec<(AnyId, Option<Record>)>) {
        for (id, old) in undo.into_iter().rev() {
            match old {
                Some(old) => self.put(old),
                None => self.take(id),
            };
        }
    }

    /// Counts what there is now that all records are put.
    fn check_guards(&self, guards: &[Guard]) -> Result<(), StoreError> {
        let holds = |guard: &Guard| {
            let number = select::count(self, guard.kind, &guard.conditions);
            (guard.at_least..=guard.at_most).contains(&number)
        };
        if guards.iter().all(holds) { Ok(()) } else { Err(StoreError::Stale) }
    }

    fn check_log(&self, usage: Option<&UsageBatch>, events: &[ChainedEvent]) -> Result<(), StoreError> {
        if let Some(counted) = usage.and_then(|batch| batch.counted.as_ref()) {
            let usage_seq = self.chains.get(&counted.chain).map(|head| head.usage_seq);
            if usage_seq != Some(counted.from_seq) {
                return Err(StoreError::Stale);
            }
        }
        let Some(first) = events.first() else { return Ok(()) };
        let head = self.chains.get(&first.chain).map_or(0, |head| head.seq);
        let follow =
            events.iter().zip(head + 1..).all(|(event, seq)| event.chain == first.chain && event.seq == seq);
        if follow { Ok(()) } else { Err(StoreError::Stale) }
    }

    fn add_usage(&mut self, batch: UsageBatch) {
        if let Some(counted) = batch.counted
            && let Some(head) = self.chains.get_mut(&counted.chain)
        {
            head.usage_seq = counted.to_seq;
        }
        for row in batch.rows {
            let key = (row.subject, row.day, row.address.clone());
            let sum = match self.usage.remove(&key) {
                None => row,
                Some(old) => Usage {
                    count: old.count + row.count,
                    needed: old.needed + row.needed,
                    first_used_at: old.first_used_at.min(row.first_used_at),
                    last_used_at: old.last_used_at.max(row.last_used_at),
                    ..old
                },
            };
            self.usage.insert(key, sum);
        }
    }

    fn append(&mut self, events: Vec<ChainedEvent>) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
        let head = self.chains.entry(last.chain.clone()).or_insert_with(|| ChainHead {
            chain: first.chain.clone(),
            opened_at: first.event.occurred_at,
            updated_at: first.event.occurred_at,
            seq: 0,
            hash: [0; 32],
            usage_seq: 0,
        });
        (head.updated_at, head.seq, head.hash) = (last.event.occurred_at, last.seq, last.hash);
        self.events.extend(events);
    }
}
