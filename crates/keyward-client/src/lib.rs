//! Keyward's client for machines: it obtains access tokens by client credentials (RFC 6749, section 4.4), keeps and
//! renews them, and sends requests with them through [`reqwest`].
//!
//! # A nightly job
//!
//! ```no_run
//! use std::error::Error;
//!
//! use keyward_client::{ClientOptions, ClientSecret, Narrowing};
//!
//! # async fn nightly() -> Result<(), Box<dyn Error>> {
//! // Once, when the program starts. The secret comes from wherever secrets are kept.
//! let secret = ClientSecret::new(std::env::var("CLIENT_SECRET")?);
//! let keyward = ClientOptions::from_issuer("https://id.example.com", "acme.crm-sync", secret)
//!     .api_base("https://api.example.com/v1/")
//!     .build()?;
//!
//! // One call that runs with elevated rights, and no more of them than it needs.
//! let adjusting = keyward.narrowed(Narrowing::new().tenant("acme").scope("points:adjust"));
//! let adjusted = adjusting
//!     .elevate(|api| async move {
//!         let adjustment = api.post("members/mem_7/points").json(&[("delta", 250)]);
//!         let reply = api.send(adjustment).await?;
//!         Ok::<_, Box<dyn Error>>(reply.error_for_status()?.text().await?)
//!     })
//!     .await?;
//! println!("{adjusted}");
//!
//! // Or the bare token, for what does not go through `reqwest`.
//! let token = keyward.token().await?;
//! println!("a token for another {} seconds", token.remaining().as_secs());
//! # Ok(())
//! # }
//! ```
//!
//! # What it sees to
//!
//! - **One token for many calls.** A token is kept until it is renewed. However many tasks want one at the same moment,
//!   one request is made; a task that is cancelled meanwhile does not disturb the others.
//! - **Renewal before expiry.** A token is renewed in the background by the first call that finds it due; that call and
//!   those beside it go on with the old one. A client that is idle asks for nothing. A failing renewal fails nobody
//!   while the old token lives; [`KeywardClient::last_failure`] tells of it.
//! - **No hammering.** After a failure nothing is sent for a while, which is what `Retry-After` says or grows with each
//!   failure; callers get the error at once.
//! - **401.** A token that an API refuses is dropped, and the request is sent once more with another one.
//! - **Secrets stay.** Tokens go to the origins that the options name and to no other, not through a redirect either.
//!   Neither the secret nor a token is in any `Debug` or error. Plain HTTP is refused beyond loopback.
//!
//! # TLS
//!
//! This crate switches no TLS on, so that it does not choose one for the program that it is part of. Do so in your own
//! dependency, which is the same [`reqwest`]: `reqwest = { version = "0.13", features = ["rustls"] }`.
//! Without it an `https` address is [`Error::Unreachable`], with "scheme is not http" among its causes.
//!
//! # Runtime
//!
//! Tokio. The request for a token is a task of the runtime that the first caller is on.

mod challenge;
mod client;
mod discovery;
mod elevated;
mod error;
mod exchange;
mod narrowing;
mod options;
mod secret;
mod source;
mod sources;
mod token;

pub use client::KeywardClient;
pub use elevated::Elevated;
pub use error::Error;
pub use narrowing::Narrowing;
pub use options::ClientOptions;
pub use reqwest;
pub use secret::ClientSecret;
pub use token::AccessToken;
