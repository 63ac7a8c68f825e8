//! Where the token endpoint is.

use std::time::Duration;

use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    Error,
    exchange::read,
    options::{check_address, parse},
};

/// The token endpoint, given or to be found.
pub(crate) enum TokenEndpoint {
    Given(Url),
    OfIssuer {
        /// The issuer, without a slash at the end.
        issuer: String,
        metadata: Url,
        /// Whether the endpoint may be plain HTTP beyond loopback.
        insecure: bool,
        found: Mutex<Option<Url>>,
    },
}

/// What matters of the metadata (RFC 8414, section 2).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
}

impl TokenEndpoint {
    /// The endpoint of an issuer, yet to be found.
    pub(crate) fn of_issuer(issuer: &Url, insecure: bool) -> Self {
        let path = issuer.path().trim_end_matches('/');
        let mut metadata = issuer.clone();
        // The well-known part comes before the issuer's own path (RFC 8414, section 3.1).
        metadata.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
        let issuer = issuer.as_str().trim_end_matches('/').to_owned();
        Self::OfIssuer { issuer, metadata, insecure, found: Mutex::default() }
    }

    /// The endpoint. Who asks while another does waits for that one's answer.
    pub(crate) async fn find(&self, http: &Client, timeout: Duration) -> Result<Url, Error> {
        let (issuer, metadata, insecure, found) = match self {
            Self::Given(endpoint) => return Ok(endpoint.clone()),
            Self::OfIssuer { issuer, metadata, insecure, found } => (issuer, metadata, *insecure, found),
        };
        let mut found = found.lock().await;
        if let Some(endpoint) = &*found {
            return Ok(endpoint.clone());
        }
        let response =
            http.get(metadata.clone()).timeout(timeout).send().await.map_err(Error::unreachable)?;
        let reply = read(response, metadata).await?;
        let read: Metadata = match serde_json::from_slice(&reply.body) {
            Ok(read) if reply.status.is_success() => read,
            _ => return Err(reply.unexpected(&format!("no metadata at {metadata}"))),
        };
        // Without this check one issuer could pass itself off as another (RFC 8414, section 3.3).
        if read.issuer.trim_end_matches('/') != issuer {
            let reason =
                format!("the metadata of {issuer} are those of another issuer, {:.100?}", read.issuer);
            return Err(Error::unexpected(reason));
        }
        let endpoint = parse("the token endpoint", &read.token_endpoint)
            .and_then(|url| check_address("the token endpoint", &url, insecure).map(|()| url))
            .map_err(|error| Error::unexpected(error.to_string()))?;
        Ok(found.insert(endpoint).clone())
    }

    /// Looks for the endpoint again when it is needed next: it may have moved.
    pub(crate) async fn forget(&self) {
        if let Self::OfIssuer { found, .. } = self {
            *found.lock().await = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_metadata_are() {
        let cases = [
            ("https://id.example", "https://id.example/.well-known/oauth-authorization-server"),
            ("https://id.example/", "https://id.example/.well-known/oauth-authorization-server"),
            (
                "https://id.example:8443/a/b",
                "https://id.example:8443/.well-known/oauth-authorization-server/a/b",
            ),
            ("https://id.example/a/", "https://id.example/.well-known/oauth-authorization-server/a"),
        ];
        for (issuer, expected) in cases {
            let TokenEndpoint::OfIssuer { metadata, .. } =
                TokenEndpoint::of_issuer(&issuer.parse().unwrap(), false)
            else {
                panic!("{issuer} is to be found")
            };
            assert_eq!(metadata.as_str(), expected);
        }
    }
}
