//! A sign-in on its way: from an address to a session, step by step. What was proven so far travels with the browser,
//! sealed; whoever tampers with it begins again.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_crypto::digest;
use keyward_model::{
    Action, Authenticators, Entity, Event, Id, Outcome, Partner, Reach, Subject, Tenant, Timestamp,
    UniqueKey, User,
};
use keyward_policy::liveness;
use keyward_store::{Change, StoreExt, TicketKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Enrolment, NewSession, Proof, SignInError,
    sessions::{Opening, random_text},
    throttle::{Counted, network},
};
use crate::{Keyward, Origin, directory::Person};

/// How long a sign-in may take, in seconds.
const LASTS: i64 = 900;
/// What sealed flows are sealed for.
const CONTEXT: &str = "sign-in flow";
/// What marks of browsers are sealed for.
const DEVICE: &str = "known device";

/// A sign-in that has begun.
#[derive(Clone, Serialize, Deserialize)]
pub struct Flow {
    /// A text that only pages of this sign-in know, to tell their forms from those of others.
    pub form_token: String,
    /// Where the browser goes afterwards: a path of this server.
    pub return_to: Option<String>,
    /// The address that was given.
    pub email: Option<String>,
    began: i64,
    passed: Option<Passed>,
}

/// That the first factor was right.
#[derive(Clone, Serialize, Deserialize)]
struct Passed {
    user: Id<User>,
    at: Timestamp,
    /// When the password was chosen that was right then: another one makes this void.
    password: Option<Timestamp>,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow").field("passed", &self.passed.is_some()).finish_non_exhaustive()
    }
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// The person is signed in.
    Done(NewSession),
    /// The person must give a code of their second factor.
    Code(Flow),
    /// The person must set up a second factor first.
    Enrol(Flow),
}

impl Keyward {
    /// Begins to sign somebody in.
    #[must_use]
    pub fn begin_sign_in(&self, return_to: Option<String>) -> Flow {
        let began = self.now().unix_seconds();
        Flow { form_token: random_text(self), return_to, email: None, began, passed: None }
    }

    /// The flow as the browser keeps it.
    pub fn seal_flow(&self, flow: &Flow) -> Result<String, SignInError> {
        self.sealed(CONTEXT, flow)
    }

    /// A flow that a browser kept, unless it is too old.
    #[must_use]
    pub fn open_flow(&self, sealed: &str) -> Option<Flow> {
        let flow: Flow = self.opened(CONTEXT, sealed)?;
        (self.now().unix_seconds() < flow.began + LASTS).then_some(flow)
    }

    /// A moment as an address can carry it: nobody can make one up.
    pub fn seal_moment(&self, moment: Timestamp) -> Result<String, SignInError> {
        self.sealed("moment", &moment)
    }

    /// A moment that an address carried.
    #[must_use]
    pub fn open_moment(&self, sealed: &str) -> Option<Timestamp> {
        self.opened("moment", sealed)
    }

    /// An address that was found to be good, as a page can carry it.
    pub fn seal_location(&self, location: &str) -> Result<String, SignInError> {
        self.sealed("location", &location)
    }

    /// An address that a page carried.
    #[must_use]
    pub fn open_location(&self, sealed: &str) -> Option<String> {
        self.opened("location", sealed)
    }

    pub(super) fn sealed(&self, context: &str, value: &impl Serialize) -> Result<String, SignInError> {
        let text = serde_json::to_vec(value).map_err(|error| SignInError::Unavailable(error.into()))?;
        let sealed = self.inner.sealer.seal(context, &text, self.random());
        sealed
            .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
            .map_err(|error| SignInError::Unavailable(error.into()))
    }

    pub(super) fn opened<T: DeserializeOwned>(&self, context: &str, sealed: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        serde_json::from_slice(&self.inner.sealer.open(context, &bytes).ok()?).ok()
    }

    /// A mark by which a browser is known where a person signed in before.
    pub(super) fn device_of(&self, email: &str) -> String {
        let mark = (digest::hex(&digest::sha256(email.to_lowercase().as_bytes())), random_text(self));
        self.sealed(DEVICE, &mark).unwrap_or_default()
    }

    /// What counts the attempts of this browser, if the person signed in there before.
    fn known_device(&self, sealed: Option<&str>, email: &str) -> Option<String> {
        let (of, number): (String, String) = self.opened(DEVICE, sealed?)?;
        (of == digest::hex(&digest::sha256(email.as_bytes()))).then_some(number)
    }

    /// Tries a password. An account that does not exist takes as long and answers the same as a wrong password.
    pub async fn try_password(
        &self,
        flow: &Flow,
        email: &str,
        password: String,
        device: Option<&str>,
        origin: &Origin,
    ) -> Result<Step, SignInError> {
        let now = self.now();
        let email = email.trim().to_lowercase();
        let checked = self.check_password(&email, password, device, origin, now).await;
        match checked {
            Ok((person, authenticators, slots)) => {
                let passed =
                    Passed { user: person.user.id(), at: now, password: authenticators.password_changed_at };
                let flow = Flow { email: Some(email), passed: Some(passed), ..flow.clone() };
                self.after_password(flow, &person, &authenticators, slots, origin, now).await
            }
            Err(error) => Err(self
                .failed(
                    error,
                    Subject { kind: "user".into(), id: None, name: Some(named(&email)) },
                    None,
                    origin,
                    now,
                )
                .await),
        }
    }

    async fn check_password(
        &self,
        email: &str,
        password: String,
        device: Option<&str>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(std::sync::Arc<Person>, Authenticators, Vec<TicketKey>), SignInError> {
        let address = network(origin.ip.as_deref().unwrap_or(""));
        let device = self.known_device(device, email);
        let counted = device.as_deref().map_or(Counted::Account(email), Counted::Device);
        let slots =
            vec![self.attempt(Counted::Address(&address), now).await?, self.attempt(counted, now).await?];
        let store = &self.inner.store;
        let user: Option<User> =
            store.find_as(&Reach::Platform, &UniqueKey::UserEmail(email.to_owned())).await?;
        let id = user.map_or(Id::NOBODY, |user| user.id());
        let stored: Option<Authenticators> =
            store.find_as(&Reach::Platform, &UniqueKey::AuthenticatorsOf(id)).await?;
        let hash = stored.as_ref().and_then(|stored| stored.password.clone());
        if !self.inner.passwords.verify(password, hash).await? {
            return Err(SignInError::Wrong);
        }
        let person = self.inner.directory.person(id).await?;
        let (Some(person), Some(stored)) = (person, stored) else { return Err(SignInError::Wrong) };
        liveness::user(&person.user, person.above())
            .map_err(|dead| SignInError::NotAllowed(dead.message()))?;
        Ok((person, stored, slots))
    }

    async fn after_password(
        &self,
        flow: Flow,
        person: &Person,
        authenticators: &Authenticators,
        slots: Vec<TicketKey>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Step, SignInError> {
        let needs_code = authenticators.totp.is_some();
        if !needs_code && !self.must_have_second_factor(person) {
            let opening = Opening { person, method: "password", provider: None, amr: vec!["pwd".to_owned()] };
            let (new, session, event) = self.open(opening, origin, now);
            let change = Change { consume: slots, ..Change::default().create(session) };
            self.commit(change, vec![event]).await?;
            return Ok(Step::Done(new));
        }
        // The attempt was none that counts.
        self.commit(Change { consume: slots, ..Change::default() }, Vec::new()).await?;
        Ok(if needs_code { Step::Code(flow) } else { Step::Enrol(flow) })
    }

    /// Whether people of this tier must have a second factor.
    pub(super) fn must_have_second_factor(&self, person: &Person) -> bool {
        person.user.admin_role.is_some_and(|tier| self.sign_in_policy().policy.totp_required.contains(&tier))
    }

    /// Who passed the first factor, and still may: nothing that made it void happened since.
    async fn passed(&self, flow: &Flow) -> Result<(std::sync::Arc<Person>, Authenticators), SignInError> {
        let passed = flow.passed.as_ref().ok_or(SignInError::OutOfDate)?;
        let person = self.inner.directory.person(passed.user).await?.ok_or(SignInError::OutOfDate)?;
        liveness::user(&person.user, person.above())
            .and_then(|()| liveness::user_since(&person.user, passed.at))
            .map_err(|dead| SignInError::NotAllowed(dead.message()))?;
        let key = UniqueKey::AuthenticatorsOf(passed.user);
        let stored: Authenticators =
            self.inner.store.find_as(&Reach::Platform, &key).await?.ok_or(SignInError::OutOfDate)?;
        if stored.password_changed_at != passed.password {
            return Err(SignInError::OutOfDate);
        }
        Ok((person, stored))
    }

    /// Tries a code of the second factor, or a recovery code.
    pub async fn try_code(
        &self,
        flow: &Flow,
        proof: &Proof,
        origin: &Origin,
    ) -> Result<NewSession, SignInError> {
        let now = self.now();
        let (person, stored) = self.passed(flow).await?;
        match self.check_code(&person, &stored, proof, origin, now).await {
            Ok(done) => Ok(done),
            Err(error) => {
                let subject = Subject::record(person.user.id(), &person.user.email);
                Err(self.failed(error, subject, Some(&person), origin, now).await)
            }
        }
    }

    async fn check_code(
        &self,
        person: &Person,
        stored: &Authenticators,
        proof: &Proof,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<NewSession, SignInError> {
        let (change, method) = self.proven(stored, proof, now).await?;
        let amr = ["pwd", "otp", "mfa"].map(str::to_owned).to_vec();
        let (mut new, session, event) =
            self.open(Opening { person, method, provider: None, amr }, origin, now);
        if matches!(proof, Proof::Recovery(_)) {
            new.recovery_codes_left = Some(stored.recovery_codes.len().saturating_sub(1));
        }
        self.settle(change.create(session), vec![event], SignInError::WrongCode).await?;
        Ok(new)
    }

    /// A second factor to be set up in the middle of a sign-in; `kept` is that of a page which is shown again.
    pub async fn enrolment(&self, flow: &Flow, kept: Option<&str>) -> Result<Enrolment, SignInError> {
        let (person, stored) = self.passed(flow).await?;
        match kept {
            _ if stored.totp.is_some() => Err(SignInError::OutOfDate),
            Some(kept) => self.enrolment_again(&person.user, kept),
            None => self.new_enrolment(&person.user),
        }
    }

    /// Sets up the second factor whose code this is, and signs the person in: the session and the recovery codes.
    pub async fn enrol(
        &self,
        flow: &Flow,
        sealed: &str,
        code: &str,
        origin: &Origin,
    ) -> Result<(NewSession, Vec<String>), SignInError> {
        let now = self.now();
        let (person, stored) = self.passed(flow).await?;
        if stored.totp.is_some() {
            return Err(SignInError::OutOfDate);
        }
        let (next, codes) = match self.enrolled(&person.user, &stored, sealed, code, now) {
            Ok(enrolled) => enrolled,
            Err(error) => {
                let who = Subject::record(person.user.id(), &person.user.email);
                return Err(self.failed(error, who, Some(&person), origin, now).await);
            }
        };
        let amr = ["pwd", "otp", "mfa"].map(str::to_owned).to_vec();
        let opening = Opening { person: &person, method: "password+totp", provider: None, amr };
        let (new, session, event) = self.open(opening, origin, now);
        let enabled = self.person_event(Action::USER_MFA_ENABLED, &person, origin, now);
        let change = Change::default().replace(stored.meta.version, next).create(session);
        self.settle(change, vec![enabled, event], SignInError::OutOfDate).await?;
        Ok((new, codes))
    }

    /// Writes down that somebody failed; when that can't be done, the answer is that the service is unavailable.
    pub(super) async fn failed(
        &self,
        error: SignInError,
        who: Subject,
        person: Option<&Person>,
        origin: &Origin,
        now: Timestamp,
    ) -> SignInError {
        let tenant = person.and_then(|person| person.user.tenant_id);
        self.failed_within(error, who, (tenant, person.and_then(Person::partner_id)), origin, now).await
    }

    /// The same, of whatever belongs to this tenant and partner.
    pub(super) async fn failed_within(
        &self,
        error: SignInError,
        who: Subject,
        (tenant_id, partner_id): (Option<Id<Tenant>>, Option<Id<Partner>>),
        origin: &Origin,
        now: Timestamp,
    ) -> SignInError {
        metrics::counter!("keyward_sign_ins_failed_total", "reason" => error.reason()).increment(1);
        if matches!(error, SignInError::Unavailable(_)) {
            return error;
        }
        let event = Event {
            id: Id::generate(now, self.random()),
            occurred_at: now,
            action: Action::SIGN_IN_FAILED,
            outcome: Outcome::Denied,
            reason: Some(error.reason().to_owned()),
            actor: who.clone(),
            resource: Some(who),
            tenant_id,
            partner_id,
            changes: keyward_model::Changes::default(),
            context: origin.context(None),
        };
        match self.inner.writer.append(event).await {
            Ok(()) => error,
            Err(unwritten) => unwritten.into(),
        }
    }
}

/// A name that somebody typed, as it may stand in the audit log.
fn named(text: &str) -> String {
    crate::mask(text).chars().filter(|c| !c.is_control()).take(254).collect()
}
