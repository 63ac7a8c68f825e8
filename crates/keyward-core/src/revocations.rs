//! What a change ends for those who verify tokens offline: the entries of the revocation feed, written in the same commit.
//!
//! This process judges its callers by what clients, secrets and tenants are now, and needs none of this.

use std::collections::BTreeSet;

use keyward_model::{
    Agent, ApiKey, Application, Entity, Field, Grant, Group, Id, Kind, Membership, Meta, Nesting, Partner,
    Reach, Record, RefreshToken, Revocation, Revoked, Role, ScopeSet, Session, SigningKey, Tenant, Timestamp,
    User, Value,
};
use keyward_policy::liveness::{self, Tenancy};
use keyward_store::{Change, Query, StoreError, StoreExt};

use crate::{MAX_TOKEN_LIFETIME, admin::Work, directory::all};

/// How long after its making an entry counts: no token lives longer, and clocks differ.
const COUNTS_SECONDS: i64 = MAX_TOKEN_LIFETIME as i64 + 300;

/// How many people one change ends the tokens of, each by name.
const MAX_PEOPLE: usize = 500;

/// The revocation that a record is, if it is one.
pub(crate) fn among(record: &Record) -> Option<Revocation> {
    if let Record::Revocation(revocation) = record { Some((**revocation).clone()) } else { None }
}

/// Whether it works, and whether anything was taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It worked, and no longer does.
    Ended,
    /// It works again: what was issued before it stopped is dead. Nothing was issued since, and what is issued in this very
    /// millisecond is good.
    Returned,
    /// It has fewer rights than before: what was issued until now is dead.
    UntilNow,
}

/// What becomes of tokens when something that worked `before`, or not, works `after`, or not.
fn turn(before: bool, after: bool, lost: bool) -> Option<Turn> {
    match (before, after) {
        (true, false) => Some(Turn::Ended),
        (false, true) => Some(Turn::Returned),
        (true, true) if lost => Some(Turn::UntilNow),
        _ => None,
    }
}

fn lost<T: PartialEq>(before: &[T], after: &[T]) -> bool {
    before.iter().any(|item| !after.contains(item))
}

fn lost_scopes(before: &ScopeSet, after: &ScopeSet) -> bool {
    !before.is_subset(after)
}

fn earlier(before: Option<Timestamp>, after: Option<Timestamp>) -> bool {
    match (before, after) {
        (None, Some(_)) => true,
        (Some(before), Some(after)) => after < before,
        _ => false,
    }
}

impl Work<'_> {
    /// An entry about something.
    pub(crate) fn revocation(&self, of: Revoked, name: &str, before: Option<Timestamp>) -> Revocation {
        Revocation {
            meta: Meta::new(Id::generate(self.now, self.random()), self.now),
            of,
            name: name.to_owned(),
            before,
            expires_at: self.now.plus_seconds(COUNTS_SECONDS),
        }
    }

    fn entry(&self, turn: Option<Turn>, of: Revoked, name: &str) -> Option<Revocation> {
        let before = match turn? {
            Turn::Ended => None,
            Turn::Returned => Timestamp::from_unix_millis(self.now.unix_millis() - 1),
            Turn::UntilNow => Some(self.now),
        };
        Some(self.revocation(of, name, before))
    }

    /// Adds to a change what it ends, for a record that it replaces by its next version.
    pub(crate) async fn told<R: Entity>(
        &self,
        mut change: Change,
        before: &R,
        after: &R,
    ) -> Result<Change, StoreError> {
        for revocation in self.ended(&before.clone().into(), &after.clone().into()).await? {
            change = change.create(revocation);
        }
        Ok(change)
    }

    async fn ended(&self, before: &Record, after: &Record) -> Result<Vec<Revocation>, StoreError> {
        let entry = |turn, of, name: &str| Ok(self.entry(turn, of, name).into_iter().collect());
        match (before, after) {
            (Record::Application(before), Record::Application(after)) => Ok(self.application(before, after)),
            (Record::Agent(before), Record::Agent(after)) => {
                entry(agent(before, after), Revoked::Client, &after.id().to_string())
            }
            (Record::Secret(before), Record::Secret(after)) => {
                // The expiry of a secret ends no token.
                let works = |it| liveness::secret_tokens(it).is_ok();
                let turn = turn(works(before), works(after), false);
                entry(turn, Revoked::Credential, &after.id().to_string())
            }
            (Record::ApiKey(before), Record::ApiKey(after)) => {
                entry(api_key(before, after, self.now), Revoked::Credential, &after.id().to_string())
            }
            (Record::Tenant(before), Record::Tenant(after)) => self.tenant(before, after).await,
            (Record::Partner(before), Record::Partner(after)) => self.partner(before, after).await,
            (Record::User(before), Record::User(after)) => {
                entry(user(before, after), Revoked::Subject, &after.id().to_string())
            }
            (Record::Group(before), Record::Group(after)) => {
                let lost = after.meta.deleted_at.is_some() || lost(&before.roles, &after.roles);
                if lost { self.people_of(after.id()).await } else { Ok(Vec::new()) }
            }
            (Record::Nesting(_), Record::Nesting(after)) if after.meta.deleted_at.is_some() => {
                self.people_of(after.child_id).await
            }
            (Record::Membership(_), Record::Membership(after)) if after.meta.deleted_at.is_some() => {
                entry(Some(Turn::UntilNow), Revoked::Subject, &after.user_id.to_string())
            }
            (Record::Session(before), Record::Session(after)) => {
                let turn = turn(before.revoked_at.is_none(), after.revoked_at.is_none(), false);
                self.session(after, turn).await
            }
            (Record::RefreshToken(before), Record::RefreshToken(after)) => {
                let turn = turn(before.revoked_at.is_none(), after.revoked_at.is_none(), false);
                entry(turn, Revoked::Credential, &after.id().to_string())
            }
            (Record::Role(before), Record::Role(after)) => entry(role(before, after), Revoked::Rights, ""),
            (Record::Permission(before), Record::Permission(after)) => {
                let gone = after.meta.deleted_at.is_some() || lost_scopes(&before.scopes(), &after.scopes());
                entry(turn(true, true, gone), Revoked::Rights, "")
            }
            (Record::SigningKey(before), Record::SigningKey(after)) => {
                entry(signing_key(before, after, self.now), Revoked::Key, &after.kid)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn application(&self, before: &Application, after: &Application) -> Vec<Revocation> {
        let works = |it| liveness::application_itself(it, self.now).is_ok();
        let of_tenant = |grants: &[Grant], of: &Grant| {
            grants.iter().find(|grant| grant.tenant_id == of.tenant_id).cloned()
        };
        let shrunk = |grant: &Grant| {
            of_tenant(&after.grants, grant).is_some_and(|next| {
                lost_scopes(&grant.permissions, &next.permissions)
                    || lost(&grant.roles, &next.roles)
                    || earlier(grant.expires_at, next.expires_at)
            })
        };
        let fewer = lost_scopes(&before.allowed_scopes, &after.allowed_scopes)
            || lost(&before.roles, &after.roles)
            || after.expires_at < before.expires_at
            // A token of the whole platform is good for none of the tenants that there are now.
            || (before.grants.is_empty() && !after.grants.is_empty())
            || before.grants.iter().any(shrunk);
        let turned = turn(works(before), works(after), fewer);
        let mut entries: Vec<Revocation> =
            self.entry(turned, Revoked::Client, &after.client_id).into_iter().collect();
        for grant in before.grants.iter().chain(&after.grants) {
            let has = |grants: &[Grant]| of_tenant(grants, grant).is_some();
            let turned = turn(has(&before.grants), has(&after.grants), false);
            let name = format!("{}/{}", after.client_id, grant.tenant_id);
            entries.extend(self.entry(turned, Revoked::Grant, &name));
        }
        entries
    }

    /// Entries about what was obtained in a session, by its refresh tokens too.
    async fn session(&self, session: &Session, turn: Option<Turn>) -> Result<Vec<Revocation>, StoreError> {
        let query = Query::all(Kind::RefreshToken).with(Field::UserId, Value::id(Some(session.user_id)));
        let (families, _) = all::<RefreshToken>(&*self.keyward.inner.store, query).await?;
        let of = families.iter().filter(|family| family.session_id == session.id());
        let names = of.map(|family| family.id().to_string()).chain([session.id().to_string()]);
        Ok(names.filter_map(|name| self.entry(turn, Revoked::Credential, &name)).collect())
    }

    async fn tenant(&self, before: &Tenant, after: &Tenant) -> Result<Vec<Revocation>, StoreError> {
        let id = after.id().to_string();
        let replaced = turn(true, true, before.publishable_key != after.publishable_key);
        let turned = turn(self.is_up(before).await?, self.is_up(after).await?, false);
        let entries = [(turned, Revoked::Tenant), (replaced, Revoked::Credential)];
        Ok(entries.into_iter().filter_map(|(turn, of)| self.entry(turn, of, &id)).collect())
    }

    /// Whether a tenant is in use, and its partner with it.
    async fn is_up(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let partner: Option<Partner> = match tenant.partner_id {
            Some(id) => self.keyward.inner.store.get_as(&Reach::Platform, id).await?,
            None => None,
        };
        Ok(liveness::tenancy(Tenancy { tenant: Some(tenant), partner: partner.as_ref() }).is_ok())
    }

    /// Entries about everybody who is in a group or in one inside it; about all tokens when those are too many.
    async fn people_of(&self, group: Id<Group>) -> Result<Vec<Revocation>, StoreError> {
        let store = &*self.keyward.inner.store;
        let (mut groups, mut next) = (vec![group], 0);
        let mut people: BTreeSet<Id<User>> = BTreeSet::new();
        while let Some(id) = groups.get(next).copied() {
            next += 1;
            let of = |kind| Query::all(kind).with(Field::GroupId, Value::id(Some(id)));
            let (members, _) = all::<Membership>(store, of(Kind::Membership)).await?;
            people.extend(members.iter().map(|member| member.user_id));
            let (nestings, _) = all::<Nesting>(store, of(Kind::Nesting)).await?;
            for nesting in nestings {
                if !groups.contains(&nesting.child_id) {
                    groups.push(nesting.child_id);
                }
            }
        }
        if people.len() > MAX_PEOPLE {
            return Ok(vec![self.revocation(Revoked::Rights, "", Some(self.now))]);
        }
        let entry = |id: &Id<User>| self.revocation(Revoked::Subject, &id.to_string(), Some(self.now));
        Ok(people.iter().map(entry).collect())
    }

    async fn partner(&self, before: &Partner, after: &Partner) -> Result<Vec<Revocation>, StoreError> {
        let works = |it| liveness::partner(Some(it)).is_ok();
        let Some(turned) = turn(works(before), works(after), false) else { return Ok(Vec::new()) };
        let query = Query::all(Kind::Tenant).with(Field::PartnerId, Value::id(Some(after.id())));
        let (tenants, _) = all::<Tenant>(&*self.keyward.inner.store, query).await?;
        let entry = |tenant: &Tenant| self.entry(Some(turned), Revoked::Tenant, &tenant.id().to_string());
        Ok(tenants.iter().filter_map(entry).collect())
    }
}

fn agent(before: &Agent, after: &Agent) -> Option<Turn> {
    let works = |it| liveness::agent_itself(it).is_ok();
    let fewer = lost_scopes(&before.allowed_scopes, &after.allowed_scopes)
        || lost(&before.allowed_tools, &after.allowed_tools);
    turn(works(before), works(after), fewer)
}

fn api_key(before: &ApiKey, after: &ApiKey, now: Timestamp) -> Option<Turn> {
    let works = |it| liveness::api_key_itself(it, now).is_ok();
    let networks = before.allowed_ips != after.allowed_ips;
    let fewer = lost_scopes(&before.permissions, &after.permissions)
        || earlier(before.expires_at, after.expires_at)
        || networks;
    turn(works(before), works(after), fewer)
}

fn user(before: &User, after: &User) -> Option<Turn> {
    let works = |it| liveness::user_itself(it).is_ok();
    let fewer = lost(&before.roles, &after.roles)
        || before.valid_after != after.valid_after
        || before.admin_role != after.admin_role;
    turn(works(before), works(after), fewer)
}

fn role(before: &Role, after: &Role) -> Option<Turn> {
    let fewer = after.meta.deleted_at.is_some() || lost_scopes(&before.permissions, &after.permissions);
    turn(true, true, fewer)
}

fn signing_key(before: &SigningKey, after: &SigningKey, now: Timestamp) -> Option<Turn> {
    let works = |it: &SigningKey| it.retires_at.is_none_or(|at| at > now);
    turn(works(before), works(after), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_and_what_returns_is_told() {
        assert_eq!(turn(true, false, false), Some(Turn::Ended));
        assert_eq!(turn(false, true, true), Some(Turn::Returned));
        assert_eq!(turn(true, true, true), Some(Turn::UntilNow));
        assert_eq!(turn(true, true, false), None);
        assert_eq!(turn(false, false, true), None, "it was told before");
    }

    #[test]
    fn an_expiry_that_moves_forward_takes_nothing() {
        let at = |seconds: i64| Timestamp::from_unix_millis(seconds * 1_000);
        assert!(earlier(None, at(1)) && earlier(at(2), at(1)));
        assert!(!earlier(at(1), at(2)) && !earlier(at(1), None) && !earlier(None, None));
    }
}
