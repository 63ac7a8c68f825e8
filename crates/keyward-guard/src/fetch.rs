//! Requests to the issuer: bounded in time and size, and to no other address than the one that was asked for.

use std::time::Duration;

use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{CACHE_CONTROL, HeaderMap},
    redirect::Policy,
};
use serde::de::DeserializeOwned;

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request may take as a whole.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no answer from the issuer. No variant holds anything that was sent but the address.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The issuer can't be reached, or did not answer in time.
    #[error("the request failed")]
    Transport(#[from] reqwest::Error),
    /// It answered with another status than 200; redirects are not followed.
    #[error("{url} answered with status {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is longer than any good one.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
    /// The answer is not of the expected form.
    #[error("the answer is not what was expected: {0}")]
    Unexpected(&'static str),
}

/// A client for the issuer, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http(Client);

/// What came back.
pub(crate) struct Fetched {
    pub(crate) body: Vec<u8>,
    /// How long it may be kept (RFC 9111 section 5.2.2.1).
    pub(crate) max_age: Option<Duration>,
}

impl Fetched {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, FetchError> {
        serde_json::from_slice(&self.body).map_err(|_| FetchError::Unexpected("no such JSON"))
    }
}

impl Http {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(concat!("keyward-guard/", env!("CARGO_PKG_VERSION")));
        #[cfg(feature = "tls")]
        let builder = builder.tls_version_min(reqwest::tls::Version::TLS_1_2);
        builder.build().map(Self)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.0.post(url)
    }

    /// Reads a document of up to so many bytes.
    pub(crate) async fn get(&self, url: Url, limit: usize) -> Result<Fetched, FetchError> {
        read(self.0.get(url).send().await?, limit).await
    }

    /// The same for an answer that may take this much longer than others.
    pub(crate) async fn get_patiently(
        &self,
        url: Url,
        limit: usize,
        patience: Duration,
    ) -> Result<Fetched, FetchError> {
        read(self.0.get(url).timeout(TIMEOUT + patience).send().await?, limit).await
    }
}

/// The body of a good answer, as long as it is no longer than allowed.
pub(crate) async fn read(mut response: Response, limit: usize) -> Result<Fetched, FetchError> {
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status {
            url: response.url().path().to_owned(),
            status: response.status().as_u16(),
        });
    }
    let max_age = max_age(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { body, max_age })
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    for directive in directives.flat_map(|value| value.split(',')).map(str::trim) {
        if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if let Some((name, seconds)) = directive.split_once('=')
            && name.eq_ignore_ascii_case("max-age")
        {
            return seconds.trim_matches('"').parse().ok().map(Duration::from_secs);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_an_answer_may_be_kept() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, value.parse().unwrap());
            }
            max_age(&headers).map(|age| age.as_secs())
        };
        for (values, seconds) in [
            (&["public, max-age=300"][..], Some(300)),
            (&["Max-Age=\"7\""], Some(7)),
            (&["public", "max-age=9"], Some(9)),
            (&["no-store"], Some(0)),
            (&["no-cache, max-age=300"], Some(0)),
            (&["max-age=soon"], None),
            (&[], None),
        ] {
            assert_eq!(of(values), seconds, "{values:?}");
        }
    }
}
