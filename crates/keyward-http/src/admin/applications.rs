//! Applications and agents beyond the five operations: secrets, grants, renewal, use.

use actix_web::http::{Method, StatusCode};
use keyward_core::{Action, GrantsBody, Renewal, UsageView};
use keyward_model::{Agent, AgentView, Application, ApplicationView, Grant, Kind};
use utoipa::ToSchema;

use super::{
    Reply, resource,
    row::{Of, Row, answer, read},
    secrets::{self, SecretShown},
};
use crate::operation::{Operation, Shape, shape};

/// An application with the secret that was made for it, where its type can keep one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct ApplicationCreated {
    #[serde(flatten)]
    application: ApplicationView,
    /// Its first secret; left out when the same request is repeated.
    #[schema(nullable = false)]
    secret: Option<SecretShown>,
}

/// An agent with the secret that was made for it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct AgentCreated {
    #[serde(flatten)]
    agent: AgentView,
    /// Its first secret; left out when the same request is repeated.
    #[schema(nullable = false)]
    secret: Option<SecretShown>,
}

/// All grants of an application.
#[derive(ToSchema)]
#[schema(as = GrantList)]
#[expect(dead_code, reason = "describes what the core renders")]
struct GrantList {
    /// The grants.
    grants: Vec<Grant>,
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            method: Method::POST,
            path: "/{id}/renew",
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
            success: answer(StatusCode::OK, shape::<ApplicationView>),
        },
        read(
            "/{id}/grants",
            "getApplicationGrants",
            "Read what the application may do in which tenants.",
            answer(StatusCode::OK, shape::<GrantList>),
            |x| Box::pin(async move { x.keyward.grants(&x.call, x.id()).await.map(Reply::Object) }),
        ),
        Row {
            method: Method::PUT,
            path: "/{id}/grants",
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
            success: answer(StatusCode::OK, shape::<ApplicationView>),
        },
        read(
            "/{id}/usage",
            "getApplicationUsage",
            "Read how many tokens the application got, and how many it needed.",
            answer(StatusCode::OK, shape::<UsageView>),
            |x| {
                Box::pin(async move { x.keyward.application_usage(&x.call, x.id()).await.map(Reply::Object) })
            },
        ),
    ]
}

/// The operations of a resource whose creation answers more than the resource.
pub(super) fn with_created(mut operations: Vec<Operation>, created: Shape) -> Vec<Operation> {
    for operation in &mut operations {
        if operation.success.status == StatusCode::CREATED {
            operation.success.shape = Some(created);
        }
    }
    operations
}

pub(crate) fn operations() -> Vec<Operation> {
    let applications = resource::operations::<Application>("Applications", "application");
    let mut all = with_created(applications, shape::<ApplicationCreated>);
    let of = Of { tag: "Applications", kind: Kind::Application, collection: "applications" };
    let secrets = secrets::rows::<Application>(
        "listApplicationSecrets",
        "createApplicationSecret",
        "revokeApplicationSecret",
        "rotateApplicationSecrets",
    );
    all.extend(secrets.into_iter().chain(rows()).map(|row| row.operation(of)));
    all.extend(with_created(resource::operations::<Agent>("Agents", "agent"), shape::<AgentCreated>));
    let of = Of { tag: "Agents", kind: Kind::Agent, collection: "agents" };
    let secrets = secrets::rows::<Agent>(
        "listAgentSecrets",
        "createAgentSecret",
        "revokeAgentSecret",
        "rotateAgentSecrets",
    );
    all.extend(secrets.into_iter().map(|row| row.operation(of)));
    all
}
