//! Writing: everything or nothing.

use std::collections::HashMap;

use keyward_model::{AnyId, ChainHead, ChainedEvent, Reach, Record, Timestamp, Usage};
use keyward_store::{
    Change, Counted, Guard, Put, Revision, StoreError, TakenKey, Ticket, TicketKey, UsageBatch,
};
use redb::{ReadableTable, WriteTransaction};

use crate::{
    data::{
        CHAINS, CHANGES, EVENTS, Fallible, KEYS, LINKS, NUMBERS, RECORDS, REVISION, Records, TICKETS, USAGE,
        decode, encode, key_text, number,
    },
    select::meets,
};

/// Checks and writes one after the other, in the port's order: what fails takes all before it along, for the
/// transaction is not committed then. There is one transaction that writes at a time, so that guards hold.
pub(crate) fn commit(transaction: &WriteTransaction, change: &Change) -> Fallible<Revision> {
    consume(transaction, &change.consume)?;
    expect(transaction, &change.expect)?;
    create_tickets(transaction, &change.tickets)?;
    check_versions(transaction, &change.puts)?;
    put(transaction, &change.puts)?;
    check_guards(transaction, &change.guards)?;
    if let Some(batch) = &change.usage {
        add_usage(transaction, batch)?;
    }
    append(transaction, &change.events)?;
    note_changes(transaction, &change.puts)
}

fn require(holds: bool) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::Stale) }
}

fn consume(transaction: &WriteTransaction, keys: &[TicketKey]) -> Fallible<()> {
    let mut tickets = transaction.open_table(TICKETS)?;
    for TicketKey { namespace, key } in keys {
        require(tickets.remove((namespace.as_str(), key.as_str()))?.is_some())?;
    }
    Ok(())
}

fn expect(transaction: &WriteTransaction, expected: &[(AnyId, i64)]) -> Fallible<()> {
    let records = transaction.open_table(RECORDS)?;
    for (id, version) in expected {
        let live = records.record(*id)?.filter(|record| record.deleted_at().is_none());
        require(live.is_some_and(|record| record.version() == *version))?;
    }
    Ok(())
}

fn create_tickets(transaction: &WriteTransaction, created: &[Ticket]) -> Fallible<()> {
    let mut tickets = transaction.open_table(TICKETS)?;
    for Ticket { key, value, expires_at } in created {
        let row = (value.as_str(), expires_at.map(Timestamp::unix_millis));
        if tickets.insert((key.namespace.as_str(), key.key.as_str()), row)?.is_some() {
            return Err(StoreError::Taken(TakenKey::Ticket(key.clone())).into());
        }
    }
    Ok(())
}

/// A change may write a record more than once: each version replaces the one before it.
fn check_versions(transaction: &WriteTransaction, puts: &[Put]) -> Fallible<()> {
    let records = transaction.open_table(RECORDS)?;
    let mut written = HashMap::new();
    for Put { record, replaces } in puts {
        let id = record.id();
        let version = match written.insert(id, record.version()) {
            None => records.record(id)?.map(|stored| stored.version()),
            earlier => earlier,
        };
        require(version == *replaces)?;
    }
    Ok(())
}

/// Puts one record after the other; each needs its keys when its turn comes, and gives up those that it had.
fn put(transaction: &WriteTransaction, puts: &[Put]) -> Fallible<()> {
    let (mut records, mut keys) = (transaction.open_table(RECORDS)?, transaction.open_table(KEYS)?);
    // A deleted record holds no keys: they may be somebody else's by now.
    let held = |record: &Record| if record.deleted_at().is_none() { record.keys() } else { Vec::new() };
    for Put { record, .. } in puts {
        let id = record.id();
        for key in records.record(id)?.iter().flat_map(held) {
            keys.remove(key_text(&key)?.as_str())?;
        }
        for key in held(record) {
            if keys.insert(key_text(&key)?.as_str(), id.to_string().as_str())?.is_some() {
                return Err(StoreError::Taken(TakenKey::Record(key)).into());
            }
        }
        let document = encode(record)?;
        // One that can't be read would make every list of its kind fail.
        if decode::<Record>(&document)? != *record {
            return Err("a record that would not be read as it is written".into());
        }
        records.insert(id.to_string().as_str(), document.as_slice())?;
    }
    Ok(())
}

/// Counts what there is now that all records are put.
fn check_guards(transaction: &WriteTransaction, guards: &[Guard]) -> Fallible<()> {
    let records = transaction.open_table(RECORDS)?;
    for Guard { kind, conditions, at_least, at_most } in guards {
        let is_counted =
            |record: &Record| Ok(meets(record, conditions) && records.is_visible(&Reach::Platform, record)?);
        let number = records.select(*kind, is_counted)?.len() as u64;
        require((*at_least..=*at_most).contains(&number))?;
    }
    Ok(())
}

fn head(
    chains: &impl ReadableTable<&'static str, &'static [u8]>,
    chain: &str,
) -> Fallible<Option<ChainHead>> {
    chains.get(chain)?.map(|stored| decode(stored.value())).transpose()
}

fn add_usage(transaction: &WriteTransaction, batch: &UsageBatch) -> Fallible<()> {
    let (mut chains, mut usage) = (transaction.open_table(CHAINS)?, transaction.open_table(USAGE)?);
    if let Some(Counted { chain, from_seq, to_seq }) = &batch.counted {
        let counted = head(&chains, chain)?.filter(|head| head.usage_seq == *from_seq);
        let head = ChainHead { usage_seq: *to_seq, ..counted.ok_or(StoreError::Stale)? };
        chains.insert(chain.as_str(), encode(&head)?.as_slice())?;
    }
    for row in &batch.rows {
        let (subject, day) = (row.subject.to_string(), row.day.to_string());
        let key = (subject.as_str(), day.as_str(), row.address.as_str());
        let old: Option<Usage> = usage.get(key)?.map(|stored| decode(stored.value())).transpose()?;
        let sum = old.map_or_else(|| row.clone(), |old| sum(old, row));
        usage.insert(key, encode(&sum)?.as_slice())?;
    }
    Ok(())
}

fn sum(old: Usage, more: &Usage) -> Usage {
    Usage {
        count: old.count + more.count,
        needed: old.needed + more.needed,
        first_used_at: old.first_used_at.min(more.first_used_at),
        last_used_at: old.last_used_at.max(more.last_used_at),
        ..old
    }
}

fn append(transaction: &WriteTransaction, new: &[ChainedEvent]) -> Fallible<()> {
    let (Some(first), Some(last)) = (new.first(), new.last()) else { return Ok(()) };
    let (mut events, mut links) = (transaction.open_table(EVENTS)?, transaction.open_table(LINKS)?);
    let mut chains = transaction.open_table(CHAINS)?;
    let mut head = head(&chains, &first.chain)?.unwrap_or_else(|| ChainHead {
        chain: first.chain.clone(),
        opened_at: first.event.occurred_at,
        updated_at: first.event.occurred_at,
        seq: 0,
        hash: [0; 32],
        usage_seq: 0,
    });
    for (chained, seq) in new.iter().zip(head.seq + 1..) {
        require(chained.chain == first.chain && chained.seq == seq)?;
        let id = chained.event.id.uuid().as_u128();
        if events.insert(id, encode(chained)?.as_slice())?.is_some() {
            return Err("there is an event with this id".into());
        }
        links.insert((chained.chain.as_str(), seq), id)?;
    }
    (head.updated_at, head.seq, head.hash) = (last.event.occurred_at, last.seq, last.hash);
    chains.insert(first.chain.as_str(), encode(&head)?.as_slice())?;
    Ok(())
}

/// The next revision, when records were put, and the feed of what it changed.
fn note_changes(transaction: &WriteTransaction, puts: &[Put]) -> Fallible<Revision> {
    let mut numbers = transaction.open_table(NUMBERS)?;
    let revision = number(&numbers, REVISION)? + i64::from(!puts.is_empty());
    numbers.insert(REVISION, revision)?;
    let mut changes = transaction.open_table(CHANGES)?;
    for (Put { record, .. }, index) in puts.iter().zip(0..) {
        changes.insert((revision, index), record.id().to_string().as_str())?;
    }
    Ok(revision)
}
