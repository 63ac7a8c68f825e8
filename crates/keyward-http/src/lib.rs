//! Keyward's HTTP side: OAuth endpoints, the admin API and its OpenAPI document on actix-web.
//!
//! A handler parses, calls one function of the core, and renders. One table of operations makes both the
//! routes and the OpenAPI document, so neither can lack what the other has.
//!
//! ```no_run
//! use actix_web::App;
//! # fn mount(keyward: &keyward_core::Keyward) {
//! let http = keyward_http::HttpSettings::default();
//! let app = App::new()
//!     .wrap(keyward_http::wrap(keyward, &http))
//!     .configure(keyward_http::configure(keyward, &http));
//! # }
//! ```

mod admin;
mod body;
pub mod browser;
mod health;
mod middleware;
mod needs;
mod oauth;
mod openapi;
mod operation;
mod origin;
mod problem;
mod protection;
mod reference;
mod settings;

use actix_web::web;
use keyward_core::Keyward;

pub use middleware::wrap;
pub use needs::{Needing, needing_permissions};
pub use origin::origin;
pub use problem::Problem;
pub use settings::HttpSettings;

use operation::Operation;

/// Every operation there is, in the order of the documentation.
fn operations() -> Vec<Operation> {
    let mut all = oauth::operations();
    all.extend(protection::operations());
    all.extend(admin::operations());
    all.extend(health::operations());
    all.push(openapi::operation());
    all.extend(reference::operations());
    all
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) keyward: Keyward,
    pub(crate) settings: HttpSettings,
}

/// Mounts every route of Keyward. Requests that are not for one of them are left to the application.
pub fn configure(keyward: &Keyward, settings: &HttpSettings) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let state = State { keyward: keyward.clone(), settings: settings.clone() };
    move |config| {
        config.app_data(web::Data::new(state));
        operation::mount(operations(), config);
    }
}

/// The OpenAPI document (3.1) of the server at this address.
#[must_use]
pub fn openapi(issuer: &str) -> serde_json::Value {
    openapi::document(&operations(), issuer)
}
