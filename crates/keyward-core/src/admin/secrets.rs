//! Secrets of applications and agents: several may be live at once, each with evidence of its use.

use keyward_crypto::credential::{Credential, CredentialKind};
use keyward_model::{
    Action, Agent, AnyId, Application, ApplicationType, Entity, Id, NewSecret, Owner, Secret, Timestamp,
    Usage,
};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, StoreError};
use serde_json::json;

use super::{
    ATTEMPTS, Administered, Listing, Work,
    applications::in_future,
    busy,
    idempotency::{self, Replay},
    parse_id,
    work::conflict,
};
use crate::{Call, Error, Keyward, Options, Written, directory::secrets_of, forms, params::Params};

/// How many secrets of one holder may work at the same time.
const MAX_LIVE: usize = 20;

/// A resource that authenticates by secrets.
pub trait SecretHolder: Administered {
    /// What its secrets begin with.
    #[doc(hidden)]
    const CREDENTIAL: CredentialKind;

    /// Its environment; none means the first that is configured.
    #[doc(hidden)]
    fn environment(&self) -> Option<&str>;

    /// The identifier by which it obtains tokens.
    #[doc(hidden)]
    fn client_id(&self) -> String;

    /// Whether it can keep a secret at all.
    #[doc(hidden)]
    fn can_keep_secrets(&self) -> bool;
}

impl SecretHolder for Application {
    const CREDENTIAL: CredentialKind = CredentialKind::ClientSecret;

    fn environment(&self) -> Option<&str> {
        Some(&self.environment)
    }

    fn client_id(&self) -> String {
        self.client_id.clone()
    }

    fn can_keep_secrets(&self) -> bool {
        matches!(self.kind, ApplicationType::Service | ApplicationType::Web)
    }
}

impl SecretHolder for Agent {
    const CREDENTIAL: CredentialKind = CredentialKind::AgentSecret;

    fn environment(&self) -> Option<&str> {
        None
    }

    fn client_id(&self) -> String {
        self.id().to_string()
    }

    fn can_keep_secrets(&self) -> bool {
        true
    }
}

/// A new secret, and how it is shown this once.
pub(crate) fn make<R: SecretHolder>(
    work: &Work<'_>,
    holder: &R,
    expires_at: Option<Timestamp>,
) -> (Secret, serde_json::Value) {
    let environment = holder.environment().unwrap_or(work.keyward.options().default_environment());
    let credential = Credential::generate(R::CREDENTIAL, Options::is_live(environment), work.random());
    let secret = of_value(work, holder, &credential, expires_at);
    let shown = json!({
        "id": secret.id(), "value": credential.expose(), "hint": secret.hint, "expires_at": secret.expires_at
    });
    (secret, shown)
}

/// A secret with a value that exists already.
pub(crate) fn of_value<R: Entity>(
    work: &Work<'_>,
    holder: &R,
    credential: &Credential,
    expires_at: Option<Timestamp>,
) -> Secret {
    let owner = holder.owner();
    Secret {
        meta: work.meta(),
        holder_id: holder.id().any(),
        partner_id: if let Owner::Partner(id) = owner { Some(id) } else { None },
        tenant_id: owner.tenant(),
        hint: credential.hint(),
        hash: work.keyward.inner.hasher.hash(credential.expose()),
        expires_at,
        revoked_at: None,
    }
}

impl Keyward {
    /// The evidence of use of each secret of a holder, what is not stored yet included.
    pub(crate) async fn usage_by_secret(&self, holder: AnyId) -> Result<Vec<(Secret, Vec<Usage>)>, Error> {
        let secrets = secrets_of(&*self.inner.store, holder).await?;
        let ids: Vec<AnyId> = secrets.iter().map(|secret| secret.id().any()).collect();
        let mut usage = self.usage_of(&ids).await?;
        let with_usage = secrets.into_iter().map(|secret| {
            let usage = usage.remove(&secret.id().any()).unwrap_or_default();
            (secret, usage)
        });
        Ok(with_usage.collect())
    }

    /// The secrets of an application or agent with the evidence of their use, never their values.
    pub async fn secrets<R: SecretHolder>(
        &self,
        call: &Call,
        id: &str,
        pairs: &[(String, String)],
    ) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let holder: R = self.one(&work, Act::Read, id).await?;
        let mut params = Params::new(pairs)?;
        let (page, per_page) = params.page()?;
        params.finish()?;
        let secrets = self.usage_by_secret(holder.id().any()).await?;
        let skipped = (page as usize - 1).saturating_mul(per_page as usize);
        let views = secrets.iter().skip(skipped).take(per_page as usize);
        let data = views.map(|(secret, usage)| forms::to_value(&secret.view(work.now, usage))).collect();
        Ok(Listing::of_page(data, page, per_page, secrets.len() as u64))
    }

    /// Makes another secret; those that there are go on working.
    pub async fn create_secret<R: SecretHolder>(
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
            let holder: R = self.one(&work, act, id).await?;
            let permit = work.may(act, Target::object(R::KIND, holder.owner())).await?;
            if let Some(at) = new.expires_at {
                in_future(&work, at, "/expires_at")?;
            }
            work.may_see_secret_of(&holder).await?;
            self.room_for_secret(holder.id().any(), work.now).await?;
            let (secret, shown) = make(&work, &holder, new.expires_at);
            let mut written = written(&secret, &shown);
            let event = work.done(Action::SECRET_CREATED, &secret, &[]);
            let change = Change::default().create(secret).replace(holder.meta().version, work.next(&holder));
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

    pub(super) async fn room_for_secret(&self, holder: AnyId, now: Timestamp) -> Result<(), Error> {
        let secrets = secrets_of(&*self.inner.store, holder).await?;
        let used =
            secrets.iter().filter(|secret| keyward_policy::liveness::secret(secret, now).is_ok()).count();
        if used < MAX_LIVE {
            return Ok(());
        }
        let detail = format!("{MAX_LIVE} secrets work already. Revoke one first.");
        Err(Error::LimitReached { limit: MAX_LIVE as u64, used: used as u64, detail })
    }

    /// Stops a secret for good, and ends the tokens that it obtained.
    pub async fn revoke_secret<R: SecretHolder>(
        &self,
        call: &Call,
        id: &str,
        secret: &str,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let act = Act::Act("revoke_secret");
            let holder: R = self.one(&work, act, id).await?;
            let secret_id: Id<Secret> = parse_id(secret)?;
            let secrets = secrets_of(&*self.inner.store, holder.id().any()).await?;
            let before =
                secrets.into_iter().find(|secret| secret.id() == secret_id).ok_or(Error::NotFound)?;
            if before.revoked_at.is_some() {
                return Ok(());
            }
            let permit = work.may(act, Target::object(R::KIND, holder.owner())).await?;
            let secret = Secret { revoked_at: Some(work.now), ..work.next(&before) };
            let event = work.done(Action::SECRET_REVOKED, &secret, &[]);
            let change = work.told(Change::default(), &before, &secret).await?;
            let change = change
                .replace(before.meta.version, secret)
                .replace(holder.meta().version, work.next(&holder));
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

impl Work<'_> {
    /// Refuses secrets where there can be none, and those that would give the caller more than they hold.
    pub(super) async fn may_see_secret_of<R: SecretHolder>(&self, holder: &R) -> Result<(), Error> {
        if !holder.can_keep_secrets() {
            let detail = "What runs in other people's hands can't keep a secret.".to_owned();
            return Err(Error::Conflict { code: "not_applicable", detail });
        }
        // A secret gives all that its holder has to whoever sees it.
        self.holds_what(&holder.client_id(), holder.owner()).await
    }
}

/// The reply to the making of a secret, as it may be repeated.
pub(super) fn written(secret: &Secret, shown: &serde_json::Value) -> Written {
    Written {
        id: secret.id().to_string(),
        version: secret.meta.version,
        body: without_value(shown),
        has_secret: true,
        replayed: false,
    }
}

/// What is shown once, without it.
fn without_value(shown: &serde_json::Value) -> serde_json::Value {
    let mut body = shown.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("value");
    }
    body
}
