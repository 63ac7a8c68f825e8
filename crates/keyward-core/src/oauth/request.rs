//! What the OAuth endpoints take and give.

use serde::Serialize;

/// How a client authenticates itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientAuth {
    /// The client identifier.
    pub client_id: String,
    /// The secret; applications that can't keep one have none.
    pub secret: Option<String>,
    /// Whether it came by HTTP Basic, so that a refusal must carry `WWW-Authenticate: Basic`.
    pub basic: bool,
}

impl std::fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientAuth").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A request for a token (RFC 6749 sections 4.1.3, 4.4 and 6), already free of repeated and empty parameters.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// `grant_type`.
    pub grant_type: Option<String>,
    /// Who asks.
    pub client: Option<ClientAuth>,
    /// `scope`: what is asked for; everything that the client is allowed when left out.
    pub scope: Option<String>,
    /// `resource` (RFC 8707).
    pub resource: Option<String>,
    /// `tenant`: slug or identifier, to narrow a client that is granted several.
    pub tenant: Option<String>,
    /// `code`: what the authorization endpoint gave.
    pub code: Option<String>,
    /// `redirect_uri`: that of the authorization request.
    pub redirect_uri: Option<String>,
    /// `code_verifier` (RFC 7636).
    pub code_verifier: Option<String>,
    /// `refresh_token`.
    pub refresh_token: Option<String>,
}

/// A token and what goes with it (RFC 6749 section 5.1).
#[derive(Clone, Debug, Serialize)]
pub struct TokenReply {
    /// The token.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// How long it lives, in seconds.
    pub expires_in: i64,
    /// What it allows.
    pub scope: String,
    /// Who the person is (OpenID Connect Core section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What the next tokens are obtained with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// What introspection says of a token (RFC 7662 section 2.2).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Introspection {
    /// Whether the token works now.
    pub active: bool,
    /// The claims of an active token, as they count now.
    #[serde(flatten)]
    pub claims: Option<serde_json::Map<String, serde_json::Value>>,
}
