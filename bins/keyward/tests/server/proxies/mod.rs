//! `docs/proxies`: nginx, Traefik and Envoy with the configurations as they are published, in front of an API that checks
//! nothing.

mod proxy;
mod upstream;

use reqwest::{
    Method, StatusCode,
    blocking::{Client, RequestBuilder, Response},
    header::WWW_AUTHENTICATE,
};
use serde_json::{Value, json};

use self::{
    proxy::{Kind, Proxy},
    upstream::Upstream,
};
use crate::support::{Database, Server, sqlite, text};

/// What is told about the caller.
const IDENTITY: [&str; 5] =
    ["x-keyward-subject", "x-keyward-tenant", "x-keyward-scope", "x-keyward-client", "x-keyward-environment"];

/// A platform, and an API behind a proxy.
struct Fixture {
    _database: Database,
    server: Server,
    upstream: Upstream,
    proxy: Proxy,
    http: Client,
    tenant: Value,
    client: String,
    /// Of a client that may read.
    reader: String,
    /// Of one that may read and write.
    writer: String,
    /// Of one that may do neither.
    other: String,
    key: Value,
}

impl Fixture {
    fn behind(kind: Kind) -> Self {
        let database = sqlite();
        let server = Server::start(&database);
        let admin = server.admin(&database.admin_client());
        let row = json!({ "resource": "points", "view": "points:read", "change": ["points:write"] });
        admin.create("permissions", &row);
        admin.create("permissions", &json!({ "resource": "passes", "view": "passes:read", "change": [] }));
        let tenant = admin.create("tenants", &json!({ "name": "Acme", "slug": "acme" }));
        let client = |name: &str, scopes: &[&str]| {
            let body = json!({
                "type": "service", "tenant_id": tenant["id"], "client_id": name, "allowed_scopes": scopes
            });
            let made = admin.create("applications", &body);
            server.token(&(text(&made, "/client_id"), text(&made, "/secret/value")))
        };
        let key = json!({ "name": "till", "tenant_id": tenant["id"], "permissions": ["points:read"] });
        let key = admin.create("api-keys", &key);
        let (reader, writer) =
            (client("reader", &["points:read"]), client("writer", &["points:read", "points:write"]));
        let other = client("other", &["passes:read"]);
        let upstream = Upstream::start();
        let proxy = Proxy::start(kind, &server, &upstream);
        let (client, http) = ("acme.reader".to_owned(), Client::new());
        Self {
            _database: database,
            server,
            upstream,
            proxy,
            http,
            tenant,
            client,
            reader,
            writer,
            other,
            key,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.proxy.url))
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// The one request that reached the API, after one that was let in.
    fn passed(&self, request: RequestBuilder) -> String {
        assert_eq!(request.send().unwrap().text().unwrap(), "the API's");
        let mut seen = self.upstream.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    /// The reply to a request that was not let in.
    fn turned_away(&self, request: RequestBuilder) -> Response {
        let reply = request.send().unwrap();
        assert_eq!(self.upstream.seen(), Vec::<String>::new(), "nothing reached the API");
        reply
    }

    /// The reply to a request that was not let in, of this status.
    fn refused(&self, request: RequestBuilder, status: u16) -> Response {
        let reply = self.turned_away(request);
        assert_eq!(reply.status(), status);
        assert_eq!(reply.headers()["content-type"], "application/problem+json");
        reply
    }
}

/// The values of a header in a request that the API saw.
fn values<'a>(seen: &'a str, name: &str) -> Vec<&'a str> {
    let of = |line: &'a str| line.split_once(':').filter(|(known, _)| *known == name);
    seen.lines().filter_map(of).map(|(_, value)| value.trim()).collect()
}

/// A request that names somebody in the headers of these forms.
fn forged(mut request: RequestBuilder, forms: impl Fn(&str) -> Vec<String>) -> RequestBuilder {
    for name in IDENTITY {
        for form in forms(name) {
            request = request.header(form, "forged");
        }
    }
    request.header("connection", "x-keyward-tenant, x-keyward-subject")
}

/// Headers that some servers take for the same.
fn underscored(name: &str) -> Vec<String> {
    let (start, last) = name.rsplit_once('-').unwrap();
    vec![name.replace('-', "_"), format!("{start}_{last}")]
}

fn as_told(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

fn the_api_learns_who_calls_and_from_nobody_else(kind: Kind) {
    let it = Fixture::behind(kind);
    let tenant = text(&it.tenant, "/id");
    let check = |seen: &str, expected: [Option<&str>; 5]| {
        for (name, value) in IDENTITY.into_iter().zip(expected) {
            let told: Vec<_> = values(seen, name).into_iter().filter(|told| !told.is_empty()).collect();
            assert_eq!(told, Vec::from_iter(value), "{name}");
        }
        assert!(!seen.contains("forged"), "{seen}");
        for credential in ["authorization", "x-api-key"] {
            assert_eq!(values(seen, credential).concat(), "", "{credential}");
        }
    };
    let of_token = [&*it.client, &*tenant, "points:read", &*it.client, "production"].map(Some);
    let of_key = text(&it.key, "/id");
    // A key has no client: the caller's does not take its place.
    let of_key = [Some(&*of_key), Some(&*tenant), Some("points:read"), None, Some("production")];
    let by_token = || it.get("/any?thing=1").bearer_auth(&it.reader);
    let by_key = || it.get("/").header("x-api-key", text(&it.key, "/value"));

    let seen = it.passed(forged(by_token(), as_told));
    assert!(seen.starts_with("get /any?thing=1 http/1."), "{seen}");
    check(&seen, of_token);
    check(&it.passed(forged(by_key(), as_told)), of_key);
    it.refused(forged(it.get("/"), as_told), 401);
    if kind == Kind::Envoy {
        assert_eq!(it.turned_away(forged(by_token(), underscored)).status(), 400);
    } else {
        check(&it.passed(forged(by_token(), underscored)), of_token);
        check(&it.passed(forged(by_key(), underscored)), of_key);
    }
}

fn the_caller_has_no_part_in_what_is_asked(kind: Kind) {
    let it = Fixture::behind(kind);
    for path in [
        "/?permission=passes:read&require=bearer",
        "/?permission=&environment=staging&audience=x",
        "/&permission=passes:read",
        "/%26permission=passes:read%23",
        "/_keyward/../?permission=passes:read",
    ] {
        let request = it.get(path).bearer_auth(&it.other);
        let wanted = [("permission", "passes:read"), ("require", "bearer"), ("audience", "x")];
        let request = wanted
            .iter()
            .fold(request, |request, (name, value)| request.header(format!("x-keyward-{name}"), *value));
        let reply = it.refused(request, 403);
        let expected = "Bearer error=\"insufficient_scope\", scope=\"points:read\"";
        assert_eq!(reply.headers()[WWW_AUTHENTICATE], expected, "{path}");
    }
    // Another method needs another permission, whatever it is said to stand for.
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let names = ["x-http-method-override", "x-original-method", "x-forwarded-method"];
        let request = it.request(method.clone(), "/").bearer_auth(&it.reader);
        let request = names.iter().fold(request, |request, name| request.header(*name, "GET"));
        let writing = it.request(method.clone(), "/").bearer_auth(&it.writer).body("{\"delta\": 10}");
        if kind == Kind::Envoy {
            // Nothing but reading goes through it.
            assert_eq!(it.turned_away(request).status(), 404);
            assert_eq!(it.turned_away(writing).status(), 404);
            continue;
        }
        it.refused(request, 403);
        let seen = it.passed(writing);
        let method = method.as_str().to_lowercase();
        assert!(seen.starts_with(&method) && seen.ends_with("{\"delta\": 10}"), "{seen}");
    }
    assert_eq!(it.request(Method::HEAD, "/").bearer_auth(&it.reader).send().unwrap().status(), 200);
    it.upstream.seen();
    if kind == Kind::Nginx {
        let inside = it.turned_away(it.get("/_keyward").bearer_auth(&it.writer));
        assert_eq!(inside.status(), 404, "nobody asks Keyward through nginx");
    }
}

fn what_is_not_let_in_is_told_so(kind: Kind) {
    let it = Fixture::behind(kind);
    // Of nginx's refusals the status alone is Keyward's.
    let told = |reply: Response| reply.json::<Value>().unwrap();
    let code = |code: &str| Some(code).filter(|_| kind != Kind::Nginx).map_or(Value::Null, Value::from);
    let reply = it.refused(it.get("/"), 401);
    let challenges: Vec<_> = reply.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(challenges.len(), 1, "{challenges:?}");
    assert!(challenges[0].to_str().unwrap().starts_with("Bearer error=\"invalid_token\""));
    let body = told(reply);
    assert_eq!((&body["title"], &body["status"]), (&json!("Unauthorized"), &json!(401)));
    assert_eq!(body["code"], code("credentials_missing"));
    let reply = it.refused(it.get("/").bearer_auth(&it.other), 403);
    assert_eq!(reply.headers().get_all(WWW_AUTHENTICATE).iter().count(), 1);
    assert_eq!(told(reply)["code"], code("permission_denied"));
    it.refused(it.get("/").bearer_auth("nonsense"), 401);
    let publishable = text(&it.tenant, "/publishable_key");
    it.refused(it.get("/").header("x-api-key", publishable), 403);
    let key = text(&it.key, "/value");
    // Envoy makes one header of two, and a key with a comma in it is none.
    let repeated = if kind == Kind::Envoy { 401 } else { 400 };
    it.refused(it.get("/").header("x-api-key", &key).header("x-api-key", &key), repeated);

    // What the API says itself is passed on as it is.
    let broken = it.get("/broken").bearer_auth(&it.reader).send().unwrap();
    assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(broken.text().unwrap(), "the API's");
    assert_eq!(it.upstream.seen().len(), 1);

    it.server.signal("KILL");
    let reply = it.turned_away(it.get("/").bearer_auth(&it.reader));
    let retry = reply.headers().get("retry-after").map(|seconds| seconds.to_str().unwrap());
    let expected = match kind {
        Kind::Nginx => (503, Some("1")),
        Kind::Traefik => (500, None),
        Kind::Envoy => (503, None),
    };
    assert_eq!((reply.status().as_u16(), retry), expected);
}

/// Each of these for each of the proxies.
macro_rules! behind {
    ($($proxy:ident: $kind:ident),+) => {$(
        mod $proxy {
            use super::Kind;

            #[test]
            fn the_api_learns_who_calls_and_from_nobody_else() {
                super::the_api_learns_who_calls_and_from_nobody_else(Kind::$kind);
            }

            #[test]
            fn the_caller_has_no_part_in_what_is_asked() {
                super::the_caller_has_no_part_in_what_is_asked(Kind::$kind);
            }

            #[test]
            fn what_is_not_let_in_is_told_so() {
                super::what_is_not_let_in_is_told_so(Kind::$kind);
            }
        }
    )+};
}

behind!(nginx: Nginx, traefik: Traefik, envoy: Envoy);
