//! The server as its users run it: the real binary, on SQLite and PostgreSQL, with real clients.

mod clients;
mod commands;
mod configuration;
mod crash;
mod documents;
mod nodes;
mod operations;
mod starting;
mod support;
mod tampering;
mod workspace;
