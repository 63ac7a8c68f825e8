//! An identity provider's side as an administrator gave it: members of its own, or metadata.

use keyward_core::{FederationError, Upstream};
use url::Url;

use super::{
    certificate::{self, Certificate},
    idp_metadata::IdpMetadata,
};

/// What is configured. A member of its own counts more than the metadata's.
pub(super) struct Settings<'a> {
    upstream: &'a Upstream,
    metadata: Option<IdpMetadata>,
}

impl<'a> Settings<'a> {
    /// Reads the metadata, if there is any.
    pub(super) fn of(upstream: &'a Upstream) -> Result<Self, FederationError> {
        let pasted = member(upstream, "metadata");
        let metadata = pasted.map(IdpMetadata::read).transpose();
        let metadata =
            metadata.map_err(|detail| FederationError::new("metadata", "misconfigured", detail))?;
        Ok(Self { upstream, metadata })
    }

    /// Whether metadata was given.
    pub(super) fn has_metadata(&self) -> bool {
        self.metadata.is_some()
    }

    /// What the provider calls itself.
    pub(super) fn entity_id(&self) -> Result<&str, FederationError> {
        member(self.upstream, "entity_id")
            .or_else(|| self.metadata.as_ref().map(|metadata| metadata.entity_id.as_str()))
            .ok_or_else(|| wrong("entity_id", "The provider's entity ID is missing."))
    }

    /// Where requests go, by the HTTP-Redirect binding.
    pub(super) fn sso_url(&self) -> Result<Url, FederationError> {
        let found = member(self.upstream, "sso_url")
            .or_else(|| self.metadata.as_ref().and_then(|metadata| metadata.sso_url.as_deref()));
        let Some(found) = found else {
            let detail =
                "There is no sign-in address: the metadata offers none for the HTTP-Redirect binding.";
            return Err(wrong("sso_url", detail));
        };
        let url = Url::parse(found).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        url.ok_or_else(|| wrong("sso_url", "The provider's sign-in address is not an http or https address."))
    }

    /// The certificates whose keys may sign, at least one.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, FederationError> {
        let texts = match (member(self.upstream, "certificate"), &self.metadata) {
            (Some(own), _) => vec![own],
            (None, Some(metadata)) => metadata.certificates.iter().map(String::as_str).collect(),
            (None, None) => Vec::new(),
        };
        let mut certificates = Vec::new();
        for text in texts {
            let read = certificate::read(text);
            certificates.extend(read.map_err(|detail| wrong("certificate", detail))?);
        }
        if certificates.is_empty() {
            return Err(wrong(
                "certificate",
                "There is no certificate to verify the provider's signatures with.",
            ));
        }
        Ok(certificates)
    }
}

fn member<'a>(upstream: &'a Upstream, name: &str) -> Option<&'a str> {
    let text = upstream.config.get(name)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

fn wrong(step: &'static str, detail: impl Into<String>) -> FederationError {
    FederationError::new(step, "misconfigured", detail)
}
