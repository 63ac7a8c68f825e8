//! Rules of API keys: made, rotated with overlap, revoked for good, and the evidence of their use.

use keyward_crypto::credential::{Credential, CredentialKind};
use keyward_model::{
    Action, AnyId, ApiKey, ApiKeyView, EditApiKey, Entity, FieldChange, Id, Kind, NewApiKey, Owner,
    RotateApiKey, Status, Tenant, Timestamp, Usage,
};
use keyward_policy::{
    Action as Act, Target,
    liveness::{self, Dead},
};
use keyward_store::{Change, StoreError, StoreExt};
use serde_json::{Value, json};

use super::{
    ATTEMPTS, Administered, Document, Draft, IfMatch, Work,
    applications::{in_future, known_environment},
    busy,
    idempotency::{self, Replay},
    resource::document,
};
use crate::{Call, Error, Keyward, Options, Written, forms};

impl Administered for ApiKey {
    const COLLECTION: &'static str = "api-keys";
    const CREATED: Action = Action::API_KEY_CREATED;
    const UPDATED: Action = Action::API_KEY_UPDATED;
    const DELETED: Action = Action::API_KEY_DELETED;
    const SHOWN: &'static str = "value";

    async fn create(work: &Work<'_>, new: NewApiKey) -> Result<Draft<Self>, Error> {
        let environment = known_environment(work, new.environment)?;
        if let Some(at) = new.expires_at {
            in_future(work, at, "/expires_at")?;
        }
        let tenant: Tenant = work.reference(new.tenant_id, "/tenant_id").await?;
        work.grantable(&new.permissions, Owner::Tenant(new.tenant_id), "/permissions").await?;
        let (hint, hash, value) = make(work, &environment);
        let mut draft = Draft::plain(Self {
            meta: work.meta(),
            name: new.name,
            tenant_id: new.tenant_id,
            permissions: new.permissions,
            environment,
            status: new.status,
            expires_at: new.expires_at,
            allowed_ips: new.allowed_ips,
            hint,
            hash,
            revoked_at: None,
            predecessor_id: None,
            successor_id: None,
            rotated_at: None,
            retire_after_quiet_hours: new.retire_after_quiet_hours,
        });
        draft.with.expect.push((tenant.id().any(), tenant.meta.version));
        draft.shown.push((Self::SHOWN, value));
        Ok(draft)
    }

    async fn update(work: &Work<'_>, current: &Self, edit: EditApiKey) -> Result<Draft<Self>, Error> {
        if current.revoked_at.is_some() {
            let detail = "A revoked key never comes back.".to_owned();
            return Err(Error::Conflict { code: "revoked", detail });
        }
        let added = edit.permissions.difference(&current.permissions);
        work.grantable(&added, current.owner(), "/permissions").await?;
        Ok(Draft::plain(Self {
            name: edit.name,
            permissions: edit.permissions,
            allowed_ips: edit.allowed_ips,
            status: edit.status,
            retire_after_quiet_hours: edit.retire_after_quiet_hours,
            ..current.clone()
        }))
    }

    async fn rendered(work: &Work<'_>, keys: &[Self]) -> Result<Vec<Value>, Error> {
        let ids: Vec<AnyId> = keys.iter().map(|key| key.id().any()).collect();
        let usage = work.keyward.usage_of(&ids).await?;
        let of = |key: &Self| usage.get(&key.id().any()).map_or(&[][..], Vec::as_slice);
        Ok(keys.iter().map(|key| forms::to_value(&key.view_with(work.now, of(key)))).collect())
    }

    async fn end(keyward: &Keyward, call: &Call, id: &str) -> Result<(), Error> {
        keyward.revoke_api_key(call, id, None).await.map(|_| ())
    }
}

/// The hint, the hash and the value of a fresh key.
fn make(work: &Work<'_>, environment: &str) -> (String, [u8; 32], Value) {
    let live = Options::is_live(environment);
    let credential = Credential::generate(CredentialKind::ApiKey, live, work.random());
    let hash = work.keyward.inner.hasher.hash(credential.expose());
    (credential.hint(), hash, json!(credential.expose()))
}

/// The key that takes the place of another: as much as that one, for as long again.
fn successor(work: &Work<'_>, old: &ApiKey) -> (ApiKey, Value) {
    let (hint, hash, value) = make(work, &old.environment);
    let lives = |at: Timestamp| at.unix_seconds() - old.meta.created_at.unix_seconds();
    let key = ApiKey {
        meta: work.meta(),
        hint,
        hash,
        expires_at: old.expires_at.map(|at| work.now.plus_seconds(lives(at))),
        predecessor_id: Some(old.id()),
        successor_id: None,
        rotated_at: None,
        ..old.clone()
    };
    (key, value)
}

/// The old key, which goes on for the overlap.
fn outgoing(work: &Work<'_>, old: &ApiKey, next: Id<ApiKey>, rotation: &RotateApiKey) -> ApiKey {
    let end = work.now.plus_seconds(i64::from(rotation.overlap_seconds));
    ApiKey {
        expires_at: Some(old.expires_at.map_or(end, |at| at.min(end))),
        successor_id: Some(next),
        rotated_at: Some(work.now),
        retire_after_quiet_hours: rotation.retire_after_quiet_hours.or(old.retire_after_quiet_hours),
        ..work.next(old)
    }
}

impl Keyward {
    /// Makes an API key's successor. Both work until the overlap ends.
    pub async fn rotate_api_key(
        &self,
        call: &Call,
        id: &str,
        body: Value,
        condition: Option<IfMatch>,
    ) -> Result<Written, Error> {
        if let Replay::Answer(written) = idempotency::replay(self, call).await? {
            return Ok(written);
        }
        let rotation: RotateApiKey = forms::decode_valid(body)?;
        let act = Act::Act("rotate");
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let current: ApiKey = self.one(&work, act, id).await?;
            IfMatch::check(condition.as_ref(), current.meta.version)?;
            let permit = work.may(act, Target::object(Kind::ApiKey, current.owner())).await?;
            self.may_rotate(&current, work.now).await?;
            let catalogue = self.inner.directory.catalogue().await?;
            // Whoever makes the new key sees it, and with that has all that it permits.
            let given = current.permissions.clone().intersection(&catalogue);
            work.grantable(&given, current.owner(), "").await?;
            let (next, value) = successor(&work, &current);
            let old = outgoing(&work, &current, next.id(), &rotation);
            let mut written = Written {
                id: next.id().to_string(),
                version: next.meta.version,
                body: document(&next, &work).await?.body,
                has_secret: true,
                replayed: false,
            };
            let events = vec![
                work.done(Action::API_KEY_ROTATED, &old, &rotated(&current, &old)),
                work.done(Action::API_KEY_CREATED, &next, &[]),
            ];
            let mut change = work.told(Change::default(), &current, &old).await?;
            change = change.replace(current.meta.version, old).create(next);
            change.tickets.extend(idempotency::ticket(call, &written, work.now));
            match work.commit(&permit, change, events).await {
                Ok(_) => {
                    if let Value::Object(members) = &mut written.body {
                        members.insert(ApiKey::SHOWN.to_owned(), value);
                    }
                    return Ok(written);
                }
                Err(StoreError::Stale) => {}
                Err(error) => return idempotency::after_conflict(self, call, error).await,
            }
        }
        Err(busy())
    }

    /// Refuses to rotate what does not work, or has a successor that does.
    async fn may_rotate(&self, key: &ApiKey, now: Timestamp) -> Result<(), Error> {
        let conflict = |code, detail: &str| Err(Error::Conflict { code, detail: detail.to_owned() });
        match liveness::api_key_itself(key, now) {
            Ok(()) => {}
            Err(Dead::KeyExpired(_)) => {
                return conflict("expired", "The key has expired. Create another one.");
            }
            Err(Dead::KeyDisabled) => return conflict("disabled", "The key is disabled. Enable it first."),
            Err(_) => return conflict("revoked", "A revoked key has no successor."),
        }
        let Some(id) = key.successor_id else { return Ok(()) };
        let reach = keyward_model::Reach::Platform;
        let next: Option<ApiKey> = self.inner.store.get_as(&reach, id).await?;
        let is_over =
            |next: &ApiKey| !matches!(liveness::api_key_itself(next, now), Ok(()) | Err(Dead::KeyDisabled));
        if next.as_ref().is_none_or(is_over) {
            return Ok(());
        }
        conflict("already_rotated", "The key has a successor that works. Rotate that one.")
    }

    /// Stops an API key for good; once more changes nothing.
    pub async fn revoke_api_key(
        &self,
        call: &Call,
        id: &str,
        condition: Option<IfMatch>,
    ) -> Result<Document, Error> {
        let act = Act::Act("revoke");
        let work = Work::begin(self, call);
        let current: ApiKey = self.one(&work, act, id).await?;
        if current.revoked_at.is_some() {
            return document(&current, &work).await;
        }
        self.change::<ApiKey, _>(call, id, condition, act, Action::API_KEY_REVOKED, async |work, current| {
            let revoked_at = current.revoked_at.or(Some(work.now));
            Ok(Draft::plain(ApiKey { revoked_at, ..current.clone() }))
        })
        .await
    }

    /// An API key that the caller may read, with the evidence of its use.
    pub(crate) async fn key_with_usage(
        &self,
        call: &Call,
        id: &str,
    ) -> Result<(ApiKey, ApiKeyView, Vec<Usage>), Error> {
        let work = Work::begin(self, call);
        let key: ApiKey = self.one(&work, Act::Read, id).await?;
        let usage = self.usage_of(&[key.id().any()]).await?.remove(&key.id().any()).unwrap_or_default();
        let view = key.view_with(work.now, &usage);
        Ok((key, view, usage))
    }
}

/// What a rotation changes of the old key.
fn rotated(before: &ApiKey, after: &ApiKey) -> [FieldChange; 2] {
    let change = |field: &str, from: Value, to: Value| FieldChange { field: field.to_owned(), from, to };
    [
        change("expires_at", json!(before.expires_at), json!(after.expires_at)),
        change("successor_id", json!(before.successor_id), json!(after.successor_id)),
    ]
}

impl Work<'_> {
    /// Stops a key that nobody has used for as long as it was told to wait, on nobody's behalf.
    pub(crate) async fn retire(&self, key: &ApiKey) -> Result<(), StoreError> {
        let next = ApiKey { revoked_at: Some(self.now), ..self.next(key) };
        let mut event = self.done(Action::API_KEY_REVOKED, &next, &[]);
        event.reason = Some("quiet".to_owned());
        let change = self.told(Change::default(), key, &next).await?;
        match self.keyward.commit(change.replace(key.meta.version, next), vec![event]).await {
            // Somebody else changed it; its turn comes again.
            Ok(_) | Err(StoreError::Stale) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the last use of a key, or its rotation when nobody used it since, lies as far back as it is told to wait.
    pub(crate) fn is_quiet(&self, key: &ApiKey, usage: &[Usage]) -> bool {
        let Some(hours) = key.retire_after_quiet_hours else { return false };
        let last = usage.iter().map(|row| row.last_used_at).chain(key.rotated_at).max();
        last.is_some_and(|last| last.plus_seconds(i64::from(hours) * 3_600) <= self.now)
            && key.status == Status::Active
    }
}
