//! The OpenAPI document (3.1), made from the table of operations.

use std::sync::OnceLock;

use actix_web::{
    HttpResponse,
    http::{Method, StatusCode},
    web,
};
use keyward_core::required_permissions;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    State,
    operation::{Body, Described, Endpoint, Operation, Parameter, shape},
    problem::{FieldErrorBody, ProblemBody},
};

/// A refusal or failure of an OAuth endpoint (RFC 6749 section 5.2).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the OAuth endpoints render")]
struct OAuthError {
    /// What is wrong in a word, for programs.
    error: String,
    /// What is wrong, for people.
    error_description: String,
}

/// Where the document is served.
const PATH: &str = "/openapi.json";

pub(crate) fn operation() -> Operation {
    let endpoint = Endpoint::Plain(|| web::route().to(serve));
    Operation { tag: "Documentation", ..Operation::get(PATH, "openapi", "This document.", endpoint) }
}

async fn serve(state: web::Data<State>) -> HttpResponse {
    static DOCUMENT: OnceLock<(String, String)> = OnceLock::new();
    let issuer = &state.keyward.options().issuer;
    let made = || document(&crate::operations(), issuer).to_string();
    let (of, text) = DOCUMENT.get_or_init(|| (issuer.clone(), made()));
    // A process with several servers, a test for example, makes the others' documents when they are asked for.
    let text = if of == issuer { text.clone() } else { made() };
    HttpResponse::Ok().content_type("application/json").body(text)
}

/// The document of the server at this address.
pub(crate) fn document(operations: &[Operation], issuer: &str) -> Value {
    let mut schemas = Map::new();
    let mut reference = |described: Described| {
        for (name, schema) in described.schemas {
            schemas.entry(name).or_insert_with(|| json!(schema));
        }
        json!({ "$ref": format!("#/components/schemas/{}", described.name) })
    };
    reference(shape::<ProblemBody>());
    reference(shape::<FieldErrorBody>());
    reference(shape::<OAuthError>());
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let described = describe(operation, &mut reference);
        let item = paths.entry(template(&operation.path)).or_insert_with(|| json!({}));
        item[operation.method.as_str().to_ascii_lowercase()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyward",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The access server for a platform's administrative APIs.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": issuer }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": error_responses(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "client": { "type": "http", "scheme": "basic" }
            }
        }
    })
}

fn describe(operation: &Operation, reference: &mut impl FnMut(Described) -> Value) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": responses(operation, reference),
    });
    let parameters: Vec<Value> = path_parameters(&operation.path)
        .into_iter()
        .chain(header_parameters(operation))
        .chain(operation.parameters.iter().map(query))
        .collect();
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = request_body(body, reference);
    }
    described["x-required-permissions"] = json!([]);
    match operation.endpoint {
        Endpoint::Admin(endpoint) => {
            described["security"] = json!([{ "token": [] }]);
            described["x-required-permissions"] = json!(required_permissions(endpoint.action, endpoint.kind));
        }
        Endpoint::Plain(_) if operation.tag == "OAuth" => {
            described["security"] = json!([{ "client": [] }, {}]);
        }
        Endpoint::Token(_, permission) => {
            described["security"] = json!([{ "token": [] }]);
            described["x-required-permissions"] = json!([permission]);
        }
        Endpoint::Plain(_) | Endpoint::Any(_) => described["security"] = json!([]),
    }
    described
}

/// A path as the document has it: without the patterns of its parts.
fn template(path: &str) -> String {
    path.replace(":.*}", "}")
}

fn path_parameters(path: &str) -> Vec<Value> {
    let path = template(path);
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter =
        |name: &str| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
    names.map(parameter).collect()
}

fn header_parameters(operation: &Operation) -> impl Iterator<Item = Value> {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    let mut headers = Vec::new();
    if matches!(operation.endpoint, Endpoint::Admin(_)) && operation.method == Method::POST {
        headers.push(header(
            "Idempotency-Key",
            "A repeated request with the same key and body within 24 hours gets the first answer again, without its secret.",
            json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
        ));
    }
    if honours_if_match(operation) {
        let description = "The ETag that the object must have; 412 otherwise.";
        headers.push(header("If-Match", description, json!({ "type": "string" })));
    }
    headers.into_iter()
}

/// Whether a change can be bound to the version of the object.
fn honours_if_match(operation: &Operation) -> bool {
    match operation.method {
        Method::PATCH | Method::PUT => true,
        Method::DELETE => operation.path.ends_with("/{id}"),
        Method::POST => {
            let bound = ["/renew", "/publishable-key", "api-keys/{id}/rotate", "api-keys/{id}/revoke"];
            bound.iter().any(|end| operation.path.ends_with(end))
        }
        _ => false,
    }
}

fn query(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name, "in": "query", "description": parameter.description, "schema": parameter.schema
    })
}

fn request_body(body: &Body, reference: &mut impl FnMut(Described) -> Value) -> Value {
    let media = json!({ "schema": reference((body.shape)()) });
    let content: Map<String, Value> =
        body.media_types.iter().map(|media_type| ((*media_type).to_owned(), media.clone())).collect();
    json!({ "required": body.required, "content": content })
}

fn page_of(item: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "pagination"],
        "properties": {
            "data": { "type": "array", "items": item },
            "pagination": {
                "type": "object",
                "required": ["per_page"],
                "properties": {
                    "page": { "type": "integer", "minimum": 1 },
                    "per_page": { "type": "integer", "minimum": 1, "maximum": 100 },
                    "total": { "type": "integer", "minimum": 0 },
                    "total_pages": { "type": "integer", "minimum": 0 },
                    "next_cursor": { "type": "string" }
                }
            }
        }
    })
}

/// A header of an answer.
fn response_header(description: &str, required: bool) -> Value {
    json!({ "description": description, "required": required, "schema": { "type": "string" } })
}

/// The headers of every answer.
fn common_headers() -> Map<String, Value> {
    let id = response_header("The name of the request in logs and in the audit log.", true);
    Map::from_iter([("X-Request-Id".to_owned(), id)])
}

/// The answers that many operations have in common.
fn error_responses() -> Value {
    let challenge = |required| ("WWW-Authenticate", response_header("How to authenticate.", required));
    let retry = |required| ("Retry-After", response_header("When to try again, in seconds.", required));
    let response = |description: &str, media_type: &str, schema: &str, headers: Vec<(&str, Value)>| {
        let mut all = common_headers();
        all.extend(headers.into_iter().map(|(name, header)| (name.to_owned(), header)));
        let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
        json!({ "description": description, "headers": all, "content": { media_type: { "schema": schema } } })
    };
    let problem =
        |description: &str, headers| response(description, "application/problem+json", "Problem", headers);
    json!({
        "Problem": problem("A refusal (RFC 9457).", vec![]),
        "Unauthenticated": problem("There is no credential that works.", vec![challenge(true)]),
        "Forbidden": problem("The caller has not the permission.", vec![challenge(true)]),
        "Unavailable": problem("Something that is needed does not answer.", vec![retry(true)]),
        "RefusedPage": {
            "description": "The person reads what is wrong: nobody is sent anywhere that is not certain.",
            "headers": common_headers(),
            "content": { "text/html": { "schema": { "type": "string" } } },
        },
        "OAuthError": response(
            "A refusal or failure (RFC 6749 section 5.2).",
            "application/json",
            "OAuthError",
            vec![challenge(false), retry(false)],
        ),
    })
}

fn responses(operation: &Operation, reference: &mut impl FnMut(Described) -> Value) -> Value {
    let mut all = Map::new();
    let success = &operation.success;
    let mut answer = json!({
        "description": success.status.canonical_reason().unwrap_or("Success"),
        "headers": success_headers(operation),
    });
    if let Some(shape) = success.shape {
        let item = reference(shape());
        let schema = if success.is_list { page_of(&item) } else { item };
        answer["content"] = json!({ "application/json": { "schema": schema } });
    } else if success.status != StatusCode::NO_CONTENT
        && let Some(content) = other_content(&operation.id)
    {
        answer["content"] = content;
    }
    all.insert(success.status.as_str().to_owned(), answer);
    let errors = match operation.endpoint {
        Endpoint::Admin(_) => error_statuses(operation),
        Endpoint::Plain(_) | Endpoint::Any(_) | Endpoint::Token(..) => plain_error_statuses(operation),
    };
    for status in errors {
        let name = match status {
            "400" if operation.tag == BROWSERS => "RefusedPage",
            _ if operation.tag == BROWSERS || operation.tag == "OAuth" => "OAuthError",
            "401" => "Unauthenticated",
            "403" => "Forbidden",
            "503" => "Unavailable",
            _ => "Problem",
        };
        all.insert(status.to_owned(), json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    if operation.id == "readyz" {
        let failing =
            json!({ "description": "A check fails, which is named.", "content": other_content("readyz") });
        all.insert("503".to_owned(), failing);
    }
    Value::Object(all)
}

/// The heading of what answers browsers.
pub(crate) const BROWSERS: &str = "Browsers";

/// What a proxy is told of a request that may pass.
const IDENTITY: [(&str, &str); 5] = [
    ("X-Keyward-Subject", "Who it is: the token's subject, or the key."),
    ("X-Keyward-Tenant", "The tenants, separated by spaces; empty for the whole platform."),
    ("X-Keyward-Scope", "The permissions, separated by spaces."),
    ("X-Keyward-Client", "The client that the token was issued to; empty for a key."),
    ("X-Keyward-Environment", "The environment; empty for a publishable key."),
];

fn success_headers(operation: &Operation) -> Map<String, Value> {
    let mut headers = common_headers();
    if operation.id.starts_with("forwardAuth") {
        let told = |(name, meaning): (&str, &str)| (name.to_owned(), response_header(meaning, true));
        headers.extend(IDENTITY.into_iter().map(told));
    }
    let status = operation.success.status;
    if matches!(operation.endpoint, Endpoint::Admin(_)) && operation.success.shape.is_some() {
        let is_new = status == StatusCode::CREATED;
        if is_new {
            headers.insert("Location".to_owned(), response_header("Where the object is.", true));
        }
        if is_new || (operation.path.contains("{id}") && !operation.success.is_list) {
            let meaning = "The version of the object, if it has one, for If-Match.";
            headers.insert("ETag".to_owned(), response_header(meaning, is_new));
        }
    }
    headers
}

/// The content of answers that no type describes; none where all is said in headers.
fn other_content(id: &str) -> Option<Value> {
    let text = json!({ "schema": { "type": "string" } });
    Some(match id {
        "forwardAuth"
        | "forwardAuthByHeaders"
        | "authorize"
        | "authorizeByForm"
        | "signOut"
        | "signOutByForm" => return None,
        // No schema: it is neither JSON nor for generated clients to look into.
        "revocationFeed" => json!({ "application/jwt": {} }),
        "exportAuditEvents" => json!({ "application/x-ndjson": text, "text/csv": text }),
        "apiReference" => json!({ "text/html": text }),
        "apiReferenceStyle" => json!({ "text/css": text }),
        _ => json!({ "application/json": { "schema": { "type": "object" } } }),
    })
}

fn plain_error_statuses(operation: &Operation) -> Vec<&'static str> {
    match &*operation.id {
        _ if operation.tag == "OAuth" => vec!["400", "401", "408", "413", "429", "503"],
        "authorize" | "authorizeByForm" => vec!["400", "408", "413", "503"],
        "signOut" | "signOutByForm" => vec!["408", "413", "503"],
        "userinfo" => vec!["401", "403", "503"],
        "authorizationServerMetadata" | "openidConfiguration" => vec!["503"],
        "verifyKey" => vec!["400", "401", "403", "408", "413", "415", "422", "503"],
        "forwardAuth" | "forwardAuthByHeaders" => vec!["400", "401", "403", "429", "503"],
        _ => Vec::new(),
    }
}

fn error_statuses(operation: &Operation) -> Vec<&'static str> {
    let mut statuses = vec!["400", "401", "403", "422", "503"];
    if operation.path.contains('{') {
        statuses.push("404");
    }
    if operation.method != Method::GET {
        statuses.extend(["408", "409", "413", "415"]);
    }
    if honours_if_match(operation) {
        statuses.push("412");
    }
    statuses
}
