//! The server as its users run it: the real binary, on SQLite and PostgreSQL, with real clients.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should say where")]

mod browser;
mod clients;
mod code_flow;
mod commands;
mod configuration;
mod console;
mod crash;
mod demo;
mod documents;
mod generated;
mod guide;
mod leaks;
mod nodes;
mod operations;
mod people_on_nodes;
mod protecting;
mod proxies;
mod rotation;
mod screens;
mod sign_in;
mod starting;
mod support;
mod tampering;
mod uses;
mod vocabulary;
mod workspace;
