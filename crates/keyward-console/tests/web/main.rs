//! Signing in, in process: pages, sessions and tokens as browsers and applications see them, with a clock that tests move.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod apps;
mod audit;
mod brute_force;
mod code_flow;
mod counting;
mod desk;
mod desk_care;
mod desk_evidence;
mod desk_flows;
mod desk_holders;
mod desk_interrupted;
mod desk_kinds;
mod desk_people;
mod desk_policy;
mod links;
mod prompting;
mod refreshing;
mod second_factor;
mod sessions;
mod signing_in;
mod support;
#[path = "../../examples/gallery/samples/words.rs"]
#[expect(dead_code, reason = "the sample pages use the rest")]
mod words;
