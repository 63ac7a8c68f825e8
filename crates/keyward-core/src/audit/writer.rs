//! The one place from which a process writes: everything that is queued while a commit is being synced goes into the
//! next one, and each reply leaves after its own commit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use keyward_model::{AnyId, Clock, Event, Random, Usage};
use keyward_store::{Change, Revision, Store, StoreError, UsageBatch};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    chain::{Chain, checkpoint, checkpoint_payload, opening},
    usage::{PendingUsage, Uses, recount, usage_of},
};

/// How many jobs may wait; beyond it requests are refused.
const QUEUE: usize = 8_192;
/// How many events one commit takes at most.
const GROUP: usize = 512;
/// After how many events the chain is signed.
const CHECKPOINT_EVERY: i64 = 10_000;
/// How often the evidence of use is stored.
const USAGE_INTERVAL: Duration = Duration::from_secs(15);
/// A chain that did not move for so long, in seconds, belongs to a process that is gone or has nothing to count.
const ABANDONED_SECONDS: i64 = 45;

/// Signs a payload under a `typ`; nothing when there is no key.
pub(crate) type Signer = Arc<dyn Fn(&str, &[u8]) -> Option<String> + Send + Sync>;

enum Job {
    Append(Box<Event>, oneshot::Sender<Result<(), StoreError>>),
    Commit(Box<Change>, Vec<Event>, oneshot::Sender<Result<Revision, StoreError>>),
    Stop,
}

/// Where writes are handed in.
#[derive(Debug)]
pub(crate) struct WriterHandle {
    queue: mpsc::Sender<Job>,
    usage: Arc<Mutex<PendingUsage>>,
    uses: Arc<Mutex<Uses>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// The writer's state; it lives in a task of its own.
pub(crate) struct Writer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sign: Signer,
    chain: Chain,
    /// Whether storage may have another end of the chain than `chain`.
    uncertain: bool,
    checkpoint_seq: i64,
    usage: Arc<Mutex<PendingUsage>>,
    /// Use that no event tells of.
    uses: Arc<Mutex<Uses>>,
}

fn full() -> StoreError {
    StoreError::unavailable("the audit log's queue is full")
}

fn gone() -> StoreError {
    StoreError::unavailable("the audit log's writer has stopped")
}

impl WriterHandle {
    /// Writes an event; returns after its commit.
    pub(crate) async fn append(&self, event: Event) -> Result<(), StoreError> {
        let (reply, done) = oneshot::channel();
        self.queue.try_send(Job::Append(Box::new(event), reply)).map_err(|_| full())?;
        done.await.map_err(|_| gone())?
    }

    /// Writes a change with its events; returns after its commit.
    pub(crate) async fn commit(&self, change: Change, events: Vec<Event>) -> Result<Revision, StoreError> {
        let (reply, done) = oneshot::channel();
        self.queue.try_send(Job::Commit(Box::new(change), events, reply)).map_err(|_| full())?;
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
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).add(usage);
    }

    /// Whether jobs are taken.
    pub(crate) fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Finishes what is queued, stores the evidence of use, and signs the chain.
    pub(crate) async fn stop(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // When the queue is closed already, the task is about to end by itself.
            let _ = self.queue.send(Job::Stop).await;
            let _ = task.await;
        }
    }
}

/// Lets those finish who are about to hand in a job, as long as any do: where threads outnumber cores, a commit would
/// otherwise begin with the first job alone and keep all others waiting for its sync. It waits for nobody: with nothing
/// else to run, giving way takes a microsecond.
fn gather(jobs: &mut mpsc::Receiver<Job>, batch: &mut Vec<Job>) {
    loop {
        std::thread::yield_now();
        let before = batch.len();
        while batch.len() < GROUP
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        if batch.len() == before || batch.len() >= GROUP {
            return;
        }
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
        let mut writer = Self {
            store,
            clock,
            random,
            sign,
            chain,
            uncertain: false,
            checkpoint_seq: 1,
            usage: usage.clone(),
            uses: uses.clone(),
        };
        let heads = writer.store.chains().await?;
        let first = opening(&writer.chain, &heads, now, &*writer.random);
        writer.append(vec![first]).await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        let task = tokio::spawn(writer.run(jobs));
        Ok(WriterHandle { queue, usage, uses, task: Mutex::new(Some(task)) })
    }

    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(GROUP);
        let mut tick = tokio::time::interval(USAGE_INTERVAL);
        loop {
            tokio::select! {
                biased;
                taken = jobs.recv_many(&mut batch, GROUP) => {
                    gather(&mut jobs, &mut batch);
                    if taken == 0 || self.work(&mut batch).await {
                        break;
                    }
                }
                _ = tick.tick() => self.store_usage().await,
            }
        }
        self.store_usage().await;
        if self.chain.seq > self.checkpoint_seq {
            self.checkpoint().await;
        }
    }

    /// Does what is queued; returns whether it is time to stop.
    async fn work(&mut self, batch: &mut Vec<Job>) -> bool {
        let (mut events, mut waiting, mut commits, mut stop) = (Vec::new(), Vec::new(), Vec::new(), false);
        for job in batch.drain(..) {
            match job {
                Job::Append(event, reply) => {
                    events.push(*event);
                    waiting.push(reply);
                }
                Job::Commit(change, events, reply) => commits.push((change, events, reply)),
                Job::Stop => stop = true,
            }
        }
        if !events.is_empty() {
            let mut result = self.append(events).await;
            for reply in waiting {
                let answer = match &mut result {
                    Ok(()) => Ok(()),
                    Err(error) => Err(StoreError::unavailable(error.to_string())),
                };
                // The caller may have gone away; its event stays.
                let _ = reply.send(answer);
            }
        }
        for (change, events, reply) in commits {
            let _ = reply.send(self.commit(*change, events).await);
        }
        if self.chain.seq - self.checkpoint_seq >= CHECKPOINT_EVERY {
            self.checkpoint().await;
        }
        stop
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
        match self.store.commit(change).await {
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
                uses.add(row);
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
