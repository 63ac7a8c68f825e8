//! Bodies of requests: bounded in size, time and depth.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::CONTENT_TYPE},
    web::{Bytes, Payload},
};
use serde_json::Value;

use crate::{HttpSettings, problem::Problem};

/// How deep a JSON body may be nested.
const MAX_DEPTH: usize = 32;

/// Why a body can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is too large.
    TooLarge,
    /// It does not arrive.
    TooSlow,
    /// The connection broke.
    Broken,
}

impl Unreadable {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::TooLarge => "The body is larger than 1 MiB.",
            Self::TooSlow => "The body did not arrive in time.",
            Self::Broken => "The body could not be read.",
        }
    }
}

/// The whole body.
pub(crate) async fn read(payload: Payload, settings: &HttpSettings) -> Result<Bytes, Unreadable> {
    let whole = payload.to_bytes_limited(settings.body_limit);
    match tokio::time::timeout(settings.body_timeout, whole).await {
        Err(_) => Err(Unreadable::TooSlow),
        Ok(Err(_)) => Err(Unreadable::TooLarge),
        Ok(Ok(Err(_))) => Err(Unreadable::Broken),
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

/// The media type of a request's body, in lower case and without parameters.
pub(crate) fn media_type(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next()?.trim().to_ascii_lowercase())
}

/// Whether JSON is nested deeper than allowed; said before it is parsed.
fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The JSON body of a request to the admin API; `{}` when it is empty and may be left out.
pub(crate) async fn json(
    request: &HttpRequest,
    payload: Payload,
    settings: &HttpSettings,
    accepted: &[&str],
    optional: bool,
) -> Result<(Bytes, Value), Problem> {
    let problem = |status, code: &str, detail: &str| Err(Problem::plain(status, code, detail, request));
    let media_type = media_type(request);
    if media_type.as_deref().is_some_and(|given| !accepted.contains(&given)) {
        let detail = format!("The body must be {}.", accepted.join(" or "));
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", &detail);
    }
    let bytes = match read(payload, settings).await {
        Ok(bytes) => bytes,
        Err(error) => return problem(error.status(), "unreadable_body", error.detail()),
    };
    if bytes.is_empty() && optional {
        return Ok((bytes, Value::Object(serde_json::Map::new())));
    }
    if media_type.is_none() && !bytes.is_empty() {
        let detail = "The body needs a Content-Type: application/json.";
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
    }
    if is_too_deep(&bytes) {
        let detail = format!("The body is nested deeper than {MAX_DEPTH} levels.");
        return problem(StatusCode::BAD_REQUEST, "too_deep", &detail);
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok((bytes, value)),
        Err(error) => {
            problem(StatusCode::BAD_REQUEST, "invalid_json", &format!("The body is no JSON: {error}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_texts() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_too_deep(nested(MAX_DEPTH).as_bytes()));
        assert!(is_too_deep(nested(MAX_DEPTH + 1).as_bytes()));
        assert!(!is_too_deep(format!("\"{}\"", nested(99)).as_bytes()));
        assert!(is_too_deep(format!("[\"\\\"\",{}]", nested(MAX_DEPTH)).as_bytes()));
        assert!(!is_too_deep(format!("[{}]", vec![nested(5); 50].join(",")).as_bytes()));
    }
}
