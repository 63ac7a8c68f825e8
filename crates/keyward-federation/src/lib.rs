//! Sign-in through other identity providers: the implementation of [`keyward_core::Federation`].
//!
//! - [`outbound`]: the one guarded client for whatever has an address that a tenant can set;
//! - [`oidc`]: an `OpenID` Connect relying party;
//! - [`saml`]: a SAML 2.0 service provider.
//!
//! It decides nothing about people: it sends a browser away, and says who came back.

pub mod oidc;
pub mod outbound;
pub mod saml;

use async_trait::async_trait;
use keyward_core::{Answer, Arrival, CheckedStep, Departure, Federation, FederationError, Trip, Upstream};
use keyward_model::{ProviderKind, Timestamp};

use self::{oidc::Oidc, outbound::Outbound, saml::Saml};

/// Speaks to identity providers of both kinds.
#[derive(Debug)]
pub struct Providers(Oidc);

impl Providers {
    /// What is fetched from providers is fetched by this client.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self(Oidc::new(outbound))
    }
}

#[async_trait]
impl Federation for Providers {
    async fn depart(&self, provider: &Upstream, trip: &Trip<'_>) -> Result<Departure, FederationError> {
        match provider.kind {
            ProviderKind::Oidc => self.0.depart(provider, trip).await,
            ProviderKind::Saml => Saml.depart(provider, trip),
        }
    }

    async fn arrive(
        &self,
        provider: &Upstream,
        remembered: &str,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Arrival, FederationError> {
        match provider.kind {
            ProviderKind::Oidc => self.0.arrive(provider, remembered, answer, now).await,
            ProviderKind::Saml => Saml.arrive(provider, remembered, answer, now),
        }
    }

    fn metadata(&self, provider: &Upstream) -> Result<Option<String>, FederationError> {
        match provider.kind {
            ProviderKind::Oidc => Ok(None),
            ProviderKind::Saml => Saml.metadata(provider),
        }
    }

    async fn check(&self, provider: &Upstream, now: Timestamp) -> Vec<CheckedStep> {
        match provider.kind {
            ProviderKind::Oidc => self.0.check(provider, now).await,
            ProviderKind::Saml => Saml.check(provider, now),
        }
    }
}
