//! What waits to be committed, events together, and those who wait until it is.
//!
//! A group that is committed wakes one of those who wait for it, who wakes the others. Were it the writer who woke them
//! all, each would run and go to sleep again before the next is woken, where they share a core with the writer: two
//! switches of threads for every event instead of two for all.

use std::{
    collections::VecDeque,
    mem,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Instant,
};

use keyward_model::Event;
use keyward_store::{Change, Revision, StoreError};
use tokio::sync::oneshot;

/// How many events, and how many changes, may wait; beyond it requests are refused.
const QUEUE: usize = 8_192;
/// How many events one commit takes at most.
pub(super) const GROUP: usize = 512;
/// How many events a group has room for at first.
const ROOM: usize = 32;

fn full() -> StoreError {
    StoreError::unavailable("the audit log's queue is full")
}

pub(super) fn gone() -> StoreError {
    StoreError::unavailable("the audit log's writer has stopped")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was not taken yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    groups: VecDeque<Group>,
    events: usize,
    writes: VecDeque<Write>,
    /// Whether the writer sleeps, so that it must be woken.
    asleep: bool,
    stopping: bool,
    closed: bool,
}

/// A change with its events, which is committed by itself.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) change: Change,
    pub(super) events: Vec<Event>,
    pub(super) reply: oneshot::Sender<Result<Revision, StoreError>>,
}

/// Events for one commit. When it is dropped before its commit is known, those who wait are told that the writer is gone.
#[derive(Debug)]
pub(super) struct Group {
    events: Vec<Event>,
    waiters: Arc<Mutex<Waiters>>,
}

#[derive(Debug, Default)]
struct Waiters {
    outcome: Option<Result<(), Arc<str>>>,
    wakers: Vec<Option<Waker>>,
}

/// Waits for the commit of a group.
#[derive(Debug)]
pub(super) struct Committed {
    waiters: Arc<Mutex<Waiters>>,
    /// Which of the wakers is this one's.
    place: Option<usize>,
}

impl Queue {
    /// Puts an event into the newest group.
    pub(super) fn push(&self, event: Event) -> Result<Committed, StoreError> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(gone());
        }
        if waiting.events >= QUEUE {
            return Err(full());
        }
        if waiting.groups.back().is_none_or(|group| group.events.len() >= GROUP) {
            let events = Vec::with_capacity(ROOM);
            waiting.groups.push_back(Group { events, waiters: Arc::default() });
        }
        waiting.events += 1;
        let newest = waiting.groups.back_mut().ok_or_else(gone)?;
        newest.events.push(event);
        let waiters = newest.waiters.clone();
        self.wake(waiting);
        Ok(Committed { waiters, place: None })
    }

    /// Puts a change behind the others.
    pub(super) fn put(&self, write: Write) -> Result<(), StoreError> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(gone());
        }
        if waiting.writes.len() >= QUEUE {
            return Err(full());
        }
        waiting.writes.push_back(write);
        self.wake(waiting);
        Ok(())
    }

    /// Asks the writer to finish.
    pub(super) fn stop(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.stopping = true;
        self.wake(waiting);
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        if mem::take(&mut waiting.asleep) {
            drop(waiting);
            self.arrived.notify_one();
        }
    }

    /// Sleeps until something was put in, the writer is to finish, or it is so late.
    pub(super) fn wait(&self, until: Instant) {
        let mut waiting = lock(&self.waiting);
        while waiting.events == 0 && waiting.writes.is_empty() && !waiting.stopping {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting.asleep = true;
            waiting = self.arrived.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting.asleep = false;
    }

    /// How many events wait.
    pub(super) fn len(&self) -> usize {
        lock(&self.waiting).events
    }

    /// The oldest group.
    pub(super) fn take(&self) -> Option<Group> {
        let mut waiting = lock(&self.waiting);
        let group = waiting.groups.pop_front()?;
        waiting.events -= group.events.len();
        Some(group)
    }

    /// The changes, oldest first.
    pub(super) fn take_writes(&self) -> VecDeque<Write> {
        mem::take(&mut lock(&self.waiting).writes)
    }

    /// Whether the writer was asked to finish.
    pub(super) fn is_stopping(&self) -> bool {
        lock(&self.waiting).stopping
    }

    /// Takes nothing more.
    pub(super) fn close(&self) {
        lock(&self.waiting).closed = true;
    }

    /// Whether nothing more is taken.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.waiting).closed
    }
}

impl Group {
    /// Its events, once.
    pub(super) fn events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    /// Says how the commit went.
    pub(super) fn resolve(self, outcome: Result<(), StoreError>) {
        self.settle(outcome.map_err(|error| error.to_string().into()));
    }

    fn settle(&self, outcome: Result<(), Arc<str>>) {
        let mut waiters = lock(&self.waiters);
        if waiters.outcome.is_some() {
            return;
        }
        waiters.outcome = Some(outcome);
        let first = waiters.wakers.iter_mut().find_map(Option::take);
        drop(waiters);
        if let Some(first) = first {
            first.wake();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.settle(Err("the audit log's writer has stopped".into()));
    }
}

fn wake(others: Vec<Option<Waker>>) {
    others.into_iter().flatten().for_each(Waker::wake);
}

impl Future for Committed {
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut waiters = lock(&this.waiters);
        let Some(outcome) = waiters.outcome.clone() else {
            let waker = Some(context.waker().clone());
            if let Some(place) = this.place {
                waiters.wakers[place] = waker;
            } else {
                this.place = Some(waiters.wakers.len());
                waiters.wakers.push(waker);
            }
            return Poll::Pending;
        };
        let others = mem::take(&mut waiters.wakers);
        drop(waiters);
        wake(others);
        Poll::Ready(outcome.map_err(|error| StoreError::unavailable(&*error)))
    }
}

impl Drop for Committed {
    /// Who leaves must not be the one that is woken; and who was woken and leaves without a look wakes the others.
    fn drop(&mut self) {
        let mut waiters = lock(&self.waiters);
        if waiters.outcome.is_some() {
            let others = mem::take(&mut waiters.wakers);
            drop(waiters);
            wake(others);
        } else if let Some(place) = self.place {
            waiters.wakers[place] = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use keyward_model::{Action, Changes, Context as Origin, Id, Outcome, SeededRandom, Subject, Timestamp};
    use tokio::task::{JoinSet, yield_now};

    use super::*;

    fn event() -> Event {
        let now = Timestamp::from_unix_millis(0).unwrap();
        Event {
            id: Id::generate(now, &SeededRandom::new(1)),
            occurred_at: now,
            action: Action::TOKEN_ISSUED,
            outcome: Outcome::Success,
            reason: None,
            actor: Subject::system(),
            resource: None,
            tenant_id: None,
            partner_id: None,
            changes: Changes::default(),
            context: Origin::default(),
        }
    }

    /// So many that wait for one group.
    async fn waiting(queue: &Queue, number: usize) -> JoinSet<Result<(), StoreError>> {
        let mut tasks = JoinSet::new();
        for _ in 0..number {
            tasks.spawn(queue.push(event()).unwrap());
        }
        yield_now().await;
        tasks
    }

    #[tokio::test]
    async fn all_learn_of_their_own_commit() {
        let queue = Queue::default();
        let tasks = waiting(&queue, 3).await;
        let mut group = queue.take().unwrap();
        let later = queue.push(event()).unwrap();
        assert_eq!((group.events().len(), queue.len()), (3, 1));
        group.resolve(Ok(()));
        assert!(tasks.join_all().await.iter().all(Result::is_ok));
        queue.take().unwrap().resolve(Err(StoreError::Stale));
        assert!(matches!(later.await, Err(StoreError::Unavailable(_))));
    }

    #[tokio::test]
    async fn the_others_are_woken_whoever_leaves() {
        for woken_first in [true, false] {
            let queue = Queue::default();
            let mut leaving = Box::pin(queue.push(event()).unwrap());
            let polled = poll_fn(|context| Poll::Ready(leaving.as_mut().poll(context).is_pending()));
            assert!(polled.await);
            let tasks = waiting(&queue, 3).await;
            let group = queue.take().unwrap();
            if woken_first {
                group.resolve(Ok(()));
                drop(leaving);
            } else {
                drop(leaving);
                group.resolve(Ok(()));
            }
            assert!(tasks.join_all().await.iter().all(Result::is_ok));
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_writer_that_is_gone() {
        let queue = Queue::default();
        let tasks = waiting(&queue, 3).await;
        queue.close();
        assert!(queue.push(event()).is_err());
        drop(queue.take());
        assert!(tasks.join_all().await.iter().all(Result::is_err));
    }

    #[tokio::test]
    async fn groups_and_their_number_are_bounded() {
        let queue = Queue::default();
        let waiting: Vec<Committed> = (0..QUEUE).map(|_| queue.push(event()).unwrap()).collect();
        assert!(queue.push(event()).is_err());
        assert_eq!(queue.take().unwrap().events().len(), GROUP);
        assert!(queue.push(event()).is_ok());
        assert_eq!(waiting.len(), QUEUE);
    }
}
