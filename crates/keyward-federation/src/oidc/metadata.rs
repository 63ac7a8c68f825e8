//! The discovery document, as far as it matters here (`OpenID` Connect Discovery 1.0 section 3).

use keyward_core::FederationError;
use keyward_crypto::jws::ForeignAlgorithm;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::json;

/// What a provider says of itself.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) userinfo_endpoint: Option<String>,
    /// What it signs ID tokens with, as far as it is known here.
    pub(super) algorithms: Vec<ForeignAlgorithm>,
    /// How clients authenticate at the token endpoint.
    pub(super) auth_methods: Vec<String>,
    /// Whether every answer names the issuer (RFC 9207 section 3).
    pub(super) names_issuer: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    response_types_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl Metadata {
    /// Reads the document of an issuer. It counts only if it is about exactly this issuer (section 4.3).
    pub(super) fn read(bytes: &[u8], issuer: &str) -> Result<Self, FederationError> {
        let object = json::object(bytes).ok_or_else(|| {
            fault("not_json", "The discovery document is no JSON object, or says something twice.")
        })?;
        let document: Document = serde_json::from_value(Value::Object(object)).map_err(|error| {
            fault("incomplete", format!("The discovery document is not as it should be: {error}."))
        })?;
        if document.issuer != issuer {
            let found: String = document.issuer.chars().take(300).collect();
            return Err(fault(
                "wrong_issuer",
                format!(
                    "The discovery document is about the issuer {found:?}, not about {issuer:?}. They must be equal, character by character."
                ),
            ));
        }
        // Among those that are listed, an issuer without the code flow would have others only.
        let has_code =
            document.response_types_supported.is_none_or(|types| types.iter().any(|one| one == "code"));
        if !has_code {
            return Err(fault("no_code_flow", "The provider does not offer the authorization code flow."));
        }
        let listed = document.id_token_signing_alg_values_supported;
        let algorithms = listed.map_or_else(
            || vec![ForeignAlgorithm::Rs256],
            |names| names.iter().filter_map(|name| ForeignAlgorithm::named(name)).collect(),
        );
        Ok(Self {
            authorization_endpoint: authorization_endpoint(&document.authorization_endpoint, issuer)?,
            token_endpoint: document.token_endpoint,
            jwks_uri: document.jwks_uri,
            userinfo_endpoint: document.userinfo_endpoint,
            algorithms,
            auth_methods: document
                .token_endpoint_auth_methods_supported
                .unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
            names_issuer: document.authorization_response_iss_parameter_supported == Some(true),
        })
    }
}

/// Where the browser is sent. It is never fetched from here, but it must not be a script or unencrypted, either.
fn authorization_endpoint(text: &str, issuer: &str) -> Result<Url, FederationError> {
    let url = Url::parse(text).ok().filter(|url| {
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && issuer.starts_with("http:"));
        is_safe && url.has_host() && url.username().is_empty() && url.password().is_none()
    });
    let mut url = url.ok_or_else(|| {
        fault("bad_endpoint", "The authorization endpoint in the discovery document is no https address.")
    })?;
    url.set_fragment(None);
    Ok(url)
}

fn fault(reason: &'static str, detail: impl Into<String>) -> FederationError {
    FederationError::new("discovery", reason, detail)
}
