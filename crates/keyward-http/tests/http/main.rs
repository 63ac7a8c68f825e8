//! Keyward over HTTP, from its public contract alone: every expectation is a sentence of the contract.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod support;

mod access;
mod applications;
mod audit;
mod audit_writes;
mod bodies;
mod claims;
mod conditions;
mod dead;
mod dead_grants;
mod dead_rights;
mod deletion;
mod discovery;
mod faults;
mod granting;
mod grants;
mod health;
mod introspection;
mod limits;
mod lists;
mod nodes;
mod openapi;
mod permissions;
mod renewal;
mod revocation;
mod roles;
mod secrets;
mod signing_keys;
mod tenants;
mod token;
mod token_clients;
mod token_limits;
mod token_targets;
mod token_transport;
