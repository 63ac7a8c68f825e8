//! People on several processes with one database: what is good once is good once among all of them.

use std::{collections::HashSet, sync::Barrier, thread, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_crypto::{digest::sha256, totp::TotpSecret};
use keyward_model::{Clock as _, SystemClock};
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page, super_admin},
    support::{Admin, Database, PUBLIC_URL, Server, eventually, postgres, text},
};

const EMAIL: &str = "ada@acme.example";
const CALLBACK: &str = "https://web.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Three processes, and the super admin there is.
fn nodes(database: &Database, totp: &str) -> [Server; 3] {
    let settings = [("KEYWARD_PUBLIC_URL", PUBLIC_URL), ("KEYWARD_SIGN_IN__TOTP_REQUIRED", totp)];
    let nodes = [(); 3].map(|()| Server::start_with(database, &settings));
    super_admin(database, PUBLIC_URL, EMAIL, "Ada Lovelace");
    nodes
}

/// The token endpoint's answer to a form: status and body.
fn asked(server: &Server, client: &(String, String), form: &[(&str, &str)]) -> (u16, Value) {
    let request = Client::new().post(server.url("/oauth2/token")).basic_auth(&client.0, Some(&client.1));
    let reply = request.form(form).send().unwrap();
    (reply.status().as_u16(), reply.json().unwrap())
}

fn refreshed(server: &Server, client: &(String, String), token: &str) -> (u16, Value) {
    asked(server, client, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// A web application, and a refresh token of the person's: the code comes from one node and is redeemed on another.
fn refresh_token(nodes: &[Server], admin: &Admin) -> ((String, String), String) {
    let made = admin.create(
        "applications",
        &json!({ "type": "web", "reach": "global", "client_id": "web", "redirect_uris": [CALLBACK] }),
    );
    let client = (text(&made, "/client_id"), text(&made, "/secret/value"));
    let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    let query = format!(
        "client_id={}&redirect_uri={CALLBACK}&response_type=code&scope=openid+offline_access\
         &code_challenge={challenge}&code_challenge_method=S256",
        client.0
    );
    let browser = Browser::new();
    let first = browser.visit(&nodes[0], &format!("/oauth2/authorize?{query}"));
    let signed_in = browser.sign_in(&nodes[0], &first, EMAIL);
    let back = browser.visit(&nodes[0], signed_in.leads()).leads().to_owned();
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect(&back);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let (status, reply) = asked(&nodes[1], &client, &form);
    assert_eq!(status, 200, "{reply}");
    (client, text(&reply, "/refresh_token"))
}

#[test]
fn a_refresh_token_that_is_used_everywhere_at_once_has_one_successor() {
    let database = postgres();
    let nodes = nodes(&database, "");
    let admin = nodes[0].admin(&database.admin_client());
    let (client, first) = refresh_token(&nodes, &admin);
    let barrier = Barrier::new(50);
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        let (barrier, client, first) = (&barrier, &client, &first);
        let ask = |node| {
            scope.spawn(move || {
                barrier.wait();
                refreshed(node, client, first)
            })
        };
        let asking: Vec<_> = (0..50).map(|number| ask(&nodes[number % 3])).collect();
        asking.into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    let mut successors = HashSet::new();
    for (status, reply) in &answers {
        assert_eq!(*status, 200, "a retry in time is answered: {reply}");
        successors.insert(text(reply, "/refresh_token"));
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    let second = successors.into_iter().next().unwrap();
    let (status, reply) = refreshed(&nodes[1], &client, &second);
    assert_eq!(status, 200, "{reply}");
    let third = text(&reply, "/refresh_token");
    // The first is now two generations old: whoever brings it has stolen it, or was stolen from.
    for token in [&first, &second, &third] {
        let (status, reply) = refreshed(&nodes[2], &client, token);
        assert_eq!((status, &reply["error"]), (400, &json!("invalid_grant")), "{reply}");
    }
    let ended = admin.events("&action=refresh_token.revoked");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["reason"], "refresh_token_used_twice");
}

/// The key as an authenticator app understands it (RFC 4648 section 6).
fn app(key: &str) -> TotpSecret {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digits = key.chars().filter(|letter| !letter.is_whitespace());
    let bits: Vec<usize> = digits
        .map(|letter| LETTERS.find(letter).unwrap())
        .flat_map(|digit| (0..5).rev().map(move |bit| digit >> bit & 1))
        .collect();
    let byte = |bits: &[usize]| u8::try_from(bits.iter().fold(0, |byte, bit| byte << 1 | bit)).unwrap();
    let bytes: Vec<u8> = bits.chunks_exact(8).map(byte).collect();
    TotpSecret::from_bytes(bytes.try_into().unwrap())
}

/// The code that an app shows some seconds from now.
fn code(app: &TotpSecret, ahead: i64) -> String {
    app.code(SystemClock.now().plus_seconds(ahead))
}

fn sign_in(browser: &Browser, server: &Server) -> Page {
    let first = browser.visit(server, "/console/sign-in");
    let next = browser.sign_in(server, &first, EMAIL);
    browser.visit(server, next.leads())
}

#[test]
fn a_code_of_the_app_counts_once_among_all_nodes() {
    let database = postgres();
    let nodes = nodes(&database, "super_admin");
    let browser = Browser::new();
    let page = sign_in(&browser, &nodes[0]);
    let app = app(&page.shown("secret"));
    // The sign-in goes on where it did not begin.
    let enrolled = browser.send(&nodes[1], "/console/sign-in/two-step", &page, &[("code", &code(&app, 0))]);
    assert_eq!(enrolled.status, 200, "{}", enrolled.body);
    let browsers: Vec<(Browser, Page)> = nodes
        .iter()
        .map(|node| {
            let browser = Browser::new();
            let page = sign_in(&browser, node);
            (browser, page)
        })
        .collect();
    let (next, barrier) = (code(&app, 30), Barrier::new(3));
    let answers: Vec<Page> = thread::scope(|scope| {
        let (next, barrier) = (&next, &barrier);
        let asking: Vec<_> = nodes
            .iter()
            .zip(browsers)
            .map(|(node, (browser, page))| {
                scope.spawn(move || {
                    barrier.wait();
                    browser.send(node, "/console/sign-in/code", &page, &[("code", next)])
                })
            })
            .collect();
        asking.into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    let mut statuses: Vec<u16> = answers.iter().map(|page| page.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 403, 403]);
    for node in &nodes {
        let browser = Browser::new();
        let page = sign_in(&browser, node);
        let again = browser.send(node, "/console/sign-in/code", &page, &[("code", &next)]);
        assert_eq!(again.status, 403, "{}", again.body);
        assert!(again.body.contains("This code is not right."), "{}", again.body);
    }
}

#[test]
fn a_session_that_ends_on_one_node_ends_on_the_others() {
    let database = postgres();
    let nodes = nodes(&database, "");
    let admin = nodes[2].admin(&database.admin_client());
    let browser = Browser::new();
    sign_in(&browser, &nodes[0]);
    for node in &nodes {
        assert_eq!(browser.get(node, "/console/account").status, 200, "good on every node");
    }
    let sessions = admin.get("sessions");
    let id = text(&sessions, "/data/0/id");
    let revoked = admin.request(reqwest::Method::POST, &format!("sessions/{id}/revoke")).send().unwrap();
    assert_eq!(revoked.status(), 200);
    for node in &nodes {
        eventually(Duration::from_secs(1), "the session has ended everywhere", || {
            browser.clone().get(node, "/console/account").status == 303
        });
    }
}
