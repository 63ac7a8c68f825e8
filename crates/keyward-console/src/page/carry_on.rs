//! On from what another site sent.

use askama::Template;

use crate::{form::Form, frame::Shell};

/// Sends a form on that was interrupted: what came from another site, together with what this browser keeps, or what was
/// typed before somebody proved who they are. Where there is JavaScript it does so by itself.
#[derive(Template)]
#[template(path = "page/carry_on.html")]
pub struct CarryOn {
    /// Around the page.
    pub shell: Shell,
    /// Why there is one more step.
    pub lead: &'static str,
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
