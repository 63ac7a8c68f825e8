//! Trips to an identity provider and back. What must be known again on return travels with the browser, sealed, so that
//! only the browser that left can come back, and only from where it was sent.

use keyward_model::{
    Action, Entity, Event, Id, IdentityProvider, Outcome, ProviderKind, Subject, Timestamp, User,
};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, StoreError, StoreExt, Ticket, TicketKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{NewSession, SignInError, SignedIn, accounts_elsewhere::vouched, sessions::random_text};
use crate::{
    Answer, Arrival, Call, CheckedStep, Document, Error, Federation, FederationError, Keyward, Origin, Trip,
    admin::Work, forms,
};

/// How long a trip may take, in seconds.
const LASTS: i64 = 900;
/// What sealed trips are sealed for.
const CONTEXT: &str = "trip to an identity provider";
/// The namespace of the marks of trips that ended.
const ENDED: &str = "trip";
/// The namespace of what a provider may say once only.
const ONCE: &str = "said_once";

/// What a trip is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Signing in; afterwards the browser goes to this path.
    SignIn(Option<String>),
    /// Linking the account there to the person who is signed in.
    Link,
    /// Proving once more who the person is; afterwards the browser goes to this path.
    StepUp(Option<String>),
    /// Trying the provider out; nobody is signed in by it.
    Test,
}

/// How a trip ended.
#[derive(Debug)]
pub enum TripEnd {
    /// The person is signed in, or proved who they are, and goes on to the path.
    SignedIn(NewSession, Option<String>),
    /// The account there is linked.
    Linked,
    /// What the provider said, for whoever tries it out.
    Tested(Box<TestReport>),
}

/// What a provider said of a person, for whoever tries it out.
#[derive(Clone, Debug)]
pub struct TestReport {
    /// What the provider is called.
    pub provider: String,
    /// What it speaks.
    pub protocol: ProviderKind,
    /// Who arrived, or which step failed and why.
    pub outcome: Result<Arrived, FederationError>,
}

/// Who arrived at a trial.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The identifier there.
    pub subject: String,
    /// The address there.
    pub email: Option<String>,
    /// Everything that was said.
    pub claims: Map<String, Value>,
    /// The identifiers of the roles that it comes to.
    pub roles: Vec<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    provider: Id<IdentityProvider>,
    state: String,
    remembered: String,
    purpose: Purpose,
    /// Who left, when somebody was signed in.
    user: Option<Id<User>>,
    began: i64,
}

impl Kept {
    /// The change by which the trip ends, and what its provider said is used up.
    fn once(&self, arrival: &Arrival, now: Timestamp) -> Change {
        let ended = Ticket {
            key: TicketKey::new(ENDED, self.state.clone()),
            value: String::new(),
            expires_at: Some(now.plus_seconds(LASTS)),
        };
        let said = arrival.once.as_ref().map(|(name, until)| Ticket {
            key: TicketKey::new(ONCE, format!("{}:{name}", self.provider)),
            value: String::new(),
            expires_at: Some(*until),
        });
        Change { tickets: [ended].into_iter().chain(said).collect(), ..Change::default() }
    }
}

impl Keyward {
    /// Sends a browser to an identity provider: the address, and what the browser must keep.
    pub async fn depart(
        &self,
        provider: &str,
        purpose: Purpose,
        signed_in: Option<&SignedIn>,
        login_hint: Option<&str>,
    ) -> Result<(String, String), SignInError> {
        let gone =
            || SignInError::NotAllowed("There is no such identity provider, or it is disabled.".to_owned());
        let id = provider.parse().map_err(|_| gone())?;
        // Somebody who tries a provider out may do so before anybody else can use it.
        let provider = match purpose {
            Purpose::Test => self.tested_by(signed_in.ok_or(SignInError::OutOfDate)?, id).await?,
            _ => self.live_provider(id).await?.ok_or_else(gone)?,
        };
        let (state, now) = (random_text(self), self.now());
        let fresh = matches!(purpose, Purpose::StepUp(_));
        let trip = Trip { state: &state, login_hint, fresh, now, random: self.random() };
        let departure = self.federation()?.depart(&self.upstream(&provider)?, &trip).await;
        let departure = departure.map_err(SignInError::Provider)?;
        let kept = Kept {
            provider: id,
            remembered: departure.remembered,
            purpose,
            user: signed_in.map(|signed_in| signed_in.person.user.id()),
            began: now.unix_seconds(),
            state,
        };
        Ok((departure.location, self.sealed(CONTEXT, &kept)?))
    }

    /// What is told of a trial that ended before anybody could leave.
    pub async fn failed_test(
        &self,
        signed_in: &SignedIn,
        provider: &str,
        error: FederationError,
        origin: &Origin,
    ) -> Result<TestReport, SignInError> {
        let id = provider.parse().map_err(|_| SignInError::OutOfDate)?;
        let provider = self.tested_by(signed_in, id).await?;
        self.test_report(Some(signed_in), &provider, Err(error), origin, self.now()).await
    }

    fn federation(&self) -> Result<&dyn Federation, SignInError> {
        let none = || SignInError::NotAllowed("This server speaks to no identity providers.".to_owned());
        self.inner.federation.get().map(|federation| &**federation).ok_or_else(none)
    }

    async fn tested_by(
        &self,
        signed_in: &SignedIn,
        id: Id<IdentityProvider>,
    ) -> Result<IdentityProvider, SignInError> {
        let call = Call { caller: signed_in.caller(), origin: Origin::default(), idempotency: None };
        let work = Work::begin(self, &call);
        let found: Option<IdentityProvider> = self.inner.store.get_as(&work.reach(), id).await?;
        let provider = found.ok_or(SignInError::OutOfDate)?;
        let target = Target::object(keyward_model::Kind::IdentityProvider, provider.owner());
        let _permit = work.may(Act::Act("test"), target).await?;
        Ok(provider)
    }

    /// Lets a browser come back: `provider` and `state` are those of the address and the answer, `kept` is what the
    /// browser brought along.
    pub async fn arrive(
        &self,
        provider: &str,
        kept: Option<&str>,
        state: Option<&str>,
        answer: &Answer,
        signed_in: Option<&SignedIn>,
        origin: &Origin,
    ) -> Result<TripEnd, SignInError> {
        let now = self.now();
        let kept = kept.and_then(|kept| self.opened::<Kept>(CONTEXT, kept));
        let is_same = |kept: &Kept| {
            kept.provider.to_string() == provider
                && state == Some(kept.state.as_str())
                && now.unix_seconds() < kept.began + LASTS
        };
        let Some(kept) = kept.filter(is_same) else {
            let who = Subject::somebody();
            return Err(self.failed(SignInError::OutOfDate, who, None, origin, now).await);
        };
        match self.arrived(&kept, answer, signed_in, origin, now).await {
            Ok(end) => Ok(end),
            Err(error) => {
                let who =
                    Subject { kind: "identity_provider".into(), id: Some(provider.to_owned()), name: None };
                let place = self.owners_of(kept.provider).await.map_err(SignInError::from)?;
                Err(self.failed_within(error, who, place, origin, now).await)
            }
        }
    }

    async fn arrived(
        &self,
        kept: &Kept,
        answer: &Answer,
        signed_in: Option<&SignedIn>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<TripEnd, SignInError> {
        let same_person = signed_in.filter(|it| Some(it.person.user.id()) == kept.user);
        let provider = match kept.purpose {
            Purpose::Test => {
                self.tested_by(same_person.ok_or(SignInError::OutOfDate)?, kept.provider).await?
            }
            _ => self.live_provider(kept.provider).await?.ok_or(SignInError::OutOfDate)?,
        };
        let upstream = self.upstream(&provider)?;
        let arrival = self.federation()?.arrive(&upstream, &kept.remembered, answer, now).await;
        if kept.purpose == Purpose::Test {
            let report = self.test_report(same_person, &provider, arrival, origin, now).await?;
            return Ok(TripEnd::Tested(Box::new(report)));
        }
        let arrival = arrival.map_err(SignInError::Provider)?;
        let once = kept.once(&arrival, now);
        match &kept.purpose {
            Purpose::SignIn(return_to) => {
                let new = self.sign_in_by(&provider, &arrival, once, origin, now).await?;
                Ok(TripEnd::SignedIn(new, return_to.clone()))
            }
            Purpose::StepUp(return_to) => {
                let signed_in = same_person.ok_or(SignInError::OutOfDate)?;
                vouched(&provider, &signed_in.person)?;
                let linked = self.identity(&provider, &arrival.subject).await?;
                if linked.map(|identity| identity.user_id) != Some(signed_in.person.user.id()) {
                    return Err(SignInError::NotAllowed("This is somebody else's account.".to_owned()));
                }
                let new = self.stepped_up(signed_in, once, "fed", origin).await?;
                Ok(TripEnd::SignedIn(new, return_to.clone()))
            }
            Purpose::Link | Purpose::Test => {
                let signed_in = same_person.ok_or(SignInError::OutOfDate)?;
                self.link(signed_in, &provider, &arrival, once, origin, now).await?;
                Ok(TripEnd::Linked)
            }
        }
    }

    async fn test_report(
        &self,
        signed_in: Option<&SignedIn>,
        provider: &IdentityProvider,
        arrival: Result<Arrival, FederationError>,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<TestReport, SignInError> {
        let signed_in = signed_in.ok_or(SignInError::OutOfDate)?;
        let outcome = match arrival {
            Ok(arrival) => {
                let roles = self.mapped_roles(provider, &arrival.claims).await?;
                let roles = roles.iter().map(ToString::to_string).collect();
                Ok(Arrived { subject: arrival.subject, email: arrival.email, claims: arrival.claims, roles })
            }
            Err(error) => Err(error),
        };
        let (result, reason) = match &outcome {
            Ok(_) => (Outcome::Success, None),
            Err(error) => (Outcome::Failure, Some(error.reason.to_owned())),
        };
        let event = Event {
            outcome: result,
            reason,
            resource: Some(Subject::record(provider.id(), &provider.name)),
            ..self.person_event(Action::IDENTITY_PROVIDER_TESTED, &signed_in.person, origin, now)
        };
        self.inner.writer.append(event).await.map_err(SignInError::from)?;
        Ok(TestReport { provider: provider.name.clone(), protocol: provider.kind, outcome })
    }

    /// Tries out, without a person, whether a provider can be reached and makes sense.
    pub async fn check_provider(&self, call: &Call, id: &str) -> Result<Document, Error> {
        let work = Work::begin(self, call);
        let provider: IdentityProvider = self.one(&work, Act::Act("test"), id).await?;
        let steps: Vec<CheckedStep> = match self.inner.federation.get() {
            Some(federation) => {
                let upstream = self.upstream(&provider).map_err(|error| Error::Unavailable(error.into()))?;
                federation.check(&upstream, work.now).await
            }
            None => Vec::new(),
        };
        let failed = steps.iter().find(|step| !step.passed);
        let event = work.done(Action::IDENTITY_PROVIDER_TESTED, &provider, &[]);
        let outcome = if failed.is_some() { Outcome::Failure } else { Outcome::Success };
        let event = Event { outcome, reason: failed.map(|step| step.step.to_owned()), ..event };
        self.inner.writer.append(event).await.map_err(|error: StoreError| Error::from(error))?;
        Ok(Document { body: forms::to_value(&serde_json::json!({ "steps": steps })), version: None })
    }
}
