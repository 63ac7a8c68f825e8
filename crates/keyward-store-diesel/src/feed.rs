//! The revision, the change feed, and what goes when its time has come.

use diesel::QueryResult;
use keyward_model::{AnyId, Timestamp};
use keyward_store::{Feed, Put, Revision, Ticket, TicketKey};

use crate::{
    connection::Conn,
    dialect,
    error::Failure,
    row::{FromRow, Row},
    select::is_unstorable,
    sql::{Bind, Statement, sql},
};

/// How many revisions the change feed looks back at least, after a purge.
const FEED_REVISIONS: i64 = 10_000;

struct InsertChange;

impl Statement for InsertChange {
    const HEAD: &'static str = "INSERT INTO changes (revision, record_id) VALUES ";
    // A record that was written twice changed once.
    const TAIL: &'static str = " ON CONFLICT DO NOTHING";
}

/// The newest revision.
pub(crate) fn revision(conn: &mut Conn) -> QueryResult<Revision> {
    let newest = sql("SELECT revision AS number FROM keyward_state WHERE id = 1").row(conn)?;
    newest.ok_or(diesel::result::Error::NotFound)
}

/// Makes a new revision of these records, if there are any; returns the newest. The row of the revision stays locked
/// until the transaction ends, so revisions become visible in their order.
pub(crate) fn advance(conn: &mut Conn, puts: &[Put]) -> Result<Revision, Failure> {
    if puts.is_empty() {
        return Ok(revision(conn)?);
    }
    sql("UPDATE keyward_state SET revision = revision + 1 WHERE id = 1").run(conn)?;
    let revision = revision(conn)?;
    let rows = puts.iter().map(|put| vec![Bind::Int(revision), Bind::id(put.record.id())]);
    dialect::insert::<InsertChange>(conn, rows)?;
    dialect::announce(conn)?;
    Ok(revision)
}

/// The state of the feed beside one of its changes, or beside none.
struct Entry {
    revision: Revision,
    feed_from: Revision,
    record: Option<AnyId>,
}

impl FromRow for Entry {
    fn from_row(row: &dyn Row) -> diesel::deserialize::Result<Self> {
        Ok(Self {
            revision: row.int("revision")?,
            feed_from: row.int("feed_from")?,
            record: row.parse_opt("record_id")?,
        })
    }
}

/// What changed since `since`. One statement, so that revision and changes are of the same moment.
pub(crate) fn changed_since(conn: &mut Conn, since: Revision) -> QueryResult<Feed> {
    let entries: Vec<Entry> =
        sql("SELECT s.revision, s.feed_from, c.record_id FROM keyward_state s LEFT JOIN changes c ON c.revision > ")
            .bind(Bind::Int(since))
            .sql(" WHERE s.id = 1 ORDER BY c.revision, c.record_id")
            .rows(conn)?;
    let Some(&Entry { revision, feed_from, .. }) = entries.first() else {
        return Err(diesel::result::Error::NotFound);
    };
    if since < feed_from || since > revision {
        return Ok(Feed::Reset { revision });
    }
    Ok(Feed::Changes { revision, ids: entries.into_iter().filter_map(|entry| entry.record).collect() })
}

struct StoredTicket {
    value: String,
    expires_at: Option<Timestamp>,
}

impl FromRow for StoredTicket {
    fn from_row(row: &dyn Row) -> diesel::deserialize::Result<Self> {
        Ok(Self { value: row.text("value")?, expires_at: row.time_opt("expires_at")? })
    }
}

/// The ticket with this key that has not expired.
pub(crate) fn ticket(conn: &mut Conn, key: &TicketKey, now: Timestamp) -> QueryResult<Option<Ticket>> {
    if is_unstorable(&key.key) || is_unstorable(&key.namespace) {
        return Ok(None);
    }
    let stored: Option<StoredTicket> = sql("SELECT value, expires_at FROM tickets WHERE namespace = ")
        .bind(Bind::text(&key.namespace))
        .sql(" AND key = ")
        .bind(Bind::text(&key.key))
        .sql(" AND (expires_at IS NULL OR expires_at > ")
        .bind(Bind::time(now))
        .sql(")")
        .row(conn)?;
    Ok(stored.map(|StoredTicket { value, expires_at }| Ticket { key: key.clone(), value, expires_at }))
}

/// Deletes what expired before this moment, and changes that are too old for the feed. Returns how many.
pub(crate) fn purge(conn: &mut Conn, before: Timestamp) -> Result<u64, Failure> {
    dialect::write(conn, |conn| {
        let mut gone = sql("DELETE FROM tickets WHERE expires_at < ").bind(Bind::time(before)).run(conn)?;
        gone += sql("DELETE FROM revocations WHERE expires_at < ").bind(Bind::time(before)).run(conn)?;
        let kept_from = revision(conn)? - FEED_REVISIONS;
        // First it is said that they are gone: whoever asks meanwhile is told to read everything again.
        let moved = sql("UPDATE keyward_state SET feed_from = ")
            .bind(Bind::Int(kept_from))
            .sql(" WHERE id = 1 AND feed_from < ")
            .bind(Bind::Int(kept_from))
            .run(conn)?;
        if moved > 0 {
            gone += sql("DELETE FROM changes WHERE revision <= ").bind(Bind::Int(kept_from)).run(conn)?;
        }
        Ok(gone as u64)
    })
}
