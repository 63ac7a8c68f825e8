//! Many changes of one kind in one request.

use std::borrow::Cow;

use actix_web::http::{Method, StatusCode};
use keyward_core::{Action, Administered, BulkBody, BulkOp, BulkOutcome};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Answer, BASE, Exchange, JSON, Reply};
use crate::{
    operation::{AdminEndpoint, Body, Endpoint, Operation, Success, shape},
    problem::{Problem, ProblemBody},
};

/// What came of every item, in their order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is rendered below")]
struct BulkResults {
    /// A result for each item.
    results: Vec<BulkResult>,
}

/// What came of one item.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is rendered below")]
struct BulkResult {
    /// The HTTP status that the change would have answered alone.
    status: u16,
    /// The object's identifier, as far as it is known.
    id: Option<String>,
    /// A secret that is shown this once.
    #[schema(value_type = Option<Object>)]
    secret: Option<Value>,
    /// An API key that is shown this once.
    value: Option<String>,
    /// Why nothing was done.
    error: Option<ProblemBody>,
}

/// The bulk operation of a resource.
pub(crate) fn operation<R: Administered>(tag: &'static str) -> Operation {
    let endpoint = AdminEndpoint {
        action: Action::Update,
        kind: R::KIND,
        accepts: JSON,
        body_optional: false,
        reads_query: false,
        run: run::<R>,
    };
    Operation {
        tag,
        method: Method::POST,
        body: Some(Body { media_types: JSON, shape: shape::<BulkBody>, required: true }),
        success: Success { status: StatusCode::OK, shape: Some(shape::<BulkResults>), is_list: false },
        ..Operation::get(
            format!("{BASE}/{}/bulk", R::COLLECTION),
            Cow::Owned(format!("bulk{tag}")),
            "Make up to 1,000 changes, each with a result and an audit record of its own.",
            Endpoint::Admin(endpoint),
        )
    }
}

fn run<R: Administered>(x: Exchange) -> Answer {
    Box::pin(async move {
        if let Some(answer) = x.keyward.bulk_answer(&x.call).await? {
            return Ok(Reply::Plain(answer));
        }
        let outcomes = x.keyward.bulk::<R>(&x.call, x.body.clone()).await?;
        let results: Vec<Value> = outcomes.iter().map(|outcome| rendered(outcome, &x)).collect();
        let kept = results.iter().map(without_secret).collect::<Vec<_>>();
        x.keyward.keep_bulk_answer(&x.call, json!({ "results": kept })).await?;
        Ok(Reply::Plain(json!({ "results": results })))
    })
}

/// A result as it may be repeated.
fn without_secret(result: &Value) -> Value {
    let mut kept = result.clone();
    if let Some(members) = kept.as_object_mut() {
        members.remove("secret");
        members.remove("value");
    }
    kept
}

fn rendered(outcome: &BulkOutcome, x: &Exchange) -> Value {
    match &outcome.result {
        Ok(shown) => {
            let status = match outcome.op {
                BulkOp::Create => 201,
                BulkOp::Update => 200,
                BulkOp::Revoke => 204,
            };
            let mut result = json!({ "status": status, "id": outcome.id });
            if let Some((member, shown)) = shown {
                result[*member] = shown.clone();
            }
            result
        }
        Err(error) => {
            let problem = Problem::new(error, x.request(), &x.keyward);
            json!({ "status": problem.status().as_u16(), "id": outcome.id, "error": problem.body() })
        }
    }
}
