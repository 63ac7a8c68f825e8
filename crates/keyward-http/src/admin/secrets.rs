//! Secrets of applications and agents.

use actix_web::http::{Method, StatusCode};
use keyward_core::{Action, SecretHolder, SecretRotation};
use keyward_model::{Id, NewSecret, Secret, SecretView, Timestamp};
use utoipa::ToSchema;

use super::{
    Reply,
    row::{NOTHING, Row, answer, page, read},
};
use crate::operation::shape;

/// A secret as it is shown once.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
pub(crate) struct SecretShown {
    /// The identifier, `sec_…`.
    #[schema(value_type = String)]
    id: Id<Secret>,
    /// The secret itself: in this answer and never again, not even when the same request is repeated.
    #[schema(nullable = false)]
    value: Option<String>,
    /// The beginning of the secret, by which people recognise it.
    hint: String,
    /// When it stops working; null means with its holder.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// The operations on the secrets of `R`, named `list`, `create`, `revoke` and `rotate` in the documentation.
pub(crate) fn rows<R: SecretHolder>(
    list: &'static str,
    create: &'static str,
    revoke: &'static str,
    rotate: &'static str,
) -> Vec<Row> {
    vec![
        read(
            "/{id}/secrets",
            list,
            "List the secrets with the evidence of their use.",
            page(shape::<SecretView>),
            |x| {
                Box::pin(
                    async move { x.keyward.secrets::<R>(&x.call, x.id(), &x.query).await.map(Reply::Page) },
                )
            },
        ),
        Row {
            method: Method::POST,
            path: "/{id}/secrets",
            id: create,
            summary: "Make another secret, shown once; those that there are go on working.",
            action: Action::Act("create_secret"),
            run: |x| {
                Box::pin(async move {
                    x.keyward.create_secret::<R>(&x.call, x.id(), x.body.clone()).await.map(Reply::Created)
                })
            },
            body: Some((shape::<NewSecret>, true)),
            success: answer(StatusCode::CREATED, shape::<SecretShown>),
        },
        Row {
            method: Method::POST,
            path: "/{id}/secrets/rotate",
            id: rotate,
            summary: "Make a secret in the place of others, which still work for the overlap.",
            action: Action::Act("rotate_secret"),
            run: |x| {
                Box::pin(async move {
                    x.keyward.rotate_secret::<R>(&x.call, x.id(), x.body.clone()).await.map(Reply::Created)
                })
            },
            body: Some((shape::<SecretRotation>, true)),
            success: answer(StatusCode::CREATED, shape::<SecretShown>),
        },
        Row {
            method: Method::DELETE,
            path: "/{id}/secrets/{secret_id}",
            id: revoke,
            summary: "Stop a secret for good, and the tokens that it obtained.",
            action: Action::Act("revoke_secret"),
            run: |x| {
                Box::pin(async move {
                    x.keyward.revoke_secret::<R>(&x.call, x.id(), x.path("secret_id")).await?;
                    Ok(Reply::Nothing)
                })
            },
            body: None,
            success: NOTHING,
        },
    ]
}
