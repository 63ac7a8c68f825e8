//! Signing out.

use askama::Template;

use crate::{form::Form, frame::Shell};

/// Asks whether to sign out, when another site or an application wants it.
#[derive(Template)]
#[template(path = "page/sign_out.html")]
pub struct SignOut {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// Who is signed in.
    pub email: String,
    /// The application that asks, when it is one.
    pub application: Option<String>,
    /// Where to go without signing out.
    pub cancel: String,
}

/// Signed out.
#[derive(Template)]
#[template(path = "page/signed_out.html")]
pub struct SignedOut {
    /// Around the page.
    pub shell: Shell,
    /// The identity provider where the person is still signed in, when there is one.
    pub provider: Option<String>,
    /// Where to sign in again.
    pub sign_in: String,
}
