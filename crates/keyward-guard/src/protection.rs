//! What an endpoint asks for.

use std::net::IpAddr;

use keyward_model::admission::{Mode, Requirement};

use crate::{Caller, Credentials, Denial, Guard};

/// The address that a request comes from, for an API behind a proxy: put it into the request's extensions, in a middleware
/// outside of the guard, and it counts instead of the address of the connection. Take it from a header only when the proxy
/// is known to set that header itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// What an endpoint asks of a request: made by [`Guard::require`] and its siblings, and put around services.
///
/// With the feature `actix` it is a middleware (`.wrap(…)`), with `tower` it has a [layer](Protection::layer).
#[derive(Clone, Debug)]
pub struct Protection {
    guard: Guard,
    /// Nothing when what was asked for can't be fulfilled.
    requirement: Option<Requirement>,
}

impl Protection {
    pub(crate) fn new(guard: Guard, requirement: Option<Requirement>) -> Self {
        Self { guard, requirement }
    }

    /// The same with other credentials than the guard's.
    #[must_use]
    pub fn mode(self, mode: Mode) -> Self {
        self.with(|requirement| requirement.mode = mode)
    }

    /// The same for another environment than the guard's.
    #[must_use]
    pub fn environment(self, environment: impl Into<String>) -> Self {
        self.with(|requirement| requirement.environment = Some(environment.into()))
    }

    /// The same for tokens of any environment.
    #[must_use]
    pub fn any_environment(self) -> Self {
        self.with(|requirement| requirement.environment = None)
    }

    /// Judges a request by its credentials. This is all that middlewares do, and what to call where there is none.
    pub async fn check(&self, credentials: &Credentials<'_>) -> Result<Caller, Denial> {
        let requirement = self.requirement.as_ref().ok_or_else(Denial::misconfigured)?;
        self.guard.0.check(requirement, credentials).await
    }

    fn with(mut self, change: impl FnOnce(&mut Requirement)) -> Self {
        self.requirement.as_mut().map(change);
        self
    }
}
