//! Confirming who somebody is before something that matters.

use askama::Template;

use crate::{component::Field, form::Form, frame::Shell};

/// What proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Factor {
    /// The code of the authenticator app; the form sends `code`.
    Code,
    /// The password; the form sends `password`.
    Password,
    /// The identity provider, where signing in once more begins with a link.
    Provider {
        /// What people know it by.
        name: String,
        /// Where it begins.
        href: String,
    },
}

/// "Confirm it's you".
#[derive(Template)]
#[template(path = "page/step_up.html")]
pub struct StepUp {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// Who is signed in.
    pub email: String,
    /// What is going to be done, for example `create an API client`.
    pub purpose: String,
    /// What proves it.
    pub factor: Factor,
    /// Where to go without it.
    pub cancel: String,
}
