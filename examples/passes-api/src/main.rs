//! An API for passes on axum that Keyward protects. `docs/protect-an-api.md` goes through it.
//!
//! ```text
//! $ KEYWARD_ISSUER=http://127.0.0.1:8080 cargo run -p passes-api -- 127.0.0.1:8082 &
//! $ curl -H "Authorization: Bearer $TOKEN" --json '{"holder": "m-1"}' http://127.0.0.1:8082/passes/$TENANT
//! {"called_by":"acme.crm-sync","passes":["m-1"]}
//! $ curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8082/passes/$TENANT
//! {"called_by":"acme.crm-sync","passes":["m-1"]}
//! ```
//!
//! The variables are those of `examples/points-api`.

use std::{collections::HashMap, env, error::Error, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Request, State},
    handler::Handler,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use keyward_client::{ClientOptions, ClientSecret, Narrowing};
use keyward_guard::{Caller, Denial, Guard, Mode, PeerAddress, RemoteKeys};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex};

/// A guard that needs no Keyward to start: it asks for the keys when the first request comes.
fn guard() -> Result<Guard, Box<dyn Error>> {
    let issuer = env::var("KEYWARD_ISSUER")?;
    let audience = env::var("KEYWARD_AUDIENCE").unwrap_or_else(|_| format!("{issuer}/api"));
    let guard = Guard::builder(&issuer).audience(audience).environment("production");
    let mode = env::var("KEYWARD_MODE").unwrap_or_else(|_| "bearer".to_owned());
    let mode = Mode::from_word(&mode).ok_or("KEYWARD_MODE must be bearer, api_key, either or both")?;
    if mode == Mode::Bearer {
        return Ok(guard.build()?);
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
    Ok(guard.mode(mode).api_keys(RemoteKeys::new(&issuer, token)?).build()?)
}

/// The holders of each tenant's passes.
type Passes = State<Arc<Mutex<HashMap<String, Vec<String>>>>>;

#[derive(Deserialize)]
struct Pass {
    holder: String,
}

type Answer = Result<Json<Value>, Denial>;

async fn list(caller: Caller, Path(tenant): Path<String>, State(passes): Passes) -> Answer {
    // The guard knows what the caller may do, the handler whose passes these are.
    caller.require_tenant(&tenant)?;
    let passes = passes.lock().await.get(&tenant).cloned().unwrap_or_default();
    Ok(Json(json!({ "called_by": caller.subject(), "passes": passes })))
}

async fn issue(
    caller: Caller,
    Path(tenant): Path<String>,
    State(passes): Passes,
    Json(pass): Json<Pass>,
) -> Answer {
    caller.require_tenant(&tenant)?;
    let mut passes = passes.lock().await;
    let passes = passes.entry(tenant).or_default();
    passes.push(pass.holder);
    Ok(Json(json!({ "called_by": caller.subject(), "passes": passes })))
}

/// Tells the guard where a request comes from: API keys can be limited to addresses.
async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(PeerAddress(address.ip()));
    next.run(request).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8082".to_owned());
    let guard = guard()?;
    let list = list.layer(guard.require("passes:read").layer());
    let issue = issue.layer(guard.require("passes:write").layer());
    let app = Router::new().route("/passes/{tenant_id}", get(list).post(issue)).layer(from_fn(peer));
    let listener = TcpListener::bind(address).await?;
    println!("passes-api listens on http://{}", listener.local_addr()?);
    let app = app.with_state(Arc::default()).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}
