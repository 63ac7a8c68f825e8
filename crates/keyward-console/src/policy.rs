//! The content security policy of every page.

use url::{Host, Url};

/// Where a form may lead besides Keyward itself.
///
/// Browsers hold `form-action` against redirects that follow a form, too. So whatever page may end at an OAuth
/// client's redirect URI has to name its origin: consent, and every step of a sign-in that serves an authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormTarget(String);

impl FormTarget {
    /// The origin of a redirect URI as the request has it, or its scheme where the policy can't name an origin: for
    /// the private schemes of native applications, and for IPv6 addresses. `None` when it is no absolute URI.
    #[must_use]
    pub fn of_redirect(uri: &str) -> Option<Self> {
        let uri = Url::parse(uri).ok()?;
        let nameable = matches!(uri.scheme(), "http" | "https") && !matches!(uri.host(), Some(Host::Ipv6(_)));
        Some(Self(if nameable { uri.origin().ascii_serialization() } else { format!("{}:", uri.scheme()) }))
    }
}

/// The policy: nothing but our own style sheet, script and images, no frame around the page, no inline code.
#[must_use]
pub fn content_security_policy(targets: &[FormTarget]) -> String {
    let mut policy = String::from(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    );
    for FormTarget(target) in targets {
        policy.push(' ');
        policy.push_str(target);
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(redirect: &str) -> String {
        let target = FormTarget::of_redirect(redirect).expect(redirect);
        content_security_policy(&[target])
    }

    #[test]
    fn a_page_may_send_forms_to_keyward_and_to_what_is_named() {
        assert!(content_security_policy(&[]).ends_with("form-action 'self'"));
        for (redirect, allowed) in [
            ("https://crm.acme.example/callback?x=1", "https://crm.acme.example"),
            ("https://crm.acme.example:8443/callback", "https://crm.acme.example:8443"),
            ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
            ("http://[::1]:49152/cb", "http:"),
            ("com.acme.wallet:/cb", "com.acme.wallet:"),
            ("https://bücher.example/cb", "https://xn--bcher-kva.example"),
        ] {
            assert!(policy(redirect).ends_with(&format!("form-action 'self' {allowed}")), "{redirect}");
        }
        assert_eq!(FormTarget::of_redirect("/relative"), None);
    }

    #[test]
    fn a_redirect_uri_cannot_add_to_the_policy() {
        for redirect in [
            "https://a.example; script-src *",
            "https://a.example/;script-src 'unsafe-inline'",
            "x:; script-src *",
        ] {
            let Some(target) = FormTarget::of_redirect(redirect) else { continue };
            let added = content_security_policy(&[target]).replace(&content_security_policy(&[]), "");
            assert!(!added.contains([';', '\'', '*', ',']), "{redirect}: {added}");
        }
    }
}
