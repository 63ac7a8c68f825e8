//! Plain options. Only the binary knows where they come from.

use keyward_model::AdminRole;

/// How Keyward behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The issuer: the public address, without a slash at the end.
    pub issuer: String,
    /// `aud` of access tokens, and the audience of the token that the request's `resource` names none of `resources`.
    pub audience: String,
    /// The audience that the admin API accepts.
    pub admin_audience: String,
    /// Other audiences that a request may name (RFC 8707).
    pub resources: Vec<String>,
    /// How long access tokens live when their application says nothing, in seconds.
    pub token_lifetime: u32,
    /// The names of the environments; the first is the default.
    pub environments: Vec<String>,
    /// Whether applications can be renewed.
    pub allow_renew: bool,
    /// How far ahead an application's expiry may lie, in days.
    pub max_expiry_days: u32,
    /// How often a client may ask for a token; none switches the limit off.
    pub token_limit: Option<RateLimit>,
    /// How long others may cache the JWKS, in seconds. A new key signs no earlier than this after its publication.
    pub jwks_cache_seconds: u32,
    /// How people sign in.
    pub sign_in: SignInOptions,
}

/// How people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInOptions {
    /// What the product is called on pages, in mails and in authenticator apps.
    pub product_name: String,
    /// How long a session lasts without being used, in seconds.
    pub idle_seconds: u32,
    /// How long a session lasts at all, in seconds.
    pub absolute_seconds: u32,
    /// The tiers that must have a second factor.
    pub totp_required: Vec<AdminRole>,
    /// How long a refresh token and its successors last at all, in seconds.
    pub refresh_seconds: u32,
}

impl Default for SignInOptions {
    fn default() -> Self {
        Self {
            product_name: "Keyward".to_owned(),
            idle_seconds: 3_600,
            absolute_seconds: 12 * 3_600,
            totp_required: vec![AdminRole::SuperAdmin, AdminRole::PartnerAdmin, AdminRole::TenantAdmin],
            refresh_seconds: 30 * 86_400,
        }
    }
}

/// A sustained rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many per minute for ever.
    pub per_minute: u32,
    /// How many at once after a rest.
    pub burst: u32,
}

/// The longest life of an access token, in seconds.
pub const MAX_TOKEN_LIFETIME: u32 = 86_400;

impl Options {
    /// The options of a server at this public address, all else as by default.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        let issuer = public_url.trim_end_matches('/').to_owned();
        Self {
            audience: format!("{issuer}/api"),
            admin_audience: format!("{issuer}/api"),
            issuer,
            resources: Vec::new(),
            token_lifetime: 3_600,
            environments: vec!["production".to_owned(), "staging".to_owned()],
            allow_renew: true,
            max_expiry_days: 730,
            token_limit: Some(RateLimit { per_minute: 60, burst: 600 }),
            jwks_cache_seconds: 300,
            sign_in: SignInOptions::default(),
        }
    }

    /// Whether credentials of this environment are tagged `live`.
    #[must_use]
    pub fn is_live(environment: &str) -> bool {
        environment == "production"
    }

    /// The environment that counts when none is named.
    #[must_use]
    pub fn default_environment(&self) -> &str {
        self.environments.first().map_or("production", String::as_str)
    }
}
