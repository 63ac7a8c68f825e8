//! The way to the provider: the authorization request, and what is remembered of it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_core::{Departure, FederationError, Trip};
use keyward_crypto::digest::sha256;
use keyward_model::Random;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, settings::Settings};

/// What must be known again when the browser comes back.
#[derive(Serialize, Deserialize)]
pub(super) struct Remembered {
    /// The provider that the browser was sent to, and its issuer: nobody else may answer.
    pub(super) provider: String,
    pub(super) issuer: String,
    pub(super) nonce: String,
    /// The PKCE verifier (RFC 7636).
    pub(super) verifier: String,
    /// The moment since which the person must have authenticated, in seconds since the epoch, if that was asked for.
    pub(super) fresh_since: Option<i64>,
}

impl Remembered {
    /// Reads what was remembered, if it is of a trip to this provider as it is now.
    pub(super) fn read(text: &str, settings: &Settings<'_>) -> Result<Self, FederationError> {
        let remembered: Self = serde_json::from_str(text).map_err(|_| {
            FederationError::new("answer", "not_remembered", "Nothing is known of how this sign-in began.")
        })?;
        if remembered.provider != settings.id || remembered.issuer != settings.issuer {
            let detail = "This sign-in began with another provider, or the issuer was changed since.";
            return Err(FederationError::new("answer", "other_provider", detail));
        }
        Ok(remembered)
    }
}

/// 256 random bits in base64url.
fn secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Makes the authorization request (`OpenID` Connect Core 1.0 section 3.1.2.1, RFC 7636 section 4.3).
pub(super) fn depart(
    settings: &Settings<'_>,
    metadata: &Metadata,
    trip: &Trip<'_>,
) -> Result<Departure, FederationError> {
    let remembered = Remembered {
        provider: settings.id.to_owned(),
        issuer: settings.issuer.to_owned(),
        nonce: secret(trip.random),
        verifier: secret(trip.random),
        fresh_since: trip.fresh.then(|| trip.now.unix_seconds()),
    };
    let challenge = URL_SAFE_NO_PAD.encode(sha256(remembered.verifier.as_bytes()));
    let mut location = metadata.authorization_endpoint.clone();
    let mut query = location.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", settings.client_id)
        .append_pair("redirect_uri", settings.return_url)
        .append_pair("scope", &settings.scopes)
        .append_pair("state", trip.state)
        .append_pair("nonce", &remembered.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if let Some(hint) = trip.login_hint {
        query.append_pair("login_hint", hint);
    }
    if trip.fresh {
        query.append_pair("prompt", "login").append_pair("max_age", "0");
    }
    drop(query);
    let remembered = serde_json::to_string(&remembered)
        .map_err(|_| FederationError::new("answer", "not_remembered", "The sign-in can't be begun."))?;
    Ok(Departure { location: location.into(), remembered })
}
