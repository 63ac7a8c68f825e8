//! A server of HTTP/1.1 that answers as it is told to, well or badly, and counts.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The lines between the first and the body.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status, some more headers, and a body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes for ever, after a good head.
    Endless(Vec<u8>),
    /// One byte of a good answer after another, with a pause between.
    Drip(Duration),
    /// Headers without end.
    EndlessHead,
    /// These bytes, and the end.
    Raw(&'static [u8]),
    /// Nothing, while the connection stays open.
    Silent,
}

impl Reply {
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::Whole(200, vec![("content-type", "application/json".to_owned())], body.into())
    }

    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Whole(status, Vec::new(), body.into())
    }

    pub(crate) fn redirect(location: &str) -> Self {
        Self::Whole(302, vec![("location", location.to_owned())], Vec::new())
    }
}

/// What a server counts.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) connections: AtomicUsize,
    pub(crate) bytes: AtomicUsize,
}

/// A server; it ends when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// A server at 127.0.0.1.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn at(
        address: &str,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (counting, answer) = (counts.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counting.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, answer.clone(), counting.clone()));
            }
        });
        Self { address, counts, task }
    }

    /// A server that nobody may come to.
    pub(crate) async fn trap() -> Self {
        Self::at("127.0.0.2:0", |_| Reply::status(200, "{}")).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn bytes_served(&self) -> usize {
        self.counts.bytes.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&Request) -> Reply + Send + Sync + 'static>,
    counts: Arc<Counts>,
) {
    if let Some(request) = read(&mut stream).await {
        // Whoever was served enough hangs up; that is no matter here.
        let _ = write(&mut stream, answer(&request), &counts).await;
    }
}

/// Reads one request.
pub(crate) async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<Request> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4_096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let request = parse(&head);
            let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
            let body = &bytes[end + 4..];
            if body.len() >= length {
                return Some(Request { body: String::from_utf8_lossy(body).into_owned(), ..request });
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

fn parse(head: &str) -> Request {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    Request { method, path, headers: lines.filter_map(header).collect(), body: String::new() }
}

/// Writes an answer.
pub(crate) async fn write(
    stream: &mut (impl AsyncWriteExt + Unpin),
    reply: Reply,
    counts: &Counts,
) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    match reply {
        Reply::Whole(status, headers, body) => {
            let lines: Vec<String> =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let head = format!(
                "HTTP/1.1 {status} Status\r\n{}content-length: {}\r\n\r\n",
                lines.concat(),
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Reply::Endless(bytes) => {
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            loop {
                stream.write_all(&bytes).await?;
                counts.bytes.fetch_add(bytes.len(), Ordering::SeqCst);
            }
        }
        Reply::Drip(pause) => {
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::EndlessHead => {
            stream.write_all(head.as_bytes()).await?;
            let line = format!("x-filler: {}\r\n", "x".repeat(8_000));
            loop {
                stream.write_all(line.as_bytes()).await?;
                counts.bytes.fetch_add(line.len(), Ordering::SeqCst);
            }
        }
        Reply::Raw(bytes) => stream.write_all(bytes).await?,
        Reply::Silent => std::future::pending().await,
    }
    stream.shutdown().await
}
