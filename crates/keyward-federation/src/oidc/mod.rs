//! An `OpenID` Connect relying party: authorization code with PKCE, and every check of the answer.
//!
//! **Invariant:** nothing that a token says is looked at before its signature was verified by a key that the provider
//! publishes, and nothing of a token or a secret stands in an error.

mod answer;
mod check;
mod id_token;
mod json;
mod library;
mod metadata;
mod preset;
mod settings;
mod slot;
mod token;
mod trip;
mod userinfo;

use keyward_core::{Answer, Arrival, CheckedStep, Departure, FederationError, Trip, Upstream};
use keyward_crypto::jws::JwsError;
use keyward_model::Timestamp;
use serde_json::{Map, Value};

use self::{
    id_token::Expected, library::Library, metadata::Metadata, preset::Preset, settings::Settings,
    token::Tokens, trip::Remembered,
};
use crate::outbound::Outbound;

/// The longest address of a mailbox, in bytes (RFC 5321 section 4.5.3.1.3).
const MAX_EMAIL: usize = 254;
/// Claims that are of use for checking the token alone.
const SPENT: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// Sign-in through providers of `OpenID` Connect.
pub struct Oidc {
    library: Library,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").finish_non_exhaustive()
    }
}

impl Oidc {
    /// A relying party whose every request goes through this client.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self { library: Library::new(outbound) }
    }

    /// [`keyward_core::Federation::depart`] for `OpenID` Connect.
    pub async fn depart(&self, provider: &Upstream, trip: &Trip<'_>) -> Result<Departure, FederationError> {
        let settings = Settings::read(provider)?;
        let metadata = self.library.metadata(&settings, trip.now).await?;
        trip::depart(&settings, &metadata, trip)
    }

    /// [`keyward_core::Federation::arrive`] for `OpenID` Connect.
    pub async fn arrive(
        &self,
        provider: &Upstream,
        remembered: &str,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Arrival, FederationError> {
        let settings = Settings::read(provider)?;
        let remembered = Remembered::read(remembered, &settings)?;
        let metadata = self.library.metadata(&settings, now).await?;
        let code = answer::code(answer, &settings, &metadata)?;
        let outbound = self.library.outbound();
        let tokens = token::exchange(outbound, &settings, &metadata, code, &remembered.verifier).await?;
        let expected = Expected {
            issuer: settings.issuer,
            client_id: settings.client_id,
            nonce: &remembered.nonce,
            fresh_since: remembered.fresh_since,
            access_token: tokens.access_token.as_deref(),
            now,
        };
        let mut claims = self.verified(&settings, &metadata, &tokens, &expected).await?;
        if !claims.contains_key("email")
            && tokens.is_bearer
            && let (Some(endpoint), Some(token)) = (&metadata.userinfo_endpoint, &tokens.access_token)
        {
            userinfo::complete(&mut claims, outbound, endpoint, token).await?;
        }
        Ok(arrived(claims, settings.preset))
    }

    /// [`keyward_core::Federation::check`] for `OpenID` Connect.
    pub async fn check(&self, provider: &Upstream, now: Timestamp) -> Vec<CheckedStep> {
        check::steps(self, provider, now).await
    }

    /// The claims of an ID token, once all of it was checked.
    async fn verified(
        &self,
        settings: &Settings<'_>,
        metadata: &Metadata,
        tokens: &Tokens,
        expected: &Expected<'_>,
    ) -> Result<Map<String, Value>, FederationError> {
        let keys = self.library.keys(settings, metadata, expected.now).await?;
        let mut verified = keys.verify_id_token(&tokens.id_token, &metadata.algorithms);
        if verified == Err(JwsError::UnknownKey)
            && let Some(newer) = self.library.keys_beyond(&keys, settings, metadata, expected.now).await?
        {
            verified = newer.verify_id_token(&tokens.id_token, &metadata.algorithms);
        }
        let (verified, algorithm) = verified.map_err(id_token::not_verified)?;
        id_token::claims(&verified.payload, algorithm, expected)
    }
}

/// What the claims come to.
fn arrived(mut claims: Map<String, Value>, preset: Preset) -> Arrival {
    claims.retain(|name, _| !SPENT.contains(&name.as_str()));
    let text =
        |name: &str| claims.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let email =
        text("email").filter(|email| email.contains('@') && email.len() <= MAX_EMAIL).map(str::to_owned);
    let full_name = || match (text("given_name"), text("family_name")) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (given, family) => given.or(family).map(str::to_owned),
    };
    Arrival {
        // Exactly as the provider writes it: a key to an account is not tidied up.
        subject: claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned(),
        email_verified: email.as_deref().is_some_and(|email| preset.is_email_verified(&claims, email)),
        name: text("name").map(str::to_owned).or_else(full_name),
        email,
        claims,
        once: None,
    }
}
