//! Every page of the console in every state, with sample data: `cargo run -p keyward-console --example gallery`,
//! then open <http://127.0.0.1:8090/_gallery/>.

mod samples;

use std::io;

use actix_web::{App, HttpServer};
use keyward_console::assets;

#[actix_web::main]
async fn main() -> io::Result<()> {
    let address = "127.0.0.1:8090";
    println!("http://{address}/_gallery/");
    HttpServer::new(|| App::new().configure(assets::configure).configure(samples::pages("/_gallery")))
        .workers(1)
        .bind(address)?
        .run()
        .await
}
