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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keyward_crypto::{master::MasterKey, random::SystemRandom};
    use keyward_model::{Action, ManualClock};
    use keyward_store::{EventQuery, Store};
    use keyward_store_memory::MemoryStore;

    use super::*;
    use crate::{NewClient, Options};

    /// How many days before its expiry each event said it was, the newest first.
    async fn told(keyward: &Keyward) -> Vec<i64> {
        keyward.tell_expiring().await.unwrap();
        let action = Some(Action::APPLICATION_EXPIRING.as_str().to_owned());
        let query = EventQuery { action, limit: 100, ..EventQuery::default() };
        let found = keyward.inner.store.events(&keyward_model::Reach::Platform, &query).await.unwrap();
        let days = |change: &FieldChange| change.to.as_i64();
        found.items.iter().filter_map(|item| item.event.changes.list().first().and_then(days)).collect()
    }

    #[tokio::test]
    async fn each_threshold_is_told_once() {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-03T12:00:00Z").unwrap()));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let master = MasterKey::generate(&SystemRandom);
        let options = Options::new("http://127.0.0.1:8080");
        let start = Keyward::start(store, &master, options, clock.clone(), Arc::new(SystemRandom));
        let keyward = start.await.unwrap();
        let call = Call { caller: Caller::operator("test"), origin: Origin::default(), idempotency: None };
        // It expires in a year.
        let new = NewClient {
            client_id: "crm-sync".to_owned(),
            scopes: "admin:read".parse().unwrap(),
            secret: None,
        };
        keyward.create_client(&call, new).await.unwrap();
        assert!(told(&keyward).await.is_empty());
        clock.advance_seconds(334 * DAY);
        assert!(told(&keyward).await.is_empty(), "31 days before");
        clock.advance_seconds(DAY + 60);
        assert_eq!(told(&keyward).await, [30]);
        assert_eq!(told(&keyward).await, [30], "once");
        clock.advance_seconds(16 * DAY);
        assert_eq!(told(&keyward).await, [14, 30]);
        clock.advance_seconds(13 * DAY);
        let mut all = told(&keyward).await;
        all.sort_unstable();
        assert_eq!(all, [1, 7, 14, 30], "what was missed is told, too");
        clock.advance_seconds(2 * DAY);
        assert_eq!(told(&keyward).await.len(), 4, "nothing more once it has expired");
    }
}
