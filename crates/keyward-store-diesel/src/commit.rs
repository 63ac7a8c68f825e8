//! Writing: everything or nothing.

use std::collections::HashMap;

use diesel::QueryResult;
use keyward_model::{AnyId, Record};
use keyward_store::{Change, Put, Revision, StoreError, TakenKey, Ticket, TicketKey};

use crate::{
    connection::Conn,
    dialect,
    error::Failure,
    feed, guard, log,
    records::{Table, table, write},
    row::{FromRow, Row},
    select::holder,
    sql::{Bind, join, sql},
};

/// A record's version and whether it is deleted.
struct Stand {
    version: i64,
    is_deleted: bool,
}

impl FromRow for Stand {
    fn from_row(row: &dyn Row) -> diesel::deserialize::Result<Self> {
        Ok(Self { version: row.int("version")?, is_deleted: row.time_opt("deleted_at")?.is_some() })
    }
}

/// Writes the whole change in one transaction.
pub(crate) fn commit(conn: &mut Conn, change: &Change) -> Result<Revision, Failure> {
    dialect::write(conn, |conn| {
        guard::lock(conn, &change.guards)?;
        consume(conn, &change.consume)?;
        let mut stands = lock(conn, change)?;
        for (id, version) in &change.expect {
            let holds = stands.get(id).is_some_and(|stand| stand.version == *version && !stand.is_deleted);
            require(holds)?;
        }
        create_tickets(conn, &change.tickets)?;
        for Put { record, replaces } in &change.puts {
            // A change may write a record more than once: each version replaces the one before it.
            let next = Stand { version: record.version(), is_deleted: record.deleted_at().is_some() };
            let had = stands.insert(record.id(), next);
            require(had.map(|stand| stand.version) == *replaces)?;
        }
        for put in &change.puts {
            put_record(conn, put)?;
        }
        guard::check(conn, &change.guards)?;
        if let Some(batch) = &change.usage {
            log::add_usage(conn, batch)?;
        }
        log::append(conn, &change.events)?;
        // Last, because it holds up all other commits until this one is through.
        feed::advance(conn, &change.puts)
    })
}

pub(crate) fn require(holds: bool) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(StoreError::Stale.into()) }
}

/// Where all records stand that the change relies on, none of which can move until the transaction ends. Always locked
/// in the same order, so that changes do not wait for each other in a circle.
fn lock(conn: &mut Conn, change: &Change) -> QueryResult<HashMap<AnyId, Stand>> {
    let expected = change.expect.iter().map(|(id, _)| *id);
    let mut ids: Vec<AnyId> = expected.chain(change.puts.iter().map(|put| put.record.id())).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut stands = HashMap::with_capacity(ids.len());
    for id in ids {
        let Some(table) = table(id.kind) else { continue };
        let locked =
            sql("SELECT version, deleted_at FROM ").sql(table.name).sql(" WHERE id = ").bind(Bind::id(id));
        if let Some(stand) = locked.sql(dialect::for_update(conn)).row(conn)? {
            stands.insert(id, stand);
        }
    }
    Ok(stands)
}

fn consume(conn: &mut Conn, keys: &[TicketKey]) -> Result<(), Failure> {
    for TicketKey { namespace, key } in keys {
        let deleted = sql("DELETE FROM tickets WHERE namespace = ")
            .bind(Bind::text(namespace))
            .sql(" AND key = ")
            .bind(Bind::text(key))
            .run(conn)?;
        require(deleted == 1)?;
    }
    Ok(())
}

fn create_tickets(conn: &mut Conn, tickets: &[Ticket]) -> Result<(), Failure> {
    for Ticket { key, value, expires_at } in tickets {
        let columns = [
            Bind::text(&key.namespace),
            Bind::text(&key.key),
            Bind::text(value),
            Bind::time_opt(*expires_at),
        ];
        let created = sql("INSERT INTO tickets (namespace, key, value, expires_at) VALUES (")
            .binds(columns)
            .sql(") ON CONFLICT DO NOTHING")
            .run(conn)?;
        if created == 0 {
            return Err(StoreError::Taken(TakenKey::Ticket(key.clone())).into());
        }
    }
    Ok(())
}

/// Writes a record whose version was checked. Its keys are looked up first, because a violated index does not say which
/// key it was; what gets in between violates the index, and the whole change is tried again.
fn put_record(conn: &mut Conn, Put { record, replaces }: &Put) -> Result<(), Failure> {
    let id = record.id();
    let Some(table) = table(id.kind) else { return Ok(()) };
    if record.deleted_at().is_none() {
        for key in record.keys() {
            if holder(conn, &key)?.is_some_and(|holder| holder != id.to_string()) {
                return Err(StoreError::Taken(TakenKey::Record(key)).into());
            }
        }
    }
    match replaces {
        None => insert(conn, table, record)?,
        Some(_) => update(conn, table, record)?,
    }
    Ok(())
}

fn insert(conn: &mut Conn, table: &Table, record: &Record) -> QueryResult<()> {
    let columns = join(table.all_columns().map(sql), ", ");
    let into = sql("INSERT INTO ").sql(table.name).sql(" (").append(columns);
    into.sql(") VALUES (").binds(write(table, record)).sql(")").run(conn)?;
    Ok(())
}

fn update(conn: &mut Conn, table: &Table, record: &Record) -> QueryResult<()> {
    let pairs = table.all_columns().zip(write(table, record));
    let assign = pairs.map(|(column, value)| sql(column).sql(" = ").bind(value));
    let updated = sql("UPDATE ").sql(table.name).sql(" SET ").append(join(assign, ", "));
    updated.sql(" WHERE id = ").bind(Bind::id(record.id())).run(conn)?;
    Ok(())
}
