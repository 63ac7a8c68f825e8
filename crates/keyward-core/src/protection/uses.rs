//! Evidence of use of API keys. Unlike tokens, checks of keys leave no event from which they could be counted after the
//! process died: they are counted in memory, and stored every second.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, Weak},
    time::Duration,
};

use keyward_model::{AnyId, Usage};
use keyward_store::{Change, StoreError, UsageBatch};
use tokio::{
    sync::RwLock,
    time::{Instant, sleep},
};

use crate::{
    Inner, Keyward,
    audit::{Uses, merge},
};

/// How long a use waits to be stored. So much is lost when the process is killed, and nothing when it ends by itself.
const WAIT: Duration = Duration::from_secs(1);
/// The longest wait, when very many keys are in use at the same time.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// One part in so many of the time is spent on storing, at most.
const SHARE: u32 = 20;
/// How many rows one commit takes. Others wait for it: those who were granted a token, for example.
const BATCH: usize = 500;

/// The uses that are not stored yet.
#[derive(Debug, Default)]
pub(crate) struct KeyUses {
    pending: Mutex<Uses>,
    /// Held by whoever stores them, and shared by those who read: a use is pending or stored, never both or neither, unless
    /// it was left to the writer because it could not be stored.
    storing: RwLock<()>,
}

impl KeyUses {
    pub(super) fn count(&self, usage: Usage) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).count(usage);
    }

    fn of(&self, subject: AnyId) -> Vec<Usage> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).of(subject)
    }

    fn take(&self) -> Vec<Usage> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner)).rows()
    }
}

impl Inner {
    async fn store_uses(&self) {
        let _alone = self.uses.storing.write().await;
        let mut rows = self.uses.take();
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(BATCH));
            let usage = Some(UsageBatch { counted: None, rows: rows.clone() });
            if let Err(error) = self.writer.commit(Change { usage, ..Change::default() }, Vec::new()).await {
                tracing::warn!(%error, "uses of API keys could not be stored; trying again later");
                // The rest would wait as long, and whoever stops the process for all of it.
                self.leave(rows);
                return self.leave(rest);
            }
            rows = rest;
        }
    }

    /// Leaves uses to the writer, which tries again and again, and once more when it stops.
    fn leave(&self, rows: Vec<Usage>) {
        for usage in rows {
            self.writer.used(usage);
        }
    }
}

impl Keyward {
    /// Leaves what was counted to the writer. To be called before that is stopped.
    pub(crate) async fn leave_uses(&self) {
        let _alone = self.inner.uses.storing.write().await;
        self.inner.leave(self.inner.uses.take());
    }

    /// The evidence of use of these credentials, what is not stored yet included.
    pub(crate) async fn usage_of(&self, ids: &[AnyId]) -> Result<HashMap<AnyId, Vec<Usage>>, StoreError> {
        let _settled = self.inner.uses.storing.read().await;
        let (uses, writer) = (&self.inner.uses, &self.inner.writer);
        let pending = |id: &AnyId| uses.of(*id).into_iter().chain(writer.pending_usage(*id));
        let pending = ids.iter().flat_map(pending).collect();
        let stored = self.inner.store.usage(ids).await?;
        let mut by_id: HashMap<AnyId, Vec<Usage>> = HashMap::new();
        for usage in merge(stored, pending) {
            by_id.entry(usage.subject).or_default().push(usage);
        }
        Ok(by_id)
    }
}

/// Stores uses until the last handle is gone.
pub(crate) async fn store_uses(inner: Weak<Inner>) {
    let mut wait = WAIT;
    loop {
        sleep(wait).await;
        let Some(inner) = inner.upgrade() else { return };
        let began = Instant::now();
        inner.store_uses().await;
        wait = (began.elapsed() * SHARE).clamp(WAIT, LONGEST_WAIT);
    }
}
