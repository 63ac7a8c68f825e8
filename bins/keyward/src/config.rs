//! Configuration: flag over environment over file over default, all of it checked at once.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use anyhow::{Result, bail};

/// A key of the configuration.
struct Key {
    path: &'static str,
    default: &'static str,
    secret: bool,
    help: &'static str,
}

const fn key(path: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { path, default, secret: false, help }
}

const fn secret(path: &'static str, help: &'static str) -> Key {
    Key { path, default: "", secret: true, help }
}

/// Every key there is.
const KEYS: &[Key] = &[
    key(
        "public_url",
        "",
        "The address under which others reach Keyward; it is the issuer. http://{http.bind} on loopback.",
    ),
    key("http.bind", "127.0.0.1:8080", "Where to listen."),
    key("http.workers", "", "How many threads answer requests; as many as there are cores when empty."),
    key("http.trusted_proxies", "", "Addresses or networks whose X-Forwarded-For is believed."),
    key("http.allow_insecure", "false", "Whether to serve beyond loopback without https."),
    key("database.url", "sqlite://keyward-data/keyward.db", "sqlite://PATH or postgres://…"),
    key("database.pool_size", "8", "How many connections are kept for reading."),
    secret("crypto.master_key", "32 bytes in base64; from master.key beside the database when empty."),
    key("token.lifetime", "3600", "How long access tokens live, 60 to 86400 seconds."),
    key("token.audience", "", "aud of access tokens; {public_url}/api when empty."),
    key("token.resources", "", "Other audiences that a request may name: absolute URIs."),
    key(
        "token.jwks_cache",
        "300",
        "How long others may keep the published keys, 1 to 86400 seconds. A new key signs ten seconds later; give it to keyward signing-key, too.",
    ),
    key("environments", "production,staging", "The names of the environments; the first is the default."),
    key("clients.allow_renew", "true", "Whether applications can be renewed."),
    key("clients.max_expiry_days", "730", "How far ahead an application's expiry may lie."),
    key(
        "outbound.allow",
        "",
        "Networks and hosts that outgoing requests may reach although they are private.",
    ),
    key(
        "limits.token_per_client",
        "60/m",
        "How many tokens a client may ask for, per s or m; ten minutes' worth at once. 0: any number.",
    ),
    key(
        "sign_in.product_name",
        "Keyward",
        "What the product is called on pages, in mails and in authenticator apps.",
    ),
    key(
        "sign_in.totp_required",
        "super_admin,partner_admin,tenant_admin",
        "The tiers that must have a second factor; others may.",
    ),
    key("sign_in.idle", "3600", "How long a session lasts without being used, 60 to 2592000 seconds."),
    key("sign_in.absolute", "43200", "How long a session lasts at all, 300 to 2592000 seconds."),
    key(
        "sign_in.refresh",
        "2592000",
        "How long a refresh token and its successors last, 300 to 31536000 seconds.",
    ),
    secret(
        "mail.url",
        "Who sends mail: smtps://USER:PASSWORD@HOST, or smtp://HOST:PORT. No mail when empty.",
    ),
    key("mail.from", "", "Whom mail is from, such as Keyward <keyward@acme.example>."),
    key("bootstrap.admin_email", "", "The first administrator."),
    secret("bootstrap.admin_password", "The first administrator's password."),
    key(
        "bootstrap.client_id",
        "",
        "A global application with admin:read and admin:write, made when it does not exist.",
    ),
    secret("bootstrap.client_secret", "Its secret."),
    key("metrics.bind", "", "Where to serve /metrics; nowhere when empty."),
    key("log.format", "", "text or json; text on a terminal when empty, else json."),
    key("log.level", "info", "error, warn, info, debug, trace, or a filter such as keyward_core=debug."),
];

/// A value and where it comes from.
#[derive(Clone, Debug)]
struct Value {
    text: String,
    source: String,
}

/// All values by path.
#[derive(Clone, Debug)]
pub(crate) struct Config(BTreeMap<&'static str, Value>);

fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

fn environment_name(path: &str) -> String {
    format!("KEYWARD_{}", path.to_uppercase().replace('.', "__"))
}

/// How many letters must change to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn unknown(path: &str, source: &str) -> String {
    let nearest = KEYS.iter().min_by_key(|key| distance(path, key.path)).map_or("", |key| key.path);
    format!("{source}: there is no key {path}; the nearest is {nearest}")
}

impl Config {
    /// Gathers all values; every unknown key is named in one error.
    pub(crate) fn load(file: Option<&Path>, flags: &[(String, String)]) -> Result<Self> {
        let mut values: BTreeMap<&'static str, Value> = BTreeMap::new();
        let mut errors = Vec::new();
        for key in KEYS {
            values.insert(key.path, Value { text: key.default.to_owned(), source: "default".to_owned() });
        }
        let mut set = |path: &str, text: String, source: String| match find(path) {
            Some(key) => {
                values.insert(key.path, Value { text, source });
            }
            None => errors.push(unknown(path, &source)),
        };
        if let Some(file) = file {
            for (path, text) in from_file(file)? {
                set(&path, text, format!("file {}", file.display()));
            }
        }
        for (name, text) in std::env::vars() {
            let Some(rest) = name.strip_prefix("KEYWARD_").filter(|rest| !rest.starts_with("TEST_")) else {
                continue;
            };
            let path = rest.to_lowercase().replace("__", ".");
            let source = format!("environment {name}");
            match path.strip_suffix("_file").filter(|path| find(path).is_some_and(|key| key.secret)) {
                None => set(&path, text, source),
                Some(path) => match std::fs::read_to_string(&text) {
                    Ok(content) => set(path, content.trim().to_owned(), source),
                    Err(error) => bail!("{source}: {text} can't be read: {error}"),
                },
            }
        }
        for (path, text) in flags {
            set(path, text.clone(), "flag".to_owned());
        }
        if errors.is_empty() { Ok(Self(values)) } else { bail!("{}", errors.join("\n")) }
    }

    /// The value at a path; empty for a path that is no key.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.0.get(path).map_or("", |value| value.text.trim())
    }

    /// The value at a path, when there is one.
    pub(crate) fn given(&self, path: &str) -> Option<&str> {
        Some(self.text(path)).filter(|text| !text.is_empty())
    }

    /// The value at a path, when it is not the default.
    pub(crate) fn changed(&self, path: &str) -> Option<&str> {
        self.0.get(path).filter(|value| value.source != "default").map(|value| value.text.as_str())
    }

    /// A value that can be parsed, with an error that names it otherwise.
    pub(crate) fn parsed<T>(
        &self,
        path: &str,
        parse: impl Fn(&str) -> Option<T>,
        wants: &str,
        errors: &mut Vec<String>,
    ) -> Option<T> {
        let parsed = parse(self.text(path));
        if parsed.is_none() {
            let source = self.0.get(path).map_or("", |value| &value.source);
            let shown = if find(path).is_some_and(|key| key.secret) { "the value" } else { self.text(path) };
            errors.push(format!("{path} ({source}): {shown} is not valid: it must be {wants}"));
        }
        parsed
    }

    /// A list of values, each of which can be parsed.
    pub(crate) fn list<T>(
        &self,
        path: &str,
        parse: impl Fn(&str) -> Option<T>,
        wants: &str,
        errors: &mut Vec<String>,
    ) -> Vec<T> {
        let items = |text: &str| {
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(&parse)
                .collect::<Option<Vec<T>>>()
        };
        self.parsed(path, items, wants, errors).unwrap_or_default()
    }

    /// All keys with values and sources, secrets masked.
    pub(crate) fn rows(&self) -> Vec<(String, String, String)> {
        let row = |key: &Key| {
            let value = self.0.get(key.path)?;
            let text = if key.secret && !value.text.is_empty() { "***" } else { &value.text };
            Some((key.path.to_owned(), mask_password(text), value.source.clone()))
        };
        KEYS.iter().filter_map(row).collect()
    }

    /// The same as text.
    pub(crate) fn show(&self) -> String {
        let mut out = String::new();
        for (path, text, source) in self.rows() {
            // Writing to a String can't fail.
            let _ = writeln!(out, "{path} = {text:?}  # {source}");
        }
        out
    }
}

/// A URL with its password masked.
fn mask_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => match url.set_password(Some("***")) {
            Ok(()) => url.to_string(),
            Err(()) => "***".to_owned(),
        },
        _ => text.to_owned(),
    }
}

/// The reference of all keys, as Markdown.
pub(crate) fn reference() -> String {
    let mut out = String::from("| key | environment | default | |\n|---|---|---|---|\n");
    for key in KEYS {
        let file = if key.secret { ", also with `_FILE`" } else { "" };
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let _ = writeln!(
            out,
            "| `{}` | `{}`{file} | {default} | {} |",
            key.path,
            environment_name(key.path),
            key.help
        );
    }
    out
}

/// The values of a TOML file by path; lists become texts with commas.
fn from_file(file: &Path) -> Result<Vec<(String, String)>> {
    let source = config::File::from(file).format(config::FileFormat::Toml);
    let table =
        config::Config::builder().add_source(source).build().and_then(config::Config::try_deserialize);
    let table: BTreeMap<String, config::Value> = match table {
        Ok(table) => table,
        Err(error) => bail!("the configuration file {} can't be read: {error}", file.display()),
    };
    let mut values = Vec::new();
    for (name, value) in table {
        flatten(name, value, &mut values);
    }
    Ok(values)
}

fn flatten(path: String, value: config::Value, into: &mut Vec<(String, String)>) {
    match value.kind {
        config::ValueKind::Table(members) => {
            for (name, member) in members {
                flatten(format!("{path}.{name}"), member, into);
            }
        }
        config::ValueKind::Array(items) => {
            let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
            into.push((path, items.join(",")));
        }
        _ => into.push((path, value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_nearest() {
        assert_eq!(distance("kitten", "sitting"), 3);
        let message = unknown("http.bnd", "environment KEYWARD_HTTP__BND");
        assert!(message.contains("http.bnd") && message.ends_with("the nearest is http.bind"), "{message}");
    }

    #[test]
    fn every_key_has_an_environment_name_of_its_own() {
        let mut names: Vec<String> = KEYS.iter().map(|key| environment_name(key.path)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
        assert_eq!(environment_name("limits.token_per_client"), "KEYWARD_LIMITS__TOKEN_PER_CLIENT");
    }
}
