//! The job as a process of its own, beside a Keyward and an API that Keyward protects.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

#[path = "../../testing/keyward.rs"]
mod keyward;

use std::{
    net::TcpListener,
    process::{Command, Output},
    sync::{Mutex, mpsc},
    thread,
};

use actix_web::{App, HttpServer, web};
use keyward::{Credentials, Keyward};
use keyward_guard::{Caller, Guard};
use serde_json::{Value, json};

/// What the API was asked: the permissions of the token, and the change.
type Asked = web::Data<Mutex<Vec<(String, Option<i64>)>>>;

async fn read(caller: Caller, asked: Asked) -> web::Json<Value> {
    asked.lock().unwrap().push((caller.permissions().to_string(), None));
    web::Json(json!({ "balance": 100 }))
}

async fn write(caller: Caller, change: web::Json<Value>, asked: Asked) -> web::Json<Value> {
    let delta = change["delta"].as_i64().unwrap();
    asked.lock().unwrap().push((caller.permissions().to_string(), Some(delta)));
    web::Json(json!({ "balance": 100 + delta }))
}

/// The points API, with 100 points in it, and what it was asked.
fn points_api(issuer: &str) -> (String, Asked) {
    let asked = Asked::default();
    let (sender, receiver) = mpsc::channel();
    let (issuer, data) = (issuer.to_owned(), asked.clone());
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            sender.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            let guard = Guard::builder(&issuer).audience(format!("{issuer}/api")).connect().await.unwrap();
            let server = HttpServer::new(move || {
                App::new().app_data(data.clone()).service(
                    web::resource("/points/{tenant_id}")
                        .route(web::get().to(read).wrap(guard.require("points:read")))
                        .route(web::post().to(write).wrap(guard.require("points:write"))),
                )
            });
            server.workers(1).disable_signals().listen(listener).unwrap().run().await.unwrap();
        });
    });
    (receiver.recv().unwrap(), asked)
}

fn run(keyward: &Keyward, api: &str, (id, secret): &Credentials, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nightly-job"))
        .args(arguments)
        .env("KEYWARD_ISSUER", &keyward.url)
        .env("KEYWARD_CLIENT_ID", id)
        .env("KEYWARD_CLIENT_SECRET", secret)
        .env("POINTS_API", api)
        .output()
        .unwrap()
}

#[test]
fn it_changes_points_with_rights_for_that_one_call() {
    let keyward = Keyward::start(0);
    keyward.permissions("points");
    let acme = keyward.tenant("acme");
    let client = keyward.client(&acme, "nightly", "production", &["points:read", "points:write"]);
    let (api, asked) = points_api(&keyward.url);
    let output = run(&keyward, &api, &client, &["tnt_1", "250"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "tnt_1: 100 points, now 350\n");
    let expected = [("points:read".to_owned(), None), ("points:write".to_owned(), Some(250))];
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn without_the_right_nothing_is_changed() {
    let keyward = Keyward::start(0);
    keyward.permissions("points");
    let client = keyward.client(&keyward.tenant("acme"), "nightly", "production", &["points:read"]);
    let (api, asked) = points_api(&keyward.url);
    let output = run(&keyward, &api, &client, &["tnt_1", "250"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("invalid_scope"), "{error}");
    assert!(!error.contains(&client.1), "the secret");
    assert_eq!(*asked.lock().unwrap(), [("points:read".to_owned(), None)]);
    let usage = run(&keyward, &api, &client, &["tnt_1"]);
    assert!(String::from_utf8(usage.stderr).unwrap().contains("usage: nightly-job TENANT DELTA"));
}
