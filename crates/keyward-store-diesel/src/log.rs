//! The audit log, the heads of its chains, and the evidence of use.

use diesel::{QueryResult, deserialize::Result as Decoded};
use keyward_model::{
    Action, AnyId, ChainHead, ChainedEvent, Changes, Context, Event, Id, Reach, Subject, Timestamp, Usage,
};
use keyward_store::{Counted, Cursor, EventPage, EventQuery, Tally, UsageBatch};

use crate::{
    commit::require,
    connection::Conn,
    dialect,
    error::Failure,
    row::{FromRow, Row},
    select::is_unstorable,
    sql::{Bind, Sql, Statement, sql},
};

const SELECT_EVENT: &str = "SELECT chain, seq, id, occurred_at, action, result, reason, actor_type, actor_id, actor_name, \
    resource_type, resource_id, resource_name, tenant_id, partner_id, changes, ip, user_agent, request_id, session_id, \
    credential_id, hash FROM audit_events WHERE ";
const SELECT_USAGE: &str = "SELECT credential_id, day, address, count, needed, first_used_at, last_used_at \
    FROM credential_use WHERE credential_id IN (";

struct InsertEvent;

impl Statement for InsertEvent {
    const HEAD: &'static str = "INSERT INTO audit_events (chain, seq, id, occurred_at, action, result, reason, \
        actor_type, actor_id, actor_name, resource_type, resource_id, resource_name, tenant_id, partner_id, changes, ip, \
        user_agent, request_id, session_id, credential_id, hash) VALUES ";
}

impl FromRow for ChainedEvent {
    fn from_row(row: &dyn Row) -> Decoded<Self> {
        let resource = row.text_opt("resource_type")?.map(|kind| {
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Subject {
                kind: kind.into(),
                id: row.text_opt("resource_id")?,
                name: row.text_opt("resource_name")?,
            })
        });
        let event = Event {
            id: row.parse("id")?,
            occurred_at: row.time("occurred_at")?,
            action: Action::from_text(row.text("action")?),
            outcome: row.parse("result")?,
            reason: row.text_opt("reason")?,
            actor: Subject {
                kind: row.text("actor_type")?.into(),
                id: row.text_opt("actor_id")?,
                name: row.text_opt("actor_name")?,
            },
            resource: resource.transpose()?,
            tenant_id: row.parse_opt("tenant_id")?,
            partner_id: row.parse_opt("partner_id")?,
            changes: Changes::from_text(row.text("changes")?),
            context: Context {
                ip: row.text_opt("ip")?,
                user_agent: row.text_opt("user_agent")?,
                request_id: row.text_opt("request_id")?,
                session_id: row.text_opt("session_id")?,
                credential_id: row.text_opt("credential_id")?,
            },
        };
        Ok(Self { event, chain: row.text("chain")?, seq: row.int("seq")?, hash: row.hash("hash")? })
    }
}

fn event_row(chained: &ChainedEvent) -> Vec<Bind<'_>> {
    let event = &chained.event;
    let resource = event.resource.as_ref();
    let context = &event.context;
    vec![
        Bind::text(&chained.chain),
        Bind::Int(chained.seq),
        Bind::id(event.id),
        Bind::time(event.occurred_at),
        Bind::text(event.action.as_str()),
        Bind::text(event.outcome.as_str()),
        Bind::text_opt(event.reason.as_deref()),
        Bind::text(&*event.actor.kind),
        Bind::text_opt(event.actor.id.as_deref()),
        Bind::text_opt(event.actor.name.as_deref()),
        Bind::text_opt(resource.map(|subject| &*subject.kind)),
        Bind::text_opt(resource.and_then(|subject| subject.id.as_deref())),
        Bind::text_opt(resource.and_then(|subject| subject.name.as_deref())),
        Bind::id_opt(event.tenant_id),
        Bind::id_opt(event.partner_id),
        Bind::text(event.changes.as_str()),
        Bind::text_opt(context.ip.as_deref()),
        Bind::text_opt(context.user_agent.as_deref()),
        Bind::text_opt(context.request_id.as_deref()),
        Bind::text_opt(context.session_id.as_deref()),
        Bind::text_opt(context.credential_id.as_deref()),
        Bind::bytes(&chained.hash),
    ]
}

/// Writes events behind the head of their chain, and moves the head.
pub(crate) fn append(conn: &mut Conn, events: &[ChainedEvent]) -> Result<(), Failure> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    require(
        events.iter().zip(first.seq..).all(|(event, seq)| event.chain == first.chain && event.seq == seq),
    )?;
    let (seq, hash) = (Bind::Int(last.seq), Bind::bytes(&last.hash));
    let updated_at = Bind::time(last.event.occurred_at);
    // Whoever moves the head holds its row, so that two that append to one chain are told apart here.
    let moved = if first.seq == 1 {
        let opened_at = Bind::time(first.event.occurred_at);
        sql("INSERT INTO chains (chain, opened_at, updated_at, seq, hash, usage_seq) VALUES (")
            .binds([Bind::text(&first.chain), opened_at, updated_at, seq, hash, Bind::Int(0)])
            .sql(") ON CONFLICT DO NOTHING")
    } else {
        sql("UPDATE chains SET updated_at = ")
            .bind(updated_at)
            .sql(", seq = ")
            .bind(seq)
            .sql(", hash = ")
            .bind(hash)
            .sql(" WHERE chain = ")
            .bind(Bind::text(&first.chain))
            .sql(" AND seq = ")
            .bind(Bind::Int(first.seq - 1))
    };
    require(moved.run(conn)? == 1)?;
    dialect::insert::<InsertEvent>(conn, events.iter().map(event_row))?;
    Ok(())
}

/// Adds evidence of use.
pub(crate) fn add_usage(conn: &mut Conn, batch: &UsageBatch) -> Result<(), Failure> {
    if let Some(Counted { chain, from_seq, to_seq }) = &batch.counted {
        let counted = sql("UPDATE chains SET usage_seq = ")
            .bind(Bind::Int(*to_seq))
            .sql(" WHERE chain = ")
            .bind(Bind::text(chain))
            .sql(" AND usage_seq = ")
            .bind(Bind::Int(*from_seq))
            .run(conn)?;
        require(counted == 1)?;
    }
    // Always in the same order, so that two batches do not wait for each other in a circle. One by one, because a batch
    // may name an address twice.
    let mut rows: Vec<&Usage> = batch.rows.iter().collect();
    rows.sort_by_key(|row| (row.subject, row.day, &row.address));
    for row in rows {
        sql("INSERT INTO credential_use (credential_id, day, address, count, needed, first_used_at, last_used_at) VALUES (")
            .binds([
                Bind::id(row.subject),
                Bind::text(row.day.to_string()),
                Bind::text(&row.address),
                Bind::Int(row.count.cast_signed()),
                Bind::Int(row.needed.cast_signed()),
                Bind::time(row.first_used_at),
                Bind::time(row.last_used_at),
            ])
            .sql(
                ") ON CONFLICT (credential_id, day, address) DO UPDATE SET \
                count = credential_use.count + excluded.count, \
                needed = credential_use.needed + excluded.needed, \
                first_used_at = CASE WHEN excluded.first_used_at < credential_use.first_used_at \
                    THEN excluded.first_used_at ELSE credential_use.first_used_at END, \
                last_used_at = CASE WHEN excluded.last_used_at > credential_use.last_used_at \
                    THEN excluded.last_used_at ELSE credential_use.last_used_at END",
            )
            .run(conn)?;
    }
    Ok(())
}

impl FromRow for Usage {
    fn from_row(row: &dyn Row) -> Decoded<Self> {
        Ok(Self {
            subject: row.parse("credential_id")?,
            day: row.parse("day")?,
            address: row.text("address")?,
            count: row.int("count")?.cast_unsigned(),
            needed: row.int("needed")?.cast_unsigned(),
            first_used_at: row.time("first_used_at")?,
            last_used_at: row.time("last_used_at")?,
        })
    }
}

/// The evidence of use of these credentials.
pub(crate) fn usage(conn: &mut Conn, subjects: &[AnyId]) -> QueryResult<Vec<Usage>> {
    let mut all = Vec::new();
    // Far from any limit on the number of values.
    for some in subjects.chunks(500) {
        let found: Vec<Usage> = sql(SELECT_USAGE)
            .binds(some.iter().map(|id| Bind::id(*id)))
            .sql(") ORDER BY credential_id, day, address")
            .once()
            .rows(conn)?;
        all.extend(found);
    }
    Ok(all)
}

impl FromRow for ChainHead {
    fn from_row(row: &dyn Row) -> Decoded<Self> {
        Ok(Self {
            chain: row.text("chain")?,
            opened_at: row.time("opened_at")?,
            updated_at: row.time("updated_at")?,
            seq: row.int("seq")?,
            hash: row.hash("hash")?,
            usage_seq: row.int("usage_seq")?,
        })
    }
}

/// The heads of all chains, oldest chain first.
pub(crate) fn chains(conn: &mut Conn) -> QueryResult<Vec<ChainHead>> {
    sql("SELECT chain, opened_at, updated_at, seq, hash, usage_seq FROM chains ORDER BY opened_at, chain")
        .rows(conn)
}

/// Events of one chain with a number above `after`, in order.
pub(crate) fn chain(conn: &mut Conn, chain: &str, after: i64, limit: u32) -> QueryResult<Vec<ChainedEvent>> {
    if is_unstorable(chain) {
        return Ok(Vec::new());
    }
    sql(SELECT_EVENT)
        .sql("chain = ")
        .bind(Bind::text(chain))
        .sql(" AND seq > ")
        .bind(Bind::Int(after))
        .sql(" ORDER BY seq LIMIT ")
        .bind(Bind::Int(limit.into()))
        .rows(conn)
}

/// Events that the reach covers and the query selects, newest first.
pub(crate) fn events(conn: &mut Conn, reach: &Reach, query: &EventQuery) -> QueryResult<EventPage> {
    let conditions = conditions(reach, query);
    let mut page = sql(SELECT_EVENT).append(conditions.clone());
    if let Cursor::Before(id) = query.cursor {
        page = page.sql(" AND id < ").bind(Bind::id(id));
    }
    // One more than asked for tells whether there are more.
    page = page.sql(" ORDER BY id DESC LIMIT ").bind(Bind::Int(i64::from(query.limit) + 1));
    if let Cursor::Offset(offset) = query.cursor {
        page = page.sql(" OFFSET ").bind(Bind::Int(i64::try_from(offset).unwrap_or(i64::MAX)));
    }
    let mut items: Vec<ChainedEvent> = page.rows(conn)?;
    let more = items.len() > query.limit as usize;
    items.truncate(query.limit as usize);
    let total = match query.cursor {
        Cursor::Before(_) => None,
        Cursor::Offset(offset) if !more && (!items.is_empty() || offset == 0) => {
            Some(offset + items.len() as u64)
        }
        Cursor::Offset(_) => {
            let counted = sql("SELECT COUNT(*) AS number FROM audit_events WHERE ").append(conditions);
            counted.row::<i64>(conn)?.map(i64::cast_unsigned)
        }
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
    sql("SELECT ")
        .append(dialect::span(conn, seconds))
        .sql(", action, reason, COUNT(*) AS number FROM audit_events WHERE ")
        .append(conditions(reach, query))
        .sql(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 NULLS FIRST")
        .rows(conn)
}

fn conditions<'a>(reach: &Reach, query: &'a EventQuery) -> Sql<'a> {
    let reached = match reach {
        Reach::Platform => None,
        Reach::Partner(id) => Some(("partner_id = ", Bind::id(*id))),
        Reach::Tenant(id) => Some(("tenant_id = ", Bind::id(*id))),
    };
    let text = |name, text: Option<&'a String>| text.map(|text| (name, Bind::text(text)));
    let asked = [
        query.from.map(|at| ("occurred_at >= ", Bind::time(at))),
        query.to.map(|at| ("occurred_at < ", Bind::time(at))),
        query.outcome.map(|outcome| ("result = ", Bind::text(outcome.as_str()))),
        text("actor_id = ", query.actor.as_ref()),
        text("tenant_id = ", query.tenant_id.as_ref()),
    ];
    let mut all = sql("1 = 1");
    for (column, value) in asked.into_iter().flatten().chain(reached) {
        let is_unstorable = matches!(&value, Bind::Text(text) if is_unstorable(text));
        all = if is_unstorable { all.sql(" AND 1 = 0") } else { all.sql(" AND ").sql(column).bind(value) };
    }
    all = match query.resource.as_deref() {
        None => all,
        Some(resource) if is_unstorable(resource) => all.sql(" AND 1 = 0"),
        Some(resource) => all.sql(" AND ").append(about(resource)),
    };
    match query.action.as_deref() {
        None => all,
        Some(action) if is_unstorable(action) => all.sql(" AND 1 = 0"),
        // All that begin with the noun and the dot: a slash is the character that follows the dot.
        Some(noun) if noun.ends_with('.') => all
            .sql(" AND action >= ")
            .bind(Bind::text(noun))
            .sql(" AND action < ")
            .bind(Bind::text(format!("{}/", &noun[..noun.len() - 1]))),
        Some(action) => all.sql(" AND action = ").bind(Bind::text(action)),
    }
}

/// That an event is about this resource. The index of resources leaves out events that have the number of their resource,
/// as that of the issue of a token does: there is one event at most that it can be, and it has an index of its own.
fn about(resource: &str) -> Sql<'_> {
    let indexed = || sql("resource_id = ").bind(Bind::text(resource)).sql(" AND id <> 'evt_' || resource_id");
    match format!("evt_{resource}").parse::<Id<Event>>() {
        Err(_) => indexed(),
        Ok(id) => sql("(")
            .append(indexed())
            .sql(" OR id = ")
            .bind(Bind::id(id))
            .sql(" AND resource_id = ")
            .bind(Bind::text(resource))
            .sql(")"),
    }
}
