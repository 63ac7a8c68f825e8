//! Users, groups and sessions beyond the five operations.

use actix_web::http::{Method, StatusCode};
use keyward_core::{Action, CheckedStep, EffectivePermissionView, MemberBody, NestedBody, RolesBody};
use keyward_model::{Field, Group, GroupView, Kind, Session, SessionView, User, UserView};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Answer, Exchange, Reply, resource,
    row::{NOTHING, Of, Row, answer, page, read},
};
use crate::operation::{Operation, Parameter, Shape, shape};

/// What a user may do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct EffectivePermissions {
    /// Each permission with its sources.
    data: Vec<EffectivePermissionView>,
}

/// A user in a group.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct MemberAdded {
    /// The group.
    group_id: String,
    /// The user.
    user_id: String,
}

/// A group in another.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct GroupNested {
    /// The group outside.
    group_id: String,
    /// The group inside.
    child_group_id: String,
}

fn act(
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    name: &'static str,
    run: fn(Exchange) -> Answer,
) -> Row {
    let (action, success) = (Action::Act(name), NOTHING);
    Row { method, path, id, summary, action, run, body: None, success }
}

fn put_roles(id: &'static str, summary: &'static str, shown: Shape, run: fn(Exchange) -> Answer) -> Row {
    Row {
        body: Some((shape::<RolesBody>, false)),
        success: answer(StatusCode::OK, shown),
        ..act(Method::PUT, "/{id}/roles", id, summary, "put_roles", run)
    }
}

fn users() -> Vec<Row> {
    let user = || answer(StatusCode::OK, shape::<UserView>);
    vec![
        put_roles("replaceUserRoles", "Replace the roles of the user.", shape::<UserView>, |x| {
            Box::pin(async move {
                let put = x.keyward.put_user_roles(&x.call, x.id(), x.body.clone(), x.condition.clone());
                put.await.map(Reply::Object)
            })
        }),
        Row {
            success: user(),
            ..act(
                Method::POST,
                "/{id}/reset-password",
                "resetUserPassword",
                "Make the user's password void, and end what was opened with it.",
                "reset_password",
                |x| {
                    Box::pin(
                        async move { x.keyward.reset_password(&x.call, x.id()).await.map(Reply::Object) },
                    )
                },
            )
        },
        Row {
            success: user(),
            ..act(
                Method::POST,
                "/{id}/mfa/disable",
                "disableUserMfa",
                "Remove the user's second factor, and end what was opened with it.",
                "disable_mfa",
                |x| Box::pin(async move { x.keyward.disable_mfa(&x.call, x.id()).await.map(Reply::Object) }),
            )
        },
        act(
            Method::POST,
            "/{id}/invite",
            "inviteUser",
            "Send the user a link by which they choose a password.",
            "reset_password",
            |x| Box::pin(async move { x.keyward.invite(&x.call, x.id()).await.map(|()| Reply::Nothing) }),
        ),
        read(
            "/{id}/effective-permissions",
            "getUserEffectivePermissions",
            "Read what the user may do, each permission with its sources.",
            answer(StatusCode::OK, shape::<EffectivePermissions>),
            |x| {
                Box::pin(
                    async move { x.keyward.effective_permissions(&x.call, x.id()).await.map(Reply::Object) },
                )
            },
        ),
    ]
}

/// What was found when an identity provider was tried out.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the core renders")]
struct IdentityProviderChecks {
    /// The steps in their order, up to the first that failed.
    steps: Vec<CheckedStep>,
}

fn identity_providers() -> Vec<Row> {
    vec![Row {
        success: answer(StatusCode::OK, shape::<IdentityProviderChecks>),
        ..act(
            Method::POST,
            "/{id}/test",
            "testIdentityProvider",
            "Try out whether the identity provider can be reached and makes sense, without signing anybody in.",
            "test",
            |x| Box::pin(async move { x.keyward.check_provider(&x.call, x.id()).await.map(Reply::Object) }),
        )
    }]
}

fn groups() -> Vec<Row> {
    vec![
        put_roles("replaceGroupRoles", "Replace the roles of the group.", shape::<GroupView>, |x| {
            Box::pin(async move {
                let put = x.keyward.put_group_roles(&x.call, x.id(), x.body.clone(), x.condition.clone());
                put.await.map(Reply::Object)
            })
        }),
        read(
            "/{id}/members",
            "listGroupMembers",
            "List the users directly in the group.",
            page(shape::<UserView>),
            |x| Box::pin(async move { x.keyward.members(&x.call, x.id(), &x.query).await.map(Reply::Page) }),
        ),
        Row {
            body: Some((shape::<MemberBody>, false)),
            success: answer(StatusCode::CREATED, shape::<MemberAdded>),
            ..act(Method::POST, "/{id}/members", "addGroupMember", "Put a user into the group.", "add", |x| {
                Box::pin(async move {
                    x.keyward.add_member(&x.call, x.id(), x.body.clone()).await.map(Reply::Created)
                })
            })
        },
        act(
            Method::DELETE,
            "/{id}/members/{user_id}",
            "removeGroupMember",
            "Take a user out of the group.",
            "remove",
            |x| {
                Box::pin(async move {
                    x.keyward.remove_member(&x.call, x.id(), x.path("user_id")).await?;
                    Ok(Reply::Nothing)
                })
            },
        ),
        read(
            "/{id}/nested",
            "listNestedGroups",
            "List the groups directly inside the group.",
            page(shape::<GroupView>),
            |x| Box::pin(async move { x.keyward.nested(&x.call, x.id(), &x.query).await.map(Reply::Page) }),
        ),
        Row {
            body: Some((shape::<NestedBody>, false)),
            success: answer(StatusCode::CREATED, shape::<GroupNested>),
            ..act(Method::POST, "/{id}/nested", "nestGroup", "Put a group into the group.", "add", |x| {
                Box::pin(
                    async move { x.keyward.nest(&x.call, x.id(), x.body.clone()).await.map(Reply::Created) },
                )
            })
        },
        act(
            Method::DELETE,
            "/{id}/nested/{child_group_id}",
            "unnestGroup",
            "Take a group out of the group.",
            "remove",
            |x| {
                Box::pin(async move {
                    x.keyward.remove_nested(&x.call, x.id(), x.path("child_group_id")).await?;
                    Ok(Reply::Nothing)
                })
            },
        ),
        read(
            "/{id}/effective-members",
            "listGroupEffectiveMembers",
            "List the users in the group or in any group inside it.",
            page(shape::<UserView>),
            |x| {
                Box::pin(async move {
                    x.keyward.effective_members(&x.call, x.id(), &x.query).await.map(Reply::Page)
                })
            },
        ),
    ]
}

fn sessions() -> Vec<Row> {
    vec![
        read("", "listSessions", "List the sessions within reach.", page(shape::<SessionView>), |x| {
            Box::pin(async move { x.keyward.sessions(&x.call, &x.query).await.map(Reply::Page) })
        }),
        read("/{id}", "getSession", "Read the session.", answer(StatusCode::OK, shape::<SessionView>), |x| {
            Box::pin(async move { x.keyward.session(&x.call, x.id()).await.map(Reply::Object) })
        }),
        Row {
            success: answer(StatusCode::OK, shape::<SessionView>),
            ..act(Method::POST, "/{id}/revoke", "revokeSession", "End the session at once.", "revoke", |x| {
                Box::pin(async move { x.keyward.revoke_session(&x.call, x.id()).await.map(Reply::Object) })
            })
        },
    ]
}

pub(crate) fn operations() -> Vec<Operation> {
    let mut all = resource::operations::<User>("Users", "user");
    let of = Of { tag: "Users", kind: Kind::User, collection: "users" };
    all.extend(users().into_iter().map(|row| row.operation(of)));
    all.extend(resource::operations::<Group>("Groups", "group"));
    let of = Of { tag: "Groups", kind: Kind::Group, collection: "groups" };
    all.extend(groups().into_iter().map(|row| row.operation(of)));
    let of = Of { tag: "IdentityProviders", kind: Kind::IdentityProvider, collection: "identity-providers" };
    all.extend(identity_providers().into_iter().map(|row| row.operation(of)));
    let of = Of { tag: "Sessions", kind: Kind::Session, collection: "sessions" };
    all.extend(sessions().into_iter().map(|row| row.operation(of)));
    for operation in &mut all {
        if operation.id == "listSessions" {
            operation.parameters.push(Parameter::new(
                "q",
                "Only those that contain this text.",
                json!({ "type": "string" }),
            ));
            let sorts: Vec<&str> = Session::SORTS.iter().map(|field: &Field| field.as_str()).collect();
            operation.parameters.push(Parameter::new(
                "sort",
                "The order.",
                json!({ "type": "string", "enum": sorts }),
            ));
            operation.parameters.extend(Session::FILTERS.iter().map(|field| Parameter::filter(*field)));
        }
    }
    all
}
