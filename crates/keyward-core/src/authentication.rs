//! Who calls the admin API: the bearer token of a request (RFC 6750 section 2.1) to a caller.

use keyward_crypto::access_token::TokenError;
use keyward_model::{ApplicationReach, Entity};
use keyward_policy::liveness::Dead;

use crate::{Caller, Error, Keyward, Origin, oauth::Holder};

pub(crate) fn unauthenticated(code: &'static str, detail: impl Into<String>) -> Error {
    Error::Unauthenticated { code, detail: detail.into() }
}

/// The token of an `Authorization` header.
pub(crate) fn bearer(authorization: Option<&str>) -> Result<&str, Error> {
    let missing = || unauthenticated("credentials_missing", "Send an access token: Authorization: Bearer …");
    let value = authorization.map(str::trim).filter(|value| !value.is_empty()).ok_or_else(missing)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start()),
        Some(_) => {
            Err(unauthenticated("scheme_missing", "The scheme must be Bearer: Authorization: Bearer …"))
        }
        None if value.eq_ignore_ascii_case("bearer") => Err(missing()),
        None => Err(unauthenticated("scheme_missing", "The token needs the word Bearer in front of it.")),
    }
}

pub(crate) fn refused(error: TokenError) -> Error {
    let (code, detail) = match error {
        TokenError::Expired => ("token_expired", "The token has expired."),
        TokenError::WrongAudience => ("token_wrong_audience", "The token is for another API."),
        _ => ("token_malformed", "The token is not an access token of this issuer."),
    };
    unauthenticated(code, detail)
}

impl Keyward {
    /// Finds out who sent a request, from the value of its `Authorization` header.
    pub async fn authenticate(&self, authorization: Option<&str>, _origin: &Origin) -> Result<Caller, Error> {
        let token = bearer(authorization)?;
        let now = self.now();
        let claims = self.verify_token(token, &[&self.inner.options.admin_audience], now).map_err(refused)?;
        let live = match self.live_token(claims, now).await? {
            Ok(live) => live,
            Err(Dead::Unknown) => return Err(unauthenticated("token_revoked", "The token no longer works.")),
            // The token proves possession of the credential, so its holder may know what is wrong.
            Err(dead) => return Err(unauthenticated("token_revoked", dead.message())),
        };
        let credential = live.claims.credential_id.clone();
        Ok(match &live.holder {
            Holder::Client(client) => {
                let application = &client.application;
                // A token for tenants administrates nothing, whatever its application could have asked for.
                let global = application.reach == ApplicationReach::Global && live.tenants.is_none();
                Caller::service(client.subject(), global, live.scopes, credential, application.owner())
            }
            Holder::Person(person) => Caller::user(&person.user, live.scopes, credential),
        })
    }
}
