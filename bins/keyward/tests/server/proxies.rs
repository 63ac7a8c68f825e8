//! `docs/proxies`: Debian's nginx with the configuration as it is published, in front of an API that checks nothing.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use reqwest::{
    Method, StatusCode,
    blocking::{Client, RequestBuilder, Response},
    header::WWW_AUTHENTICATE,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    guide::{free_ports, moved, root},
    support::{Server, eventually, sqlite, text},
};

/// What is told about the caller.
const IDENTITY: [&str; 5] =
    ["x-keyward-subject", "x-keyward-tenant", "x-keyward-scope", "x-keyward-client", "x-keyward-environment"];
/// The user that Debian has for those who own nothing.
const NOBODY: u32 = 65_534;

/// An API that checks nothing. It answers 500 for `/broken` and 200 for all else.
struct Upstream {
    port: String,
    /// Every request as it came, in lower case.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = seen.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let request = read(&stream);
                let status = if request.contains("/broken") { "500 Broken" } else { "200 OK" };
                // Whoever has the reply may look at once.
                requests.lock().unwrap().push(request);
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: 9\r\nConnection: close\r\n\r\n");
                stream.write_all(format!("{head}the API's").as_bytes()).unwrap();
            }
        });
        Self { port, seen }
    }

    /// The requests since this was asked last.
    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// A request as it came, in lower case.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        request += &line.to_lowercase();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request + &String::from_utf8(body).unwrap()
}

/// nginx as somebody runs it who is not root; stopped when dropped.
struct Nginx {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // So that it stops its workers, too.
        let _ = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Nginx {
    fn start(server: &Server, upstream: &Upstream) -> Self {
        let [port] = free_ports();
        let (_, keyward) = server.address.rsplit_once(':').unwrap();
        let published = fs::read_to_string(root().join("docs/proxies/nginx.conf")).unwrap();
        let unused = String::new();
        let ports = [keyward.to_owned(), unused.clone(), unused, port.clone(), upstream.port.clone()];
        let folder = TempDir::new().unwrap();
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, moved(&published, &ports)).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(&configuration).args(["-g", "daemon off;"]);
        if fs::metadata(folder.path()).unwrap().uid() == 0 {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command.stdout(Stdio::null()).spawn().expect("nginx is installed: run scripts/test");
        let address = format!("127.0.0.1:{port}");
        eventually(Duration::from_secs(10), "nginx", || TcpStream::connect(&address).is_ok());
        Self { child, url: format!("http://{address}"), _folder: folder }
    }
}

struct Fixture {
    server: Server,
    upstream: Upstream,
    nginx: Nginx,
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
    fn new() -> Self {
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
        let nginx = Nginx::start(&server, &upstream);
        let (client, http) = ("acme.reader".to_owned(), Client::new());
        Self { server, upstream, nginx, http, tenant, client, reader, writer, other, key }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.nginx.url))
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

    /// The reply to a request that was not let in, of this status.
    fn refused(&self, request: RequestBuilder, status: u16) -> Response {
        let reply = request.send().unwrap();
        assert_eq!(reply.status(), status);
        assert_eq!(reply.headers()["content-type"], "application/problem+json");
        assert_eq!(self.upstream.seen(), Vec::<String>::new(), "nothing reached the API");
        reply
    }
}

/// The values of a header in a request that the API saw.
fn values<'a>(seen: &'a str, name: &str) -> Vec<&'a str> {
    let of = |line: &'a str| line.split_once(':').filter(|(known, _)| *known == name);
    seen.lines().filter_map(of).map(|(_, value)| value.trim()).collect()
}

/// Everything by which a caller could claim to be somebody.
fn forged(mut request: RequestBuilder) -> RequestBuilder {
    for name in IDENTITY {
        let (_, last) = name.rsplit_once('-').unwrap();
        for form in [name.to_owned(), name.replace('-', "_"), format!("x-keyward_{last}")] {
            request = request.header(form, "forged");
        }
    }
    request.header("connection", "x-keyward-tenant, x-keyward-subject")
}

#[test]
fn the_api_learns_who_calls_and_from_nobody_else() {
    let it = Fixture::new();
    let tenant = text(&it.tenant, "/id");
    let seen = it.passed(forged(it.get("/any?thing=1").bearer_auth(&it.reader)));
    assert!(seen.starts_with("get /any?thing=1 http/1."), "{seen}");
    let expected = [&*it.client, &*tenant, "points:read", &*it.client, "production"];
    for (name, value) in IDENTITY.into_iter().zip(expected) {
        assert_eq!(values(&seen, name), [value], "{name}");
    }
    assert!(!seen.contains("forged"), "{seen}");
    for credential in ["authorization", "x-api-key"] {
        assert_eq!(values(&seen, credential), Vec::<&str>::new());
    }

    // A key has no client: the header is not there, and the caller's does not take its place.
    let seen = it.passed(forged(it.get("/").header("x-api-key", text(&it.key, "/value"))));
    let id = text(&it.key, "/id");
    for (name, value) in
        IDENTITY.into_iter().zip([Some(&*id), Some(&*tenant), Some("points:read"), None, Some("production")])
    {
        assert_eq!(values(&seen, name), Vec::from_iter(value), "{name}");
    }
    assert!(!seen.contains("forged"), "{seen}");

    it.refused(forged(it.get("/")), 401);
}

#[test]
fn the_caller_has_no_part_in_what_is_asked() {
    let it = Fixture::new();
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
        let request = it.request(method.clone(), "/").bearer_auth(&it.reader);
        it.refused(request.header("x-http-method-override", "GET").header("x-original-method", "GET"), 403);
        let request = it.request(method.clone(), "/").bearer_auth(&it.writer).body("{\"delta\": 10}");
        let seen = it.passed(request);
        assert!(
            seen.starts_with(&method.as_str().to_lowercase()) && seen.ends_with("{\"delta\": 10}"),
            "{seen}"
        );
    }
    assert_eq!(it.request(Method::HEAD, "/").bearer_auth(&it.reader).send().unwrap().status(), 200);
    let inside = it.get("/_keyward").bearer_auth(&it.writer).send().unwrap();
    assert_eq!(inside.status(), 404, "nobody asks Keyward through nginx");
}

#[test]
fn what_is_not_let_in_is_told_so() {
    let it = Fixture::new();
    let reply = it.refused(it.get("/"), 401);
    let challenges: Vec<_> = reply.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(challenges.len(), 1, "{challenges:?}");
    assert!(challenges[0].to_str().unwrap().starts_with("Bearer error=\"invalid_token\""));
    assert_eq!(
        reply.json::<Value>().unwrap(),
        json!({ "type": "about:blank", "title": "Unauthorized", "status": 401 })
    );
    let reply = it.refused(it.request(Method::POST, "/").bearer_auth(&it.reader), 403);
    assert_eq!(reply.headers().get_all(WWW_AUTHENTICATE).iter().count(), 1);
    it.refused(it.get("/").bearer_auth("nonsense"), 401);
    let publishable = text(&it.tenant, "/publishable_key");
    it.refused(it.get("/").header("x-api-key", publishable), 403);
    let key = text(&it.key, "/value");
    it.refused(it.get("/").header("x-api-key", &key).header("x-api-key", &key), 400);

    // What the API says itself is passed on as it is.
    let broken = it.get("/broken").bearer_auth(&it.reader).send().unwrap();
    assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(broken.text().unwrap(), "the API's");
    assert_eq!(it.upstream.seen().len(), 1);

    it.server.signal("KILL");
    let reply = it.refused(it.get("/").bearer_auth(&it.reader), 503);
    assert_eq!(reply.headers()["retry-after"], "1");
}

/// The other proxies are not run here; what they must name is known.
#[test]
fn each_configuration_names_what_the_server_tells() {
    for name in ["nginx.conf", "traefik.yml", "envoy.yaml"] {
        let text = fs::read_to_string(root().join("docs/proxies").join(name)).unwrap().to_lowercase();
        for header in IDENTITY {
            assert!(text.contains(header), "{name}: {header}");
        }
        for needed in ["127.0.0.1:8080", "127.0.0.1:8084"] {
            let split = needed.replace(':', ", port_value: ");
            assert!(text.contains(needed) || text.contains(&split), "{name}: {needed}");
        }
    }
}
