//! A field of a form: label, input, help and error, tied together.

use askama::{Template, filters::HtmlSafe};

use crate::form::Form;

/// One field. Its identifier is its name.
#[derive(Clone, Copy, Template)]
#[template(path = "component/field.html")]
#[expect(clippy::struct_excessive_bools, reason = "attributes of HTML are such")]
pub(crate) struct Field<'a> {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: &'a str,
    /// What password managers go by.
    autocomplete: &'static str,
    inputmode: &'static str,
    help: &'a str,
    error: Option<&'a str>,
    focus: bool,
    mono: bool,
    code: bool,
    strength: bool,
    verbatim: bool,
}

impl HtmlSafe for Field<'_> {}

impl<'a> Field<'a> {
    fn new(form: &'a Form, name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value: "",
            autocomplete: "off",
            inputmode: "",
            help: "",
            error: form.problems.of(name),
            focus: form.problems.is_first(name),
            mono: false,
            code: false,
            strength: false,
            verbatim: false,
        }
    }

    /// The e-mail address that somebody signs in with.
    pub(crate) fn email(form: &'a Form, value: &'a str) -> Self {
        Self {
            kind: "email",
            autocomplete: "username",
            value,
            verbatim: true,
            ..Self::new(form, "email", "E-mail")
        }
    }

    /// The password that somebody has.
    pub(crate) fn password(form: &'a Form, name: &'static str, label: &'static str) -> Self {
        Self { kind: "password", autocomplete: "current-password", ..Self::new(form, name, label) }
    }

    /// A password that somebody chooses.
    pub(crate) fn new_password(form: &'a Form, label: &'static str) -> Self {
        Self { autocomplete: "new-password", strength: true, ..Self::password(form, "new_password", label) }
    }

    /// The six digits of an authenticator app: one box, pasting allowed, nothing sent by itself.
    pub(crate) fn digits(form: &'a Form, label: &'static str) -> Self {
        Self {
            autocomplete: "one-time-code",
            inputmode: "numeric",
            code: true,
            verbatim: true,
            ..Self::new(form, "code", label)
        }
    }

    /// A code that somebody copies from elsewhere.
    pub(crate) fn code(form: &'a Form, label: &'static str, value: &'a str) -> Self {
        Self { value, mono: true, verbatim: true, ..Self::new(form, "code", label) }
    }

    pub(crate) fn help(mut self, help: &'a str) -> Self {
        self.help = help;
        self
    }

    /// Focused when the page opens, unless another field is to be put right first.
    pub(crate) fn focused(mut self, form: &Form) -> Self {
        self.focus = self.focus || form.problems.fields.is_empty();
        self
    }

    fn described_by(&self) -> String {
        let mut parts = Vec::new();
        if self.error.is_some() {
            parts.push(format!("{}-error", self.name));
        }
        if !self.help.is_empty() {
            parts.push(format!("{}-help", self.name));
        }
        if self.strength {
            parts.push(format!("{}-rules", self.name));
        }
        parts.join(" ")
    }
}
