//! Who uses an API key, and who still uses the one before it.

use std::collections::BTreeMap;

use keyward_model::{ApiKey, Caller, Entity, Id, Reach, Timestamp};
use keyward_store::StoreExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::Document;
use crate::{Call, Error, Keyward, forms};

/// How long before a rotation a caller must have used the old key to count, in seconds.
const RECENT_SECONDS: i64 = 30 * 86_400;

/// How a key is used.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyUsage)]
pub struct KeyUsageView {
    /// The key.
    #[schema(value_type = String)]
    pub key_id: Id<ApiKey>,
    /// How often it was used.
    pub use_count: u64,
    /// When it was last used; at most 60 seconds behind.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// Who used it, the latest first.
    pub callers: Vec<Caller>,
    /// How often it was used on each day that it was used on, the oldest first.
    pub days: Vec<DayView>,
}

/// How often something was used on a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = UsageDay)]
pub struct DayView {
    /// The day, in UTC.
    #[schema(format = Date)]
    pub date: String,
    /// How often.
    pub count: u64,
}

/// Who still uses the key before this one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PredecessorCallers)]
pub struct PredecessorView {
    /// The key before this one; null when there is none.
    #[schema(value_type = Option<String>)]
    pub predecessor_id: Option<Id<ApiKey>>,
    /// How many callers used it in the 30 days before the rotation, or since.
    pub total: u64,
    /// Those who have not used this key since they last used the old one.
    pub still: Vec<Caller>,
    /// Those who have.
    pub moved: Vec<Caller>,
}

impl Keyward {
    /// How an API key is used.
    pub async fn api_key_usage(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let (key, view, usage) = self.key_with_usage(call, id).await?;
        let mut days: BTreeMap<_, u64> = BTreeMap::new();
        for row in &usage {
            *days.entry(row.day).or_default() += row.count;
        }
        let day = |(date, count): (chrono::NaiveDate, u64)| DayView { date: date.to_string(), count };
        let view = KeyUsageView {
            key_id: key.id(),
            use_count: view.use_count,
            last_used_at: view.last_used_at,
            callers: view.callers,
            days: days.into_iter().map(day).collect(),
        };
        Ok(Document { body: forms::to_value(&view), version: None })
    }

    /// Who still uses the key before this one.
    pub async fn predecessor_callers(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let (key, view, _) = self.key_with_usage(call, id).await?;
        // The old key is of the same tenant, so whoever reads the new one may read it.
        let old: Option<ApiKey> = match key.predecessor_id {
            Some(id) => self.inner.store.get_as(&Reach::Platform, id).await?,
            None => None,
        };
        let usage = match &old {
            Some(old) => self.usage_of(&[old.id().any()]).await?.remove(&old.id().any()).unwrap_or_default(),
            None => Vec::new(),
        };
        let since = key.meta.created_at.plus_seconds(-RECENT_SECONDS);
        let callers = old.iter().flat_map(|old| old.view_with(self.now(), &usage).callers);
        let recent = callers.filter(|caller| caller.last_used_at >= since);
        let has_moved = |caller: &Caller| {
            view.callers
                .iter()
                .any(|new| new.address == caller.address && new.last_used_at >= caller.last_used_at)
        };
        let (moved, still): (Vec<Caller>, Vec<Caller>) = recent.partition(has_moved);
        let view = PredecessorView {
            predecessor_id: key.predecessor_id,
            total: (moved.len() + still.len()) as u64,
            still,
            moved,
        };
        Ok(Document { body: forms::to_value(&view), version: None })
    }
}
