//! Why the admin API refuses something: few kinds, public text apart from the private cause.

use keyward_model::{ScopeSet, admission};
use keyward_policy::{GrantRefusal, Refusal};
use keyward_store::StoreError;

/// A refusal or failure of the admin API.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credential is missing or does not work (401), or is used too often (429).
    #[error(transparent)]
    Refused(#[from] admission::Refusal),
    /// The caller may not do this (403).
    #[error("{detail}")]
    Forbidden {
        /// What is wrong, for people.
        detail: String,
        /// The permissions that would suffice; empty when none would.
        required: Vec<String>,
        /// The permissions that the caller has.
        held: ScopeSet,
    },
    /// There is no such thing, as far as the caller may know (404).
    #[error("There is nothing here by that identifier.")]
    NotFound,
    /// The request contradicts what exists (409).
    #[error("{detail}")]
    Conflict {
        /// The conflict in a word.
        code: &'static str,
        /// What is wrong, for people.
        detail: String,
    },
    /// A limit is reached (409).
    #[error("{detail}")]
    LimitReached {
        /// How many there may be.
        limit: u64,
        /// How many there are.
        used: u64,
        /// What is limited, for people.
        detail: String,
    },
    /// The object has another version than `If-Match` names (412).
    #[error("The object was changed in the meantime. Read it again, then repeat the change.")]
    PreconditionFailed,
    /// Fields of the body or parameters of the query are wrong (422).
    #[error("The request has invalid fields.")]
    Invalid(Vec<FieldError>),
    /// A parameter of the query is out of bounds (400).
    #[error("{0}")]
    BadRequest(String),
    /// Keyward can't answer now (503).
    #[error("The service is not available at the moment. Try again.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Where the field stands in the body (RFC 6901), or the parameter's name.
    pub pointer: String,
    /// What is wrong in a word.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

impl FieldError {
    /// An error at a field.
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }

    /// A reference to something that the caller can't see, or that does not exist.
    pub fn unknown_reference(pointer: impl Into<String>) -> Self {
        Self::new(pointer, "unknown_reference", "There is nothing by that identifier.")
    }
}

impl Error {
    /// One wrong field.
    #[must_use]
    pub fn field(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }

    /// A refusal by policy, with what the caller holds.
    #[must_use]
    pub fn refused(refusal: &Refusal, held: &ScopeSet) -> Self {
        let required = match refusal {
            Refusal::NoPlatformScope => vec!["admin:read".to_owned(), "admin:write".to_owned()],
            Refusal::AccessDenied => Vec::new(),
            Refusal::Missing(permission) => vec![permission.to_string()],
        };
        Self::Forbidden { detail: refusal.to_string(), required, held: held.clone() }
    }

    /// A refusal to give permissions, at the field that names them.
    #[must_use]
    pub fn not_grantable(refusal: &GrantRefusal, pointer: &str, held: &ScopeSet) -> Self {
        match refusal {
            GrantRefusal::PlatformOnly(scopes) => Self::field(FieldError::new(
                pointer,
                "platform_permission",
                format!("{scopes} can't be given to anything that belongs to a tenant or partner."),
            )),
            GrantRefusal::NotHeld(missing) => Self::Forbidden {
                detail: format!("Nobody can give away what they do not hold: {missing}"),
                required: missing.iter().map(ToString::to_string).collect(),
                held: held.clone(),
            },
        }
    }

    /// Whether it is a refusal for want of permission.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::Unavailable(cause),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
