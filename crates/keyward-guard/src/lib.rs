//! Protects an API by the access tokens and API keys of [Keyward](https://github.com/keyward/keyward), or by the access
//! tokens of any issuer that follows RFC 9068.
//!
//! A [`Guard`] knows one issuer. It finds the issuer's keys by itself, refreshes them beside the requests, outlives an
//! outage of the issuer as long as the keys live, and refuses what was revoked within a second, by following the issuer's
//! revocation feed. What an endpoint asks for is a [`Protection`], which actix-web takes as a middleware, and tower as a
//! layer. Neither knows more than [`Protection::check`], which is there for everything else.
//!
//! # actix-web (feature `actix`)
//!
//! ```no_run
//! # #[cfg(feature = "actix")] mod example {
//! use actix_web::{App, HttpServer, web};
//! use keyward_guard::{Caller, Denial, Guard};
//!
//! async fn points(caller: Caller, tenant: web::Path<String>) -> Result<String, Denial> {
//!     // A credential is good for its tenants alone.
//!     caller.require_tenant(&tenant)?;
//!     Ok(format!("points of {tenant} for {}", caller.subject()))
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let guard = Guard::builder("https://keyward.example")
//!         .audience("https://keyward.example/api")
//!         .environment("production")
//!         .connect()
//!         .await?;
//!     let app = move || {
//!         App::new().service(
//!             web::resource("/tenants/{tenant}/points")
//!                 .wrap(guard.require("points:read"))
//!                 .route(web::get().to(points)),
//!         )
//!     };
//!     HttpServer::new(app).bind("127.0.0.1:8000")?.run().await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # axum and tower (features `axum`, `tower`)
//!
//! ```no_run
//! # #[cfg(feature = "axum")] mod example {
//! use axum::{Router, extract::Path, routing::get};
//! use keyward_guard::{Caller, Denial, Guard, Mode, RemoteKeys};
//!
//! async fn points(caller: Caller, Path(tenant): Path<String>) -> Result<String, Denial> {
//!     caller.require_tenant(&tenant)?;
//!     Ok(format!("points of {tenant} for {}", caller.subject()))
//! }
//!
//! async fn service_token(_refused: Option<String>) -> Result<String, keyward_guard::BoxError> {
//!     // Better from keyward-client, which keeps and renews it: see `TokenSource`.
//!     Ok(std::env::var("SERVICE_TOKEN")?)
//! }
//!
//! # #[allow(clippy::needless_doctest_main)]
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let issuer = "https://keyward.example";
//!     let guard = Guard::builder(issuer)
//!         .audience("https://keyward.example/api")
//!         .environment("production")
//!         .mode(Mode::Either)
//!         .api_keys(RemoteKeys::new(issuer, service_token)?)
//!         .connect()
//!         .await?;
//!     let app = Router::new()
//!         .route("/tenants/{tenant}/points", get(points).layer(guard.require("points:read").layer()));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
//!     axum::serve(listener, app).await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! # What is checked
//!
//! - **Headers.** `Authorization` and `X-Api-Key` may be there once; a repeated one is 400 even when equal.
//! - **Tokens** (RFC 9068 section 4): `typ`, the signature by the algorithm of the key that `kid` names, `iss`, `aud`, `exp`,
//!   `nbf`, `iat`, and every required claim, each of its very type. What a header says about keys is ignored.
//! - **Keys** have a checksum, which is looked at before anybody is asked. Who is asked is a [`KeyChecker`].
//! - **Revocations** are looked at for every request, also for tokens and keys that are remembered.
//! - **What it comes to** is decided in one place for all of Keyward, `keyward_model::admission`: the mode, tenants of token
//!   and key, environment, permissions.
//!
//! A refusal is a [`Denial`]: `application/problem+json` with one of the documented codes, and `WWW-Authenticate`.
//!
//! # What is not its business
//!
//! - **CORS.** A browser's preflight (`OPTIONS`) has no credentials, and so is refused. Whatever answers preflights belongs
//!   outside of the guard, so that it comes first: in actix-web `.wrap(cors)` after `.wrap(protection)`, in tower the CORS
//!   layer around the guard's.
//! - **Tenants of objects.** The guard can't know which tenant a request is about. Handlers ask
//!   [`Caller::require_tenant`].
//! - **The address of the caller** behind a proxy, see [`PeerAddress`].
//!
//! # Waiting
//!
//! While there is a usable key, a request with a token waits for nobody. It waits for the issuer when there is none yet, and
//! when a token names a key that is not known: once in thirty seconds, unless the issuer did publish a new one. A request with an API key waits for the answer about
//! the key, unless that is remembered.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `tls` (default) | issuers at https addresses. Without it, the program chooses a TLS by a feature of `reqwest`. |
//! | `actix` | middleware and extractor for actix-web 4 |
//! | `tower` | the layer |
//! | `axum` | the layer, and the extractor for axum 0.8 |

#[cfg(feature = "actix")]
pub mod actix;
mod api_keys;
mod authority;
#[cfg(feature = "axum")]
mod axum;
mod builder;
mod caller;
mod credentials;
mod denial;
mod fetch;
mod guard;
mod keys;
mod protection;
mod revocations;
mod tokens;
#[cfg(feature = "tower")]
pub mod tower;

pub use keyward_model::{
    Scope, ScopeSet,
    admission::{Admitted, KeyFacts, Mode, Needs, Reason, Refusal, Requirement, TokenFacts},
};

pub use self::{
    api_keys::{BoxError, BoxFuture, KeyChecker, KeyError, KeyQuestion, RemoteKeys, TokenSource},
    authority::Authority,
    builder::{BuildError, Builder, ConnectError},
    caller::Caller,
    credentials::Credentials,
    denial::{Denial, PROBLEM_JSON},
    fetch::FetchError,
    guard::Guard,
    keys::KeysError,
    protection::{PeerAddress, Protection},
};
