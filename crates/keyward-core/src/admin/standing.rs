//! What people sign in with, when they did, and what groups they are in: for lists and pages about them.

use std::collections::BTreeMap;

use keyward_model::{
    AnyId, Authenticators, Entity, FederatedIdentity, Field, Kind, Membership, Session, Timestamp, Value,
};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Condition, Direction, Query, StoreExt, Test};

use super::Work;
use crate::{Call, Error, Keyward};

/// Among how many records what somebody has is looked for.
const LOOKED_AT: u32 = 1_000;

/// How somebody stands, beside what their own record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserStanding {
    /// Whether they have chosen a password.
    pub has_password: bool,
    /// Whether they have two-step sign-in.
    pub two_step: bool,
    /// How many recovery codes they have left.
    pub recovery_codes_left: usize,
    /// The identity providers at which they have an account.
    pub providers: Vec<AnyId>,
    /// The groups that they are in directly, as far as the caller may list groups.
    pub groups: Vec<AnyId>,
    /// When they last signed in, as far as the caller may list sessions and as it is known still.
    pub last_sign_in: Option<Timestamp>,
    /// Whether an older sign-in may be known of that was not looked for.
    pub older_sign_in: bool,
}

impl Keyward {
    /// How these people stand, as far as the caller sees them.
    pub async fn user_standings(
        &self,
        call: &Call,
        ids: &[AnyId],
    ) -> Result<BTreeMap<AnyId, UserStanding>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::User)).await?;
        let mut all: BTreeMap<AnyId, UserStanding> =
            ids.iter().map(|id| (*id, UserStanding::default())).collect();
        if ids.is_empty() {
            return Ok(all);
        }
        for known in self.of_people::<Authenticators>(&work, ids).await?.0 {
            if let Some(standing) = all.get_mut(&known.user_id.any()) {
                let view = known.view();
                standing.has_password = view.has_password;
                standing.two_step = view.has_totp;
                standing.recovery_codes_left = view.recovery_codes_left;
            }
        }
        for account in self.of_people::<FederatedIdentity>(&work, ids).await?.0 {
            if let Some(standing) = all.get_mut(&account.user_id.any()) {
                standing.providers.push(account.provider_id.any());
            }
        }
        if call.caller.may(Act::List, Kind::Group) {
            for membership in self.of_people::<Membership>(&work, ids).await?.0 {
                if let Some(standing) = all.get_mut(&membership.user_id.any()) {
                    standing.groups.push(membership.group_id.any());
                }
            }
        }
        if call.caller.may(Act::List, Kind::Session) {
            let (sessions, more) = self.of_people::<Session>(&work, ids).await?;
            for session in sessions {
                if let Some(standing) = all.get_mut(&session.user_id.any()) {
                    standing.last_sign_in = standing.last_sign_in.max(Some(session.meta.created_at));
                }
            }
            for standing in all.values_mut() {
                standing.older_sign_in = more && standing.last_sign_in.is_none();
            }
        }
        Ok(all)
    }

    /// The newest records of a kind that are about these people, and whether there are more.
    async fn of_people<R: Entity>(&self, work: &Work<'_>, ids: &[AnyId]) -> Result<(Vec<R>, bool), Error> {
        let wanted = ids.iter().map(|id| Value::id(Some(*id))).collect();
        let mut query =
            Query { per_page: LOOKED_AT, direction: Direction::Descending, ..Query::all(R::KIND) };
        query.conditions.push(Condition { field: Field::UserId, test: Test::OneOf(wanted) });
        let page = self.inner.store.list_as::<R>(&work.reach(), &query).await?;
        let more = page.total > page.items.len() as u64;
        Ok((page.items, more))
    }
}
