//! Addresses that were given as text, read once and strictly.

use std::net::IpAddr;

use url::{Host, Url};

use super::OutboundError;

/// The longest address that is looked at, in bytes.
const MAX_LEN: usize = 4_096;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) is_encrypted: bool,
    /// The host as it is written in addresses: IPv6 in brackets.
    pub(super) host: String,
    /// The host's address, where it is named by its address.
    pub(super) literal: Option<IpAddr>,
    pub(super) port: u16,
    /// The value of the `Host` header.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

impl Target {
    /// Reads an address. Numbers in whatever notation (`2130706433`, `0x7f.1`) are addresses then, as they are for whoever
    /// connects (WHATWG URL, section 3.5).
    pub(super) fn read(address: &str) -> Result<Self, OutboundError> {
        if address.len() > MAX_LEN {
            return Err(OutboundError::BadAddress("it is too long"));
        }
        let url = Url::parse(address).map_err(|_| OutboundError::BadAddress("it is no URL"))?;
        let is_encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(OutboundError::BadAddress("it must begin with https:// or http://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::BadAddress("it must not hold a name or a password"));
        }
        if url.fragment().is_some() {
            return Err(OutboundError::BadAddress("it must not have a fragment"));
        }
        let literal = match url.host() {
            Some(Host::Domain(name)) if !name.trim_end_matches('.').is_empty() => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            _ => return Err(OutboundError::BadAddress("it names no host")),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let port = port.ok_or(OutboundError::BadAddress("its port can't be used"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Ok(Self { is_encrypted, host, literal, port, authority, path })
    }
}
