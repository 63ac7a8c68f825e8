//! What providers publish about themselves, fetched by the guarded client and kept for a while.

use std::{convert::Infallible, sync::Arc};

use keyward_core::FederationError;
use keyward_crypto::jws::ForeignKeys;
use keyward_model::Timestamp;
use quick_cache::sync::Cache;

use super::{
    json,
    metadata::Metadata,
    settings::Settings,
    slot::{Fresh, Slot},
};
use crate::outbound::{Fetched, Outbound, OutboundError, OutboundRequest};

/// How many issuers are remembered.
const MAX_ISSUERS: usize = 1_000;
/// The longest documents that are read, in bytes.
const MAX_METADATA: usize = 256 << 10;
const MAX_JWKS: usize = 512 << 10;
/// The most keys of one provider.
const MAX_KEYS: usize = 100;

#[derive(Default)]
struct Shelf {
    metadata: Slot<Metadata>,
    keys: Slot<ForeignKeys>,
}

/// The documents of all issuers. Providers of one issuer share them.
pub(super) struct Library {
    outbound: Outbound,
    shelves: Cache<String, Arc<Shelf>>,
}

impl Library {
    pub(super) fn new(outbound: Outbound) -> Self {
        Self { outbound, shelves: Cache::new(MAX_ISSUERS) }
    }

    pub(super) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    fn shelf(&self, settings: &Settings<'_>) -> Arc<Shelf> {
        let Ok(shelf) =
            self.shelves.get_or_insert_with(settings.issuer, || Ok::<_, Infallible>(Arc::default()));
        shelf
    }

    /// The discovery document.
    pub(super) async fn metadata(
        &self,
        settings: &Settings<'_>,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, FederationError> {
        self.shelf(settings).metadata.get(now, async || self.fetch_metadata(settings).await).await
    }

    /// The same, fetched now.
    pub(super) async fn new_metadata(
        &self,
        settings: &Settings<'_>,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, FederationError> {
        self.shelf(settings).metadata.renew(now, async || self.fetch_metadata(settings).await).await
    }

    /// The keys.
    pub(super) async fn keys(
        &self,
        settings: &Settings<'_>,
        metadata: &Metadata,
        now: Timestamp,
    ) -> Result<Arc<ForeignKeys>, FederationError> {
        self.shelf(settings).keys.get(now, async || self.fetch_keys(metadata).await).await
    }

    /// Keys newer than the `known` ones, if it is time to ask for them.
    pub(super) async fn keys_beyond(
        &self,
        known: &Arc<ForeignKeys>,
        settings: &Settings<'_>,
        metadata: &Metadata,
        now: Timestamp,
    ) -> Result<Option<Arc<ForeignKeys>>, FederationError> {
        self.shelf(settings).keys.beyond(known, now, async || self.fetch_keys(metadata).await).await
    }

    /// The keys, fetched now.
    pub(super) async fn new_keys(
        &self,
        settings: &Settings<'_>,
        metadata: &Metadata,
        now: Timestamp,
    ) -> Result<Arc<ForeignKeys>, FederationError> {
        self.shelf(settings).keys.renew(now, async || self.fetch_keys(metadata).await).await
    }

    async fn fetch_metadata(&self, settings: &Settings<'_>) -> Result<Fresh<Metadata>, FederationError> {
        let fetched = self.document("discovery", &settings.discovery_url(), MAX_METADATA).await?;
        Ok((Metadata::read(&fetched.body, settings.issuer)?, fetched.max_age))
    }

    async fn fetch_keys(&self, metadata: &Metadata) -> Result<Fresh<ForeignKeys>, FederationError> {
        let fault = |reason, detail: &str| FederationError::new("keys", reason, detail);
        let fetched = self.document("keys", &metadata.jwks_uri, MAX_JWKS).await?;
        let object = json::object(&fetched.body)
            .ok_or_else(|| fault("not_json", "The key set is no JSON object, or says something twice."))?;
        let listed = object.get("keys").and_then(|keys| keys.as_array());
        let listed = listed.ok_or_else(|| fault("incomplete", "The key set has no list of keys."))?;
        if listed.len() > MAX_KEYS {
            return Err(fault("too_many_keys", "The key set has more than 100 keys."));
        }
        let keys = ForeignKeys::read(listed);
        if keys.is_empty() {
            return Err(fault("no_keys", "The key set has no key that verifies signatures."));
        }
        Ok((keys, fetched.max_age))
    }

    async fn document(
        &self,
        step: &'static str,
        url: &str,
        limit: usize,
    ) -> Result<Fetched, FederationError> {
        let fetched = self.outbound.send(OutboundRequest::get(url).limit(limit)).await;
        let fetched = fetched.map_err(|error| not_fetched(step, &error))?;
        if fetched.status == 200 { Ok(fetched) } else { Err(bad_status(step, fetched.status)) }
    }
}

/// A request failed.
pub(super) fn not_fetched(step: &'static str, error: &OutboundError) -> FederationError {
    FederationError::new(step, error.reason(), format!("{}: {error}.", subject(step)))
}

/// An answer has another status than a good one.
pub(super) fn bad_status(step: &'static str, status: u16) -> FederationError {
    let detail = format!("{}: the provider answered with status {status}.", subject(step));
    FederationError::new(step, "bad_status", detail)
}

/// What a step is about, for the beginning of a sentence.
fn subject(step: &str) -> &'static str {
    match step {
        "address" => "The issuer can't be asked",
        "discovery" => "The discovery document can't be read",
        "keys" => "The provider's keys can't be read",
        "token" => "The code can't be exchanged for tokens",
        "userinfo" => "The userinfo endpoint can't be asked",
        _ => "The provider can't be asked",
    }
}
