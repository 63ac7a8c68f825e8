//! What people do with what is theirs: password, second factor, sessions, accounts elsewhere. Whatever changes how they
//! prove who they are ends everything that was opened before, but for the browser in which it was done.

use keyward_crypto::password;
use keyward_model::{
    Action, Authenticators, AuthenticatorsView, Entity, FederatedIdentity, Field, Id, IdentityProvider, Kind,
    Meta, Reach, Session, SessionView, Subject, Timestamp, User, Value,
};
use keyward_store::{Change, Query, StoreError, StoreExt};
use serde::Serialize;

use super::{
    Enrolment, NewSession, Proof, SignInError, SignedIn,
    sessions::{Opening, random_text},
    throttle::Counted,
};
use crate::{
    Call, Keyward, Origin,
    admin::{Work, next_version},
    directory::all,
};

/// How long after they proved who they are people may do what is dangerous, in seconds.
const FRESH: i64 = 900;

/// What a person sees of their own account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountView {
    /// The address by which they sign in.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they can prove who they are with.
    pub authenticators: AuthenticatorsView,
    /// Whether their tier must have a second factor.
    pub totp_required: bool,
    /// Where they are signed in, the latest first.
    pub sessions: Vec<SessionView>,
    /// Their accounts at identity providers.
    pub linked: Vec<LinkedView>,
}

/// An account at an identity provider.
#[derive(Clone, Debug, Serialize)]
pub struct LinkedView {
    /// The identifier of the link, `fid_…`.
    pub id: String,
    /// What the provider is called.
    pub provider: String,
    /// The address there.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: Timestamp,
}

/// A second factor to be set up, and whether it replaces one.
#[derive(Clone, Debug)]
pub struct EnrolmentView {
    /// What the person's device must learn.
    pub enrolment: Enrolment,
    /// Whether there is one already.
    pub replaces: bool,
}

impl Keyward {
    /// Whether the person must prove once more who they are before they do something dangerous.
    #[must_use]
    pub fn needs_step_up(&self, signed_in: &SignedIn) -> bool {
        signed_in.session.authenticated_at.plus_seconds(FRESH) <= self.now()
    }

    fn fresh(&self, signed_in: &SignedIn) -> Result<(), SignInError> {
        if self.needs_step_up(signed_in) { Err(SignInError::StepUpNeeded) } else { Ok(()) }
    }

    async fn own(&self, signed_in: &SignedIn) -> Result<Option<Authenticators>, SignInError> {
        Ok(self.authenticators_of(signed_in.person.user.id()).await?)
    }

    /// What the person may see of their account.
    pub async fn account(&self, signed_in: &SignedIn) -> Result<AccountView, SignInError> {
        let user = &signed_in.person.user;
        let now = self.now();
        let stored = self.own(signed_in).await?;
        let none = || Authenticators::none(Meta::new(Id::generate(now, self.random()), now), user);
        let sessions = self.sessions_of(user).await?;
        Ok(AccountView {
            email: user.email.clone(),
            name: user.name.clone(),
            authenticators: stored.unwrap_or_else(none).view(),
            totp_required: self.must_have_second_factor(&signed_in.person),
            sessions: sessions.iter().map(|session| session.view(now)).collect(),
            linked: self.linked(user.id()).await?,
        })
    }

    pub(crate) async fn identities(&self, user: Id<User>) -> Result<Vec<FederatedIdentity>, StoreError> {
        let query = Query::all(Kind::FederatedIdentity).with(Field::UserId, Value::id(Some(user)));
        Ok(all::<FederatedIdentity>(&*self.inner.store, query).await?.0)
    }

    async fn linked(&self, user: Id<User>) -> Result<Vec<LinkedView>, SignInError> {
        let mut views = Vec::new();
        for identity in self.identities(user).await? {
            let provider: Option<IdentityProvider> =
                self.inner.store.get_as(&Reach::Platform, identity.provider_id).await?;
            let Some(provider) = provider else { continue };
            views.push(LinkedView {
                id: identity.id().to_string(),
                provider: provider.name,
                email: identity.email,
                created_at: identity.meta.created_at,
            });
        }
        Ok(views)
    }

    /// Proves once more who the person is, by password or by a code when there is a second factor. The session goes on
    /// under another cookie.
    pub async fn step_up(
        &self,
        signed_in: &SignedIn,
        password: Option<String>,
        proof: Option<&Proof>,
        origin: &Origin,
    ) -> Result<NewSession, SignInError> {
        let now = self.now();
        let user = &signed_in.person.user;
        let proven = async {
            let stored = self.own(signed_in).await?.ok_or(SignInError::Wrong)?;
            match (stored.totp.is_some(), password, proof) {
                (true, _, Some(proof)) => Ok((self.proven(&stored, proof, now).await?.0, "otp")),
                (false, Some(password), _) => {
                    let id = user.id().to_string();
                    let slot = self.attempt(Counted::Account(&id), now).await?;
                    if !self.inner.passwords.verify(password, stored.password.clone()).await? {
                        return Err(SignInError::Wrong);
                    }
                    Ok((Change { consume: vec![slot], ..Change::default() }, "pwd"))
                }
                _ => Err(SignInError::WrongCode),
            }
        };
        match proven.await {
            Ok((change, method)) => self.stepped_up(signed_in, change, method, origin).await,
            Err(error) => {
                let subject = Subject::record(user.id(), &user.email);
                Err(self.failed(error, subject, Some(&signed_in.person), origin, now).await)
            }
        }
    }

    pub(super) async fn stepped_up(
        &self,
        signed_in: &SignedIn,
        change: Change,
        method: &str,
        origin: &Origin,
    ) -> Result<NewSession, SignInError> {
        let now = self.now();
        let cookie = random_text(self);
        let current = &signed_in.session;
        let mut session = Session {
            hash: self.inner.hasher.hash(&cookie),
            authenticated_at: now,
            last_active_at: now,
            ..next_version(current, now)
        };
        if !session.amr.iter().any(|known| known == method) {
            session.amr.push(method.to_owned());
        }
        let new = NewSession {
            cookie,
            id: session.id().to_string(),
            expires_at: session.expires_at,
            device: self.device_of(&signed_in.person.user.email),
            recovery_codes_left: None,
        };
        let event = self.session_event(Action::SESSION_STEPPED_UP, &session, &signed_in.person, origin, now);
        self.settle(change.replace(current.meta.version, session), vec![event], SignInError::WrongCode)
            .await?;
        Ok(new)
    }

    /// Chooses another password; the present one must be given.
    pub async fn change_password(
        &self,
        signed_in: &SignedIn,
        current: String,
        new: String,
        origin: &Origin,
    ) -> Result<NewSession, SignInError> {
        let user = &signed_in.person.user;
        let now = self.now();
        let stored = self.own(signed_in).await?.ok_or(SignInError::Wrong)?;
        password::check(&new, &[&user.email, &user.name])?;
        let id = user.id().to_string();
        let slot = self.attempt(Counted::Account(&id), now).await?;
        if !self.inner.passwords.verify(current, stored.password.clone()).await? {
            let subject = Subject::record(user.id(), &user.email);
            return Err(self.failed(SignInError::Wrong, subject, Some(&signed_in.person), origin, now).await);
        }
        let hash = self.inner.passwords.hash(new, self.inner.random.clone()).await?;
        let next = next_version(&stored, now);
        let next = Authenticators { password: Some(hash), password_changed_at: Some(now), ..next };
        let change = Change::default().replace(stored.meta.version, next);
        let change = Change { consume: vec![slot], ..change };
        self.reopened(signed_in, change, Action::USER_PASSWORD_CHANGED, origin).await
    }

    /// Commits what changes how a person proves who they are, ends what was opened before, and opens a session anew.
    pub(super) async fn reopened(
        &self,
        signed_in: &SignedIn,
        change: Change,
        action: Action,
        origin: &Origin,
    ) -> Result<NewSession, SignInError> {
        let call = Call { caller: signed_in.caller(), origin: origin.clone(), idempotency: None };
        let work = Work::begin(self, &call);
        let user: Option<User> =
            self.inner.store.get_as(&Reach::Platform, signed_in.person.user.id()).await?;
        let user = user.ok_or(SignInError::OutOfDate)?;
        let next = User { valid_after: Some(work.now), ..work.next(&user) };
        let change = change.replace(user.meta.version, next.clone());
        let change = work.told(change, &user, &next).await?;
        let opening = Opening {
            person: &signed_in.person,
            method: "renewed",
            provider: signed_in.session.provider_id,
            amr: signed_in.session.amr.clone(),
        };
        let (new, mut session, _) = self.open(opening, origin, work.now);
        session.method.clone_from(&signed_in.session.method);
        session.authenticated_at = signed_in.session.authenticated_at;
        let event = self.person_event(action, &signed_in.person, origin, work.now);
        self.settle(change.create(session), vec![event], SignInError::OutOfDate).await?;
        Ok(new)
    }

    /// A second factor for the person to set up; `kept` is that of a page which is shown again.
    pub async fn own_enrolment(
        &self,
        signed_in: &SignedIn,
        kept: Option<&str>,
    ) -> Result<EnrolmentView, SignInError> {
        self.fresh(signed_in)?;
        let user = &signed_in.person.user;
        let enrolment = match kept {
            Some(kept) => self.enrolment_again(user, kept)?,
            None => self.new_enrolment(user)?,
        };
        let replaces = self.own(signed_in).await?.is_some_and(|stored| stored.totp.is_some());
        Ok(EnrolmentView { enrolment, replaces })
    }

    /// Sets up, or replaces, the person's second factor: the session goes on, with new recovery codes.
    pub async fn enrol_own(
        &self,
        signed_in: &SignedIn,
        sealed: &str,
        code: &str,
        origin: &Origin,
    ) -> Result<(NewSession, Vec<String>), SignInError> {
        self.fresh(signed_in)?;
        let (user, now) = (&signed_in.person.user, self.now());
        let (change, codes) = if let Some(stored) = self.own(signed_in).await? {
            let (next, codes) = self.enrolled(user, &stored, sealed, code, now)?;
            (Change::default().replace(stored.meta.version, next), codes)
        } else {
            let meta = Meta::new(Id::generate(now, self.random()), now);
            let (mut next, codes) =
                self.enrolled(user, &Authenticators::none(meta, user), sealed, code, now)?;
            next.meta.version = 1;
            (Change::default().create(next), codes)
        };
        Ok((self.reopened(signed_in, change, Action::USER_MFA_ENABLED, origin).await?, codes))
    }

    /// Removes the person's second factor, unless their tier must have one.
    pub async fn remove_own_factor(
        &self,
        signed_in: &SignedIn,
        origin: &Origin,
    ) -> Result<NewSession, SignInError> {
        self.fresh(signed_in)?;
        if self.must_have_second_factor(&signed_in.person) {
            let detail = "Administrators of your tier must have a second factor.".to_owned();
            return Err(SignInError::NotAllowed(detail));
        }
        let stored = self.own(signed_in).await?.ok_or(SignInError::OutOfDate)?;
        let next = without_factor(&stored, self.now());
        let change = Change::default().replace(stored.meta.version, next);
        self.reopened(signed_in, change, Action::USER_MFA_DISABLED, origin).await
    }

    /// Makes new recovery codes; the old ones no longer work.
    pub async fn replace_recovery_codes(
        &self,
        signed_in: &SignedIn,
        origin: &Origin,
    ) -> Result<Vec<String>, SignInError> {
        self.fresh(signed_in)?;
        let now = self.now();
        let stored = self.own(signed_in).await?.filter(|stored| stored.totp.is_some());
        let stored = stored.ok_or(SignInError::OutOfDate)?;
        let (codes, hashes) = self.new_recovery_codes();
        let next = Authenticators { recovery_codes: hashes, ..next_version(&stored, now) };
        let action = Action::USER_RECOVERY_CODES_REPLACED;
        let event = self.person_event(action, &signed_in.person, origin, now);
        self.settle(
            Change::default().replace(stored.meta.version, next),
            vec![event],
            SignInError::OutOfDate,
        )
        .await?;
        Ok(codes)
    }
}

/// A person's authenticators without the second factor and its recovery codes.
pub(crate) fn without_factor(stored: &Authenticators, now: Timestamp) -> Authenticators {
    Authenticators { totp: None, recovery_codes: Vec::new(), ..next_version(stored, now) }
}
