//! Keyward's pages for people: signing in, consent, and the console, rendered on the server.
//!
//! A page is a struct with public fields and a template. A handler fills it and answers with [`respond`], which adds
//! the headers that every page has, the content security policy among them. Everything works without JavaScript;
//! the one small script only makes it more comfortable.
//!
//! ```
//! use actix_web::http::StatusCode;
//! use keyward_console::{Form, Shell, page::ForgottenPassword, paths, respond};
//!
//! let page = ForgottenPassword {
//!     shell: Shell { product: "Keyward".to_owned(), host: "auth.example.com".to_owned(), ..Shell::default() },
//!     form: Form { action: paths::FORGOTTEN.to_owned(), csrf: "…".to_owned(), ..Form::default() },
//!     email: String::new(),
//!     back: paths::SIGN_IN.to_owned(),
//! };
//! let reply = respond(StatusCode::OK, &page, &[]);
//! assert_eq!(reply.headers().get("cache-control").unwrap(), "no-store");
//! ```
//!
//! The style sheet, the script and the icon are part of the program; [`assets::configure`] mounts them.

// By this name the sample pages know it, which are part of debug builds, too.
#[cfg(debug_assertions)]
extern crate self as keyward_console;

pub mod assets;
pub mod component;

mod device;
mod form;
mod frame;
mod moment;
pub mod page;
pub mod paths;
mod policy;
mod qr;
mod response;
#[cfg(debug_assertions)]
#[path = "../examples/gallery/samples/mod.rs"]
mod samples;
mod web;

pub use component::{Confirmation, Notice, Severity};
pub use device::describe_device;
pub use form::{FieldProblem, Form, Problems};
pub use frame::{AccountMenu, Crumb, Environment, Frame, NavEntry, Shell};
pub use moment::Moment;
pub use policy::{FormTarget, content_security_policy};
pub use response::respond;
pub use web::{About, configure};
