//! People's accounts at identity providers: found by provider and subject alone, made where the provider may, and given
//! the roles that its claims come to.

use keyward_model::{
    Action, AdminRole, Authenticators, Entity, Event, FederatedIdentity, Id, IdentityProvider, Meta, Owner,
    Reach, Role, Status, Timestamp, UniqueKey, User,
};
use keyward_policy::{Principal, liveness, may_grant, may_vouch};
use keyward_store::{Change, StoreError, StoreExt, TakenKey};
use serde_json::{Map, Value, json};
use validator::ValidateEmail;

use super::{NewSession, SignInError, SignedIn, sessions::Opening};
use crate::{
    Arrival, Call, Caller, Keyward, Origin,
    admin::{Work, limits, next_version},
    directory::Person,
};

/// The roles that a claim's value comes to, by claim and value.
type Mapping = Vec<(String, String, Vec<Id<Role>>)>;

fn mapping(config: &Value) -> Mapping {
    let mut all = Vec::new();
    let members = ["claim_roles", "attribute_roles"].into_iter().filter_map(|name| config[name].as_object());
    for (claim, values) in members.flatten() {
        for (value, roles) in values.as_object().into_iter().flatten() {
            let ids = roles.as_array().into_iter().flatten().filter_map(Value::as_str);
            all.push((claim.clone(), value.clone(), ids.filter_map(|id| id.parse().ok()).collect()));
        }
    }
    all
}

/// Whether a claim has a value, or holds it in a list.
fn says(claims: &Map<String, Value>, claim: &str, value: &str) -> bool {
    match claims.get(claim) {
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(value)),
        Some(Value::Bool(flag)) => value == if *flag { "true" } else { "false" },
        Some(single) => single.as_str() == Some(value),
        None => false,
    }
}

/// What the administrator of what a provider belongs to could give away.
fn giver(owner: Owner) -> Principal {
    let (tier, reach) = match owner {
        Owner::Tenant(id) => (AdminRole::TenantAdmin, Reach::Tenant(id)),
        Owner::Partner(id) => (AdminRole::PartnerAdmin, Reach::Partner(id)),
        Owner::Platform | Owner::Everyone => (AdminRole::SuperAdmin, Reach::Platform),
    };
    Principal::User { tier: Some(tier), reach, permissions: keyward_model::ScopeSet::default() }
}

impl Keyward {
    pub(super) async fn identity(
        &self,
        provider: &IdentityProvider,
        subject: &str,
    ) -> Result<Option<FederatedIdentity>, StoreError> {
        let key = UniqueKey::SubjectAtProvider { provider: provider.id(), subject: subject.to_owned() };
        self.inner.store.find_as(&Reach::Platform, &key).await
    }

    /// The roles that claims come to: those of the provider's mapping that exist, belong where the provider belongs, and
    /// that its administrators could give themselves.
    pub(super) async fn mapped_roles(
        &self,
        provider: &IdentityProvider,
        claims: &Map<String, Value>,
    ) -> Result<Vec<Id<Role>>, SignInError> {
        let said =
            mapping(&provider.config).into_iter().filter(|(claim, value, _)| says(claims, claim, value));
        let wanted: Vec<Id<Role>> = said.flat_map(|(_, _, roles)| roles).collect();
        self.grantable_by(provider, &wanted).await
    }

    async fn grantable_by(
        &self,
        provider: &IdentityProvider,
        wanted: &[Id<Role>],
    ) -> Result<Vec<Id<Role>>, SignInError> {
        let catalogue = self.inner.directory.catalogue().await?;
        let (owner, mut roles) = (provider.owner(), Vec::new());
        for id in wanted {
            let role: Option<Role> = self.inner.store.get_as(&Reach::Platform, *id).await?;
            let Some(role) = role else { continue };
            let is_here = role.tenant_id.is_none() || role.tenant_id == owner.tenant();
            let given = role.permissions.intersection(&catalogue);
            if is_here && may_grant(&giver(owner), &given, owner, &catalogue).is_ok() && !roles.contains(id) {
                roles.push(*id);
            }
        }
        Ok(roles)
    }

    /// Signs the person in who arrived from a provider; makes the account where there is none and the provider may.
    pub(super) async fn sign_in_by(
        &self,
        provider: &IdentityProvider,
        arrival: &Arrival,
        once: Change,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<NewSession, SignInError> {
        let (person, change, mut events) = match self.identity(provider, &arrival.subject).await? {
            Some(identity) => self.known(provider, &identity, arrival, once, origin, now).await?,
            None => self.unknown(provider, arrival, once, origin).await?,
        };
        liveness::user(&person.user, person.above())
            .map_err(|dead| SignInError::NotAllowed(dead.message()))?;
        let opening = Opening {
            person: &person,
            method: provider.kind.as_str(),
            provider: Some(provider.id()),
            amr: vec!["fed".to_owned()],
        };
        let (new, session, event) = self.open(opening, origin, now);
        events.push(event);
        match self.commit(change.create(session), events).await {
            Ok(_) => Ok(new),
            Err(StoreError::Taken(TakenKey::Record(UniqueKey::UserEmail(_)))) => Err(address_is_taken()),
            // The answer was used before, or somebody changed the person at the same moment.
            Err(StoreError::Taken(_) | StoreError::Stale) => Err(SignInError::OutOfDate),
            Err(error) => Err(error.into()),
        }
    }

    /// The person whose account it is, with the roles that the provider says now.
    async fn known(
        &self,
        provider: &IdentityProvider,
        identity: &FederatedIdentity,
        arrival: &Arrival,
        change: Change,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(Person, Change, Vec<Event>), SignInError> {
        let gone = || SignInError::NotAllowed("The account was deleted. Ask your administrator.".to_owned());
        let person = self.inner.directory.person(identity.user_id).await?.ok_or_else(gone)?;
        vouched(provider, &person)?;
        let change = if identity.email == arrival.email {
            change
        } else {
            let next = FederatedIdentity { email: arrival.email.clone(), ..next_version(identity, now) };
            change.replace(identity.meta.version, next)
        };
        let user = &person.user;
        let governed: Vec<Id<Role>> =
            mapping(&provider.config).into_iter().flat_map(|(_, _, ids)| ids).collect();
        let mut roles: Vec<Id<Role>> =
            user.roles.iter().copied().filter(|role| !governed.contains(role)).collect();
        for role in self.mapped_roles(provider, &arrival.claims).await? {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        let (mut before, mut after) = (user.roles.clone(), roles.clone());
        before.sort_unstable();
        after.sort_unstable();
        // A provider of one tenant says nothing about people of another.
        if before == after || provider.owner() != user.owner() {
            return Ok((copy(&person), change, Vec::new()));
        }
        let call = Call { caller: Caller::system(), origin: origin.clone(), idempotency: None };
        let work = Work::begin(self, &call);
        let next = User { roles, ..work.next(user) };
        let change = change.replace(user.meta.version, next.clone());
        let change = work.told(change, user, &next).await?;
        let changed = keyward_model::FieldChange {
            field: "roles".to_owned(),
            from: json!(user.roles),
            to: json!(next.roles),
        };
        let mut event = work.done(Action::USER_ROLES_REPLACED, &next, &[changed]);
        event.partner_id = person.partner_id();
        Ok((Person { user: next, ..copy(&person) }, change, vec![event]))
    }

    /// A new person, where the provider may make people.
    async fn unknown(
        &self,
        provider: &IdentityProvider,
        arrival: &Arrival,
        change: Change,
        origin: &Origin,
    ) -> Result<(Person, Change, Vec<Event>), SignInError> {
        let refuse = |detail: &str| Err(SignInError::NotAllowed(detail.to_owned()));
        if provider.config["create_users"].as_bool() != Some(true) {
            return refuse("There is no account for you here. Ask your administrator to invite you.");
        }
        let Some(email) = arrival.email.clone().filter(ValidateEmail::validate_email) else {
            return refuse("The identity provider did not say your e-mail address.");
        };
        let call = Call { caller: Caller::system(), origin: origin.clone(), idempotency: None };
        let work = Work::begin(self, &call);
        let name = arrival.name.clone().unwrap_or_else(|| email.clone());
        let user = User {
            meta: work.meta(),
            name: name.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).take(200).collect(),
            email,
            admin_role: None,
            partner_id: provider.partner_id,
            tenant_id: provider.tenant_id,
            status: Status::Active,
            custom_attributes: json!({}),
            roles: self.mapped_roles(provider, &arrival.claims).await?,
            valid_after: None,
            preferences: keyward_model::Preferences::default(),
        };
        let identity = identity_of(&user, provider, arrival, work.meta());
        let mut with = change;
        limits::users(&work, &user, &mut with).await?;
        let partner_id = work.partner_of(user.tenant_id).await?.or(user.partner_id);
        let (tenant, partner) = self.place_of(&user, partner_id).await?;
        let mut event = work.done(Action::USER_CREATED, &user, &[]);
        event.reason = Some("identity_provider".to_owned());
        event.partner_id = partner_id;
        let permissions = keyward_model::ScopeSet::default();
        let person =
            Person { user: user.clone(), tenant, partner, tenants: None, roles: Vec::new(), permissions };
        Ok((person, with.create(user).create(identity), vec![event]))
    }

    async fn place_of(
        &self,
        user: &User,
        partner: Option<Id<keyward_model::Partner>>,
    ) -> Result<(Option<keyward_model::Tenant>, Option<keyward_model::Partner>), StoreError> {
        let store = &self.inner.store;
        let tenant = match user.tenant_id {
            Some(id) => store.get_as(&Reach::Platform, id).await?,
            None => None,
        };
        let partner = match partner {
            Some(id) => store.get_as(&Reach::Platform, id).await?,
            None => None,
        };
        Ok((tenant, partner))
    }

    /// Links an account to the person who is signed in and has just proven who they are.
    pub(super) async fn link(
        &self,
        signed_in: &SignedIn,
        provider: &IdentityProvider,
        arrival: &Arrival,
        once: Change,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), SignInError> {
        if self.needs_step_up(signed_in) {
            return Err(SignInError::StepUpNeeded);
        }
        let user = &signed_in.person.user;
        vouched(provider, &signed_in.person)?;
        let meta = Meta::new(Id::generate(now, self.random()), now);
        let identity = identity_of(user, provider, arrival, meta);
        let event = self.person_event(Action::USER_IDENTITY_LINKED, &signed_in.person, origin, now);
        match self.commit(once.create(identity), vec![event]).await {
            Ok(_) => Ok(()),
            Err(StoreError::Taken(TakenKey::Record(_))) => {
                Err(SignInError::NotAllowed("This account is linked to a person already.".to_owned()))
            }
            Err(StoreError::Taken(_) | StoreError::Stale) => Err(SignInError::OutOfDate),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the link to an account elsewhere, unless it is the only way in.
    pub async fn unlink(&self, signed_in: &SignedIn, id: &str, origin: &Origin) -> Result<(), SignInError> {
        if self.needs_step_up(signed_in) {
            return Err(SignInError::StepUpNeeded);
        }
        let now = self.now();
        let user = signed_in.person.user.id();
        let identities = self.identities(user).await?;
        let wanted = identities.iter().find(|identity| identity.id().to_string() == id);
        let identity = wanted.ok_or(SignInError::OutOfDate)?;
        let stored: Option<Authenticators> = self.authenticators_of(user).await?;
        if identities.len() == 1 && stored.is_none_or(|stored| stored.password.is_none()) {
            let detail = "Choose a password first: this is the only way in which you can sign in.".to_owned();
            return Err(SignInError::NotAllowed(detail));
        }
        let mut gone = next_version(identity, now);
        gone.meta.deleted_at = Some(now);
        let event = self.person_event(Action::USER_IDENTITY_UNLINKED, &signed_in.person, origin, now);
        self.settle(
            Change::default().replace(identity.meta.version, gone),
            vec![event],
            SignInError::OutOfDate,
        )
        .await
    }
}

/// Refuses a provider that may not say who the person is: one that is another's, or that somebody below the person runs.
pub(super) fn vouched(provider: &IdentityProvider, person: &Person) -> Result<(), SignInError> {
    if may_vouch(provider.owner(), person.user.owner(), person.partner_id()) {
        return Ok(());
    }
    Err(SignInError::NotAllowed("This identity provider is for others.".to_owned()))
}

fn identity_of(
    user: &User,
    provider: &IdentityProvider,
    arrival: &Arrival,
    meta: Meta<FederatedIdentity>,
) -> FederatedIdentity {
    FederatedIdentity {
        meta,
        user_id: user.id(),
        partner_id: user.partner_id,
        tenant_id: user.tenant_id,
        provider_id: provider.id(),
        subject: arrival.subject.clone(),
        email: arrival.email.clone(),
    }
}

fn address_is_taken() -> SignInError {
    let detail =
        "There is an account with your address already. Sign in to it, then link this one under My account.";
    SignInError::NotAllowed(detail.to_owned())
}

/// The person without roles and permissions, which a sign-in does not need.
fn copy(person: &Person) -> Person {
    Person {
        user: person.user.clone(),
        tenant: person.tenant.clone(),
        partner: person.partner.clone(),
        tenants: person.tenants.clone(),
        roles: Vec::new(),
        permissions: keyward_model::ScopeSet::default(),
    }
}
