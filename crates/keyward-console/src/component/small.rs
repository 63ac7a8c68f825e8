//! Buttons, times, and the question before something that can't be undone.

use askama::{Template, filters::HtmlSafe};

use crate::{form::Form, moment::Moment};

/// What travels with a form unseen.
#[derive(Template)]
#[template(path = "component/hidden.html")]
pub(crate) struct Hidden<'a> {
    pub(crate) form: &'a Form,
}

impl HtmlSafe for Hidden<'_> {}

/// A form that is one button.
#[derive(Template)]
#[template(path = "component/button.html")]
pub(crate) struct Button<'a> {
    action: String,
    csrf: &'a str,
    label: &'a str,
    /// What the button is about, for whoever does not see where it stands.
    about: String,
    class: &'static str,
}

impl HtmlSafe for Button<'_> {}

impl<'a> Button<'a> {
    pub(crate) fn new(action: impl Into<String>, csrf: &'a str, label: &'a str) -> Self {
        Self { action: action.into(), csrf, label, about: String::new(), class: "button" }
    }

    pub(crate) fn about(mut self, about: String) -> Self {
        self.about = about;
        self
    }

    pub(crate) fn quiet(mut self) -> Self {
        self.class = "button button-quiet";
        self
    }
}

/// A time, with the exact one at hand.
#[derive(Template)]
#[template(
    source = r#"<time datetime="{{ moment.machine }}" title="{{ moment.absolute }}">{{ moment.relative }}</time>"#,
    ext = "html"
)]
pub(crate) struct Time<'a> {
    moment: &'a Moment,
}

impl HtmlSafe for Time<'_> {}

impl<'a> Time<'a> {
    pub(crate) fn of(moment: &'a Moment) -> Self {
        Self { moment }
    }
}

/// The question before something that can't be undone: a dialog on top of the page that asks for it.
#[derive(Clone, Template)]
#[template(path = "component/confirmation.html")]
pub struct Confirmation {
    /// What is asked, for example `Sign out 3 other devices?`
    pub title: String,
    /// What will happen, in a sentence or two.
    pub text: String,
    /// What the button says: the act and its object, for example `Delete acme.crm-sync`.
    pub button: String,
    /// What must be typed before the button does anything; none where a click is enough.
    pub typed: Option<String>,
    /// Where the answer is sent.
    pub form: Form,
    /// The page without the question.
    pub cancel: String,
}

impl HtmlSafe for Confirmation {}
