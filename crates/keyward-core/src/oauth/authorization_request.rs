//! An authorization request by itself: what it asks for, and whether it is well formed.

use std::{collections::BTreeMap, sync::Arc};

use keyward_model::{Application, ApplicationType, ScopeSet};

use super::{authorize::SignInAsked, identity_scopes};
use crate::directory::Client;

/// How long a code challenge is: SHA-256 in base64url (RFC 7636 section 4.2).
const CHALLENGE_LEN: usize = 43;

/// A request whose client and address to go back to are certain.
pub(super) struct Asked<'a> {
    pub(super) params: BTreeMap<&'a str, &'a str>,
    pub(super) client: Arc<Client>,
    pub(super) redirect_uri: &'a str,
    pub(super) state: Option<&'a str>,
}

/// What the application is told: a code of RFC 6749 or OpenID Connect, and a sentence.
pub(super) type Refused = (&'static str, &'static str);

impl Asked<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name).copied()
    }

    /// What is asked for: the scopes of OpenID Connect, and permissions.
    pub(super) fn wanted(&self) -> Result<(ScopeSet, ScopeSet), Refused> {
        let allowed = &self.client.allowed;
        let Some(scope) = self.get("scope") else { return Ok((ScopeSet::default(), allowed.clone())) };
        let scopes: ScopeSet = scope.parse().map_err(|_| ("invalid_scope", "The scope is malformed."))?;
        let identity = identity_scopes().intersection(&scopes);
        let permissions = scopes.difference(&identity);
        if permissions.is_subset(allowed) {
            Ok((identity, permissions))
        } else {
            Err(("invalid_scope", "The application is not allowed this scope."))
        }
    }

    pub(super) fn sign_in(&self, fresh: bool) -> SignInAsked {
        SignInAsked {
            login_hint: self.get("login_hint").map(str::to_owned),
            idp_hint: self.get("idp_hint").map(str::to_owned),
            fresh,
        }
    }
}

/// Refuses what the application can be told of.
pub(super) fn well_formed(asked: &Asked<'_>, pairs: &[(String, String)]) -> Result<(), Refused> {
    let invalid = |detail| Err(("invalid_request", detail));
    let repeated = pairs
        .iter()
        .enumerate()
        .any(|(index, (key, _))| pairs[..index].iter().any(|(earlier, _)| earlier == key));
    if repeated {
        return invalid("A parameter occurs more than once.");
    }
    match asked.get("response_type") {
        Some("code") => {}
        None => return invalid("The parameter response_type is missing."),
        Some(_) => return Err(("unsupported_response_type", "The only response_type is code.")),
    }
    if asked.client.application.kind == ApplicationType::Service {
        return Err(("unauthorized_client", "An application of type service signs nobody in."));
    }
    if asked.get("response_mode").is_some_and(|mode| mode != "query") {
        return invalid("The only response_mode is query.");
    }
    if asked.get("request").is_some() {
        return Err(("request_not_supported", "Request objects are not supported."));
    }
    if asked.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "Request objects are not supported."));
    }
    let challenge = asked.get("code_challenge").unwrap_or_default();
    if challenge.is_empty() {
        return invalid("The parameter code_challenge is missing: PKCE is required.");
    }
    if asked.get("code_challenge_method") != Some("S256") {
        return invalid("The only code_challenge_method is S256.");
    }
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if challenge.len() != CHALLENGE_LEN || !challenge.chars().all(is_base64url) {
        return invalid("The code_challenge is not a SHA-256 in base64url.");
    }
    let prompts: Vec<&str> = asked.get("prompt").into_iter().flat_map(|prompt| prompt.split(' ')).collect();
    let known = |prompt: &&str| matches!(*prompt, "none" | "login" | "consent" | "select_account");
    if !prompts.iter().all(known) || (prompts.contains(&"none") && prompts.len() > 1) {
        return invalid("The prompt is none alone, or login, consent and select_account.");
    }
    if asked.get("max_age").is_some_and(|age| age.parse::<u32>().is_err()) {
        return invalid("The max_age is a number of seconds.");
    }
    let too_long = |name| asked.get(name).is_some_and(|text: &str| text.len() > 2_000);
    if too_long("state") || too_long("nonce") {
        return invalid("The state or nonce is too long.");
    }
    Ok(())
}

/// Whether the address is one that is registered: exactly, apart from the port of loopback addresses of native
/// applications (RFC 8252 section 7.3).
pub(super) fn is_registered(application: &Application, redirect_uri: &str) -> bool {
    let exact = application.redirect_uris.iter().any(|known| known == redirect_uri);
    exact
        || (application.kind == ApplicationType::Native
            && without_port(redirect_uri).is_some_and(|bare| {
                application.redirect_uris.iter().any(|known| without_port(known).as_ref() == Some(&bare))
            }))
}

pub(super) fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]")
}

/// A loopback address without its port, apart from that letter by letter.
fn without_port(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let good = port
        .is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with(['+', '0']));
    (is_loopback(host) && good).then(|| format!("http://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let bare = Some("http://127.0.0.1/cb".to_owned());
        for same in ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"] {
            assert_eq!(without_port(same), bare, "{same}");
        }
        for other in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1:08/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://localhost:1/cb",
            "https://127.0.0.1:1/cb",
            "http://127.0.0.1.evil.example:1/cb",
            "http://127.0.0.1:1:2/cb",
        ] {
            assert_ne!(without_port(other), bare, "{other}");
        }
        assert_eq!(without_port("http://[::1]:5/"), Some("http://[::1]/".to_owned()));
    }
}
