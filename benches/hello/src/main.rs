//! The reference of `just bench`: a form in, 700 bytes of JSON out, one worker, and nothing else. At `/signed` it also
//! makes the signature without which there is no token.
//!
//! It has Keyward's dependencies, allocator and build flags, so that the ratio between the two is what Keyward adds
//! to actix-web.

use std::io;

use actix_web::{App, HttpResponse, HttpServer, http::header, web};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
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

/// The key that signs at `/signed`, and what it signs.
struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    fn new() -> io::Result<Self> {
        let random = SystemRandom::new();
        let broken = |what: &dyn std::fmt::Debug| io::Error::other(format!("no key: {what:?}"));
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|error| broken(&error))?;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        Ok(Self { key: key.map_err(|error| broken(&error))?, random })
    }
}

/// The same with an ES256 signature over a text as long as a token.
async fn signed(
    form: web::Form<Request>,
    filler: web::Data<Filler>,
    signer: web::Data<Signer>,
) -> HttpResponse {
    match signer.key.sign(&signer.random, filler.0.as_bytes()) {
        Ok(signature) if signature.as_ref().len() == 64 => token(form, filler).await,
        _ => HttpResponse::InternalServerError().finish(),
    }
}

/// Listens on the address that is the first argument.
#[actix_web::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let filler = web::Data::new(Filler::new());
    let signer = web::Data::new(Signer::new()?);
    let app = move || {
        let app = App::new().app_data(filler.clone()).app_data(signer.clone());
        app.route("/oauth2/token", web::post().to(token)).route("/signed", web::post().to(signed))
    };
    HttpServer::new(app).workers(1).bind(address)?.run().await
}
