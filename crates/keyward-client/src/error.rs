//! What can go wrong.

use std::{sync::Arc, time::Duration};

/// Why there is no token, or no reply.
///
/// Errors are shared by all who waited for the same token request, so they can be cloned. None of them holds a secret,
/// a token, or the address that was asked with its query.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The authorization server refused the token request (RFC 6749, section 5.2). Trying again does not help until
    /// somebody changed the client or what it asks for.
    #[error("the token request was refused: {error} ({})", .error_description.as_deref().unwrap_or("no description"))]
    Refused {
        /// The code, for example `invalid_client`.
        error: String,
        /// What is wrong, for people.
        error_description: Option<String>,
    },
    /// The authorization server wants to be left alone for so long (429 or 503). Until then nothing is sent, and
    /// callers get this error with what is left.
    #[error("the authorization server can be asked again in {} ms", .after.as_millis())]
    RetryLater {
        /// How long to wait from now on.
        after: Duration,
    },
    /// No reply came from the authorization server: no connection, no TLS, or not in time.
    #[error("the authorization server is out of reach")]
    Unreachable(#[source] Arc<reqwest::Error>),
    /// The authorization server answered something else than OAuth foresees.
    #[error("unexpected reply of the authorization server: {reason}")]
    Unexpected {
        /// The HTTP status, if the reply had one that matters.
        status: Option<u16>,
        /// What is wrong with it.
        reason: String,
    },
    /// The options or the request can't be used as they are; nothing was sent.
    #[error("{0}")]
    Invalid(String),
    /// The API could not be reached, or its reply not be read: [`reqwest`] says why. Whether the API has done what
    /// it was asked is unknown. A reply of any status is no error.
    #[error("the request to the API failed")]
    Api(#[source] Arc<reqwest::Error>),
}

impl Error {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }

    pub(crate) fn unexpected(reason: impl Into<String>) -> Self {
        Self::Unexpected { status: None, reason: reason.into() }
    }

    pub(crate) fn unreachable(error: reqwest::Error) -> Self {
        Self::Unreachable(Arc::new(error.without_url()))
    }

    /// An error of the request to the API, of which a builder's is the caller's own mistake.
    pub(crate) fn api(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_builder() { Self::Invalid(text(&error)) } else { Self::Api(Arc::new(error)) }
    }
}

/// An error with its causes, in one line.
pub(crate) fn text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
