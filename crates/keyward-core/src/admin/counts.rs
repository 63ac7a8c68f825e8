//! How often things happened, and how many of them go on now: what charts and figures are made of.

use std::collections::BTreeMap;

use keyward_model::{AnyId, ApplicationType, Field, Kind, Record, Session, Status, Timestamp, Value};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Condition, Direction, EventQuery, Query, StoreExt, Tally, Test};
use serde::Serialize;

use super::{SessionState, SessionsOf, Work};
use crate::{Call, Error, Keyward};

/// How often something happened in a span of time.
#[derive(Clone, Debug, Serialize)]
pub struct Count {
    /// When the span began.
    pub from: Timestamp,
    /// What happened.
    pub action: String,
    /// Why, where events say.
    pub reason: Option<String>,
    /// How often.
    pub count: u64,
}

impl From<Tally> for Count {
    fn from(tally: Tally) -> Self {
        Self { from: tally.from, action: tally.action, reason: tally.reason, count: tally.count }
    }
}

/// Which events are counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountedEvents<'a> {
    /// Those of this action, or of all of a noun when it ends in a dot; any when there is none.
    pub action: Option<&'a str>,
    /// Those about what has this identifier.
    pub resource: Option<&'a str>,
    /// Those that name this tenant.
    pub tenant: Option<&'a str>,
}

/// What ends of a kind of credentials, and what has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    /// When those end that end until then; of more than a thousand, the first thousand.
    pub ahead: Vec<Timestamp>,
    /// How many are past their end.
    pub expired: u64,
}

/// How many records are looked at, where each of them counts.
const LOOKED_AT: u32 = 1_000;

fn within(mut query: Query, tenant: Option<&str>) -> Query {
    if let Some(id) = tenant {
        query = query.with(Field::TenantId, Value::text(id));
    }
    query
}

fn clients() -> Query {
    Query::all(Kind::Application).with(Field::Type, Value::text(ApplicationType::Service.as_str()))
}

impl Keyward {
    /// How often things happened, by spans of `seconds`.
    pub async fn counts(
        &self,
        call: &Call,
        what: CountedEvents<'_>,
        since: Timestamp,
        seconds: u32,
    ) -> Result<Vec<Count>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Event)).await?;
        let query = EventQuery {
            from: Some(since),
            to: Some(work.now.plus_seconds(1)),
            action: what.action.map(str::to_owned),
            resource: what.resource.map(str::to_owned),
            tenant_id: what.tenant.map(str::to_owned),
            ..EventQuery::default()
        };
        let tallies = self.inner.store.tally(&work.reach(), &query, seconds).await?;
        Ok(tallies.into_iter().map(Count::from).collect())
    }

    /// How many API clients that are not past their end work, and how many somebody stopped; of a tenant or of all that
    /// the caller sees.
    pub async fn clients_by_status(&self, call: &Call, tenant: Option<&str>) -> Result<(u64, u64), Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Application)).await?;
        let mut query = within(clients(), tenant);
        query.conditions.push(Condition { field: Field::ExpiresAt, test: Test::From(work.now) });
        let (mut active, mut disabled) = (0, 0);
        for (status, number) in self.inner.store.count_by(&work.reach(), &query, Field::Status).await? {
            let works = status == Value::text(Status::Active.as_str());
            *(if works { &mut active } else { &mut disabled }) += number;
        }
        Ok((active, disabled))
    }

    /// Which API clients end until then, and how many have.
    pub async fn clients_ending(
        &self,
        call: &Call,
        tenant: Option<&str>,
        until: Timestamp,
    ) -> Result<Endings, Error> {
        self.ending(call, within(clients(), tenant), until).await
    }

    /// Which API keys end until then, and how many have.
    pub async fn keys_ending(
        &self,
        call: &Call,
        tenant: Option<&str>,
        until: Timestamp,
    ) -> Result<Endings, Error> {
        self.ending(call, within(Query::all(Kind::ApiKey), tenant), until).await
    }

    async fn ending(&self, call: &Call, query: Query, until: Timestamp) -> Result<Endings, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(query.kind)).await?;
        let mut query =
            Query { per_page: LOOKED_AT, sort: Field::ExpiresAt, direction: Direction::Descending, ..query };
        query.conditions.push(Condition { field: Field::ExpiresAt, test: Test::Before(until) });
        let ends = |record: &Record| match record.value(Field::ExpiresAt) {
            Value::Time(at) => Some(at).filter(|at| *at >= work.now),
            _ => None,
        };
        let page = self.inner.store.list(&work.reach(), &query).await?;
        let ahead: Vec<Timestamp> = page.items.iter().filter_map(ends).collect();
        if ahead.len() < page.items.len() || page.total <= page.items.len() as u64 {
            let expired = page.total.saturating_sub(ahead.len() as u64);
            return Ok(Endings { ahead, expired });
        }
        // More end than were looked at: those that end first count most.
        query.direction = Direction::Ascending;
        query.conditions.push(Condition { field: Field::ExpiresAt, test: Test::From(work.now) });
        let first = self.inner.store.list(&work.reach(), &query).await?;
        let ahead = first.items.iter().filter_map(ends).collect();
        Ok(Endings { ahead, expired: page.total.saturating_sub(first.total) })
    }

    /// How many there are of a kind, of a tenant or of all that the caller sees.
    pub async fn how_many(&self, call: &Call, kind: Kind, tenant: Option<&str>) -> Result<u64, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(kind)).await?;
        let query = within(Query { per_page: 1, ..Query::all(kind) }, tenant);
        Ok(self.inner.store.list(&work.reach(), &query).await?.total)
    }

    /// How many sessions go on, of a tenant's people or of all that the caller sees.
    pub async fn active_sessions(&self, call: &Call, tenant: Option<&str>) -> Result<u64, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Session)).await?;
        let mut query = within(Query { per_page: 1, ..Query::all(Kind::Session) }, tenant);
        let active = SessionsOf { users: None, state: Some(SessionState::Active) };
        query.conditions.extend(active.conditions(work.now, self.idle_seconds()));
        Ok(self.inner.store.list_as::<Session>(&work.reach(), &query).await?.total)
    }

    /// When somebody last signed in by each of these identity providers, as far as it is known still.
    pub async fn last_sign_ins_by(
        &self,
        call: &Call,
        providers: &[AnyId],
    ) -> Result<BTreeMap<AnyId, Timestamp>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Session)).await?;
        let mut last = BTreeMap::new();
        if providers.is_empty() {
            return Ok(last);
        }
        let wanted = providers.iter().map(|id| Value::id(Some(*id))).collect();
        let mut query =
            Query { per_page: LOOKED_AT, direction: Direction::Descending, ..Query::all(Kind::Session) };
        query.conditions.push(Condition { field: Field::ProviderId, test: Test::OneOf(wanted) });
        for session in self.inner.store.list_as::<Session>(&work.reach(), &query).await?.items {
            if let Some(provider) = session.provider_id {
                last.entry(provider.any()).or_insert(session.meta.created_at);
            }
        }
        Ok(last)
    }
}
