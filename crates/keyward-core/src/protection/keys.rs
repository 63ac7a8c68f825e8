//! Whether an API key works now, and for what.

use std::sync::Arc;

use keyward_crypto::credential::{self, CredentialKind};
use keyward_model::{
    Action, Changes, Entity, Event, Id, Outcome, Timestamp, Usage,
    admission::{KeyFacts, Reason, Refusal},
};
use keyward_policy::liveness::{self, Dead};

use crate::{
    Error, Keyward, Origin,
    directory::{Key, KeyMark},
};

/// What became of a key.
pub(super) struct Checked {
    /// The key, whether it works or not; none when it is unknown.
    pub(super) key: Option<Arc<Key>>,
    pub(super) outcome: Result<KeyFacts, Refusal>,
}

impl Checked {
    fn unknown() -> Self {
        let detail = "The API key is unknown.";
        Self { key: None, outcome: Err(Refusal::new(Reason::KeyInvalid, detail)) }
    }
}

impl Keyward {
    /// Looks a key up and judges whether it may be used from this address now; neither its permissions nor its
    /// environment count yet.
    pub(super) async fn look_up_key(
        &self,
        text: &str,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<Checked, Error> {
        // Garbage is refused without a look at anything.
        let mark = match credential::check(text) {
            Some((CredentialKind::ApiKey, _)) => KeyMark::Secret(self.inner.hasher.hash(text)),
            Some((CredentialKind::TenantKey, _)) => KeyMark::Publishable(text.to_owned()),
            _ => return Ok(Checked::unknown()),
        };
        let directory = &self.inner.directory;
        let entry = if let Some(entry) = directory.known_key(&mark) {
            entry
        } else {
            let (limits, address) = (&self.inner.limits, address.unwrap_or(""));
            if limits.may_look_up(address, now).is_err() {
                let detail = "There were too many unknown keys from this address. Try again in a minute.";
                return Ok(Checked { key: None, outcome: Err(Refusal::new(Reason::RateLimited, detail)) });
            }
            let entry = directory.key(&mark).await?;
            if entry.key.is_none() {
                limits.was_stranger(address, now);
            }
            entry
        };
        let Some(key) = entry.key.clone() else { return Ok(Checked::unknown()) };
        let outcome = judge(&key, address, now);
        Ok(if outcome.as_ref().is_err_and(|refusal| refusal.reason == Reason::KeyInvalid) {
            Checked::unknown()
        } else {
            Checked { key: Some(key), outcome }
        })
    }

    /// Counts that a key was used.
    pub(super) fn count_use(&self, key: &Key, address: Option<&str>, now: Timestamp) {
        metrics::counter!("keyward_api_key_checks_total", "result" => "ok").increment(1);
        // A publishable key is everybody's: who uses it is evidence of nothing.
        let Some(record) = &key.record else { return };
        self.inner.uses.count(Usage {
            subject: record.id().any(),
            day: now.as_chrono().date_naive(),
            address: address.unwrap_or("unknown").to_owned(),
            count: 1,
            needed: 1,
            first_used_at: now,
            last_used_at: now,
        });
    }

    /// Writes down that a key that is known was refused.
    pub(super) async fn deny_key(
        &self,
        key: Option<&Key>,
        reason: Reason,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        metrics::counter!("keyward_api_key_checks_total", "result" => reason.code()).increment(1);
        let Some(key) = key else { return Ok(()) };
        let credential = key.record.as_ref().map(|record| record.id().to_string());
        let event = Event {
            id: Id::generate(now, &*self.inner.random),
            occurred_at: now,
            action: Action::API_KEY_DENIED,
            outcome: Outcome::Denied,
            reason: Some(reason.code().to_owned()),
            actor: key.subject(),
            resource: Some(key.subject()),
            tenant_id: Some(key.tenant_id),
            partner_id: key.partner_id(),
            changes: Changes::default(),
            context: origin.context(credential),
        };
        Ok(self.inner.writer.append(event).await?)
    }
}

fn judge(key: &Key, address: Option<&str>, now: Timestamp) -> Result<KeyFacts, Refusal> {
    let alive = match &key.record {
        Some(record) => liveness::api_key(record, key.above(), now),
        None => liveness::tenancy(key.above()),
    };
    alive.map_err(refused)?;
    if key.record.as_ref().is_some_and(|record| !record.is_allowed_from(address)) {
        let detail = "The API key can't be used from this address.";
        return Err(Refusal::new(Reason::PermissionDenied, detail));
    }
    Ok(KeyFacts {
        key_id: key.record.as_ref().map(|record| record.id().to_string()),
        tenant_id: key.tenant_id.to_string(),
        permissions: key.permissions.clone(),
        environment: key.record.as_ref().map(|record| record.environment.clone()),
        expires_at: key.record.as_ref().and_then(|record| record.expires_at),
    })
}

/// A dead key's refusal. It proves possession, so its holder may know what is wrong.
fn refused(dead: Dead) -> Refusal {
    match dead {
        Dead::Unknown => Refusal::new(Reason::KeyInvalid, "The API key is unknown."),
        Dead::KeyExpired(_) => Refusal::new(Reason::KeyExpired, dead.message()),
        _ => Refusal::new(Reason::KeyRevoked, dead.message()),
    }
}
