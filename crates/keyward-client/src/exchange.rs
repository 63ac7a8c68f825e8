//! The token request of the client credentials grant (RFC 6749, section 4.4), and what may come back.

use std::time::Duration;

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use tokio::time::Instant;
use url::form_urlencoded::byte_serialize;

use crate::{AccessToken, ClientSecret, Error, Narrowing, discovery::TokenEndpoint};

/// No reply of an authorization server is longer, in bytes.
const LONGEST_REPLY: usize = 256 * 1_024;
/// No text of the server is passed on beyond this, in characters.
const LONGEST_TEXT: usize = 300;

/// Everything that token requests have in common.
pub(crate) struct Exchange {
    pub(crate) http: Client,
    pub(crate) endpoint: TokenEndpoint,
    pub(crate) client_id: String,
    pub(crate) secret: ClientSecret,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// How long before its end a token is renewed, if not as usual.
    pub(crate) lead: Option<Duration>,
}

/// The successful reply (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: u64,
    scope: Option<String>,
}

/// The refusal (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

impl Exchange {
    /// Asks for a token.
    pub(crate) async fn ask(&self, narrowing: &Narrowing) -> Result<AccessToken, Error> {
        let endpoint = self.endpoint.find(&self.http, self.timeout).await?;
        let outcome = self.ask_at(&endpoint, narrowing).await;
        if matches!(outcome, Err(Error::Unexpected { .. } | Error::Unreachable(_))) {
            self.endpoint.forget().await;
        }
        outcome
    }

    async fn ask_at(&self, endpoint: &Url, narrowing: &Narrowing) -> Result<AccessToken, Error> {
        let form: Vec<_> =
            [("grant_type", "client_credentials")].into_iter().chain(narrowing.parameters()).collect();
        // Both halves are form-encoded before they are joined (RFC 6749, section 2.3.1).
        let encoded = |half: &str| byte_serialize(half.as_bytes()).collect::<String>();
        let request = self
            .http
            .post(endpoint.clone())
            .basic_auth(encoded(&self.client_id), Some(encoded(self.secret.expose())))
            .header(ACCEPT, "application/json")
            .timeout(self.timeout)
            .form(&form);
        let asked = Instant::now();
        let reply = read(request.send().await.map_err(Error::unreachable)?, endpoint).await?;
        if reply.status.is_success() {
            return self.token(&reply, asked);
        }
        match serde_json::from_slice::<Refusal>(&reply.body) {
            Ok(refusal) if reply.status.is_client_error() => Err(Error::Refused {
                error: self.clean(&refusal.error),
                error_description: refusal.error_description.map(|text| self.clean(&text)),
            }),
            _ => Err(reply.unexpected("neither a token nor an OAuth error")),
        }
    }

    fn token(&self, reply: &Reply, asked: Instant) -> Result<AccessToken, Error> {
        // The cause could quote the token.
        let granted: Granted = serde_json::from_slice(&reply.body)
            .map_err(|_| reply.unexpected("no access_token, token_type and expires_in as JSON"))?;
        if !granted.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(reply.unexpected("the token is of another type than Bearer"));
        }
        if granted.expires_in == 0 {
            return Err(reply.unexpected("the token has expired already"));
        }
        let life = Duration::from_secs(granted.expires_in);
        AccessToken::new(granted.access_token, granted.scope, asked, life, self.lead)
    }

    /// A text of the server, fit for a log: one line, not too long, and without our secret.
    fn clean(&self, text: &str) -> String {
        let text = self.secret.erase_from(text);
        text.chars().map(|one| if one.is_control() { ' ' } else { one }).take(LONGEST_TEXT).collect()
    }
}

/// A reply that is neither a redirect nor a request to wait.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn unexpected(&self, reason: &str) -> Error {
        let status = self.status.as_u16();
        Error::Unexpected { status: Some(status), reason: format!("{reason} (status {status})") }
    }
}

/// Reads what `asked` answered.
pub(crate) async fn read(mut response: Response, asked: &Url) -> Result<Reply, Error> {
    let mut reply = Reply { status: response.status(), body: Vec::new() };
    // Neither the endpoint nor the metadata moves: who answers in their place is not who was asked.
    if response.url() != asked || reply.status.is_redirection() {
        return Err(reply.unexpected("a redirect"));
    }
    let after = retry_after(response.headers());
    match reply.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            return Err(Error::RetryLater { after: after.unwrap_or_default() });
        }
        status if status.is_server_error() && after.is_some() => {
            return Err(Error::RetryLater { after: after.unwrap_or_default() });
        }
        _ => {}
    }
    while let Some(chunk) = response.chunk().await.map_err(Error::unreachable)? {
        if reply.body.len() + chunk.len() > LONGEST_REPLY {
            return Err(reply.unexpected("too long"));
        }
        reply.body.extend_from_slice(&chunk);
    }
    Ok(reply)
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3). A date counts as nothing said: the clocks may differ.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    Some(Duration::from_secs(text.parse().ok()?))
}
