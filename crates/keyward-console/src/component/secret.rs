//! A secret, shown once.

use askama::{Template, filters::HtmlSafe};
use serde_json::json;

/// How a secret can be taken away.
#[derive(Debug, Clone)]
pub struct SecretFormat {
    /// What people call it.
    pub name: &'static str,
    /// The text.
    pub text: String,
}

/// A secret in the answer that made it. It is in no address, no cookie, no storage.
#[derive(Clone, Template)]
#[template(path = "block/secret.html")]
pub struct SecretShown {
    /// What it is the secret of: `acme.crm-sync`.
    pub of: String,
    /// The value.
    pub value: String,
    /// Texts to take away.
    pub formats: Vec<SecretFormat>,
    /// The page that says whether it was used; empty when there is nothing to wait for.
    pub first_use: String,
    /// Where one goes on.
    pub done: String,
    /// What is said until it was used.
    waiting: &'static str,
}

impl HtmlSafe for SecretShown {}

impl SecretShown {
    /// The secret of a client that obtains tokens.
    #[must_use]
    pub fn of_client(issuer: &str, client_id: &str, value: &str) -> Self {
        let endpoint = format!("{issuer}/oauth2/token");
        Self {
            formats: vec![
                SecretFormat {
                    name: ".env",
                    text: format!(
                        "KEYWARD_TOKEN_URL={endpoint}\nKEYWARD_CLIENT_ID={client_id}\nKEYWARD_CLIENT_SECRET={value}\n"
                    ),
                },
                SecretFormat {
                    name: "JSON",
                    text: json!({ "client_id": client_id, "client_secret": value, "token_url": endpoint })
                        .to_string(),
                },
                SecretFormat {
                    name: "curl",
                    text: format!(
                        "curl -u '{client_id}:{value}' -d grant_type=client_credentials {endpoint}"
                    ),
                },
                SecretFormat {
                    name: "Kubernetes Secret",
                    text: kubernetes(client_id, "client-secret", value),
                },
                SecretFormat {
                    name: "Terraform variable",
                    text: format!(
                        "keyward_client_id     = \"{client_id}\"\nkeyward_client_secret = \"{value}\"\n"
                    ),
                },
            ],
            waiting: "Waiting for the first token request…",
            ..Self::plain(client_id, value)
        }
    }

    /// An API key.
    #[must_use]
    pub fn of_key(issuer: &str, name: &str, value: &str) -> Self {
        Self {
            formats: vec![
                SecretFormat { name: ".env", text: format!("KEYWARD_API_KEY={value}\n") },
                SecretFormat { name: "JSON", text: json!({ "api_key": value }).to_string() },
                SecretFormat {
                    name: "curl",
                    text: format!("curl -i -H 'X-Api-Key: {value}' {issuer}/forward-auth"),
                },
                SecretFormat { name: "Kubernetes Secret", text: kubernetes(name, "api-key", value) },
                SecretFormat { name: "Terraform variable", text: format!("keyward_api_key = \"{value}\"\n") },
            ],
            ..Self::plain(name, value)
        }
    }

    fn plain(of: &str, value: &str) -> Self {
        Self {
            of: of.to_owned(),
            value: value.to_owned(),
            formats: Vec::new(),
            first_use: String::new(),
            done: String::new(),
            waiting: "Waiting for the first use…",
        }
    }

    /// So many lines that all of the text is seen.
    fn rows(text: &str) -> usize {
        text.lines().map(|line| line.chars().count().div_ceil(70).max(1)).sum::<usize>().max(1)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn id(index: &usize) -> String {
        format!("format-{index}")
    }
}

/// A manifest; names there are of lower-case letters, digits and hyphens.
fn kubernetes(name: &str, key: &str, value: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(fit).collect();
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {}\nstringData:\n  {key}: {value}\n",
        name.trim_matches('-')
    )
}
