//! The handle of `elevate`.

use std::sync::Weak;

use reqwest::{Method, Request, RequestBuilder, Response};

use crate::{Error, KeywardClient};

/// What [`KeywardClient::elevate`] gives to its closure: requests go out with the token, the token itself does not.
///
/// There is no way to read it,
///
/// ```compile_fail,E0599
/// # async fn example(api: keyward_client::Elevated) {
/// api.token().await;
/// # }
/// ```
///
/// none to show the handle,
///
/// ```compile_fail,E0277
/// # fn example(api: keyward_client::Elevated) {
/// println!("{api:?}");
/// # }
/// ```
///
/// and none to make another.
///
/// ```compile_fail,E0599
/// # fn example(api: keyward_client::Elevated) {
/// let kept = api.clone();
/// # }
/// ```
pub struct Elevated {
    client: KeywardClient,
    /// Held by `elevate` while it runs.
    alive: Weak<()>,
}

impl Elevated {
    pub(crate) fn new(client: KeywardClient, alive: Weak<()>) -> Self {
        Self { client, alive }
    }

    /// Begins a request as [`KeywardClient::request`] does.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Begins a GET, as [`request`](Self::request) does.
    pub fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    /// Begins a POST, as [`request`](Self::request) does.
    pub fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends a request as [`KeywardClient::send`] does. Fails with [`Error::Invalid`] when the closure has ended: a
    /// handle that was smuggled out of it is dead.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        self.check()?;
        self.client.send(request).await
    }

    /// Sends a request as [`KeywardClient::execute`] does, else like [`send`](Self::send).
    pub async fn execute(&self, request: Request) -> Result<Response, Error> {
        self.check()?;
        self.client.execute(request).await
    }

    fn check(&self) -> Result<(), Error> {
        if self.alive.strong_count() == 0 {
            return Err(Error::invalid("the elevated work that this handle was for has ended"));
        }
        Ok(())
    }
}
