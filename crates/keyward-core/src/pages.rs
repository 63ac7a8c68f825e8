//! What pages for people need beside the admin API: what somebody may do before they try it, what identifiers are called,
//! and who could help.

use std::collections::{BTreeMap, BTreeSet};

use keyward_model::{
    AdminRole, AnyId, Field, Id, Kind, Owner, Permission, Reach, Record, ScopeSet, Status, Tenant, UniqueKey,
    User, Value,
};
use keyward_policy::{Action as Act, GrantRefusal, Target, decide, may_grant, may_set_tier};
use keyward_store::{Condition, Query, StoreExt, Test};
use serde_json::Value as Json;

use crate::{
    Call, Caller, ChainReport, Error, Idempotency, Keyward, Origin, SignedIn, VerifyError, admin::Work,
    directory::all, forms,
};

/// How many people are named who could help.
const HELPERS: u8 = 3;

/// A tenant as a place to work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantPlace {
    /// The identifier.
    pub id: String,
    /// The slug.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The name of its partner, if it has one.
    pub partner: Option<String>,
}

/// A row of the catalogue with what somebody can give of it.
#[derive(Clone, Debug)]
pub struct GrantableRow {
    /// The row.
    pub row: Permission,
    /// Whether they can give the permission to look.
    pub view: bool,
    /// Whether they can give all permissions of the row.
    pub change: bool,
    /// Whether nobody can give anything of it here, since it is the platform's own.
    pub reserved: bool,
}

impl Caller {
    /// Whether the caller may do this to any of a kind. Asking leaves no trace.
    #[must_use]
    pub fn may(&self, action: Act, kind: Kind) -> bool {
        decide(&self.principal, action, Target::collection(kind)).is_ok()
    }

    /// Whether the caller may do this to what `owner` owns. Asking leaves no trace.
    #[must_use]
    pub fn may_to(&self, action: Act, kind: Kind, owner: Owner) -> bool {
        decide(&self.principal, action, Target::object(kind, owner)).is_ok()
    }

    /// Whether the caller may make somebody of this tier.
    #[must_use]
    pub fn may_make(&self, tier: AdminRole) -> bool {
        may_set_tier(&self.principal, None, Some(tier)).is_ok()
    }
}

impl SignedIn {
    /// A request of the person to the admin API.
    #[must_use]
    pub fn call(&self, origin: Origin, idempotency: Option<Idempotency>) -> Call {
        Call { caller: self.caller(), origin, idempotency }
    }

    /// The tenant that the person belongs to, if they belong to one.
    #[must_use]
    pub fn home(&self) -> Option<TenantPlace> {
        let partner = self.person.partner.as_ref().map(|partner| partner.name.clone());
        self.person.tenant.as_ref().map(|tenant| place(tenant, partner))
    }

    /// The partner that the person belongs to: identifier and name.
    #[must_use]
    pub fn partner(&self) -> Option<(String, String)> {
        self.person.user.partner_id?;
        self.person.partner.as_ref().map(|partner| (partner.meta.id.to_string(), partner.name.clone()))
    }
}

fn place(tenant: &Tenant, partner: Option<String>) -> TenantPlace {
    TenantPlace {
        id: tenant.meta.id.to_string(),
        slug: tenant.slug.clone(),
        name: tenant.name.clone(),
        partner,
    }
}

impl Keyward {
    /// The tenant by this slug or identifier, if the caller may look at it.
    pub async fn tenant_place(&self, call: &Call, text: &str) -> Result<Option<TenantPlace>, Error> {
        if !call.caller.may(Act::Read, Kind::Tenant) {
            return Ok(None);
        }
        let reach = call.caller.reach();
        let found: Option<Tenant> = match text.parse() {
            Ok(id) => self.inner.store.get_as(&reach, id).await?,
            Err(_) => self.inner.store.find_as(&reach, &UniqueKey::TenantSlug(text.to_owned())).await?,
        };
        let Some(tenant) = found else { return Ok(None) };
        let partner = match tenant.partner_id {
            Some(id) => self.inner.store.get_as(&reach, id).await?,
            None => None,
        };
        let partner: Option<keyward_model::Partner> = partner;
        Ok(Some(place(&tenant, partner.map(|partner| partner.name))))
    }

    /// What these identifiers are called, as far as the caller may look at what they name.
    pub async fn names(&self, call: &Call, ids: &BTreeSet<AnyId>) -> Result<BTreeMap<AnyId, String>, Error> {
        let seen = ids.iter().filter(|id| call.caller.may(Act::Read, id.kind));
        let ids: Vec<AnyId> = seen.copied().collect();
        let records = self.inner.store.get_many(&call.caller.reach(), &ids).await?;
        let name = |record: &Record| match record {
            Record::User(user) if !user.name.is_empty() => user.name.clone(),
            record => record.display_name().to_owned(),
        };
        Ok(records.iter().map(|record| (record.id(), name(record))).collect())
    }

    /// The catalogue, with what the caller can give of it to what `owner` owns.
    pub async fn grantable_rows(&self, call: &Call, owner: Owner) -> Result<Vec<GrantableRow>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::Permission)).await?;
        let query = Query { sort: Field::Resource, ..Query::all(Kind::Permission) };
        let (rows, _) = all::<Permission>(&*self.inner.store, query).await?;
        let catalogue = rows.iter().fold(ScopeSet::default(), |all, row| all.union(&row.scopes()));
        let can = |scopes: &ScopeSet| may_grant(&call.caller.principal, scopes, owner, &catalogue).is_ok();
        let is_reserved = |scopes: &ScopeSet| {
            let given = may_grant(&call.caller.principal, scopes, owner, &catalogue);
            matches!(given, Err(GrantRefusal::PlatformOnly(_)))
        };
        let row = |row: Permission| GrantableRow {
            view: row.view.as_ref().is_some_and(|view| can(&ScopeSet::from_iter([view.clone()]))),
            change: can(&row.scopes()),
            reserved: is_reserved(&row.scopes()),
            row,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Some people who administrate what is in this tenant, or everything: whom to ask for more access.
    pub async fn helpers(&self, tenant: Option<&str>) -> Result<Vec<String>, Error> {
        let tenant = tenant.and_then(|id| id.parse::<Id<Tenant>>().ok());
        let mut names = Vec::new();
        let near = tenant.map(|id| (AdminRole::TenantAdmin, Some(Value::id(Some(id)))));
        for (tier, within) in near.into_iter().chain([(AdminRole::SuperAdmin, None)]) {
            let mut query = Query { per_page: HELPERS.into(), ..Query::all(Kind::User) }
                .with(Field::AdminRole, Value::text(tier.as_str()))
                .with(Field::Status, Value::text(Status::Active.as_str()));
            if let Some(within) = within {
                query = query.with(Field::TenantId, within);
            }
            let page = self.inner.store.list_as::<User>(&Reach::Platform, &query).await?;
            names.extend(
                page.items.into_iter().map(|user| if user.name.is_empty() { user.email } else { user.name }),
            );
            if names.len() >= HELPERS.into() {
                break;
            }
        }
        names.truncate(HELPERS.into());
        Ok(names)
    }

    /// Why each of these users could not be added, as far as it can be told before: what is wrong with the fields, and that
    /// the address is taken.
    pub async fn check_new_users(&self, call: &Call, bodies: &[Json]) -> Result<Vec<Option<Error>>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::Create, Target::collection(Kind::User)).await?;
        let emails = bodies.iter().filter_map(|body| body["email"].as_str());
        let wanted = emails.map(Value::text).collect();
        let mut query = Query { per_page: 1_000, ..Query::all(Kind::User) };
        query.conditions.push(Condition { field: Field::Email, test: Test::OneOf(wanted) });
        let taken = self.inner.store.list_as::<User>(&work.reach(), &query).await?.items;
        let check = |body: &Json| {
            let is_taken = taken.iter().any(|user| Some(user.email.as_str()) == body["email"].as_str());
            let detail = "There is a user by this e-mail address.";
            let taken = || Error::Conflict { code: "taken", detail: detail.to_owned() };
            forms::new::<User>(body.clone()).err().or_else(|| is_taken.then(taken))
        };
        Ok(bodies.iter().map(check).collect())
    }

    /// Proves that the audit log is whole; for those who see all of it.
    pub async fn verify_chains(&self, call: &Call) -> Result<Result<ChainReport, VerifyError>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::SigningKey)).await?;
        Ok(crate::verify_audit(&*self.inner.store).await)
    }
}
