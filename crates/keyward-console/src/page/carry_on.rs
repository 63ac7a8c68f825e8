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
