//! Telling in time that applications expire: an event for each of them 30, 14, 7 and 1 days before.

use keyward_model::{Action, Application, Field, FieldChange, Kind, Timestamp};
use keyward_store::{Change, Condition, Query, StoreError, Test, Ticket, TicketKey};
use serde_json::json;

use crate::{Call, Caller, Keyward, Origin, admin::Work, directory::all};

/// How many days before, each once.
const THRESHOLDS: [i64; 4] = [30, 14, 7, 1];
const DAY: i64 = 86_400;
/// How many events one commit has at most.
const GROUP: usize = 500;

/// Up to which moment expiries have been told.
fn mark() -> TicketKey {
    TicketKey::new("system", "expiring_told_until")
}

fn between(from: Timestamp, to: Timestamp) -> Query {
    let mut query = Query::all(Kind::Application);
    query.sort = Field::ExpiresAt;
    query.conditions = vec![
        Condition { field: Field::ExpiresAt, test: Test::From(from) },
        Condition { field: Field::ExpiresAt, test: Test::Before(to) },
    ];
    query
}

impl Keyward {
    /// Tells which applications came within a threshold since this was last done, by whichever process.
    pub(crate) async fn tell_expiring(&self) -> Result<(), StoreError> {
        let now = self.now();
        let store = &*self.inner.store;
        let before = store.ticket(&mark(), now).await?;
        let told = before.as_ref().and_then(|ticket| Timestamp::parse(&ticket.value).ok());
        let from = told.unwrap_or(now);
        let call = Call { caller: Caller::system(), origin: Origin::default(), idempotency: None };
        let work = Work::begin(self, &call);
        let mut events = Vec::new();
        for days in THRESHOLDS {
            let query = between(from.plus_seconds(days * DAY), now.plus_seconds(days * DAY));
            for application in all::<Application>(store, query).await?.0 {
                let change = FieldChange { field: "days".to_owned(), from: json!(null), to: json!(days) };
                events.push(work.done(Action::APPLICATION_EXPIRING, &application, &[change]));
            }
        }
        let query = between(now, now.plus_seconds(THRESHOLDS[0] * DAY));
        let expiring =
            store.list(&keyward_model::Reach::Platform, &Query { per_page: 1, ..query }).await?.total;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and no deployment has 2^52 applications"
        )]
        metrics::gauge!("keyward_applications_expiring", "within_days" => "30").set(expiring as f64);
        // The mark moves with the first events: a process that was slower finds another mark, and tells nothing.
        let mut change = Change::default();
        change.consume.extend(before.map(|ticket| ticket.key));
        change.tickets.push(Ticket { key: mark(), value: now.to_string(), expires_at: None });
        let mut rest = events.into_iter();
        loop {
            let group: Vec<_> = rest.by_ref().take(GROUP).collect();
            let is_last = group.len() < GROUP;
            match self.commit(std::mem::take(&mut change), group).await {
                Ok(_) if is_last => return Ok(()),
                Ok(_) => {}
                Err(StoreError::Stale | StoreError::Taken(_)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
