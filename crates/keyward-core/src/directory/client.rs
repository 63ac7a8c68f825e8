//! Everything about a client that a token request needs, read once and kept in memory.

use keyward_model::{
    Agent, AnyId, Application, ApplicationReach, ApplicationType, Entity, Field, Id, Kind, Meta, Owner,
    Partner, Permission, Reach, Record, ScopeSet, Secret, Subject, Tenant, TokenAlgorithm, UniqueKey, Value,
};
use keyward_policy::{effective, liveness::Tenancy};
use keyward_store::{Query, Store, StoreError, StoreExt};

use super::reader::Reader;

/// A client with what is above and beside it.
#[derive(Debug)]
pub(crate) struct Client {
    /// The application or agent.
    pub(crate) holder: AnyId,
    /// The application; for an agent, the application that it would be.
    pub(crate) application: Application,
    /// What only agents have.
    pub(crate) agent: Option<Agent>,
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
    /// The application or agent, as the audit log names it.
    pub(crate) fn subject(&self) -> Subject {
        let name = self.agent.as_ref().map_or(&self.application.client_id, |agent| &agent.name);
        Subject::record(self.holder, name)
    }

    /// Its partner, or its tenant's.
    pub(crate) fn partner_id(&self) -> Option<Id<Partner>> {
        self.partner.as_ref().map(Entity::id)
    }

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

/// An agent as the client that it is: an application of type `service` that never expires by itself.
fn as_application(agent: &Agent, environment: &str) -> Application {
    Application {
        meta: Meta {
            id: Id::from_uuid(agent.id().uuid()),
            version: agent.meta.version,
            created_at: agent.meta.created_at,
            updated_at: agent.meta.updated_at,
            deleted_at: agent.meta.deleted_at,
        },
        name: agent.name.clone(),
        kind: ApplicationType::Service,
        reach: if agent.tenant_id.is_some() { ApplicationReach::Tenant } else { ApplicationReach::Global },
        partner_id: None,
        tenant_id: agent.tenant_id,
        client_id: agent.id().to_string(),
        environment: environment.to_owned(),
        status: agent.status,
        expires_at: agent.meta.created_at.plus_seconds(i64::from(u32::MAX)),
        notes: None,
        roles: Vec::new(),
        allowed_scopes: agent.allowed_scopes.clone(),
        token_lifetime: None,
        token_alg: TokenAlgorithm::default(),
        redirect_uris: Vec::new(),
        allowed_origins: Vec::new(),
        token_exchange_allowed: false,
        grants: Vec::new(),
    }
}

impl Reader<'_> {
    /// The client with this identifier; an agent's is its own.
    pub(super) async fn client(
        &mut self,
        client_id: &str,
        environment: &str,
    ) -> Result<Option<Client>, StoreError> {
        if let Ok(id) = client_id.parse::<Id<Agent>>() {
            let Some(agent) = self.one(Some(id)).await? else { return Ok(None) };
            let application = as_application(&agent, environment);
            return Ok(Some(self.whole(id.any(), application, Some(agent)).await?));
        }
        let key = UniqueKey::ClientId(client_id.to_owned());
        let Some(application) = self.store.find_as::<Application>(&Reach::Platform, &key).await? else {
            // Whichever application appears next may be this one.
            self.made.of_kinds.extend([Kind::Application, Kind::Tenant, Kind::Partner]);
            return Ok(None);
        };
        let holder = application.id().any();
        self.made.of.push(holder);
        Ok(Some(self.whole(holder, application, None).await?))
    }

    async fn whole(
        &mut self,
        holder: AnyId,
        application: Application,
        agent: Option<Agent>,
    ) -> Result<Client, StoreError> {
        let secrets = secrets_of(self.store, holder).await?;
        let (tenant, partner) = self.above(application.tenant_id, application.partner_id).await?;
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
        Ok(Client { holder, application, agent, secrets, tenant, partner, allowed, grants })
    }
}

/// All secrets of an application or agent.
pub(crate) async fn secrets_of(store: &dyn Store, holder: AnyId) -> Result<Vec<Secret>, StoreError> {
    let query = Query::all(Kind::Secret).with(Field::HolderId, Value::id(Some(holder)));
    Ok(all::<Secret>(store, query).await?.0)
}

/// All records that a query selects, whatever its page says, and the ids of what was read.
pub(crate) async fn all<R: Entity>(store: &dyn Store, query: Query) -> Result<(Vec<R>, u64), StoreError> {
    all_within(store, &Reach::Platform, query).await
}

/// The same within a reach.
pub(crate) async fn all_within<R: Entity>(
    store: &dyn Store,
    reach: &Reach,
    mut query: Query,
) -> Result<(Vec<R>, u64), StoreError> {
    query.per_page = 1_000;
    let mut items: Vec<R> = Vec::new();
    loop {
        let page = store.list(reach, &query).await?;
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
