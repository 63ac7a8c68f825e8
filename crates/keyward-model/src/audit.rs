//! The audit log: what happened, and the chain that proves that nothing was removed.

use std::{borrow::Cow, sync::Arc};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::{AnyId, Id, Identified, Kind, Partner, Tenant, Timestamp, meta::text_enum};

/// What was done, as `noun.past_verb`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Action(Cow<'static, str>);

macro_rules! actions {
    ($($name:ident = $text:literal, $meaning:literal;)+) => {
        impl Action {
            $(
                #[doc = $meaning]
                pub const $name: Self = Self(Cow::Borrowed($text));
            )+

            /// Every action that this version records, with its meaning.
            pub const ALL: &'static [(&'static str, &'static str)] = &[$(($text, $meaning)),+];
        }
    };
}

actions! {
    TOKEN_ISSUED = "token.issued", "An access token was issued.";
    TOKEN_DENIED = "token.denied", "A request for an access token was refused.";
    TOKEN_REVOKED = "token.revoked", "An access token was revoked before its expiry.";
    TOKENS_REVOKED = "tokens.revoked", "All access tokens up to a moment, or those of a client or tenant, were revoked.";
    TENANT_CREATED = "tenant.created", "A tenant was created.";
    TENANT_UPDATED = "tenant.updated", "A tenant was changed.";
    TENANT_DELETED = "tenant.deleted", "A tenant was deleted, and everything in it with it.";
    ROLE_CREATED = "role.created", "A role was created.";
    ROLE_UPDATED = "role.updated", "A role was changed.";
    ROLE_DELETED = "role.deleted", "A role was deleted.";
    PERMISSION_CREATED = "permission.created", "A row was added to the permission catalogue.";
    PERMISSION_UPDATED = "permission.updated", "A row of the permission catalogue was changed.";
    PERMISSION_DELETED = "permission.deleted", "A row was removed from the permission catalogue.";
    APPLICATION_CREATED = "application.created", "An application was created.";
    APPLICATION_UPDATED = "application.updated", "An application was changed.";
    APPLICATION_DELETED = "application.deleted", "An application was deleted and its credentials revoked for good.";
    APPLICATION_RENEWED = "application.renewed", "An application's expiry was moved.";
    APPLICATION_GRANTED = "application.granted", "An application's grants were replaced.";
    SECRET_CREATED = "secret.created", "A secret was made for an application.";
    SECRET_ROTATED = "secret.rotated", "A secret was given a successor, and stops after an overlap.";
    SECRET_REVOKED = "secret.revoked", "A secret was stopped for good.";
    PARTNER_CREATED = "partner.created", "A partner was created.";
    PARTNER_UPDATED = "partner.updated", "A partner was changed.";
    PARTNER_DELETED = "partner.deleted", "A partner was deleted, and its tenants and everything in them with it.";
    USER_CREATED = "user.created", "A user was created.";
    USER_UPDATED = "user.updated", "A user was changed.";
    USER_DELETED = "user.deleted", "A user was deleted.";
    USER_ROLES_REPLACED = "user.roles_replaced", "The roles of a user were replaced.";
    USER_PASSWORD_RESET = "user.password_reset", "A user's password was reset; the person must choose a new one.";
    USER_MFA_DISABLED = "user.mfa_disabled", "A user's second factor was removed.";
    USER_TOKEN_ISSUED = "user.token_issued", "A token was made for a user on the machine.";
    GROUP_CREATED = "group.created", "A group was created.";
    GROUP_UPDATED = "group.updated", "A group was changed.";
    GROUP_DELETED = "group.deleted", "A group was deleted.";
    GROUP_ROLES_REPLACED = "group.roles_replaced", "The roles of a group were replaced.";
    GROUP_MEMBER_ADDED = "group.member_added", "A user was put into a group.";
    GROUP_MEMBER_REMOVED = "group.member_removed", "A user was taken out of a group.";
    GROUP_NESTED = "group.nested", "A group was put into another.";
    GROUP_UNNESTED = "group.unnested", "A group was taken out of another.";
    IDENTITY_PROVIDER_CREATED = "identity_provider.created", "An identity provider was created.";
    IDENTITY_PROVIDER_UPDATED = "identity_provider.updated", "An identity provider was changed.";
    IDENTITY_PROVIDER_DELETED = "identity_provider.deleted", "An identity provider was deleted.";
    AGENT_CREATED = "agent.created", "An agent was created.";
    AGENT_UPDATED = "agent.updated", "An agent was changed.";
    AGENT_DELETED = "agent.deleted", "An agent was deleted and its credentials revoked for good.";
    API_KEY_CREATED = "api_key.created", "An API key was created.";
    API_KEY_UPDATED = "api_key.updated", "An API key was changed.";
    API_KEY_DELETED = "api_key.deleted", "An API key was deleted, and stopped for good with that.";
    API_KEY_ROTATED = "api_key.rotated", "An API key got a successor.";
    API_KEY_REVOKED = "api_key.revoked", "An API key was stopped for good; by the system when nobody used it any more.";
    API_KEY_DENIED = "api_key.denied", "An API key was refused.";
    TENANT_KEY_REPLACED = "tenant.publishable_key_replaced", "A tenant's publishable key was replaced.";
    CREDENTIAL_TESTED = "credential.tested", "A key or token was tried out in the console.";
    SIGN_IN_POLICY_CHANGED = "sign_in_policy.changed", "The sign-in policy was changed.";
    SESSION_REVOKED = "session.revoked", "A session was ended.";
    SIGN_IN_SUCCEEDED = "sign_in.succeeded", "A person signed in.";
    SIGN_IN_FAILED = "sign_in.failed", "Somebody failed to sign in; the reason says at what.";
    SIGN_OUT_SUCCEEDED = "session.signed_out", "A person signed out.";
    SESSION_STEPPED_UP = "session.stepped_up", "A person who was signed in proved once more who they are.";
    USER_PASSWORD_CHANGED = "user.password_changed", "A person chose a new password.";
    USER_PASSWORD_LINK_MADE = "user.password_link_made", "A one-time link for choosing a password was made.";
    USER_PREFERENCES_CHANGED = "user.preferences_changed", "A person chose how they want pages.";
    USER_MFA_ENABLED = "user.mfa_enabled", "A person set up a second factor.";
    USER_RECOVERY_CODES_REPLACED = "user.recovery_codes_replaced", "A person got new recovery codes.";
    USER_IDENTITY_LINKED = "user.identity_linked", "A person's account at an identity provider was linked.";
    USER_IDENTITY_UNLINKED = "user.identity_unlinked", "A person's account at an identity provider is no longer linked.";
    IDENTITY_PROVIDER_TESTED = "identity_provider.tested", "An identity provider was tried out.";
    AUTHORIZATION_GRANTED = "authorization.granted", "An application was given a code for a person who is signed in.";
    AUTHORIZATION_DENIED = "authorization.denied", "An application was refused a code.";
    REFRESH_TOKEN_REVOKED = "refresh_token.revoked", "A refresh token and all its successors were ended.";
    AUDIT_EXPORTED = "audit.exported", "Events of the audit log were exported.";
    APPLICATION_EXPIRING = "application.expiring", "An application expires within 30, 14, 7 or 1 days.";
    SIGNING_KEY_CREATED = "signing_key.created", "A signing key was made.";
    SIGNING_KEY_LISTED = "signing_key.listed", "The signing keys were listed.";
    SIGNING_KEY_RETIRED = "signing_key.retired", "A signing key was given its date of retirement.";
    ACCESS_DENIED = "access.denied", "A write through the admin API was refused with 403.";
    CHAIN_OPENED = "chain.opened", "A process began a chain of the audit log; lists the heads of the chains before it.";
    CHAIN_CHECKPOINTED = "chain.checkpointed", "The chain so far was signed.";
}

impl Action {
    /// An action by its text, for example one that a newer version wrote.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(Cow::Owned(text))
    }

    /// The action as `noun.past_verb`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
    /// It was allowed and could not be done.
    Failure,
}

text_enum!(Outcome { Success = "success", Denied = "denied", Failure = "failure" });

/// Who or what an event is about: an actor or a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Subject {
    /// `application`, `user`, `tenant`, `token`, `system`, …
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The identifier; for a token its `jti`.
    pub id: Option<String>,
    /// What it was called at the time.
    pub name: Option<String>,
}

impl Subject {
    /// The process itself, acting on nobody's behalf.
    #[must_use]
    pub fn system() -> Self {
        Self { kind: "system".into(), id: None, name: None }
    }

    /// Somebody at the machine's command line.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        Self { kind: "operator".into(), id: None, name: Some(name.to_owned()) }
    }

    /// A person of whom nothing is known.
    #[must_use]
    pub fn somebody() -> Self {
        Self { kind: "user".into(), id: None, name: None }
    }

    /// A record.
    #[must_use]
    pub fn record(id: impl Into<AnyId>, name: &str) -> Self {
        let id = id.into();
        Self { kind: id.kind.name().into(), id: Some(id.to_string()), name: Some(name.to_owned()) }
    }

    /// A token.
    #[must_use]
    pub fn token(jti: &str) -> Self {
        Self { kind: "token".into(), id: Some(jti.to_owned()), name: None }
    }
}

/// A field that changed. Secrets never appear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The field's name.
    pub field: String,
    /// Its value before; null when there was none.
    #[schema(value_type = Value)]
    pub from: Json,
    /// Its value afterwards; null when there is none.
    #[schema(value_type = Value)]
    pub to: Json,
}

/// The changes of an event as the JSON text that is stored and hashed. Shared, because many events have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Changes(Arc<str>);

impl Changes {
    /// The text of these changes; empty when there are none.
    #[must_use]
    pub fn of(changes: &[FieldChange]) -> Self {
        if changes.is_empty() {
            return Self::default();
        }
        // Serialising strings and JSON values can't fail; should it ever, the event is kept without them.
        Self(serde_json::to_string(changes).unwrap_or_default().into())
    }

    /// The changes as they were stored.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(text.into())
    }

    /// The stored text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The changes one by one; empty when the text was tampered with.
    #[must_use]
    pub fn list(&self) -> Vec<FieldChange> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// Where an event came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Context {
    /// The caller's IP address.
    pub ip: Option<String>,
    /// The caller's `User-Agent`, cut to 256 characters.
    pub user_agent: Option<String>,
    /// The request's `X-Request-Id`.
    pub request_id: Option<String>,
    /// The session, for people.
    pub session_id: Option<String>,
    /// The credential that was used.
    pub credential_id: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The identifier, `evt_…`; sorts by time.
    pub id: Id<Event>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a word for programs.
    pub reason: Option<String>,
    /// Who did it.
    pub actor: Subject,
    /// What it was done to.
    pub resource: Option<Subject>,
    /// The tenant of the resource.
    pub tenant_id: Option<Id<Tenant>>,
    /// The partner of the resource.
    pub partner_id: Option<Id<Partner>>,
    /// What changed.
    pub changes: Changes,
    /// Where it came from.
    pub context: Context,
}

impl Identified for Event {
    const KIND: Kind = Kind::Event;
}

impl Event {
    /// How it is read, with its hash in the chain.
    #[must_use]
    pub fn view(&self, hash: &[u8; 32]) -> EventView {
        EventView {
            id: self.id,
            occurred_at: self.occurred_at,
            action: self.action.as_str().to_owned(),
            result: self.outcome,
            reason: self.reason.clone(),
            actor: self.actor.clone(),
            resource: self.resource.clone(),
            tenant_id: self.tenant_id,
            partner_id: self.partner_id,
            changes: self.changes.list(),
            context: self.context.clone(),
            hash: hex(hash),
        }
    }
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// An event with its place in a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainedEvent {
    /// What happened.
    pub event: Event,
    /// The chain, which belongs to one run of one process.
    pub chain: String,
    /// 1 for the first event of the chain, then one more each.
    pub seq: i64,
    /// SHA-256 of the hash before (32 zero bytes at first), the chain's name, `seq` and the event's canonical bytes.
    pub hash: [u8; 32],
}

/// The last event of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The chain.
    pub chain: String,
    /// When its first event was written.
    pub opened_at: Timestamp,
    /// When its last event was written.
    pub updated_at: Timestamp,
    /// The last event's number.
    pub seq: i64,
    /// The last event's hash.
    pub hash: [u8; 32],
    /// Up to which number its events are counted in the evidence of use.
    pub usage_seq: i64,
}

/// How often an address used a credential on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The credential.
    pub subject: AnyId,
    /// The day, in UTC.
    pub day: NaiveDate,
    /// The caller's IP address.
    pub address: String,
    /// How often.
    pub count: u64,
    /// How often the caller had no token that was still good: tokens needed, against `count` tokens issued.
    pub needed: u64,
    /// When first.
    pub first_used_at: Timestamp,
    /// When last.
    pub last_used_at: Timestamp,
}

/// An event as it is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// The identifier, `evt_…`; sorts by time.
    #[schema(value_type = String)]
    pub id: Id<Event>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    /// What was done, as `noun.past_verb`.
    #[schema(example = "token.issued")]
    pub action: String,
    /// How it ended.
    pub result: Outcome,
    /// Why, in a word for programs.
    pub reason: Option<String>,
    /// Who did it.
    pub actor: Subject,
    /// What it was done to.
    pub resource: Option<Subject>,
    /// The tenant of the resource.
    #[schema(value_type = Option<String>)]
    pub tenant_id: Option<Id<Tenant>>,
    /// The partner of the resource.
    #[schema(value_type = Option<String>)]
    pub partner_id: Option<Id<Partner>>,
    /// What changed.
    pub changes: Vec<FieldChange>,
    /// Where it came from.
    pub context: Context,
    /// The event's hash in its chain, in hexadecimal.
    pub hash: String,
}
