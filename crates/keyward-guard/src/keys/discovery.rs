//! From an issuer's name to the addresses of its keys and its revocation feed (RFC 8414, `OpenID` Connect Discovery 1.0).

use std::net::IpAddr;

use serde::Deserialize;
use url::Url;

use super::KeysError;
use crate::fetch::{FetchError, Fetched, Http};

/// The longest metadata that is read, in bytes.
const MAX_LEN: usize = 256 << 10;

/// What an issuer says of itself, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) keys: Url,
    pub(crate) feed: Option<Url>,
    pub(crate) kept_for: Option<std::time::Duration>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: Option<String>,
    revocation_feed_endpoint: Option<String>,
}

/// Whether an address may be asked for keys: by TLS, or on this machine. Whoever can change the keys on their way can
/// make tokens.
pub(crate) fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
            Some(url::Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
            None => false,
        },
        _ => false,
    }
}

/// Where the metadata of an issuer may be, in the order of asking.
fn documents(issuer: &Url) -> Vec<Url> {
    let at = |path: &str| {
        let mut url = issuer.clone();
        url.set_path(path);
        url
    };
    let path = issuer.path().trim_end_matches('/');
    let mut all = vec![at(&format!("/.well-known/oauth-authorization-server{path}"))];
    if !path.is_empty() {
        // RFC 8414 section 3.1 puts the path behind; an issuer that is mounted somewhere can only put it in front.
        all.push(at(&format!("{path}/.well-known/oauth-authorization-server")));
    }
    all.push(at(&format!("{path}/.well-known/openid-configuration")));
    all
}

/// Reads the metadata of the issuer. It counts only if it is about exactly this issuer (RFC 8414 section 3.3).
pub(crate) async fn discover(
    http: &Http,
    issuer: &str,
    base: &Url,
    allow_insecure: bool,
) -> Result<Metadata, KeysError> {
    let mut failure = None;
    for document in documents(base) {
        let read = match http.get(document, MAX_LEN).await {
            Ok(fetched) => understood(&fetched, issuer, allow_insecure),
            // Who can't be reached here can't be reached at the next address either.
            Err(error @ FetchError::Transport(_)) => return Err(error.into()),
            Err(error) => Err(error.into()),
        };
        match read {
            Ok(metadata) => return Ok(metadata),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or(KeysError::NoKeys))
}

fn understood(fetched: &Fetched, issuer: &str, allow_insecure: bool) -> Result<Metadata, KeysError> {
    let document: Document = fetched.json()?;
    if document.issuer != issuer {
        return Err(KeysError::WrongIssuer(document.issuer));
    }
    let safe = |text: &str| {
        let url =
            Url::parse(text).ok().filter(|url| is_safe(url) || allow_insecure && url.scheme() == "http");
        url.ok_or(KeysError::UnsafeAddress)
    };
    let keys = safe(document.jwks_uri.as_deref().ok_or(KeysError::NoKeys)?)?;
    let feed = document.revocation_feed_endpoint.as_deref().map(safe).transpose()?;
    Ok(Metadata { keys, feed, kept_for: fetched.max_age })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_metadata_may_be() {
        let of = |issuer: &str| {
            let all = documents(&issuer.parse().unwrap());
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            of("https://a.example"),
            "https://a.example/.well-known/oauth-authorization-server \
             https://a.example/.well-known/openid-configuration"
        );
        assert_eq!(
            of("https://a.example/b/"),
            "https://a.example/.well-known/oauth-authorization-server/b \
             https://a.example/b/.well-known/oauth-authorization-server \
             https://a.example/b/.well-known/openid-configuration"
        );
    }

    #[test]
    fn what_metadata_must_say() {
        let read = |body: &str, insecure| {
            let fetched = Fetched { body: body.as_bytes().to_vec(), max_age: None };
            understood(&fetched, "https://a.example", insecure).map_err(|error| error.to_string())
        };
        let good = r#"{"issuer":"https://a.example","jwks_uri":"https://keys.example/k"}"#;
        let metadata = read(good, false).unwrap();
        assert_eq!((metadata.keys.as_str(), metadata.feed), ("https://keys.example/k", None));
        for bad in [
            r#"{"issuer":"https://a.example/","jwks_uri":"https://keys.example/k"}"#,
            r#"{"issuer":"https://b.example","jwks_uri":"https://keys.example/k"}"#,
            r#"{"issuer":"https://a.example","jwks_uri":"http://keys.example/k"}"#,
            r#"{"issuer":"https://a.example","jwks_uri":"file:///etc/keys"}"#,
            r#"{"issuer":"https://a.example"}"#,
            r#"{"issuer":"https://a.example","jwks_uri":"https://k.example/","revocation_feed_endpoint":"gopher://x"}"#,
            "[]",
        ] {
            assert!(read(bad, false).is_err(), "{bad}");
        }
        assert!(read(&good.replace("https://keys", "http://keys"), true).is_ok());
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for (url, safe) in [
            ("https://a.example", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:1", true),
            ("http://a.example", false),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("ftp://127.0.0.1", false),
        ] {
            assert_eq!(is_safe(&url.parse().unwrap()), safe, "{url}");
        }
    }
}
