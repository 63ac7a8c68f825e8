//! The first administrator.

use askama::Template;

use crate::{
    component::{Field, Notice, Severity},
    form::Form,
    frame::Shell,
};

/// The address that Keyward is configured to have is not the one that it was reached at.
#[derive(Debug, Clone)]
pub struct AddressMismatch {
    /// `public_url`.
    pub configured: String,
    /// Where the browser came to.
    pub seen: String,
}

impl AddressMismatch {
    fn notice(&self) -> Notice {
        let Self { configured, seen } = self;
        let text = format!(
            "You came to {seen}, but public_url is {configured}. Sign-in and tokens will name that address. If it is \
             wrong, set KEYWARD_PUBLIC_URL and start again before you go on."
        );
        Notice::new(Severity::Warning, text).titled("Another address is configured.")
    }
}

/// Makes the first administrator. Its form sends `code`, `email` and `new_password`. The script moves the code from
/// the link's fragment, which no server sees, into the field.
#[derive(Template)]
#[template(path = "page/setup.html")]
pub struct Setup {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// The code that was typed before.
    pub code: String,
    /// The address that was typed before.
    pub email: String,
    /// When the address is not the configured one.
    pub mismatch: Option<AddressMismatch>,
}

/// There is an administrator already.
#[derive(Template)]
#[template(path = "page/setup_used.html")]
pub struct SetupUsed {
    /// Around the page.
    pub shell: Shell,
    /// Where to sign in.
    pub sign_in: String,
}
