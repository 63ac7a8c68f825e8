//! The table of operations: each entry is a route and its part of the OpenAPI document.

use std::{borrow::Cow, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, Route, guard,
    http::{Method, StatusCode, header::ALLOW},
    web,
};
use keyward_core::Action;
use keyward_model::{Field, Kind};
use utoipa::{
    ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::{
    admin::{Answer, Exchange},
    oauth,
    problem::Problem,
};

/// An operation of the API.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) id: Cow<'static, str>,
    pub(crate) tag: &'static str,
    pub(crate) summary: Cow<'static, str>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) success: Success,
    pub(crate) endpoint: Endpoint,
}

/// Who answers it.
#[derive(Clone, Copy)]
pub(crate) enum Endpoint {
    /// A handler of its own, without a caller of the admin API.
    Plain(fn() -> Route),
    /// The same, whatever the method.
    Any(fn() -> Route),
    /// The same, for callers whose token has this permission.
    Token(fn() -> Route, &'static str),
    /// A function of the admin API.
    Admin(AdminEndpoint),
}

/// A function of the admin API, and what policy must allow before anything of the request is looked at.
#[derive(Clone, Copy)]
pub(crate) struct AdminEndpoint {
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    /// The media types of its body; none for operations without one.
    pub(crate) accepts: &'static [&'static str],
    /// Whether the body may be left out.
    pub(crate) body_optional: bool,
    /// Whether it reads the query, and with that refuses what it does not know there.
    pub(crate) reads_query: bool,
    pub(crate) run: fn(Exchange) -> Answer,
}

/// A query parameter.
pub(crate) struct Parameter {
    pub(crate) name: Cow<'static, str>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) schema: serde_json::Value,
}

/// A body of a request.
pub(crate) struct Body {
    pub(crate) media_types: &'static [&'static str],
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// The answer to a request that succeeds.
pub(crate) struct Success {
    pub(crate) status: StatusCode,
    pub(crate) shape: Option<Shape>,
    /// Whether the answer is a page of such objects.
    pub(crate) is_list: bool,
}

/// Describes a type, with all types that it refers to.
pub(crate) type Shape = fn() -> Described;

/// A described type.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
}

/// The description of `T`.
pub(crate) fn shape<T: ToSchema>() -> Described {
    let name = T::name().into_owned();
    let mut schemas = vec![(name.clone(), T::schema())];
    T::schemas(&mut schemas);
    Described { name, schemas }
}

/// The same, as a patch of it: no member must be there.
pub(crate) fn patch<T: ToSchema>() -> Described {
    let mut described = shape::<T>();
    for (name, schema) in &mut described.schemas {
        if let RefOr::T(Schema::Object(object)) = schema
            && *name == described.name
        {
            object.required.clear();
        }
    }
    described
}

impl Operation {
    /// A GET that answers 200.
    pub(crate) fn get(
        path: impl Into<String>,
        id: impl Into<Cow<'static, str>>,
        summary: impl Into<Cow<'static, str>>,
        endpoint: Endpoint,
    ) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            id: id.into(),
            tag: "Keyward",
            summary: summary.into(),
            parameters: Vec::new(),
            body: None,
            success: Success { status: StatusCode::OK, shape: None, is_list: false },
            endpoint,
        }
    }
}

impl Parameter {
    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        schema: serde_json::Value,
    ) -> Self {
        Self { name: name.into(), description: description.into(), schema }
    }

    /// A filter of a list by a field.
    pub(crate) fn filter(field: Field) -> Self {
        let description = format!("Only those whose {} is this.", field.as_str());
        Self::new(field.as_str(), description, serde_json::json!({ "type": "string" }))
    }
}

/// The path of the operation that took a request, kept with it: what logs and metrics may say of it.
#[derive(Clone)]
pub(crate) struct RouteName(pub(crate) Arc<str>);

/// Makes the routes. A path answers other methods with 405, and HEAD like GET.
pub(crate) fn mount(operations: Vec<Operation>, config: &mut web::ServiceConfig) {
    let mut paths: Vec<(String, Vec<(Method, Endpoint)>)> = Vec::new();
    for Operation { path, method, endpoint, .. } in operations {
        match paths.iter_mut().find(|(known, _)| *known == path) {
            Some((_, methods)) => methods.push((method, endpoint)),
            None => paths.push((path, vec![(method, endpoint)])),
        }
    }
    for (path, methods) in paths {
        let name = RouteName(path.as_str().into());
        let mut resource = web::resource(path).guard(guard::fn_guard(move |context| {
            context.req_data_mut().insert(name.clone());
            true
        }));
        let mut allowed = Vec::new();
        for (method, endpoint) in methods {
            let route = match endpoint {
                Endpoint::Any(route) => {
                    resource = resource.route(route());
                    continue;
                }
                Endpoint::Plain(route) | Endpoint::Token(route, _) => route(),
                Endpoint::Admin(endpoint) => crate::admin::route(endpoint),
            };
            allowed.push(method.to_string());
            resource = resource.route(if method == Method::GET {
                allowed.push("HEAD".to_owned());
                route.guard(guard::Any(guard::Get()).or(guard::Head()))
            } else {
                route.guard(guard::Method(method))
            });
        }
        let allowed = allowed.join(", ");
        let refuse = move |request: HttpRequest| std::future::ready(not_allowed(&request, &allowed));
        config.service(resource.default_service(web::route().to(refuse)));
    }
}

fn not_allowed(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let detail = format!("The method {} is not allowed here, only {allowed}.", request.method());
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response: HttpResponse = if oauth::is_oauth(request.path()) {
        oauth::plain_error(status, &detail)
    } else {
        Problem::plain(status, "method_not_allowed", detail, request).into()
    };
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
