//! Names that lead somewhere else a moment later.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use keyward_federation::outbound::{Outbound, OutboundError, OutboundRequest, Resolve};

use crate::support::{
    options,
    server::{Reply, Server},
};

/// Answers with another address each time.
struct Turning {
    addresses: Vec<IpAddr>,
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Turning {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(vec![self.addresses[turn % self.addresses.len()]])
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let good =
        Server::start(|request| Reply::json(request.header("host").unwrap_or_default().to_owned())).await;
    let port = good.address.port();
    let trap = Server::at(&format!("127.0.0.2:{port}"), |_| Reply::json("trapped")).await;
    let addresses = vec![good.address.ip(), trap.address.ip()];
    let resolver = Arc::new(Turning { addresses, asked: AtomicUsize::new(0) });
    let outbound = Outbound::with_resolver(options(), resolver.clone());
    let url = format!("http://rebinding.example:{port}/");

    let first = outbound.send(OutboundRequest::get(&url)).await.map(|fetched| fetched.body);
    assert_eq!(first, Ok(format!("rebinding.example:{port}").into_bytes()));
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1, "what was checked is not asked for again");
    assert_eq!((good.connections(), trap.connections()), (1, 0));

    let second = outbound.send(OutboundRequest::get(&url)).await.map(|fetched| fetched.body);
    assert_eq!(second, Err(OutboundError::Refused("rebinding.example".to_owned())));
    assert_eq!((good.connections(), trap.connections()), (1, 0), "nothing is kept open or kept in mind");

    assert_eq!(outbound.probe(&url).await, Ok(()));
    let after_probe = outbound.send(OutboundRequest::get(&url)).await.map(|fetched| fetched.body);
    assert!(after_probe.is_err(), "a check of before is worth nothing");
    assert_eq!((good.connections(), trap.connections()), (1, 0));
}
