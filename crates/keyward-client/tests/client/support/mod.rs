//! Servers on sockets, and the time of the client.

mod fake;
mod real;

use std::{net::TcpListener, sync::mpsc, thread, time::Duration};

use actix_web::dev::{Server, ServerHandle};
use tokio::net::TcpSocket;

pub(crate) use fake::{Answer, Fake, SECRET, metadata};
pub(crate) use real::{Real, granted_application};

/// How long tests wait for what is about to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a thread of its own. It stops when this is dropped.
pub(crate) struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        // The order is given at once, the future would wait until it has been followed.
        drop(self.0.stop(false));
    }
}

/// Runs what `start` makes on a socket of its own, and gives what else it made.
pub(crate) fn serve<T, F>(start: F) -> (Running, T)
where
    T: Send + 'static,
    F: AsyncFnOnce(TcpListener, String) -> (Server, T) + Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let (server, made) = start(listener, url).await;
            sender.send((server.handle(), made)).unwrap();
            server.await.unwrap();
        });
    });
    let (handle, made) = receiver.recv().unwrap();
    (Running(handle), made)
}

/// An address where nobody listens, for as long as the socket lives.
pub(crate) fn nowhere() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/token", socket.local_addr().unwrap());
    (socket, url)
}

/// Lets time pass for the client, at once.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Asks until the answer is yes.
pub(crate) async fn until(mut yes: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !yes().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it comes true");
}
