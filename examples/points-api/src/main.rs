//! A points API on actix-web that Keyward protects. `docs/protect-an-api.md` goes through it.
//!
//! ```text
//! $ KEYWARD_ISSUER=http://127.0.0.1:8080 cargo run -p points-api -- 127.0.0.1:8081 &
//! $ curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8081/points/$TENANT
//! {"balance":0,"called_by":"acme.crm-sync"}
//! $ curl -H "Authorization: Bearer $TOKEN" --json '{"delta": 10}' http://127.0.0.1:8081/points/$TENANT
//! {"balance":10,"called_by":"acme.crm-sync"}
//! ```
//!
//! | variable | |
//! |---|---|
//! | `KEYWARD_ISSUER` | Keyward's public address |
//! | `KEYWARD_AUDIENCE` | the `aud` of tokens for this API; the issuer's address and `/api` when unset |
//! | `KEYWARD_MODE` | the credentials of a request: `bearer` (when unset), `api_key`, `either` or `both` |
//! | `KEYWARD_CLIENT_ID`, `KEYWARD_CLIENT_SECRET` | a client with `keys:verify`; needed in every mode but `bearer` |

use std::{collections::HashMap, env, error::Error};

use actix_web::{App, HttpServer, web};
use keyward_client::{ClientOptions, ClientSecret, Narrowing};
use keyward_guard::{Caller, Denial, Guard, Mode, RemoteKeys};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

async fn guard() -> Result<Guard, Box<dyn Error>> {
    let issuer = env::var("KEYWARD_ISSUER")?;
    let audience = env::var("KEYWARD_AUDIENCE").unwrap_or_else(|_| format!("{issuer}/api"));
    let guard = Guard::builder(&issuer).audience(audience).environment("production");
    let mode = env::var("KEYWARD_MODE").unwrap_or_else(|_| "bearer".to_owned());
    let mode = Mode::from_word(&mode).ok_or("KEYWARD_MODE must be bearer, api_key, either or both")?;
    if mode == Mode::Bearer {
        return Ok(guard.connect().await?);
    }
    // Tokens are verified here, API keys by Keyward: it is asked about them with a token of this API's own.
    let secret = ClientSecret::new(env::var("KEYWARD_CLIENT_SECRET")?);
    let client = ClientOptions::from_issuer(&issuer, env::var("KEYWARD_CLIENT_ID")?, secret)
        .narrowing(Narrowing::new().scope("keys:verify"))
        .build()?;
    let token = move |refused: Option<String>| {
        let client = client.clone();
        async move {
            if let Some(token) = refused {
                client.reject(&token);
            }
            Ok(client.token().await?.secret().to_owned())
        }
    };
    Ok(guard.mode(mode).api_keys(RemoteKeys::new(&issuer, token)?).connect().await?)
}

/// The balance of each tenant.
type Points = web::Data<Mutex<HashMap<String, i64>>>;

#[derive(Deserialize)]
struct Change {
    delta: i64,
}

type Answer = Result<web::Json<Value>, Denial>;

async fn read(caller: Caller, tenant: web::Path<String>, points: Points) -> Answer {
    // The guard knows what the caller may do, the handler whose points these are.
    caller.require_tenant(&tenant)?;
    let balance = points.lock().await.get(&*tenant).copied().unwrap_or_default();
    Ok(web::Json(json!({ "balance": balance, "called_by": caller.subject() })))
}

async fn add(caller: Caller, tenant: web::Path<String>, change: web::Json<Change>, points: Points) -> Answer {
    caller.require_tenant(&tenant)?;
    let mut points = points.lock().await;
    let balance = points.entry(tenant.into_inner()).or_default();
    *balance = balance.saturating_add(change.delta);
    Ok(web::Json(json!({ "balance": *balance, "called_by": caller.subject() })))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8081".to_owned());
    let (guard, points) = (guard().await?, Points::default());
    let server = HttpServer::new(move || {
        App::new().app_data(points.clone()).service(
            web::resource("/points/{tenant_id}")
                .route(web::get().to(read).wrap(guard.require("points:read")))
                .route(web::post().to(add).wrap(guard.require("points:write"))),
        )
    });
    let server = server.workers(2).bind(address)?;
    println!("points-api listens on http://{}", server.addrs()[0]);
    Ok(server.run().await?)
}
