//! The audit log and the signing keys, which are no ordinary resources.

use actix_web::{
    http::{Method, StatusCode},
    web,
};
use keyward_core::{
    Action, ActivityView, EventExport, ExportFormat, Rotation, SeriesView, SigningKeyView, StatsView,
};
use keyward_model::{EventView, Kind};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Answer, BASE, Exchange, JSON, Reply,
    exchange::File,
    resource::page_parameters,
    row::{Of, Row, answer, read as read_row},
};
use crate::operation::{AdminEndpoint, Body, Endpoint, Operation, Parameter, Shape, Success, shape};

/// The signing keys that were made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct SigningKeysMade {
    /// The keys.
    data: Vec<SigningKeyView>,
}

fn read(
    path: &str,
    id: &'static str,
    summary: &'static str,
    tag: &'static str,
    endpoint: AdminEndpoint,
    shape: Shape,
) -> Operation {
    let success = Success { status: StatusCode::OK, shape: Some(shape), is_list: endpoint.reads_query };
    Operation {
        tag,
        success,
        parameters: if endpoint.reads_query { page_parameters() } else { Vec::new() },
        ..Operation::get(format!("{BASE}/{path}"), id, summary, Endpoint::Admin(endpoint))
    }
}

fn endpoint(action: Action, kind: Kind, run: fn(Exchange) -> Answer) -> AdminEndpoint {
    AdminEndpoint {
        action,
        kind,
        accepts: &[],
        body_optional: false,
        reads_query: action == Action::List,
        run,
    }
}

fn event_filters() -> Vec<Parameter> {
    let text = || json!({ "type": "string" });
    let moment = || json!({ "type": "string", "format": "date-time" });
    let filter = |name: &'static str, description: &'static str, schema: Value| {
        Parameter::new(name, description, schema)
    };
    vec![
        filter("cursor", "Begin behind this next_cursor; the total is then not counted.", text()),
        filter("from", "Events of this moment or later.", moment()),
        filter("to", "Events before this moment.", moment()),
        filter("actor", "Events of the actor with this identifier.", text()),
        filter("action", "Events of this action; of all actions of a noun when it ends in a dot.", text()),
        filter("resource", "Events about the resource with this identifier.", text()),
        filter(
            "result",
            "Events that ended so.",
            json!({ "type": "string", "enum": ["success", "denied", "failure"] }),
        ),
        filter("tenant_id", "Events that name this tenant.", text()),
    ]
}

fn series_parameters() -> Vec<Parameter> {
    let moment = || json!({ "type": "string", "format": "date-time" });
    let length = json!({ "type": "integer", "minimum": 1, "maximum": 31_536_000, "default": 3600 });
    vec![
        Parameter::new("from", "When the first span begins; a day before the end when left out.", moment()),
        Parameter::new("to", "When the last span ends; now when left out.", moment()),
        Parameter::new("interval_seconds", "How long a span is; there can be at most 1,000.", length),
    ]
}

pub(crate) fn operations() -> Vec<Operation> {
    let mut events = read(
        "audit",
        "listAuditEvents",
        "List what happened, the newest first.",
        "Audit",
        endpoint(Action::List, Kind::Event, |x| {
            Box::pin(async move { x.keyward.events(&x.call, &x.query).await.map(Reply::Page) })
        }),
        shape::<EventView>,
    );
    events.parameters.extend(event_filters());
    let event = read(
        "audit/{id}",
        "getAuditEvent",
        "Read one event of the audit log.",
        "Audit",
        endpoint(Action::Read, Kind::Event, |x| {
            Box::pin(async move { x.keyward.event(&x.call, x.id()).await.map(Reply::Object) })
        }),
        shape::<EventView>,
    );
    let keys = read(
        "signing-keys",
        "listSigningKeys",
        "List the platform's signing keys, retired ones included. Always audited.",
        "Signing keys",
        endpoint(Action::List, Kind::SigningKey, |x| {
            Box::pin(async move { x.keyward.signing_keys(&x.call, &x.query).await.map(Reply::Page) })
        }),
        shape::<SigningKeyView>,
    );
    let mut all = vec![export(), events, event, keys, rotate()];
    let of = Of { tag: "Dashboard", kind: Kind::Event, collection: "dashboard" };
    all.extend(dashboard().into_iter().map(|row| row.operation(of)));
    for operation in &mut all {
        if operation.id == "getDashboardSeries" {
            operation.parameters = series_parameters();
        }
    }
    all
}

fn rotate() -> Operation {
    let endpoint = AdminEndpoint {
        accepts: JSON,
        body_optional: true,
        ..endpoint(Action::Act("rotate"), Kind::SigningKey, |x| {
            Box::pin(
                async move { x.keyward.rotate_signing_keys(&x.call, x.body.clone()).await.map(Reply::Made) },
            )
        })
    };
    Operation {
        method: Method::POST,
        body: Some(Body { media_types: JSON, shape: shape::<Rotation>, required: false }),
        ..read(
            "signing-keys/rotate",
            "rotateSigningKeys",
            "Publish new signing keys; they sign once every cache of the JWKS had time to learn of them.",
            "Signing keys",
            endpoint,
            shape::<SigningKeysMade>,
        )
    }
}

fn dashboard() -> Vec<Row> {
    vec![
        read_row(
            "/stats",
            "getDashboardStats",
            "Read how many of everything there are, as far as the caller may list it.",
            answer(StatusCode::OK, shape::<StatsView>),
            |x| Box::pin(async move { x.keyward.dashboard_stats(&x.call).await.map(Reply::Object) }),
        ),
        read_row(
            "/activity",
            "getDashboardActivity",
            "Read the latest events.",
            answer(StatusCode::OK, shape::<ActivityView>),
            |x| Box::pin(async move { x.keyward.dashboard_activity(&x.call).await.map(Reply::Object) }),
        ),
        read_row(
            "/series",
            "getDashboardSeries",
            "Read tokens and refusals over time.",
            answer(StatusCode::OK, shape::<SeriesView>),
            |x| {
                Box::pin(
                    async move { x.keyward.dashboard_series(&x.call, &x.query).await.map(Reply::Object) },
                )
            },
        ),
    ]
}

/// All events that a query selects, as a file that is made as it is sent.
fn export() -> Operation {
    let endpoint = AdminEndpoint {
        reads_query: true,
        ..endpoint(Action::List, Kind::Event, |x| {
            Box::pin(async move {
                let export = x.keyward.export_events(&x.call, &x.query).await?;
                let (name, media_type) = match export.format() {
                    ExportFormat::Ndjson => ("audit.ndjson", "application/x-ndjson"),
                    ExportFormat::Csv => ("audit.csv", "text/csv; charset=utf-8"),
                };
                let content = futures_util::stream::unfold(Some(export), next_piece);
                Ok(Reply::File(File { name, media_type, content: Box::pin(content) }))
            })
        })
    };
    let mut parameters = event_filters();
    parameters.retain(|parameter| parameter.name != "cursor");
    let formats = json!({ "type": "string", "enum": ["ndjson", "csv"], "default": "ndjson" });
    parameters.push(Parameter::new("format", "One JSON object a line, or comma-separated values.", formats));
    Operation {
        parameters,
        success: Success { status: StatusCode::OK, shape: None, is_list: false },
        ..read(
            "audit/export",
            "exportAuditEvents",
            "Export the events that the filters select, the newest first. Always audited.",
            "Audit",
            endpoint,
            shape::<EventView>,
        )
    }
}

/// The next piece of a file. One that can't be read ends the connection, so that nobody takes the file for whole.
async fn next_piece(
    export: Option<EventExport>,
) -> Option<(Result<web::Bytes, std::io::Error>, Option<EventExport>)> {
    let mut export = export?;
    match export.next().await {
        Ok(Some(piece)) => Some((Ok(web::Bytes::from(piece)), Some(export))),
        Ok(None) => None,
        Err(error) => Some((Err(std::io::Error::other(error)), None)),
    }
}
