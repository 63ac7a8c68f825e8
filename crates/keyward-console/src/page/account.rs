//! My account.

use askama::Template;

use crate::{
    component::{Button, Confirmation, Field, FormBlock, Time},
    form::Form,
    frame::Frame,
    moment::Moment,
    paths,
};

/// Who somebody is.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The name; empty when there is none.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// What the person is, for example `Super admin`.
    pub tier: String,
    /// Where: the partner's or tenant's name, or `the platform`.
    pub scope: String,
    /// The names of the roles.
    pub roles: Vec<String>,
    /// How the person signs in, for example `Password` or `Contoso`.
    pub method: String,
}

/// Whether there is a second step.
#[derive(Debug, Clone)]
pub enum TwoStep {
    /// There is none.
    Off {
        /// Whether policy will ask for it.
        required: bool,
    },
    /// An authenticator app.
    On {
        /// How many recovery codes are left.
        codes_left: usize,
        /// Whether it may be turned off.
        removable: bool,
    },
    /// The identity provider sees to it.
    Elsewhere {
        /// What people know it by.
        provider: String,
    },
}

/// A session of the person.
#[derive(Debug, Clone)]
pub struct Session {
    /// The identifier, `ses_…`.
    pub id: String,
    /// The device in words; see [`describe_device`](crate::describe_device).
    pub device: String,
    /// The address.
    pub ip: String,
    /// How it began, for example `Password and code`.
    pub method: String,
    /// When it began.
    pub started: Moment,
    /// When it was last used.
    pub last_active: Moment,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Session {
    /// What the button to end it is about.
    fn about(&self) -> String {
        format!("{}, {}", self.device, self.ip)
    }
}

/// My account. Its forms go to the addresses of [`paths`]; the one for the password sends `password` and
/// `new_password`.
#[derive(Template)]
#[template(path = "page/account.html")]
pub struct Account {
    /// Around the page.
    pub frame: Frame,
    /// The token against forged requests, for the buttons.
    pub csrf: String,
    /// Who the person is.
    pub profile: Profile,
    /// Whether there is a second step.
    pub two_step: TwoStep,
    /// The form to change the password; `None` when an identity provider holds it.
    pub password: Option<Form>,
    /// When the password was last changed.
    pub password_changed: Option<Moment>,
    /// The sessions, the current one first.
    pub sessions: Vec<Session>,
    /// The form for how the person wants pages: `theme`, `rows`, `times` and `shortcuts`.
    pub preferences: FormBlock,
    /// A question that is open, on top of the page.
    pub confirmation: Option<Confirmation>,
}

impl Account {
    fn mark(&self) -> &'static str {
        self.password.as_ref().map_or("", Form::mark)
    }
}
