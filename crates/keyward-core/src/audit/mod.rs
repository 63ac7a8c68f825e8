//! The audit log: one writer per process, one chain per writer.

mod chain;
mod group;
mod usage;
mod verify;
mod writer;

use std::sync::Arc;

use keyward_model::{Clock, TokenAlgorithm};

use crate::keys::Keys;
pub(crate) use chain::CHECKPOINT_TYP;
pub(crate) use usage::{UNNEEDED, Uses, merge};
pub(crate) use verify::verify;
pub use verify::{ChainFault, ChainReport, VerifyError};
pub(crate) use writer::{Writer, WriterHandle};

/// What signs checkpoints: the key that signs access tokens by default.
pub(crate) fn signer(keys: Arc<Keys>, clock: Arc<dyn Clock>) -> writer::Signer {
    Arc::new(move |typ, payload| {
        keys.signer(TokenAlgorithm::Es256, clock.now())?.sign_compact(typ, payload).ok()
    })
}
