//! What a token is asked for.

use std::collections::BTreeSet;

use crate::Error;

/// What a token is to be good for, within what the client may have. What is not said here is as with the client that is
/// narrowed.
///
/// ```
/// use keyward_client::Narrowing;
///
/// // The order of the permissions does not matter.
/// let one = Narrowing::new().tenant("acme").scope("points:read points:adjust");
/// assert_eq!(one, Narrowing::new().tenant("acme").scope("points:adjust  points:read"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Narrowing {
    scope: Option<String>,
    tenant: Option<String>,
    resource: Option<String>,
}

impl Narrowing {
    /// No narrowing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These permissions, with spaces between them (RFC 6749, section 3.3). None at all is an error when a token is
    /// asked for: the server would read it as all.
    #[must_use]
    pub fn scope(mut self, scope: impl AsRef<str>) -> Self {
        let tokens: BTreeSet<&str> = scope.as_ref().split_ascii_whitespace().collect();
        self.scope = Some(tokens.into_iter().collect::<Vec<_>>().join(" "));
        self
    }

    /// This tenant, by slug or ID, of those that were granted to the client.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// This resource, an absolute URI, as the token's audience (RFC 8707, section 2).
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// This narrowing, and `base` where it says nothing.
    pub(crate) fn or(self, base: &Self) -> Self {
        Self {
            scope: self.scope.or_else(|| base.scope.clone()),
            tenant: self.tenant.or_else(|| base.tenant.clone()),
            resource: self.resource.or_else(|| base.resource.clone()),
        }
    }

    /// The parameters of the token request.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = [("scope", &self.scope), ("tenant", &self.tenant), ("resource", &self.resource)];
        named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Refuses what is empty: to the server an empty parameter is none (RFC 6749, section 3.2), and the token would
    /// be wider than its caller meant.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.parameters().find(|(_, value)| value.trim().is_empty()) {
            Some((name, _)) => Err(Error::invalid(format!("the {name} to narrow the token to is empty"))),
            None => Ok(()),
        }
    }
}
