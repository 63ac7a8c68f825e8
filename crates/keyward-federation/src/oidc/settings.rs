//! The configuration of a provider, read and checked before anything is asked.

use keyward_core::{FederationError, Upstream};

use super::preset::Preset;

/// What is asked for when the configuration does not say.
const DEFAULT_SCOPES: &str = "openid email profile";

/// A provider, as its protocol needs it.
pub(super) struct Settings<'a> {
    /// The identifier at Keyward.
    pub(super) id: &'a str,
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) client_secret: Option<&'a str>,
    /// Separated by spaces; `openid` is always among them.
    pub(super) scopes: String,
    pub(super) preset: Preset,
    pub(super) return_url: &'a str,
}

impl<'a> Settings<'a> {
    pub(super) fn read(provider: &'a Upstream) -> Result<Self, FederationError> {
        let text = |name: &'static str| {
            let value =
                provider.config.get(name).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
            value.ok_or_else(|| wrong(format!("The configuration lacks the {name}.")))
        };
        let issuer = text("issuer")?;
        let preset = Preset::of(provider.config.get("preset"), issuer)
            .ok_or_else(|| wrong("The preset must be entra, okta, google, ping or generic."))?;
        preset.judge_issuer(issuer)?;
        Ok(Self {
            id: &provider.id,
            issuer,
            client_id: text("client_id")?,
            client_secret: provider.client_secret.as_deref().filter(|secret| !secret.is_empty()),
            scopes: scopes(provider),
            preset,
            return_url: &provider.return_url,
        })
    }

    /// Where the provider describes itself (`OpenID` Connect Discovery 1.0 section 4).
    pub(super) fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'))
    }
}

fn scopes(provider: &Upstream) -> String {
    let listed = provider.config.get("scopes").and_then(|value| value.as_array());
    let listed: Vec<&str> = listed.into_iter().flatten().filter_map(|scope| scope.as_str()).collect();
    match listed.as_slice() {
        [] => DEFAULT_SCOPES.to_owned(),
        some if some.contains(&"openid") => some.join(" "),
        // Without it there would be no ID token.
        some => format!("openid {}", some.join(" ")),
    }
}

/// The configuration is wrong.
pub(super) fn wrong(detail: impl Into<String>) -> FederationError {
    FederationError::new("address", "bad_configuration", detail)
}
