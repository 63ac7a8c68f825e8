//! Pages of lists, and how many records they have.
//!
//! A page is found by the identifiers alone, which indexes hold in the order of most lists, and only then are its records
//! read: whatever stands before the page costs an entry of an index each, and from the end where that is nearer. How many
//! records a list has is remembered until a commit changes any.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use diesel::QueryResult;
use keyward_model::{Field, Kind, Reach, Record};
use keyward_store::{Condition, Direction, Page, Query, Revision};

use crate::{
    connection::Conn,
    records::{self, Table, table},
    row::{FromRow, Row},
    select::{conditions, contains},
    sql::{Bind, Sql, join, sql},
    visible::{Way, below_deleted, covered_parts, live_many},
};

/// How many totals are remembered.
const REMEMBERED: usize = 256;

/// The newest revision, as a column.
const REVISION: &str = "(SELECT revision FROM keyward_state WHERE id = 1) AS revision";

/// What a total depends on beside the records.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    kind: Kind,
    reach: Reach,
    conditions: Vec<Condition>,
    search: Option<String>,
}

#[derive(Debug)]
struct Total {
    of: Asked,
    revision: Revision,
    number: u64,
}

/// How many records lists had at a revision. It is still so while the revision is the same.
#[derive(Debug, Default)]
pub(crate) struct Totals(Mutex<VecDeque<Total>>);

impl Totals {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Total>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, of: &Asked) -> Option<(Revision, u64)> {
        self.lock().iter().find(|total| total.of == *of).map(|total| (total.revision, total.number))
    }

    fn remember(&self, total: Total) {
        // A purge deletes revocations without a revision.
        if total.of.kind == Kind::Revocation {
            return;
        }
        let mut totals = self.lock();
        totals.retain(|other| other.of != total.of);
        totals.truncate(REMEMBERED - 1);
        totals.push_front(total);
    }
}

/// A record of a page, and the revision at which it was read.
struct Found {
    record: Record,
    revision: Revision,
}

impl FromRow for Found {
    fn from_row(row: &dyn Row) -> diesel::deserialize::Result<Self> {
        Ok(Self { record: records::read(row)?, revision: row.int("revision")? })
    }
}

/// A number, and the revision at which it was counted.
struct Counted {
    number: u64,
    revision: Revision,
}

impl FromRow for Counted {
    fn from_row(row: &dyn Row) -> diesel::deserialize::Result<Self> {
        Ok(Self { number: row.int("number")?.cast_unsigned(), revision: row.int("revision")? })
    }
}

/// Which rows of a table, in which order.
struct Selection<'a> {
    table: &'static Table,
    query: &'a Query,
    /// Conditions no two of which meet the same row: those of the rows are any of these and all of the next two.
    covered: Vec<Sql<'a>>,
    live: Sql<'a>,
    conditions: Sql<'a>,
}

/// One page of a list, and how many records it has.
pub(crate) fn list(
    conn: &mut Conn,
    reach: &Reach,
    query: &Query,
    totals: &Totals,
) -> QueryResult<Page<Record>> {
    let nothing = Page { items: Vec::new(), total: 0 };
    let Some(table) = table(query.kind) else { return Ok(nothing) };
    let mut conditions = conditions(table, &query.conditions);
    if let Some(text) = &query.search {
        conditions = conditions.sql(" AND ").append(contains(conn, table, text));
    }
    let asked = Asked {
        kind: query.kind,
        reach: *reach,
        conditions: query.conditions.clone(),
        search: query.search.clone(),
    };
    let known = totals.known(&asked);
    let by = Ways { table, reach, query, known };
    let selection = |way| {
        let covered = covered_parts(table, reach, way);
        Selection { table, query, covered, live: live_many(table, reach), conditions: conditions.clone() }
    };
    let offset = query.offset();
    if let Some((revision, total)) = known
        && offset > total / 2
        && offset < total
    {
        let way = by.choose(conn, totals, total - offset)?;
        if let Some(items) = selection(way).page_from_end(conn, revision, total - offset)? {
            return Ok(Page { items, total });
        }
    }
    let selection = selection(by.choose(conn, totals, offset)?);
    if selection.covered.is_empty() {
        return Ok(nothing);
    }
    let found = selection.page(conn, query.direction, offset, query.per_page.into())?;
    let read_at = found.first().map(|found| found.revision);
    let items: Vec<Record> = found.into_iter().map(|found| found.record).collect();
    if let Some((revision, total)) = known
        && read_at == Some(revision)
    {
        return Ok(Page { items, total });
    }
    // A last page that is not full tells how many there are.
    let number = items.len() as u64;
    let is_last = number < u64::from(query.per_page) && (number > 0 || offset == 0);
    let counted = match read_at {
        Some(revision) if is_last => Counted { number: offset + number, revision },
        None if is_last => return Ok(Page { items, total: 0 }),
        _ => count(conn, table, reach, &selection.conditions)?,
    };
    totals.remember(Total { of: asked, revision: counted.revision, number: counted.number });
    Ok(Page { items, total: counted.number })
}

/// What decides by which index a page is found.
struct Ways<'a> {
    table: &'static Table,
    reach: &'a Reach,
    query: &'a Query,
    known: Option<(Revision, u64)>,
}

impl Ways<'_> {
    /// To go along the index of the order costs all that stands before the page, of whomever it is; to gather what is the
    /// tenant's or partner's costs all of that, which is then sorted.
    fn choose(&self, conn: &mut Conn, totals: &Totals, before: u64) -> QueryResult<Way> {
        let is_indexed = match self.reach {
            Reach::Platform => false,
            // Indexes of tenants are in the order of creation already.
            Reach::Tenant(_) => [Field::Name, Field::Email].contains(&self.query.sort),
            Reach::Partner(_) => [Field::CreatedAt, Field::Name, Field::Email].contains(&self.query.sort),
        };
        let Some((revision, total)) = self.known.filter(|_| is_indexed && self.query.search.is_none()) else {
            return Ok(Way::ByOwner);
        };
        if before >= total {
            return Ok(Way::ByOwner);
        }
        let all = rows(conn, self.table, self.query.kind, revision, totals)?;
        let passed = before.saturating_add(self.query.per_page.into());
        let in_order = passed.saturating_mul(all) < total.saturating_mul(total);
        Ok(if in_order { Way::InOrder } else { Way::ByOwner })
    }
}

/// How many rows a table has for the platform, or had at most so many commits before a revision that it can't be very
/// different.
fn rows(
    conn: &mut Conn,
    table: &'static Table,
    kind: Kind,
    at: Revision,
    totals: &Totals,
) -> QueryResult<u64> {
    let asked = Asked { kind, reach: Reach::Platform, conditions: Vec::new(), search: None };
    if let Some((revision, number)) = totals.known(&asked)
        && (at - revision).unsigned_abs() <= number / 10
    {
        return Ok(number);
    }
    let Counted { number, revision } = count(conn, table, &Reach::Platform, &Sql::default())?;
    totals.remember(Total { of: asked, revision, number });
    Ok(number)
}

impl<'a> Selection<'a> {
    /// So many records behind the first `offset`.
    fn page(&self, conn: &mut Conn, way: Direction, offset: u64, limit: u64) -> QueryResult<Vec<Found>> {
        let number = |number: u64| Bind::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let key = self.table.listed(self.query.sort).map_or("id", |listed| listed.column);
        let part = |covered: &Sql<'a>| {
            let select =
                format!("SELECT r.id AS page_id, r.{key} AS page_key FROM {} r WHERE ", self.table.name);
            sql(select).append(covered.clone()).append(self.live.clone()).append(self.conditions.clone())
        };
        let order = order(self.table, self.query, way);
        // Each part is found by its own index.
        let ids = join(self.covered.iter().map(part), " UNION ALL ")
            .sql(order.clone())
            .sql(" LIMIT ")
            .bind(number(limit))
            .sql(" OFFSET ")
            .bind(number(offset));
        let mut columns = String::from("SELECT ");
        for column in self.table.all_columns() {
            columns.push_str("r.");
            columns.push_str(column);
            columns.push_str(", ");
        }
        columns.push_str(REVISION);
        sql(columns)
            .sql(" FROM (")
            .append(ids)
            .sql(") page JOIN ")
            .sql(self.table.name)
            .sql(" r ON r.id = page.page_id")
            .sql(order)
            .rows(conn)
    }

    /// The page that begins so many records before the end, if nothing changed since there was this total.
    fn page_from_end(
        &self,
        conn: &mut Conn,
        revision: Revision,
        behind: u64,
    ) -> QueryResult<Option<Vec<Record>>> {
        let limit = u64::from(self.query.per_page).min(behind);
        let backwards = match self.query.direction {
            Direction::Ascending => Direction::Descending,
            Direction::Descending => Direction::Ascending,
        };
        let found = self.page(conn, backwards, behind - limit, limit)?;
        let is_true = found.len() as u64 == limit && found.iter().all(|found| found.revision == revision);
        Ok(is_true.then(|| found.into_iter().rev().map(|found| found.record).collect()))
    }
}

/// How many records of a kind exist for the platform that meet all conditions.
pub(crate) fn number(conn: &mut Conn, kind: Kind, wanted: &[Condition]) -> QueryResult<u64> {
    let Some(table) = table(kind) else { return Ok(0) };
    Ok(count(conn, table, &Reach::Platform, &conditions(table, wanted))?.number)
}

/// How many rows the reach covers that meet the conditions, without those that are below something deleted.
fn count(conn: &mut Conn, table: &Table, reach: &Reach, conditions: &Sql<'_>) -> QueryResult<Counted> {
    let mut sum = sql("SELECT 0");
    for part in covered_parts(table, reach, Way::ByOwner) {
        let counted = || {
            let from = sql("(SELECT COUNT(*) FROM ").sql(table.name).sql(" r WHERE ");
            from.append(part.clone()).append(conditions.clone())
        };
        sum = sum.sql(" + ").append(counted()).sql(")");
        for below in below_deleted(table) {
            sum = sum.sql(" - ").append(counted()).sql(" AND ").sql(*below).sql(")");
        }
    }
    let counted = sum.sql(" AS number, ").sql(REVISION).row(conn)?;
    counted.ok_or(diesel::result::Error::NotFound)
}

/// The order of the columns `page_key` and `page_id`.
fn order(table: &Table, query: &Query, direction: Direction) -> String {
    let (way, nulls) = match direction {
        Direction::Ascending => ("ASC", "NULLS FIRST"),
        Direction::Descending => ("DESC", "NULLS LAST"),
    };
    // Said only where it matters: PostgreSQL would not use an index otherwise.
    let nulls = if table.listed(query.sort).is_some_and(|listed| listed.nullable) { nulls } else { "" };
    format!(" ORDER BY page_key {way} {nulls}, page_id {way}")
}
