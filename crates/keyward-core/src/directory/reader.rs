//! Reading what is above and beside somebody, and keeping account of what was read.

use std::sync::Arc;

use keyward_model::{Entity, Id, Partner, Reach, Role, ScopeSet, Tenant};
use keyward_store::{Store, StoreError, StoreExt};

use super::stamps::Made;

/// Reads records for a cache entry. The platform's reach is right here: who asks is only being found out, and liveness is
/// judged on what was read.
pub(super) struct Reader<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) catalogue: Arc<ScopeSet>,
    pub(super) made: Made,
}

impl Reader<'_> {
    /// One record, if it is there.
    pub(super) async fn one<R: Entity>(&mut self, id: Option<Id<R>>) -> Result<Option<R>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        self.made.of.push(id.any());
        self.store.get_as(&Reach::Platform, id).await
    }

    /// A tenant and its partner.
    pub(super) async fn tenancy(
        &mut self,
        id: Id<Tenant>,
    ) -> Result<(Option<Tenant>, Option<Partner>), StoreError> {
        let tenant = self.one(Some(id)).await?;
        let partner = self.one(tenant.as_ref().and_then(|tenant| tenant.partner_id)).await?;
        Ok((tenant, partner))
    }

    /// What is above something of these owners: the tenant and its partner, or the partner.
    pub(super) async fn above(
        &mut self,
        tenant: Option<Id<Tenant>>,
        partner: Option<Id<Partner>>,
    ) -> Result<(Option<Tenant>, Option<Partner>), StoreError> {
        match tenant {
            Some(tenant) => self.tenancy(tenant).await,
            None => Ok((None, self.one(partner).await?)),
        }
    }

    /// What these roles come to.
    pub(super) async fn role_permissions(&mut self, roles: &[Id<Role>]) -> Result<ScopeSet, StoreError> {
        let mut permissions = ScopeSet::default();
        for id in roles {
            if let Some(role) = self.one(Some(*id)).await? {
                permissions = permissions.union(&role.permissions);
            }
        }
        Ok(permissions)
    }
}
