//! The caches of a client's narrowings.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Narrowing, exchange::Exchange, source::Source};

/// As many are kept; beyond it those go that nobody holds, the one that was not used for longest first.
pub(crate) const KEPT: usize = 1_024;

pub(crate) struct Sources {
    exchange: Arc<Exchange>,
    kept: usize,
    all: Mutex<HashMap<Narrowing, Arc<Source>>>,
}

impl Sources {
    pub(crate) fn new(exchange: Arc<Exchange>, kept: usize) -> Self {
        Self { exchange, kept, all: Mutex::default() }
    }

    /// The one cache for this narrowing.
    pub(crate) fn get(&self, narrowing: Narrowing) -> Arc<Source> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = all.get(&narrowing) {
            return source.clone();
        }
        while all.len() >= self.kept {
            let idle = all.values().filter(|source| Arc::strong_count(source) == 1);
            let Some(oldest) = idle.min_by_key(|source| source.used()) else { break };
            let oldest = oldest.narrowing().clone();
            all.remove(&oldest);
        }
        let source = Arc::new(Source::new(self.exchange.clone(), narrowing.clone()));
        all.insert(narrowing, source.clone());
        source
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{ClientSecret, discovery::TokenEndpoint};

    fn tenant(name: &str) -> Narrowing {
        Narrowing::new().tenant(name)
    }

    #[tokio::test]
    async fn the_idle_make_room() {
        tokio::time::pause();
        let exchange = Exchange {
            http: reqwest::Client::new(),
            endpoint: TokenEndpoint::Given("http://127.0.0.1:1/token".parse().unwrap()),
            client_id: "a".to_owned(),
            secret: ClientSecret::new("b"),
            timeout: Duration::from_secs(1),
            lead: None,
        };
        let sources = Sources::new(Arc::new(exchange), 3);
        let held = sources.get(tenant("held"));
        for name in ["a", "b", "c", "d"] {
            tokio::time::advance(Duration::from_secs(1)).await;
            drop(sources.get(tenant(name)));
        }
        let known = |name: &str| sources.all.lock().unwrap().contains_key(&tenant(name));
        assert_eq!(["held", "a", "b", "c", "d"].map(known), [true, false, false, true, true]);
        assert!(Arc::ptr_eq(&held, &sources.get(tenant("held"))));
    }
}
