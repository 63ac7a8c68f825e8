//! Why somebody is not signed in. What a stranger may read says nothing of accounts.

use keyward_crypto::password::Weakness;
use keyward_store::StoreError;

use crate::FederationError;

/// A refusal, as the person may read it.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, or another password: one answer.
    #[error("The e-mail address or the password is wrong.")]
    Wrong,
    /// The code is wrong, or was used.
    #[error("This code is not right. Wait for the next one and try again.")]
    WrongCode,
    /// Too many attempts failed.
    #[error("Too many attempts failed. Try again in {} min.", .0.div_ceil(60).max(1))]
    TooMany(u64),
    /// The page is from before something else happened, or too old.
    #[error("This page is out of date. Begin again.")]
    OutOfDate,
    /// The link or code was used, replaced, or is too old.
    #[error("This link no longer works: it was used, or is too old.")]
    DeadLink,
    /// The new password is not good enough.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// A field is not valid.
    #[error("{0}")]
    Invalid(&'static str),
    /// The person proved who they are, and may not come in.
    #[error("{0}")]
    NotAllowed(String),
    /// The identity provider, or the way back from it, failed.
    #[error("{}", told(.0))]
    Provider(FederationError),
    /// The person must prove who they are once more first.
    #[error("Confirm that it is you first.")]
    StepUpNeeded,
    /// Keyward can't answer now.
    #[error("The service is not available at the moment. Try again.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the person may read: what the provider itself said to them, else that it failed.
fn told(error: &FederationError) -> String {
    match error.reason {
        "refused_by_provider" => error.detail.clone(),
        _ => "Signing in through the identity provider failed.".to_owned(),
    }
}

impl SignInError {
    /// The cause in a word, for the audit log.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Wrong => "wrong_credentials",
            Self::WrongCode => "wrong_code",
            Self::TooMany(_) => "too_many_attempts",
            Self::OutOfDate => "out_of_date",
            Self::DeadLink => "dead_link",
            Self::Weak(_) => "weak_password",
            Self::Invalid(_) => "invalid",
            Self::NotAllowed(_) => "not_allowed",
            Self::Provider(error) => error.reason,
            Self::StepUpNeeded => "step_up_needed",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::Unavailable(cause),
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

impl From<crate::Error> for SignInError {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Unavailable(cause) => Self::Unavailable(cause),
            other => Self::NotAllowed(other.to_string()),
        }
    }
}
