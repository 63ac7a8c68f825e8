//! `docs/gitleaks.toml` finds what it is to find, and nothing else.

use std::fs;

use config::{Config, File, FileFormat};
use keyward_core::SystemRandom;
use keyward_crypto::credential::{Credential, CredentialKind};
use regex::Regex;

use crate::guide::root;

/// The rule: its expression, and the words without one of which gitleaks does not try it.
fn rule() -> (Regex, Vec<String>) {
    let text = fs::read_to_string(root().join("docs/gitleaks.toml")).unwrap();
    let rules = Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build().unwrap();
    let regex = rules.get_string("rules[0].regex").unwrap();
    let keywords = rules.get_array("rules[0].keywords").unwrap();
    let keywords = keywords.into_iter().map(|word| word.into_string().unwrap()).collect();
    (Regex::new(&regex).unwrap(), keywords)
}

/// What is found in a text.
fn found(text: &str) -> Option<String> {
    let (regex, keywords) = rule();
    let is_tried = keywords.iter().any(|word| text.to_lowercase().contains(word));
    Some(regex.captures(text).filter(|_| is_tried)?[1].to_owned())
}

/// The vectors of the format, and one of each kind.
fn secrets() -> Vec<String> {
    let vectors = [
        format!("kws_test_{}1f86zh", "0".repeat(43)),
        format!("kwk_live_{}4A4xlL", "A".repeat(43)),
        format!("kwk_test_{}4a5LpT", "A".repeat(43)),
        format!("kwk_test_{}24600yn5R", "0".repeat(40)),
    ];
    let kinds = [
        CredentialKind::ClientSecret,
        CredentialKind::ApiKey,
        CredentialKind::AgentSecret,
        CredentialKind::RefreshToken,
        CredentialKind::SetupCode,
    ];
    let made =
        |kind| [true, false].map(|live| Credential::generate(kind, live, &SystemRandom).expose().to_owned());
    vectors.into_iter().chain(kinds.into_iter().flat_map(made)).collect()
}

#[test]
fn secrets_are_found_wherever_they_stand() {
    for secret in secrets() {
        assert!(Credential::parse(&secret).is_ok(), "a credential: {secret}");
        for text in [
            secret.clone(),
            format!("CLIENT_SECRET={secret}"),
            format!("curl -u 'acme.crm-sync:{secret}' -d grant_type=client_credentials"),
            format!("{{\"value\":\"{secret}\",\"hint\":\"kws_live_4f2K\"}}"),
            format!("https://example.com/?key={secret}&page=2"),
            format!("x-api-key: {secret}\r\n"),
        ] {
            assert_eq!(found(&text).as_ref(), Some(&secret), "{text}");
        }
    }
}

#[test]
fn what_is_almost_a_secret_is_not_found() {
    let publishable = Credential::generate(CredentialKind::TenantKey, true, &SystemRandom);
    assert_eq!(found(publishable.expose()), None);
    for secret in secrets() {
        let (prefix, rest) = secret.split_at("kws_live_".len());
        for text in [
            format!("{prefix}{}", &rest[1..]),
            format!("{secret}0"),
            format!("{secret}_"),
            format!("x{secret}"),
            format!("{}-{}", &secret[..30], &secret[31..]),
            secret.to_uppercase(),
            secret.replace("_live_", "_prod_").replace("_test_", "_prod_"),
            secret.replacen('_', "-", 2),
            format!("kwx{}", &secret[3..]),
            // A hint, as it is shown later.
            secret[..13].to_owned(),
        ] {
            assert_eq!(found(&text), None, "{text}");
        }
    }
}
