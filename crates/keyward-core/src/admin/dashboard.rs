//! What is there and what goes on, at a glance. Every figure is what the caller could list.

use std::collections::BTreeMap;

use keyward_model::{Action, EXPIRING_SECONDS, Field, Kind, Timestamp};
use keyward_policy::{Action as Act, Target, decide};
use keyward_store::{Condition, Cursor, EventQuery, Query, Test};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Document, Work};
use crate::{Call, Error, FieldError, Keyward, forms, params::Params};

/// How many spans a series has at most.
const MAX_SPANS: i64 = 1_000;

/// How many of everything there are.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DashboardStats)]
pub struct StatsView {
    /// How many of each kind the caller can list.
    #[schema(value_type = Object)]
    pub totals: BTreeMap<&'static str, u64>,
    /// How many applications expire within 30 days.
    pub expiring_applications: u64,
    /// How many tokens were issued in the last 24 hours.
    pub tokens_issued_24h: u64,
    /// How many requests for tokens were refused in the last 24 hours.
    pub tokens_denied_24h: u64,
}

/// The latest events.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DashboardActivity)]
pub struct ActivityView {
    /// The events, the newest first.
    pub data: Vec<keyward_model::EventView>,
}

/// What happened over time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DashboardSeries)]
pub struct SeriesView {
    /// How long each span is.
    pub interval_seconds: u32,
    /// The spans in which something happened.
    pub data: Vec<SpanView>,
}

/// What happened in one span of time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DashboardSpan)]
pub struct SpanView {
    /// When the span began.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// How many tokens were issued.
    pub tokens_issued: u64,
    /// How many of those the client would not have needed.
    pub tokens_unneeded: u64,
    /// How many requests for tokens were refused, by reason.
    #[schema(value_type = Object)]
    pub tokens_denied: BTreeMap<String, u64>,
}

const COUNTED: [(Kind, &str); 10] = [
    (Kind::Partner, "partners"),
    (Kind::Tenant, "tenants"),
    (Kind::User, "users"),
    (Kind::Group, "groups"),
    (Kind::Role, "roles"),
    (Kind::Application, "applications"),
    (Kind::IdentityProvider, "identity_providers"),
    (Kind::Agent, "agents"),
    (Kind::Session, "sessions"),
    (Kind::ApiKey, "api_keys"),
];

impl Keyward {
    /// How many of everything there are, as far as the caller may list it.
    pub async fn dashboard_stats(&self, call: &Call) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Event)).await?;
        let mut totals = BTreeMap::new();
        for (kind, name) in COUNTED {
            if decide(&call.caller.principal, Act::List, Target::collection(kind)).is_ok() {
                totals.insert(name, self.count(&work, Query::all(kind)).await?);
            }
        }
        let mut expiring = Query::all(Kind::Application);
        let until = work.now.plus_seconds(EXPIRING_SECONDS);
        expiring.conditions = vec![
            Condition { field: Field::ExpiresAt, test: Test::From(work.now) },
            Condition { field: Field::ExpiresAt, test: Test::Before(until) },
        ];
        let expiring_applications =
            if totals.contains_key("applications") { self.count(&work, expiring).await? } else { 0 };
        let stats = StatsView {
            totals,
            expiring_applications,
            tokens_issued_24h: self.count_events(&work, &Action::TOKEN_ISSUED).await?,
            tokens_denied_24h: self.count_events(&work, &Action::TOKEN_DENIED).await?,
        };
        Ok(Document { body: forms::to_value(&stats), version: None })
    }

    async fn count(&self, work: &Work<'_>, query: Query) -> Result<u64, Error> {
        let query = Query { per_page: 1, ..query };
        Ok(self.inner.store.list(&work.reach(), &query).await?.total)
    }

    async fn count_events(&self, work: &Work<'_>, action: &Action) -> Result<u64, Error> {
        let query = EventQuery {
            from: Some(work.now.plus_seconds(-86_400)),
            action: Some(action.as_str().to_owned()),
            limit: 1,
            ..EventQuery::default()
        };
        Ok(self.inner.store.events(&work.reach(), &query).await?.total.unwrap_or_default())
    }

    /// The latest events.
    pub async fn dashboard_activity(&self, call: &Call) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Event)).await?;
        let query = EventQuery { limit: 20, cursor: Cursor::Offset(0), ..EventQuery::default() };
        let found = self.inner.store.events(&work.reach(), &query).await?;
        let data = found.items.iter().map(|chained| chained.event.view(&chained.hash)).collect();
        Ok(Document { body: forms::to_value(&ActivityView { data }), version: None })
    }

    /// Tokens and refusals over time: the last 24 hours by the hour, unless the query says otherwise.
    pub async fn dashboard_series(&self, call: &Call, pairs: &[(String, String)]) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Event)).await?;
        let mut params = Params::new(pairs)?;
        let to = params.take_moment("to")?.unwrap_or(work.now);
        let from = params.take_moment("from")?.unwrap_or(to.plus_seconds(-86_400));
        let interval_seconds = params.take_number("interval_seconds", 3_600, 31_536_000)?;
        params.finish()?;
        let spans = (to.unix_seconds() - from.unix_seconds()) / i64::from(interval_seconds);
        if !(0..=MAX_SPANS).contains(&spans) {
            let detail = format!("There can be at most {MAX_SPANS} spans between from and to.");
            return Err(Error::field(FieldError::new("interval_seconds", "out_of_range", detail)));
        }
        let query = EventQuery {
            from: Some(from),
            to: Some(to),
            action: Some("token.".to_owned()),
            ..EventQuery::default()
        };
        let tallies = self.inner.store.tally(&work.reach(), &query, interval_seconds).await?;
        let mut data: Vec<SpanView> = Vec::new();
        for tally in tallies {
            if data.last().is_none_or(|span| span.from != tally.from) {
                data.push(SpanView {
                    from: tally.from,
                    tokens_issued: 0,
                    tokens_unneeded: 0,
                    tokens_denied: BTreeMap::new(),
                });
            }
            let Some(span) = data.last_mut() else { continue };
            if tally.action == Action::TOKEN_ISSUED.as_str() {
                span.tokens_issued += tally.count;
                if tally.reason.as_deref() == Some(crate::audit::UNNEEDED) {
                    span.tokens_unneeded += tally.count;
                }
            } else if tally.action == Action::TOKEN_DENIED.as_str() {
                *span.tokens_denied.entry(tally.reason.unwrap_or_default()).or_default() += tally.count;
            }
        }
        Ok(Document { body: forms::to_value(&SeriesView { interval_seconds, data }), version: None })
    }
}
