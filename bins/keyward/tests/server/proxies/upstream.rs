//! What stands behind the proxies.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// An API that checks nothing. It answers 500 for `/broken` and 200 for all else.
pub(super) struct Upstream {
    pub(super) port: String,
    /// Every request as it came, in lower case.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = seen.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let request = read(&stream);
                let status = if request.contains("/broken") { "500 Broken" } else { "200 OK" };
                // Whoever has the reply may look at once.
                requests.lock().unwrap().push(request);
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: 9\r\nConnection: close\r\n\r\n");
                stream.write_all(format!("{head}the API's").as_bytes()).unwrap();
            }
        });
        Self { port, seen }
    }

    /// The requests since this was asked last.
    pub(super) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// A request as it came, in lower case.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        request += &line.to_lowercase();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request + &String::from_utf8(body).unwrap()
}
