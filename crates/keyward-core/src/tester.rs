//! Trying a credential out: the real checks, one by one, without using it.

use keyward_crypto::access_token::AccessTokenClaims;
use keyward_crypto::credential::{self, CredentialKind};
use keyward_model::{Action, Entity, Event, Id, Kind, Outcome, Owner, Partner, Reach, Scope, Subject, User};
use keyward_policy::{Action as Act, Target, liveness};

use crate::{
    Call, Error, Keyward,
    admin::Work,
    directory::{Key, KeyMark},
};

/// One of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialCheck {
    /// What is checked.
    pub name: &'static str,
    /// Whether it holds; none when it was not come to.
    pub passed: Option<bool>,
    /// What was found.
    pub detail: String,
}

/// The checks as they are made.
#[derive(Default)]
struct Checks(Vec<CredentialCheck>);

impl Checks {
    /// Writes a check down; whether to go on.
    fn note(&mut self, name: &'static str, outcome: Result<String, String>) -> bool {
        let passed = outcome.is_ok();
        self.0.push(CredentialCheck {
            name,
            passed: Some(passed),
            detail: outcome.unwrap_or_else(|why| why),
        });
        passed
    }

    fn has_failed(&self) -> bool {
        self.0.iter().any(|check| check.passed == Some(false))
    }
}

const NOT_SEEN: &str = "Nothing that you can see has it.";

impl Keyward {
    /// Tries an API key or an access token out, for a permission where one is named. It does not count as a use. What is
    /// outside of the caller's reach counts as unknown.
    pub async fn test_credential(
        &self,
        call: &Call,
        text: &str,
        permission: Option<&str>,
    ) -> Result<Vec<CredentialCheck>, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::ApiKey)).await?;
        let mut checks = Checks::default();
        let text = text.trim();
        let found = if text.starts_with("kw") {
            self.test_key(&work, text, permission, &mut checks).await?
        } else {
            self.test_token(&work, text, permission, &mut checks).await?
        };
        let outcome = if checks.has_failed() { Outcome::Failure } else { Outcome::Success };
        let event = work.event_of(Action::CREDENTIAL_TESTED);
        let owner = found.as_ref().map_or(work.call.caller.place, |found| found.owner);
        let event = Event {
            outcome,
            tenant_id: owner.tenant(),
            partner_id: found.as_ref().and_then(|found| found.partner).or(event.partner_id),
            resource: found.map(|found| found.subject),
            ..event
        };
        self.inner.writer.append(event).await?;
        Ok(checks.0)
    }

    async fn test_key(
        &self,
        work: &Work<'_>,
        text: &str,
        permission: Option<&str>,
        checks: &mut Checks,
    ) -> Result<Option<Found>, Error> {
        let form = credential::check(text);
        let known_form = match form {
            None => {
                Err("It is not in the form of a credential of Keyward, or its checksum is wrong.".to_owned())
            }
            Some((CredentialKind::ApiKey, live)) => Ok(format!("A secret API key, tagged {}.", tag(live))),
            Some((CredentialKind::TenantKey, _)) => Ok("A tenant's publishable key.".to_owned()),
            Some(_) => {
                Err("A secret of a client or agent: obtain a token with it, and test that.".to_owned())
            }
        };
        if !checks.note("Form and checksum", known_form) {
            return Ok(None);
        }
        let mark = match form {
            Some((CredentialKind::ApiKey, _)) => KeyMark::Secret(self.inner.hasher.hash(text)),
            _ => KeyMark::Publishable(text.to_owned()),
        };
        let entry = self.inner.directory.key(&mark).await?;
        let seen =
            |key: &&std::sync::Arc<Key>| work.reach().covers(Owner::Tenant(key.tenant_id), key.partner_id());
        let Some(key) = entry.key.as_ref().filter(seen) else {
            checks.note("Known", Err(NOT_SEEN.to_owned()));
            return Ok(None);
        };
        let tenant = key.tenant.as_ref().map_or("a tenant", |tenant| &tenant.name);
        let name = key.record.as_ref().map_or("publishable key", |record| &record.name);
        checks.note("Known", Ok(format!("{name} of {tenant}.")));
        let itself = key.record.as_ref().map_or(Ok(()), |record| liveness::api_key_itself(record, work.now));
        let alive = itself.map(|()| "It works.".to_owned()).map_err(liveness::Dead::message);
        checks.note("Neither revoked, expired nor disabled", alive);
        let above = liveness::tenancy(key.above());
        let above = above.map(|()| "In use.".to_owned()).map_err(liveness::Dead::message);
        checks.note("Tenant and partner", above);
        test_permission(permission, &key.permissions.iter().cloned().collect::<Vec<_>>(), checks);
        Ok(Some(Found {
            subject: key.subject(),
            owner: Owner::Tenant(key.tenant_id),
            partner: key.partner_id(),
        }))
    }

    async fn test_token(
        &self,
        work: &Work<'_>,
        text: &str,
        permission: Option<&str>,
        checks: &mut Checks,
    ) -> Result<Option<Found>, Error> {
        let options = &self.inner.options;
        let mut audiences = vec![options.audience.as_str(), options.admin_audience.as_str()];
        audiences.extend(options.resources.iter().map(String::as_str));
        let verified = self.verify_token(text, &audiences, work.now);
        let said = verified.as_ref().map(|_| "It is a token of this server.".to_owned());
        let said = said.map_err(|error| format!("It is no token that works here: {error}."));
        checks.note("Signature, issuer, audience and times", said);
        let Ok(claims) = verified else { return Ok(None) };
        // Before anything is told of it.
        let Some(found) = self.holder_of(&claims).await?.filter(|found| found.is_within(work.reach())) else {
            checks.note("Known", Err(NOT_SEEN.to_owned()));
            return Ok(None);
        };
        checks.note("Known", Ok(format!("Issued to {}.", found.subject.name.as_deref().unwrap_or_default())));
        let live = match self.live_token(claims, work.now).await? {
            Ok(live) => live,
            Err(dead) => {
                checks.note("Neither it nor its holder revoked, expired or disabled", Err(dead.message()));
                return Ok(Some(found));
            }
        };
        let name = live.holder.subject().name.unwrap_or_default();
        checks.note(
            "Neither it nor its holder revoked, expired or disabled",
            Ok(format!("It works for {name}.")),
        );
        test_permission(permission, &live.scopes.iter().cloned().collect::<Vec<_>>(), checks);
        Ok(Some(found))
    }

    /// Who holds a token, alive or not.
    async fn holder_of(&self, claims: &AccessTokenClaims) -> Result<Option<Found>, Error> {
        if let Ok(user) = claims.sub.parse::<Id<User>>() {
            let person = self.inner.directory.person(user).await?;
            return Ok(person.map(|person| Found {
                subject: Subject::record(person.user.id(), &person.user.email),
                owner: person.user.owner(),
                partner: person.partner_id(),
            }));
        }
        let entry = self.inner.directory.client(&claims.client_id).await?;
        Ok(entry.client.as_ref().map(|client| Found {
            subject: client.subject(),
            owner: client.application.owner(),
            partner: client.partner_id(),
        }))
    }
}

/// What a credential is of, and whose.
struct Found {
    subject: Subject,
    owner: Owner,
    partner: Option<Id<Partner>>,
}

impl Found {
    fn is_within(&self, reach: Reach) -> bool {
        reach.covers(self.owner, self.partner)
    }
}

fn tag(live: bool) -> &'static str {
    if live { "live" } else { "test" }
}

fn test_permission(wanted: Option<&str>, held: &[Scope], checks: &mut Checks) {
    let Some(wanted) = wanted else { return };
    let all: Vec<&str> = held.iter().map(Scope::as_str).collect();
    let outcome = if all.contains(&wanted) {
        Ok(format!("It permits {wanted}."))
    } else if all.is_empty() {
        Err(format!("It does not permit {wanted}: it permits nothing."))
    } else {
        Err(format!("It does not permit {wanted}, but: {}.", all.join(", ")))
    };
    checks.note("Permission", outcome);
}
