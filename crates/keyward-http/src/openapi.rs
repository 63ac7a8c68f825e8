//! The OpenAPI document (3.1), made from the table of operations.

use std::sync::OnceLock;

use actix_web::{HttpResponse, http::Method, web};
use keyward_core::required_permissions;
use serde_json::{Map, Value, json};

use crate::{
    State,
    operation::{Body, Described, Endpoint, Operation, Parameter, shape},
    problem::{FieldErrorBody, ProblemBody},
};

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
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let described = describe(operation, &mut reference);
        let item = paths.entry(&operation.path).or_insert_with(|| json!({}));
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
            "responses": { "Problem": {
                "description": "A refusal or failure (RFC 9457).",
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" }
                } }
            } },
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
        Endpoint::Plain(_) => described["security"] = json!([]),
    }
    described
}

fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
}

fn header_parameters(operation: &Operation) -> impl Iterator<Item = Value> {
    let is_admin = matches!(operation.endpoint, Endpoint::Admin(_));
    let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "description": description, "schema": { "type": "string" } });
    let mut headers = Vec::new();
    if is_admin && operation.method == Method::POST {
        headers.push(header(
            "Idempotency-Key",
            "A repeated request with the same key and body within 24 hours gets the first answer again, without its secret.",
        ));
    }
    if is_admin && operation.method != Method::POST && operation.method != Method::GET {
        headers.push(header("If-Match", "The ETag that the object must have; 412 otherwise."));
    }
    headers.into_iter()
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

fn responses(operation: &Operation, reference: &mut impl FnMut(Described) -> Value) -> Value {
    let mut all = Map::new();
    let success = &operation.success;
    let mut answer = json!({ "description": success.status.canonical_reason().unwrap_or("Success") });
    if let Some(shape) = success.shape {
        let item = reference(shape());
        let schema = if success.is_list { page_of(&item) } else { item };
        answer["content"] = json!({ "application/json": { "schema": schema } });
    }
    all.insert(success.status.as_str().to_owned(), answer);
    if let Endpoint::Admin(endpoint) = operation.endpoint {
        for status in error_statuses(operation, !endpoint.accepts.is_empty()) {
            all.insert(status.to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
        }
    }
    Value::Object(all)
}

fn error_statuses(operation: &Operation, has_body: bool) -> Vec<&'static str> {
    let mut statuses = vec!["400", "401", "403", "422", "503"];
    if operation.path.contains('{') {
        statuses.push("404");
    }
    if operation.method != Method::GET {
        statuses.push("409");
    }
    if operation.method != Method::GET && operation.method != Method::POST {
        statuses.push("412");
    }
    if has_body {
        statuses.extend(["413", "415"]);
    }
    statuses
}
