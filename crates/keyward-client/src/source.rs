//! One kind of token: kept, renewed, and asked for by one request at a time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use crate::{AccessToken, Error, Narrowing, exchange::Exchange};

/// How long nothing is asked after the first failure; with each further one it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// It grows up to this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// No `Retry-After` is believed beyond this.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_hours(1);
/// How long an API's 401 costs no further token after one did. An API that refuses every token, because it expects
/// another audience for example, must not become a token request for each of its calls.
const REJECTION_PAUSE: Duration = Duration::from_secs(10);

type Outcome = Result<AccessToken, Error>;
type Receiver = watch::Receiver<Option<Outcome>>;

/// The tokens for one narrowing.
pub(crate) struct Source {
    exchange: Arc<Exchange>,
    narrowing: Narrowing,
    /// Never locked across an await.
    state: Mutex<State>,
}

struct State {
    token: Option<AccessToken>,
    flight: Option<Flight>,
    /// How many requests there were: their names.
    flights: u64,
    failure: Option<Failure>,
    /// When an API's 401 cost a token last.
    rejected: Option<Instant>,
    /// When a token was wanted last.
    used: Instant,
}

/// A token request under way.
struct Flight {
    name: u64,
    receiver: Receiver,
}

/// The failures since the last success.
struct Failure {
    error: Error,
    /// How many, not more than matter.
    count: u32,
    /// Until when nothing is asked.
    until: Instant,
}

/// What to do about a wanted token.
enum Step {
    Take(AccessToken),
    /// Take it, and have it renewed.
    Renew(AccessToken, Landing),
    Wait(u64, Receiver),
    Ask(u64, Receiver, Landing),
}

impl Source {
    pub(crate) fn new(exchange: Arc<Exchange>, narrowing: Narrowing) -> Self {
        let (token, flight, failure, rejected) = Default::default();
        let state = State { token, flight, flights: 0, failure, rejected, used: Instant::now() };
        Self { exchange, narrowing, state: Mutex::new(state) }
    }

    pub(crate) fn narrowing(&self) -> &Narrowing {
        &self.narrowing
    }

    /// The state, which is whole whenever its lock is free.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a token was wanted last.
    pub(crate) fn used(&self) -> Instant {
        self.state().used
    }

    /// Why there is no newer token, if the last request failed.
    pub(crate) fn last_failure(&self) -> Option<Error> {
        self.state().failure.as_ref().map(|failure| failure.at(Instant::now()))
    }

    /// A token that can be used.
    pub(crate) async fn token(self: &Arc<Self>) -> Outcome {
        self.narrowing.check()?;
        let runtime = Handle::try_current()
            .map_err(|_| Error::invalid("a token can only be asked for within a Tokio runtime"))?;
        // A request can get lost with the runtime that it was on. Twice is no accident.
        for _ in 0..2 {
            let (name, mut receiver) = match self.step()? {
                Step::Take(token) => return Ok(token),
                Step::Renew(token, landing) => {
                    runtime.spawn(landing.fly());
                    return Ok(token);
                }
                Step::Wait(name, receiver) => (name, receiver),
                Step::Ask(name, receiver, landing) => {
                    runtime.spawn(landing.fly());
                    (name, receiver)
                }
            };
            // Time for the metadata and for the token. A runtime that nobody drives any more keeps a request for ever.
            let patience = self.exchange.timeout * 2 + Duration::from_secs(1);
            match timeout(patience, receiver.wait_for(Option::is_some)).await {
                Ok(Ok(outcome)) => {
                    if let Some(outcome) = &*outcome {
                        return outcome.clone();
                    }
                }
                Ok(Err(_)) | Err(_) => self.abandon(name),
            }
        }
        Err(Error::unexpected("the token request was lost"))
    }

    /// Drops a token that an API did not accept. False if that would be the second time in a moment, and the token
    /// stays.
    pub(crate) fn reject(&self, refused: &str) -> bool {
        let (mut state, now) = (self.state(), Instant::now());
        // Who comes later finds another token, or the request for it under way.
        if state.token.as_ref().is_none_or(|token| token.secret() != refused) {
            return true;
        }
        if state.rejected.is_some_and(|at| now < at + REJECTION_PAUSE) {
            return false;
        }
        state.rejected = Some(now);
        state.token = None;
        true
    }

    fn step(self: &Arc<Self>) -> Result<Step, Error> {
        let (mut state, now) = (self.state(), Instant::now());
        state.used = now;
        state.token.take_if(|token| !token.is_alive(now));
        let paused = state.failure.as_ref().filter(|failure| now < failure.until);
        if let Some(token) = state.token.clone() {
            let renew = token.is_due(now) && state.flight.is_none() && paused.is_none();
            return Ok(if renew { Step::Renew(token, self.depart(&mut state).1) } else { Step::Take(token) });
        }
        if let Some(flight) = &state.flight {
            return Ok(Step::Wait(flight.name, flight.receiver.clone()));
        }
        if let Some(failure) = paused {
            return Err(failure.at(now));
        }
        let (receiver, landing) = self.depart(&mut state);
        Ok(Step::Ask(landing.name, receiver, landing))
    }

    /// Notes a request. It is sent without the lock: a runtime that is shutting down drops the task at once.
    fn depart(self: &Arc<Self>, state: &mut State) -> (Receiver, Landing) {
        let (sender, receiver) = watch::channel(None);
        state.flights += 1;
        let name = state.flights;
        state.flight = Some(Flight { name, receiver: receiver.clone() });
        (receiver, Landing { source: self.clone(), name, sender })
    }

    fn abandon(&self, name: u64) {
        self.state().flight.take_if(|flight| flight.name == name);
    }
}

impl Failure {
    /// The error as it is now.
    fn at(&self, now: Instant) -> Error {
        match &self.error {
            Error::RetryLater { .. } => {
                Error::RetryLater { after: self.until.saturating_duration_since(now) }
            }
            other => other.clone(),
        }
    }
}

impl State {
    /// Notes the outcome of a request, and gives it as those who wait for it are to see it.
    fn settle(&mut self, outcome: Outcome) -> Outcome {
        match outcome {
            Ok(token) => {
                self.failure = None;
                self.token = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                let now = Instant::now();
                let count = self.failure.as_ref().map_or(0, |failure| failure.count + 1).min(16);
                let pause = (FIRST_PAUSE * (1 << count)).min(LONGEST_PAUSE);
                let pause = match &error {
                    Error::RetryLater { after } if !after.is_zero() => (*after).min(LONGEST_ASKED_PAUSE),
                    _ => pause,
                };
                let failure = Failure { error, count, until: now + pause };
                let error = failure.at(now);
                self.failure = Some(failure);
                Err(error)
            }
        }
    }
}

/// Brings a request to its end, even if its task is dropped.
struct Landing {
    source: Arc<Source>,
    name: u64,
    sender: watch::Sender<Option<Outcome>>,
}

impl Landing {
    async fn fly(self) {
        let outcome = self.source.exchange.ask(&self.source.narrowing).await;
        let outcome = {
            let mut state = self.source.state();
            // A request that was given up has no say any more, but those who still wait get its outcome.
            match state.flight.take_if(|flight| flight.name == self.name) {
                Some(_) => state.settle(outcome),
                None => outcome,
            }
        };
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.source.abandon(self.name);
    }
}
