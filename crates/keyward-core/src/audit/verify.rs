//! Proof that the audit log is whole: every hash is made again and every signature checked.

use std::collections::HashMap;

use keyward_crypto::jws::KeySet;
use keyward_model::{Action, ChainHead, ChainedEvent};
use keyward_store::{Store, StoreError};

use super::chain::{CHECKPOINT_TYP, heads_of, link_hash};

/// How many events are read at once.
const PAGE: u32 = 2_000;

/// What was found to be whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainReport {
    /// How many chains there are.
    pub chains: u64,
    /// How many events they have.
    pub events: u64,
    /// How many signed checkpoints were among them.
    pub checkpoints: u64,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// An event is not what was written there: it was changed, or another stands in its place.
    #[error("event {id} (number {seq} of chain {chain}) was changed or is not in its place")]
    Changed {
        /// The event.
        id: String,
        /// Its chain.
        chain: String,
        /// Its number.
        seq: i64,
    },
    /// An event is gone.
    #[error("number {seq} of chain {chain} is missing{}", .next.as_ref().map_or(String::new(), |id| format!(", in front of event {id}")))]
    Missing {
        /// The chain.
        chain: String,
        /// The first number that is gone.
        seq: i64,
        /// The event behind the gap, if there is one.
        next: Option<String>,
    },
    /// A checkpoint's signature is not good, or signs something else.
    #[error(
        "the checkpoint {id} (number {seq} of chain {chain}) does not carry a valid signature of the chain"
    )]
    BadCheckpoint {
        /// The event that holds the checkpoint.
        id: String,
        /// Its chain.
        chain: String,
        /// Its number.
        seq: i64,
    },
    /// A chain that a later one names is gone, or ends before the end that the later one names.
    #[error("chain {chain} no longer has its number {seq}, which event {named_by} names")]
    LostHead {
        /// The chain.
        chain: String,
        /// The number that it had.
        seq: i64,
        /// The event that names it.
        named_by: String,
    },
}

/// Why a verification ended without success.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log is not whole.
    #[error(transparent)]
    Fault(#[from] ChainFault),
    /// The log can't be read.
    #[error("the audit log can't be read")]
    Store(#[from] StoreError),
}

/// Checks all chains, oldest first, and stops at the first fault. `keys` holds the public part of every signing key
/// that ever was.
pub(crate) async fn verify(store: &dyn Store, keys: &KeySet) -> Result<ChainReport, VerifyError> {
    let mut report = ChainReport::default();
    // The heads that opening events name, by chain: number, hash, and who names them.
    let mut named: HashMap<String, Vec<(i64, String, String)>> = HashMap::new();
    let heads = store.chains().await?;
    // Openings come first in their chains; gathered before, because a chain may be named by a later one only.
    for head in &heads {
        for event in store.chain(&head.chain, 0, 1).await? {
            if event.event.action == Action::CHAIN_OPENED {
                for (chain, seq, hash) in heads_of(&event.event) {
                    named.entry(chain).or_default().push((seq, hash, event.event.id.to_string()));
                }
            }
        }
    }
    for head in &heads {
        let expected = named.remove(&head.chain).unwrap_or_default();
        verify_chain(store, keys, head, &expected, &mut report).await?;
        report.chains += 1;
    }
    if let Some((chain, ends)) = named.into_iter().min()
        && let Some((seq, _, named_by)) = ends.into_iter().next()
    {
        return Err(ChainFault::LostHead { chain, seq, named_by }.into());
    }
    Ok(report)
}

async fn verify_chain(
    store: &dyn Store,
    keys: &KeySet,
    head: &ChainHead,
    named: &[(i64, String, String)],
    report: &mut ChainReport,
) -> Result<(), VerifyError> {
    let (mut seq, mut hash, mut scratch) = (0, [0; 32], Vec::new());
    loop {
        let events = store.chain(&head.chain, seq, PAGE).await?;
        if events.is_empty() {
            break;
        }
        for chained in &events {
            let previous = hash;
            hash = verify_link(chained, seq, &previous, &mut scratch)?;
            seq = chained.seq;
            report.events += 1;
            if chained.event.action == Action::CHAIN_CHECKPOINTED {
                verify_checkpoint(keys, chained, &previous)?;
                report.checkpoints += 1;
            }
            for (_, expected, named_by) in named.iter().filter(|(at, ..)| *at == seq) {
                if *expected != keyward_crypto::digest::hex(&hash) {
                    return Err(lost(head, seq, named_by).into());
                }
            }
        }
    }
    // The head may have moved on while its chain was being read, but never back.
    if seq < head.seq {
        return Err(ChainFault::Missing { chain: head.chain.clone(), seq: seq + 1, next: None }.into());
    }
    match named.iter().find(|(at, ..)| *at > seq) {
        Some((at, _, named_by)) => Err(lost(head, *at, named_by).into()),
        None => Ok(()),
    }
}

fn lost(head: &ChainHead, seq: i64, named_by: &str) -> ChainFault {
    ChainFault::LostHead { chain: head.chain.clone(), seq, named_by: named_by.to_owned() }
}

fn verify_link(
    chained: &ChainedEvent,
    after: i64,
    previous: &[u8; 32],
    scratch: &mut Vec<u8>,
) -> Result<[u8; 32], ChainFault> {
    let (id, chain) = (chained.event.id.to_string(), chained.chain.clone());
    if chained.seq != after + 1 {
        return Err(ChainFault::Missing { chain, seq: after + 1, next: Some(id) });
    }
    let hash = link_hash(previous, &chained.chain, chained.seq, &chained.event, scratch);
    if hash == chained.hash { Ok(hash) } else { Err(ChainFault::Changed { id, chain, seq: chained.seq }) }
}

fn verify_checkpoint(keys: &KeySet, chained: &ChainedEvent, previous: &[u8; 32]) -> Result<(), ChainFault> {
    let signed = || {
        let changes = chained.event.changes.list();
        let token = changes.iter().find(|change| change.field == "signature")?.to.as_str()?.to_owned();
        let payload = keys.verify_compact(&token, &[CHECKPOINT_TYP]).ok()?.payload;
        serde_json::from_slice::<serde_json::Value>(&payload).ok()
    };
    let matches = |claims: serde_json::Value| {
        claims["chain"] == chained.chain.as_str()
            && claims["seq"] == chained.seq - 1
            && claims["hash"] == keyward_crypto::digest::hex(previous).as_str()
    };
    if signed().is_some_and(matches) {
        return Ok(());
    }
    Err(ChainFault::BadCheckpoint {
        id: chained.event.id.to_string(),
        chain: chained.chain.clone(),
        seq: chained.seq,
    })
}
