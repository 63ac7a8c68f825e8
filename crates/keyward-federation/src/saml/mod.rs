//! SAML 2.0, the Web Browser SSO profile (SAML profiles, section 4.1): requests by HTTP-Redirect, responses by HTTP-POST.
//!
//! An answer passes these stations, and the first that finds fault ends it:
//!
//! 1. `xml`: limits, and a tree without DTD, comments and processing instructions. The text is parsed once.
//! 2. `response`: the envelope belongs to our request, and holds one assertion, at its place.
//! 3. `signature`: a pinned key has signed the response or the assertion. It gives out `Signed`.
//! 4. `assertion`: reads the person out of a `Signed`, and nothing else, once its conditions hold.
//!
//! Encrypted assertions, artifacts, unsolicited responses and logout are not supported.

mod assertion;
mod attributes;
mod c14n;
mod certificate;
mod check;
mod idp_metadata;
mod request;
mod response;
mod settings;
mod signature;
mod xml;

use keyward_core::{Answer, Arrival, CheckedStep, Departure, FederationError, Trip, Upstream};
use keyward_model::Timestamp;

/// Speaks SAML 2.0. The methods are those of [`keyward_core::Federation`]; none of them waits for anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Saml;

impl Saml {
    /// Where to send the browser with a request for authentication.
    ///
    /// The address that the person gave is not passed on: providers refuse a request that names a subject, or ignore it.
    pub fn depart(self, provider: &Upstream, trip: &Trip<'_>) -> Result<Departure, FederationError> {
        request::depart(provider, trip)
    }

    /// Who came back. The caller stores [`Arrival::once`] and refuses what it has stored before.
    pub fn arrive(
        self,
        provider: &Upstream,
        remembered: &str,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Arrival, FederationError> {
        response::arrive(provider, remembered, answer, now)
    }

    /// Keyward's metadata for this provider, as XML. There always is one.
    pub fn metadata(self, provider: &Upstream) -> Result<Option<String>, FederationError> {
        Ok(Some(request::metadata(provider)))
    }

    /// Checks the configuration in the order of a sign-in: metadata, entity ID, address, certificates.
    #[must_use]
    pub fn check(self, provider: &Upstream, now: Timestamp) -> Vec<CheckedStep> {
        check::check(provider, now)
    }
}
