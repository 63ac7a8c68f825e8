//! The client's secret.

use std::fmt;

/// The secret of a client. It shows itself to nobody: there is no `Display`, and `Debug` is blank.
///
/// ```
/// use keyward_client::ClientSecret;
///
/// let secret = ClientSecret::new("kws_live_7kQ");
/// assert_eq!(format!("{secret:?}"), "ClientSecret(…)");
/// ```
#[derive(Clone)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// The secret as Keyward gave it. White space around it, as files have it, does not belong to it.
    #[must_use]
    pub fn new(secret: impl AsRef<str>) -> Self {
        Self(secret.as_ref().trim().to_owned())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A text that came from outside, without the secret in it.
    pub(crate) fn erase_from(&self, text: &str) -> String {
        text.replace(&self.0, "…")
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}
