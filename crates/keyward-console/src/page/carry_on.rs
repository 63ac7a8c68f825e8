//! On from what another site sent.

use askama::Template;

use crate::{form::Form, frame::Shell};

/// Sends on what came from another site, together with what this browser keeps. Where there is JavaScript it does so by
/// itself.
#[derive(Template)]
#[template(path = "page/carry_on.html")]
pub struct CarryOn {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
}

/// Says that somebody is signed in, on the way to an application. The browser goes on by itself.
#[derive(Template)]
#[template(path = "page/onward.html")]
pub struct Onward {
    /// Around the page.
    pub shell: Shell,
    /// Where it goes on: a path of this server.
    pub location: String,
}
