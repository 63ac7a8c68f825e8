//! Who may do what: pure, total, synchronous functions without input or output.
//!
//! Three rules live here and nowhere else: **authority** ([`decide`]), **bounded granting** ([`may_grant`]) and
//! **liveness** ([`liveness`]).

mod authority;
mod granting;
pub mod liveness;

pub use authority::{
    Action, Permit, Principal, Refusal, Target, decide, may_vouch, reach, required, staff_permission,
};
pub use granting::{GrantRefusal, effective, held, may_grant, may_set_tier};
