//! Who holds a role or a permission.

use std::collections::BTreeMap;

use keyward_model::{
    Agent, ApiKey, Application, Entity, Field, Group, Kind, Role, Scope, ScopeSet, User, Value as FieldValue,
};
use keyward_policy::Action as Act;
use keyward_store::{Condition, Query, StoreExt, Test};

use super::{Administered, Listing, Work};
use crate::{Call, Error, Keyward};

/// How many holders of each kind are named.
const NAMED: u32 = 20;
/// Among how many records the holders of a permission are counted.
const COUNTED: u32 = 1_000;

/// Who holds a role: of each kind the first, and how many there are; no total where the caller may not list them.
#[derive(Clone, Debug)]
pub struct RoleHolders {
    /// People to whom it was given directly.
    pub users: Listing,
    /// Groups, whose members have it.
    pub groups: Listing,
    /// Applications, those included that have it in a grant.
    pub applications: Listing,
}

/// Who holds a permission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionHolders {
    /// Roles: identifier and name.
    pub roles: Vec<(String, String)>,
    /// How many applications are allowed it.
    pub applications: u64,
    /// How many API keys have it.
    pub api_keys: u64,
    /// How many agents are allowed it.
    pub agents: u64,
}

/// Who holds each of some permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldersOf {
    /// By permission; those that nobody holds are there as well.
    pub holders: BTreeMap<String, PermissionHolders>,
    /// Whether there are more holders than were counted.
    pub more: bool,
}

fn having(kind: Kind, field: Field, words: Vec<String>, per_page: u32) -> Query {
    let mut query = Query { per_page, ..Query::all(kind) };
    query.conditions.push(Condition { field, test: Test::HasAny(words) });
    query
}

impl Keyward {
    /// Who holds a role.
    pub async fn role_holders(&self, call: &Call, id: &str) -> Result<RoleHolders, Error> {
        let work = Work::begin(self, call);
        let role: Role = self.one(&work, Act::Read, id).await?;
        Ok(RoleHolders {
            users: self.holding_role::<User>(&work, &role).await?,
            groups: self.holding_role::<Group>(&work, &role).await?,
            applications: self.holding_role::<Application>(&work, &role).await?,
        })
    }

    async fn holding_role<R: Administered>(&self, work: &Work<'_>, role: &Role) -> Result<Listing, Error> {
        if !work.call.caller.may(Act::List, R::KIND) {
            return Ok(Listing { total: None, ..Listing::of_page(Vec::new(), 1, NAMED, 0) });
        }
        let mut query = having(R::KIND, Field::Roles, vec![role.id().to_string()], NAMED);
        // Nothing outside its tenant has a tenant's role, but for applications of several tenants.
        if role.tenant_id.is_some() && R::KIND != Kind::Application {
            query = query.with(Field::TenantId, FieldValue::id(role.tenant_id));
        }
        let page = self.inner.store.list_as::<R>(&work.reach(), &query).await?;
        let data = R::rendered(work, &page.items).await?;
        Ok(Listing::of_page(data, 1, NAMED, page.total))
    }

    /// Who holds each of these permissions, as far as the caller may list them.
    pub async fn permission_holders(&self, call: &Call, permissions: &[Scope]) -> Result<HoldersOf, Error> {
        let work = Work::begin(self, call);
        let names: Vec<String> = permissions.iter().map(ToString::to_string).collect();
        let empty = |name: &String| (name.clone(), PermissionHolders::default());
        let mut found = HoldersOf { holders: names.iter().map(empty).collect(), more: false };
        self.each_holding::<Role>(
            &work,
            &names,
            &mut found,
            |role| &role.permissions,
            |holders, role| {
                holders.roles.push((role.id().to_string(), role.name.clone()));
            },
        )
        .await?;
        self.each_holding::<Application>(
            &work,
            &names,
            &mut found,
            |one| &one.allowed_scopes,
            |holders, _| {
                holders.applications += 1;
            },
        )
        .await?;
        self.each_holding::<ApiKey>(
            &work,
            &names,
            &mut found,
            |key| &key.permissions,
            |holders, _| {
                holders.api_keys += 1;
            },
        )
        .await?;
        self.each_holding::<Agent>(
            &work,
            &names,
            &mut found,
            |agent| &agent.allowed_scopes,
            |holders, _| {
                holders.agents += 1;
            },
        )
        .await?;
        Ok(found)
    }

    /// Counts what of a kind holds some of these permissions.
    async fn each_holding<R: Administered>(
        &self,
        work: &Work<'_>,
        names: &[String],
        found: &mut HoldersOf,
        held: impl Fn(&R) -> &ScopeSet,
        count: impl Fn(&mut PermissionHolders, &R),
    ) -> Result<(), Error> {
        if names.is_empty() || !work.call.caller.may(Act::List, R::KIND) {
            return Ok(());
        }
        let query = having(R::KIND, Field::Permissions, names.to_vec(), COUNTED);
        let page = self.inner.store.list_as::<R>(&work.reach(), &query).await?;
        found.more |= page.total > page.items.len() as u64;
        for record in &page.items {
            for (name, holders) in &mut found.holders {
                if held(record).contains(name) {
                    count(holders, record);
                }
            }
        }
        Ok(())
    }
}
