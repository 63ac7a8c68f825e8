//! List, create, read, change and delete: the same five operations for every resource.

use std::borrow::Cow;

use actix_web::http::{Method, StatusCode};
use keyward_core::{Action, Administered};
use keyward_model::{Field, Resource};
use serde_json::json;

use super::{Answer, BASE, Exchange, JSON, PATCH, Reply};
use crate::operation::{AdminEndpoint, Body, Endpoint, Operation, Parameter, Success, patch, shape};

/// The operations of a resource; `tag` is its heading in the documentation, `one` the word for one of them.
pub(crate) fn operations<R: Administered>(tag: &'static str, one: &str) -> Vec<Operation> {
    let collection = format!("{BASE}/{}", R::COLLECTION);
    let object = format!("{collection}/{{id}}");
    let singular = tag.strip_suffix('s').unwrap_or(tag);
    let endpoint = |action, accepts, run| AdminEndpoint {
        action,
        kind: R::KIND,
        accepts,
        body_optional: false,
        reads_query: action == Action::List,
        run,
    };
    let operation = |method, path: &str, id: String, summary: String, endpoint: AdminEndpoint| Operation {
        method,
        tag,
        ..Operation::get(path, id, Cow::Owned(summary), Endpoint::Admin(endpoint))
    };
    let success = |status, is_list| Success { status, shape: Some(shape::<R::View>), is_list };
    vec![
        Operation {
            parameters: list_parameters::<R>(),
            success: success(StatusCode::OK, true),
            ..operation(
                Method::GET,
                &collection,
                format!("list{tag}"),
                format!("List the {} within reach.", R::COLLECTION),
                endpoint(Action::List, &[], list::<R>),
            )
        },
        Operation {
            body: Some(Body { media_types: JSON, shape: shape::<R::New>, required: true }),
            success: success(StatusCode::CREATED, false),
            ..operation(
                Method::POST,
                &collection,
                format!("create{singular}"),
                format!("Create a new {one}."),
                endpoint(Action::Create, JSON, create::<R>),
            )
        },
        Operation {
            success: success(StatusCode::OK, false),
            ..operation(
                Method::GET,
                &object,
                format!("get{singular}"),
                format!("Read the {one}."),
                endpoint(Action::Read, &[], read::<R>),
            )
        },
        Operation {
            body: Some(Body { media_types: PATCH, shape: patch::<R::Edit>, required: true }),
            success: success(StatusCode::OK, false),
            ..operation(
                Method::PATCH,
                &object,
                format!("update{singular}"),
                format!("Change the {one}: a JSON merge patch (RFC 7396)."),
                endpoint(Action::Update, PATCH, update::<R>),
            )
        },
        Operation {
            success: Success { status: StatusCode::NO_CONTENT, shape: None, is_list: false },
            ..operation(
                Method::DELETE,
                &object,
                format!("delete{singular}"),
                format!("Delete the {one}, for good for everybody who asks."),
                endpoint(Action::Delete, &[], delete::<R>),
            )
        },
    ]
}

/// The parameters of every list that is counted in pages.
pub(crate) fn page_parameters() -> Vec<Parameter> {
    vec![
        Parameter::new(
            "page",
            "Which page, from 1.",
            json!({ "type": "integer", "minimum": 1, "default": 1 }),
        ),
        Parameter::new(
            "per_page",
            "How many a page has.",
            json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }),
        ),
    ]
}

fn list_parameters<R: Resource>() -> Vec<Parameter> {
    let names: Vec<&str> = R::SORTS.iter().map(|field: &Field| field.as_str()).collect();
    let both: Vec<String> = names.iter().flat_map(|name| [(*name).to_owned(), format!("-{name}")]).collect();
    let mut parameters = page_parameters();
    parameters.push(Parameter::new("q", "Only those that contain this text.", json!({ "type": "string" })));
    parameters.push(Parameter::new(
        "sort",
        "The order; with a hyphen the greatest first.",
        json!({ "type": "string", "enum": both, "default": names.first() }),
    ));
    parameters.extend(R::FILTERS.iter().map(|field| Parameter::filter(*field)));
    if R::SORTS.contains(&Field::ExpiresAt) {
        parameters.push(Parameter::new(
            "expires_within_days",
            "Only those that work now and expire in so many days.",
            json!({ "type": "integer", "minimum": 1, "maximum": 36_500 }),
        ));
        parameters.push(Parameter::new(
            "expired",
            "Only those that have expired, or only those that have not.",
            json!({ "type": "boolean" }),
        ));
    }
    parameters
}

fn list<R: Administered>(x: Exchange) -> Answer {
    Box::pin(async move { x.keyward.list::<R>(&x.call, &x.query).await.map(Reply::Page) })
}

fn create<R: Administered>(x: Exchange) -> Answer {
    Box::pin(async move { x.keyward.create::<R>(&x.call, x.body).await.map(Reply::Created) })
}

fn read<R: Administered>(x: Exchange) -> Answer {
    Box::pin(async move { x.keyward.read::<R>(&x.call, x.id()).await.map(Reply::Object) })
}

fn update<R: Administered>(x: Exchange) -> Answer {
    Box::pin(async move {
        let updated = x.keyward.update::<R>(&x.call, x.id(), x.body.clone(), x.condition.clone());
        updated.await.map(Reply::Object)
    })
}

fn delete<R: Administered>(x: Exchange) -> Answer {
    Box::pin(async move {
        x.keyward.delete::<R>(&x.call, x.id(), x.condition.clone()).await?;
        Ok(Reply::Nothing)
    })
}
