//! People who sign in: what they prove, the sessions that follow, and the links by which they get to their first password.
//!
//! Nothing is written for somebody who proved nothing, apart from the record of the failure and the slot that counts
//! it: what a half-finished sign-in must remember travels with the browser, sealed.

mod account;
mod accounts_elsewhere;
mod error;
mod factor;
mod first_admin;
mod flow;
mod links;
mod mail;
mod passwords;
mod policy;
mod preferences;
mod providers;
mod sessions;
mod throttle;
mod trips;

pub(crate) use account::without_factor;
pub use account::{AccountView, EnrolmentView, LinkedView};
pub use error::SignInError;
pub use factor::{Enrolment, Proof};
pub use flow::{Flow, Step};
pub use links::{LinkPurpose, PasswordLink};
pub use mail::{Mail, MailError, Mailer};
pub(crate) use passwords::Passwords;
pub(crate) use policy::Policies;
pub use policy::{PolicyInForce, SignInPolicy};
pub use providers::ProviderChoice;
pub(crate) use providers::{domain_mark, domains_of, is_domain_mark};
pub use sessions::{NewSession, SignedIn};
pub use trips::{Arrived, Purpose, TestReport, TripEnd};
