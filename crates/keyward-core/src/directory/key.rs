//! Everything about an API key that checking it needs, read once and kept in memory.

use keyward_model::{ApiKey, Entity, Id, Kind, Owner, Partner, Reach, ScopeSet, Subject, Tenant, UniqueKey};
use keyward_policy::{effective, liveness::Tenancy};
use keyward_store::{StoreError, StoreExt};

use super::reader::Reader;

/// A key with what is above it.
#[derive(Debug)]
pub(crate) struct Key {
    /// The secret key; none for a tenant's publishable key.
    pub(crate) record: Option<ApiKey>,
    pub(crate) tenant_id: Id<Tenant>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) partner: Option<Partner>,
    /// What it permits, as far as the catalogue has it.
    pub(crate) permissions: ScopeSet,
}

/// By what a key is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyMark {
    /// A secret key by its keyed hash.
    Secret([u8; 32]),
    /// A publishable key as it is.
    Publishable(String),
}

impl Key {
    /// What is above the key.
    pub(crate) fn above(&self) -> Tenancy<'_> {
        Tenancy { tenant: self.tenant.as_ref(), partner: self.partner.as_ref() }
    }

    /// Its tenant's partner.
    pub(crate) fn partner_id(&self) -> Option<Id<Partner>> {
        self.partner.as_ref().map(Entity::id)
    }

    /// The key, as the audit log names it: a publishable one by its tenant.
    pub(crate) fn subject(&self) -> Subject {
        match (&self.record, &self.tenant) {
            (Some(key), _) => Subject::record(key.id(), &key.name),
            (None, tenant) => {
                Subject::record(self.tenant_id, tenant.as_ref().map_or("", |tenant| &tenant.name))
            }
        }
    }
}

impl Reader<'_> {
    /// The key that is found by this mark.
    pub(super) async fn key(&mut self, mark: &KeyMark) -> Result<Option<Key>, StoreError> {
        let store = self.store;
        match mark {
            KeyMark::Secret(hash) => {
                let found = store.find_as::<ApiKey>(&Reach::Platform, &UniqueKey::ApiKeyHash(*hash)).await?;
                let Some(record) = found else {
                    self.made.of_kinds.push(Kind::ApiKey);
                    return Ok(None);
                };
                self.made.of.push(record.id().any());
                let (tenant, partner) = self.tenancy(record.tenant_id).await?;
                let known = record.permissions.clone().intersection(&self.catalogue);
                let permissions = effective(&known, Owner::Tenant(record.tenant_id));
                Ok(Some(Key {
                    tenant_id: record.tenant_id,
                    record: Some(record),
                    tenant,
                    partner,
                    permissions,
                }))
            }
            KeyMark::Publishable(text) => {
                let key = UniqueKey::PublishableKey(text.clone());
                let Some(found) = store.find_as::<Tenant>(&Reach::Platform, &key).await? else {
                    self.made.of_kinds.push(Kind::Tenant);
                    return Ok(None);
                };
                // Read again through the reader, which keeps account of it.
                let (tenant, partner) = self.tenancy(found.id()).await?;
                let permissions = ScopeSet::default();
                Ok(Some(Key { record: None, tenant_id: found.id(), tenant, partner, permissions }))
            }
        }
    }
}
