//! The one place from which a process writes: everything that is queued while a commit is being synced goes into the
//! next one, and each reply leaves after its own commit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use keyward_model::{AnyId, Clock, Event, Random, Usage};
use keyward_store::{Change, Revision, Store, StoreError, UsageBatch};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    chain::{Chain, checkpoint, checkpoint_payload, opening},
    group::{GROUP, Group, Queue, Write, gone},
    usage::{PendingUsage, Uses, recount, usage_of},
};

/// After how many events the chain is signed.
const CHECKPOINT_EVERY: i64 = 10_000;
/// How often the evidence of use is stored.
const USAGE_INTERVAL: Duration = Duration::from_secs(15);
/// A chain that did not move for so long, in seconds, belongs to a process that is gone or has nothing to count.
const ABANDONED_SECONDS: i64 = 45;

/// Signs a payload under a `typ`; nothing when there is no key.
pub(crate) type Signer = Arc<dyn Fn(&str, &[u8]) -> Option<String> + Send + Sync>;

/// Where writes are handed in.
#[derive(Debug)]
pub(crate) struct WriterHandle {
    queue: Arc<Queue>,
    usage: Arc<Mutex<PendingUsage>>,
    uses: Arc<Mutex<Uses>>,
    finished: Mutex<Option<oneshot::Receiver<()>>>,
}

/// The writer's state; it lives on a thread of its own, which waits for the disk itself.
pub(crate) struct Writer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sign: Signer,
    queue: Arc<Queue>,
    chain: Chain,
    /// Whether storage may have another end of the chain than `chain`.
    uncertain: bool,
    checkpoint_seq: i64,
    usage: Arc<Mutex<PendingUsage>>,
    /// Use that no event tells of.
    uses: Arc<Mutex<Uses>>,
}

impl Drop for Writer {
    /// However it ends, nobody waits for it.
    fn drop(&mut self) {
        self.queue.close();
        while self.queue.take().is_some() {}
        drop(self.queue.take_writes());
    }
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

impl WriterHandle {
    /// Writes an event; returns after its commit.
    pub(crate) async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.queue.push(event)?.await
    }

    /// Writes a change with its events; returns after its commit.
    pub(crate) async fn commit(&self, change: Change, events: Vec<Event>) -> Result<Revision, StoreError> {
        let (reply, done) = oneshot::channel();
        self.queue.put(Write { change, events, reply })?;
        done.await.map_err(|_| gone())?
    }

    /// What this process counted for a credential and did not store yet.
    pub(crate) fn pending_usage(&self, subject: AnyId) -> Vec<Usage> {
        let mut pending = self.usage.lock().unwrap_or_else(PoisonError::into_inner).of(subject);
        pending.extend(self.uses.lock().unwrap_or_else(PoisonError::into_inner).of(subject));
        pending
    }

    /// Counts a use that no event tells of. It is stored with the next evidence of use.
    pub(crate) fn used(&self, usage: Usage) {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).count(usage);
    }

    /// Whether anything is taken.
    pub(crate) fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Finishes what is queued, stores the evidence of use, and signs the chain.
    pub(crate) async fn stop(&self) {
        let finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(finished) = finished {
            self.queue.stop();
            // It ends without a word when its thread does.
            let _ = finished.await;
        }
    }
}

/// Lets those finish who are about to hand in an event, as long as any do: where threads outnumber cores, a commit would
/// otherwise begin with the first event alone and keep all others waiting for its sync. It waits for nobody: with nothing
/// else to run, giving way takes a microsecond.
fn gather(queue: &Queue) {
    let mut before = queue.len();
    loop {
        thread::yield_now();
        let waiting = queue.len();
        if waiting == before || waiting >= GROUP {
            return;
        }
        before = waiting;
    }
}

impl Writer {
    /// Opens a chain and starts the writer.
    pub(crate) async fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        sign: Signer,
    ) -> Result<WriterHandle, StoreError> {
        let now = clock.now();
        let chain = Chain::new(now, &*random);
        let usage = Arc::new(Mutex::new(PendingUsage::default()));
        let uses = Arc::new(Mutex::new(Uses::default()));
        let queue = Arc::new(Queue::default());
        let mut writer = Self {
            store,
            clock,
            random,
            sign,
            queue: queue.clone(),
            chain,
            uncertain: false,
            checkpoint_seq: 1,
            usage: usage.clone(),
            uses: uses.clone(),
        };
        let heads = writer.store.chains().await?;
        let first = opening(&writer.chain, &heads, now, &*writer.random);
        writer.append(vec![first]).await?;
        let (ended, finished) = oneshot::channel();
        let runtime = Handle::current();
        let work = move || {
            runtime.block_on(writer.run());
            // Nobody may wait for it.
            let _ = ended.send(());
        };
        let thread = thread::Builder::new().name("keyward-audit".to_owned());
        thread.spawn(work).map_err(StoreError::unavailable)?;
        Ok(WriterHandle { queue, usage, uses, finished: Mutex::new(Some(finished)) })
    }

    /// Works until it is asked to stop. It sleeps without giving its thread away: nobody else is on it.
    async fn run(mut self) {
        let queue = self.queue.clone();
        let mut next_usage = Instant::now();
        loop {
            queue.wait(next_usage);
            // First, or it would wait for as long as there is something to commit.
            if Instant::now() >= next_usage {
                self.store_usage().await;
                next_usage = Instant::now() + USAGE_INTERVAL;
            }
            gather(&queue);
            self.work().await;
            if queue.is_stopping() {
                break;
            }
        }
        queue.close();
        while let Some(group) = queue.take() {
            self.write(group).await;
        }
        self.write_changes().await;
        self.store_usage().await;
        if self.chain.seq > self.checkpoint_seq {
            self.checkpoint().await;
        }
    }

    /// Does what is queued: a group of events, and the changes that are there by then.
    async fn work(&mut self) {
        if let Some(group) = self.queue.take() {
            self.write(group).await;
        }
        self.write_changes().await;
        if self.chain.seq - self.checkpoint_seq >= CHECKPOINT_EVERY {
            self.checkpoint().await;
        }
    }

    async fn write_changes(&mut self) {
        for Write { change, events, reply } in self.queue.take_writes() {
            // The caller may have gone away; its change stays.
            drop(reply.send(self.commit(change, events).await));
        }
    }

    async fn write(&mut self, mut group: Group) {
        let result = self.append(group.events()).await;
        group.resolve(result);
    }

    async fn append(&mut self, events: Vec<Event>) -> Result<(), StoreError> {
        self.commit(Change::default(), events).await.map(|_| ())
    }

    /// Commits a change with its events at the end of the chain, which moves only when that succeeds.
    async fn commit(&mut self, mut change: Change, events: Vec<Event>) -> Result<Revision, StoreError> {
        if self.uncertain {
            let heads = self.store.chains().await?;
            self.chain.rewind(&heads);
            self.uncertain = false;
        }
        let mut chain = self.chain.clone();
        change.events = chain.link(events);
        let uses: Vec<Usage> = change.events.iter().filter_map(|chained| usage_of(&chained.event)).collect();
        match self.store.commit_here(change).await {
            Ok(revision) => {
                self.chain = chain;
                self.usage.lock().unwrap_or_else(PoisonError::into_inner).count(self.chain.seq, uses);
                Ok(revision)
            }
            Err(error) => {
                // A key that is taken says nothing about the chain; anything else may.
                self.uncertain = !matches!(error, StoreError::Taken(_));
                Err(error)
            }
        }
    }

    async fn checkpoint(&mut self) {
        let now = self.clock.now();
        let payload = checkpoint_payload(&self.chain.name, self.chain.seq, &self.chain.hash, now);
        if let Some(signature) = (self.sign)(super::CHECKPOINT_TYP, &payload) {
            let event = checkpoint(&self.chain, &signature, now, &*self.random);
            match self.append(vec![event]).await {
                Ok(()) => self.checkpoint_seq = self.chain.seq,
                Err(error) => {
                    tracing::warn!(%error, "the audit chain could not be signed; trying again later");
                }
            }
        }
    }

    /// Stores what was counted here, and what chains of other processes left uncounted.
    async fn store_usage(&mut self) {
        if let Err(error) = self.try_store_usage().await {
            tracing::warn!(%error, "the evidence of use could not be stored; trying again later");
        }
    }

    async fn try_store_usage(&mut self) -> Result<(), StoreError> {
        self.store_uses().await?;
        let batch = self.usage.lock().unwrap_or_else(PoisonError::into_inner).batch(&self.chain.name);
        if let Some(batch) = batch {
            let to_seq = self.usage.lock().unwrap_or_else(PoisonError::into_inner).to_seq();
            let stored = self.store.commit(Change { usage: Some(batch), ..Change::default() }).await;
            let pending = match stored {
                Ok(_) => PendingUsage::after(to_seq),
                // An earlier attempt that seemed to fail had been stored: count again from where storage is.
                Err(StoreError::Stale) => {
                    let heads = self.store.chains().await?;
                    let head = heads.iter().find(|head| head.chain == self.chain.name);
                    recount(&*self.store, &self.chain.name, head.map_or(0, |head| head.usage_seq)).await?
                }
                Err(error) => return Err(error),
            };
            // Only this task counts, so nothing was added in the meantime.
            *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = pending;
        }
        self.adopt_abandoned().await
    }

    /// Stores the use that no event tells of. What can't be stored is kept for the next time.
    async fn store_uses(&self) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner)).rows();
        if rows.is_empty() {
            return Ok(());
        }
        let batch = UsageBatch { counted: None, rows: rows.clone() };
        let stored = self.store.commit(Change { usage: Some(batch), ..Change::default() }).await;
        if stored.is_err() {
            let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                uses.count(row);
            }
        }
        stored.map(|_| ())
    }

    async fn adopt_abandoned(&self) -> Result<(), StoreError> {
        let before = self.clock.now().plus_seconds(-ABANDONED_SECONDS);
        for head in self.store.chains().await? {
            if head.chain == self.chain.name || head.usage_seq >= head.seq || head.updated_at > before {
                continue;
            }
            let pending = recount(&*self.store, &head.chain, head.usage_seq).await?;
            let Some(batch) = pending.batch(&head.chain) else { continue };
            match self.store.commit(Change { usage: Some(batch), ..Change::default() }).await {
                // Stale: another process was quicker.
                Ok(_) | Err(StoreError::Stale) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
