//! What a provider publishes and replies.

use serde_json::json;

use super::{attack, withstands};
use crate::support::{CLIENT_SECRET, server::Reply};

#[tokio::test]
async fn documents() {
    let (incomplete, not_json, refused) = ("incomplete", "not_json", "address_refused");
    withstands(&[
        attack("discovery of another issuer", ("discovery", "wrong_issuer"), |script| {
            script.says("issuer", json!("https://other.example"));
        }),
        attack("discovery with a slash more", ("discovery", "wrong_issuer"), |script| {
            script.says("issuer", json!(format!("{}/", script.issuer)));
        }),
        attack("discovery without keys", ("discovery", incomplete), |script| script.says("jwks_uri", None)),
        attack("discovery with a number for an address", ("discovery", incomplete), |script| {
            script.says("token_endpoint", json!(1));
        }),
        attack("discovery without the code flow", ("discovery", "no_code_flow"), |script| {
            script.says("response_types_supported", json!(["id_token"]));
        })
        .control(|script| script.says("response_types_supported", None)),
        attack("discovery that sends the browser to a script", ("discovery", "bad_endpoint"), |script| {
            script.says("authorization_endpoint", json!("javascript:alert(1)"));
        }),
        attack("discovery that says something twice", ("discovery", not_json), |script| {
            let text =
                script.metadata.to_string().replacen('{', r#"{"jwks_uri":"https://other.example","#, 1);
            script.instead.push(("/.well-known/openid-configuration", Reply::json(text)));
        }),
        attack("discovery elsewhere", ("discovery", "redirected"), |script| {
            let elsewhere = Reply::redirect(&format!("{}/elsewhere", script.issuer));
            script.instead.push(("/.well-known/openid-configuration", elsewhere));
            script.instead.push(("/elsewhere", Reply::json(script.metadata.to_string())));
        }),
        attack("discovery that is not there", ("discovery", "bad_status"), |script| {
            script.instead.push(("/.well-known/openid-configuration", Reply::status(500, "{}")));
        }),
        attack("keys at another address of the machine", ("keys", refused), |script| {
            script.says("jwks_uri", json!(format!("{}/jwks", script.trap)));
        }),
        attack("keys at a cloud's metadata service", ("keys", refused), |script| {
            script.says("jwks_uri", json!("https://169.254.169.254/jwks"));
        }),
        attack("keys in a file", ("keys", "bad_address"), |script| {
            script.says("jwks_uri", json!("file:///etc/passwd"));
        }),
        attack("keys elsewhere", ("keys", "redirected"), |script| {
            script.instead.push(("/jwks", Reply::redirect(&format!("{}/elsewhere", script.issuer))));
            script.instead.push(("/elsewhere", Reply::json(script.jwks.to_string())));
        }),
        attack("10,000 keys", ("keys", "too_many_keys"), |script| {
            script.jwks = json!({ "keys": vec![json!({ "kty": "RSA" }); 10_000] });
        })
        .control(|script| {
            let keys = script.jwks["keys"].as_array_mut().unwrap();
            keys.extend(vec![json!({ "kty": "RSA" }); 99]);
        }),
        attack("no keys", ("keys", "no_keys"), |script| script.jwks = json!({ "keys": [] })),
        attack("keys that are no list", ("keys", incomplete), |script| script.jwks = json!({ "keys": {} })),
        attack("keys that are said twice", ("keys", not_json), |script| {
            let text = script.jwks.to_string().replacen('{', r#"{"keys":[],"#, 1);
            script.instead.push(("/jwks", Reply::json(text)));
        }),
    ])
    .await;
}

#[tokio::test]
async fn tokens_and_userinfo() {
    let refused = "address_refused";
    withstands(&[
        attack("the code to another address of the machine", ("token", refused), |script| {
            script.says("token_endpoint", json!(format!("{}/token", script.trap)));
        }),
        attack("the code elsewhere", ("token", "redirected"), |script| {
            script.instead.push(("/token", Reply::redirect(&format!("{}/elsewhere", script.issuer))));
        }),
        attack("a code that is refused", ("token", "code_refused"), |script| {
            script.instead.push(("/token", Reply::status(400, r#"{"error":"invalid_grant"}"#)));
        }),
        attack("a client that is refused, its secret repeated", ("token", "client_refused"), |script| {
            let description = format!("wrong secret {CLIENT_SECRET} for code c0de");
            let body = json!({ "error": "invalid_client", "error_description": description });
            script.instead.push(("/token", Reply::status(401, &body.to_string())));
        }),
        attack("an error without words", ("token", "bad_status"), |script| {
            script.instead.push(("/token", Reply::status(502, "<html>")));
        }),
        attack("a reply without an ID token", ("token", "no_id_token"), |script| {
            let body = r#"{"access_token":"acc3ss","token_type":"Bearer"}"#;
            script.instead.push(("/token", Reply::json(body)));
        }),
        attack("a reply that says something twice", ("token", "not_json"), |script| {
            script.instead.push(("/token", Reply::json(r#"{"id_token":"a","id_token":"b"}"#)));
        }),
        attack("userinfo about somebody else", ("userinfo", "wrong_subject"), |script| {
            script.claim("email", None);
            script.userinfo["sub"] = "another".into();
        })
        .control(|script| script.claim("email", None)),
        attack("userinfo about nobody", ("userinfo", "wrong_subject"), |script| {
            script.claim("email", None);
            script.userinfo = json!({ "email": "ada@userinfo.example" });
        })
        .control(|script| script.userinfo = json!("not asked, as the ID token has an address")),
        attack("userinfo that says something twice", ("userinfo", "not_json"), |script| {
            script.claim("email", None);
            let body = r#"{"sub":"248289761001","email":"a@a.example","email":"b@b.example"}"#;
            script.instead.push(("/userinfo", Reply::json(body)));
        }),
        attack("userinfo at another address of the machine", ("userinfo", refused), |script| {
            script.claim("email", None);
            script.says("userinfo_endpoint", json!(format!("{}/userinfo", script.trap)));
        })
        .control(|script| {
            script.claim("email", None);
            script.says("userinfo_endpoint", None);
        }),
        attack("userinfo that fails", ("userinfo", "bad_status"), |script| {
            script.claim("email", None);
            script.instead.push(("/userinfo", Reply::status(500, "")));
        }),
    ])
    .await;
}
