//! What well-known providers do in their own way.

use keyward_core::FederationError;
use serde_json::{Map, Value};
use url::Url;

use super::settings::wrong;

/// Microsoft's sign-in hosts: the public cloud, and those of governments and China.
const ENTRA_HOSTS: [&str; 3] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];
/// What stands in place of a tenant where people of many tenants sign in.
const ENTRA_SHARED: [&str; 4] = ["common", "organizations", "consumers", "{tenantid}"];
const GOOGLE_ISSUER: &str = "https://accounts.google.com";

/// A kind of provider: `config.preset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preset {
    /// Microsoft Entra ID. It lets administrators of any tenant write any address into `email`, so an address counts as
    /// verified only with the claim `xms_edov`, which says that the owner of the domain did.
    Entra,
    /// Okta; nothing special.
    Okta,
    /// Google. Anybody may open an account for an address at another mail service, and keeps it when the address goes to
    /// somebody else. So an address counts as verified only where Google itself runs the mailbox or the domain.
    Google,
    /// `PingOne` and `PingFederate`; nothing special.
    Ping,
    /// Whoever follows the specification.
    Generic,
}

impl Preset {
    /// The preset that a configuration names; Microsoft's and Google's rules hold for them under any name. `None` if there
    /// is none of that name.
    pub(super) fn of(named: Option<&Value>, issuer: &str) -> Option<Self> {
        let named = match named.map(Value::as_str) {
            None | Some(Some("generic")) => Self::Generic,
            Some(Some("entra")) => Self::Entra,
            Some(Some("okta")) => Self::Okta,
            Some(Some("google")) => Self::Google,
            Some(Some("ping")) => Self::Ping,
            Some(_) => return None,
        };
        let url = Url::parse(issuer).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        Some(if ENTRA_HOSTS.contains(&host) {
            Self::Entra
        } else if issuer == GOOGLE_ISSUER {
            Self::Google
        } else {
            named
        })
    }

    /// Refuses issuers that can't be one customer's.
    pub(super) fn judge_issuer(self, issuer: &str) -> Result<(), FederationError> {
        match self {
            Self::Entra => {
                let is_shared = |part: &str| {
                    ENTRA_SHARED.iter().any(|shared| {
                        part.replace("%7B", "{").replace("%7D", "}").eq_ignore_ascii_case(shared)
                    })
                };
                if issuer.split('/').any(is_shared) {
                    return Err(FederationError::new(
                        "address",
                        "shared_issuer",
                        "This issuer lets people of every Entra tenant in. Enter the one of your tenant: \
                         https://login.microsoftonline.com/ followed by the directory (tenant) ID and /v2.0.",
                    ));
                }
                Ok(())
            }
            Self::Google if issuer != GOOGLE_ISSUER => {
                Err(wrong(format!("The issuer of Google is {GOOGLE_ISSUER}, exactly.")))
            }
            _ => Ok(()),
        }
    }

    /// Whether the provider vouches for the address.
    pub(super) fn is_email_verified(self, claims: &Map<String, Value>, email: &str) -> bool {
        let is_true = |name: &str| claims.get(name) == Some(&Value::Bool(true));
        match self {
            Self::Entra => is_true("xms_edov"),
            Self::Google => {
                let has_domain =
                    claims.get("hd").and_then(Value::as_str).is_some_and(|domain| !domain.is_empty());
                let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
                let is_own =
                    ["gmail.com", "googlemail.com"].iter().any(|own| domain.eq_ignore_ascii_case(own));
                is_true("email_verified") && (has_domain || is_own)
            }
            Self::Okta | Self::Ping | Self::Generic => is_true("email_verified"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(named: &str, issuer: &str) -> Option<Preset> {
        Preset::of(Some(&named.into()), issuer)
    }

    #[test]
    fn microsoft_and_google_are_known_by_their_issuers() {
        let tenant = "https://login.microsoftonline.com/0b1d5a6e-0000-4000-8000-000000000000/v2.0";
        assert_eq!(Preset::of(None, tenant), Some(Preset::Entra));
        assert_eq!(of("generic", tenant), Some(Preset::Entra));
        assert_eq!(of("generic", GOOGLE_ISSUER), Some(Preset::Google));
        assert_eq!(of("okta", "https://acme.okta.com"), Some(Preset::Okta));
        assert_eq!(Preset::of(None, "https://acme.okta.com"), Some(Preset::Generic));
        assert_eq!(of("keycloak", "https://id.acme.example"), None);
        assert_eq!(Preset::of(Some(&json!(1)), "https://id.acme.example"), None);
    }

    #[test]
    fn issuers_of_everybody_are_refused() {
        let judge =
            |issuer: &str| of("generic", issuer).unwrap().judge_issuer(issuer).map_err(|error| error.reason);
        let of_tenant = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        assert_eq!(judge(&of_tenant("0b1d5a6e-0000-4000-8000-000000000000")), Ok(()), "the control");
        for shared in ["common", "organizations", "consumers", "Common", "{tenantid}", "%7Btenantid%7D"] {
            assert_eq!(judge(&of_tenant(shared)), Err("shared_issuer"), "{shared}");
        }
        assert_eq!(Preset::Google.judge_issuer(GOOGLE_ISSUER), Ok(()));
        assert!(Preset::Google.judge_issuer("https://accounts.google.com/").is_err());
    }

    #[test]
    fn who_vouches_for_an_address() {
        let (home, gmail) = ("ada@acme.example", "ada@gmail.com");
        for (preset, claims, email, verified) in [
            (Preset::Generic, json!({ "email_verified": true }), home, true),
            (Preset::Generic, json!({ "email_verified": "true" }), home, false),
            (Preset::Generic, json!({ "email_verified": 1 }), home, false),
            (Preset::Generic, json!({}), home, false),
            (Preset::Okta, json!({ "email_verified": true }), home, true),
            (Preset::Ping, json!({ "email_verified": true }), home, true),
            (Preset::Entra, json!({ "email_verified": true }), home, false),
            (Preset::Entra, json!({ "xms_edov": true }), home, true),
            (Preset::Entra, json!({ "xms_edov": false, "email_verified": true }), home, false),
            (Preset::Google, json!({ "email_verified": true }), home, false),
            (Preset::Google, json!({ "email_verified": true, "hd": "acme.example" }), home, true),
            (Preset::Google, json!({ "email_verified": false, "hd": "acme.example" }), home, false),
            (Preset::Google, json!({ "email_verified": true, "hd": "" }), home, false),
            (Preset::Google, json!({ "email_verified": true }), gmail, true),
            (Preset::Google, json!({ "hd": "acme.example" }), gmail, false),
        ] {
            let claims = claims.as_object().unwrap();
            assert_eq!(preset.is_email_verified(claims, email), verified, "{preset:?} {claims:?} {email}");
        }
    }
}
