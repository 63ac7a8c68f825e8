//! Which addresses may be connected to.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Host;

/// IPv4 networks that are not the public internet.
const REFUSED_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 0, 8),       // this network (RFC 791)
    v4(10, 0, 0, 0, 8),      // private (RFC 1918)
    v4(100, 64, 0, 0, 10),   // shared by carriers (RFC 6598)
    v4(127, 0, 0, 0, 8),     // loopback (RFC 1122)
    v4(169, 254, 0, 0, 16),  // link-local, metadata services of clouds (RFC 3927)
    v4(172, 16, 0, 0, 12),   // private
    v4(192, 0, 0, 0, 24),    // protocol assignments (RFC 6890)
    v4(192, 0, 2, 0, 24),    // documentation (RFC 5737)
    v4(192, 88, 99, 0, 24),  // relays from 6to4 (RFC 7526)
    v4(192, 168, 0, 0, 16),  // private
    v4(198, 18, 0, 0, 15),   // benchmarks (RFC 2544)
    v4(198, 51, 100, 0, 24), // documentation
    v4(203, 0, 113, 0, 24),  // documentation
    v4(224, 0, 0, 0, 4),     // multicast (RFC 5771)
    v4(240, 0, 0, 0, 4),     // reserved, broadcast (RFC 1112)
];

/// All of IPv6 that is given out to the internet (RFC 4291 section 2.4). What lies outside is refused: loopback, unique
/// local, link-local and multicast addresses, and those that an IPv4 address hides in, such as NAT64's `64:ff9b::/96`.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What is special within it.
const REFUSED_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 0, 23), // protocol assignments, Teredo at 2001::/32 (RFC 2928, RFC 4380)
    v6(0x2001, 0x0db8, 0, 32), // documentation (RFC 3849)
    v6(0x2002, 0, 0, 16), // 6to4, an IPv4 address inside (RFC 3056)
    v6(0x3fff, 0, 0, 20), // documentation (RFC 9637)
];

const fn v4(a: u8, b: u8, c: u8, d: u8, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), len)
}

const fn v6(a: u16, b: u16, c: u16, len: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), len)
}

/// Whether an address is one of the public internet. An IPv4 address in IPv6 form counts as what it is.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !REFUSED_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !REFUSED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// Opens addresses that are otherwise refused, and plain HTTP to them: one entry of `outbound.allow`.
///
/// ```
/// use keyward_federation::outbound::AllowRule;
/// assert!("10.1.0.0/16".parse::<AllowRule>().is_ok());
/// assert!("idp.corp.example".parse::<AllowRule>().is_ok());
/// assert!("https://idp.corp.example".parse::<AllowRule>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowRule {
    /// The addresses of a network, by whatever name they are reached.
    Net(IpNet),
    /// A host by exactly this name, whatever its addresses are.
    Host(String),
}

/// Why a text is no [`AllowRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a network such as 10.1.0.0/16, an address, or the name of a host")]
pub struct InvalidAllowRule;

impl FromStr for AllowRule {
    type Err = InvalidAllowRule;

    fn from_str(text: &str) -> Result<Self, InvalidAllowRule> {
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Net(net.trunc()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Net(address.to_canonical().into()));
        }
        match Host::parse(text) {
            // A number in another notation than the usual one is refused, and so is a pattern: there are none here.
            Ok(Host::Domain(name)) if is_name(&name) => Ok(Self::Host(plain(&name).to_owned())),
            _ => Err(InvalidAllowRule),
        }
    }
}

/// Whether a text has the characters of a host's name only.
fn is_name(text: &str) -> bool {
    !plain(text).is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// A host's name without the dot of the root, which changes nothing about where it leads.
fn plain(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// All entries of `outbound.allow`.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(pub(super) Vec<AllowRule>);

impl Allowed {
    /// Whether a rule opens this address under this name.
    pub(super) fn opens(&self, host: Option<&str>, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|rule| match rule {
            AllowRule::Net(net) => net.contains(&address),
            AllowRule::Host(name) => host.is_some_and(|host| plain(host).eq_ignore_ascii_case(name)),
        })
    }
}
