//! How a client says who it is (RFC 6749 section 2.3.1).

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::STANDARD};
use keyward_core::{ClientAuth, OAuthError, OAuthErrorCode};

use super::params::Params;

/// The client and its secret, by HTTP Basic or in the body, never both; nothing when the request names neither.
pub(super) fn client(request: &HttpRequest, params: &Params<'_>) -> Result<Option<ClientAuth>, OAuthError> {
    let (named, secret) = (params.get("client_id"), params.get("client_secret"));
    let has_assertion =
        params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some();
    let basic = basic(request)?;
    let ways = [basic.is_some(), secret.is_some(), has_assertion];
    if ways.iter().filter(|used| **used).count() > 1 {
        return Err(OAuthError::invalid_request("Authenticate in one way, not in two."));
    }
    if has_assertion {
        return Err(unauthenticated("Authentication by a signed assertion is not supported yet."));
    }
    match (basic, named, secret) {
        (Some(basic), Some(named), _) if basic.client_id != named => {
            Err(OAuthError::invalid_request("The client_id is not that of the Authorization header."))
        }
        (Some(basic), ..) => Ok(Some(basic)),
        (None, Some(named), Some(secret)) => {
            let (client_id, secret) = (named.to_owned(), Some(secret.to_owned()));
            Ok(Some(ClientAuth { client_id, secret, basic: false }))
        }
        // An application that can keep no secret has none.
        (None, Some(named), None) => {
            Ok(Some(ClientAuth { client_id: named.to_owned(), secret: None, basic: false }))
        }
        (None, None, Some(_)) => Err(unauthenticated("The client_id is missing.")),
        (None, None, None) => Ok(None),
    }
}

fn unauthenticated(description: &str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClient, description).because("credentials_missing")
}

fn malformed() -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidClient, "The Authorization header is not well-formed HTTP Basic.")
        .because("malformed_credential")
}

/// The credentials of HTTP Basic, of which both halves are form-encoded before base64. Clients that do not encode `.`,
/// `_` and `-` send the same.
fn basic(request: &HttpRequest) -> Result<Option<ClientAuth>, OAuthError> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(OAuthError::invalid_request("The Authorization header occurs more than once."));
    }
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, encoded) = text.trim().split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unauthenticated("Clients authenticate by HTTP Basic or with their secret in the body."));
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (client_id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    let (client_id, secret) = (form_decoded(client_id)?, Some(form_decoded(secret)?));
    Ok(Some(ClientAuth { client_id, secret, basic: true }))
}

/// A text as it was before it was form-encoded.
fn form_decoded(text: &str) -> Result<String, OAuthError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit().ok_or_else(malformed)?, digit().ok_or_else(malformed)?);
                u8::try_from(high * 16 + low).map_err(|_| malformed())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_encoding_mean_the_same() {
        for text in ["acme.crm-sync", "acme%2Ecrm%2Dsync", "acme%2ecrm%2dsync", "acme.crm%2Dsync"] {
            assert_eq!(form_decoded(text).unwrap(), "acme.crm-sync");
        }
        assert_eq!(form_decoded("a+b%20c%25").unwrap(), "a b c%");
        for bad in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert!(form_decoded(bad).is_err(), "{bad}");
        }
    }
}
