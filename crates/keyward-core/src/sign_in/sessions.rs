//! Sessions: who is signed in, found by a cookie.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_crypto::digest;
use keyward_model::{
    Action, AdminRole, Changes, Entity, Event, Field, Id, Kind, Meta, Outcome, Reach, Session, Subject,
    Timestamp, User, Value,
};
use keyward_policy::liveness;
use keyward_store::{Change, Query, StoreError, StoreExt};

use super::SignInError;
use crate::{
    Call, Caller, Keyward, Origin,
    admin::{ATTEMPTS, Work, next_version},
    directory::{Person, SessionMark, all},
};

/// How often a session's last use is written down, in seconds.
const TOUCH: i64 = 60;

/// Somebody who is signed in.
#[derive(Clone)]
pub struct SignedIn {
    pub(crate) session: Session,
    pub(crate) person: Arc<Person>,
}

/// A session that was just opened, or went on under another cookie.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The value of the cookie.
    pub cookie: String,
    /// The session's identifier.
    pub id: String,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// What the browser keeps to be known by later, when the session is gone.
    pub device: String,
    /// How many recovery codes are left, when one of them was used.
    pub recovery_codes_left: Option<usize>,
}

/// What a session begins with.
pub(super) struct Opening<'a> {
    pub(super) person: &'a Person,
    pub(super) method: &'static str,
    pub(super) provider: Option<Id<keyward_model::IdentityProvider>>,
    pub(super) amr: Vec<String>,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("session", &self.session.id()).finish_non_exhaustive()
    }
}

impl SignedIn {
    /// The session's identifier.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.session.id().to_string()
    }

    /// The person's identifier.
    #[must_use]
    pub fn user_id(&self) -> String {
        self.person.user.id().to_string()
    }

    /// The person's address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.person.user.email
    }

    /// What the person is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.person.user.name
    }

    /// The person's tier of administration, if any.
    #[must_use]
    pub fn admin_role(&self) -> Option<AdminRole> {
        self.person.user.admin_role
    }

    /// What the person belongs to, in words: a tenant, a partner, or the platform.
    #[must_use]
    pub fn scope_name(&self) -> String {
        let tenant = self.person.tenant.as_ref().map(|tenant| tenant.name.clone());
        let partner = self.person.partner.as_ref().map(|partner| partner.name.clone());
        tenant.or(partner).unwrap_or_else(|| "the platform".to_owned())
    }

    /// The names of the person's roles, through groups included, each once.
    #[must_use]
    pub fn role_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.person.roles.iter().map(|held| held.role.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The identity provider by which the person signed in, if they did.
    #[must_use]
    pub fn provider_id(&self) -> Option<String> {
        self.session.provider_id.map(|id| id.to_string())
    }

    /// When the person last proved who they are.
    #[must_use]
    pub fn authenticated_at(&self) -> Timestamp {
        self.session.authenticated_at
    }

    /// The person as a caller of the admin API.
    #[must_use]
    pub fn caller(&self) -> Caller {
        let credential = Some(self.session_id());
        let caller = Caller::user(&self.person.user, self.person.permissions.clone(), credential.clone());
        Caller { session_id: credential, ..caller }
    }

    /// A text that only pages of this session know, to tell their forms from those of others.
    #[must_use]
    pub fn form_token(&self) -> String {
        form_token(&self.session.hash)
    }
}

fn form_token(of: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::sha256(&[b"form ".as_slice(), of].concat()))
}

/// 256 random bits as a text.
pub(super) fn random_text(keyward: &Keyward) -> String {
    let mut bytes = [0; 32];
    keyward.random().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Keyward {
    /// The text that only pages of a session know which has just begun, or goes on under another cookie.
    #[must_use]
    pub fn form_token(&self, new: &NewSession) -> String {
        form_token(&self.inner.hasher.hash(&new.cookie))
    }

    /// Who is signed in by this cookie, if that session is alive, and its person with it. With that the session was used.
    pub async fn signed_in(&self, cookie: &str) -> Result<Option<SignedIn>, SignInError> {
        let found = self.signed_in_quietly(cookie).await?;
        if let Some(signed_in) = &found {
            self.touch(&signed_in.session, self.now()).await?;
        }
        Ok(found)
    }

    /// The same, where it is a page that looks by itself: the session was not used with that.
    pub async fn signed_in_quietly(&self, cookie: &str) -> Result<Option<SignedIn>, SignInError> {
        let now = self.now();
        let mark = SessionMark::Hash(self.inner.hasher.hash(cookie));
        let Some(opened) = self.inner.directory.session(mark).await? else { return Ok(None) };
        let Some(person) = self.inner.directory.person(opened.session.user_id).await? else {
            return Ok(None);
        };
        if opened.is_alive(&person, self.idle_seconds(), now).is_err() {
            return Ok(None);
        }
        let session = opened.session.clone();
        Ok(Some(SignedIn { session, person }))
    }

    /// How long a session lasts without use, in seconds.
    pub(crate) fn idle_seconds(&self) -> i64 {
        i64::from(self.sign_in_policy().policy.idle_seconds)
    }

    async fn touch(&self, session: &Session, now: Timestamp) -> Result<(), SignInError> {
        if session.last_active_at.plus_seconds(TOUCH) > now {
            return Ok(());
        }
        let used = Session { last_active_at: now, ..next_version(session, now) };
        match self.commit(Change::default().replace(session.meta.version, used), Vec::new()).await {
            // Stale: another request did it.
            Ok(_) | Err(StoreError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A session for somebody who proved who they are, with its event; not yet written.
    pub(super) fn open(
        &self,
        opening: Opening<'_>,
        origin: &Origin,
        now: Timestamp,
    ) -> (NewSession, Session, Event) {
        let user = &opening.person.user;
        let cookie = random_text(self);
        let expires_at = now.plus_seconds(i64::from(self.sign_in_policy().policy.absolute_seconds));
        let context = origin.context(None);
        let session = Session {
            meta: Meta::new(Id::generate(now, self.random()), now),
            user_id: user.id(),
            partner_id: user.partner_id,
            tenant_id: user.tenant_id,
            method: opening.method.to_owned(),
            provider_id: opening.provider,
            hash: self.inner.hasher.hash(&cookie),
            amr: opening.amr,
            authenticated_at: now,
            ip: context.ip,
            user_agent: context.user_agent,
            last_active_at: now,
            expires_at,
            revoked_at: None,
        };
        let event = Event {
            reason: Some(opening.method.to_owned()),
            ..self.session_event(Action::SIGN_IN_SUCCEEDED, &session, opening.person, origin, now)
        };
        let id = session.id().to_string();
        let device = self.device_of(&user.email);
        (NewSession { cookie, id, expires_at, device, recovery_codes_left: None }, session, event)
    }

    /// Something that a person did in a session.
    pub(crate) fn session_event(
        &self,
        action: Action,
        session: &Session,
        person: &Person,
        origin: &Origin,
        now: Timestamp,
    ) -> Event {
        let mut context = origin.context(None);
        context.session_id = Some(session.id().to_string());
        Event {
            resource: Some(Subject::record(session.id(), session.display_name())),
            context,
            ..self.person_event(action, person, origin, now)
        }
    }

    /// Something that a person did to what is theirs.
    pub(crate) fn person_event(
        &self,
        action: Action,
        person: &Person,
        origin: &Origin,
        now: Timestamp,
    ) -> Event {
        let user: &User = &person.user;
        let subject = Subject::record(user.id(), &user.email);
        Event {
            id: Id::generate(now, self.random()),
            occurred_at: now,
            action,
            outcome: Outcome::Success,
            reason: None,
            actor: subject.clone(),
            resource: Some(subject),
            tenant_id: user.tenant_id,
            partner_id: person.partner_id(),
            changes: Changes::default(),
            context: origin.context(None),
        }
    }

    /// Commits what holds only as long as nothing changed since it was judged; `otherwise` is said when something did.
    pub(super) async fn settle(
        &self,
        change: Change,
        events: Vec<Event>,
        otherwise: SignInError,
    ) -> Result<(), SignInError> {
        match self.commit(change, events).await {
            Ok(_) => Ok(()),
            Err(StoreError::Stale | StoreError::Taken(_)) => Err(otherwise),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the session, by its person.
    pub async fn sign_out(&self, signed_in: &SignedIn, origin: &Origin) -> Result<(), SignInError> {
        let action = Action::SIGN_OUT_SUCCEEDED;
        self.end_own(signed_in, signed_in.session.id(), action, origin).await
    }

    /// Ends another session of the same person; one that is not theirs does not exist.
    pub async fn end_own_session(
        &self,
        signed_in: &SignedIn,
        id: &str,
        origin: &Origin,
    ) -> Result<(), SignInError> {
        let id = id.parse().map_err(|_| SignInError::OutOfDate)?;
        self.end_own(signed_in, id, Action::SESSION_REVOKED, origin).await
    }

    async fn end_own(
        &self,
        signed_in: &SignedIn,
        id: Id<Session>,
        action: Action,
        origin: &Origin,
    ) -> Result<(), SignInError> {
        let call = Call { caller: signed_in.caller(), origin: origin.clone(), idempotency: None };
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, &call);
            let found: Option<Session> = self.inner.store.get_as(&Reach::Platform, id).await?;
            let own = |session: &Session| session.user_id == signed_in.person.user.id();
            let current = found.filter(own).ok_or(SignInError::OutOfDate)?;
            if current.revoked_at.is_some() {
                return Ok(());
            }
            let ended = Session { revoked_at: Some(work.now), ..work.next(&current) };
            let event = self.session_event(action.clone(), &ended, &signed_in.person, origin, work.now);
            let change = Change::default().replace(current.meta.version, ended.clone());
            let change = work.told(change, &current, &ended).await?;
            match self.commit(change, vec![event]).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SignInError::OutOfDate)
    }

    /// The sessions of a person that are alive, the latest first.
    pub(super) async fn sessions_of(&self, user: &User) -> Result<Vec<Session>, SignInError> {
        let query = Query::all(Kind::Session).with(Field::UserId, Value::id(Some(user.id())));
        let (mut sessions, _) = all::<Session>(&*self.inner.store, query).await?;
        let (now, idle) = (self.now(), self.idle_seconds());
        sessions.retain(|session| {
            liveness::session_itself(session, idle, now).is_ok()
                && liveness::user_since(user, session.meta.created_at).is_ok()
        });
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_active_at));
        Ok(sessions)
    }
}
