//! The one client for requests to addresses that a tenant can set.
//!
//! It exists so that nobody can make Keyward ask what only Keyward can reach. A request goes to the addresses that were
//! checked, not to what the name leads to a moment later: names are resolved here, and the connection is made to the
//! address itself. Redirects are not followed, proxies of the environment are not asked, nothing is decompressed; time,
//! size and number of requests are bounded.
//!
//! **Invariant:** whatever has an address from a tenant's configuration is fetched here and nowhere else.

mod connect;
mod error;
mod lanes;
mod resolve;
mod rules;
mod target;
mod tls;

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::Full;

pub use error::OutboundError;
pub use resolve::{Resolve, SystemResolver};
pub use rules::{AllowRule, InvalidAllowRule, is_public};

use self::{connect::Stream, lanes::Lanes, rules::Allowed, target::Target, tls::Tls};

/// What requests may do.
#[derive(Clone, Debug)]
pub struct OutboundOptions {
    /// What may be reached although it is not on the public internet: `outbound.allow`.
    pub allow: Vec<AllowRule>,
    /// Certificates (DER) of authorities that are trusted beside those of the operating system.
    pub extra_roots: Vec<Vec<u8>>,
    /// How long a request may take as a whole, waiting for its turn included.
    pub deadline: Duration,
    /// How many bytes an answer may have.
    pub max_body: usize,
    /// How many requests may be under way at once.
    pub max_concurrent: usize,
    /// How many of them to the same host, so that a slow one takes not all.
    pub max_per_host: usize,
}

impl Default for OutboundOptions {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            extra_roots: Vec::new(),
            deadline: Duration::from_secs(5),
            max_body: 1 << 20,
            max_concurrent: 128,
            max_per_host: 16,
        }
    }
}

/// The guarded client; cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    allowed: Allowed,
    deadline: Duration,
    max_body: usize,
    lanes: Lanes,
    tls: Tls,
    resolver: Arc<dyn Resolve>,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("allowed", &self.0.allowed).finish_non_exhaustive()
    }
}

/// A request.
#[derive(Clone)]
pub struct OutboundRequest<'a> {
    url: &'a str,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    limit: usize,
}

impl<'a> OutboundRequest<'a> {
    /// Reads a document.
    #[must_use]
    pub fn get(url: &'a str) -> Self {
        Self { url, method: Method::GET, headers: HeaderMap::new(), body: Bytes::new(), limit: usize::MAX }
    }

    /// Sends a form (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn post_form(url: &'a str, form: String) -> Self {
        let asked = Self { method: Method::POST, body: form.into(), ..Self::get(url) };
        asked.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Takes answers of up to so many bytes only, where that is less than [`OutboundOptions::max_body`].
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }
}

/// An answer, of any status but a redirect.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
    /// How long it may be kept (RFC 9111 section 5.2.2.1); zero if not at all, `None` if the server does not say.
    pub max_age: Option<Duration>,
}

impl Outbound {
    /// A client that asks the operating system for addresses.
    #[must_use]
    pub fn new(options: OutboundOptions) -> Self {
        Self::with_resolver(options, Arc::new(SystemResolver))
    }

    /// A client with another resolver. What it answers is checked in the same way.
    #[must_use]
    pub fn with_resolver(options: OutboundOptions, resolver: Arc<dyn Resolve>) -> Self {
        let OutboundOptions { allow, extra_roots, deadline, max_body, max_concurrent, max_per_host } =
            options;
        Self(Arc::new(Inner {
            allowed: Allowed(allow),
            deadline,
            max_body,
            lanes: Lanes::new(max_concurrent, max_per_host),
            tls: Tls::new(extra_roots),
            resolver,
        }))
    }

    /// Sends a request, and reads the whole answer.
    pub async fn send(&self, request: OutboundRequest<'_>) -> Result<Fetched, OutboundError> {
        let target = Target::read(request.url)?;
        self.in_time(&target, async {
            let _lane = self.0.lanes.enter(&target.host).await?;
            let addresses = self.addresses(&target).await?;
            let stream = self.open(&target, &addresses).await?;
            let limit = request.limit.min(self.0.max_body);
            connect::exchange(stream, whole(&target, request)?, &target.host, limit).await
        })
        .await
    }

    /// Finds out whether an address could be asked: that it is one, that its name can be resolved, and that what it leads
    /// to may be reached. Nothing is connected.
    pub async fn probe(&self, url: &str) -> Result<(), OutboundError> {
        let target = Target::read(url)?;
        self.in_time(&target, self.addresses(&target)).await.map(drop)
    }

    async fn in_time<T>(
        &self,
        target: &Target,
        work: impl Future<Output = Result<T, OutboundError>>,
    ) -> Result<T, OutboundError> {
        let done = tokio::time::timeout(self.0.deadline, work).await;
        done.unwrap_or_else(|_| Err(OutboundError::TimedOut(target.host.clone())))
    }

    /// The addresses of a target, each found good. One bad address among them spoils all: nobody honest mixes them.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, OutboundError> {
        let unknown = || OutboundError::UnknownHost(target.host.clone());
        let (addresses, name) = if let Some(address) = target.literal {
            (vec![address], None)
        } else {
            let found = self.0.resolver.resolve(&target.host).await.map_err(|_| unknown())?;
            (found, Some(target.host.as_str()))
        };
        for address in &addresses {
            let is_opened = self.0.allowed.opens(name, *address);
            if !is_opened && !is_public(*address) {
                return Err(OutboundError::Refused(target.host.clone()));
            }
            if !is_opened && !target.is_encrypted {
                return Err(OutboundError::NotEncrypted(target.host.clone()));
            }
        }
        if addresses.is_empty() { Err(unknown()) } else { Ok(addresses) }
    }

    async fn open(&self, target: &Target, addresses: &[IpAddr]) -> Result<Stream, OutboundError> {
        let stream = connect::tcp(target, addresses).await?;
        if target.is_encrypted { self.0.tls.wrap(target, stream).await } else { Ok(Box::new(stream)) }
    }
}

/// The request as it goes over the wire.
fn whole(target: &Target, request: OutboundRequest<'_>) -> Result<http::Request<Full<Bytes>>, OutboundError> {
    let host = HeaderValue::from_str(&target.authority);
    let host = host.map_err(|_| OutboundError::BadAddress("it names no host"))?;
    let mut whole = http::Request::new(Full::new(request.body));
    *whole.method_mut() = request.method;
    *whole.uri_mut() = target.path.parse().map_err(|_| OutboundError::BadAddress("it has no usable path"))?;
    let headers = whole.headers_mut();
    headers.insert(HOST, host);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("keyward/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.extend(request.headers);
    Ok(whole)
}
