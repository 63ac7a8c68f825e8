//! The audit log, the heads of its chains, and the evidence of use.

use diesel::{QueryResult, deserialize::Result as Decoded};
use keyward_model::{Action, AnyId, ChainHead, ChainedEvent, Changes, Context, Event, Subject, Usage};
use keyward_store::{Counted, UsageBatch};

use crate::{
    commit::require,
    connection::Conn,
    dialect,
    error::Failure,
    row::{FromRow, Row},
    select::is_unstorable,
    sql::{Bind, Statement, sql},
    terms,
};

/// All of an event `e`.
pub(crate) const SELECT_EVENT: &str = "SELECT e.chain, e.seq, e.id, e.occurred_at, e.action, e.result, e.reason, \
    e.actor_type, e.actor_id, e.actor_name, e.resource_type, e.resource_id, e.resource_name, e.tenant_id, e.partner_id, \
    e.changes, e.ip, e.user_agent, e.request_id, e.session_id, e.credential_id, e.hash";
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
    terms::follow(conn, &first.chain, first.seq, last.seq)?;
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
        .sql(" FROM audit_events e WHERE e.chain = ")
        .bind(Bind::text(chain))
        .sql(" AND e.seq > ")
        .bind(Bind::Int(after))
        .sql(" ORDER BY e.seq LIMIT ")
        .bind(Bind::Int(limit.into()))
        .rows(conn)
}
