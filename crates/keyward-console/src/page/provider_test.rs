//! What a test of an identity provider found out.

use askama::Template;

use crate::{
    component::{Notice, Severity},
    frame::Frame,
};

/// How a step of the test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Well.
    Passed,
    /// Badly; what comes after it was not tried.
    Failed,
    /// Well, but somebody should look at it.
    Warned,
    /// It was not tried.
    Skipped,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "Passed",
            Self::Failed => "Failed",
            Self::Warned => "Look at this",
            Self::Skipped => "Not tried",
        }
    }

    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "danger",
            Self::Warned => "warn",
            Self::Skipped => "skipped",
        }
    }
}

/// A step of the test.
#[derive(Debug, Clone)]
pub struct TestStep {
    /// What was done, for example `Fetched the discovery document`.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found; may be empty.
    pub detail: String,
}

/// A claim or attribute that the provider sent.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its value, several separated by commas.
    pub value: String,
}

/// What a field of the account would become.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The field, for example `E-mail`.
    pub field: String,
    /// The claim that it is taken from.
    pub claim: String,
    /// The value, or nothing when the claim is absent.
    pub value: Option<String>,
}

/// The result of a test sign-in.
#[derive(Template)]
#[template(path = "page/provider_test.html")]
pub struct ProviderTest {
    /// Around the page.
    pub frame: Frame,
    /// What people know the provider by.
    pub provider: String,
    /// `OpenID Connect` or `SAML 2.0`.
    pub protocol: String,
    /// Begins the test again.
    pub again: String,
    /// Back to the provider's settings.
    pub settings: String,
    /// The steps, in order.
    pub steps: Vec<TestStep>,
    /// What the provider itself said, word for word, when it refused.
    pub provider_error: Option<String>,
    /// What it sent about the person.
    pub claims: Vec<Claim>,
    /// What would become of it.
    pub mapping: Vec<Mapped>,
}

impl ProviderTest {
    fn outcome(&self) -> Notice {
        match self.steps.iter().find(|step| step.verdict == Verdict::Failed) {
            Some(step) => Notice::new(Severity::Error, format!("It stopped at: {}.", step.name))
                .titled("The test sign-in failed."),
            None => Notice::new(Severity::Success, "Nobody was signed in, and no account was made.")
                .titled("The test sign-in worked."),
        }
    }
}
