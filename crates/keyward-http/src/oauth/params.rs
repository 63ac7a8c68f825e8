//! Parameters of a request: from a form or from JSON, with the same meaning.

use std::{borrow::Cow, fmt};

use actix_web::{HttpRequest, web::Bytes};
use keyward_core::OAuthError;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use url::form_urlencoded;

use super::MEDIA_TYPES;
use crate::body::media_type;

/// Parameters that must never be in a query string (RFC 6749 section 2.3.1): they would end up in logs.
const SENSITIVE: [&str; 8] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "grant_type",
    "token",
    "code",
    "refresh_token",
];

/// Parameters, of which each occurs once; those without a value do not count (RFC 6749 section 3.2).
#[derive(Debug, Default)]
pub(super) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    /// Reads the body of a request, and refuses credentials in its query string.
    pub(super) fn read(request: &HttpRequest, body: &'a Bytes) -> Result<Self, OAuthError> {
        let query = unique(form_urlencoded::parse(request.query_string().as_bytes()).collect())?;
        if query.0.iter().any(|(name, _)| SENSITIVE.contains(&&**name)) {
            return Err(OAuthError::invalid_request(
                "Parameters belong into the body, never into the address.",
            ));
        }
        let media_type = media_type(request);
        match media_type.as_deref() {
            _ if body.is_empty() => Ok(Self::default()),
            Some(form) if form == MEDIA_TYPES[0] => unique(form_urlencoded::parse(body).collect()),
            Some(json) if json == MEDIA_TYPES[1] => {
                let members: Members = serde_json::from_slice(body).map_err(|error| {
                    OAuthError::invalid_request(format!("The body is no JSON object of texts: {error}."))
                })?;
                unique(members.0.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
            _ => Err(OAuthError::invalid_request(format!("The body must be {}.", MEDIA_TYPES.join(" or ")))),
        }
    }

    /// The value of a parameter, when it has one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        value.filter(|value| !value.is_empty())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

/// Refuses a parameter that occurs twice.
fn unique<'a>(pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Result<Params<'a>, OAuthError> {
    for (index, (name, _)) in pairs.iter().enumerate() {
        if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(OAuthError::invalid_request("A parameter occurs more than once."));
        }
    }
    Ok(Params(pairs))
}

/// The members of a JSON object whose values are texts, repeated ones included.
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
