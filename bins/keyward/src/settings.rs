//! What the configuration comes to.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use ipnet::IpNet;
use keyward_core::{MasterKey, Options, RateLimit, SignInOptions};
use keyward_crypto::credential::{Credential, CredentialKind};
use keyward_federation::outbound::AllowRule;
use keyward_model::AdminRole;
use lettre::message::Mailbox;
use url::Url;

use crate::config::Config;

/// A client that is made at start.
pub(crate) struct BootstrapClient {
    pub(crate) client_id: String,
    pub(crate) secret: Credential,
}

/// A super admin who is made at start while there is none.
pub(crate) struct BootstrapAdmin {
    pub(crate) email: String,
    pub(crate) password: String,
}

/// How mail is sent.
pub(crate) struct Mail {
    pub(crate) url: String,
    pub(crate) from: Mailbox,
}

/// Everything that the configuration says, checked.
pub(crate) struct Settings {
    pub(crate) public_url: Option<Url>,
    /// The whole configuration as it may be shown: key, value, source.
    pub(crate) shown: Vec<(String, String, String)>,
    pub(crate) bind: SocketAddr,
    pub(crate) workers: usize,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) metrics_bind: Option<SocketAddr>,
    pub(crate) database_url: String,
    pub(crate) pool_size: u32,
    pub(crate) master_key: Option<MasterKey>,
    pub(crate) bootstrap: Option<BootstrapClient>,
    pub(crate) bootstrap_admin: Option<BootstrapAdmin>,
    pub(crate) outbound: Vec<AllowRule>,
    pub(crate) mail: Option<Mail>,
    pub(crate) log_json: bool,
    pub(crate) log_level: String,
    audience: Option<String>,
    options: Options,
}

fn absolute(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| url.fragment().is_none() && !url.cannot_be_a_base())
}

fn web(text: &str) -> Option<Url> {
    absolute(text).filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// `60/m` or `5/s`; `0` is no limit. Ten minutes' worth may be used at once.
#[expect(clippy::option_option, reason = "a rate that is no rate, no limit, or a limit")]
fn rate(text: &str) -> Option<Option<RateLimit>> {
    if text == "0" {
        return Some(None);
    }
    let (count, unit) = text.split_once('/')?;
    let seconds = match unit {
        "s" => 60,
        "m" => 1,
        _ => return None,
    };
    let per_minute = count.trim().parse::<u32>().ok().filter(|count| *count > 0)?.checked_mul(seconds)?;
    Some(Some(RateLimit { per_minute, burst: per_minute.checked_mul(10)? }))
}

/// An optional value: nothing when the text is empty.
fn optional<T>(parse: impl Fn(&str) -> Option<T>) -> impl Fn(&str) -> Option<Option<T>> {
    move |text| if text.is_empty() { Some(None) } else { parse(text).map(Some) }
}

fn number<T: std::str::FromStr + PartialOrd>(min: T, max: T) -> impl Fn(&str) -> Option<T> {
    move |text| text.parse().ok().filter(|number| *number >= min && *number <= max)
}

fn boolean(text: &str) -> Option<bool> {
    text.parse().ok()
}

impl Settings {
    /// Checks the whole configuration; every wrong value is named in one error.
    pub(crate) fn from_config(config: &Config) -> Result<Self> {
        let mut errors = Vec::new();
        let e = &mut errors;
        let public_url = config.parsed("public_url", optional(web), "an http or https address", e).flatten();
        let bind = config.parsed(
            "http.bind",
            |text| text.parse().ok(),
            "an address with a port, such as 127.0.0.1:8080",
            e,
        );
        let workers =
            config.parsed("http.workers", optional(number(1, 1024)), "a number from 1", e).flatten();
        let trusted_proxies =
            config.list("http.trusted_proxies", network, "addresses or networks, such as 10.0.0.0/8", e);
        let allow_insecure = config.parsed("http.allow_insecure", boolean, "true or false", e);
        let database_url = config.parsed("database.url", database_url, "sqlite://PATH or postgres://…", e);
        let pool_size = config.parsed("database.pool_size", number(1, 200), "a number from 1 to 200", e);
        let master_key = config.parsed(
            "crypto.master_key",
            optional(|text| MasterKey::from_base64(text).ok()),
            "32 bytes in base64",
            e,
        );
        let metrics_bind = config
            .parsed("metrics.bind", optional(|text| text.parse().ok()), "an address with a port", e)
            .flatten();
        let log_format = config.parsed(
            "log.format",
            optional(|text| ["text", "json"].contains(&text).then(|| text == "json")),
            "text or json",
            e,
        );
        let log_level = config.parsed(
            "log.level",
            |text| tracing_subscriber::EnvFilter::try_new(text).ok().map(|_| text.to_owned()),
            "a level or a filter",
            e,
        );
        let outbound = config.list("outbound.allow", |text| text.parse().ok(), "networks or host names", e);
        let audience = config.parsed(
            "token.audience",
            optional(|text| absolute(text).map(|_| text.to_owned())),
            "an absolute URI",
            e,
        );
        let options = options(config, e);
        let bootstrap = bootstrap(config, e);
        let bootstrap_admin = bootstrap_admin(config, e);
        let mail = mail(config, e);
        if let Some(bind) = bind {
            exposed(bind, public_url.as_ref(), allow_insecure.unwrap_or_default(), e);
        }
        if !errors.is_empty() {
            bail!("{}", errors.join("\n"));
        }
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Ok(Self {
            public_url,
            shown: config.rows(),
            bind: bind.context("http.bind")?,
            workers: workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            trusted_proxies,
            metrics_bind,
            database_url: database_url.context("database.url")?,
            pool_size: pool_size.context("database.pool_size")?,
            master_key: master_key.flatten(),
            bootstrap,
            bootstrap_admin,
            outbound,
            mail,
            log_json: log_format.flatten().unwrap_or(!terminal),
            log_level: log_level.context("log.level")?,
            audience: audience.flatten(),
            options,
        })
    }

    /// Asks nobody for a second factor: for a demonstration.
    pub(crate) fn without_second_factors(&mut self) {
        self.options.sign_in.totp_required.clear();
    }

    /// Opens the port.
    pub(crate) fn listen(&self) -> Result<TcpListener> {
        let listener = TcpListener::bind(self.bind);
        listener.with_context(|| format!("http.bind: the address {} can't be used", self.bind))
    }

    /// The options of the core. Without `public_url` the issuer is the address that is listened on.
    pub(crate) fn options(&self, listening: SocketAddr) -> Options {
        let public_url =
            self.public_url.as_ref().map_or_else(|| format!("http://{listening}"), Url::to_string);
        let Options { issuer, audience, admin_audience, .. } = Options::new(&public_url);
        let audience = self.audience.clone().unwrap_or(audience);
        Options { issuer, audience, admin_audience, ..self.options.clone() }
    }

    /// The folder of the master key's file: beside the database, or `keyward-data`.
    pub(crate) fn data_dir(&self) -> PathBuf {
        let beside = self.database_url.strip_prefix("sqlite://").map(PathBuf::from);
        let folder = beside.and_then(|path| path.parent().map(PathBuf::from));
        folder.unwrap_or_else(|| PathBuf::from("keyward-data"))
    }
}

fn database_url(text: &str) -> Option<String> {
    let known = ["sqlite://", "postgres://", "postgresql://"];
    known
        .iter()
        .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
        .then(|| text.to_owned())
}

fn options(config: &Config, errors: &mut Vec<String>) -> Options {
    let defaults = Options::new("http://127.0.0.1:8080");
    let environment = |text: &str| keyward_model::validate::is_slug(text).then(|| text.to_owned());
    let environments = config.list("environments", environment, "names of a to z, 0 to 9 and hyphen", errors);
    if environments.is_empty() {
        errors.push("environments: there must be at least one".to_owned());
    }
    let lifetime = config.parsed("token.lifetime", number(60, 86_400), "60 to 86400 seconds", errors);
    let cache = config.parsed("token.jwks_cache", number(1, 86_400), "1 to 86400 seconds", errors);
    let days = config.parsed("clients.max_expiry_days", number(1, 36_500), "a number of days from 1", errors);
    let limit = config.parsed("limits.token_per_client", rate, "a rate such as 60/m or 5/s, or 0", errors);
    Options {
        resources: config.list(
            "token.resources",
            |text| absolute(text).map(|_| text.to_owned()),
            "absolute URIs",
            errors,
        ),
        token_lifetime: lifetime.unwrap_or(defaults.token_lifetime),
        jwks_cache_seconds: cache.unwrap_or(defaults.jwks_cache_seconds),
        environments,
        allow_renew: config
            .parsed("clients.allow_renew", boolean, "true or false", errors)
            .unwrap_or_default(),
        max_expiry_days: days.unwrap_or(defaults.max_expiry_days),
        token_limit: limit.flatten(),
        sign_in: sign_in(config, errors),
        ..defaults
    }
}

fn sign_in(config: &Config, errors: &mut Vec<String>) -> SignInOptions {
    let defaults = SignInOptions::default();
    let name = |text: &str| (1..=64).contains(&text.chars().count()).then(|| text.to_owned());
    let name = config.parsed("sign_in.product_name", name, "1 to 64 characters", errors);
    let tiers = "super_admin, partner_admin and tenant_admin";
    let tier = |text: &str| text.parse::<AdminRole>().ok();
    let idle = config.parsed("sign_in.idle", number(60, 2_592_000), "60 to 2592000 seconds", errors);
    let absolute =
        config.parsed("sign_in.absolute", number(300, 2_592_000), "300 to 2592000 seconds", errors);
    let refresh =
        config.parsed("sign_in.refresh", number(300, 31_536_000), "300 to 31536000 seconds", errors);
    SignInOptions {
        product_name: name.unwrap_or(defaults.product_name),
        totp_required: config.list("sign_in.totp_required", tier, tiers, errors),
        idle_seconds: idle.unwrap_or(defaults.idle_seconds),
        absolute_seconds: absolute.unwrap_or(defaults.absolute_seconds),
        refresh_seconds: refresh.unwrap_or(defaults.refresh_seconds),
    }
}

fn mail(config: &Config, errors: &mut Vec<String>) -> Option<Mail> {
    let is_smtp = |text: &str| {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "smtp" | "smtps"));
        url.and_then(|url| url.host_str().map(|_| text.to_owned()))
    };
    let url = config.parsed(
        "mail.url",
        optional(is_smtp),
        "smtps://USER:PASSWORD@HOST or smtp://HOST:PORT",
        errors,
    );
    let from = config.parsed("mail.from", optional(|text| text.parse().ok()), "an address", errors);
    match (url.flatten(), from.flatten()) {
        (Some(url), Some(from)) => Some(Mail { url, from }),
        (Some(_), None) if config.given("mail.from").is_none() => {
            errors.push("mail.url: it needs a mail.from".to_owned());
            None
        }
        _ => None,
    }
}

fn bootstrap_admin(config: &Config, errors: &mut Vec<String>) -> Option<BootstrapAdmin> {
    match (config.given("bootstrap.admin_email"), config.given("bootstrap.admin_password")) {
        (Some(email), Some(password)) => {
            if let Err(weakness) = keyward_crypto::password::check(password, &[email]) {
                errors.push(format!("bootstrap.admin_password: {weakness}"));
            }
            Some(BootstrapAdmin { email: email.to_owned(), password: password.to_owned() })
        }
        (Some(_), None) => {
            errors.push("bootstrap.admin_email: it needs a bootstrap.admin_password".to_owned());
            None
        }
        (None, Some(_)) => {
            errors.push("bootstrap.admin_password: it needs a bootstrap.admin_email".to_owned());
            None
        }
        (None, None) => None,
    }
}

fn bootstrap(config: &Config, errors: &mut Vec<String>) -> Option<BootstrapClient> {
    let slug = |text: &str| keyward_model::validate::is_slug(text).then(|| text.to_owned());
    let secret = |text: &str| {
        Credential::parse(text).ok().filter(|credential| credential.kind() == CredentialKind::ClientSecret)
    };
    let id = config.parsed(
        "bootstrap.client_id",
        optional(slug),
        "1 to 64 characters of a to z, 0 to 9 and hyphen",
        errors,
    );
    let secret = config.parsed(
        "bootstrap.client_secret",
        optional(secret),
        "a client secret, kws_…, with its checksum",
        errors,
    );
    match (id.flatten(), secret.flatten()) {
        (Some(client_id), Some(secret)) => Some(BootstrapClient { client_id, secret }),
        (Some(_), None) if config.given("bootstrap.client_secret").is_none() => {
            errors.push("bootstrap.client_id: it needs a bootstrap.client_secret".to_owned());
            None
        }
        (None, Some(_)) => {
            errors.push("bootstrap.client_secret: it needs a bootstrap.client_id".to_owned());
            None
        }
        _ => None,
    }
}

/// Beyond loopback others must be able to reach the issuer, and by https.
fn exposed(bind: SocketAddr, public_url: Option<&Url>, allow_insecure: bool, errors: &mut Vec<String>) {
    if bind.ip().is_loopback() {
        return;
    }
    match public_url {
        None => errors.push(format!("public_url: it is needed when listening on {bind}")),
        Some(url) if url.scheme() != "https" && !allow_insecure => errors.push(
            "public_url: it must be https when listening beyond loopback (http.allow_insecure=true overrides)".to_owned(),
        ),
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        let limit = |per_minute| Some(Some(RateLimit { per_minute, burst: per_minute * 10 }));
        assert_eq!(rate("60/m"), limit(60));
        assert_eq!(rate("5/s"), limit(300));
        assert_eq!(rate("0"), Some(None));
        for bad in ["", "60", "0/m", "-1/m", "1/h", "4294967295/s"] {
            assert_eq!(rate(bad), None, "{bad}");
        }
    }
}
