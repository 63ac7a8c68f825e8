//! Banners.

use askama::{Template, filters::HtmlSafe};

use crate::form::Problems;

/// What a banner is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something to know.
    Info,
    /// Something went well.
    Success,
    /// Something to be careful about.
    Warning,
    /// Something failed.
    Error,
}

/// A banner: a few words on a coloured ground, with an icon.
#[derive(Debug, Clone, Template)]
#[template(path = "component/notice.html")]
pub struct Notice {
    /// What it is about.
    pub severity: Severity,
    /// The title; empty for none.
    pub title: String,
    /// The text, a sentence or two.
    pub text: String,
}

impl HtmlSafe for Notice {}

impl Notice {
    /// A banner without a title.
    #[must_use]
    pub fn new(severity: Severity, text: impl Into<String>) -> Self {
        Self { severity, title: String::new(), text: text.into() }
    }

    /// The same with a title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    fn class(&self) -> &'static str {
        match self.severity {
            Severity::Info => "info",
            Severity::Success => "ok",
            Severity::Warning => "warn",
            Severity::Error => "danger",
        }
    }

    /// Said in words, too: colour and icon are for the eyes.
    fn word(&self) -> &'static str {
        match self.severity {
            Severity::Info => "Note",
            Severity::Success => "Done",
            Severity::Warning => "Warning",
            Severity::Error => "Error",
        }
    }
}

/// What was wrong with a form, above it.
#[derive(Template)]
#[template(path = "component/summary.html")]
pub(crate) struct Summary<'a> {
    pub(crate) problems: &'a Problems,
    /// Also when there is one only, which its field tells otherwise.
    pub(crate) all: bool,
}

impl HtmlSafe for Summary<'_> {}
