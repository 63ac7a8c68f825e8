//! The pages. Each is a struct that a handler fills and [`respond`](crate::respond) sends.
//!
//! The names of the fields that their forms send stand in each page's documentation; every form also sends `csrf`
//! and what its [`Form::keep`](crate::Form) holds.

mod account;
mod carry_on;
mod consent;
mod error;
mod password;
mod provider_test;
mod recovery;
mod screen;
mod setup;
mod sign_in;
mod sign_out;
mod step_up;
mod two_step;

pub use account::{Account, Profile, Session, TwoStep};
pub use carry_on::{CarryOn, Onward};
pub use consent::{Consent, ConsentPermission};
pub use error::ErrorPage;
pub use password::{Delivery, ForgottenPassword, NewPassword, Occasion, ResetLink, ResetRequested};
pub use provider_test::{Claim, Mapped, ProviderTest, TestStep, Verdict};
pub use recovery::RecoveryCodes;
pub use screen::{Fragment, Screen, Tab};
pub use setup::{AddressMismatch, Setup, SetupUsed};
pub use sign_in::{Provider, SignIn, SignInPassword};
pub use sign_out::{SignOut, SignedOut};
pub use step_up::{Factor, StepUp};
pub use two_step::{CodeChallenge, EnrolCode, RecoveryChallenge};
