//! Rules for fields that several resources share, in the form that `validator` wants.

use std::borrow::Cow;

use serde_json::Value;
use validator::ValidationError;

/// The longest slug, client identifier or environment name, in characters.
pub const MAX_SLUG_LEN: usize = 64;

/// An error with a code for programs and a sentence for people.
pub(crate) fn error(code: &'static str, message: impl Into<Cow<'static, str>>) -> ValidationError {
    ValidationError::new(code).with_message(message.into())
}

/// Whether `text` is 1 to 64 characters of `a-z`, `0-9` and `-`.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_SLUG_LEN).contains(&text.len()) && text.bytes().all(allowed)
}

/// Refuses what is no slug.
pub(crate) fn slug(text: &str) -> Result<(), ValidationError> {
    if is_slug(text) {
        return Ok(());
    }
    Err(error("invalid_slug", "must be 1 to 64 characters of a to z, 0 to 9 and hyphen"))
}

/// Refuses names that are empty, longer than 200 characters, or that hold markup or control characters.
pub(crate) fn name(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() || text.chars().count() > 200 {
        return Err(error("invalid_length", "must be 1 to 200 characters"));
    }
    if text.chars().any(|c| c.is_control() || c == '<' || c == '>') {
        return Err(error("invalid_character", "must not contain control characters, < or >"));
    }
    Ok(())
}

/// Refuses notes longer than 2,000 characters or with control characters other than line breaks.
pub(crate) fn notes(text: &str) -> Result<(), ValidationError> {
    if text.chars().count() > 2_000 {
        return Err(error("invalid_length", "must be at most 2,000 characters"));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(error("invalid_character", "must not contain control characters"));
    }
    Ok(())
}

/// Refuses what is no JSON object, or one of more than 64 KiB as text.
pub(crate) fn open_document(document: &Value) -> Result<(), ValidationError> {
    object(document, 65_536, "must be at most 64 KiB")
}

/// Refuses what is no JSON object, or one of more than 512 KiB as text: metadata may be long.
pub(crate) fn provider_config(document: &Value) -> Result<(), ValidationError> {
    object(document, 524_288, "must be at most 512 KiB")
}

fn object(document: &Value, max: usize, too_large: &'static str) -> Result<(), ValidationError> {
    if !document.is_object() {
        return Err(error("invalid_type", "must be an object"));
    }
    if document.to_string().len() > max { Err(error("too_large", too_large)) } else { Ok(()) }
}

/// Refuses a token lifetime outside of one minute to one day.
pub(crate) fn token_lifetime(seconds: u32) -> Result<(), ValidationError> {
    if (60..=86_400).contains(&seconds) {
        return Ok(());
    }
    Err(error("out_of_range", "must be 60 to 86400 seconds"))
}

/// Refuses names of tools that are empty, long, repeated, or hold other characters than names have.
pub(crate) fn tools(tools: &[String]) -> Result<(), ValidationError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    let is_name = |tool: &String| (1..=128).contains(&tool.len()) && tool.chars().all(allowed);
    if tools.len() > 200 || !tools.iter().all(is_name) {
        let message = "must be at most 200 names of 1 to 128 letters, digits, hyphens, underscores, dots, colons or slashes";
        return Err(error("invalid_tool", message));
    }
    let repeated = tools.iter().enumerate().any(|(index, tool)| tools[..index].contains(tool));
    if repeated { Err(error("repeated", "must not name a tool twice")) } else { Ok(()) }
}

/// Refuses what is no IP address or network, and too many of them.
pub(crate) fn networks(networks: &[String]) -> Result<(), ValidationError> {
    if networks.len() <= 100 && networks.iter().all(|text| crate::api_key::network(text).is_some()) {
        return Ok(());
    }
    Err(error(
        "invalid_network",
        "must be at most 100 addresses or networks such as 203.0.113.7 or 10.0.0.0/8",
    ))
}

/// Refuses a time without use outside of one hour to one year.
pub(crate) fn quiet_hours(hours: u32) -> Result<(), ValidationError> {
    if (1..=8_760).contains(&hours) {
        return Ok(());
    }
    Err(error("out_of_range", "must be 1 to 8760 hours"))
}

/// Whether it is a domain name of several labels, in lower case, as it stands behind the `@` of addresses.
#[must_use]
pub fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

/// An empty JSON object, the default of open documents.
pub(crate) fn empty_document() -> Value {
    Value::Object(serde_json::Map::new())
}
