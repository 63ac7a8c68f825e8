//! Keyward's token endpoint and admin API inside another actix-web application, on the memory store.
//!
//! `cargo run -p embedded -- 127.0.0.1:8081` prints a client for the admin API; everything is gone when it ends.

use std::{error::Error, net::TcpListener, sync::Arc};

use actix_web::{App, HttpServer, web};
use keyward_core::{Call, Caller, Keyward, MasterKey, NewClient, Options, Origin, SystemRandom};
use keyward_http::HttpSettings;
use keyward_model::SystemClock;
use keyward_store_memory::MemoryStore;

async fn hello() -> &'static str {
    "This page is the application's own."
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8081".to_owned());
    let listener = TcpListener::bind(address)?;
    let url = format!("http://{}", listener.local_addr()?);

    // A real application keeps its master key, and a store that outlives the process.
    let (store, master) = (Arc::new(MemoryStore::default()), MasterKey::generate(&SystemRandom));
    let options = Options::new(&url);
    let keyward =
        Keyward::start(store, &master, options, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;

    let call = Call { caller: Caller::operator("setup"), origin: Origin::default(), idempotency: None };
    let scopes = "admin:read admin:write".parse()?;
    let client = NewClient { client_id: "setup".to_owned(), scopes, secret: None };
    let (client_id, secret) = keyward.create_client(&call, client).await?;
    println!("{url}\n{client_id}\n{secret}");

    let http = HttpSettings::default();
    let app = move || {
        App::new()
            .wrap(keyward_http::wrap(&keyward, &http))
            .configure(keyward_http::configure(&keyward, &http))
            .route("/hello", web::get().to(hello))
    };
    HttpServer::new(app).workers(1).listen(listener)?.run().await?;
    Ok(())
}
