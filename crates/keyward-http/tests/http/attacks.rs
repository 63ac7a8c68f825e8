//! Forged and confused tokens, against introspection, the admin API and forward-auth: the table that guards are tested with.

use std::{io::ErrorKind, net::TcpListener};

use actix_web::http::header::AUTHORIZATION;
use keyward_crypto::{
    attacks::{Defect, Target, attacks},
    jws::{Algorithm, SigningKey},
    master::MasterKey,
};
use keyward_model::{Reach, SeededRandom};
use keyward_store::{Query, Store as _};
use serde_json::Value;

use crate::support::{Client, FORWARD, TestApp, admin, decode, get};

/// The keys by which the server signs, as nobody but it can have them.
async fn signing_keys(app: &TestApp) -> Vec<SigningKey> {
    let sealer = MasterKey::generate(&SeededRandom::new(7)).sealer();
    let query = Query::all(keyward_model::Kind::SigningKey);
    let page = app.store.list(&Reach::Platform, &query).await.unwrap();
    let unsealed = |record| match record {
        keyward_model::Record::SigningKey(key) => SigningKey::unseal(&key.kid, &key.sealed, &sealer).unwrap(),
        other => panic!("{other:?}"),
    };
    page.items.into_iter().map(unsealed).collect()
}

/// What each way of presenting a token says of it.
async fn accepted(
    app: &TestApp,
    client: &Client,
    token: &str,
    in_headers: bool,
) -> Vec<(&'static str, bool)> {
    // Nothing at all is no token, and refused as a missing parameter.
    let active = !token.is_empty() && app.introspect(client, token).await["active"] == Value::Bool(true);
    let mut all = vec![("introspection", active)];
    if in_headers {
        let bearer = format!("Bearer {token}");
        let with = |path: &str| get(path).header(AUTHORIZATION.as_str(), &bearer);
        all.push(("admin API", app.send(with(&admin("tenants"))).await.status == 200));
        all.push(("forward-auth", app.send(with(FORWARD)).await.status == 200));
    }
    all
}

#[actix_web::test]
async fn no_attack_is_let_in_and_every_control_is() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let app = TestApp::start().await;
        // Neither its name nor its rights are among those that attacks claim.
        let client = app.global("auditor", &["admin:read"]).await;
        let path = format!("applications/{}", client.id);
        app.edit(&path, &serde_json::json!({ "token_alg": algorithm.as_str() })).await;
        let claims = decode(&app.token(&client).await).claims;
        let keys = signing_keys(&app).await;
        let own = keys.iter().find(|key| key.algorithm() == algorithm).unwrap();
        let other = keys.iter().find(|key| key.algorithm() != algorithm).unwrap();
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let address = format!("http://{}/keys", trap.local_addr().unwrap());
        let target = Target { key: own, other_kid: other.kid(), claims: &claims, trap: &address };
        let table = attacks(&target).unwrap();
        assert!(table.len() >= 120);
        let mut faults = Vec::new();
        for attack in table {
            for (way, let_in) in accepted(&app, &client, &attack.control, true).await {
                assert!(let_in, "{way} refuses the control of {}", attack.name);
            }
            for (way, let_in) in accepted(&app, &client, &attack.token, attack.fits_a_header()).await {
                // Introspection and the admin API are for every environment.
                let is_judged = attack.defect != Defect::Environment || way == "forward-auth";
                if let_in && is_judged {
                    faults.push(format!("{way}: {} ({algorithm:?})", attack.name));
                }
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
        let visited = trap.accept().map_err(|error| error.kind());
        assert_eq!(visited.unwrap_err(), ErrorKind::WouldBlock, "an address in a token was visited");
    }
}
