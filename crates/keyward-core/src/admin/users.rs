//! Rules of users, their roles, and what those come to.

use keyward_model::{
    Action, AdminRole, Authenticators, EditUser, Entity, Field, Group, Id, Kind, NewUser, Owner, Reach, Role,
    Scope, Status, Timestamp, User, Value as FieldValue,
};
use keyward_policy::Action as Act;
use keyward_store::{Change, Condition, Guard, Query, Test};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Administered, Document, Draft, IfMatch, Work, limits, next_version};
use crate::{Call, Error, FieldError, Keyward, forms, sign_in::without_factor};

impl Administered for User {
    const COLLECTION: &'static str = "users";
    const CREATED: Action = Action::USER_CREATED;
    const UPDATED: Action = Action::USER_UPDATED;
    const DELETED: Action = Action::USER_DELETED;

    async fn create(work: &Work<'_>, new: NewUser) -> Result<Draft<Self>, Error> {
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name.unwrap_or_else(|| new.email.clone()),
            email: new.email,
            admin_role: new.admin_role,
            partner_id: new.partner_id,
            tenant_id: new.tenant_id,
            status: new.status,
            custom_attributes: new.custom_attributes,
            roles: Vec::new(),
            valid_after: None,
            preferences: keyward_model::Preferences::default(),
        });
        has_its_place(&draft.record)?;
        belongs(work, &mut draft).await?;
        work.may_set_tier(None, draft.record.admin_role, draft.record.owner()).await?;
        limits::users(work, &draft.record, &mut draft.with).await?;
        Ok(draft)
    }

    async fn update(work: &Work<'_>, current: &Self, edit: EditUser) -> Result<Draft<Self>, Error> {
        work.may_set_tier(current.admin_role, edit.admin_role, current.owner()).await?;
        // Whoever decides where reset links go could become this person.
        if edit.email != current.email {
            work.holds_what_person_has(current, "/email").await?;
        }
        let mut draft = Draft::plain(Self {
            email: edit.email,
            name: edit.name,
            admin_role: edit.admin_role,
            status: edit.status,
            custom_attributes: edit.custom_attributes,
            ..current.clone()
        });
        has_its_place(&draft.record)?;
        let falls = draft.record.status == Status::Disabled || draft.record.admin_role < current.admin_role;
        if falls && work.call.caller.user_id() == Some(current.id()) {
            return Err(locks_out());
        }
        if is_acting_super_admin(current) && !is_acting_super_admin(&draft.record) {
            draft.with.guards.push(one_super_admin_stays(work).await?);
        }
        Ok(draft)
    }

    async fn delete(work: &Work<'_>, current: &Self) -> Result<Change, Error> {
        work.may_set_tier(current.admin_role, current.admin_role, current.owner()).await?;
        if work.call.caller.user_id() == Some(current.id()) {
            return Err(locks_out());
        }
        let mut change = work.without_ways_in(current).await?;
        if is_acting_super_admin(current) {
            change.guards.push(one_super_admin_stays(work).await?);
        }
        Ok(change)
    }
}

fn locks_out() -> Error {
    let detail = "Nobody disables, demotes or deletes themselves: ask another administrator.".to_owned();
    Error::Conflict { code: "self_lockout", detail }
}

fn is_acting_super_admin(user: &User) -> bool {
    user.admin_role == Some(AdminRole::SuperAdmin) && user.status == Status::Active
}

/// The bound by which the last super admin stays.
async fn one_super_admin_stays(work: &Work<'_>) -> Result<Guard, Error> {
    let is = |field, text: &str| (field, FieldValue::text(text));
    let wanted =
        [is(Field::AdminRole, AdminRole::SuperAdmin.as_str()), is(Field::Status, Status::Active.as_str())];
    let mut query = Query { per_page: 1, ..Query::all(Kind::User) };
    query.conditions =
        wanted.into_iter().map(|(field, value)| Condition { field, test: Test::Is(value) }).collect();
    if work.keyward.inner.store.list(&Reach::Platform, &query).await?.total < 2 {
        let detail = "This is the last super admin.".to_owned();
        return Err(Error::Conflict { code: "last_super_admin", detail });
    }
    Ok(Guard { kind: Kind::User, conditions: query.conditions, at_least: 1, at_most: u64::MAX })
}

/// Refuses a tier without its place in the hierarchy.
fn has_its_place(user: &User) -> Result<(), Error> {
    let refuse = |detail: &str| Err(Error::field(FieldError::new("/admin_role", "contradiction", detail)));
    match (user.admin_role, user.partner_id, user.tenant_id) {
        (_, Some(_), Some(_)) => {
            let detail = "A user belongs to a tenant or to a partner, not to both.";
            Err(Error::field(FieldError::new("/partner_id", "contradiction", detail)))
        }
        (Some(AdminRole::SuperAdmin), None, None)
        | (Some(AdminRole::PartnerAdmin), Some(_), None)
        | (Some(AdminRole::TenantAdmin), None, Some(_))
        | (None, ..) => Ok(()),
        (Some(AdminRole::SuperAdmin), ..) => refuse("A super_admin belongs to no partner and no tenant."),
        (Some(AdminRole::PartnerAdmin), ..) => {
            refuse("A partner_admin needs a partner_id, and no tenant_id.")
        }
        (Some(AdminRole::TenantAdmin), ..) => refuse("A tenant_admin needs a tenant_id, and no partner_id."),
    }
}

async fn belongs(work: &Work<'_>, draft: &mut Draft<User>) -> Result<(), Error> {
    if let Some(id) = draft.record.tenant_id {
        let tenant = work.reference(id, "/tenant_id").await?;
        draft.with.expect.push((id.any(), tenant.meta.version));
    }
    if let Some(id) = draft.record.partner_id {
        let partner = work.reference(id, "/partner_id").await?;
        draft.with.expect.push((id.any(), partner.meta.version));
    }
    Ok(())
}

/// The body that replaces roles.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Roles)]
pub struct RolesBody {
    /// All roles that there shall be.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Id<Role>>,
}

/// A permission of a user, and where it comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EffectivePermission)]
pub struct EffectivePermissionView {
    /// The permission.
    #[schema(value_type = String)]
    pub permission: Scope,
    /// Every role that gives it.
    pub sources: Vec<SourceView>,
}

/// A role that gives a permission, and the way by which it reaches the user.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PermissionSource)]
pub struct SourceView {
    /// `user` for a role that was given directly, `group` for one that comes through groups.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The role.
    #[schema(value_type = String)]
    pub role_id: Id<Role>,
    /// Its name.
    pub role_name: String,
    /// The groups, from the one that the user is in to the one that has the role.
    #[schema(value_type = Vec<String>)]
    pub groups: Vec<Id<Group>>,
}

impl Keyward {
    /// Replaces the roles of a user.
    pub async fn put_user_roles(
        &self,
        call: &Call,
        id: &str,
        body: Value,
        condition: Option<IfMatch>,
    ) -> Result<Document, Error> {
        let body: RolesBody = forms::decode(body)?;
        let event = Action::USER_ROLES_REPLACED;
        self.change::<User, _>(call, id, condition, Act::Act("put_roles"), event, async |work, current| {
            work.may_set_tier(current.admin_role, current.admin_role, current.owner()).await?;
            work.new_roles(&current.roles, &body.roles, current.owner(), "/roles").await?;
            Ok(Draft::plain(User { roles: body.roles.clone(), ..current.clone() }))
        })
        .await
    }

    /// Makes a user's password void, and ends what was opened with it.
    pub async fn reset_password(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let act = Act::Act("reset_password");
        let document = self
            .invalidate(call, id, act, Action::USER_PASSWORD_RESET, |stored, now| Authenticators {
                password: None,
                // Not none: links that were made before there was a password would work again.
                password_changed_at: Some(now),
                ..next_version(stored, now)
            })
            .await?;
        if self.sends_mail() {
            self.send_link_to(document.body["email"].as_str().unwrap_or_default(), &call.origin);
        }
        Ok(document)
    }

    /// Sends a user a link by which they choose a password.
    pub async fn invite(&self, call: &Call, id: &str) -> Result<(), Error> {
        let work = Work::begin(self, call);
        let user: User = self.one(&work, Act::Act("reset_password"), id).await?;
        work.may_set_tier(user.admin_role, user.admin_role, user.owner()).await?;
        if !self.sends_mail() {
            let detail =
                "This server sends no mail. Print a link with: keyward admin password-link".to_owned();
            return Err(Error::Conflict { code: "no_mail", detail });
        }
        self.send_link_to(&user.email, &call.origin);
        Ok(())
    }

    /// Removes a user's second factor, and ends what was opened with it.
    pub async fn disable_mfa(&self, call: &Call, id: &str) -> Result<Document, Error> {
        self.invalidate(call, id, Act::Act("disable_mfa"), Action::USER_MFA_DISABLED, without_factor).await
    }

    async fn invalidate(
        &self,
        call: &Call,
        id: &str,
        act: Act,
        event: Action,
        left: impl Fn(&Authenticators, Timestamp) -> Authenticators,
    ) -> Result<Document, Error> {
        self.change::<User, _>(call, id, None, act, event, async |work, current| {
            work.may_set_tier(current.admin_role, current.admin_role, current.owner()).await?;
            let mut draft = Draft::plain(User { valid_after: Some(work.now), ..current.clone() });
            if let Some(stored) = self.authenticators_of(current.id()).await? {
                draft.with = draft.with.replace(stored.meta.version, left(&stored, work.now));
            }
            Ok(draft)
        })
        .await
    }

    /// What a user may do, each permission with its sources.
    pub async fn effective_permissions(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let user: User = self.one(&work, Act::Read, id).await?;
        let person = self.inner.directory.person(user.id()).await?.ok_or(Error::NotFound)?;
        let views: Vec<EffectivePermissionView> = person
            .permissions
            .iter()
            .map(|permission| EffectivePermissionView {
                permission: permission.clone(),
                sources: person
                    .roles
                    .iter()
                    .filter(|held| held.permissions.contains(permission.as_str()))
                    .map(|held| SourceView {
                        kind: if held.through.is_empty() { "user" } else { "group" },
                        role_id: held.role.id(),
                        role_name: held.role.name.clone(),
                        groups: held.through.iter().map(Entity::id).collect(),
                    })
                    .collect(),
            })
            .collect();
        Ok(Document { body: json!({ "data": views }), version: None })
    }
}

impl Work<'_> {
    /// The change that removes what a user signs in with.
    async fn without_ways_in(&self, user: &User) -> Result<Change, Error> {
        let mut change = Change::default();
        if let Some(stored) = self.keyward.authenticators_of(user.id()).await? {
            let mut gone = self.next(&stored);
            gone.meta.deleted_at = Some(self.now);
            change = change.replace(stored.meta.version, gone);
        }
        for identity in self.keyward.identities(user.id()).await? {
            let mut gone = self.next(&identity);
            gone.meta.deleted_at = Some(self.now);
            change = change.replace(identity.meta.version, gone);
        }
        Ok(change)
    }

    /// Refuses roles that the caller can't give, those aside that are there already; and roles that are named twice.
    pub(crate) async fn new_roles(
        &self,
        current: &[Id<Role>],
        wanted: &[Id<Role>],
        owner: Owner,
        pointer: &str,
    ) -> Result<(), Error> {
        for (index, id) in wanted.iter().enumerate() {
            let at = format!("{pointer}/{index}");
            if wanted[..index].contains(id) {
                return Err(Error::field(FieldError::new(at, "repeated", "The role is listed already.")));
            }
            if !current.contains(id) {
                self.grantable_role(*id, owner, &at).await?;
            }
        }
        Ok(())
    }
}
