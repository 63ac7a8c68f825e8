//! A request to the admin API and its answer.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, Route,
    http::{
        Method, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderName, IF_MATCH, LOCATION},
    },
    web::{self, Payload},
};
use futures_util::{future::LocalBoxFuture, stream::LocalBoxStream};
use keyward_core::{
    Call, Document, Error, FieldError, Idempotency, IfMatch, Keyward, Listing, Written, digest,
};
use serde_json::{Map, Value, json};

use super::{BASE, JSON};
use crate::{State, body, operation::AdminEndpoint, origin, problem::Problem};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest idempotency key, in characters.
const MAX_KEY_LEN: usize = 255;

/// A request whose caller is known and may do such a thing.
pub(crate) struct Exchange {
    pub(crate) keyward: Keyward,
    pub(crate) call: Call,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
    pub(crate) condition: Option<IfMatch>,
    request: HttpRequest,
}

impl Exchange {
    /// The part of the path with this name.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// The request itself.
    pub(crate) fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The identifier in the path.
    pub(crate) fn id(&self) -> &str {
        self.path("id")
    }
}

/// What an operation answers.
pub(crate) enum Reply {
    /// An object.
    Object(Document),
    /// One page of a list.
    Page(Listing),
    /// An object that was made, at the request's path and its identifier.
    Created(Written),
    /// An object that was made somewhere else, in this collection.
    CreatedIn(&'static str, Written),
    /// Something that was made and has no address of its own.
    Made(Written),
    /// Something that is no object with a version.
    Plain(Value),
    /// A file, made as it is sent.
    File(File),
    /// Nothing more to say.
    Nothing,
}

/// A file that is made as it is sent.
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) content: LocalBoxStream<'static, Result<web::Bytes, std::io::Error>>,
}

/// What an operation comes to.
pub(crate) type Answer = LocalBoxFuture<'static, Result<Reply, Error>>;

/// The route of an operation.
pub(crate) fn route(endpoint: AdminEndpoint) -> Route {
    web::route().to(move |request: HttpRequest, payload: Payload, state: web::Data<State>| async move {
        match handle(&request, payload, &state, endpoint).await {
            Ok(reply) => render(reply, &request),
            Err(problem) => problem.into(),
        }
    })
}

async fn handle(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
    endpoint: AdminEndpoint,
) -> Result<Reply, Problem> {
    let keyward = &state.keyward;
    let fail = |error: Error| Problem::new(&error, request, keyward);
    let origin = origin(request);
    let authorization = one_header(request, &AUTHORIZATION)?;
    let caller = keyward.authenticate(authorization, &origin).await.map_err(fail)?;
    let mut call = Call { caller, origin, idempotency: None };
    keyward.authorise(&call, endpoint.action, endpoint.kind).await.map_err(fail)?;
    let query = query(request, endpoint.reads_query).map_err(fail)?;
    let (bytes, body) = if endpoint.accepts.is_empty() {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            nothing(request, payload, state).await?;
        }
        (web::Bytes::new(), Value::Null)
    } else {
        body::json(request, payload, &state.settings, endpoint.accepts, endpoint.body_optional).await?
    };
    if request.method() == Method::POST {
        call.idempotency = idempotency(request, &bytes)?;
    }
    let condition = condition(request)?;
    let exchange =
        Exchange { keyward: keyward.clone(), call, query, body, condition, request: request.clone() };
    (endpoint.run)(exchange).await.map_err(fail)
}

/// Refuses a body that says something where nothing is to be said.
async fn nothing(request: &HttpRequest, payload: Payload, state: &State) -> Result<(), Problem> {
    let (_, body) = body::json(request, payload, &state.settings, JSON, true).await?;
    let unknown = |name: &String| {
        FieldError::new(format!("/{name}"), "unknown_field", format!("There is no field {name} here."))
    };
    let errors: Vec<FieldError> = match &body {
        Value::Object(members) => members.keys().map(unknown).collect(),
        _ => vec![FieldError::new("", "invalid_type", "There is nothing to be said here.")],
    };
    if errors.is_empty() {
        return Ok(());
    }
    Err(Problem::new(&Error::Invalid(errors), request, &state.keyward))
}

/// The value of a header that may occur once.
pub(crate) fn one_header<'a>(
    request: &'a HttpRequest,
    name: &HeaderName,
) -> Result<Option<&'a str>, Problem> {
    let wrong = |detail: String| Problem::plain(StatusCode::BAD_REQUEST, "invalid_header", detail, request);
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(wrong(format!("The header {name} occurs more than once.")));
    }
    value.to_str().map(Some).map_err(|_| wrong(format!("The header {name} holds characters beyond ASCII.")))
}

fn query(request: &HttpRequest, is_read: bool) -> Result<Vec<(String, String)>, Error> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    if is_read || pairs.is_empty() {
        return Ok(pairs);
    }
    let unknown = |(name, _): &(String, String)| {
        FieldError::new(name, "unknown_parameter", format!("There is no parameter {name} here."))
    };
    Err(Error::Invalid(pairs.iter().map(unknown).collect()))
}

fn idempotency(request: &HttpRequest, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = one_header(request, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    if !(1..=MAX_KEY_LEN).contains(&key.len()) {
        let detail = format!("The Idempotency-Key must have 1 to {MAX_KEY_LEN} characters.");
        return Err(Problem::plain(StatusCode::BAD_REQUEST, "invalid_header", detail, request));
    }
    let key = format!("{} {} {key}", request.method(), request.path());
    Ok(Some(Idempotency { key, fingerprint: digest(body) }))
}

/// The versions that `If-Match` names. A tag that Keyward never gave matches nothing.
fn condition(request: &HttpRequest) -> Result<Option<IfMatch>, Problem> {
    let Some(text) = one_header(request, &IF_MATCH)? else { return Ok(None) };
    if text.trim() == "*" {
        return Ok(Some(IfMatch::Any));
    }
    let version = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    Ok(Some(IfMatch::Versions(text.split(',').filter_map(version).collect())))
}

fn etag(response: &mut HttpResponseBuilder, version: Option<i64>) {
    if let Some(version) = version {
        response.insert_header((ETAG, format!("\"{version}\"")));
    }
}

fn created(response: &mut HttpResponseBuilder, collection: &str, written: Written) -> HttpResponse {
    response.status(StatusCode::CREATED);
    response.insert_header((LOCATION, format!("{collection}/{}", written.id)));
    etag(response, Some(written.version));
    response.json(written.body)
}

fn render(reply: Reply, request: &HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    match reply {
        Reply::Object(document) => {
            etag(&mut response, document.version);
            response.json(document.body)
        }
        Reply::Page(listing) => response.json(page(&listing)),
        Reply::Created(written) => created(&mut response, request.path(), written),
        Reply::CreatedIn(collection, written) => {
            created(&mut response, &format!("{BASE}/{collection}"), written)
        }
        Reply::Made(written) => response.json(written.body),
        Reply::Plain(body) => response.json(body),
        Reply::File(file) => response
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)))
            .content_type(file.media_type)
            .streaming(file.content),
        Reply::Nothing => response.status(StatusCode::NO_CONTENT).finish(),
    }
}

fn page(listing: &Listing) -> Value {
    let mut pagination = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            pagination.insert(name.to_owned(), value);
        }
    };
    put("page", json!(listing.page));
    put("per_page", json!(listing.per_page));
    put("total", json!(listing.total));
    put("total_pages", json!(listing.total_pages));
    put("next_cursor", json!(listing.next_cursor));
    json!({ "data": listing.data, "pagination": pagination })
}
