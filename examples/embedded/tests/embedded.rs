//! Runs the example as a reader would.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use reqwest::blocking::Client;
use serde_json::{Value, json};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_example_gives_tokens_and_administrates() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embedded"));
    let mut running = Running(command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (url, id, secret) = (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
    let client = Client::new();
    let form = [("grant_type", "client_credentials")];
    let token: Value = client
        .post(format!("{url}/oauth2/token"))
        .basic_auth(&id, Some(&secret))
        .form(&form)
        .send()
        .unwrap()
        .json()
        .unwrap();
    let created = client
        .post(format!("{url}/api/v1/admin/tenants"))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .json(&json!({ "name": "Acme", "slug": "acme" }))
        .send()
        .unwrap();
    assert_eq!(created.status(), 201);
    assert_eq!(created.json::<Value>().unwrap()["slug"], "acme");
    let own = client.get(format!("{url}/hello")).send().unwrap().text().unwrap();
    assert!(own.contains("the application's own"));
    assert_eq!(client.get(format!("{url}/nowhere")).send().unwrap().status(), 404);
}
