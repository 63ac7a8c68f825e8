//! How many requests are under way at once, as a whole and for each host.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::OutboundError;

/// How many hosts are kept before those are forgotten that nobody asks.
const MANY: usize = 256;

pub(super) struct Lanes {
    all: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// The right to one request. The host's lane is kept by whoever holds a permit of it.
pub(super) struct Lane {
    _of_host: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Lanes {
    pub(super) fn new(all: usize, per_host: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), per_host, hosts: Mutex::default() }
    }

    /// Waits for a turn: first at the host, so that those who wait for a slow one are in nobody else's way.
    pub(super) async fn enter(&self, host: &str) -> Result<Lane, OutboundError> {
        let busy = |_| OutboundError::Busy(host.to_owned());
        let of_host = self.of(host).acquire_owned().await.map_err(busy)?;
        let of_all = self.all.clone().acquire_owned().await.map_err(busy)?;
        Ok(Lane { _of_host: of_host, _of_all: of_all })
    }

    fn of(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = hosts.get(host).and_then(Weak::upgrade) {
            return lane;
        }
        if hosts.len() >= MANY {
            hosts.retain(|_, lane| lane.strong_count() > 0);
        }
        let lane = Arc::new(Semaphore::new(self.per_host));
        hosts.insert(host.to_owned(), Arc::downgrade(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_host_takes_its_own_lane_only() {
        let lanes = Lanes::new(3, 2);
        let held = [lanes.enter("slow").await.unwrap(), lanes.enter("slow").await.unwrap()];
        let third = tokio::time::timeout(std::time::Duration::ZERO, lanes.enter("slow"));
        assert!(third.await.is_err(), "a third has to wait");
        assert!(lanes.enter("other").await.is_ok());
        drop(held);
        assert!(lanes.enter("slow").await.is_ok());
    }

    #[tokio::test]
    async fn hosts_that_nobody_asks_are_forgotten() {
        let lanes = Lanes::new(1, 1);
        for number in 0..2_000 {
            drop(lanes.enter(&format!("host-{number}")).await.unwrap());
        }
        assert!(lanes.hosts.lock().unwrap().len() <= MANY);
    }
}
