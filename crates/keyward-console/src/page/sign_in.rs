//! Signing in: who somebody is, and the password or the identity provider that proves it.

use askama::Template;

use crate::{component::Field, form::Form, frame::Shell};

/// An identity provider that somebody may sign in with.
#[derive(Clone)]
pub struct Provider {
    /// What people know it by, for example `Contoso`.
    pub name: String,
    /// Where signing in with it begins; a link, so that no form has to lead to another origin.
    pub href: String,
}

/// The first step. Its form sends `email`.
#[derive(Template)]
#[template(path = "page/sign_in.html")]
pub struct SignIn {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// What was typed before.
    pub email: String,
    /// The application that somebody signs in for, when it is not the console.
    pub application: Option<String>,
    /// The identity providers of the platform.
    pub providers: Vec<Provider>,
    /// Where a forgotten password is seen to.
    pub forgotten: String,
}

/// The second step. Its form sends `email` and `password`; without `password_allowed` there is no form, only the
/// providers. Whether the account exists makes no difference to the page.
#[derive(Template)]
#[template(path = "page/sign_in_password.html")]
pub struct SignInPassword {
    /// Around the page.
    pub shell: Shell,
    /// The form. For every wrong pair [`Problems::message`](crate::Problems) says the same.
    pub form: Form,
    /// The e-mail address of the first step.
    pub email: String,
    /// Whether a password may be used.
    pub password_allowed: bool,
    /// The identity providers of the person's organisation.
    pub providers: Vec<Provider>,
    /// Back to the first step.
    pub start_again: String,
    /// Where a forgotten password is seen to.
    pub forgotten: String,
}
