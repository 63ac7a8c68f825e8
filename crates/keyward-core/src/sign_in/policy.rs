//! The sign-in policy: that of the configuration, until somebody saves another.
//!
//! What was saved stands in the database, for all nodes, and in the memory of each; nodes look for a newer one as often as
//! they follow the change feed.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keyward_model::{Action, AdminRole, Kind, Owner, Timestamp};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, Store, StoreError, Ticket, TicketKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use crate::{Call, Error, FieldError, Keyward, SignInOptions, admin::Work, forms};

/// What is asked of people who sign in, and how long that lasts. Bounds are those of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
pub struct SignInPolicy {
    /// The tiers that must have a second factor.
    pub totp_required: Vec<AdminRole>,
    /// How long a session lasts without being used, in seconds.
    #[validate(range(
        min = 60,
        max = 2_592_000,
        code = "out_of_range",
        message = "must be 1 minute to 30 days"
    ))]
    pub idle_seconds: u32,
    /// How long a session lasts at all, in seconds.
    #[validate(range(
        min = 300,
        max = 2_592_000,
        code = "out_of_range",
        message = "must be 5 minutes to 30 days"
    ))]
    pub absolute_seconds: u32,
    /// How long a refresh token and its successors last at all, in seconds.
    #[validate(range(
        min = 300,
        max = 31_536_000,
        code = "out_of_range",
        message = "must be 5 minutes to 365 days"
    ))]
    pub refresh_seconds: u32,
}

impl From<&SignInOptions> for SignInPolicy {
    fn from(options: &SignInOptions) -> Self {
        Self {
            totp_required: options.totp_required.clone(),
            idle_seconds: options.idle_seconds,
            absolute_seconds: options.absolute_seconds,
            refresh_seconds: options.refresh_seconds,
        }
    }
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInForce {
    /// What it says.
    pub policy: SignInPolicy,
    /// When and by whom it was saved; nothing when it is that of the configuration.
    pub saved: Option<(Timestamp, String)>,
}

/// The policy in force, in memory.
pub(crate) struct Policies {
    configured: PolicyInForce,
    current: ArcSwap<PolicyInForce>,
    /// Held while it is read and put there, so that nothing older comes after something newer.
    reading: tokio::sync::Mutex<()>,
}

impl Policies {
    pub(crate) fn new(options: &SignInOptions) -> Self {
        let configured = PolicyInForce { policy: options.into(), saved: None };
        let current = ArcSwap::from_pointee(configured.clone());
        Self { configured, current, reading: tokio::sync::Mutex::default() }
    }

    /// Looks for what was saved; whether there is anything. What another version saved and this one can't read leaves in
    /// force what was, lest a server does not start for it; another can be saved over it.
    pub(crate) async fn read(&self, store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
        let _reading = self.reading.lock().await;
        let saved = store.ticket(&key(), now).await?;
        let found = match &saved {
            Some(ticket) => serde_json::from_str(&ticket.value),
            None => Ok(self.configured.clone()),
        };
        match found {
            Ok(found) if **self.current.load() != found => self.current.store(Arc::new(found)),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the sign-in policy that was saved can't be read"),
        }
        Ok(saved.is_some())
    }
}

const NAMESPACE: &str = "sign_in_policy";
/// The highest tier that the policy is about.
const HIGHEST: Option<AdminRole> = Some(AdminRole::SuperAdmin);

fn key() -> TicketKey {
    TicketKey::new(NAMESPACE, "saved")
}

/// There as long as what was saved then is: who takes its place takes this away, so that nobody else can.
fn mark(saved: Timestamp) -> TicketKey {
    TicketKey::new(NAMESPACE, format!("saved:{}", saved.unix_millis()))
}

impl Keyward {
    /// The sign-in policy in force.
    #[must_use]
    pub fn sign_in_policy(&self) -> Arc<PolicyInForce> {
        self.inner.policies.current.load_full()
    }

    /// Whether somebody may change the sign-in policy: those who may change the identity providers of the platform, which
    /// is the other half of how everybody signs in, and are below nobody whom it is about.
    #[must_use]
    pub fn may_change_sign_in_policy(&self, call: &Call) -> bool {
        let principal = &call.caller.principal;
        keyward_policy::decide(principal, Act::Update, target()).is_ok()
            && keyward_policy::may_set_tier(principal, HIGHEST, HIGHEST).is_ok()
    }

    /// Reads a policy as it was typed.
    pub fn sign_in_policy_of(body: Value) -> Result<SignInPolicy, Error> {
        let policy: SignInPolicy = forms::decode_valid(body)?;
        if policy.idle_seconds > policy.absolute_seconds {
            let words = "A session can't last longer without use than at all.";
            return Err(Error::field(FieldError::new("/idle_seconds", "out_of_range", words)));
        }
        Ok(policy)
    }

    /// Saves a policy, or goes back to that of the configuration, if the one in force is still the one that was `seen`.
    pub async fn change_sign_in_policy(
        &self,
        call: &Call,
        seen: &PolicyInForce,
        next: Option<SignInPolicy>,
    ) -> Result<(), Error> {
        let work = Work::begin(self, call);
        let permit = work.may(Act::Update, target()).await?;
        work.may_set_tier(HIGHEST, HIGHEST, Owner::Platform).await?;
        let policies = &self.inner.policies;
        let is_there = policies.read(&*self.inner.store, work.now).await?;
        if **policies.current.load() != *seen {
            return Err(Error::PreconditionFailed);
        }
        let by = call.caller.subject.name.clone().unwrap_or_default();
        let next = match next {
            Some(policy) => PolicyInForce { policy, saved: Some((work.now, by)) },
            None => policies.configured.clone(),
        };
        let mut change = Change::default();
        change.consume.extend(is_there.then(key));
        change.consume.extend(seen.saved.iter().map(|(at, _)| mark(*at)));
        if let Some((at, _)) = &next.saved {
            let value = serde_json::to_string(&next).map_err(StoreError::unavailable)?;
            change.tickets.push(Ticket { key: mark(*at), value: String::new(), expires_at: None });
            change.tickets.push(Ticket { key: key(), value, expires_at: None });
        }
        let mut event = work.event_of(Action::SIGN_IN_POLICY_CHANGED);
        let changes = forms::changes(&forms::to_value(&seen.policy), &forms::to_value(&next.policy));
        event.changes = keyward_model::Changes::of(&changes);
        match work.commit(&permit, change, vec![event]).await {
            Ok(_) => {}
            Err(StoreError::Stale | StoreError::Taken(_)) => return Err(Error::PreconditionFailed),
            Err(error) => return Err(error.into()),
        }
        if let Err(error) = policies.read(&*self.inner.store, work.now).await {
            tracing::warn!(%error, "the sign-in policy was saved, and will be read in a moment");
        }
        Ok(())
    }
}

fn target() -> Target {
    Target::object(Kind::IdentityProvider, Owner::Platform)
}
