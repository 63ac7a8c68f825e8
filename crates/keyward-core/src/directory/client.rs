//! Everything about a client that a token request needs, read once and kept in memory.

use std::sync::Arc;

use keyward_model::{
    Application, Entity, Field, Id, Kind, Owner, Partner, Permission, Reach, Record, Role, ScopeSet, Secret,
    Tenant, UniqueKey, Value,
};
use keyward_policy::{effective, liveness::Tenancy};
use keyward_store::{Query, Store, StoreError, StoreExt};

use super::stamps::Made;

/// A client with what is above and beside it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) application: Application,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) partner: Option<Partner>,
    /// What it is allowed: its permissions and those of its roles, as far as the catalogue has them.
    pub(crate) allowed: ScopeSet,
    pub(crate) grants: Vec<ClientGrant>,
}

/// A grant with its tenant and what it comes to.
#[derive(Debug)]
pub(crate) struct ClientGrant {
    pub(crate) grant: keyward_model::Grant,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) partner: Option<Partner>,
    /// Its permissions and those of its roles, within what the client is allowed.
    pub(crate) permissions: ScopeSet,
}

impl Client {
    /// What is above the application.
    pub(crate) fn above(&self) -> Tenancy<'_> {
        Tenancy { tenant: self.tenant.as_ref(), partner: self.partner.as_ref() }
    }
}

impl ClientGrant {
    /// What is above the grant.
    pub(crate) fn above(&self) -> Tenancy<'_> {
        Tenancy { tenant: self.tenant.as_ref(), partner: self.partner.as_ref() }
    }
}

/// Reads clients, and keeps account of what they are made of.
pub(crate) struct ClientReader<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) catalogue: Arc<ScopeSet>,
    pub(crate) made: Made,
}

impl ClientReader<'_> {
    /// The client with this identifier. The platform's reach is right here: a token request has no caller yet, and
    /// liveness is judged on what was read.
    pub(crate) async fn read(&mut self, client_id: &str) -> Result<Option<Client>, StoreError> {
        let key = UniqueKey::ClientId(client_id.to_owned());
        let Some(application) = self.store.find_as::<Application>(&Reach::Platform, &key).await? else {
            // Whichever application appears next may be this one.
            self.made.of_kinds.push(Kind::Application);
            self.made.of_kinds.push(Kind::Tenant);
            return Ok(None);
        };
        self.made.of.push(application.id().any());
        let secrets = self.secrets(application.id()).await?;
        let (tenant, partner) = match application.tenant_id {
            Some(tenant) => self.tenancy(tenant).await?,
            None => (None, self.one(application.partner_id).await?),
        };
        let from_roles = self.role_permissions(&application.roles).await?;
        let given = application.allowed_scopes.clone().union(&from_roles).intersection(&self.catalogue);
        let allowed = effective(&given, application.owner());
        let mut grants = Vec::with_capacity(application.grants.len());
        for grant in &application.grants {
            let (tenant, partner) = self.tenancy(grant.tenant_id).await?;
            let from_roles = self.role_permissions(&grant.roles).await?;
            let given = grant.permissions.clone().union(&from_roles).intersection(&allowed);
            let permissions = effective(&given, Owner::Tenant(grant.tenant_id));
            grants.push(ClientGrant { grant: grant.clone(), tenant, partner, permissions });
        }
        Ok(Some(Client { application, secrets, tenant, partner, allowed, grants }))
    }

    async fn one<R: Entity>(&mut self, id: Option<Id<R>>) -> Result<Option<R>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        self.made.of.push(id.any());
        self.store.get_as(&Reach::Platform, id).await
    }

    async fn tenancy(&mut self, id: Id<Tenant>) -> Result<(Option<Tenant>, Option<Partner>), StoreError> {
        let tenant = self.one(Some(id)).await?;
        let partner = self.one(tenant.as_ref().and_then(|tenant| tenant.partner_id)).await?;
        Ok((tenant, partner))
    }

    async fn role_permissions(&mut self, roles: &[Id<Role>]) -> Result<ScopeSet, StoreError> {
        let mut permissions = ScopeSet::default();
        for id in roles {
            if let Some(role) = self.one(Some(*id)).await? {
                permissions = permissions.union(&role.permissions);
            }
        }
        Ok(permissions)
    }

    async fn secrets(&self, application: Id<Application>) -> Result<Vec<Secret>, StoreError> {
        let query = Query::all(Kind::Secret).with(Field::ApplicationId, Value::id(Some(application)));
        Ok(all::<Secret>(self.store, query).await?.0)
    }
}

/// All records that a query selects, whatever its page says, and the ids of what was read.
pub(crate) async fn all<R: Entity>(store: &dyn Store, mut query: Query) -> Result<(Vec<R>, u64), StoreError> {
    query.per_page = 1_000;
    let mut items: Vec<R> = Vec::new();
    loop {
        let page = store.list(&Reach::Platform, &query).await?;
        let read = page.items.len();
        items.extend(page.items.into_iter().filter_map(|record: Record| R::try_from(record).ok()));
        if read < 1_000 {
            return Ok((items, page.total));
        }
        query.page += 1;
    }
}

/// All permissions of the catalogue.
pub(crate) async fn read_catalogue(store: &dyn Store) -> Result<ScopeSet, StoreError> {
    let (rows, _) = all::<Permission>(store, Query::all(Kind::Permission)).await?;
    Ok(rows.iter().fold(ScopeSet::default(), |all, row| all.union(&row.scopes())))
}
