//! The gallery on a port of its own, and the pages without a server.

use std::{net::TcpListener, thread};

use actix_web::{App, HttpServer, body::MessageBody, http::header};

use crate::samples::{self, Words};

/// The headers of every page, beside its policy.
const EVERYWHERE: [(&str, &str); 4] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
];

/// A page as a browser gets it.
pub(crate) struct Served {
    pub(crate) name: &'static str,
    pub(crate) policy: String,
    pub(crate) html: String,
}

/// Every page with these words.
pub(crate) fn pages(words: &Words) -> Vec<Served> {
    let pages: Vec<Served> = samples::samples(words)
        .into_iter()
        .map(|sample| {
            assert_eq!(sample.reply.status(), 200, "{}", sample.name);
            for (header, value) in EVERYWHERE {
                assert_eq!(sample.reply.headers().get(header).unwrap(), value, "{}", sample.name);
            }
            let policy = sample.reply.headers().get(header::CONTENT_SECURITY_POLICY).unwrap();
            let policy = policy.to_str().unwrap().to_owned();
            let body = sample.reply.into_body().try_into_bytes().unwrap();
            Served { name: sample.name, policy, html: String::from_utf8(body.to_vec()).unwrap() }
        })
        .collect();
    assert!(pages.len() > 50, "every page in every state");
    pages
}

/// Serves the gallery for as long as the tests run; its address.
pub(crate) fn gallery() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let server = HttpServer::new(|| {
            App::new().configure(keyward_console::assets::configure).configure(samples::pages("/_gallery"))
        })
        .workers(1);
        actix_web::rt::System::new().block_on(server.disable_signals().listen(listener).unwrap().run())
    });
    address
}
