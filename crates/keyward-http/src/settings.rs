//! How the HTTP side behaves.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use ipnet::IpNet;

/// Plain settings of the HTTP side.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Set when the server is about to stop: readiness is false from then on.
    pub draining: Arc<AtomicBool>,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How many bytes a body may have.
    pub body_limit: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            draining: Arc::default(),
            request_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            body_limit: 1_048_576,
        }
    }
}
