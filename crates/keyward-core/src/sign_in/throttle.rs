//! How often somebody may be wrong. Counted in the database, so that all nodes count together, and before the attempt, so
//! that no number of attempts at once gets more tries than one after the other.
//!
//! Each window of time has a number of slots. An attempt takes a free one; one that succeeds gives its own back. Nobody
//! is locked out for good: the next window has slots again, and a browser in which the person signed in before has
//! slots of its own.

use keyward_crypto::digest;
use keyward_model::Timestamp;
use keyward_store::{Change, StoreError, Ticket, TicketKey};

use super::SignInError;
use crate::Keyward;

const NAMESPACE: &str = "attempt";
/// How long a window is, in seconds.
const WINDOW: i64 = 900;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted<'a> {
    /// Passwords tried for an address, whether there is such an account or not.
    Account(&'a str),
    /// Passwords tried from a browser that the person used before.
    Device(&'a str),
    /// Codes of second factors tried for a person.
    Code(&'a str),
    /// Whatever was tried from a network address.
    Address(&'a str),
    /// Mails sent because of a request for this address.
    Mail(&'a str),
}

impl Counted<'_> {
    /// How many may fail within a window.
    const fn slots(self) -> u32 {
        match self {
            Self::Account(_) | Self::Device(_) | Self::Code(_) => 10,
            Self::Address(_) => 100,
            Self::Mail(_) => 3,
        }
    }

    fn name(self) -> String {
        let (kind, name) = match self {
            Self::Account(name) => ("account", name),
            Self::Device(name) => ("device", name),
            Self::Code(name) => ("code", name),
            Self::Address(name) => ("address", name),
            Self::Mail(name) => ("mail", name),
        };
        // What people typed does not stand in the database.
        format!("{kind}:{}", digest::hex(&digest::sha256(name.as_bytes())))
    }

    fn slot(self, window: i64, number: u32) -> TicketKey {
        TicketKey::new(NAMESPACE, format!("{}:{window}:{number}", self.name()))
    }
}

/// The network that an address is in: one who has an IPv6 network has more addresses than there are slots.
pub(super) fn network(address: &str) -> String {
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(v6) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

impl Keyward {
    /// Takes a slot for an attempt; to be consumed when the attempt succeeds.
    pub(super) async fn attempt(&self, what: Counted<'_>, now: Timestamp) -> Result<TicketKey, SignInError> {
        let window = now.unix_seconds().div_euclid(WINDOW);
        let ends = (window + 1) * WINDOW;
        let full = || SignInError::TooMany(u64::try_from(ends - now.unix_seconds()).unwrap_or(1));
        // The last slot is taken last: one look tells those who come too late.
        if self.inner.store.ticket(&what.slot(window, what.slots()), now).await?.is_some() {
            return Err(full());
        }
        for number in 1..=what.slots() {
            let key = what.slot(window, number);
            let expires_at = Timestamp::from_unix_millis((ends + WINDOW) * 1_000);
            let ticket = Ticket { key: key.clone(), value: String::new(), expires_at };
            match self.commit(Change { tickets: vec![ticket], ..Change::default() }, Vec::new()).await {
                Ok(_) => return Ok(key),
                Err(StoreError::Taken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(full())
    }
}
