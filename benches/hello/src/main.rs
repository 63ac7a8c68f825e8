//! The reference of `just bench`: a form in, 700 bytes of JSON out, one worker, and nothing else.
//!
//! It has Keyward's dependencies, allocator and build flags, so that the ratio between the two is what Keyward adds
//! to actix-web.

use std::io;

use actix_web::{App, HttpResponse, HttpServer, http::header, web};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The size of the reply's body in bytes, that of a usual token reply.
const REPLY_LEN: usize = 700;

/// The fields of a client credentials request.
#[derive(Deserialize)]
struct Request {
    grant_type: String,
    client_id: String,
    client_secret: String,
}

/// The fields of a token reply.
#[derive(Serialize)]
struct Reply<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u32,
    scope: &'a str,
}

/// A text that is long enough for the reply to have [`REPLY_LEN`] bytes.
struct Filler(String);

impl Filler {
    fn new() -> Self {
        let fixed =
            r#"{"access_token":"","token_type":"Bearer","expires_in":3600,"scope":"read:points"}"#.len();
        Self("x".repeat(REPLY_LEN - fixed))
    }
}

/// Reads the whole form, so that the parsing can't be left out, and answers in the shape of a token reply.
async fn token(form: web::Form<Request>, filler: web::Data<Filler>) -> HttpResponse {
    let Request { grant_type, client_id, client_secret } = &*form;
    if grant_type != "client_credentials" || client_id.is_empty() || client_secret.is_empty() {
        return HttpResponse::BadRequest().finish();
    }
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Reply {
        access_token: &filler.0,
        token_type: "Bearer",
        expires_in: 3600,
        scope: "read:points",
    })
}

/// Listens on the address that is the first argument.
#[actix_web::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let filler = web::Data::new(Filler::new());
    HttpServer::new(move || App::new().app_data(filler.clone()).route("/oauth2/token", web::post().to(token)))
        .workers(1)
        .bind(address)?
        .run()
        .await
}
