//! Secrets of applications: several may be live at once, each with evidence of its use.

use keyward_crypto::credential::{Credential, CredentialKind};
use keyward_model::{
    Action, AnyId, Application, Entity, Field, Id, Kind, NewSecret, Secret, Timestamp, Usage, Value,
};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, Query, StoreError};
use serde_json::json;

use super::{
    ATTEMPTS, Listing, Work,
    applications::in_future,
    busy,
    idempotency::{self, Replay},
    parse_id,
    work::conflict,
};
use crate::{Call, Error, Keyward, Options, Written, audit, directory::all, forms, params::Params};

/// How many secrets of an application may work at the same time.
const MAX_LIVE: usize = 20;

/// A new secret, and how it is shown this once.
pub(crate) fn make(
    work: &Work<'_>,
    application: &Application,
    expires_at: Option<Timestamp>,
) -> (Secret, serde_json::Value) {
    let live = Options::is_live(&application.environment);
    let credential = Credential::generate(CredentialKind::ClientSecret, live, work.random());
    let secret = of_value(work, application, &credential, expires_at);
    let shown = json!({
        "id": secret.id(), "value": credential.expose(), "hint": secret.hint, "expires_at": secret.expires_at
    });
    (secret, shown)
}

/// A secret with a value that exists already.
pub(crate) fn of_value(
    work: &Work<'_>,
    application: &Application,
    credential: &Credential,
    expires_at: Option<Timestamp>,
) -> Secret {
    Secret {
        meta: work.meta(),
        application_id: application.id(),
        partner_id: application.partner_id,
        tenant_id: application.tenant_id,
        hint: credential.hint(),
        hash: work.keyward.inner.hasher.hash(credential.expose()),
        expires_at,
        revoked_at: None,
    }
}

/// The application in its next version: a change of its secrets is a change of its credentials, so that nothing that
/// was decided on the old set goes through, and every cache learns of it.
fn touch(application: &Application, now: Timestamp) -> Application {
    let mut next = application.clone();
    next.meta.version += 1;
    next.meta.updated_at = now;
    next
}

impl Keyward {
    async fn secrets_of(&self, application: Id<Application>) -> Result<Vec<Secret>, Error> {
        let query = Query::all(Kind::Secret).with(Field::ApplicationId, Value::id(Some(application)));
        Ok(all::<Secret>(&*self.inner.store, query).await?.0)
    }

    /// The evidence of use of each secret of an application, what is not stored yet included.
    pub(crate) async fn usage_by_secret(
        &self,
        application: Id<Application>,
    ) -> Result<Vec<(Secret, Vec<Usage>)>, Error> {
        let secrets = self.secrets_of(application).await?;
        let ids: Vec<AnyId> = secrets.iter().map(|secret| secret.id().any()).collect();
        let pending: Vec<Vec<Usage>> = ids.iter().map(|id| self.inner.writer.pending_usage(*id)).collect();
        let stored = self.inner.store.usage(&ids).await?;
        let with_usage = secrets.into_iter().zip(pending).map(|(secret, pending)| {
            let of_secret =
                stored.iter().filter(|usage| usage.subject == secret.id().any()).cloned().collect();
            (secret, audit::merge(of_secret, pending))
        });
        Ok(with_usage.collect())
    }

    /// The secrets of an application with the evidence of their use, never their values.
    pub async fn secrets(&self, call: &Call, id: &str, pairs: &[(String, String)]) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let application: Application = self.one(&work, Act::Read, id).await?;
        let mut params = Params::new(pairs)?;
        let (page, per_page) = params.page()?;
        params.finish()?;
        let secrets = self.usage_by_secret(application.id()).await?;
        let skipped = (page as usize - 1).saturating_mul(per_page as usize);
        let views = secrets.iter().skip(skipped).take(per_page as usize);
        let data = views.map(|(secret, usage)| forms::to_value(&secret.view(work.now, usage))).collect();
        Ok(Listing::of_page(data, page, per_page, secrets.len() as u64))
    }

    /// Makes another secret; those that there are go on working.
    pub async fn create_secret(
        &self,
        call: &Call,
        id: &str,
        body: serde_json::Value,
    ) -> Result<Written, Error> {
        if let Replay::Answer(written) = idempotency::replay(self, call).await? {
            return Ok(written);
        }
        let new: NewSecret = forms::decode(body)?;
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let act = Act::Act("create_secret");
            let application: Application = self.one(&work, act, id).await?;
            let permit = work.may(act, Target::object(Kind::Application, application.owner())).await?;
            if let Some(at) = new.expires_at {
                in_future(&work, at, "/expires_at")?;
            }
            self.room_for_secret(&application, work.now).await?;
            let (secret, shown) = make(&work, &application, new.expires_at);
            let mut written = Written {
                id: secret.id().to_string(),
                version: secret.meta.version,
                body: without_value(&shown),
                has_secret: true,
                replayed: false,
            };
            let event = work.done(Action::SECRET_CREATED, &secret, &[]);
            let change = Change::default()
                .create(secret)
                .replace(application.meta.version, touch(&application, work.now));
            let tickets = idempotency::ticket(call, &written, work.now).into_iter().collect();
            match work.commit(&permit, Change { tickets, ..change }, vec![event]).await {
                Ok(_) => {
                    written.body = shown;
                    return Ok(written);
                }
                Err(StoreError::Stale) => {}
                Err(error) => return idempotency::after_conflict(self, call, error).await,
            }
        }
        Err(busy())
    }

    async fn room_for_secret(&self, application: &Application, now: Timestamp) -> Result<(), Error> {
        let secrets = self.secrets_of(application.id()).await?;
        let live =
            secrets.iter().filter(|secret| keyward_policy::liveness::secret(secret, now).is_ok()).count();
        if live < MAX_LIVE {
            return Ok(());
        }
        let detail = format!("{MAX_LIVE} secrets of this application work already. Revoke one first.");
        Err(Error::Conflict { code: "limit_reached", detail })
    }

    /// Stops a secret for good, and ends the tokens that it obtained.
    pub async fn revoke_secret(&self, call: &Call, id: &str, secret: &str) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let act = Act::Act("revoke_secret");
            let application: Application = self.one(&work, act, id).await?;
            let secret_id: Id<Secret> = parse_id(secret)?;
            let secrets = self.secrets_of(application.id()).await?;
            let mut secret =
                secrets.into_iter().find(|secret| secret.id() == secret_id).ok_or(Error::NotFound)?;
            if secret.revoked_at.is_some() {
                return Ok(());
            }
            let permit = work.may(act, Target::object(Kind::Application, application.owner())).await?;
            let replaces = secret.meta.version;
            secret.meta.version += 1;
            secret.meta.updated_at = work.now;
            secret.revoked_at = Some(work.now);
            let event = work.done(Action::SECRET_REVOKED, &secret, &[]);
            let change = Change::default()
                .replace(replaces, secret)
                .replace(application.meta.version, touch(&application, work.now));
            match work.commit(&permit, change, vec![event]).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(StoreError::Taken(taken)) => return Err(conflict(&taken)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }
}

/// The reply as it may be repeated.
fn without_value(shown: &serde_json::Value) -> serde_json::Value {
    let mut body = shown.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("value");
    }
    body
}
