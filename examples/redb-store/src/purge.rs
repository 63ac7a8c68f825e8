//! Removing what is over.

use keyward_model::{Kind, Record, Timestamp};
use redb::{ReadableTableMetadata, WriteTransaction};

use crate::data::{
    CHANGES, FEED_FROM, Fallible, KEYS, NUMBERS, RECORDS, REVISION, Records, TICKETS, key_text, number,
};

/// How many revisions the change feed looks back at least, after a purge.
const FEED_REVISIONS: i64 = 10_000;

/// Removes what expired before this moment, and changes that are too old for the feed. Returns how many.
pub(crate) fn purge(transaction: &WriteTransaction, before: Timestamp) -> Fallible<u64> {
    let (tickets, revocations) = (tickets(transaction, before)?, revocations(transaction, before)?);
    Ok(tickets + revocations + changes(transaction)?)
}

fn tickets(transaction: &WriteTransaction, before: Timestamp) -> Fallible<u64> {
    let mut tickets = transaction.open_table(TICKETS)?;
    let had = tickets.len()?;
    tickets.retain(|_, (_, expires_at)| expires_at.is_none_or(|at| at >= before.unix_millis()))?;
    Ok(had - tickets.len()?)
}

/// Removes revocations as if they had never been, their keys included.
fn revocations(transaction: &WriteTransaction, before: Timestamp) -> Fallible<u64> {
    let (mut records, mut keys) = (transaction.open_table(RECORDS)?, transaction.open_table(KEYS)?);
    let is_over = |record: &Record| matches!(record, Record::Revocation(it) if it.expires_at < before);
    let over = records.select(Kind::Revocation, |record| Ok(is_over(record)))?;
    for record in &over {
        records.remove(record.id().to_string().as_str())?;
        // A deleted one has lost its keys before.
        for key in record.keys().into_iter().filter(|_| record.deleted_at().is_none()) {
            keys.remove(key_text(&key)?.as_str())?;
        }
    }
    Ok(over.len() as u64)
}

fn changes(transaction: &WriteTransaction) -> Fallible<u64> {
    let mut numbers = transaction.open_table(NUMBERS)?;
    let feed_from = number(&numbers, FEED_FROM)?.max(number(&numbers, REVISION)? - FEED_REVISIONS);
    numbers.insert(FEED_FROM, feed_from)?;
    let mut changes = transaction.open_table(CHANGES)?;
    let had = changes.len()?;
    changes.retain_in(..=(feed_from, u64::MAX), |_, _| false)?;
    Ok(had - changes.len()?)
}
