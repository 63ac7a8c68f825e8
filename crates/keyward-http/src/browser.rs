//! What browsers keep: cookies, and the session that one of them names.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::StatusCode,
    web::Payload,
};
use keyward_core::{Keyward, SignInError, SignedIn};
use url::form_urlencoded;

use crate::{HttpSettings, body};

/// A cookie of Keyward's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The session of somebody who is signed in.
    Session,
    /// A sign-in that has begun.
    Flow,
    /// A trip to an identity provider.
    Trip,
    /// That somebody signed in with this browser before.
    Device,
}

impl Kept {
    /// Its name. Over https the browser sees to it that nobody else can set it (RFC 6265bis section 4.1.3.2).
    #[must_use]
    pub fn name(self, keyward: &Keyward) -> String {
        let name = match self {
            Self::Session => "keyward-session",
            Self::Flow => "keyward-sign-in",
            Self::Trip => "keyward-trip",
            Self::Device => "keyward-device",
        };
        if is_secure(keyward) { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// How long the browser keeps it; none means until it is closed.
    fn lives(self) -> Option<Duration> {
        match self {
            Self::Session => None,
            Self::Flow | Self::Trip => Some(Duration::minutes(15)),
            Self::Device => Some(Duration::days(365)),
        }
    }

    /// What the browser brought along.
    #[must_use]
    pub fn of(self, request: &HttpRequest, keyward: &Keyward) -> Option<String> {
        request.cookie(&self.name(keyward)).map(|cookie| cookie.value().to_owned())
    }

    /// The cookie with this value.
    #[must_use]
    pub fn with(self, value: String, keyward: &Keyward) -> Cookie<'static> {
        let mut cookie = Cookie::build(self.name(keyward), value)
            .path("/")
            .http_only(true)
            .secure(is_secure(keyward))
            .same_site(SameSite::Lax)
            .finish();
        cookie.set_max_age(self.lives());
        cookie
    }

    /// The cookie that removes it.
    #[must_use]
    pub fn gone(self, keyward: &Keyward) -> Cookie<'static> {
        let mut cookie = self.with(String::new(), keyward);
        cookie.set_max_age(Duration::ZERO);
        cookie
    }
}

fn is_secure(keyward: &Keyward) -> bool {
    keyward.options().issuer.starts_with("https:")
}

/// The header by which a page says that it looks by itself, without anybody at it.
const POLL: &str = "x-keyward-poll";

/// Who is signed in with this browser.
pub async fn signed_in(request: &HttpRequest, keyward: &Keyward) -> Result<Option<SignedIn>, SignInError> {
    match Kept::Session.of(request, keyward) {
        Some(cookie) if request.headers().contains_key(POLL) => keyward.signed_in_quietly(&cookie).await,
        Some(cookie) => keyward.signed_in(&cookie).await,
        None => Ok(None),
    }
}

/// The fields of a form that was sent, in their order; else the status to answer with, and why.
pub async fn form(
    payload: Payload,
    settings: &HttpSettings,
) -> Result<Vec<(String, String)>, (StatusCode, &'static str)> {
    match body::read(payload, settings).await {
        Ok(body) => Ok(form_urlencoded::parse(&body).into_owned().collect()),
        Err(error) => Err((error.status(), error.detail())),
    }
}

/// The parameters of an address, in their order.
#[must_use]
pub fn query(request: &HttpRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect()
}

/// The parameter by which a request for authorization that was made before says when.
const SINCE: &str = "since";

/// Takes out of a request for authorization when it was made first, sealed as this server did it.
pub fn take_since(pairs: &mut Vec<(String, String)>) -> Option<String> {
    let since = pairs.iter().find(|(name, _)| name == SINCE).map(|(_, since)| since.clone());
    pairs.retain(|(name, _)| name != SINCE);
    since
}

/// Puts into a request for authorization when it was made first.
pub fn put_since(pairs: &mut Vec<(String, String)>, since: String) {
    pairs.push((SINCE.to_owned(), since));
}

/// Whether a form was sent by a page of this server, as far as the browser says (Fetch Metadata, Fetch standard `Origin`).
#[must_use]
pub fn is_own_form(request: &HttpRequest, keyward: &Keyward) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let issuer = url::Url::parse(&keyward.options().issuer);
            issuer.is_ok_and(|issuer| issuer.origin().ascii_serialization() == origin)
        }
        // Not a browser, or one that is too old to say; the form's token decides.
        (None, None) => true,
    }
}
