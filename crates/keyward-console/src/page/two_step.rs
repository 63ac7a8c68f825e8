//! The second step of signing in, and setting it up.

use askama::Template;

use crate::{
    component::{CopyField, Field, Notice, Severity},
    form::Form,
    frame::Shell,
    qr::Qr,
};

/// Asks for the code of the authenticator app. Its form sends `code`; spaces in it mean nothing.
#[derive(Template)]
#[template(path = "page/code_challenge.html")]
pub struct CodeChallenge {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// Who signs in.
    pub email: String,
    /// Back to the first step.
    pub start_again: String,
    /// Where a recovery code is asked for instead.
    pub recovery: String,
    /// How far the device's clock seems to be off, in seconds, after two codes of another time; positive when it is
    /// ahead.
    pub skew_seconds: Option<i64>,
}

/// Asks for a recovery code. Its form sends `code`.
#[derive(Template)]
#[template(path = "page/recovery_challenge.html")]
pub struct RecoveryChallenge {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// Who signs in.
    pub email: String,
    /// Back to the first step.
    pub start_again: String,
    /// Back to the code of the app.
    pub code: String,
}

/// Sets up an authenticator app. Its form sends `code`, the first one that the app shows.
#[derive(Template)]
#[template(path = "page/enrol_code.html")]
pub struct EnrolCode {
    /// Around the page.
    pub shell: Shell,
    /// The form.
    pub form: Form,
    /// Whose account it is.
    pub email: String,
    /// The `otpauth:` URI; the page shows it as a QR code.
    pub uri: String,
    /// The same secret as text, in base32.
    pub secret: String,
    /// Whether policy asks for it, so that it can't be put off.
    pub required: bool,
    /// Where to go without setting it up, when that is possible.
    pub cancel: Option<String>,
    /// As in [`CodeChallenge`].
    pub skew_seconds: Option<i64>,
}

impl EnrolCode {
    fn qr(&self) -> Option<Qr> {
        Qr::new(&self.uri)
    }

    /// The secret in groups of four, for typing it; apps ignore the spaces.
    fn grouped(&self) -> String {
        let letters: Vec<char> = self.secret.chars().filter(|letter| !letter.is_whitespace()).collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    }
}

/// What a clock that is off means for whoever has it.
fn skew_hint(seconds: i64) -> String {
    let (about, side) = (seconds.unsigned_abs(), if seconds > 0 { "ahead" } else { "behind" });
    let about = if about < 120 { format!("{about} seconds") } else { format!("{} minutes", about / 60) };
    format!(
        "The clock of your device seems to be {about} {side}. Let it set the time by itself, and try again."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_named_with_its_side() {
        assert!(skew_hint(90).contains("90 seconds ahead"));
        assert!(skew_hint(-300).contains("5 minutes behind"));
    }
}
