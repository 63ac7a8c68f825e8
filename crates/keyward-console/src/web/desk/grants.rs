//! The tenants that a client works in: grants.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, IfMatch};
use keyward_model::Kind;
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    api_access::{ApiAccess, expiry_field},
    both,
    collection::{Collection, object, read},
    desk_at::{Desk, Sent},
    doc::{expiry, items, text, texts},
    fields::Fields,
    permissions::{chosen, grid, in_words},
    problems,
};
use crate::{
    Notice, Problems, Severity,
    component::{
        Block, CodePanel, Content, FormBlock, Input, Panel, Part, Piece, Row, RowAction, Sign, Table, Takes,
    },
};

pub(super) fn configure(config: &mut ServiceConfig) {
    let at = |path: &str| both(&format!("{}/{{id}}/grants{path}", ApiAccess::PATH));
    config
        .service(at("").route(web::get().to(list)).route(web::post().to(add)))
        .service(at("/new").route(web::get().to(ask_new)))
        .service(at("/{other}/remove").route(web::get().to(ask_remove)).route(web::post().to(remove)));
}

/// The grants as they are sent, to be sent again with one more or less.
async fn grants_of(desk: &Desk) -> Result<(Vec<Value>, Option<i64>), Refused> {
    let document = desk.found(desk.state.keyward.grants(&desk.call(), desk.id()).await)?;
    Ok((items(&document.body, "grants").to_vec(), document.version))
}

/// A client of one tenant works in that alone.
fn is_of_one_tenant(doc: &Value) -> bool {
    !doc["tenant_id"].is_null()
}

async fn list(desk: Desk) -> Answer {
    let (doc, _) = read::<ApiAccess>(&desk).await?;
    let screen = grants_screen(&desk, &doc).await?;
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn grants_screen(desk: &Desk, doc: &Value) -> Result<crate::page::Screen, Refused> {
    let mut screen = object::<ApiAccess>(desk, doc, "grants").await?;
    screen.deeds.clear();
    if is_of_one_tenant(doc) {
        let name = desk.names(std::slice::from_ref(doc), &["tenant_id"]).await?.of(text(doc, "tenant_id"));
        let words = format!("It belongs to {name} and works there alone.");
        screen.blocks.push(Block::Text(Content::words(words)));
        return Ok(screen);
    }
    let own = desk.link(&format!("{}/{}", ApiAccess::PATH, desk.id()));
    let may = desk.may(Action::Update, Kind::Application);
    if may {
        screen.primary = Some(("Grant a tenant".to_owned(), format!("{own}/grants/new")));
    }
    let (grants, _) = grants_of(desk).await?;
    let names = desk.names(&grants, &["tenant_id", "roles"]).await?;
    let catalogue = desk.grantable_rows().await?;
    let row = |grant: &Value| {
        let tenant = names.of(text(grant, "tenant_id"));
        let remove = RowAction {
            sign: Sign::Delete,
            name: format!("Remove the grant of {tenant}"),
            href: format!("{own}/grants/{}/remove", text(grant, "tenant_id")),
        };
        let mut held = in_words(catalogue, &texts(grant, "permissions"));
        if let Some(roles) = names.all(grant, "roles") {
            held = held.below(Piece::Words(format!("Roles: {roles}")));
        }
        Row {
            cells: vec![
                Content::words(tenant.clone()),
                Content::words(text(grant, "environment")),
                held,
                if grant["expires_at"].is_null() {
                    Piece::Muted("With the client".to_owned()).into()
                } else {
                    expiry(grant, desk.now)
                },
            ],
            actions: if may { vec![remove] } else { Vec::new() },
            over: false,
        }
    };
    screen.blocks.push(Block::Table(Table {
        caption: "Tenants".to_owned(),
        columns: vec!["Tenant", "Environment", "Permissions", "Expires"],
        rows: grants.iter().map(row).collect(),
        empty: "No tenant: it works on the platform alone, with its own permissions.".to_owned(),
    }));
    Ok(screen)
}

async fn parts(desk: &Desk, now: &Fields) -> Result<Vec<Part>, Refused> {
    let tenant = Input::new("tenant", "Tenant", Takes::Code, now.get("tenant")).required();
    Ok(vec![
        tenant.help("Its slug or identifier.").into(),
        grid(desk, now, "permissions", "In this tenant it").await?,
        expiry_field(desk.state.keyward.options(), now, desk.now),
    ])
}

async fn ask_new(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    show_new(&desk, &desk.query(), StatusCode::OK, Problems::default()).await
}

async fn show_new(desk: &Desk, now: &Fields, status: StatusCode, problems: Problems) -> Answer {
    let (doc, _) = read::<ApiAccess>(desk).await?;
    let own = desk.link(&format!("{}/{}", ApiAccess::PATH, desk.id()));
    let name = ApiAccess::name(&doc);
    let mut screen = desk
        .screen("Grant a tenant", &[(ApiAccess::TITLE, desk.link(ApiAccess::PATH)), (&name, own.clone())]);
    let mut form = desk.form(format!("{own}/grants"));
    form.problems = problems;
    screen.mark = form.mark().into();
    let block = FormBlock::new(form, parts(desk, now).await?, "Save", format!("{own}/grants"));
    let panel = Panel::new("grant", "Grant", vec![Block::Form(Box::new(block))]);
    let help = "A token has what the grants and the client have in common.";
    screen.blocks.push(panel.help(help).into());
    let issuer = &desk.state.keyward.options().issuer;
    let (grants, _) = grants_of(desk).await?;
    let path = format!("applications/{}/grants", desk.id());
    screen.blocks.push(Block::Code(CodePanel::request(
        issuer,
        "PUT",
        &path,
        Some(&json!({ "grants": grants })),
    )));
    Ok(desk.show(status, &screen))
}

async fn add(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(&desk.link(&format!("{}/{}/grants/new", ApiAccess::PATH, desk.id()))).await?;
    let found = desk.found(desk.state.keyward.tenant_place(&desk.call(), fields.get("tenant")).await)?;
    let Some(tenant) = found else {
        let problems = Problems::field("tenant", "There is no tenant by this slug or identifier.");
        return show_new(&desk, &fields, StatusCode::UNPROCESSABLE_ENTITY, problems).await;
    };
    let (mut grants, version) = grants_of(&desk).await?;
    let before = grants.iter().find(|grant| text(grant, "tenant_id") == tenant.id);
    let roles = before.map_or_else(|| json!([]), |grant| grant["roles"].clone());
    grants.retain(|grant| text(grant, "tenant_id") != tenant.id);
    grants.push(json!({
        "roles": roles,
        "tenant_id": tenant.id,
        "permissions": chosen(&desk, &fields, "permissions").await?,
        "expires_at": fields.text_or_null("expires_at"),
    }));
    put(&desk, &fields, grants, version).await
}

async fn put(desk: &Desk, fields: &Fields, grants: Vec<Value>, version: Option<i64>) -> Answer {
    let condition = version.map(|version| IfMatch::Versions(vec![version]));
    let body = json!({ "grants": grants });
    match desk.state.keyward.put_grants(&desk.call(), desk.id(), body, condition).await {
        Ok(_) => Ok(desk.on_to(&format!("{}/{}/grants", ApiAccess::PATH, desk.id()))),
        Err(error) => match problems::at_form(&error, &[]) {
            Some((status, problems)) => show_new(desk, fields, status, problems).await,
            None => Err(desk.refused(&error).into()),
        },
    }
}

/// Without any grant a global client works on the whole platform, so its last one is not taken away like others.
const LAST: &str = "This is its last tenant. Without one it would work on the whole platform with all of its permissions. \
                    Disable or delete the client instead.";

async fn ask_remove(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    let (doc, _) = read::<ApiAccess>(&desk).await?;
    let mut screen = grants_screen(&desk, &doc).await?;
    let other = json!({ "id": desk.request.match_info().get("other").unwrap_or_default() });
    let name = desk.names(std::slice::from_ref(&other), &["id"]).await?.of(text(&other, "id"));
    screen.confirmation = Some(crate::Confirmation {
        title: format!("Remove the grant of {name}?"),
        text: "It gets no more tokens for this tenant, and those that it has count no more there.".to_owned(),
        button: format!("Remove {name}"),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: desk.link(&format!("{}/{}/grants", ApiAccess::PATH, desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn remove(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(desk.request.path()).await?;
    let other = desk.request.match_info().get("other").unwrap_or_default().to_owned();
    let (mut grants, version) = grants_of(&desk).await?;
    grants.retain(|grant| text(grant, "tenant_id") != other);
    if grants.is_empty() {
        let (doc, _) = read::<ApiAccess>(&desk).await?;
        let mut screen = grants_screen(&desk, &doc).await?;
        screen.mark = "Error: ".into();
        screen.blocks.insert(0, Block::Notice(Notice::new(Severity::Error, LAST)));
        return Ok(desk.show(StatusCode::CONFLICT, &screen));
    }
    put(&desk, &fields, grants, version).await
}
