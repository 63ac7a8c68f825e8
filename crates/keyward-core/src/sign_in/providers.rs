//! Which identity providers a person may sign in by: home-realm discovery by the domain of their address.

use keyward_model::{Entity, Field, Id, IdentityProvider, Kind, Partner, Reach, Tenant, Value};
use keyward_policy::liveness::{self, Tenancy};
use keyward_store::{Query, StoreError, StoreExt, TicketKey};

use super::SignInError;
use crate::{Keyward, Upstream, admin::secret_context};

/// The namespace of the marks by which a domain of addresses belongs to one identity provider alone.
const DOMAINS: &str = "email_domain";

/// An identity provider to sign in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderChoice {
    /// The identifier.
    pub id: String,
    /// What it is called.
    pub name: String,
}

/// The mark of a domain.
pub(crate) fn domain_mark(domain: &str) -> TicketKey {
    TicketKey::new(DOMAINS, domain.to_lowercase())
}

/// Whether a ticket is the mark of a domain.
pub(crate) fn is_domain_mark(key: &TicketKey) -> bool {
    key.namespace == DOMAINS
}

/// The domains of addresses whose people a provider knows.
pub(crate) fn domains_of(config: &serde_json::Value) -> Vec<String> {
    let texts = config["email_domains"].as_array().into_iter().flatten().filter_map(|text| text.as_str());
    texts.map(str::to_lowercase).collect()
}

impl Keyward {
    /// The providers that know people with this address: the one to whom its domain belongs, and those of the whole platform
    /// that have no domains. It does not depend on whether there is such a person.
    pub async fn providers_for(&self, email: Option<&str>) -> Result<Vec<ProviderChoice>, SignInError> {
        if self.inner.federation.get().is_none() {
            return Ok(Vec::new());
        }
        let mut choices = self.platform_providers().await?;
        if let Some((_, domain)) = email.and_then(|email| email.trim().rsplit_once('@'))
            && let Some(mark) = self.inner.store.ticket(&domain_mark(domain), self.now()).await?
            && let Ok(id) = mark.value.parse::<Id<IdentityProvider>>()
            && let Some(provider) = self.live_provider(id).await?
        {
            choices.insert(0, choice(&provider));
        }
        Ok(choices)
    }

    async fn platform_providers(&self) -> Result<Vec<ProviderChoice>, StoreError> {
        let query = Query::all(Kind::IdentityProvider)
            .with(Field::TenantId, Value::Null)
            .with(Field::PartnerId, Value::Null)
            .with(Field::Status, Value::text("active"));
        let page = self.inner.store.list_as::<IdentityProvider>(&Reach::Platform, &query).await?;
        let open = page.items.iter().filter(|provider| domains_of(&provider.config).is_empty());
        Ok(open.map(choice).collect())
    }

    /// The tenant and the partner that a provider belongs to.
    pub(super) async fn owners_of(
        &self,
        id: Id<IdentityProvider>,
    ) -> Result<(Option<Id<Tenant>>, Option<Id<Partner>>), StoreError> {
        let store = &self.inner.store;
        let Some(provider): Option<IdentityProvider> = store.get_as(&Reach::Platform, id).await? else {
            return Ok((None, None));
        };
        let Some(tenant) = provider.tenant_id else { return Ok((None, provider.partner_id)) };
        let above: Option<Tenant> = store.get_as(&Reach::Platform, tenant).await?;
        Ok((Some(tenant), above.and_then(|tenant| tenant.partner_id)))
    }

    /// The provider, if it and all above it are alive.
    pub(super) async fn live_provider(
        &self,
        id: Id<IdentityProvider>,
    ) -> Result<Option<IdentityProvider>, StoreError> {
        let store = &self.inner.store;
        let Some(provider): Option<IdentityProvider> = store.get_as(&Reach::Platform, id).await? else {
            return Ok(None);
        };
        let tenant: Option<Tenant> = match provider.tenant_id {
            Some(id) => store.get_as(&Reach::Platform, id).await?,
            None => None,
        };
        let above = provider.partner_id.or(tenant.as_ref().and_then(|tenant| tenant.partner_id));
        let partner: Option<Partner> = match above {
            Some(id) => store.get_as(&Reach::Platform, id).await?,
            None => None,
        };
        let above = Tenancy { tenant: tenant.as_ref(), partner: partner.as_ref() };
        Ok(liveness::provider(&provider, above).is_ok().then_some(provider))
    }

    /// The provider as its protocol needs it.
    pub(crate) fn upstream(&self, provider: &IdentityProvider) -> Result<Upstream, SignInError> {
        let id = provider.id().to_string();
        let client_secret = match &provider.sealed_secret {
            Some(sealed) => {
                let opened = self.inner.sealer.open(&secret_context(provider), sealed);
                let bytes = opened.map_err(|error| SignInError::Unavailable(error.into()))?;
                Some(String::from_utf8(bytes).map_err(|error| SignInError::Unavailable(error.into()))?)
            }
            None => None,
        };
        Ok(Upstream {
            return_url: self.page(&format!("/sign-in/callback/{id}")),
            entity_id: self.page(&format!("/sign-in/saml/{id}/metadata")),
            id,
            kind: provider.kind,
            config: provider.config.as_object().cloned().unwrap_or_default(),
            client_secret,
        })
    }

    /// What an administrator gives to a SAML provider's side, if the provider is alive.
    pub async fn provider_metadata(&self, id: &str) -> Result<Option<String>, SignInError> {
        let (Some(federation), Ok(id)) = (self.inner.federation.get(), id.parse()) else { return Ok(None) };
        let Some(provider) = self.live_provider(id).await? else { return Ok(None) };
        federation.metadata(&self.upstream(&provider)?).map_err(SignInError::Provider)
    }
}

fn choice(provider: &IdentityProvider) -> ProviderChoice {
    ProviderChoice { id: provider.id().to_string(), name: provider.name.clone() }
}
