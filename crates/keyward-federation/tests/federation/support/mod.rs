//! What the tests share.

pub(crate) mod provider;
pub(crate) mod server;

use std::{collections::HashMap, io, net::IpAddr, time::Duration};

use async_trait::async_trait;
use keyward_core::{Trip, Upstream};
use keyward_federation::{
    oidc::Oidc,
    outbound::{AllowRule, Outbound, OutboundOptions, Resolve},
};
use keyward_model::{ProviderKind, SeededRandom, Timestamp};
use serde_json::{Value, json};

/// Where the browser comes back.
pub(crate) const RETURN_URL: &str = "https://keyward.example/sign-in/callback/idp_test";
pub(crate) const CLIENT_ID: &str = "keyward:test";
pub(crate) const CLIENT_SECRET: &str = "s3cret of 32 bytes, at least + %!";

/// The moment of the tests that have no real provider.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T12:00:00Z").unwrap()
}

pub(crate) fn rules(allow: &[&str]) -> Vec<AllowRule> {
    allow.iter().map(|rule| rule.parse().unwrap()).collect()
}

/// What may be reached in most tests: one address of this machine. Traps are at another.
pub(crate) fn options() -> OutboundOptions {
    OutboundOptions { allow: rules(&["127.0.0.1"]), ..OutboundOptions::default() }
}

pub(crate) fn oidc() -> Oidc {
    Oidc::new(Outbound::new(options()))
}

/// A relying party that gives up early.
pub(crate) fn impatient() -> Oidc {
    Oidc::new(Outbound::new(OutboundOptions { deadline: Duration::from_secs(1), ..options() }))
}

pub(crate) fn upstream(issuer: &str) -> Upstream {
    configured(json!({ "issuer": issuer, "client_id": CLIENT_ID }), Some(CLIENT_SECRET))
}

pub(crate) fn configured(config: Value, client_secret: Option<&str>) -> Upstream {
    let Value::Object(config) = config else { panic!("a configuration is an object") };
    Upstream {
        id: "idp_test".to_owned(),
        kind: ProviderKind::Oidc,
        config,
        client_secret: client_secret.map(str::to_owned),
        return_url: RETURN_URL.to_owned(),
        entity_id: "https://keyward.example".to_owned(),
    }
}

pub(crate) fn trip(random: &SeededRandom, fresh: bool) -> Trip<'_> {
    Trip { state: "the-state", login_hint: None, fresh, now: now(), random }
}

/// The query of an address.
pub(crate) fn query(location: &str) -> HashMap<String, String> {
    let url = url::Url::parse(location).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (count, map) = (pairs.len(), pairs.into_iter().collect::<HashMap<_, _>>());
    assert_eq!(map.len(), count, "a parameter stands twice in {location}");
    map
}

/// Names with addresses of the test's choice.
pub(crate) struct Names(pub(crate) HashMap<&'static str, Vec<IpAddr>>);

impl Names {
    pub(crate) fn new(names: &[(&'static str, &[&str])]) -> Self {
        let parsed = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
        Self(names.iter().map(|(name, addresses)| (*name, parsed(addresses))).collect())
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.0.get(host).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}
