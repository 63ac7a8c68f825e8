//! Idempotent requests: the same key and body within 24 hours get the first answer again, without its secret.

use keyward_model::Timestamp;
use keyward_store::{StoreError, TakenKey, Ticket, TicketKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::work::conflict;
use crate::{Call, Error, FieldError, Keyward, Written, digest};

/// How long an answer is kept, in seconds.
const KEPT_SECONDS: i64 = 86_400;

/// What was answered to an earlier request.
pub(crate) enum Replay {
    /// There was none.
    None,
    /// This.
    Answer(Written),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    fingerprint: String,
    id: String,
    version: i64,
    body: Value,
}

fn key(call: &Call) -> Option<TicketKey> {
    let idempotency = call.idempotency.as_ref()?;
    let whole = format!("{} {}", call.caller.key(), idempotency.key);
    Some(TicketKey::new("idempotency", digest(whole.as_bytes())))
}

/// The answer to an earlier request with the call's key, if there was one.
pub(crate) async fn replay(keyward: &Keyward, call: &Call) -> Result<Replay, Error> {
    let (Some(key), Some(idempotency)) = (key(call), &call.idempotency) else { return Ok(Replay::None) };
    let Some(ticket) = keyward.inner.store.ticket(&key, keyward.now()).await? else {
        return Ok(Replay::None);
    };
    let stored: Stored =
        serde_json::from_str(&ticket.value).map_err(|error| Error::Unavailable(error.into()))?;
    if stored.fingerprint != idempotency.fingerprint {
        let detail = "This Idempotency-Key was used for a request with another body.";
        return Err(Error::field(FieldError::new("Idempotency-Key", "reused", detail)));
    }
    let Stored { id, version, body, .. } = stored;
    Ok(Replay::Answer(Written { id, version, body, has_secret: false, replayed: true }))
}

/// The ticket that keeps an answer; to be committed with what the answer tells.
pub(crate) fn ticket(call: &Call, written: &Written, now: Timestamp) -> Option<Ticket> {
    let stored = Stored {
        fingerprint: call.idempotency.as_ref()?.fingerprint.clone(),
        id: written.id.clone(),
        version: written.version,
        body: written.body.clone(),
    };
    let value = serde_json::to_string(&stored).ok()?;
    Some(Ticket { key: key(call)?, value, expires_at: Some(now.plus_seconds(KEPT_SECONDS)) })
}

/// What to answer when a commit failed: the other request's answer when it had the same key.
pub(crate) async fn after_conflict(
    keyward: &Keyward,
    call: &Call,
    error: StoreError,
) -> Result<Written, Error> {
    match error {
        StoreError::Taken(taken @ TakenKey::Ticket(_)) => match replay(keyward, call).await? {
            Replay::Answer(written) => Ok(written),
            Replay::None => Err(conflict(&taken)),
        },
        StoreError::Taken(taken) => Err(conflict(&taken)),
        other => Err(other.into()),
    }
}
