//! What a client is made of.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::Url;
use url::{Host, Origin};

use crate::{
    ClientSecret, Error, KeywardClient, Narrowing,
    client::Shared,
    discovery::TokenEndpoint,
    error::text,
    exchange::Exchange,
    sources::{KEPT, Sources},
};

/// How a [`KeywardClient`] is to work.
///
/// ```
/// use std::time::Duration;
///
/// use keyward_client::{ClientOptions, ClientSecret};
///
/// let options = |issuer| ClientOptions::from_issuer(issuer, "acme.crm-sync", ClientSecret::new("kws_live_7kQ"));
/// assert!(options("https://id.example.com").timeout(Duration::from_secs(3)).build().is_ok());
/// assert!(options("http://127.0.0.1:8080").build().is_ok());
///
/// // A secret in plain sight is refused.
/// let error = options("http://id.example.com").build().unwrap_err();
/// assert!(error.to_string().contains("must be https"));
/// ```
#[derive(Clone)]
pub struct ClientOptions {
    server: Server,
    client_id: String,
    secret: ClientSecret,
    narrowing: Narrowing,
    api_base: Option<String>,
    origins: Vec<String>,
    http: Option<reqwest::Client>,
    timeout: Duration,
    lead: Option<Duration>,
    insecure: bool,
}

/// What is known of the authorization server.
#[derive(Clone, Debug)]
enum Server {
    Issuer(String),
    Endpoint(String),
}

impl ClientOptions {
    fn new(server: Server, client_id: impl Into<String>, secret: ClientSecret) -> Self {
        Self {
            server,
            client_id: client_id.into(),
            secret,
            narrowing: Narrowing::new(),
            api_base: None,
            origins: Vec::new(),
            http: None,
            timeout: Duration::from_secs(10),
            lead: None,
            insecure: false,
        }
    }

    /// A client of the server with this issuer: Keyward's `public_url`. The token endpoint is looked up in its metadata
    /// (RFC 8414) when a token is wanted for the first time.
    #[must_use]
    pub fn from_issuer(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        secret: ClientSecret,
    ) -> Self {
        Self::new(Server::Issuer(issuer.into()), client_id, secret)
    }

    /// A client of the server with this token endpoint: at Keyward, `{public_url}/oauth2/token`. Nothing is looked up.
    #[must_use]
    pub fn from_token_endpoint(
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        secret: ClientSecret,
    ) -> Self {
        Self::new(Server::Endpoint(endpoint.into()), client_id, secret)
    }

    /// What tokens are asked for; everything that the client may have by default.
    #[must_use]
    pub fn narrowing(mut self, narrowing: Narrowing) -> Self {
        self.narrowing = narrowing;
        self
    }

    /// The address that the paths of [`KeywardClient::request`] are joined to, for example
    /// `https://api.example.com/v1/`. Tokens may be sent to its origin.
    #[must_use]
    pub fn api_base(mut self, url: impl Into<String>) -> Self {
        self.api_base = Some(url.into());
        self
    }

    /// Another origin that tokens may be sent to: scheme, host and port of this URL. Without this and an
    /// [`api_base`](Self::api_base) only the authorization server itself is one.
    #[must_use]
    pub fn allow_origin(mut self, url: impl Into<String>) -> Self {
        self.origins.push(url.into());
        self
    }

    /// The HTTP client for token requests, and for the requests that [`KeywardClient::request`] begins. By default it
    /// is one of our own, as [`reqwest`] makes it, that gives up connecting after five seconds.
    #[must_use]
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// How long one token request may take, connecting included; 10 s by default. It does not hold for requests to
    /// APIs.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long before its end a token is renewed; by default a fifth of its life or a minute, whichever is longer.
    /// It is never more than half of the token's life, and up to a tenth is added, so that nodes do not renew in
    /// step.
    #[must_use]
    pub fn renew_before_expiry(mut self, lead: Duration) -> Self {
        self.lead = Some(lead);
        self
    }

    /// Allows plain HTTP beyond loopback, where secret and tokens can be read by everyone on the way.
    #[must_use]
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.insecure = allow;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// Fails with [`Error::Invalid`] if an address is not an absolute `https` URL (or `http` on loopback) free of user
    /// names and fragments, and if client ID or secret are empty.
    pub fn build(self) -> Result<KeywardClient, Error> {
        if self.client_id.is_empty() || self.secret.expose().is_empty() {
            return Err(Error::invalid("the client ID or the client secret is empty"));
        }
        let address = |what: &str, text: &str| {
            parse(what, text).and_then(|url| check_address(what, &url, self.insecure).map(|()| url))
        };
        let (endpoint, own) = match &self.server {
            Server::Endpoint(endpoint) => {
                let endpoint = address("the token endpoint", endpoint)?;
                (TokenEndpoint::Given(endpoint.clone()), endpoint)
            }
            Server::Issuer(issuer) => {
                let issuer = address("the issuer", issuer)?;
                if issuer.query().is_some() {
                    return Err(Error::invalid("the issuer must not have a query"));
                }
                (TokenEndpoint::of_issuer(&issuer, self.insecure), issuer)
            }
        };
        let base = self.api_base.as_ref().map(|base| address("the API's address", base)).transpose()?;
        // `join` would replace the last part of a path that has no slash at the end.
        let base = base.map(|mut base| {
            if !base.path().ends_with('/') {
                base.set_path(&format!("{}/", base.path()));
            }
            base
        });
        let mut origins: Vec<Origin> =
            [Some(&own), base.as_ref()].into_iter().flatten().map(Url::origin).collect();
        for origin in &self.origins {
            origins.push(address("an allowed origin", origin)?.origin());
        }
        let http = match self.http {
            Some(http) => http,
            None => own_http_client()?,
        };
        let exchange = Arc::new(Exchange {
            http: http.clone(),
            endpoint,
            client_id: self.client_id,
            secret: self.secret,
            timeout: self.timeout,
            lead: self.lead,
        });
        let sources = Sources::new(exchange.clone(), KEPT);
        Ok(KeywardClient::new(Shared { http, exchange, base, origins, sources }, self.narrowing))
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("server", &self.server)
            .field("client_id", &self.client_id)
            .field("narrowing", &self.narrowing)
            .field("api_base", &self.api_base)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

fn own_http_client() -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .user_agent(concat!("keyward-client/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(5))
        .build()
        .map_err(|error| Error::invalid(text(&error)))
}

pub(crate) fn parse(what: &str, text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|error| Error::invalid(format!("{what} is no URL: {error}")))
}

/// Whether secrets and tokens may be sent there.
pub(crate) fn check_address(what: &str, url: &Url, insecure: bool) -> Result<(), Error> {
    let secure = match url.scheme() {
        "https" => true,
        "http" => insecure || is_loopback(url),
        _ => false,
    };
    if !secure {
        return Err(Error::invalid(format!("{what} must be https, or http on loopback")));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(Error::invalid(format!("{what} must have neither a user name nor a fragment")));
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
