//! The port to identity providers: what Keyward asks of whoever speaks their protocols.
//!
//! `keyward-federation` implements it for `OpenID` Connect and SAML 2.0. It decides nothing about people: it sends a
//! browser away, and says who came back. Which account that is, and what it may do, is decided by the sign-in.

use async_trait::async_trait;
use keyward_model::{ProviderKind, Random, Timestamp};
use serde_json::{Map, Value};

/// Speaks the protocols of identity providers.
#[async_trait]
pub trait Federation: Send + Sync {
    /// Where to send the browser, and what must be known again when it comes back.
    async fn depart(&self, provider: &Upstream, trip: &Trip<'_>) -> Result<Departure, FederationError>;

    /// Who came back. `remembered` is that of the [`Departure`] which the answer's `state` or `RelayState` names; the
    /// caller has found it and takes care that it is used once.
    async fn arrive(
        &self,
        provider: &Upstream,
        remembered: &str,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Arrival, FederationError>;

    /// What an administrator gives to the provider's side: SAML metadata (XML); none for `OpenID` Connect.
    fn metadata(&self, provider: &Upstream) -> Result<Option<String>, FederationError>;

    /// Tries what can be tried without a person, in the order of a sign-in: reaching the provider, its documents, its
    /// keys or certificates. Ends with the first step that fails.
    async fn check(&self, provider: &Upstream, now: Timestamp) -> Vec<CheckedStep>;
}

/// An identity provider, as its protocol needs it.
#[derive(Clone)]
pub struct Upstream {
    /// The identifier, `idp_…`.
    pub id: String,
    /// The protocol.
    pub kind: ProviderKind,
    /// How it is reached: the members that `contract` and API document, secrets left out.
    pub config: Map<String, Value>,
    /// The client secret, where there is one.
    pub client_secret: Option<String>,
    /// Where the browser comes back: the `redirect_uri`, or the URL of the assertion consumer service. It belongs to
    /// this provider alone.
    pub return_url: String,
    /// What Keyward is called at a SAML provider: the `entityID`, an address at which its metadata stands.
    pub entity_id: String,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// One attempt to sign in.
pub struct Trip<'a> {
    /// What comes back as `state` or `RelayState`: 32 random bytes in base64url.
    pub state: &'a str,
    /// The address that the person gave, to save them typing it again.
    pub login_hint: Option<&'a str>,
    /// Whether the person must be asked to authenticate again.
    pub fresh: bool,
    /// The present moment.
    pub now: Timestamp,
    /// The source of random bytes.
    pub random: &'a dyn Random,
}

/// Where the browser goes, and what stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The address.
    pub location: String,
    /// What [`Federation::arrive`] needs: nonce, PKCE verifier, or the identifier of the request. Kept by the caller for
    /// minutes, where the browser can't see it.
    pub remembered: String,
}

/// What the browser brought back, unread.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The parameters of an authorization response (RFC 6749 section 4.1.2, RFC 9207).
    Oidc(Vec<(String, String)>),
    /// The `SAMLResponse` of the HTTP-POST binding, in base64.
    Saml(String),
}

/// Who came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// The person's identifier at the provider: `sub`, or the `NameID`. With the provider it is the one key to an account.
    pub subject: String,
    /// The address that the provider states.
    pub email: Option<String>,
    /// Whether the provider says that the address was verified.
    pub email_verified: bool,
    /// What the person is called.
    pub name: Option<String>,
    /// Every claim or attribute, for the mapping to roles and for the Test function. Attributes of SAML are lists of texts.
    pub claims: Map<String, Value>,
    /// What must not arrive twice, and until when that must be remembered: the identifier of a SAML assertion.
    pub once: Option<(String, Timestamp)>,
}

/// Why signing in through a provider failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {detail}")]
pub struct FederationError {
    /// The step that failed, for example `discovery`, `keys`, `token`, `id_token`, `signature`, `conditions`.
    pub step: &'static str,
    /// The cause in a word, for the audit log: for example `unreachable`, `wrong_issuer`, `bad_signature`, `replayed`,
    /// `refused_by_provider`.
    pub reason: &'static str,
    /// What is wrong, for the administrator of the provider. No secret, no token.
    pub detail: String,
}

impl FederationError {
    /// An error of a step.
    pub fn new(step: &'static str, reason: &'static str, detail: impl Into<String>) -> Self {
        Self { step, reason, detail: detail.into() }
    }
}

/// One step of [`Federation::check`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = IdentityProviderCheck)]
pub struct CheckedStep {
    /// Which one, for example `discovery`.
    pub step: &'static str,
    /// Whether it went well.
    pub passed: bool,
    /// What was found, or what is wrong.
    pub detail: String,
}
