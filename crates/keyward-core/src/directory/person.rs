//! Everything about a person that deciding a request needs: tier, place, and permissions with their sources.

use std::collections::VecDeque;

use keyward_model::{
    Entity, Field, Group, Id, Kind, Membership, Nesting, Owner, Partner, Role, ScopeSet, Tenant, User, Value,
};
use keyward_policy::{effective, liveness::Tenancy};
use keyward_store::{Query, Store, StoreError};

use super::{client::all, reader::Reader};

/// How many tenants a token of a partner's person names at most.
const MAX_TENANTS: usize = 100;

/// A person with what is above and beside them.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) partner: Option<Partner>,
    /// The tenants that the person's tokens are good in: their own, or their partner's; none for the whole platform.
    pub(crate) tenants: Option<Vec<String>>,
    /// Every role, with the groups through which it comes: none for a role that was given directly.
    pub(crate) roles: Vec<HeldRole>,
    /// What the roles come to.
    pub(crate) permissions: ScopeSet,
}

/// A role of a person, and where it comes from.
#[derive(Debug)]
pub(crate) struct HeldRole {
    pub(crate) role: Role,
    /// What it gives to this person.
    pub(crate) permissions: ScopeSet,
    /// From the group that the person is in to the one that has the role.
    pub(crate) through: Vec<Group>,
}

impl Person {
    /// The person's partner, or their tenant's.
    pub(crate) fn partner_id(&self) -> Option<Id<Partner>> {
        self.partner.as_ref().map(Entity::id)
    }

    /// What is above the person.
    pub(crate) fn above(&self) -> Tenancy<'_> {
        Tenancy { tenant: self.tenant.as_ref(), partner: self.partner.as_ref() }
    }
}

impl Reader<'_> {
    /// The person with this identifier.
    pub(super) async fn person(&mut self, id: Id<User>) -> Result<Option<Person>, StoreError> {
        let Some(user) = self.one(Some(id)).await? else { return Ok(None) };
        let (tenant, partner) = self.above(user.tenant_id, user.partner_id).await?;
        let tenants = self.tenants_of(&user).await?;
        let mut roles = Vec::new();
        self.hold(&user.roles, &[], user.owner(), &mut roles).await?;
        for through in self.groups(id).await? {
            let Some(last) = through.last() else { continue };
            let given = last.roles.clone();
            self.hold(&given, &through, user.owner(), &mut roles).await?;
        }
        let permissions =
            roles.iter().fold(ScopeSet::default(), |all, held: &HeldRole| all.union(&held.permissions));
        Ok(Some(Person { user, tenant, partner, tenants, roles, permissions }))
    }

    async fn tenants_of(&mut self, user: &User) -> Result<Option<Vec<String>>, StoreError> {
        match (user.tenant_id, user.partner_id) {
            (Some(tenant), _) => Ok(Some(vec![tenant.to_string()])),
            (None, None) => Ok(None),
            (None, Some(partner)) => {
                self.made.of_kinds.push(Kind::Tenant);
                let query = Query::all(Kind::Tenant).with(Field::PartnerId, Value::id(Some(partner)));
                let (tenants, _) = all::<Tenant>(self.store, query).await?;
                // A token must fit into a header; with too many tenants it is good in none but the administration.
                let fit = tenants.len() <= MAX_TENANTS;
                Ok(Some(tenants.iter().filter(|_| fit).map(|tenant| tenant.id().to_string()).collect()))
            }
        }
    }

    async fn hold(
        &mut self,
        ids: &[Id<Role>],
        through: &[Group],
        owner: Owner,
        into: &mut Vec<HeldRole>,
    ) -> Result<(), StoreError> {
        for id in ids {
            if let Some(role) = self.one(Some(*id)).await? {
                let known = role.permissions.clone().intersection(&self.catalogue);
                let permissions = effective(&known, owner);
                into.push(HeldRole { role, permissions, through: through.to_vec() });
            }
        }
        Ok(())
    }

    /// The groups that a person is in, and all that those are in, each once and by a shortest way.
    async fn groups(&mut self, user: Id<User>) -> Result<Vec<Vec<Group>>, StoreError> {
        // Any of these may come or go: which ones matter is not known beforehand.
        self.made.of_kinds.extend([Kind::Membership, Kind::Nesting]);
        let query = Query::all(Kind::Membership).with(Field::UserId, Value::id(Some(user)));
        let (memberships, _) = all::<Membership>(self.store, query).await?;
        let mut ways: Vec<Vec<Group>> = Vec::new();
        let mut waiting: VecDeque<(Id<Group>, Vec<Group>)> =
            memberships.iter().map(|membership| (membership.group_id, Vec::new())).collect();
        while let Some((id, mut way)) = waiting.pop_front() {
            if ways.iter().any(|known| known.last().is_some_and(|group| group.id() == id)) {
                continue;
            }
            let Some(group) = self.one(Some(id)).await? else { continue };
            way.push(group);
            waiting.extend(parents(self.store, id).await?.into_iter().map(|parent| (parent, way.clone())));
            ways.push(way);
        }
        Ok(ways)
    }
}

/// The groups that a group is directly inside.
pub(crate) async fn parents(store: &dyn Store, child: Id<Group>) -> Result<Vec<Id<Group>>, StoreError> {
    let query = Query::all(Kind::Nesting).with(Field::ChildId, Value::id(Some(child)));
    let (nestings, _) = all::<Nesting>(store, query).await?;
    Ok(nestings.iter().map(|nesting| nesting.group_id).collect())
}
