//! A nightly job that gives a tenant points at the points API (`examples/points-api`). It may change points for the one
//! call that changes them, and no longer.
//!
//! ```text
//! $ KEYWARD_ISSUER=http://127.0.0.1:8080 KEYWARD_CLIENT_ID=acme.nightly KEYWARD_CLIENT_SECRET=kws_live_… \
//!     POINTS_API=http://127.0.0.1:8081 cargo run -p nightly-job -- $TENANT 250
//! tnt_…: 0 points, now 250
//! ```

use std::{env, error::Error};

use keyward_client::{ClientOptions, ClientSecret, Narrowing};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Points {
    balance: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [tenant, delta] = arguments.as_slice() else { return Err("usage: nightly-job TENANT DELTA".into()) };
    let (path, delta) = (format!("points/{tenant}"), delta.parse::<i64>()?);

    let secret = ClientSecret::new(env::var("KEYWARD_CLIENT_SECRET")?);
    let keyward =
        ClientOptions::from_issuer(env::var("KEYWARD_ISSUER")?, env::var("KEYWARD_CLIENT_ID")?, secret)
            .api_base(env::var("POINTS_API")?)
            .build()?;

    // All that is not about the change goes on with a token that can't change anything.
    let reader = keyward.narrowed(Narrowing::new().scope("points:read"));
    let before: Points = reader.send(reader.get(&path)).await?.error_for_status()?.json().await?;

    // The handle inside goes out with the other token, and is worth nothing outside.
    let writer = keyward.narrowed(Narrowing::new().scope("points:write"));
    let after = writer
        .elevate(|api| async move {
            let change = api.post(&path).json(&json!({ "delta": delta }));
            let reply = api.send(change).await?.error_for_status()?;
            Ok::<Points, Box<dyn Error>>(reply.json().await?)
        })
        .await?;

    println!("{tenant}: {} points, now {}", before.balance, after.balance);
    Ok(())
}
