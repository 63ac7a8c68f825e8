//! Methods, queries, bodies and content types of token requests.

use actix_web::http::Method;

use crate::{
    support::{TOKEN, call, post},
    token::{INVALID_CLIENT, INVALID_REQUEST, NO_METHOD, OK, Row, UNREADABLE, UNSUPPORTED, World, row},
};

fn methods(world: &World) -> Vec<Row> {
    let with = |method: Method| {
        let mut request = world.form(&[]);
        request.method = method;
        request
    };
    vec![
        row("POST", world.form(&[]), OK),
        row("GET", with(Method::GET), NO_METHOD),
        row("GET without a body", call(Method::GET, TOKEN), NO_METHOD),
        row("HEAD", with(Method::HEAD), NO_METHOD),
        row("PUT", with(Method::PUT), NO_METHOD),
        row("PATCH", with(Method::PATCH), NO_METHOD),
        row("DELETE", with(Method::DELETE), NO_METHOD),
    ]
}

fn queries(world: &World) -> Vec<Row> {
    let (id, secret) = (&world.live.client_id, &world.live.secret);
    let grant = "grant_type=client_credentials";
    vec![
        row("an unknown parameter in the query is ignored", world.form(&[]).query("trace=1"), OK),
        row(
            "credentials in the query alone",
            post(TOKEN)
                .form(&[("grant_type", "client_credentials")])
                .query(&format!("client_id={id}&client_secret={secret}")),
            INVALID_REQUEST,
        ),
        row(
            "everything in the query",
            post(TOKEN).query(&format!("{grant}&client_id={id}&client_secret={secret}")),
            INVALID_REQUEST,
        ),
        row(
            "a secret in the query beside Basic",
            world.form(&[]).query(&format!("client_secret={secret}")),
            INVALID_REQUEST,
        ),
        row(
            "a secret in the query beside a body secret",
            world.body(&[]).query(&format!("client_secret={secret}")),
            INVALID_REQUEST,
        ),
        row(
            "a wrong secret in the query beside Basic",
            world.form(&[]).query("client_secret=x"),
            INVALID_REQUEST,
        ),
        row(
            "a secret in the query beside JSON",
            world.json("").query(&format!("client_secret={secret}")),
            INVALID_REQUEST,
        ),
        row(
            "an assertion in the query beside Basic",
            world.form(&[]).query("client_assertion=e30.e30.x"),
            INVALID_REQUEST,
        ),
        row(
            "a percent-encoded name in the query",
            world.form(&[]).query("client%5Fsecret=x"),
            INVALID_REQUEST,
        ),
        row("a repeated parameter in the query", world.form(&[]).query("trace=1&trace=2"), INVALID_REQUEST),
        row(
            "the grant type in the query",
            post(TOKEN).basic(id, secret).form(&[("x", "y")]).query(grant),
            INVALID_REQUEST,
        ),
    ]
}

fn forms(world: &World) -> Vec<Row> {
    let (id, secret) = (&world.live.client_id, &world.live.secret);
    let plain = || post(TOKEN).basic(id, secret);
    let form = "application/x-www-form-urlencoded";
    vec![
        row("the secret in a form", world.body(&[]), OK),
        row(
            "a form with a charset",
            plain().raw("application/x-www-form-urlencoded; charset=utf-8", "grant_type=client_credentials"),
            OK,
        ),
        row(
            "the content type in capitals",
            plain().raw("Application/X-WWW-Form-Urlencoded", "grant_type=client_credentials"),
            OK,
        ),
        row("no length announced", world.form(&[]).unannounced(), OK),
        row("an empty body", plain().raw(form, ""), INVALID_REQUEST),
        row("no grant type", plain().form(&[("scope", "points:read")]), INVALID_REQUEST),
        row("an empty grant type counts as none", plain().form(&[("grant_type", "")]), INVALID_REQUEST),
        row("an unknown parameter is ignored", world.form(&[("colour", "blue")]), OK),
        row("an empty scope counts as none", world.form(&[("scope", "")]), OK),
        row("an empty tenant counts as none", world.form(&[("tenant", "")]), OK),
        row("an empty resource counts as none", world.form(&[("resource", "")]), OK),
        row("an empty secret beside Basic counts as none", world.form(&[("client_secret", "")]), OK),
        row("an empty client ID beside Basic counts as none", world.form(&[("client_id", "")]), OK),
        row("the grant type twice", world.form(&[("grant_type", "client_credentials")]), INVALID_REQUEST),
        row(
            "the scope twice",
            world.form(&[("scope", "points:read"), ("scope", "points:adjust")]),
            INVALID_REQUEST,
        ),
        row(
            "the same scope twice",
            world.form(&[("scope", "points:read"), ("scope", "points:read")]),
            INVALID_REQUEST,
        ),
        row("the tenant twice", world.form(&[("tenant", "acme"), ("tenant", "acme")]), INVALID_REQUEST),
        row("the secret twice", world.body(&[("client_secret", secret)]), INVALID_REQUEST),
        row(
            "an unknown parameter twice",
            world.form(&[("colour", "blue"), ("colour", "red")]),
            INVALID_REQUEST,
        ),
        row(
            "a repetition that is percent-encoded",
            plain().raw(form, "grant_type=client_credentials&scop%65=points:read&scope=points:read"),
            INVALID_REQUEST,
        ),
        row(
            "the password grant",
            plain().form(&[("grant_type", "password"), ("username", "u"), ("password", "p")]),
            UNSUPPORTED,
        ),
        row("the implicit grant", plain().form(&[("grant_type", "implicit")]), UNSUPPORTED),
        row("a grant type in capitals", plain().form(&[("grant_type", "CLIENT_CREDENTIALS")]), UNSUPPORTED),
        row("a grant type of nobody", plain().form(&[("grant_type", "urn:example:nonsense")]), UNSUPPORTED),
    ]
}

fn content_types(world: &World) -> Vec<Row> {
    let body = "grant_type=client_credentials";
    let (id, secret) = (&world.live.client_id, &world.live.secret);
    let plain = |content_type: &str| post(TOKEN).basic(id, secret).raw(content_type, body);
    vec![
        row("a form", plain("application/x-www-form-urlencoded"), OK),
        row("text", plain("text/plain"), UNREADABLE),
        row("XML", plain("application/xml"), UNREADABLE),
        row("multipart", plain("multipart/form-data; boundary=x"), UNREADABLE),
        row("no content type", plain(""), UNREADABLE),
        row("a form that says JSON", plain("application/json"), INVALID_REQUEST),
        row("a type that begins like a form", plain("application/x-www-form-urlencoded2"), UNREADABLE),
    ]
}

fn json(world: &World) -> Vec<Row> {
    let raw = |text: &str| post(TOKEN).raw("application/json", text.as_bytes());
    let no_utf8 = || {
        let mut request = world.json(r#","x":"?""#);
        let at = request.body.iter().rposition(|byte| *byte == b'?').unwrap();
        request.body[at] = 0xFF;
        request
    };
    vec![
        row("JSON", world.json(""), OK),
        row(
            "JSON with a charset",
            {
                let request = world.json("");
                post(TOKEN).raw("application/json; charset=utf-8", request.body)
            },
            OK,
        ),
        row(
            "JSON by Basic",
            post(TOKEN)
                .basic(&world.live.client_id, &world.live.secret)
                .raw("application/json", r#"{"grant_type":"client_credentials"}"#),
            OK,
        ),
        row("an unknown member is ignored", world.json(r#","colour":"blue""#), OK),
        row("an empty member counts as none", world.json(r#","scope":"""#), OK),
        row("a scope", world.json(r#","scope":"points:read""#), OK),
        row("a duplicate key", world.json(r#","grant_type":"client_credentials""#), INVALID_REQUEST),
        row(
            "a duplicate key with an escape",
            world.json(r#","scope":"points:read","sc\u006fpe":"points:read""#),
            INVALID_REQUEST,
        ),
        row("a duplicate unknown key", world.json(r#","x":"1","x":"1""#), INVALID_REQUEST),
        row("null", world.json(r#","scope":null"#), INVALID_REQUEST),
        row("null in an unknown member", world.json(r#","x":null"#), INVALID_REQUEST),
        row("a number", world.json(r#","tenant":7"#), INVALID_REQUEST),
        row("a number in an unknown member", world.json(r#","x":7"#), INVALID_REQUEST),
        row("a boolean", world.json(r#","scope":true"#), INVALID_REQUEST),
        row("an array", world.json(r#","scope":["points:read"]"#), INVALID_REQUEST),
        row("an object", world.json(r#","scope":{"points":"read"}"#), INVALID_REQUEST),
        row("a duplicate inside a nested object", world.json(r#","x":{"a":"1","a":"1"}"#), INVALID_REQUEST),
        row("no object but an array", raw(r#"["grant_type","client_credentials"]"#), INVALID_REQUEST),
        row("no object but a text", raw(r#""grant_type=client_credentials""#), INVALID_REQUEST),
        row("no object but null", raw("null"), INVALID_REQUEST),
        row("cut short", raw(r#"{"grant_type":"client_credentials""#), INVALID_REQUEST),
        row("text behind the object", raw(r#"{"grant_type":"client_credentials"} {}"#), INVALID_REQUEST),
        row("an empty body that says JSON", raw(""), INVALID_REQUEST),
        row(
            "nested too deep",
            raw(&format!(r#"{{"x":{}1{}}}"#, "[".repeat(200_000), "]".repeat(200_000))),
            INVALID_REQUEST,
        ),
        row("no UTF-8", no_utf8(), INVALID_REQUEST),
        row(
            "a secret and Basic",
            {
                let request = world.json("");
                request.basic(&world.live.client_id, &world.live.secret)
            },
            INVALID_REQUEST,
        ),
        row("no credentials", raw(r#"{"grant_type":"client_credentials"}"#), INVALID_CLIENT),
        row("a wrong grant type", world.json("").raw_replaced("client_credentials", "password"), UNSUPPORTED),
    ]
}

#[actix_web::test]
async fn table_of_methods() {
    let world = World::start().await;
    world.check(methods(&world)).await;
}

#[actix_web::test]
async fn table_of_queries() {
    let world = World::start().await;
    world.check(queries(&world)).await;
}

#[actix_web::test]
async fn table_of_forms() {
    let world = World::start().await;
    world.check(forms(&world)).await;
    world.check(content_types(&world)).await;
}

#[actix_web::test]
async fn table_of_json() {
    let world = World::start().await;
    world.check(json(&world)).await;
}

/// The body limit of the contract counts here too.
#[actix_web::test]
async fn large_bodies() {
    let world = World::start().await;
    let padded = |len: usize| world.form(&[("x", "y".repeat(len).as_str())]);
    world.app.send(padded(500_000)).await.expect(200, "half a megabyte");
    world.app.send(padded(1_048_576)).await.expect(413, "above 1 MiB");
    world.app.send(padded(1_048_576).unannounced()).await.expect(413, "above 1 MiB, unannounced");
}
