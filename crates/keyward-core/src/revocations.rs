//! What a change ends for those who verify tokens offline: the entries of the revocation feed, written in the same commit.
//!
//! This process judges its callers by what clients, secrets and tenants are now, and needs none of this.

use keyward_model::{
    Agent, ApiKey, Application, Entity, Field, Grant, Kind, Meta, Partner, Record, Revocation, Revoked, Role,
    ScopeSet, Secret, SigningKey, Status, TenancyStatus, Tenant, Timestamp, User, Value,
};
use keyward_store::{Change, Query, StoreError};

use crate::{MAX_TOKEN_LIFETIME, admin::Work, directory::all};

/// How long after its making an entry counts: no token lives longer, and clocks differ.
const COUNTS_SECONDS: i64 = MAX_TOKEN_LIFETIME as i64 + 300;

/// The revocation that a record is, if it is one.
pub(crate) fn among(record: &Record) -> Option<Revocation> {
    if let Record::Revocation(revocation) = record { Some((**revocation).clone()) } else { None }
}

/// Whether it works, and whether anything was taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It worked, and no longer does.
    Ended,
    /// It works again, or has fewer rights than before: what was issued until now is dead.
    UntilNow,
}

/// What becomes of tokens when something that worked `before`, or not, works `after`, or not.
fn turn(before: bool, after: bool, lost: bool) -> Option<Turn> {
    match (before, after) {
        (true, false) => Some(Turn::Ended),
        (false, true) => Some(Turn::UntilNow),
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
            meta: Meta::new(keyward_model::Id::generate(self.now, self.random()), self.now),
            of,
            name: name.to_owned(),
            before,
            expires_at: self.now.plus_seconds(COUNTS_SECONDS),
        }
    }

    fn entry(&self, turn: Option<Turn>, of: Revoked, name: &str) -> Option<Revocation> {
        Some(self.revocation(of, name, (turn? == Turn::UntilNow).then_some(self.now)))
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
                let works = |it: &Secret| it.meta.deleted_at.is_none() && it.revoked_at.is_none();
                let turn = turn(works(before), works(after), false);
                entry(turn, Revoked::Credential, &after.id().to_string())
            }
            (Record::ApiKey(before), Record::ApiKey(after)) => {
                entry(api_key(before, after, self.now), Revoked::Credential, &after.id().to_string())
            }
            (Record::Tenant(before), Record::Tenant(after)) => {
                let works = |it: &Tenant| is_up(it.meta.deleted_at, it.status);
                let id = after.id().to_string();
                let replaced = turn(true, true, before.publishable_key != after.publishable_key);
                let turn = turn(works(before), works(after), false);
                let entries = [(turn, Revoked::Tenant), (replaced, Revoked::Credential)];
                Ok(entries.into_iter().filter_map(|(turn, of)| self.entry(turn, of, &id)).collect())
            }
            (Record::Partner(before), Record::Partner(after)) => self.partner(before, after).await,
            (Record::User(before), Record::User(after)) => {
                entry(user(before, after), Revoked::Subject, &after.id().to_string())
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
        let works = |it: &Application| is_on(it.meta.deleted_at, it.status);
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

    async fn partner(&self, before: &Partner, after: &Partner) -> Result<Vec<Revocation>, StoreError> {
        let works = |it: &Partner| is_up(it.meta.deleted_at, it.status);
        let Some(turned) = turn(works(before), works(after), false) else { return Ok(Vec::new()) };
        let query = Query::all(Kind::Tenant).with(Field::PartnerId, Value::id(Some(after.id())));
        let (tenants, _) = all::<Tenant>(&*self.keyward.inner.store, query).await?;
        let entry = |tenant: &Tenant| self.entry(Some(turned), Revoked::Tenant, &tenant.id().to_string());
        Ok(tenants.iter().filter_map(entry).collect())
    }
}

fn is_on(deleted_at: Option<Timestamp>, status: Status) -> bool {
    deleted_at.is_none() && status == Status::Active
}

fn is_up(deleted_at: Option<Timestamp>, status: TenancyStatus) -> bool {
    deleted_at.is_none() && status == TenancyStatus::Active
}

fn agent(before: &Agent, after: &Agent) -> Option<Turn> {
    let works = |it: &Agent| is_on(it.meta.deleted_at, it.status);
    let fewer = lost_scopes(&before.allowed_scopes, &after.allowed_scopes)
        || lost(&before.allowed_tools, &after.allowed_tools);
    turn(works(before), works(after), fewer)
}

fn api_key(before: &ApiKey, after: &ApiKey, now: Timestamp) -> Option<Turn> {
    let works = |it: &ApiKey| {
        is_on(it.meta.deleted_at, it.status)
            && it.revoked_at.is_none()
            && it.expires_at.is_none_or(|at| at > now)
    };
    let networks = before.allowed_ips != after.allowed_ips;
    let fewer = lost_scopes(&before.permissions, &after.permissions)
        || earlier(before.expires_at, after.expires_at)
        || networks;
    turn(works(before), works(after), fewer)
}

fn user(before: &User, after: &User) -> Option<Turn> {
    let works = |it: &User| is_on(it.meta.deleted_at, it.status);
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
        assert_eq!(turn(false, true, true), Some(Turn::UntilNow));
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
