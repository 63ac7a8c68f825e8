//! Why a request is refused, for programs and for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ScopeSet;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A credential that is asked for was not sent.
    CredentialsMissing,
    /// The `Authorization` header has another scheme than `Bearer`, or none.
    SchemeMissing,
    /// The token is no access token of the issuer.
    TokenMalformed,
    /// The token has expired.
    TokenExpired,
    /// The token, or something that it depends on, was revoked.
    TokenRevoked,
    /// The token is for another API.
    TokenWrongAudience,
    /// A credential is of another environment.
    TokenWrongEnvironment,
    /// The key is unknown.
    KeyInvalid,
    /// The key has expired.
    KeyExpired,
    /// The key was revoked or disabled, or its tenant suspended.
    KeyRevoked,
    /// Token and key are of different tenants.
    TenantMismatch,
    /// A permission is missing.
    PermissionDenied,
    /// There were too many attempts.
    RateLimited,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::CredentialsMissing,
        Self::SchemeMissing,
        Self::TokenMalformed,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::TokenWrongAudience,
        Self::TokenWrongEnvironment,
        Self::KeyInvalid,
        Self::KeyExpired,
        Self::KeyRevoked,
        Self::TenantMismatch,
        Self::PermissionDenied,
        Self::RateLimited,
    ];

    /// The reason in a word, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CredentialsMissing => "credentials_missing",
            Self::SchemeMissing => "scheme_missing",
            Self::TokenMalformed => "token_malformed",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::TokenWrongAudience => "token_wrong_audience",
            Self::TokenWrongEnvironment => "token_wrong_environment",
            Self::KeyInvalid => "key_invalid",
            Self::KeyExpired => "key_expired",
            Self::KeyRevoked => "key_revoked",
            Self::TenantMismatch => "tenant_mismatch",
            Self::PermissionDenied => "permission_denied",
            Self::RateLimited => "rate_limited",
        }
    }

    /// The HTTP status: 401 when the credential is at fault, 403 when it is good but not enough.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::TokenWrongEnvironment | Self::TenantMismatch | Self::PermissionDenied => 403,
            Self::RateLimited => 429,
            _ => 401,
        }
    }
}

/// A refusal: why, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The same as a sentence for people.
    pub detail: String,
    /// The permissions that were asked for, when they are why.
    pub required: ScopeSet,
    /// The permissions that the credential has, when they are why.
    pub held: ScopeSet,
}

impl Refusal {
    /// A refusal that is not about permissions.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        let (required, held) = (ScopeSet::default(), ScopeSet::default());
        Self { reason, detail: detail.into(), required, held }
    }

    /// The refusal of a request without a token where one is needed.
    #[must_use]
    pub fn no_token() -> Self {
        Self::new(Reason::CredentialsMissing, "Send an access token: Authorization: Bearer …")
    }

    /// The value of `WWW-Authenticate` (RFC 6750 section 3): there where another credential would help.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        match (self.reason, self.reason.status()) {
            (Reason::PermissionDenied, _) => {
                Some(format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", self.required))
            }
            (_, 401 | 403) => {
                let detail = Quoted(&self.detail);
                Some(format!("Bearer error=\"invalid_token\", error_description=\"{detail}\""))
            }
            _ => None,
        }
    }
}

/// A text as it may stand in a quoted string of RFC 6750: printable ASCII without `"` and `\`.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        self.0.chars().try_for_each(|c| fmt::Write::write_char(f, if allowed(c) { c } else { ' ' }))
    }
}
