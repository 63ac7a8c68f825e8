//! API keys: rotation, revocation and the evidence of their use; the publishable keys of tenants; revoked tokens.

use actix_web::http::{Method, StatusCode};
use keyward_core::{Action, KeyUsageView, PredecessorView, RevocationBody};
use keyward_model::{ApiKey, ApiKeyView, Id, Kind, RotateApiKey, Tenant, TenantView, Timestamp};
use utoipa::ToSchema;

use super::{
    Answer, Exchange, Reply,
    applications::with_created,
    resource,
    row::{Of, Row, answer, read},
};
use crate::operation::{Operation, shape};

/// An API key as its creation answers it.
#[derive(ToSchema)]
#[schema(as = ApiKeyCreated)]
#[expect(dead_code, reason = "describes what the core renders")]
struct ApiKeyCreated {
    #[schema(inline)]
    #[serde(flatten)]
    key: ApiKeyView,
    /// The key itself: in this answer and never again, not even when the same request is repeated.
    #[schema(nullable = false)]
    value: Option<String>,
}

/// Tokens that were revoked.
#[derive(ToSchema)]
#[schema(as = Revocation)]
#[expect(dead_code, reason = "describes what the core renders")]
struct RevocationView {
    /// The token.
    jti: Option<String>,
    /// Up to which moment of issue.
    #[schema(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// Of which client.
    client_id: Option<String>,
    /// Of which tenant.
    #[schema(value_type = Option<String>)]
    tenant_id: Option<Id<Tenant>>,
    /// Until when that is remembered: none of the tokens lives longer.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            method: Method::POST,
            path: "/{id}/rotate",
            id: "rotateApiKey",
            summary: "Make the key's successor, shown once; the old key works until the overlap ends.",
            action: Action::Act("rotate"),
            run: rotate,
            body: Some((shape::<RotateApiKey>, true)),
            success: answer(StatusCode::CREATED, shape::<ApiKeyCreated>),
        },
        Row {
            method: Method::POST,
            path: "/{id}/revoke",
            id: "revokeApiKey",
            summary: "Stop the key for good, at once.",
            action: Action::Act("revoke"),
            run: |x| {
                Box::pin(async move {
                    let condition = x.condition.clone();
                    x.keyward.revoke_api_key(&x.call, x.id(), condition).await.map(Reply::Object)
                })
            },
            body: None,
            success: answer(StatusCode::OK, shape::<ApiKeyView>),
        },
        read(
            "/{id}/usage",
            "getApiKeyUsage",
            "Read who uses the key, and how often on which day.",
            answer(StatusCode::OK, shape::<KeyUsageView>),
            |x| Box::pin(async move { x.keyward.api_key_usage(&x.call, x.id()).await.map(Reply::Object) }),
        ),
        read(
            "/{id}/predecessor-callers",
            "getPredecessorCallers",
            "Read who still uses the key before this one.",
            answer(StatusCode::OK, shape::<PredecessorView>),
            |x| {
                Box::pin(
                    async move { x.keyward.predecessor_callers(&x.call, x.id()).await.map(Reply::Object) },
                )
            },
        ),
    ]
}

fn rotate(x: Exchange) -> Answer {
    Box::pin(async move {
        let condition = x.condition.clone();
        let made = x.keyward.rotate_api_key(&x.call, x.id(), x.body.clone(), condition).await?;
        Ok(Reply::CreatedIn("api-keys", made))
    })
}

fn publishable() -> Row {
    Row {
        method: Method::POST,
        path: "/{id}/publishable-key",
        id: "replacePublishableKey",
        summary: "Give the tenant another publishable key; the one before stops at once.",
        action: Action::Act("replace_key"),
        run: |x| {
            Box::pin(async move {
                let condition = x.condition.clone();
                x.keyward.replace_publishable_key(&x.call, x.id(), condition).await.map(Reply::Object)
            })
        },
        body: None,
        success: answer(StatusCode::OK, shape::<TenantView>),
    }
}

fn revoke_tokens() -> Row {
    Row {
        method: Method::POST,
        path: "",
        id: "revokeTokens",
        summary: "Revoke access tokens: one by its jti, or all, or those of a client or tenant, up to a moment.",
        action: Action::Act("revoke"),
        run: |x| {
            Box::pin(async move { x.keyward.revoke_tokens(&x.call, x.body.clone()).await.map(Reply::Plain) })
        },
        body: Some((shape::<RevocationBody>, false)),
        success: answer(StatusCode::OK, shape::<RevocationView>),
    }
}

pub(crate) fn operations() -> Vec<Operation> {
    let keys = resource::operations::<ApiKey>("ApiKeys", "API key");
    let mut all = with_created(keys, shape::<ApiKeyCreated>);
    let of = Of { tag: "ApiKeys", kind: Kind::ApiKey, collection: "api-keys" };
    all.extend(rows().into_iter().map(|row| row.operation(of)));
    all.push(publishable().operation(Of { tag: "Tenants", kind: Kind::Tenant, collection: "tenants" }));
    let of = Of { tag: "Revocations", kind: Kind::Revocation, collection: "revocations" };
    all.push(revoke_tokens().operation(of));
    all
}
