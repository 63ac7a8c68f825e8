//! How to do by machine what a screen does: the same request of the admin API.

use askama::{Template, filters::HtmlSafe};
use serde_json::Value;

/// A request of the admin API, or a command.
#[derive(Debug, Clone)]
pub struct Snippet {
    /// What it is written in: `curl`, `Command line`.
    pub title: &'static str,
    /// The text.
    pub text: String,
}

/// Ways to do by machine what the screen does.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<details class="code-panel"><summary>Do this in code</summary>{% for snippet in snippets %}<h3>{{ snippet.title }}</h3><pre tabindex="0">{{ snippet.text }}</pre>{% endfor %}</details>"#,
    ext = "html"
)]
pub struct CodePanel {
    /// The ways.
    pub snippets: Vec<Snippet>,
}

impl HtmlSafe for CodePanel {}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A body with a variable in the place of every secret: pages show none but those that they show once.
fn without_secrets(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let shown = |(name, value): (&String, &Value)| {
                let is_secret = name.contains("secret") && !value.is_null();
                (name.clone(), if is_secret { "$SECRET".into() } else { without_secrets(value) })
            };
            Value::Object(members.iter().map(shown).collect())
        }
        other => other.clone(),
    }
}

impl CodePanel {
    /// A request of the admin API of `issuer`, with a body as far as it has one.
    #[must_use]
    pub fn request(issuer: &str, method: &str, path: &str, body: Option<&Value>) -> Self {
        let method = if method == "GET" { String::new() } else { format!(" -X {method}") };
        let address = quoted(&format!("{issuer}/api/v1/admin/{path}"));
        let mut text = format!("curl{method} {address} \\\n  -H \"Authorization: Bearer $KEYWARD_TOKEN\"");
        if let Some(body) = body {
            let body = quoted(&without_secrets(body).to_string());
            text = format!("{text} \\\n  -H 'Content-Type: application/json' \\\n  -d {body}");
        }
        Self { snippets: vec![Snippet { title: "curl", text }] }
    }

    /// With another way.
    #[must_use]
    pub fn and(mut self, title: &'static str, text: impl Into<String>) -> Self {
        self.snippets.push(Snippet { title, text: text.into() });
        self
    }
}

/// A text to take away.
#[derive(Debug, Clone, Template)]
#[template(path = "component/copy.html")]
pub struct CopyField {
    /// Its place in the page.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// The text.
    pub value: String,
    /// How many characters a line has room for.
    width: usize,
}

impl HtmlSafe for CopyField {}

impl CopyField {
    /// A text to take away.
    #[must_use]
    pub fn new(id: &str, label: &str, value: impl Into<String>) -> Self {
        Self { id: id.to_owned(), label: label.to_owned(), value: value.into(), width: 60 }
    }

    /// In a card, which has less room.
    #[must_use]
    pub fn narrow(self) -> Self {
        Self { width: 34, ..self }
    }

    /// So many that a long value is seen whole.
    fn rows(&self) -> usize {
        let lines = self.value.lines().map(|line| line.chars().count().div_ceil(self.width).max(1));
        lines.sum::<usize>().max(1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let panel = CodePanel::request(
            "https://a.example",
            "POST",
            "tenants",
            Some(&json!({"name": "x'; rm -rf /'"})),
        );
        let config = json!({"config": {"client_secret": "hidden", "issuer": "https://a"}});
        let shown = CodePanel::request("https://a.example", "POST", "identity-providers", Some(&config));
        assert!(!shown.snippets[0].text.contains("hidden"));
        assert!(panel.snippets[0].text.ends_with(r#"-d '{"name":"x'\''; rm -rf /'\''"}'"#));
    }
}
