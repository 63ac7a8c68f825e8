//! One request at work: what every administrative change needs.

use keyward_model::{
    Action, AdminRole, Changes, Context, Entity, Event, Field, FieldChange, Id, Kind, Meta, Outcome, Owner,
    Partner, Random, Reach, Role, ScopeSet, Subject, Tenant, Timestamp, User, Value as FieldValue,
};
use keyward_policy::{Action as Act, Permit, Target, decide, may_grant, may_set_tier};
use keyward_store::{Change, Revision, StoreError, StoreExt, TakenKey};
use serde_json::Value;

use crate::{Call, Error, FieldError, Keyward, sign_in::is_domain_mark};

/// A request, the moment of its decision, and what is at hand to decide it.
pub struct Work<'a> {
    pub(crate) keyward: &'a Keyward,
    pub(crate) call: &'a Call,
    pub(crate) now: Timestamp,
}

/// A record about to be written, with what belongs to it.
pub struct Draft<R> {
    pub(crate) record: R,
    /// What is written along, and what must still hold.
    pub(crate) with: Change,
    /// Events beside the resource's own.
    pub(crate) events: Vec<Event>,
    /// What changed that nobody reads: secrets. Their values do not appear.
    pub(crate) unread: Vec<FieldChange>,
    /// Members that the reply shows this once: secrets.
    pub(crate) shown: Vec<(&'static str, Value)>,
}

impl<R> Draft<R> {
    pub(crate) fn plain(record: R) -> Self {
        Self { record, with: Change::default(), events: Vec::new(), unread: Vec::new(), shown: Vec::new() }
    }
}

impl<'a> Work<'a> {
    pub(crate) fn begin(keyward: &'a Keyward, call: &'a Call) -> Self {
        Self { keyward, call, now: keyward.now() }
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.keyward.inner.random
    }

    pub(crate) fn reach(&self) -> Reach {
        self.call.caller.reach()
    }

    pub(crate) fn meta<R: keyward_model::Identified>(&self) -> Meta<R> {
        Meta::new(Id::generate(self.now, self.random()), self.now)
    }

    /// A record in its next version, as it is written when it changes: with a holder's secrets or a group's members the
    /// holder or group goes on, too, so that caches and concurrent changes learn of it.
    pub(crate) fn next<R: Entity>(&self, record: &R) -> R {
        next_version(record, self.now)
    }

    /// Asks policy. A refused change is in the audit log before this returns.
    pub(crate) async fn may(&self, action: Act, target: Target) -> Result<Permit, Error> {
        match decide(&self.call.caller.principal, action, target) {
            Ok(permit) => Ok(permit),
            Err(refusal) => {
                let error = Error::refused(&refusal, &self.call.caller.scopes());
                if !action.is_read() {
                    self.record_refusal(target).await?;
                }
                Err(error)
            }
        }
    }

    /// Writes down that a change was refused.
    pub(crate) async fn record_refusal(&self, target: Target) -> Result<(), Error> {
        let owner = target.owner.unwrap_or(self.call.caller.place);
        let kind = Subject { kind: target.kind.name().into(), id: None, name: None };
        let event = self.event(Action::ACCESS_DENIED, owner);
        let event = Event {
            outcome: Outcome::Denied,
            reason: Some("permission_denied".to_owned()),
            resource: Some(kind),
            partner_id: event.partner_id.or(self.partner_of(event.tenant_id).await?),
            ..event
        };
        self.keyward.inner.writer.append(event).await?;
        Ok(())
    }

    /// An event of the caller that is about nothing of anybody's.
    pub(crate) fn event_of(&self, action: Action) -> Event {
        self.event(action, Owner::Platform)
    }

    fn event(&self, action: Action, owner: Owner) -> Event {
        let caller = &self.call.caller;
        let partner_id = if let Owner::Partner(id) = owner { Some(id) } else { None };
        Event {
            id: Id::generate(self.now, self.random()),
            occurred_at: self.now,
            action,
            outcome: Outcome::Success,
            reason: None,
            actor: caller.subject.clone(),
            resource: None,
            tenant_id: owner.tenant(),
            partner_id,
            changes: Changes::default(),
            context: Context {
                session_id: caller.session_id.clone(),
                ..self.call.origin.context(caller.credential_id.clone())
            },
        }
    }

    /// The event that something was done to a record.
    pub(crate) fn done<R: Entity>(&self, action: Action, record: &R, changes: &[FieldChange]) -> Event {
        let event = self.event(action, record.owner());
        // A tenant that is being created or moved has no partner yet, or another, in storage.
        let own =
            if let FieldValue::Text(id) = record.value(Field::PartnerId) { id.parse().ok() } else { None };
        Event {
            resource: Some(Subject::record(record.id(), record.display_name())),
            partner_id: own.or(event.partner_id),
            changes: Changes::of(changes),
            ..event
        }
    }

    /// The record that a field of the body refers to. What the caller can't see does not exist.
    pub(crate) async fn reference<R: Entity>(&self, id: Id<R>, pointer: &str) -> Result<R, Error> {
        let found = self.keyward.inner.store.get_as(&self.reach(), id).await?;
        found.ok_or_else(|| Error::field(FieldError::unknown_reference(pointer)))
    }

    /// The partner of an owner, for events and limits: its own, or that of its tenant.
    pub(crate) async fn partner_of(&self, tenant: Option<Id<Tenant>>) -> Result<Option<Id<Partner>>, Error> {
        let Some(id) = tenant else { return Ok(None) };
        let tenant: Option<Tenant> = self.keyward.inner.store.get_as(&Reach::Platform, id).await?;
        Ok(tenant.and_then(|tenant| tenant.partner_id))
    }

    /// Refuses permissions that do not exist, or that the caller can't give to something of this owner.
    pub(crate) async fn grantable(
        &self,
        scopes: &ScopeSet,
        owner: Owner,
        pointer: &str,
    ) -> Result<(), Error> {
        let catalogue = self.keyward.inner.directory.catalogue().await?;
        let unknown = scopes.difference(&catalogue);
        if !unknown.is_empty() {
            let detail = format!("The catalogue has no permission {unknown}.");
            return Err(Error::field(FieldError::new(pointer, "unknown_permission", detail)));
        }
        let caller = &self.call.caller;
        let Err(refusal) = may_grant(&caller.principal, scopes, owner, &catalogue) else { return Ok(()) };
        let error = Error::not_grantable(&refusal, pointer, &caller.scopes());
        if error.is_forbidden() {
            self.record_refusal(Target::object(Kind::Permission, owner)).await?;
        }
        Err(error)
    }

    /// Refuses what could make the caller this person: it takes all that the person has.
    pub(crate) async fn holds_what_person_has(&self, user: &User, pointer: &str) -> Result<(), Error> {
        match self.keyward.inner.directory.person(user.id()).await? {
            Some(person) => self.grantable(&person.permissions, user.owner(), pointer).await,
            None => Ok(()),
        }
    }

    /// Refuses to touch a user above the caller's tier, or to raise one there.
    pub(crate) async fn may_set_tier(
        &self,
        from: Option<AdminRole>,
        to: Option<AdminRole>,
        owner: Owner,
    ) -> Result<(), Error> {
        let caller = &self.call.caller;
        let Err(refusal) = may_set_tier(&caller.principal, from, to) else { return Ok(()) };
        self.record_refusal(Target::object(Kind::User, owner)).await?;
        Err(Error::refused(&refusal, &caller.scopes()))
    }

    /// Refuses to hand over, or to redirect, a client that has more than the caller could give.
    pub(crate) async fn holds_what(&self, client_id: &str, owner: Owner) -> Result<(), Error> {
        let entry = self.keyward.inner.directory.client(client_id).await?;
        let Some(client) = entry.client.clone() else { return Ok(()) };
        self.grantable(&client.allowed, owner, "").await
    }

    /// Refuses a role that does not exist, belongs to another tenant than `owner`, or holds what the caller can't give.
    pub(crate) async fn grantable_role(
        &self,
        id: Id<Role>,
        owner: Owner,
        pointer: &str,
    ) -> Result<(), Error> {
        let role = self.reference(id, pointer).await?;
        if role.tenant_id.is_some() && role.tenant_id != owner.tenant() {
            return Err(Error::field(FieldError::unknown_reference(pointer)));
        }
        // A role that lost a permission from the catalogue can still be given: it no longer grants that.
        let catalogue = self.keyward.inner.directory.catalogue().await?;
        self.grantable(&role.permissions.intersection(&catalogue), owner, pointer).await
    }

    /// Commits what policy permitted.
    pub(crate) async fn commit(
        &self,
        _permit: &Permit,
        change: Change,
        mut events: Vec<Event>,
    ) -> Result<Revision, StoreError> {
        for event in &mut events {
            if event.partner_id.is_none() && event.tenant_id.is_some() {
                event.partner_id = self.partner_of(event.tenant_id).await.unwrap_or_default();
            }
        }
        self.keyward.commit(change, events).await
    }
}

/// A record in its next version.
pub(crate) fn next_version<R: Entity>(record: &R, now: Timestamp) -> R {
    let mut next = record.clone();
    next.meta_mut().version += 1;
    next.meta_mut().updated_at = now;
    next
}

/// The answer to a commit that another record or request stood in the way of.
pub(crate) fn conflict(taken: &TakenKey) -> Error {
    match taken {
        TakenKey::Record(key) => Error::Conflict {
            code: "taken",
            detail: format!("Another {} has this {} already.", key.kind().name(), key.field()),
        },
        TakenKey::Ticket(key) if is_domain_mark(key) => Error::Conflict {
            code: "taken",
            detail: format!("Another identity provider has the e-mail domain {}.", key.key),
        },
        TakenKey::Ticket(_) => Error::Conflict {
            code: "in_progress",
            detail: "The same request was made a moment ago.".to_owned(),
        },
    }
}
