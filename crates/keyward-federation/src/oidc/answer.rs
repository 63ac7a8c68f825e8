//! The way back: the authorization response (RFC 6749 section 4.1.2, RFC 9207).

use keyward_core::{Answer, FederationError};

use super::{metadata::Metadata, settings::Settings};

/// The longest code that is taken, in bytes.
const MAX_CODE: usize = 8_192;
/// How much of what a provider says is passed on, in characters.
const MAX_QUOTE: usize = 300;

/// The code that the provider gave, if the answer is whole and from whom it should be.
pub(super) fn code<'a>(
    answer: &'a Answer,
    settings: &Settings<'_>,
    metadata: &Metadata,
) -> Result<&'a str, FederationError> {
    let Answer::Oidc(parameters) = answer else {
        return Err(malformed("The answer is one of SAML, but the provider speaks OpenID Connect."));
    };
    let one = |name: &str| {
        let mut values =
            parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(malformed("The answer has a parameter twice.")),
            (value, None) => Ok(value),
        }
    };
    let (code, error, description, issuer) =
        (one("code")?, one("error")?, one("error_description")?, one("iss")?);
    // First of all, errors included: what another provider says is of no interest (RFC 9207 section 2.4).
    match issuer {
        Some(issuer) if issuer != settings.issuer => {
            let detail = "The answer is from another issuer than the one that was asked.";
            return Err(FederationError::new("answer", "wrong_issuer", detail));
        }
        None if metadata.names_issuer => {
            let detail =
                "The answer does not name its issuer, although the provider says that its answers do.";
            return Err(FederationError::new("answer", "issuer_missing", detail));
        }
        _ => {}
    }
    if let Some(error) = error {
        let said = description.map(|text| format!(", {}", quoted(text))).unwrap_or_default();
        let detail = format!("The provider refused: {}{said}.", quoted(error));
        return Err(FederationError::new("answer", "refused_by_provider", detail));
    }
    code.filter(|code| !code.is_empty() && code.len() <= MAX_CODE)
        .ok_or_else(|| malformed("The answer has neither a code nor an error."))
}

fn malformed(detail: &str) -> FederationError {
    FederationError::new("answer", "malformed", detail)
}

/// What a provider says, in the characters that it may use for that (RFC 6749 section 5.2), and not too much of it.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    let plain: String = text.chars().filter(is_plain).take(MAX_QUOTE).collect();
    format!("\"{}\"", plain.trim())
}
