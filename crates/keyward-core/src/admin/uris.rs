//! Addresses of browsers: where sign-in sends them back to, and which origins may call.

use keyward_model::ApplicationType;

use crate::{Error, FieldError};

/// How many addresses an application may have of each sort.
const MAX: usize = 50;

/// Refuses addresses that an application of this type can't have, or that could send a browser anywhere else
/// (RFC 9700 section 2.1).
pub(crate) fn browser_addresses(
    kind: ApplicationType,
    redirect_uris: &[String],
    origins: &[String],
) -> Result<(), Error> {
    let mut errors = Vec::new();
    for (pointer, list) in [("/redirect_uris", redirect_uris), ("/allowed_origins", origins)] {
        if kind == ApplicationType::Service && !list.is_empty() {
            let detail = "An application of type service never signs anybody in.";
            errors.push(FieldError::new(pointer, "not_applicable", detail));
        }
        if list.len() > MAX {
            errors.push(FieldError::new(pointer, "too_many", format!("There can be at most {MAX}.")));
        }
    }
    let check = |pointer: &str, list: &[String], why: &dyn Fn(&str) -> Option<&'static str>| {
        let wrong = |(index, text): (usize, &String)| {
            why(text).map(|detail| FieldError::new(format!("{pointer}/{index}"), "invalid_uri", detail))
        };
        list.iter().enumerate().filter_map(wrong).collect::<Vec<_>>()
    };
    errors.extend(check("/redirect_uris", redirect_uris, &|text| redirect_fault(kind, text)));
    errors.extend(check("/allowed_origins", origins, &origin_fault));
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Whether it is a host name or address, with a port perhaps, and nothing that a browser would read otherwise.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).map_or_else(
        || {
            let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
            !host.is_empty() && host.chars().all(name) && !host.starts_with('.')
        },
        |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
    );
    host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Whether it is a plain http or https address: no user, no wildcard, no fragment.
pub(crate) fn is_web_address(text: &str, with_query: bool) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| rest.len() <= 2_000 && rest.chars().all(|c| c.is_ascii_graphic()))
    else {
        return false;
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    is_authority(authority) && !path.contains(['#', '\\']) && (with_query || !path.contains('?'))
}

fn is_loopback(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || authority == "[::1]"
}

fn redirect_fault(kind: ApplicationType, text: &str) -> Option<&'static str> {
    if text.len() > 2_000 || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Some("It must be at most 2,000 printable ASCII characters.");
    }
    if text.contains('#') {
        return Some("It must have no fragment.");
    }
    if text.contains(['*', '\\', '"', '<', '>', '{', '}', '|', '^', '`']) {
        return Some("It must be exact: no wildcards, and nothing that belongs encoded.");
    }
    let Some((scheme, rest)) = text.split_once(':') else { return Some("It must be an absolute URI.") };
    let Some(rest) = rest.strip_prefix("//") else {
        // A scheme of the application's own has a dot in it (RFC 8252 section 7.1).
        let own = kind == ApplicationType::Native && scheme.contains('.') && is_scheme(scheme);
        return if own { None } else { Some("It must be an absolute https URI.") };
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if path.split(['/', '?', ';']).any(|part| part == "." || part == "..")
        || path.to_ascii_lowercase().contains("%2e")
    {
        return Some("Its path must be plain: no dots that lead elsewhere.");
    }
    match scheme {
        "https" if is_authority(authority) => None,
        "http" if is_authority(authority) && is_loopback(authority) => None,
        "http" => Some("It must be https; http is for loopback addresses only."),
        _ if kind == ApplicationType::Native && scheme.contains('.') && is_scheme(scheme) => None,
        _ => Some("It must be an absolute https URI with a plain host name."),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
}

fn origin_fault(text: &str) -> Option<&'static str> {
    let authority = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://").filter(|rest| is_loopback(rest)));
    match authority {
        Some(authority) if is_authority(authority) => None,
        _ => Some("It must be an origin such as https://app.example, without a path."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_are_exact_and_lead_nowhere_else() {
        let web = |text: &str| redirect_fault(ApplicationType::Web, text).is_none();
        for good in [
            "https://app.example/callback",
            "https://app.example:8443/cb?x=1",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:3000/cb",
        ] {
            assert!(web(good), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "//app.example/cb",
            "app.example/cb",
            "http://app.example/cb",
            "https://app.example/cb#x",
            "https://*.app.example/cb",
            "https://app.example/*",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "https://good@evil.example/cb",
            "https://app.example\\@evil.example/cb",
            "https://app.example/a/../b",
            "https://app.example/a/%2e%2e/b",
            "https://app.example/..;/b",
            "https:///cb",
            "https://app.example:0/cb",
            "HTTPS://app.example/cb",
            "https://APP.example/cb",
            "com.example.app:/cb",
            "https://app.example/ cb",
        ] {
            assert!(!web(bad), "{bad}");
        }
        assert!(redirect_fault(ApplicationType::Native, "com.example.app:/cb").is_none());
        assert!(redirect_fault(ApplicationType::Native, "javascript:alert(1)").is_some());
    }

    #[test]
    fn origins_have_no_path() {
        for good in ["https://app.example", "http://localhost:3000"] {
            assert!(origin_fault(good).is_none(), "{good}");
        }
        for bad in ["https://app.example/", "http://app.example", "*", "null", "https://*.example"] {
            assert!(origin_fault(bad).is_some(), "{bad}");
        }
    }
}
