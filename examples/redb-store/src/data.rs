//! What is stored, in which form, and who can see it.

use std::error::Error;

use keyward_model::{AnyId, Kind, Owner, Reach, Record, UniqueKey};
use keyward_store::{Revision, StoreError};
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};

/// A table whose rows are JSON.
pub(crate) type Documents<K> = TableDefinition<'static, K, &'static [u8]>;

/// All records by id, deleted ones included. An id begins with its kind, so that the records of a kind are neighbours.
pub(crate) const RECORDS: Documents<&str> = TableDefinition::new("records");
/// Which record holds a key; deleted ones hold none.
pub(crate) const KEYS: TableDefinition<&str, &str> = TableDefinition::new("keys");
/// Values and moments of expiry by namespace and key.
pub(crate) const TICKETS: TableDefinition<(&str, &str), (&str, Option<i64>)> =
    TableDefinition::new("tickets");
/// The heads of the audit log's chains by name.
pub(crate) const CHAINS: Documents<&str> = TableDefinition::new("chains");
/// Events by id: in the order of time.
pub(crate) const EVENTS: Documents<u128> = TableDefinition::new("events");
/// The ids of events by chain and number.
pub(crate) const LINKS: TableDefinition<(&str, i64), u128> = TableDefinition::new("links");
/// Evidence of use by credential and address.
pub(crate) const USAGE: Documents<(&str, &str, &str)> = TableDefinition::new("usage");
/// The ids of records that a revision wrote, numbered.
pub(crate) const CHANGES: TableDefinition<(Revision, u64), &str> = TableDefinition::new("changes");
/// [`REVISION`] and [`FEED_FROM`].
pub(crate) const NUMBERS: TableDefinition<&str, i64> = TableDefinition::new("numbers");

/// The newest revision.
pub(crate) const REVISION: &str = "revision";
/// The oldest revision since which all changes are kept.
pub(crate) const FEED_FROM: &str = "feed_from";

/// What may fail, for a reason of the port or of the database.
pub(crate) type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What the port says about a failure: its own errors as they are, everything else is the database's.
pub(crate) fn store_error(error: Box<dyn Error + Send + Sync>) -> StoreError {
    error.downcast::<StoreError>().map_or_else(StoreError::unavailable, |known| *known)
}

/// Makes the tables that there are not yet: only then can they be read.
pub(crate) fn create_tables(transaction: &WriteTransaction) -> Fallible<()> {
    transaction.open_table(RECORDS)?;
    transaction.open_table(KEYS)?;
    transaction.open_table(TICKETS)?;
    transaction.open_table(CHAINS)?;
    transaction.open_table(EVENTS)?;
    transaction.open_table(LINKS)?;
    transaction.open_table(USAGE)?;
    transaction.open_table(CHANGES)?;
    transaction.open_table(NUMBERS)?;
    Ok(())
}

pub(crate) fn encode(value: &impl Serialize) -> Fallible<Vec<u8>> {
    Ok(serde_json::to_vec(value)?)
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Fallible<T> {
    Ok(serde_json::from_slice(bytes)?)
}

/// A key as text: its kind, and whatever makes it unique within that.
pub(crate) fn key_text(key: &UniqueKey) -> Fallible<String> {
    Ok(serde_json::to_string(key)?)
}

/// One of the numbers, 0 at first.
pub(crate) fn number(numbers: &impl ReadableTable<&'static str, i64>, name: &str) -> Fallible<i64> {
    Ok(numbers.get(name)?.map_or(0, |stored| stored.value()))
}

/// Reads records, in a transaction that only reads or in one that writes.
pub(crate) trait Records: ReadableTable<&'static str, &'static [u8]> {
    /// The record with this id, deleted or not.
    fn record(&self, id: AnyId) -> Fallible<Option<Record>> {
        self.get(id.to_string().as_str())?.map(|stored| decode(stored.value())).transpose()
    }

    /// The record with this id, if it exists for this reach.
    fn visible(&self, reach: &Reach, id: AnyId) -> Fallible<Option<Record>> {
        let Some(record) = self.record(id)? else { return Ok(None) };
        Ok(self.is_visible(reach, &record)?.then_some(record))
    }

    /// Whether the record exists for this reach: neither it nor what it belongs to is deleted, and the reach covers it.
    fn is_visible(&self, reach: &Reach, record: &Record) -> Fallible<bool> {
        let is_gone = |record: &Record| record.deleted_at().is_some();
        if is_gone(record) {
            return Ok(false);
        }
        let owner = record.owner();
        let tenant = owner.tenant().map(|id| self.record(id.any())).transpose()?.flatten();
        let partner_of_tenant = if let Some(Record::Tenant(it)) = &tenant { it.partner_id } else { None };
        let partner_id = if let Owner::Partner(id) = owner { Some(id) } else { partner_of_tenant };
        let partner = partner_id.map(|id| self.record(id.any())).transpose()?.flatten();
        let above_is_gone = [tenant, partner].iter().flatten().any(is_gone);
        Ok(!above_is_gone && reach.covers(owner, partner_of_tenant))
    }

    /// The records of a kind that pass a test, in the order of their ids. It reads all of the kind.
    fn select(&self, kind: Kind, test: impl Fn(&Record) -> Fallible<bool>) -> Fallible<Vec<Record>> {
        // In ASCII, the grave accent follows the underscore.
        let (from, to) = (format!("{}_", kind.prefix()), format!("{}`", kind.prefix()));
        let mut selected = Vec::new();
        for entry in self.range(from.as_str()..to.as_str())? {
            let record = decode(entry?.1.value())?;
            if test(&record)? {
                selected.push(record);
            }
        }
        Ok(selected)
    }
}

impl<T: ReadableTable<&'static str, &'static [u8]>> Records for T {}
