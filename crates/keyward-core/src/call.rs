//! Who calls, and from where.

use keyward_model::{Context, Entity, Id, Owner, Reach, ScopeSet, Subject, User};
use keyward_policy::Principal;

/// Where a request comes from, for the audit log.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The caller's IP address.
    pub ip: Option<String>,
    /// The caller's `User-Agent`.
    pub user_agent: Option<String>,
    /// The request's identifier.
    pub request_id: Option<String>,
}

impl Origin {
    /// The origin as an audit event holds it.
    #[must_use]
    pub fn context(&self, credential_id: Option<String>) -> Context {
        let cut = |text: &String| {
            let clean: String = text.chars().filter(|c| !c.is_control()).take(256).collect();
            clean
        };
        Context {
            ip: self.ip.clone(),
            user_agent: self.user_agent.as_ref().map(cut),
            request_id: self.request_id.clone(),
            session_id: None,
            credential_id,
        }
    }
}

/// Somebody who authenticated for the admin API.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) principal: Principal,
    pub(crate) subject: Subject,
    pub(crate) credential_id: Option<String>,
    /// The session in which a person acts, where there is one.
    pub(crate) session_id: Option<String>,
    /// Whose the caller is: where what they are refused belongs, when it is about nothing of anybody's.
    pub(crate) place: Owner,
}

impl Caller {
    /// Somebody at the machine's command line, who holds the master key.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        Self {
            principal: Principal::Operator,
            subject: Subject::operator(name),
            credential_id: None,
            session_id: None,
            place: Owner::Platform,
        }
    }

    /// The process itself.
    #[must_use]
    pub(crate) fn system() -> Self {
        Self {
            principal: Principal::Operator,
            subject: Subject::system(),
            credential_id: None,
            session_id: None,
            place: Owner::Platform,
        }
    }

    /// A service token of an application, with the permissions that it has now.
    #[must_use]
    pub(crate) fn service(
        subject: Subject,
        global: bool,
        scopes: ScopeSet,
        credential_id: Option<String>,
        place: Owner,
    ) -> Self {
        Self {
            principal: Principal::Service { global, scopes },
            subject,
            credential_id,
            session_id: None,
            place,
        }
    }

    /// A person, with the permissions that they have now.
    #[must_use]
    pub(crate) fn user(user: &User, permissions: ScopeSet, credential_id: Option<String>) -> Self {
        Self {
            principal: Principal::user(user, permissions),
            subject: Subject::record(user.id(), &user.email),
            credential_id,
            session_id: None,
            place: user.owner(),
        }
    }

    /// A person by an application that may not administrate on their behalf: their permissions, without their tier.
    pub(crate) fn user_without_tier(
        user: &User,
        permissions: ScopeSet,
        credential_id: Option<String>,
    ) -> Self {
        let caller = Self::user(user, permissions, credential_id);
        let reach = caller.reach();
        let permissions = caller.scopes();
        Self { principal: Principal::User { tier: None, reach, permissions }, ..caller }
    }

    /// The person who calls, if it is one.
    pub(crate) fn user_id(&self) -> Option<Id<User>> {
        self.subject.id.as_deref()?.parse().ok()
    }

    /// How far the caller sees.
    #[must_use]
    pub fn reach(&self) -> Reach {
        keyward_policy::reach(&self.principal)
    }

    /// What the caller may do.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        match &self.principal {
            Principal::Operator => ScopeSet::default(),
            Principal::Service { scopes, .. } | Principal::User { permissions: scopes, .. } => scopes.clone(),
        }
    }

    /// A name that no two callers share, for idempotency keys.
    pub(crate) fn key(&self) -> String {
        format!(
            "{}:{}",
            self.subject.kind,
            self.subject.id.as_deref().or(self.subject.name.as_deref()).unwrap_or("")
        )
    }
}

/// A request to the admin API: who makes it, from where, and under which idempotency key.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// From where.
    pub origin: Origin,
    /// The `Idempotency-Key`, where the request has one.
    pub idempotency: Option<Idempotency>,
}

/// An `Idempotency-Key` and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key with the operation, for example `POST /api/v1/admin/tenants k-1`.
    pub key: String,
    /// A digest of the body: the same key with another body is refused.
    pub fingerprint: String,
}

/// What a write answers.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object's identifier.
    pub id: String,
    /// The object's version.
    pub version: i64,
    /// The object as JSON. On a replay of an idempotent request it is the object as it was answered then, without secret.
    pub body: serde_json::Value,
    /// Whether the body holds a secret that is shown this once.
    pub has_secret: bool,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    pub replayed: bool,
}
