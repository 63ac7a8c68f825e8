//! Applications beyond the five operations: secrets, grants, renewal, use.

use actix_web::http::{Method, StatusCode};
use keyward_core::{Action, GrantsBody, Renewal, UsageView};
use keyward_model::{
    Application, ApplicationView, Grant, Id, Kind, NewSecret, Secret, SecretView, Timestamp,
};
use utoipa::ToSchema;

use super::{
    Answer, BASE, Exchange, JSON, Reply,
    resource::{self, page_parameters},
};
use crate::operation::{AdminEndpoint, Body, Endpoint, Operation, Shape, Success, shape};

/// A secret as it is shown once.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct SecretShown {
    /// The identifier, `sec_…`.
    #[schema(value_type = String)]
    id: Id<Secret>,
    /// The secret itself: in this answer and never again.
    value: String,
    /// The beginning of the secret, by which people recognise it.
    hint: String,
    /// When it stops working; null means with the application.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// An application with the secret that was made for it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct ApplicationCreated {
    /// The application.
    #[schema(inline)]
    #[serde(flatten)]
    application: ApplicationView,
    /// Its first secret.
    secret: SecretShown,
}

/// All grants of an application.
#[derive(ToSchema)]
#[schema(as = GrantList)]
#[expect(dead_code, reason = "describes what the core renders")]
struct GrantList {
    /// The grants.
    grants: Vec<Grant>,
}

struct Row {
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    action: Action,
    run: fn(Exchange) -> Answer,
    body: Option<(Shape, bool)>,
    success: Success,
}

fn answer(status: StatusCode, shape: Shape) -> Success {
    Success { status, shape: Some(shape), is_list: false }
}

fn rows() -> Vec<Row> {
    let (ok, none) =
        (StatusCode::OK, Success { status: StatusCode::NO_CONTENT, shape: None, is_list: false });
    vec![
        Row {
            method: Method::GET,
            path: "secrets",
            id: "listApplicationSecrets",
            summary: "List the application's secrets with the evidence of their use.",
            action: Action::Read,
            run: |x| {
                Box::pin(async move { x.keyward.secrets(&x.call, x.id(), &x.query).await.map(Reply::Page) })
            },
            body: None,
            success: Success { is_list: true, ..answer(ok, shape::<SecretView>) },
        },
        Row {
            method: Method::POST,
            path: "secrets",
            id: "createApplicationSecret",
            summary: "Make another secret, shown once; those that there are go on working.",
            action: Action::Act("create_secret"),
            run: |x| {
                Box::pin(async move {
                    x.keyward.create_secret(&x.call, x.id(), x.body.clone()).await.map(Reply::Created)
                })
            },
            body: Some((shape::<NewSecret>, true)),
            success: answer(StatusCode::CREATED, shape::<SecretShown>),
        },
        Row {
            method: Method::DELETE,
            path: "secrets/{secret_id}",
            id: "revokeApplicationSecret",
            summary: "Stop a secret for good, and the tokens that it obtained.",
            action: Action::Act("revoke_secret"),
            run: |x| {
                Box::pin(async move {
                    x.keyward.revoke_secret(&x.call, x.id(), x.path("secret_id")).await?;
                    Ok(Reply::Nothing)
                })
            },
            body: None,
            success: none,
        },
        Row {
            method: Method::POST,
            path: "renew",
            id: "renewApplication",
            summary: "Move the application's expiry; an expired application works again.",
            action: Action::Act("renew"),
            run: |x| {
                Box::pin(async move {
                    let renewed = x.keyward.renew(&x.call, x.id(), x.body.clone(), x.condition.clone());
                    renewed.await.map(Reply::Object)
                })
            },
            body: Some((shape::<Renewal>, true)),
            success: answer(ok, shape::<ApplicationView>),
        },
        Row {
            method: Method::GET,
            path: "grants",
            id: "getApplicationGrants",
            summary: "Read what the application may do in which tenants.",
            action: Action::Read,
            run: |x| Box::pin(async move { x.keyward.grants(&x.call, x.id()).await.map(Reply::Object) }),
            body: None,
            success: answer(ok, shape::<GrantList>),
        },
        Row {
            method: Method::PUT,
            path: "grants",
            id: "replaceApplicationGrants",
            summary: "Replace all grants of an application of the platform or of a partner.",
            action: Action::Act("grant"),
            run: |x| {
                Box::pin(async move {
                    let put = x.keyward.put_grants(&x.call, x.id(), x.body.clone(), x.condition.clone());
                    put.await.map(Reply::Object)
                })
            },
            body: Some((shape::<GrantsBody>, false)),
            success: answer(ok, shape::<ApplicationView>),
        },
        Row {
            method: Method::GET,
            path: "usage",
            id: "getApplicationUsage",
            summary: "Read how many tokens the application got, and how many it needed.",
            action: Action::Read,
            run: |x| {
                Box::pin(async move { x.keyward.application_usage(&x.call, x.id()).await.map(Reply::Object) })
            },
            body: None,
            success: answer(ok, shape::<UsageView>),
        },
    ]
}

pub(crate) fn operations() -> Vec<Operation> {
    let mut all = resource::operations::<Application>("Applications", "application");
    for operation in &mut all {
        if operation.method == Method::POST {
            operation.success.shape = Some(shape::<ApplicationCreated>);
        }
    }
    all.extend(rows().into_iter().map(operation));
    all
}

fn operation(row: Row) -> Operation {
    let body_optional = row.body.as_ref().is_some_and(|(_, optional)| *optional);
    let endpoint = AdminEndpoint {
        action: row.action,
        kind: Kind::Application,
        accepts: if row.body.is_some() { JSON } else { &[] },
        body_optional,
        reads_query: row.success.is_list,
        run: row.run,
    };
    let path = format!("{BASE}/applications/{{id}}/{}", row.path);
    Operation {
        tag: "Applications",
        method: row.method,
        parameters: if row.success.is_list { page_parameters() } else { Vec::new() },
        body: row.body.map(|(shape, optional)| Body { media_types: JSON, shape, required: !optional }),
        success: row.success,
        ..Operation::get(path, row.id, row.summary, Endpoint::Admin(endpoint))
    }
}
