//! What a form sent, or what it shall show.

use serde_json::Value;

/// Names and values, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// What a form shows of an object: each member that is no object, by its name.
    pub(super) fn of(doc: &Value) -> Self {
        let mut pairs = Vec::new();
        for (name, value) in doc.as_object().into_iter().flatten() {
            match value {
                Value::String(text) => pairs.push((name.clone(), text.clone())),
                Value::Number(_) | Value::Bool(_) => pairs.push((name.clone(), value.to_string())),
                Value::Array(items) => {
                    let texts = items.iter().filter_map(Value::as_str);
                    pairs.extend(texts.map(|text| (name.clone(), text.to_owned())));
                }
                Value::Null | Value::Object(_) => {}
            }
        }
        Self(pairs)
    }

    /// The first value by this name, without space around it; empty when there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default()
    }

    /// The same, when it was sent at all.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// The value, or another one when it was not sent.
    pub(super) fn or<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.given(name).unwrap_or(otherwise)
    }

    /// All values by this name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim().to_owned()).collect()
    }

    /// All values by this name, each on a line of its own.
    pub(super) fn lines(&self, name: &str) -> String {
        self.all(name).join("\n")
    }

    /// The entries of a field of several lines, also separated by commas or spaces.
    pub(super) fn entries(&self, name: &str) -> Vec<String> {
        let all = self.lines(name);
        let entries = all.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        entries.map(str::to_owned).collect()
    }

    /// Whether a box is ticked.
    pub(super) fn is(&self, name: &str) -> bool {
        self.get(name) == "true"
    }

    /// A text for a body: null when it is empty.
    pub(super) fn text_or_null(&self, name: &str) -> Value {
        let text = self.get(name);
        if text.is_empty() { Value::Null } else { Value::from(text) }
    }

    /// A number for a body: null when it is empty. What is no number goes as it is, to be refused with its reason.
    pub(super) fn number_or_null(&self, name: &str) -> Value {
        let text = self.get(name);
        match text.parse::<u64>() {
            _ if text.is_empty() => Value::Null,
            Ok(number) => Value::from(number),
            Err(_) => Value::from(text),
        }
    }

    /// Puts another value in the place of all by this name.
    pub(super) fn set(&mut self, name: &str, values: Vec<String>) {
        self.0.retain(|(known, _)| known != name);
        self.0.extend(values.into_iter().map(|value| (name.to_owned(), value)));
    }

    /// The names that begin so, without that beginning, and their values.
    pub(super) fn beginning(&self, with: &str) -> Vec<(String, String)> {
        let pairs = self.0.iter();
        pairs.filter_map(|(name, value)| Some((name.strip_prefix(with)?.to_owned(), value.clone()))).collect()
    }

    /// All of it but what differs each time, for telling one sending from another.
    pub(super) fn fingerprint(&self) -> String {
        let counts = self.0.iter().filter(|(name, _)| name != "csrf" && name != "key");
        let each = counts.map(|(name, value)| format!("{}:{name}={}:{value};", name.len(), value.len()));
        each.collect()
    }

    /// As pairs.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}
