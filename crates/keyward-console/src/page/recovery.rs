//! The recovery codes, shown once.

use askama::Template;

use crate::{form::Form, frame::Shell};

/// Ten codes for the day that the authenticator app is lost. Send it as the reply that makes them. Its form sends
/// `stored` when somebody ticked that they are stored.
#[derive(Template)]
#[template(path = "page/recovery_codes.html")]
pub struct RecoveryCodes {
    /// Around the page.
    pub shell: Shell,
    /// The form that goes on.
    pub form: Form,
    /// Whose account it is.
    pub email: String,
    /// The codes.
    pub codes: Vec<String>,
    /// When they were made, for the file, for example `24 Nov 2026`.
    pub made_on: String,
}

impl RecoveryCodes {
    /// The file, inside of the link to it: the codes then travel once only, and it works without JavaScript.
    fn file(&self) -> String {
        let (product, host, email) = (&self.shell.product, &self.shell.host, &self.email);
        let head = format!("{product} recovery codes for {email} on {host}, made on {}.", self.made_on);
        let text = format!("{head}\nEach works once.\n\n{}\n", self.codes.join("\n"));
        format!("data:text/plain;charset=utf-8,{}", percent_encode(&text))
    }
}

/// Everything but the letters and digits that need no encoding anywhere in a URL.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_in_a_url() {
        assert_eq!(percent_encode("a-1 é\n\"<&#%"), "a-1%20%C3%A9%0A%22%3C%26%23%25");
    }
}
