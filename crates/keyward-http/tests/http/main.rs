//! Keyward over HTTP, from its public contract alone: every expectation is a sentence of the contract.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod support;

mod access;
mod agents;
mod applications;
mod apps;
mod audit;
mod audit_writes;
mod bodies;
mod bulk;
mod claims;
mod conditions;
mod dashboard;
mod dead;
mod dead_grants;
mod dead_rights;
mod deletion;
mod discovery;
mod export;
mod faults;
mod fields;
mod granting;
mod grants;
mod groups;
mod health;
mod introspection;
mod ledger;
mod limits;
mod lists;
mod nodes;
mod openapi;
mod partners;
mod permissions;
mod providers;
mod renewal;
mod revocation;
mod roles;
mod secrets;
mod sessions;
mod signing_keys;
mod tenants;
mod tiers;
mod tiers_granting;
mod tiers_writes;
mod token;
mod token_clients;
mod token_limits;
mod token_targets;
mod token_transport;
mod users;
mod walls;
