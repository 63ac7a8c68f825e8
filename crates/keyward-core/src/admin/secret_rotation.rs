//! Turning over to a new secret, with an overlap in which the old one still works.

use std::collections::{BTreeMap, BTreeSet};

use keyward_model::{Action, AnyId, Entity, Field, Id, Kind, Secret, Timestamp, Usage, Value as FieldValue};
use keyward_policy::{Action as Act, Target, liveness};
use keyward_store::{Change, Condition, Query, StoreError, StoreExt, Test};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    ATTEMPTS, SecretHolder, Work, busy,
    idempotency::{self, Replay},
    secrets::{make, written},
};
use crate::{Call, Error, FieldError, Keyward, Written, directory::secrets_of, forms};

/// How many days of use are told.
const DAYS: usize = 14;

/// The body that makes a secret in the place of others.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretRotate)]
pub struct SecretRotation {
    /// How long those before it still work, in seconds. With 0 they are revoked, and the tokens that they obtained end.
    #[serde(default = "a_day")]
    #[validate(range(max = 604_800, code = "out_of_range", message = "must be 0 to 604,800"))]
    pub overlap_seconds: u32,
    /// The one that it takes the place of; all that work when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub replaces: Option<Id<Secret>>,
}

const fn a_day() -> u32 {
    86_400
}

/// How the holder of secrets used them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HolderUse {
    /// When one was last used.
    pub last_used_at: Option<Timestamp>,
    /// From where.
    pub address: Option<String>,
    /// How often on each of the last 14 days, the oldest first.
    pub days: Vec<u64>,
    /// How often of these there was need, since no earlier token was still good.
    pub needed: Vec<u64>,
    /// From which addresses in that time, and how often from each.
    pub addresses: BTreeMap<String, u64>,
}

impl Keyward {
    /// Makes a secret in the place of those that there are, which go on working for the overlap.
    pub async fn rotate_secret<R: SecretHolder>(
        &self,
        call: &Call,
        id: &str,
        body: Value,
    ) -> Result<Written, Error> {
        if let Replay::Answer(written) = idempotency::replay(self, call).await? {
            return Ok(written);
        }
        let rotation: SecretRotation = forms::decode_valid(body)?;
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let act = Act::Act("rotate_secret");
            let holder: R = self.one(&work, act, id).await?;
            let permit = work.may(act, Target::object(R::KIND, holder.owner())).await?;
            work.may_see_secret_of(&holder).await?;
            // Those that are revoked at once make room themselves.
            if rotation.overlap_seconds > 0 {
                self.room_for_secret(holder.id().any(), work.now).await?;
            }
            let old = self.outgoing_secrets(holder.id().any(), &rotation, work.now).await?;
            let (secret, shown) = make(&work, &holder, None);
            let mut written = written(&secret, &shown);
            let mut events = vec![work.done(Action::SECRET_CREATED, &secret, &[])];
            let mut change =
                Change::default().create(secret).replace(holder.meta().version, work.next(&holder));
            for before in &old {
                let after = ending(before, &rotation, work.next(before), work.now);
                let action =
                    if after.revoked_at.is_some() { Action::SECRET_REVOKED } else { Action::SECRET_ROTATED };
                events.push(work.done(action, &after, &[]));
                change = work.told(change, before, &after).await?;
                change = change.replace(before.meta.version, after);
            }
            change.tickets.extend(idempotency::ticket(call, &written, work.now));
            match work.commit(&permit, change, events).await {
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

    /// The secrets that a rotation ends.
    async fn outgoing_secrets(
        &self,
        holder: AnyId,
        rotation: &SecretRotation,
        now: Timestamp,
    ) -> Result<Vec<Secret>, Error> {
        let mut live = secrets_of(&*self.inner.store, holder).await?;
        live.retain(|secret| liveness::secret(secret, now).is_ok());
        let Some(named) = rotation.replaces else { return Ok(live) };
        live.retain(|secret| secret.id() == named);
        if live.is_empty() {
            return Err(Error::field(FieldError::unknown_reference("/replaces")));
        }
        Ok(live)
    }

    /// How these applications and agents used their secrets, as far as the caller sees them.
    pub async fn holders_use(&self, call: &Call, ids: &[AnyId]) -> Result<BTreeMap<AnyId, HolderUse>, Error> {
        let work = Work::begin(self, call);
        for kind in ids.iter().map(|id| id.kind).collect::<BTreeSet<_>>() {
            let _permit = work.may(Act::List, Target::collection(kind)).await?;
        }
        let wanted = ids.iter().map(|id| FieldValue::id(Some(*id))).collect();
        let mut query = Query { per_page: 1_000, ..Query::all(Kind::Secret) };
        query.conditions.push(Condition { field: Field::HolderId, test: Test::OneOf(wanted) });
        let secrets = self.inner.store.list_as::<Secret>(&call.caller.reach(), &query).await?.items;
        let of: Vec<AnyId> = secrets.iter().map(|secret| secret.id().any()).collect();
        let usage = self.usage_of(&of).await?;
        let mut uses: BTreeMap<AnyId, HolderUse> = BTreeMap::new();
        for secret in &secrets {
            let rows = usage.get(&secret.id().any()).map_or(&[][..], Vec::as_slice);
            count(uses.entry(secret.holder_id).or_default(), rows, self.now());
        }
        Ok(uses)
    }
}

/// How a secret stands that another one takes the place of.
fn ending(before: &Secret, rotation: &SecretRotation, next: Secret, now: Timestamp) -> Secret {
    if rotation.overlap_seconds == 0 {
        return Secret { revoked_at: Some(now), ..next };
    }
    let end = now.plus_seconds(i64::from(rotation.overlap_seconds));
    Secret { expires_at: Some(before.expires_at.map_or(end, |at| at.min(end))), ..next }
}

fn count(into: &mut HolderUse, rows: &[Usage], now: Timestamp) {
    into.days.resize(DAYS, 0);
    into.needed.resize(DAYS, 0);
    let today = now.as_chrono().date_naive();
    for row in rows {
        if into.last_used_at < Some(row.last_used_at) {
            into.last_used_at = Some(row.last_used_at);
            into.address = Some(row.address.clone());
        }
        let ago = usize::try_from((today - row.day).num_days()).unwrap_or(DAYS);
        let Some(index) = DAYS.checked_sub(ago + 1) else { continue };
        *into.addresses.entry(row.address.clone()).or_default() += row.count;
        for (days, number) in [(&mut into.days, row.count), (&mut into.needed, row.needed)] {
            if let Some(day) = days.get_mut(index) {
                *day += number;
            }
        }
    }
}
