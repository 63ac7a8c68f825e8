//! Asking somebody what an application may do in his name.

use askama::Template;

use crate::{
    component::{Notice, Severity},
    form::Form,
    frame::Shell,
};

/// A permission that is asked for.
#[derive(Debug, Clone)]
pub struct ConsentPermission {
    /// In words, from the catalogue, for example `Points: view`.
    pub label: String,
    /// The scope itself, for example `points:read`.
    pub scope: String,
    /// Whether it changes things.
    pub changes: bool,
}

/// Asks for consent. Its form sends `decision`, which is `allow` or `deny`. The reply needs the
/// [`FormTarget`](crate::FormTarget) of the redirect URI.
#[derive(Template)]
#[template(path = "page/consent.html")]
pub struct Consent {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// Who is signed in.
    pub email: String,
    /// To sign in as somebody else.
    pub start_again: String,
    /// The application's name, as its owner wrote it.
    pub application: String,
    /// Whom it belongs to: a tenant, a partner, the platform, or the host of a client that nobody registered.
    pub owner: String,
    /// The host that the answer goes to.
    pub redirect_host: String,
    /// Whether that is this very computer, where any program may pretend to be the application.
    pub redirect_is_local: bool,
    /// What is asked for.
    pub permissions: Vec<ConsentPermission>,
}
