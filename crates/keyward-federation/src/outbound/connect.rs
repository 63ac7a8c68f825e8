//! One connection, one request, one answer.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, Request, Response,
    header::{CACHE_CONTROL, CONTENT_ENCODING},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{Fetched, OutboundError, target::Target};

/// How many addresses of a host are tried, and how long each but the last.
const MAX_ATTEMPTS: usize = 4;
const ATTEMPT: Duration = Duration::from_secs(1);
/// The longest head of an answer, in bytes and in headers.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;

/// Both directions of a connection, whether encrypted or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
pub(super) type Stream = Box<dyn Duplex>;

/// Connects to the first of these addresses that answers.
pub(super) async fn tcp(target: &Target, addresses: &[IpAddr]) -> Result<TcpStream, OutboundError> {
    let attempts = addresses.len().min(MAX_ATTEMPTS);
    for (number, address) in addresses.iter().take(attempts).enumerate() {
        let connecting = TcpStream::connect(SocketAddr::new(*address, target.port));
        let connected = if number + 1 == attempts {
            connecting.await.ok()
        } else {
            tokio::time::timeout(ATTEMPT, connecting).await.ok().and_then(Result::ok)
        };
        if let Some(stream) = connected {
            return Ok(stream);
        }
    }
    Err(OutboundError::Unreachable(target.host.clone()))
}

/// Sends a request, and reads an answer of up to so many bytes.
pub(super) async fn exchange(
    stream: Stream,
    request: Request<Full<Bytes>>,
    host: &str,
    limit: usize,
) -> Result<Fetched, OutboundError> {
    let failed = |error| broken(host, &error);
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        read(response, host, limit).await
    };
    let mut answered = std::pin::pin!(answered);
    // The connection has to be driven for as long as its answer is read; both end here, whatever happens.
    tokio::select! {
        answer = &mut answered => answer,
        _ended = connection => answered.await,
    }
}

fn broken(host: &str, error: &hyper::Error) -> OutboundError {
    if error.is_parse() {
        OutboundError::NotHttp(host.to_owned())
    } else {
        OutboundError::Unreachable(host.to_owned())
    }
}

async fn read(response: Response<Incoming>, host: &str, limit: usize) -> Result<Fetched, OutboundError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(OutboundError::Redirected(host.to_owned()));
    }
    let is_plain = |encoding: &http::HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !response.headers().get_all(CONTENT_ENCODING).iter().all(is_plain) {
        return Err(OutboundError::Compressed(host.to_owned()));
    }
    let too_large = || OutboundError::TooLarge { host: host.to_owned(), limit };
    let max_age = max_age(response.headers());
    let mut incoming = response.into_body();
    if usize::try_from(incoming.size_hint().lower()).map_or(true, |least| least > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| broken(host, &error))?;
        let Ok(data) = frame.into_data() else { continue };
        if body.len() + data.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&data);
    }
    Ok(Fetched { status: status.as_u16(), body, max_age })
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut age = None;
    for directive in values.flat_map(|value| value.split(',')).map(str::trim) {
        if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if let Some((name, seconds)) = directive.split_once('=')
            && name.eq_ignore_ascii_case("max-age")
        {
            age = age.or_else(|| seconds.trim_matches('"').parse().ok().map(Duration::from_secs));
        }
    }
    age
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_an_answer_may_be_kept() {
        for (values, seconds) in [
            (&["public, max-age=300"][..], Some(300)),
            (&["Max-Age=\"7\""], Some(7)),
            (&["public", "max-age=9, max-age=3"], Some(9)),
            (&["max-age=300, no-store"], Some(0)),
            (&["max-age=soon"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, value.parse().unwrap());
            }
            assert_eq!(max_age(&headers).map(|age| age.as_secs()), seconds, "{values:?}");
        }
    }
}
