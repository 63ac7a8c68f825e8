//! From the code to tokens (RFC 6749 section 4.1.3, `OpenID` Connect Core 1.0 section 3.1.3).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, header::AUTHORIZATION};
use keyward_core::FederationError;
use serde_json::{Map, Value};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{answer::quoted, json, library, metadata::Metadata, settings::Settings};
use crate::outbound::{Outbound, OutboundRequest};

/// The longest reply that is read, in bytes.
const MAX_REPLY: usize = 256 << 10;
/// The longest ID token that is looked at, in bytes.
const MAX_ID_TOKEN: usize = 64 << 10;

/// What the code was exchanged for.
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: Option<String>,
    /// Whether the access token is one for whoever bears it (RFC 6750), so that it may be sent along.
    pub(super) is_bearer: bool,
}

/// How Keyward authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth<'a> {
    Basic(&'a str),
    Post(&'a str),
    /// A public client; PKCE is what binds the code to it.
    Public,
}

impl<'a> ClientAuth<'a> {
    /// The way that both sides know; Basic where there is a choice.
    pub(super) fn choose(settings: &Settings<'a>, metadata: &Metadata) -> Result<Self, FederationError> {
        let knows = |method: &str| metadata.auth_methods.iter().any(|known| known == method);
        match settings.client_secret {
            None => Ok(Self::Public),
            Some(secret) if knows("client_secret_basic") => Ok(Self::Basic(secret)),
            Some(secret) if knows("client_secret_post") => Ok(Self::Post(secret)),
            Some(_) => {
                let detail = "The provider takes no client secret: neither client_secret_basic nor \
                              client_secret_post is among its token_endpoint_auth_methods_supported.";
                Err(FederationError::new("endpoints", "no_common_authentication", detail))
            }
        }
    }
}

/// Exchanges a code.
pub(super) async fn exchange(
    outbound: &Outbound,
    settings: &Settings<'_>,
    metadata: &Metadata,
    code: &str,
    verifier: &str,
) -> Result<Tokens, FederationError> {
    let request = request(settings, metadata, code, verifier)?;
    let reply = outbound.send(request).await.map_err(|error| library::not_fetched("token", &error))?;
    let members = json::object(&reply.body);
    if reply.status != 200 {
        let secrets = [Some(code), Some(verifier), settings.client_secret];
        return Err(refused(reply.status, members.as_ref(), &secrets));
    }
    read(&members.ok_or_else(|| fault("not_json", "The reply is no JSON object, or says something twice."))?)
}

/// The token request.
fn request<'a>(
    settings: &Settings<'_>,
    metadata: &'a Metadata,
    code: &str,
    verifier: &str,
) -> Result<OutboundRequest<'a>, FederationError> {
    let auth = ClientAuth::choose(settings, metadata)?;
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", settings.return_url)
        .append_pair("code_verifier", verifier);
    if !matches!(auth, ClientAuth::Basic(_)) {
        form.append_pair("client_id", settings.client_id);
    }
    if let ClientAuth::Post(secret) = auth {
        form.append_pair("client_secret", secret);
    }
    let mut request = OutboundRequest::post_form(&metadata.token_endpoint, form.finish()).limit(MAX_REPLY);
    if let ClientAuth::Basic(secret) = auth {
        request = request.header(AUTHORIZATION, basic(settings.client_id, secret)?);
    }
    Ok(request)
}

/// Both halves in the form encoding (RFC 6749 section 2.3.1), so that a colon in an ID does no harm.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, FederationError> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}"))
        .map_err(|_| fault("bad_configuration", "The client ID or the secret can't be sent."))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The provider's refusal in its own words, unless it repeats what it was sent.
fn refused(status: u16, members: Option<&Map<String, Value>>, secrets: &[Option<&str>]) -> FederationError {
    let tells = |text: &&str| !secrets.iter().flatten().any(|secret| text.contains(secret));
    let text = |name| members.and_then(|members| members.get(name)).and_then(Value::as_str).filter(tells);
    let Some(error) = text("error") else { return library::bad_status("token", status) };
    let reason = if error == "invalid_client" { "client_refused" } else { "code_refused" };
    let said = text("error_description").map(|said| format!(", {}", quoted(said))).unwrap_or_default();
    fault(reason, format!("The provider refused the code: {}{said}.", quoted(error)))
}

fn read(members: &Map<String, Value>) -> Result<Tokens, FederationError> {
    let id_token = members.get("id_token").and_then(Value::as_str);
    let id_token = id_token.ok_or_else(|| {
        fault("no_id_token", "The reply has no ID token. The client must be allowed the scope openid.")
    })?;
    if id_token.len() > MAX_ID_TOKEN {
        return Err(FederationError::new("id_token", "too_large", "The ID token has more than 64 KiB."));
    }
    let is_bearer = members
        .get("token_type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    let access_token = members.get("access_token").and_then(Value::as_str).map(str::to_owned);
    Ok(Tokens { id_token: id_token.to_owned(), access_token, is_bearer })
}

fn fault(reason: &'static str, detail: impl Into<String>) -> FederationError {
    FederationError::new("token", reason, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_encoded() {
        let value = basic("acme:web", "a b+%ü").unwrap();
        let pair = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(pair).unwrap(), b"acme%3Aweb:a+b%2B%25%C3%BC");
    }
}
