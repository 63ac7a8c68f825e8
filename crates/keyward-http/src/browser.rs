//! What browsers keep: cookies, and the session that one of them names.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use keyward_core::{Keyward, SignInError, SignedIn};

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

/// Who is signed in with this browser.
pub async fn signed_in(request: &HttpRequest, keyward: &Keyward) -> Result<Option<SignedIn>, SignInError> {
    match Kept::Session.of(request, keyward) {
        Some(cookie) => keyward.signed_in(&cookie).await,
        None => Ok(None),
    }
}
