//! Asking somebody else whether a request may pass.

use keyward_model::admission::{Admitted, Refusal, Requirement};

use crate::{BoxError, BoxFuture, Credentials};

/// Who decides in the guard's place: for an API in the same process as its authorization server, which knows what is true
/// now without any keys or feed.
pub trait Authority: Send + Sync + 'static {
    /// Decides on a request. Fails when that can't be done now, which refuses the request (503).
    fn decide<'a>(
        &'a self,
        requirement: &'a Requirement,
        credentials: &'a Credentials<'a>,
    ) -> BoxFuture<'a, Result<Result<Admitted, Refusal>, BoxError>>;
}
