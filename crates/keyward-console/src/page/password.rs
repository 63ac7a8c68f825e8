//! Choosing a password, and what happens when it is forgotten.

use askama::Template;

use crate::{
    component::{CopyField, Field, Notice, Severity, Time},
    form::Form,
    frame::{Frame, Shell},
    moment::Moment,
};

/// Why somebody chooses a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// The first one, from an invitation.
    Invited,
    /// A new one, from a link that was asked for.
    Reset,
    /// A new one before the sign-in goes on, because an administrator or a policy asks for it.
    Forced {
        /// The reason, as a sentence.
        reason: String,
    },
}

/// Chooses a password. Its form sends `code` and `new_password`. The script moves the code from the link's fragment,
/// which no server sees, into the field.
#[derive(Template)]
#[template(path = "page/new_password.html")]
pub struct NewPassword {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// The code of the link that was typed before.
    pub code: String,
    /// Why.
    pub occasion: Occasion,
}

/// Asks for the address that a link is sent to. Its form sends `email`.
#[derive(Template)]
#[template(path = "page/forgotten_password.html")]
pub struct ForgottenPassword {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// What was typed before.
    pub email: String,
    /// Back to signing in.
    pub back: String,
}

/// How links reach people here. It is a matter of configuration, never of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// By e-mail.
    Mail,
    /// No e-mail is set up: an administrator hands them over.
    Administrator,
}

/// The answer to a forgotten password, which is the same whether the account exists or not.
#[derive(Template)]
#[template(path = "page/reset_requested.html")]
pub struct ResetRequested {
    /// Around the page.
    pub shell: Shell,
    /// What was typed.
    pub email: String,
    /// How links reach people here.
    pub delivery: Delivery,
    /// For how many minutes a link is good.
    pub minutes: u32,
    /// Back to signing in.
    pub back: String,
}

/// A link to choose a password, shown once to the administrator who hands it over. Send it as the reply that makes
/// the link.
#[derive(Template)]
#[template(path = "page/reset_link.html")]
pub struct ResetLink {
    /// Around the page.
    pub frame: Frame,
    /// Whom it is for.
    pub email: String,
    /// The link.
    pub link: String,
    /// When it ends.
    pub expires: Moment,
    /// The page to go on with.
    pub done: String,
}
