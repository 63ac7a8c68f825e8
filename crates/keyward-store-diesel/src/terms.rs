//! Whom events name: actor, tenant, partner, resource.
//!
//! An index of `audit_events` would have to be brought up to date with each event, at a place of its own for each actor
//! and tenant: a page to write for every event, which costs more than the event. So the table `event_terms` takes the place
//! of these indexes, and whole runs of events are entered into it at once. Where a chain stands is in `indexed_seq`; what is
//! behind that is found by looking through the few events that there are.

use diesel::{QueryResult, deserialize::Result as Decoded};

use crate::{
    connection::Conn,
    dialect,
    row::{FromRow, Row},
    sql::{Bind, Sql, sql},
};

/// How many events of a chain wait until they are entered.
const RUN: i64 = 1_024;

/// Enters all terms of a run of events. The event that a token was issued has the token's number, by which it is found.
const ENTER: &str = "INSERT INTO event_terms (term, id) SELECT term, id FROM (SELECT CASE role \
    WHEN 1 THEN 'a:' || actor_id WHEN 2 THEN 't:' || tenant_id WHEN 3 THEN 'p:' || partner_id \
    ELSE CASE WHEN id <> 'evt_' || resource_id THEN 'r:' || resource_id END END AS term, id FROM audit_events \
    CROSS JOIN (SELECT 1 AS role UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) roles WHERE chain = ";

/// Before a condition: of the events that are not entered. SQLite takes the tables of a CROSS JOIN in their order; it would
/// look at each event for its chain otherwise.
const BEHIND: &str = " UNION ALL SELECT e.id FROM chains c CROSS JOIN audit_events e \
    WHERE c.indexed_seq < c.seq AND e.chain = c.chain AND e.seq > c.indexed_seq AND ";

/// A role in events and who has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Term<'a> {
    Actor(&'a str),
    Tenant(&'a str),
    Partner(&'a str),
    /// As a resource, but for the token that an event of the same number is about.
    Resource(&'a str),
}

impl<'a> Term<'a> {
    fn parts(self) -> (char, &'static str, &'a str) {
        match self {
            Self::Actor(id) => ('a', "actor_id", id),
            Self::Tenant(id) => ('t', "tenant_id", id),
            Self::Partner(id) => ('p', "partner_id", id),
            Self::Resource(id) => ('r', "resource_id", id),
        }
    }

    /// The condition that an event `e` has this term.
    pub(crate) fn holds(self) -> Sql<'static> {
        let (_, column, value) = self.parts();
        let is = sql("e.").sql(column).sql(" = ").bind(Bind::text(value.to_owned()));
        if let Self::Resource(_) = self { is.sql(" AND e.id <> 'evt_' || e.resource_id") } else { is }
    }

    /// The identifiers of all events that have it, each once.
    pub(crate) fn ids(self) -> Sql<'static> {
        let (letter, _, value) = self.parts();
        sql("SELECT id FROM event_terms WHERE term = ")
            .bind(Bind::text(format!("{letter}:{value}")))
            .sql(BEHIND)
            .append(self.holds())
    }
}

/// A chain with events that were not entered.
struct Behind {
    chain: String,
    indexed_seq: i64,
    seq: i64,
}

impl FromRow for Behind {
    fn from_row(row: &dyn Row) -> Decoded<Self> {
        Ok(Self { chain: row.text("chain")?, indexed_seq: row.int("indexed_seq")?, seq: row.int("seq")? })
    }
}

/// To be called when events with these numbers were written: enters what has waited for long enough. Who opens a chain
/// enters what others left.
pub(crate) fn follow(conn: &mut Conn, chain: &str, first: i64, last: i64) -> QueryResult<()> {
    let behind = sql("SELECT chain, indexed_seq, seq FROM chains WHERE indexed_seq < seq AND chain ");
    let behind = if first == 1 {
        behind.sql("<> ").bind(Bind::text(chain)).sql(" ORDER BY chain")
    } else if (first - 1) / RUN < last / RUN {
        behind.sql("= ").bind(Bind::text(chain))
    } else {
        return Ok(());
    };
    let behind: Vec<Behind> = behind.sql(dialect::for_update(conn)).rows(conn)?;
    for Behind { chain, indexed_seq, seq } in behind {
        sql(ENTER)
            .bind(Bind::text(&chain))
            .sql(" AND seq > ")
            .bind(Bind::Int(indexed_seq))
            .sql(" AND seq <= ")
            .bind(Bind::Int(seq))
            .sql(") named WHERE term IS NOT NULL ORDER BY term, id")
            .run(conn)?;
        sql("UPDATE chains SET indexed_seq = ")
            .bind(Bind::Int(seq))
            .sql(" WHERE chain = ")
            .bind(Bind::text(&chain))
            .run(conn)?;
    }
    Ok(())
}
