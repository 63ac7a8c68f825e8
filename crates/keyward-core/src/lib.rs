//! Keyward's use cases: token grants, authentication, administration, the audit log, and the caches behind them.
//!
//! Everything goes one way: a caller is authenticated, policy decides on what was loaded within the caller's reach, and
//! one [`keyward_store::Change`] is committed with its audit events before the answer leaves.

mod admin;
mod audit;
mod authentication;
mod call;
mod directory;
mod error;
mod expiring;
mod federation;
mod forms;
mod keys;
mod limits;
mod oauth;
mod options;
mod pages;
mod params;
mod people;
mod protection;
mod retiring;
mod revocations;
mod setup;
mod sign_in;
mod tester;

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Duration,
};

use keyward_crypto::{
    credential::Credential,
    master::{Sealer, SecretHasher},
    refresh::RefreshTokens,
};
use keyward_model::{Clock, Event, Kind, Random, Timestamp};
use keyward_store::{Change, Revision, Store, StoreError};
use tokio::task::JoinHandle;

pub use admin::{
    ActivityView, Administered, BulkBody, BulkItem, BulkOp, BulkOutcome, Count, CountedEvents, DayView,
    Document, EffectivePermissionView, Endings, EventExport, ExportFormat, GrantBody, GrantsBody, HolderUse,
    HoldersOf, IfMatch, KeyUsageView, Listing, MemberBody, NestedBody, PermissionHolders, PredecessorView,
    Renewal, RevocationBody, RoleHolders, RolesBody, Rotation, SecretHolder, SecretRotation, SeriesView,
    SessionState, SessionsOf, SourceView, StatsView, UsageView, UserStanding,
};
pub use audit::{ChainFault, ChainReport, VerifyError};
pub use call::{Call, Caller, Idempotency, Origin, Written};
pub use error::{Error, FieldError};
pub use federation::{Answer, Arrival, CheckedStep, Departure, Federation, FederationError, Trip, Upstream};
pub use keys::SigningKeyView;
pub use keyward_crypto::{credential::mask, master::MasterKey, random::SystemRandom};
pub use keyward_policy::Action;
pub use oauth::{
    Authorization, ClientAuth, ConsentAsked, IDENTITY_SCOPES, Introspection, OAuthError, OAuthErrorCode,
    SignInAsked, SignOut, TokenReply, TokenRequest,
};
pub use options::{MAX_TOKEN_LIFETIME, Options, RateLimit, SignInOptions};
pub use pages::{GrantableRow, TenantPlace};
pub use protection::{KeyVerdict, KeyVerifier, Presented, VerifyKey};
pub use setup::{NewClient, StartError};
pub use sign_in::{
    AccountView, Arrived, Enrolment, EnrolmentView, Flow, LinkPurpose, LinkedView, Mail, MailError, Mailer,
    NewSession, PasswordLink, PolicyInForce, Proof, ProviderChoice, Purpose, SignInError, SignInPolicy,
    SignedIn, Step, TestReport, TripEnd,
};
pub use tester::CredentialCheck;

use crate::{
    audit::{Writer, WriterHandle},
    directory::Directory,
    keys::Keys,
    limits::Limits,
    oauth::Verified,
    sign_in::{Passwords, Policies},
};

/// How often the housekeeping runs.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// A running Keyward. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Keyward {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) hasher: SecretHasher,
    pub(crate) sealer: Sealer,
    pub(crate) keys: Arc<Keys>,
    pub(crate) directory: Directory,
    pub(crate) writer: WriterHandle,
    pub(crate) uses: protection::KeyUses,
    pub(crate) limits: Limits,
    pub(crate) verified: Verified,
    pub(crate) passwords: Passwords,
    pub(crate) policies: Policies,
    /// What makes refresh tokens.
    pub(crate) refresh_tokens: RefreshTokens,
    /// The code by which the first administrator is made.
    pub(crate) setup_code: Credential,
    pub(crate) mailer: OnceLock<Arc<dyn Mailer>>,
    pub(crate) federation: OnceLock<Arc<dyn Federation>>,
    /// The name of this run of this process.
    pub(crate) instance: String,
    /// Places for those who wait for the revocation feed.
    pub(crate) feed_readers: tokio::sync::Semaphore,
    pub(crate) draining: tokio::sync::watch::Sender<bool>,
    /// What goes on until it is stopped: following the change feed, and housekeeping.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Keyward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyward").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

/// Proves that the audit log of a database is whole. Writes nothing, and needs no key that is secret.
pub async fn verify_audit(store: &dyn Store) -> Result<ChainReport, VerifyError> {
    let (records, _) = directory::all(store, keyward_store::Query::all(Kind::SigningKey)).await?;
    audit::verify(store, &keys::verifying(&records)).await
}

/// Whether a database is in use already: some Keyward started on it with a master key.
pub async fn is_set_up(store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
    setup::is_set_up(store, now).await
}

/// SHA-256 of some bytes, in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    keyward_crypto::digest::hex(&keyward_crypto::digest::sha256(bytes))
}

impl Keyward {
    /// Starts on a database whose tables are up to date: makes what the first start needs, opens an audit chain, and
    /// begins to follow the change feed. Must be called within a tokio runtime.
    pub async fn start(
        store: Arc<dyn Store>,
        master: &MasterKey,
        options: Options,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StartError> {
        setup::check_master_key(&*store, master, clock.now()).await?;
        let keys = Keys::open(store.clone(), master.sealer(), clock.clone(), random.clone()).await?;
        let keys = Arc::new(keys);
        let sign = audit::signer(keys.clone(), clock.clone());
        let writer = Writer::start(store.clone(), clock.clone(), random.clone(), sign).await?;
        let directory = Directory::open(store.clone(), options.default_environment(), clock.now()).await?;
        let policies = Policies::new(&options.sign_in);
        policies.read(&*store, clock.now()).await?;
        let keyward = Self {
            inner: Arc::new(Inner {
                uses: protection::KeyUses::default(),
                limits: Limits::new(options.token_limit),
                hasher: master.secret_hasher(),
                sealer: master.sealer(),
                verified: Verified::new(),
                passwords: Passwords::new(),
                policies,
                refresh_tokens: master.refresh_tokens(),
                setup_code: master.setup_code(Options::is_live(options.default_environment())),
                mailer: OnceLock::new(),
                federation: OnceLock::new(),
                feed_readers: tokio::sync::Semaphore::new(protection::MAX_WAITING),
                draining: tokio::sync::watch::Sender::new(false),
                instance: keyward_model::encode_uuid(keyward_model::new_uuid(clock.now(), &*random)),
                tasks: Mutex::default(),
                store,
                options,
                clock,
                random,
                keys,
                directory,
                writer,
            }),
        };
        keyward.first_start(master).await?;
        tokio::spawn(protection::store_uses(Arc::downgrade(&keyward.inner)));
        let inner = || Arc::downgrade(&keyward.inner);
        let tasks = vec![tokio::spawn(follow(inner())), tokio::spawn(keep_house(inner()))];
        *keyward.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(keyward)
    }

    /// Finishes what is queued, stores the evidence of use and signs the audit chain. Nothing is written afterwards.
    pub async fn stop(&self) {
        for task in self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
        self.leave_uses().await;
        self.inner.writer.stop().await;
    }

    /// Sends mail by this from now on. Only the first call counts.
    pub fn mail_by(&self, mailer: Arc<dyn Mailer>) {
        let _ = self.inner.mailer.set(mailer);
    }

    /// Speaks to identity providers by this from now on. Only the first call counts.
    pub fn federate_by(&self, federation: Arc<dyn Federation>) {
        let _ = self.inner.federation.set(federation);
    }

    /// How it behaves.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// The source of random bytes.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.inner.random
    }

    /// Whether requests can be answered: the name of the check that fails, otherwise.
    pub async fn ready(&self) -> Result<(), &'static str> {
        if !self.inner.writer.is_running() {
            return Err("audit");
        }
        self.inner.store.ping().await.map(|_| ()).map_err(|error| {
            tracing::warn!(%error, "the database does not answer");
            "database"
        })
    }

    /// The published keys as JSON (RFC 7517 section 5).
    #[must_use]
    pub fn jwks(&self) -> Arc<str> {
        self.inner.keys.jwks()
    }

    /// Every permission of the catalogue, in alphabetical order.
    pub async fn scopes_supported(&self) -> Result<Vec<String>, Error> {
        let catalogue = self.inner.directory.catalogue().await?;
        Ok(catalogue.iter().map(ToString::to_string).collect())
    }

    /// Writes a change and its events, and lets every cache of this process know before it returns.
    pub(crate) async fn commit(&self, change: Change, events: Vec<Event>) -> Result<Revision, StoreError> {
        let ids: Vec<_> = change.puts.iter().map(|put| put.record.id()).collect();
        let revocations: Vec<_> =
            change.puts.iter().filter_map(|put| revocations::among(&put.record)).collect();
        let revision = self.inner.writer.commit(change, events).await?;
        // A change without records has no revision of its own: the one that it answers is somebody else's.
        if !ids.is_empty() {
            self.inner.directory.committed(revision, &ids, &revocations);
        }
        if ids.iter().any(|id| id.kind == Kind::SigningKey) {
            self.inner.reload_keys().await;
        }
        Ok(revision)
    }
}

impl Inner {
    async fn reload_keys(&self) {
        if let Err(error) = self.keys.reload().await {
            tracing::error!(%error, "the signing keys could not be read again");
        }
        self.verified.forget();
    }

    async fn follow_once(&self) {
        match self.directory.follow().await {
            Ok(ids) if ids.iter().any(|id| id.kind == Kind::SigningKey) => self.reload_keys().await,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the change feed could not be read"),
        }
        if let Err(error) = self.policies.read(&*self.store, self.clock.now()).await {
            tracing::warn!(%error, "the sign-in policy could not be read");
        }
        self.keys.tick();
    }

    async fn tidy(&self) {
        let now = self.clock.now();
        self.limits.tidy(now);
        self.directory.forget_expired(now);
        if let Err(error) = self.store.purge(now).await {
            tracing::warn!(%error, "what expired could not be removed");
        }
    }
}

/// Does what has to be done now and then, until the last handle is gone. It may take its time: the change feed, by which
/// revocations come, waits for nothing.
async fn keep_house(inner: Weak<Inner>) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        inner.tidy().await;
        let keyward = Keyward { inner };
        if let Err(error) = keyward.retire_quiet_keys().await {
            tracing::warn!(%error, "keys that nobody uses could not be revoked");
        }
        if let Err(error) = keyward.tell_expiring().await {
            tracing::warn!(%error, "what expires soon could not be told");
        }
        drop(keyward);
        tokio::time::sleep(HOUSEKEEPING).await;
    }
}

/// Follows the change feed until the last handle is gone.
async fn follow(inner: Weak<Inner>) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let store = inner.store.clone();
        inner.follow_once().await;
        // Held no longer than needed: the wait must not keep a dropped Keyward alive.
        drop(inner);
        wait(&*store, directory::POLL).await;
    }
}

/// Waits until the database calls, and at most this long.
async fn wait(store: &dyn Store, at_most: Duration) {
    let _ = tokio::time::timeout(at_most, store.changed()).await;
}

/// The permissions of which a service token needs one to do this to that kind.
#[must_use]
pub fn required_permissions(action: Action, kind: Kind) -> Vec<&'static str> {
    keyward_policy::required(action, kind)
}

/// The permissions of which a person without an admin role needs one to do this to that kind; none where no permission is
/// enough.
#[must_use]
pub fn staff_permissions(action: Action, kind: Kind) -> Vec<String> {
    let ways = if action.is_read() { &[true, false][..] } else { &[false][..] };
    ways.iter().filter_map(|read| keyward_policy::staff_permission(kind, *read)).collect()
}
