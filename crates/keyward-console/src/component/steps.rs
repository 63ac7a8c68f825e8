//! Steps to be taken one after the other.

use askama::{Template, filters::HtmlSafe};

use super::{Badge, Tone};

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is to be done.
    pub title: String,
    /// What to know about it.
    pub text: String,
    /// Whether it is done.
    pub done: bool,
    /// Where it is done: words and address.
    pub action: (String, String),
}

/// Steps in their order, each with how it stands.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<ol class="steps">{% for step in steps %}<li><p><strong>{{ step.title }}</strong> {{ step.badge() }}</p><p class="help">{{ step.text }}</p>{% if !step.done %}<p><a class="button" href="{{ step.action.1 }}">{{ step.action.0 }}</a></p>{% endif %}</li>{% endfor %}</ol>"#,
    ext = "html"
)]
pub struct Steps {
    /// The steps.
    pub steps: Vec<Step>,
}

impl HtmlSafe for Steps {}

impl Step {
    fn badge(&self) -> Badge {
        let (tone, words) = if self.done { (Tone::Good, "Done") } else { (Tone::Plain, "To do") };
        Badge { tone, words: words.to_owned() }
    }
}
