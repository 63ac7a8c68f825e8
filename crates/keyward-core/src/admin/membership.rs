//! Who is in a group: users, and other groups to any depth.
//!
//! Whoever puts somebody into a group gives them what the group has, so it is bounded like any other gift. A nesting gives
//! both groups a new version and expects those above to be as they were read: two that would close a circle together can't
//! both be committed.

use std::collections::{HashSet, VecDeque};

use keyward_model::{
    Action, Entity, Field, FieldChange, Group, Id, Kind, Membership, Nesting, Owner, Reach, User, UserView,
    Value as FieldValue,
};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, Query, StoreError, StoreExt};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{ATTEMPTS, Listing, Work, busy, parse_id, work::conflict};
use crate::{
    Call, Error, FieldError, Keyward, Written,
    directory::{all_within, parents},
    forms,
    params::Params,
};

/// The body that puts a user into a group.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupMember)]
pub struct MemberBody {
    /// The user.
    #[schema(value_type = String)]
    pub user_id: Id<User>,
}

/// The body that puts a group into another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NestedGroup)]
pub struct NestedBody {
    /// The group that goes inside.
    #[schema(value_type = String)]
    pub group_id: Id<Group>,
}

const ADD: Act = Act::Act("add");
const REMOVE: Act = Act::Act("remove");

fn change_of(field: &str, from: Value, to: Value) -> [FieldChange; 1] {
    [FieldChange { field: field.to_owned(), from, to }]
}

impl Work<'_> {
    /// The groups above a group, itself first, each with the group through which it was found.
    async fn ancestors(&self, group: &Group) -> Result<Vec<(Group, Option<Id<Group>>)>, Error> {
        let store = &*self.keyward.inner.store;
        let mut found = vec![(group.clone(), None)];
        let mut next = 0;
        while let Some((below, _)) = found.get(next) {
            let id = below.id();
            for parent in parents(store, id).await? {
                let is_new = found.iter().all(|(known, _)| known.id() != parent);
                if is_new && let Some(parent) = store.get_as(&Reach::Platform, parent).await? {
                    found.push((parent, Some(id)));
                }
            }
            next += 1;
        }
        Ok(found)
    }

    /// Refuses to hand on the roles of these groups where the caller can't give them.
    async fn may_hand_on(
        &self,
        groups: &[(Group, Option<Id<Group>>)],
        owner: Owner,
        at: &str,
    ) -> Result<(), Error> {
        let catalogue = self.keyward.inner.directory.catalogue().await?;
        for id in groups.iter().flat_map(|(group, _)| &group.roles) {
            let role: Option<keyward_model::Role> =
                self.keyward.inner.store.get_as(&Reach::Platform, *id).await?;
            if let Some(role) = role {
                let given = keyward_policy::effective(&role.permissions.intersection(&catalogue), owner);
                self.grantable(&given, owner, at).await?;
            }
        }
        Ok(())
    }
}

impl Keyward {
    /// Puts a user into a group.
    pub async fn add_member(&self, call: &Call, id: &str, body: Value) -> Result<Written, Error> {
        let body: MemberBody = forms::decode(body)?;
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let group: Group = self.one(&work, ADD, id).await?;
            let permit = work.may(ADD, Target::object(Kind::Group, group.owner())).await?;
            let user: User = work.reference(body.user_id, "/user_id").await?;
            if group.tenant_id.is_some() && user.tenant_id != group.tenant_id {
                return Err(Error::field(FieldError::unknown_reference("/user_id")));
            }
            work.may_set_tier(user.admin_role, user.admin_role, user.owner()).await?;
            work.may_hand_on(&work.ancestors(&group).await?, user.owner(), "/user_id").await?;
            let membership = Membership {
                meta: work.meta(),
                group_id: group.id(),
                user_id: user.id(),
                tenant_id: group.tenant_id,
            };
            let changes = change_of("members", Value::Null, json!(user.id()));
            let event = work.done(Action::GROUP_MEMBER_ADDED, &group, &changes);
            let body = json!({ "group_id": group.id(), "user_id": user.id() });
            let mut change = Change::default().create(membership);
            change.expect.push((user.id().any(), user.meta.version));
            let change = change.replace(group.meta.version, work.next(&group));
            match work.commit(&permit, change, vec![event]).await {
                Ok(_) => return Ok(written(user.id().to_string(), body)),
                Err(StoreError::Stale) => {}
                Err(StoreError::Taken(taken)) => return Err(conflict(&taken)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Takes a user out of a group.
    pub async fn remove_member(&self, call: &Call, id: &str, user: &str) -> Result<(), Error> {
        let query = |group: Id<Group>| -> Result<Query, Error> {
            let user: Id<User> = parse_id(user)?;
            let of = Query::all(Kind::Membership).with(Field::GroupId, FieldValue::id(Some(group)));
            Ok(of.with(Field::UserId, FieldValue::id(Some(user))))
        };
        self.take_out::<Membership>(call, id, query, Action::GROUP_MEMBER_REMOVED, "members", user).await
    }

    /// Takes a group out of another.
    pub async fn remove_nested(&self, call: &Call, id: &str, child: &str) -> Result<(), Error> {
        let query = |group: Id<Group>| -> Result<Query, Error> {
            let child: Id<Group> = parse_id(child)?;
            let of = Query::all(Kind::Nesting).with(Field::GroupId, FieldValue::id(Some(group)));
            Ok(of.with(Field::ChildId, FieldValue::id(Some(child))))
        };
        self.take_out::<Nesting>(call, id, query, Action::GROUP_UNNESTED, "nested", child).await
    }

    async fn take_out<L: Entity>(
        &self,
        call: &Call,
        id: &str,
        query: impl Fn(Id<Group>) -> Result<Query, Error>,
        action: Action,
        field: &str,
        what: &str,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let group: Group = self.one(&work, REMOVE, id).await?;
            let permit = work.may(REMOVE, Target::object(Kind::Group, group.owner())).await?;
            let found = self.inner.store.list_as::<L>(&work.reach(), &query(group.id())?).await?;
            let before = found.items.into_iter().next().ok_or(Error::NotFound)?;
            let mut link = work.next(&before);
            link.meta_mut().deleted_at = Some(work.now);
            let event = work.done(action.clone(), &group, &change_of(field, json!(what), Value::Null));
            let change = work.told(Change::default(), &before, &link).await?;
            let change =
                change.replace(before.meta().version, link).replace(group.meta.version, work.next(&group));
            match work.commit(&permit, change, vec![event]).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Puts a group into another, unless that would close a circle.
    pub async fn nest(&self, call: &Call, id: &str, body: Value) -> Result<Written, Error> {
        let body: NestedBody = forms::decode(body)?;
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let outside: Group = self.one(&work, ADD, id).await?;
            let permit = work.may(ADD, Target::object(Kind::Group, outside.owner())).await?;
            let inside: Group = work.reference(body.group_id, "/group_id").await?;
            if outside.tenant_id.is_some() && inside.tenant_id != outside.tenant_id {
                return Err(Error::field(FieldError::unknown_reference("/group_id")));
            }
            let above = work.ancestors(&outside).await?;
            if let Some(path) = circle(&above, inside.id()) {
                let detail = format!("That would close a circle: {path}.");
                return Err(Error::Conflict { code: "cycle", detail });
            }
            work.may_hand_on(&above, inside.owner(), "/group_id").await?;
            let nesting = Nesting {
                meta: work.meta(),
                group_id: outside.id(),
                child_id: inside.id(),
                tenant_id: outside.tenant_id,
            };
            let changes = change_of("nested", Value::Null, json!(inside.id()));
            let event = work.done(Action::GROUP_NESTED, &outside, &changes);
            let mut change = Change::default()
                .create(nesting)
                .replace(outside.meta.version, work.next(&outside))
                .replace(inside.meta.version, work.next(&inside));
            let others = above.iter().skip(1);
            change.expect.extend(others.map(|(group, _)| (group.id().any(), group.meta.version)));
            match work.commit(&permit, change, vec![event]).await {
                Ok(_) => {
                    let body = json!({ "group_id": outside.id(), "child_group_id": inside.id() });
                    return Ok(written(inside.id().to_string(), body));
                }
                Err(StoreError::Stale) => {}
                Err(StoreError::Taken(taken)) => return Err(conflict(&taken)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// The users that are directly in a group.
    pub async fn members(&self, call: &Call, id: &str, pairs: &[(String, String)]) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let group: Group = self.one(&work, Act::Read, id).await?;
        let users = self.members_of(&work, group.id()).await?;
        page_of_users(users, pairs, &work)
    }

    /// The groups that are directly inside a group.
    pub async fn nested(&self, call: &Call, id: &str, pairs: &[(String, String)]) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let group: Group = self.one(&work, Act::Read, id).await?;
        let mut views = Vec::new();
        for child in self.children(&work, group.id()).await? {
            if let Some(child) = self.inner.store.get_as::<Group>(&work.reach(), child).await? {
                views.push(forms::to_value(&keyward_model::Resource::view(&child, work.now)));
            }
        }
        page_of(views, pairs)
    }

    /// The users that are in a group or in any that is inside it, each once.
    pub async fn effective_members(
        &self,
        call: &Call,
        id: &str,
        pairs: &[(String, String)],
    ) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let group: Group = self.one(&work, Act::Read, id).await?;
        let (mut seen, mut users) = (HashSet::from([group.id()]), Vec::new());
        let mut waiting = VecDeque::from([group.id()]);
        while let Some(id) = waiting.pop_front() {
            for user in self.members_of(&work, id).await? {
                if users.iter().all(|known: &User| known.id() != user.id()) {
                    users.push(user);
                }
            }
            let children = self.children(&work, id).await?;
            waiting.extend(children.into_iter().filter(|child| seen.insert(*child)));
        }
        page_of_users(users, pairs, &work)
    }

    async fn members_of(&self, work: &Work<'_>, group: Id<Group>) -> Result<Vec<User>, Error> {
        let query = Query::all(Kind::Membership).with(Field::GroupId, FieldValue::id(Some(group)));
        let (memberships, _) = all_within::<Membership>(&*self.inner.store, &work.reach(), query).await?;
        let mut users = Vec::with_capacity(memberships.len());
        for membership in memberships {
            users.extend(self.inner.store.get_as::<User>(&work.reach(), membership.user_id).await?);
        }
        Ok(users)
    }

    async fn children(&self, work: &Work<'_>, group: Id<Group>) -> Result<Vec<Id<Group>>, Error> {
        let query = Query::all(Kind::Nesting).with(Field::GroupId, FieldValue::id(Some(group)));
        let (nestings, _) = all_within::<Nesting>(&*self.inner.store, &work.reach(), query).await?;
        Ok(nestings.iter().map(|nesting| nesting.child_id).collect())
    }
}

/// The way from `inside` up to the group that it shall go into, by name, when there is one.
fn circle(above: &[(Group, Option<Id<Group>>)], inside: Id<Group>) -> Option<String> {
    let (mut names, mut next) = (Vec::new(), Some(inside));
    while let Some(id) = next {
        let (group, below) = above.iter().find(|(group, _)| group.id() == id)?;
        names.push(group.name.clone());
        next = *below;
    }
    names.push(names.first()?.clone());
    Some(names.join(" > "))
}

fn written(id: String, body: Value) -> Written {
    Written { id, version: 1, body, has_secret: false, replayed: false }
}

fn page_of_users(users: Vec<User>, pairs: &[(String, String)], work: &Work<'_>) -> Result<Listing, Error> {
    let view = |user: User| -> UserView { keyward_model::Resource::view(&user, work.now) };
    page_of(users.into_iter().map(|user| forms::to_value(&view(user))).collect(), pairs)
}

/// One page of what is there whole.
fn page_of(all: Vec<Value>, pairs: &[(String, String)]) -> Result<Listing, Error> {
    let mut params = Params::new(pairs)?;
    let (page, per_page) = params.page()?;
    params.finish()?;
    let total = all.len() as u64;
    let skipped = (page as usize - 1).saturating_mul(per_page as usize);
    let data = all.into_iter().skip(skipped).take(per_page as usize).collect();
    Ok(Listing::of_page(data, page, per_page, total))
}
