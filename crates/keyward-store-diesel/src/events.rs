//! Looking for events.

use diesel::{QueryResult, deserialize::Result as Decoded};
use keyward_model::{ChainedEvent, Event, Id, Reach, Timestamp};
use keyward_store::{Cursor, EventPage, EventQuery, Tally};

use crate::{
    connection::Conn,
    dialect,
    log::SELECT_EVENT,
    row::{FromRow, Row},
    select::is_unstorable,
    sql::{Bind, Sql, sql},
    terms::Term,
};

/// Which events a query selects.
struct Selection<'a> {
    /// The identifiers of those that a term finds; all events when there is none.
    found: Option<Sql<'a>>,
    /// What else must hold of an event `e`, each behind an AND.
    conditions: Sql<'a>,
    /// Whether that is nothing, so that the identifiers alone tell.
    is_found: bool,
}

impl<'a> Selection<'a> {
    /// Nothing when no event can have what is asked for.
    fn of(reach: &Reach, query: &'a EventQuery) -> Option<Self> {
        let texts = [&query.resource, &query.actor, &query.tenant_id, &query.action];
        if texts.into_iter().flatten().any(|text| is_unstorable(text)) {
            return None;
        }
        let (partner, tenant) = match reach {
            Reach::Platform => (None, None),
            Reach::Partner(id) => (Some(id.to_string()), None),
            Reach::Tenant(id) => (None, Some(id.to_string())),
        };
        // The one that most likely finds the fewest comes first; the others are looked at one by one.
        let terms = [
            query.resource.as_deref().map(Term::Resource),
            query.actor.as_deref().map(Term::Actor),
            query.tenant_id.as_deref().map(Term::Tenant),
            tenant.as_deref().map(Term::Tenant),
            partner.as_deref().map(Term::Partner),
        ];
        let mut selection = Self { found: None, conditions: Sql::default(), is_found: true };
        for term in terms.into_iter().flatten() {
            if selection.found.is_none() {
                selection.found = Some(ids(term));
            } else {
                selection = selection.and(holds(term));
            }
        }
        Some(selection.asked(query))
    }

    fn and(mut self, condition: Sql<'a>) -> Self {
        self.conditions = self.conditions.sql(" AND ").append(condition);
        self.is_found = false;
        self
    }

    /// The conditions that no term tells.
    fn asked(mut self, query: &'a EventQuery) -> Self {
        let asked = [
            query.from.map(|at| ("e.occurred_at >= ", Bind::time(at))),
            query.to.map(|at| ("e.occurred_at < ", Bind::time(at))),
            query.outcome.map(|outcome| ("e.result = ", Bind::text(outcome.as_str()))),
        ];
        for (column, value) in asked.into_iter().flatten() {
            self = self.and(sql(column).bind(value));
        }
        match query.action.as_deref() {
            None => self,
            // All that begin with the noun and the dot: a slash is the character that follows the dot.
            Some(noun) if noun.ends_with('.') => {
                let end = format!("{}/", &noun[..noun.len() - 1]);
                let from = sql("e.action >= ").bind(Bind::text(noun));
                self.and(from.sql(" AND e.action < ").bind(Bind::text(end)))
            }
            Some(action) => self.and(sql("e.action = ").bind(Bind::text(action))),
        }
    }

    /// Behind the columns: where to look, and what must hold.
    fn rows(&self) -> Sql<'a> {
        let from = match &self.found {
            None => sql(" FROM audit_events e"),
            Some(found) => {
                sql(" FROM (").append(found.clone()).sql(") found JOIN audit_events e ON e.id = found.id")
            }
        };
        from.sql(" WHERE 1 = 1").append(self.conditions.clone())
    }

    /// Whatever ends the query, behind the identifiers.
    fn page(&self, end: Sql<'a>) -> Sql<'a> {
        if !self.is_found {
            return sql(SELECT_EVENT).append(self.rows()).append(end);
        }
        // The page is found before its events are read.
        let found = match &self.found {
            None => sql("audit_events"),
            Some(found) => sql("(").append(found.clone()).sql(") found"),
        };
        sql(SELECT_EVENT)
            .sql(" FROM (SELECT id FROM ")
            .append(found)
            .sql(" WHERE 1 = 1")
            .append(end)
            .sql(") page JOIN audit_events e ON e.id = page.id ORDER BY e.id DESC")
    }

    fn count(&self, conn: &mut Conn) -> QueryResult<Option<u64>> {
        let counted = match &self.found {
            // Chains have no gaps.
            None if self.is_found => {
                sql("SELECT CAST(COALESCE(SUM(seq), 0) AS BIGINT) AS number FROM chains")
            }
            Some(found) if self.is_found => {
                sql("SELECT COUNT(*) AS number FROM (").append(found.clone()).sql(") found")
            }
            _ => sql("SELECT COUNT(*) AS number").append(self.rows()),
        };
        Ok(counted.row::<i64>(conn)?.map(i64::cast_unsigned))
    }
}

/// The events with this term. That of a token's issue has the token's number, and no entry for it.
fn ids(term: Term<'_>) -> Sql<'static> {
    match own_event(term) {
        Some(id) => term.ids().sql(" UNION ALL SELECT e.id FROM audit_events e WHERE ").append(id),
        None => term.ids(),
    }
}

/// The condition that an event `e` has this term.
fn holds(term: Term<'_>) -> Sql<'static> {
    match own_event(term) {
        Some(id) => sql("(").append(term.holds()).sql(" OR ").append(id).sql(")"),
        None => term.holds(),
    }
}

/// The condition that an event is about the resource that has its number.
fn own_event(term: Term<'_>) -> Option<Sql<'static>> {
    let Term::Resource(resource) = term else { return None };
    let id: Id<Event> = format!("evt_{resource}").parse().ok()?;
    Some(sql("e.id = ").bind(Bind::id(id)).sql(" AND e.resource_id = ").bind(Bind::text(resource.to_owned())))
}

/// Events that the reach covers and the query selects, newest first.
pub(crate) fn events(conn: &mut Conn, reach: &Reach, query: &EventQuery) -> QueryResult<EventPage> {
    let Some(selection) = Selection::of(reach, query) else {
        let total = matches!(query.cursor, Cursor::Offset(_)).then_some(0);
        return Ok(EventPage { items: Vec::new(), total, more: false });
    };
    let id = if selection.is_found { "id" } else { "e.id" };
    let mut end = Sql::default();
    if let Cursor::Before(before) = query.cursor {
        end = end.sql(" AND ").sql(id).sql(" < ").bind(Bind::id(before));
    }
    // One more than asked for tells whether there are more.
    end = end.sql(" ORDER BY ").sql(id).sql(" DESC LIMIT ").bind(Bind::Int(i64::from(query.limit) + 1));
    if let Cursor::Offset(offset) = query.cursor {
        end = end.sql(" OFFSET ").bind(Bind::Int(i64::try_from(offset).unwrap_or(i64::MAX)));
    }
    let mut items: Vec<ChainedEvent> = selection.page(end).rows(conn)?;
    let more = items.len() > query.limit as usize;
    items.truncate(query.limit as usize);
    let total = match query.cursor {
        Cursor::Before(_) => None,
        Cursor::Offset(offset) if !more && (!items.is_empty() || offset == 0) => {
            Some(offset + items.len() as u64)
        }
        Cursor::Offset(_) => selection.count(conn)?,
    };
    Ok(EventPage { items, total, more })
}

impl FromRow for Tally {
    fn from_row(row: &dyn Row) -> Decoded<Self> {
        let began = row.int("span")?.checked_mul(1_000).and_then(Timestamp::from_unix_millis);
        Ok(Self {
            from: began.ok_or("a span outside of the calendar")?,
            action: row.text("action")?,
            reason: row.text_opt("reason")?,
            count: row.int("number")?.cast_unsigned(),
        })
    }
}

/// How many events there were in each span of time, by action and reason.
pub(crate) fn tally(
    conn: &mut Conn,
    reach: &Reach,
    query: &EventQuery,
    seconds: u32,
) -> QueryResult<Vec<Tally>> {
    let Some(selection) = Selection::of(reach, query) else { return Ok(Vec::new()) };
    sql("SELECT ")
        .append(dialect::span(conn, seconds))
        .sql(", action, reason, COUNT(*) AS number")
        .append(selection.rows())
        .sql(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 NULLS FIRST")
        .rows(conn)
}
