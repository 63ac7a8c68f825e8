//! Passwords are hashed apart from everything else: a few at a time, on threads that may block.

use std::{
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
};

use keyward_crypto::{
    password::{self, Unhashable},
    random::SystemRandom,
};
use keyward_model::Random;
use tokio::sync::Semaphore;

use super::SignInError;

/// How many may wait for their turn; more than that would wait longer than they would like.
const WAITING: usize = 128;

/// What an account without a password is compared with, so that it takes as long as any other.
static NOBODYS: LazyLock<String> =
    LazyLock::new(|| password::hash("the password that nobody has", &SystemRandom).unwrap_or_default());

/// The places at which passwords are hashed.
#[derive(Clone)]
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Passwords {
    /// Half of the machine's cores, so that a storm of sign-ins leaves room for everything else.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let places = Arc::new(Semaphore::new((cores / 2).max(1)));
        Self { places, queue: Arc::new(Semaphore::new(WAITING)) }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SignInError> {
        let busy = || SignInError::Unavailable("too many passwords are being checked".into());
        let _queued = self.queue.try_acquire().map_err(|_| busy())?;
        let _place = self.places.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|error| SignInError::Unavailable(error.into()))
    }

    /// Whether the stored form is that of the password; without one it is not, and takes as long.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, SignInError> {
        self.run(move || {
            let right = password::verify(&password, stored.as_deref().unwrap_or(&NOBODYS));
            right && stored.is_some()
        })
        .await
    }

    /// The form in which a password is stored.
    pub(crate) async fn hash(
        &self,
        password: String,
        random: Arc<dyn Random>,
    ) -> Result<String, SignInError> {
        let hashed = self.run(move || password::hash(&password, &*random)).await?;
        hashed.map_err(|error: Unhashable| SignInError::Unavailable(error.into()))
    }
}
