//! What a protected API asks of a request, and whether the credentials that came with it are enough.
//!
//! Verifying a credential is somebody else's work (the server in its memory, `keyward-guard` with keys that it fetched).
//! What verified credentials come to is decided here alone, so that no two ways of protecting an API can differ.

mod refusal;

use serde::{Deserialize, Serialize};

pub use self::refusal::{Reason, Refusal};
use crate::{Scope, ScopeSet, Timestamp};

/// Which credentials a request must bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// An access token in `Authorization: Bearer`.
    #[default]
    Bearer,
    /// A tenant's API key in `X-Api-Key`.
    ApiKey,
    /// One of the two; when both are sent, both must be valid and of one tenant.
    Either,
    /// Both, the key's tenant being among the token's tenants.
    Both,
}

impl Mode {
    /// The mode that a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "bearer" => Self::Bearer,
            "api_key" => Self::ApiKey,
            "either" => Self::Either,
            "both" => Self::Both,
            _ => return None,
        })
    }
}

/// Which permissions a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// All of these; with none, a valid credential is enough.
    All(ScopeSet),
    /// One of these; with none to choose from, nothing is enough.
    AnyOf(ScopeSet),
}

impl Default for Needs {
    fn default() -> Self {
        Self::All(ScopeSet::default())
    }
}

impl Needs {
    /// One permission.
    #[must_use]
    pub fn one(permission: Scope) -> Self {
        Self::All(ScopeSet::from_iter([permission]))
    }

    /// The permissions that it names.
    #[must_use]
    pub fn permissions(&self) -> &ScopeSet {
        match self {
            Self::All(all) | Self::AnyOf(all) => all,
        }
    }

    /// Whether these permissions are enough.
    #[must_use]
    pub fn are_met_by(&self, held: &ScopeSet) -> bool {
        match self {
            Self::All(all) => all.is_subset(held),
            Self::AnyOf(any) => any.iter().any(|one| held.contains(one.as_str())),
        }
    }

    /// What `held` lacks where it is not enough.
    #[must_use]
    pub fn missing(&self, held: &ScopeSet) -> ScopeSet {
        match self {
            Self::All(all) => all.difference(held),
            Self::AnyOf(any) => any.clone(),
        }
    }
}

/// What an endpoint asks of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    /// The credentials.
    pub mode: Mode,
    /// The permissions.
    pub needs: Needs,
    /// The environment that every credential must be of; none for an API that knows no environments.
    pub environment: Option<String>,
}

/// What a verified access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// Who it is for: the claim `sub`.
    pub subject: String,
    /// The client that obtained it.
    pub client_id: String,
    /// Its permissions, as far as they are known to be good still.
    pub scopes: ScopeSet,
    /// Its tenants; none for a token of the whole platform, or of an issuer without tenants.
    pub tenants: Option<Vec<String>>,
    /// Its environment, if the issuer has any.
    pub environment: Option<String>,
}

/// What a verified API key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// The key's identifier; a publishable key has none, because it is the tenant's.
    pub key_id: Option<String>,
    /// Its tenant.
    pub tenant_id: String,
    /// Its permissions; a publishable key has none.
    pub permissions: ScopeSet,
    /// Its environment; a publishable key belongs to none.
    pub environment: Option<String>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
}

impl KeyFacts {
    /// Whether it is the publishable key, which names the tenant and grants nothing.
    #[must_use]
    pub fn is_publishable(&self) -> bool {
        self.key_id.is_none()
    }
}

/// The token in a value of `Authorization` (RFC 6750 section 2.1); nothing where none was sent.
#[must_use]
pub fn bearer(authorization: &str) -> Option<Result<&str, Refusal>> {
    let refused = |detail: &str| Some(Err(Refusal::new(Reason::SchemeMissing, detail)));
    let value = authorization.trim_ascii();
    match value.split_once(' ') {
        None if value.is_empty() || value.eq_ignore_ascii_case("bearer") => None,
        None => refused("The token needs the word Bearer in front of it."),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(Ok(token.trim_ascii_start())),
        Some(_) => refused("The scheme must be Bearer: Authorization: Bearer …"),
    }
}

/// What a request that was let in is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The token, if one counted.
    pub token: Option<TokenFacts>,
    /// The key, if one counted.
    pub key: Option<KeyFacts>,
    /// What it may do. Where both credentials are asked for, what both permit; where either will do, what the token permits,
    /// or else the key, if that is the one that was enough.
    pub permissions: ScopeSet,
}

impl Admitted {
    /// Who it is: the token's subject, or else the key.
    #[must_use]
    pub fn subject(&self) -> &str {
        let key = self.key.as_ref();
        let of_key = key.map(|key| key.key_id.as_ref().unwrap_or(&key.tenant_id));
        self.token.as_ref().map(|token| &token.subject).or(of_key).map_or("", String::as_str)
    }

    /// The tenants that it may act in: the key's, or else the token's; none for the whole platform.
    #[must_use]
    pub fn tenants(&self) -> Option<Vec<&str>> {
        match (&self.key, &self.token) {
            (Some(key), _) => Some(vec![&key.tenant_id]),
            (None, Some(token)) => token.tenants.as_ref().map(|all| all.iter().map(String::as_str).collect()),
            (None, None) => Some(Vec::new()),
        }
    }
}

/// Decides on a request by the credentials that it brought, each verified or refused, in the order: every credential
/// that counts is there and valid (401), they are of one tenant, of the right environment, and hold the permissions (403).
pub fn admit(
    requirement: &Requirement,
    token: Option<Result<TokenFacts, Refusal>>,
    key: Option<Result<KeyFacts, Refusal>>,
) -> Result<Admitted, Refusal> {
    let (token, key) = match requirement.mode {
        Mode::Bearer => (Some(token.ok_or_else(Refusal::no_token)??), None),
        Mode::ApiKey => (None, Some(key.ok_or_else(no_key)??)),
        Mode::Both => (Some(token.ok_or_else(Refusal::no_token)??), Some(key.ok_or_else(no_key)??)),
        Mode::Either if token.is_none() && key.is_none() => {
            let detail = "Send an access token in Authorization: Bearer, or an API key in X-Api-Key.";
            return Err(Refusal::new(Reason::CredentialsMissing, detail));
        }
        Mode::Either => (token.transpose()?, key.transpose()?),
    };
    if let (Some(token), Some(key)) = (&token, &key) {
        one_tenant(token, key)?;
    }
    let environments = [
        token.as_ref().map(|token| token.environment.as_deref()),
        key.as_ref().filter(|key| !key.is_publishable()).map(|key| key.environment.as_deref()),
    ];
    for environment in environments.into_iter().flatten() {
        in_environment(environment, requirement.environment.as_deref())?;
    }
    let permissions = enough(requirement, token.as_ref(), key.as_ref())?;
    Ok(Admitted { token, key, permissions })
}

fn no_key() -> Refusal {
    Refusal::new(Reason::CredentialsMissing, "Send an API key: X-Api-Key: …")
}

fn one_tenant(token: &TokenFacts, key: &KeyFacts) -> Result<(), Refusal> {
    let tenants = token.tenants.as_deref().unwrap_or_default();
    if tenants.contains(&key.tenant_id) {
        return Ok(());
    }
    let detail = "The API key belongs to a tenant that the token is not good for.";
    Err(Refusal::new(Reason::TenantMismatch, detail))
}

fn in_environment(is: Option<&str>, wanted: Option<&str>) -> Result<(), Refusal> {
    match (is, wanted) {
        (_, None) => Ok(()),
        (Some(is), Some(wanted)) if is == wanted => Ok(()),
        (is, Some(wanted)) => {
            let is = is.unwrap_or("no");
            let detail = format!("The credential is for the environment {is}, and this is {wanted}.");
            Err(Refusal::new(Reason::TokenWrongEnvironment, detail))
        }
    }
}

/// What the request may do, if that is enough.
fn enough(
    requirement: &Requirement,
    token: Option<&TokenFacts>,
    key: Option<&KeyFacts>,
) -> Result<ScopeSet, Refusal> {
    let needs = &requirement.needs;
    let of_token = token.map(|token| &token.scopes);
    // Beside a token, the publishable key names the tenant and has no say in what is permitted.
    let counts = |key: &&KeyFacts| of_token.is_none() || !key.is_publishable();
    let of_key = key.filter(counts).map(|key| &key.permissions);
    let held: Vec<&ScopeSet> = of_token.into_iter().chain(of_key).collect();
    let suffices = |held: &&&ScopeSet| needs.are_met_by(held);
    // Of two credentials, each must suffice where both are asked for, and one where either will do.
    if requirement.mode == Mode::Either
        && let Some(sufficient) = held.iter().find(suffices)
    {
        return Ok((*sufficient).clone());
    }
    let Some(lacking) = held.iter().find(|held| !suffices(held)) else {
        let both = held.into_iter().cloned().reduce(|all, more| all.intersection(&more));
        return Ok(both.unwrap_or_default());
    };
    let missing = needs.missing(lacking);
    let detail = match needs {
        Needs::All(_) => format!("The credential lacks the permission {missing}."),
        Needs::AnyOf(_) => format!("The credential has none of the permissions {missing}."),
    };
    let (required, held) = (needs.permissions().clone(), (*lacking).clone());
    Err(Refusal { reason: Reason::PermissionDenied, detail, required, held })
}

#[cfg(test)]
mod tests;
