//! Checking API keys for others: `POST /api/v1/keys/verify`.

use keyward_model::{
    ApiKeyKind, KEYS_VERIFY, ScopeSet, Timestamp,
    admission::{KeyFacts, Mode, Needs, Reason, Refusal, Requirement, admit},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{keys::Checked, tokens::facts};
use crate::{Error, FieldError, Keyward, Origin, forms, oauth::LiveToken};

/// The body that asks about a key.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyVerify)]
pub struct VerifyKey {
    /// The key, as it was sent in `X-Api-Key`.
    pub key: String,
    /// The permissions that it must have, all of them.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
    /// The environment that it must be of; the first that is configured when left out.
    #[serde(default)]
    pub environment: Option<String>,
    /// The address that it was sent from; that of this request when left out.
    #[serde(default)]
    pub ip: Option<String>,
}

impl std::fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyKey").field("permissions", &self.permissions).finish_non_exhaustive()
    }
}

/// Somebody who may ask about keys.
pub struct KeyVerifier(LiveToken);

impl std::fmt::Debug for KeyVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyVerifier").field("client_id", &self.0.claims.client_id).finish_non_exhaustive()
    }
}

/// Whether a key is good for what was asked.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = KeyVerdict)]
pub struct KeyVerdict {
    /// Whether it works now and has the permissions.
    pub valid: bool,
    /// Why not, in a word.
    #[schema(value_type = Option<String>, example = "key_expired")]
    pub code: Option<Reason>,
    /// Why not, for people.
    pub detail: Option<String>,
    /// The key; null when it is unknown, and for a publishable key.
    pub key_id: Option<String>,
    /// What the key is; null when it is unknown.
    #[schema(value_type = Option<String>, example = "secret")]
    pub kind: Option<&'static str>,
    /// Its tenant.
    pub tenant_id: Option<String>,
    /// Its environment; a publishable key has none.
    pub environment: Option<String>,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// What it permits.
    #[schema(value_type = Vec<String>)]
    pub permissions: ScopeSet,
    /// What was asked and it does not permit.
    #[schema(value_type = Vec<String>)]
    pub missing: ScopeSet,
}

impl Keyward {
    /// Says whether an API key works now for some permissions. A caller of some tenants learns of their keys only.
    pub async fn verify_key(
        &self,
        caller: &KeyVerifier,
        body: Value,
        origin: &Origin,
    ) -> Result<KeyVerdict, Error> {
        let now = self.now();
        // The strict reading of bodies costs more than all the rest, and is for those that are wrong.
        let asked = match VerifyKey::deserialize(&body) {
            Ok(asked) => asked,
            Err(_) => forms::decode(body)?,
        };
        let options = &self.inner.options;
        let environment = asked.environment.as_deref().unwrap_or(options.default_environment());
        if !options.environments.iter().any(|known| known == environment) {
            let detail = format!("The environment must be one of {}.", options.environments.join(", "));
            return Err(Error::field(FieldError::new("/environment", "unknown_environment", detail)));
        }
        let address = address(&asked, origin)?;
        let address = address.as_deref();
        let mut checked = self.look_up_key(&asked.key, address, now).await?;
        if let (Some(key), Some(tenants)) = (&checked.key, &caller.0.tenants)
            && !tenants.contains(&key.tenant_id.to_string())
        {
            let unknown = Refusal::new(Reason::KeyInvalid, "The API key is unknown.");
            checked = Checked { key: None, outcome: Err(unknown) };
        }
        let requirement = Requirement {
            mode: Mode::ApiKey,
            needs: Needs::All(asked.permissions.clone()),
            environment: Some(environment.to_owned()),
        };
        let decision = admit(&requirement, None, Some(checked.outcome.clone())).err();
        match (&decision, &checked.key) {
            (None, Some(key)) => self.count_use(key, address, now),
            (None, None) => {}
            (Some(refusal), key) => {
                let of_key = Origin { ip: address.map(str::to_owned), ..origin.clone() };
                self.deny_key(key.as_deref(), refusal.reason, &of_key, now).await?;
            }
        }
        Ok(verdict(&checked, decision, &asked.permissions))
    }

    /// Who asks about keys, from the value of the `Authorization` header: somebody with `keys:verify`.
    pub async fn key_verifier(
        &self,
        authorization: Option<&str>,
        origin: &Origin,
    ) -> Result<KeyVerifier, Error> {
        let now = self.now();
        let options = &self.inner.options;
        let audiences = [&*options.audience, &*options.admin_audience];
        let token = self.presented_token(authorization, &audiences, now).await?.transpose()?;
        let needs = Needs::AnyOf(KEYS_VERIFY.parse().into_iter().collect());
        let required = Requirement { needs, ..Requirement::default() };
        if let Err(refusal) = admit(&required, token.as_ref().map(|live| Ok(facts(live))), None) {
            if let Some(live) = &token {
                self.deny_token(live, &refusal, origin, now).await?;
            }
            return Err(refusal.into());
        }
        token.map(KeyVerifier).ok_or_else(|| Refusal::no_token().into())
    }
}

/// The caller's address: the one that is named, or that of the request.
fn address(asked: &VerifyKey, origin: &Origin) -> Result<Option<String>, Error> {
    match asked.ip.as_deref().map(str::parse::<std::net::IpAddr>) {
        None => Ok(origin.ip.clone()),
        // One address has one form, or it would count as two callers.
        Some(Ok(ip)) => Ok(Some(ip.to_canonical().to_string())),
        Some(Err(_)) => Err(Error::field(FieldError::new("/ip", "invalid_value", "This is no IP address."))),
    }
}

fn verdict(checked: &Checked, refusal: Option<Refusal>, asked: &ScopeSet) -> KeyVerdict {
    let key = checked.key.as_deref();
    let record = key.and_then(|key| key.record.as_ref());
    let facts: Option<&KeyFacts> = checked.outcome.as_ref().ok();
    let kind = |is_secret| if is_secret { ApiKeyKind::Secret.as_str() } else { "publishable" };
    KeyVerdict {
        valid: refusal.is_none(),
        key_id: record.map(|record| record.meta.id.to_string()),
        kind: key.map(|key| kind(key.record.is_some())),
        tenant_id: key.map(|key| key.tenant_id.to_string()),
        environment: record.map(|record| record.environment.clone()),
        expires_at: record.and_then(|record| record.expires_at),
        permissions: facts.map(|facts| facts.permissions.clone()).unwrap_or_default(),
        missing: facts.map(|facts| asked.difference(&facts.permissions)).unwrap_or_default(),
        code: refusal.as_ref().map(|refusal| refusal.reason),
        detail: refusal.map(|refusal| refusal.detail),
    }
}
