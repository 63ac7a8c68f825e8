//! Keyward itself on the store in redb.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use keyward_core::{Call, Caller, Keyward, MasterKey, NewClient, Options, Origin, SystemRandom};
use keyward_model::SystemClock;
use redb_store::RedbStore;

/// It starts, makes a client, stops, and goes on where it was; the audit log proves that nothing is missing.
#[tokio::test]
async fn keyward_runs_on_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(RedbStore::open(directory.path().join("keyward.redb")).unwrap());
    let master = MasterKey::generate(&SystemRandom);
    let start = async || {
        let options = Options::new("http://127.0.0.1:8081");
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        Keyward::start(store.clone(), &master, options, clock, random).await.unwrap()
    };

    let keyward = start().await;
    let call = Call { caller: Caller::operator("test"), origin: Origin::default(), idempotency: None };
    let scopes = "admin:read admin:write".parse().unwrap();
    let client = NewClient { client_id: "test".to_owned(), scopes, secret: None };
    keyward.create_client(&call, client.clone()).await.unwrap();
    let keys = keyward.jwks();
    keyward.stop().await;

    let again = start().await;
    assert_eq!(again.jwks(), keys);
    assert_eq!(again.ready().await, Ok(()));
    assert!(again.create_client(&call, client).await.is_err(), "its name is taken");
    again.stop().await;
    let report = keyward_core::verify_audit(&*store).await.unwrap();
    assert_eq!(report.chains, 2, "one for each run");
}
