//! Claims that a provider tells at its userinfo endpoint only (`OpenID` Connect Core 1.0 section 5.3).

use http::{HeaderValue, header::AUTHORIZATION};
use keyward_core::FederationError;
use serde_json::{Map, Value};

use super::{json, library};
use crate::outbound::{Outbound, OutboundRequest};

/// The longest answer that is read, in bytes.
const MAX_LEN: usize = 256 << 10;
/// Claims that are about a token, and so only in one. The endpoint's word on them would be about nothing.
const OF_TOKENS: [&str; 12] =
    ["iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "auth_time", "acr", "amr", "at_hash", "sid"];

/// Adds to the claims of an ID token without an address what the endpoint says beyond them. Nothing is replaced.
pub(super) async fn complete(
    claims: &mut Map<String, Value>,
    outbound: &Outbound,
    endpoint: &str,
    access_token: &str,
) -> Result<(), FederationError> {
    let mut token = HeaderValue::from_str(&format!("Bearer {access_token}"))
        .map_err(|_| fault("malformed", "The access token can't be sent."))?;
    token.set_sensitive(true);
    let request = OutboundRequest::get(endpoint).header(AUTHORIZATION, token).limit(MAX_LEN);
    let answer = outbound.send(request).await.map_err(|error| library::not_fetched("userinfo", &error))?;
    if answer.status != 200 {
        return Err(library::bad_status("userinfo", answer.status));
    }
    let told = json::object(&answer.body).ok_or_else(|| {
        fault("not_json", "The answer of the userinfo endpoint is no JSON object, or says something twice.")
    })?;
    // Whoever can exchange access tokens could let one person in as another (section 5.3.2).
    if told.get("sub") != claims.get("sub") {
        return Err(fault(
            "wrong_subject",
            "The userinfo endpoint tells of another person than the ID token.",
        ));
    }
    // The ID token named no address, so its word on one is not about the address that is told here.
    claims.remove("email_verified");
    for (name, value) in told {
        if !OF_TOKENS.contains(&name.as_str()) {
            claims.entry(name).or_insert(value);
        }
    }
    Ok(())
}

fn fault(reason: &'static str, detail: &str) -> FederationError {
    FederationError::new("userinfo", reason, detail)
}
