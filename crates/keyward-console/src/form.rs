//! What every form has: where it goes, what travels with it unseen, and what was wrong with it.

use std::borrow::Cow;

use crate::component::{Hidden, Summary};

/// A form of a page. It is always sent by `POST`.
#[derive(Clone, Default)]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// The token against forged requests, sent as `csrf`.
    pub csrf: String,
    /// Further names and values that are sent along unseen, for example where to return to.
    pub keep: Vec<(String, String)>,
    /// What was wrong when it was sent; empty when it is shown for the first time.
    pub problems: Problems,
    /// Whether it takes nothing away, so that a question about it does not warn.
    pub gentle: bool,
}

/// What was wrong with a form.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    /// About the form as a whole, for example that e-mail and password don't match.
    pub message: Option<String>,
    /// About its fields, in the order of the page. The first one gets the focus.
    pub fields: Vec<FieldProblem>,
}

/// What was wrong with one field.
#[derive(Debug, Clone)]
pub struct FieldProblem {
    /// The field's name.
    pub name: Cow<'static, str>,
    /// What to do about it, as a sentence.
    pub text: String,
}

impl Form {
    /// A form that goes to `action`.
    #[must_use]
    pub fn new(action: impl Into<String>, csrf: impl Into<String>) -> Self {
        Self { action: action.into(), csrf: csrf.into(), ..Self::default() }
    }

    /// The same, of something that takes nothing away.
    #[must_use]
    pub fn gentle(mut self) -> Self {
        self.gentle = true;
        self
    }

    pub(crate) fn hidden(&self) -> Hidden<'_> {
        Hidden { form: self }
    }

    /// What was wrong, above the form.
    pub(crate) fn summary(&self) -> Summary<'_> {
        Summary { problems: &self.problems, all: false }
    }

    /// What was wrong, where it is told at no field.
    pub(crate) fn summary_of_all(&self) -> Summary<'_> {
        Summary { problems: &self.problems, all: true }
    }

    /// What stands before the title of a page that asks once more, so that it is heard first.
    pub(crate) fn mark(&self) -> &'static str {
        if self.problems.is_empty() { "" } else { "Error: " }
    }
}

impl Problems {
    /// About the form as a whole.
    #[must_use]
    pub fn message(text: impl Into<String>) -> Self {
        Self { message: Some(text.into()), fields: Vec::new() }
    }

    /// About one field.
    #[must_use]
    pub fn field(name: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self { message: None, fields: vec![FieldProblem { name: name.into(), text: text.into() }] }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.message.is_none() && self.fields.is_empty()
    }

    pub(crate) fn of(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|problem| problem.name == name).map(|problem| problem.text.as_str())
    }

    /// Whether this is the field to put right first.
    pub(crate) fn is_first(&self, name: &str) -> bool {
        self.fields.first().is_some_and(|problem| problem.name == name)
    }
}
