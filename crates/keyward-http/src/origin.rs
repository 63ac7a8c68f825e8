//! Where a request comes from.

use std::net::IpAddr;

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{HeaderMap, HeaderName, USER_AGENT},
};
use ipnet::IpNet;
use keyward_core::{Origin, mask};

/// The header that names a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The longest request identifier that is taken over from a caller, in characters.
const MAX_REQUEST_ID: usize = 128;

/// The name of a request, kept with it.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The caller's address, kept with the request.
#[derive(Clone)]
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

/// Where a request comes from, for the audit log. Behind [`wrap`](crate::wrap) it knows proxies and the request's name.
#[must_use]
pub fn origin(request: &HttpRequest) -> Origin {
    let extensions = request.extensions();
    let address = match extensions.get::<ClientAddress>() {
        Some(ClientAddress(address)) => *address,
        None => request.peer_addr().map(|peer| peer.ip()),
    };
    let user_agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    Origin {
        ip: address.map(|address| address.to_string()),
        user_agent: user_agent.map(|text| mask(&text).into_owned()),
        request_id: extensions.get::<RequestId>().map(|id| id.0.clone()),
    }
}

/// The caller's own name for the request, if it has a harmless form.
pub(crate) fn given_request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_fine = (1..=MAX_REQUEST_ID).contains(&text.len()) && text.chars().all(harmless);
    // What looks like a credential must not get into a log under the name of a request.
    (is_fine && mask(text) == text).then(|| text.to_owned())
}

/// The address of the caller: the peer, or, as far as the peers are trusted proxies, what they forwarded.
pub(crate) fn client_address(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let mut address = peer?.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let values = headers.get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let forwarded: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in forwarded.iter().rev() {
        if !is_trusted(address) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(before) => address = before.to_canonical(),
            Err(_) => break,
        }
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let check = |peer: &str, forwarded: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
            }
            let found = client_address(Some(peer.parse().unwrap()), &headers, &trusted);
            assert_eq!(found, Some(expected.parse().unwrap()), "{peer} {forwarded:?}");
        };
        check("192.0.2.1", &["203.0.113.9"], "192.0.2.1");
        check("10.0.0.1", &["203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["198.51.100.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9");
        check("10.0.0.1", &["198.51.100.1", "203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["nonsense"], "10.0.0.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9");
    }
}
