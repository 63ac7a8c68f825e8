//! Refusals of the OAuth endpoints (RFC 6749 section 5.2).

use keyward_store::StoreError;

/// An error code of RFC 6749, RFC 8707 or RFC 6750.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthErrorCode {
    /// The request is malformed (400).
    InvalidRequest,
    /// The client did not authenticate (401).
    InvalidClient,
    /// The application may not use this grant type (400).
    UnauthorizedClient,
    /// A code or refresh token does not work, or is not the client's (400).
    InvalidGrant,
    /// There is no such grant type here (400).
    UnsupportedGrantType,
    /// A scope is unknown, malformed or not allowed (400).
    InvalidScope,
    /// A resource or tenant is unknown or not allowed (RFC 8707 section 2, 400).
    InvalidTarget,
    /// The client asks too often (429).
    RateLimited,
    /// Keyward can't answer now (503).
    Unavailable,
}

impl OAuthErrorCode {
    /// The value of `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::RateLimited | Self::Unavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            _ => 400,
        }
    }
}

/// A refusal: a code, and a sentence that says what to fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct OAuthError {
    /// The code.
    pub code: OAuthErrorCode,
    /// `error_description`: printable ASCII without quotation mark and backslash.
    pub description: String,
    /// The cause in a word, for the audit log and for metrics.
    pub reason: &'static str,
    /// For [`OAuthErrorCode::RateLimited`] and [`OAuthErrorCode::Unavailable`]: when to try again, in seconds.
    pub retry_after_seconds: Option<u64>,
}

impl OAuthError {
    /// A refusal whose reason in the audit log is its code.
    pub fn new(code: OAuthErrorCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), reason: code.as_str(), retry_after_seconds: None }
    }

    /// A malformed request.
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }

    /// The same refusal with a reason of its own for the audit log.
    #[must_use]
    pub fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// Unknown client and wrong secret, which are one answer.
    #[must_use]
    pub fn unknown_client() -> Self {
        Self::new(OAuthErrorCode::InvalidClient, "The client is unknown or its secret is wrong.")
    }

    /// Keyward can't answer now, for a reason that only the log tells.
    pub(crate) fn failed(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "an OAuth endpoint can't answer");
        Self::unavailable()
    }

    /// Keyward can't answer now.
    #[must_use]
    pub fn unavailable() -> Self {
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(OAuthErrorCode::Unavailable, "The service is not available at the moment. Try again.")
        }
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Self::failed(&error)
    }
}
