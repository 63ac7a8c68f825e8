//! The client.

use std::{fmt, sync::Arc};

use reqwest::{Method, Request, RequestBuilder, Response, Url, header::AUTHORIZATION};
use url::Origin;

use crate::{
    AccessToken, Elevated, Error, Narrowing, challenge::blames_token, exchange::Exchange, source::Source,
    sources::Sources,
};

/// A client of the authorization server, and of the APIs that take its tokens. Clones are handles on the same one.
#[derive(Clone)]
pub struct KeywardClient {
    shared: Arc<Shared>,
    source: Arc<Source>,
}

/// What all narrowings of a client share.
pub(crate) struct Shared {
    pub(crate) http: reqwest::Client,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) base: Option<Url>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) sources: Sources,
}

impl KeywardClient {
    pub(crate) fn new(shared: Shared, narrowing: Narrowing) -> Self {
        let source = shared.sources.get(narrowing);
        Self { shared: Arc::new(shared), source }
    }

    /// A token: the one at hand, or a new one.
    ///
    /// Fails if there is no token that can be used and none can be had: [`Error::Refused`], [`Error::RetryLater`],
    /// [`Error::Unreachable`], [`Error::Unexpected`]; with [`Error::Invalid`] for an empty [`Narrowing`] and outside
    /// of a Tokio runtime.
    pub async fn token(&self) -> Result<AccessToken, Error> {
        self.source.token().await
    }

    /// Says that a token was refused although it has not expired, for example because it was revoked: it is not handed out
    /// again. For those who send tokens by other means than [`send`](Self::send), which sees to it by itself.
    ///
    /// ```
    /// # use keyward_client::{Error, KeywardClient};
    /// # async fn example(keyward: KeywardClient, refuses: impl Fn(&str) -> bool) -> Result<(), Error> {
    /// let mut token = keyward.token().await?;
    /// if refuses(token.secret()) && keyward.reject(token.secret()) {
    ///     token = keyward.token().await?;
    /// }
    /// # let _ = token;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Returns whether it is worthwhile to try again: whether [`token`](Self::token) now gives another one, or fails.
    /// False within ten seconds after the last token that was dropped: then the fault is hardly the token's, and nobody
    /// is asked for a token with each call to an API that refuses all of them.
    #[expect(clippy::must_use_candidate, reason = "who does not try again has no use for it")]
    pub fn reject(&self, token: &str) -> bool {
        self.source.reject(token)
    }

    /// A handle that asks for tokens that are good for less. It shares credentials and connections with this one.
    /// Tokens are kept for each combination of scope, tenant and resource, so that a handle can be made anew for
    /// every call.
    ///
    /// ```
    /// # use keyward_client::{ClientOptions, ClientSecret, Error, Narrowing};
    /// # fn example() -> Result<(), Error> {
    /// # let secret = ClientSecret::new("kws_live_7kQ");
    /// let client = ClientOptions::from_issuer("https://id.example.com", "crm-sync", secret).build()?;
    /// let acme = client.narrowed(Narrowing::new().tenant("acme"));
    /// let acme_reader = acme.narrowed(Narrowing::new().scope("points:read"));
    /// # Ok(())
    /// # }
    /// # example().unwrap();
    /// ```
    #[must_use]
    pub fn narrowed(&self, narrowing: Narrowing) -> Self {
        let source = self.shared.sources.get(narrowing.or(self.source.narrowing()));
        Self { shared: self.shared.clone(), source }
    }

    /// Why the last token request failed, if it did: so that a monitor learns of it while the old token still serves.
    #[must_use]
    pub fn last_failure(&self) -> Option<Error> {
        self.source.last_failure()
    }

    /// Begins a request, to be sent by [`send`](Self::send). A relative `url` is joined to the options' `api_base`.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        match self.shared.base.as_ref().map(|base| base.join(url)) {
            Some(Ok(url)) => self.shared.http.request(method, url),
            // What is wrong is told when it is sent.
            _ => self.shared.http.request(method, url),
        }
    }

    /// Begins a GET, as [`request`](Self::request) does.
    pub fn get(&self, url: &str) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Begins a POST, as [`request`](Self::request) does.
    pub fn post(&self, url: &str) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Sends a request with the token (RFC 6750, section 2.1), through the HTTP client that began it.
    ///
    /// On a 401 that may be the token's fault, the token is dropped, and the request is sent once more with another
    /// one if its body can be sent twice, as anything but a stream can. An API that goes on refusing costs one token
    /// in ten seconds at most. Any other reply, 403 among them, is passed on as it is.
    ///
    /// Redirects are followed as the HTTP client does; to another origin they go without the token.
    ///
    /// Fails as [`token`](Self::token) does; with [`Error::Invalid`] for a request that can't be built or whose URL
    /// is not of an origin that the options allow; and with [`Error::Api`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let (http, request) = request.build_split();
        self.send_through(&http, request.map_err(Error::api)?).await
    }

    /// Sends a request as [`send`](Self::send) does, through the client's own HTTP client.
    pub async fn execute(&self, request: Request) -> Result<Response, Error> {
        self.send_through(&self.shared.http, request).await
    }

    async fn send_through(&self, http: &reqwest::Client, request: Request) -> Result<Response, Error> {
        let url = request.url().clone();
        let origin = url.origin();
        if !self.shared.origins.contains(&origin) {
            let origin = origin.ascii_serialization();
            return Err(Error::invalid(format!(
                "{origin} is not among the origins that tokens may be sent to"
            )));
        }
        let again = request.try_clone();
        let token = self.token().await?;
        let response = with(http, request, &token).await?;
        let dropped = blames_token(&response, &url) && self.source.reject(token.secret());
        match again {
            Some(again) if dropped => with(http, again, &self.token().await?).await,
            _ => Ok(response),
        }
    }

    /// Runs one piece of work with elevated rights: `work` gets the only handle through which requests go out with
    /// the token, and the handle dies with it. The token can't be read out of the handle, so what `work` returns
    /// can't hold it.
    ///
    /// ```no_run
    /// # use keyward_client::{Error, KeywardClient};
    /// # async fn example(keyward: KeywardClient) -> Result<(), Error> {
    /// let created = keyward
    ///     .elevate(|api| async move {
    ///         let reply = api.send(api.post("passes").body("{}")).await?;
    ///         Ok::<_, Error>(reply.status() == 201)
    ///     })
    ///     .await?;
    /// # let _ = created;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The token is there before `work` begins. Fails as [`token`](Self::token) does, and as `work` does.
    pub async fn elevate<F, Fut, T, E>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(Elevated) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        self.token().await?;
        // Gone when this future ends, in whatever way.
        let alive = Arc::new(());
        work(Elevated::new(self.clone(), Arc::downgrade(&alive))).await
    }
}

/// Sends a request with this token, whatever `Authorization` it had.
async fn with(http: &reqwest::Client, mut request: Request, token: &AccessToken) -> Result<Response, Error> {
    request.headers_mut().insert(AUTHORIZATION, token.header());
    http.execute(request).await.map_err(Error::api)
}

impl fmt::Debug for KeywardClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeywardClient")
            .field("client_id", &self.shared.exchange.client_id)
            .field("narrowing", self.source.narrowing())
            .finish_non_exhaustive()
    }
}
