//! The hash chain: each event's hash covers the one before it.

use keyward_crypto::digest::Sha256;
use keyward_model::{
    Action, ChainHead, ChainedEvent, Changes, Context, Event, FieldChange, Id, Outcome, Random, Subject,
    Timestamp, encode_uuid, new_uuid,
};
use serde_json::json;

/// `typ` of the signed checkpoints.
pub(crate) const CHECKPOINT_TYP: &str = "keyward-checkpoint+jwt";

/// The hash of an event at its place in a chain.
pub(crate) fn link_hash(
    previous: &[u8; 32],
    chain: &str,
    seq: i64,
    event: &Event,
    scratch: &mut Vec<u8>,
) -> [u8; 32] {
    scratch.clear();
    event.write_canonical(scratch);
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(chain.as_bytes());
    hasher.update(&seq.to_be_bytes());
    hasher.update(scratch);
    hasher.finish()
}

/// The end of a chain that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) name: String,
    pub(crate) seq: i64,
    pub(crate) hash: [u8; 32],
}

impl Chain {
    /// A chain without any event.
    pub(crate) fn new(now: Timestamp, random: &dyn Random) -> Self {
        Self { name: encode_uuid(new_uuid(now, random)), seq: 0, hash: [0; 32] }
    }

    /// Gives events their places behind the end, and moves the end.
    pub(crate) fn link(&mut self, events: impl IntoIterator<Item = Event>) -> Vec<ChainedEvent> {
        let mut scratch = Vec::with_capacity(512);
        let place = |event: Event| {
            self.seq += 1;
            self.hash = link_hash(&self.hash, &self.name, self.seq, &event, &mut scratch);
            ChainedEvent { event, chain: self.name.clone(), seq: self.seq, hash: self.hash }
        };
        events.into_iter().map(place).collect()
    }

    /// Moves the end to where storage has it.
    pub(crate) fn rewind(&mut self, heads: &[ChainHead]) {
        let stored = heads.iter().find(|head| head.chain == self.name);
        (self.seq, self.hash) = stored.map_or((0, [0; 32]), |head| (head.seq, head.hash));
    }
}

/// An event of the process itself about a chain.
fn chain_event(
    action: Action,
    chain: &str,
    changes: &[FieldChange],
    now: Timestamp,
    random: &dyn Random,
) -> Event {
    Event {
        id: Id::generate(now, random),
        occurred_at: now,
        action,
        outcome: Outcome::Success,
        reason: None,
        actor: Subject::system(),
        resource: Some(Subject { kind: "chain".into(), id: Some(chain.to_owned()), name: None }),
        tenant_id: None,
        partner_id: None,
        changes: Changes::of(changes),
        context: Context::default(),
    }
}

fn head_text(seq: i64, hash: &[u8; 32]) -> String {
    format!("{seq}:{}", keyward_crypto::digest::hex(hash))
}

/// The first event of a chain. It names the heads of the chains that moved since the chain before was opened, so that
/// none of them can lose its end, or vanish, without a trace.
pub(crate) fn opening(chain: &Chain, heads: &[ChainHead], now: Timestamp, random: &dyn Random) -> Event {
    let newest = heads.iter().map(|head| head.opened_at).max();
    let moved = heads.iter().filter(|head| newest.is_none_or(|newest| head.updated_at >= newest));
    let changes: Vec<FieldChange> = moved
        .map(|head| FieldChange {
            field: head.chain.clone(),
            from: serde_json::Value::Null,
            to: json!(head_text(head.seq, &head.hash)),
        })
        .collect();
    chain_event(Action::CHAIN_OPENED, &chain.name, &changes, now, random)
}

/// The heads that an [`opening`] names: chain, number, hash in hexadecimal.
pub(crate) fn heads_of(event: &Event) -> Vec<(String, i64, String)> {
    let head = |change: FieldChange| {
        let (seq, hash) = change.to.as_str()?.split_once(':')?;
        Some((change.field, seq.parse().ok()?, hash.to_owned()))
    };
    event.changes.list().into_iter().filter_map(head).collect()
}

/// What a checkpoint signs.
pub(crate) fn checkpoint_payload(chain: &str, seq: i64, hash: &[u8; 32], now: Timestamp) -> Vec<u8> {
    json!({ "chain": chain, "seq": seq, "hash": keyward_crypto::digest::hex(hash), "iat": now.unix_seconds() })
        .to_string()
        .into_bytes()
}

/// An event that holds the signature over the chain so far.
pub(crate) fn checkpoint(chain: &Chain, signature: &str, now: Timestamp, random: &dyn Random) -> Event {
    let change =
        FieldChange { field: "signature".to_owned(), from: serde_json::Value::Null, to: json!(signature) };
    chain_event(Action::CHAIN_CHECKPOINTED, &chain.name, &[change], now, random)
}
