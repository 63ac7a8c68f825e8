//! Listing and rotating the platform's signing keys; always audited.

use keyward_model::{Action, Entity, Kind, Owner, SigningKey, TokenAlgorithm};
use keyward_policy::{Action as Act, Target};
use keyward_store::{Change, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    ATTEMPTS, Listing, Work, busy,
    idempotency::{self, Replay},
};
use crate::{
    Call, Error, Keyward, Written, forms,
    keys::{KeyError, Keys, SigningKeyView, view},
    params::Params,
};

/// The body that rotates signing keys.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SigningKeyRotate)]
pub struct Rotation {
    /// The algorithm whose key is replaced; every algorithm's when left out.
    #[serde(default)]
    pub algorithm: Option<TokenAlgorithm>,
}

impl Keyward {
    /// The signing keys, retired ones included.
    pub async fn signing_keys(&self, call: &Call, pairs: &[(String, String)]) -> Result<Listing, Error> {
        let work = Work::begin(self, call);
        let _permit = work.may(Act::List, Target::collection(Kind::SigningKey)).await?;
        let mut params = Params::new(pairs)?;
        let (page, per_page) = params.page()?;
        params.finish()?;
        let keys = self.inner.keys.records().await?;
        if let Some(newest) = keys.last() {
            self.inner.writer.append(work.done(Action::SIGNING_KEY_LISTED, newest, &[])).await?;
        }
        let views: Vec<SigningKeyView> = keys.iter().map(|key| view(key, &keys, work.now)).collect();
        let skipped = (page as usize - 1).saturating_mul(per_page as usize);
        let data = views.iter().skip(skipped).take(per_page as usize).map(forms::to_value).collect();
        Ok(Listing::of_page(data, page, per_page, views.len() as u64))
    }

    /// Makes new signing keys. They are published at once, sign when every cache of the JWKS had time to learn of them,
    /// and those that they replace stay published for as long as their tokens can live.
    pub async fn rotate_signing_keys(&self, call: &Call, body: Value) -> Result<Written, Error> {
        let rotation: Rotation = forms::decode(body)?;
        if let Replay::Answer(written) = idempotency::replay(self, call).await? {
            return Ok(written);
        }
        let algorithms = rotation.algorithm.map_or(TokenAlgorithm::ALL.to_vec(), |one| vec![one]);
        for _ in 0..ATTEMPTS {
            let work = Work::begin(self, call);
            let target = Target::object(Kind::SigningKey, Owner::Platform);
            let permit = work.may(Act::Act("rotate"), target).await?;
            let (active_at, retires_at) =
                Keys::rotation_times(work.now, self.inner.options.jwks_cache_seconds);
            let mut change = Change::default();
            let mut events = Vec::new();
            let before = self.inner.keys.records().await?;
            for old in
                before.iter().filter(|key| key.retires_at.is_none() && algorithms.contains(&key.algorithm))
            {
                let retiring = SigningKey { retires_at: Some(retires_at), ..work.next(old) };
                events.push(work.done(Action::SIGNING_KEY_RETIRED, &retiring, &[]));
                change = change.replace(old.meta.version, retiring);
            }
            let mut made = Vec::with_capacity(algorithms.len());
            for algorithm in &algorithms {
                let key = self.inner.keys.make(*algorithm, active_at).await.map_err(unavailable)?;
                events.push(work.done(Action::SIGNING_KEY_CREATED, &key, &[]));
                made.push(key.clone());
                change = change.create(key);
            }
            let views: Vec<SigningKeyView> = made.iter().map(|key| view(key, &made, work.now)).collect();
            let written = Written {
                id: made.first().map(|key| key.id().to_string()).unwrap_or_default(),
                version: 1,
                body: json!({ "data": views }),
                has_secret: false,
                replayed: false,
            };
            change.tickets.extend(idempotency::ticket(call, &written, work.now));
            match work.commit(&permit, change, events).await {
                Ok(_) => return Ok(written),
                Err(StoreError::Stale) => {}
                Err(error) => return idempotency::after_conflict(self, call, error).await,
            }
        }
        Err(busy())
    }
}

fn unavailable(error: KeyError) -> Error {
    Error::Unavailable(Box::new(error))
}
