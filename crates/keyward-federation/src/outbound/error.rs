//! Why there is no answer.

/// Why a request was not made, or brought nothing. No variant holds anything that was sent or received but a host's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The text is no address that may be asked.
    #[error("the address can't be used: {0}")]
    BadAddress(&'static str),
    /// The host is, or leads to, an address that is not one of the public internet.
    #[error("{0} is not on the public internet; outbound.allow can open it")]
    Refused(String),
    /// Plain HTTP to a host that no rule opens.
    #[error("{0} must be reached by https, unless outbound.allow opens it")]
    NotEncrypted(String),
    /// The name has no address.
    #[error("the name {0} can't be resolved")]
    UnknownHost(String),
    /// No connection, or one that broke.
    #[error("{0} can't be reached")]
    Unreachable(String),
    /// No secure connection: a certificate that is not trusted, expired or another host's, or no common version.
    #[error("no secure connection to {host}: {cause}")]
    Tls {
        /// The host.
        host: String,
        /// What TLS says.
        cause: String,
    },
    /// What came back is not HTTP.
    #[error("{0} does not answer in HTTP")]
    NotHttp(String),
    /// There was no whole answer in time.
    #[error("{0} did not answer in time")]
    TimedOut(String),
    /// It sends the client somewhere else, which is not followed.
    #[error("{0} redirects to another address, which is not followed")]
    Redirected(String),
    /// The answer is longer than any good one.
    #[error("the answer of {host} has more than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer is compressed although that was not asked for.
    #[error("{0} compresses its answer although it was asked not to")]
    Compressed(String),
    /// Too many requests are under way already.
    #[error("too many requests to {0} are under way")]
    Busy(String),
}

impl OutboundError {
    /// The cause in a word, for audit records.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::BadAddress(_) => "bad_address",
            Self::Refused(_) => "address_refused",
            Self::NotEncrypted(_) => "not_encrypted",
            Self::UnknownHost(_) => "unknown_host",
            Self::Unreachable(_) => "unreachable",
            Self::Tls { .. } => "tls_failed",
            Self::NotHttp(_) => "not_http",
            Self::TimedOut(_) => "timed_out",
            Self::Redirected(_) => "redirected",
            Self::TooLarge { .. } => "too_large",
            Self::Compressed(_) => "compressed",
            Self::Busy(_) => "busy",
        }
    }
}
