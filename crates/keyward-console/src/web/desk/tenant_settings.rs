//! Settings of a tenant, with its publishable key.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::{Application, Kind, Tenant, User};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    dashboard::total,
    desk_at::{Desk, Sent},
    doc::{standing, text, time, words},
};
use crate::{
    Confirmation,
    component::{Badge, Block, CodePanel, Content, CopyField, Deed, Facts, Panel, Piece},
    page::Screen,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/console/t/{tenant}/settings/tenant").get(show)).service(
        web::resource("/console/t/{tenant}/settings/tenant/replace-key").get(ask_replace).post(replace),
    );
}

async fn read(desk: &Desk) -> Result<Value, Refused> {
    let place = desk.found(desk.place.as_ref().ok_or(keyward_core::Error::NotFound))?;
    Ok(desk.found(desk.state.keyward.read::<Tenant>(&desk.call(), &place.id).await)?.body)
}

/// So many, of how many there may be.
fn usage(used: u64, most: Option<u64>) -> Content {
    match most {
        Some(most) => Content::words(format!("{used} of {most}")).and(Piece::Meter(used, most)),
        None => Content::words(used.to_string()).below(Piece::Words("no limit".to_owned())),
    }
}

async fn screen(desk: &Desk, doc: &Value) -> Result<Screen, Refused> {
    let options = desk.state.keyward.options();
    let call = desk.call();
    let partner = match text(doc, "partner_id") {
        "" => None,
        id => desk
            .state
            .keyward
            .read::<keyward_model::Partner>(&call, id)
            .await
            .ok()
            .map(|document| document.body),
    };
    let limit = |name: &str| partner.as_ref().and_then(|partner| partner[name].as_u64());
    let users = desk.found(total::<User>(desk, &[]).await)?;
    let applications = desk.found(total::<Application>(desk, &[]).await)?;
    let facts = Facts::default()
        .and("Name", Content::words(text(doc, "name")))
        .and("Slug", Content::code(text(doc, "slug")))
        .and("Tenant ID", Content::code(text(doc, "id")))
        .and(
            "Partner",
            match &partner {
                Some(partner) if desk.caller().may(Action::List, Kind::Partner) => Piece::Link(
                    format!("/console/partners/{}", text(partner, "id")),
                    text(partner, "name").to_owned(),
                )
                .into(),
                Some(partner) => Content::words(text(partner, "name")),
                None => Piece::Muted("None".to_owned()).into(),
            },
        )
        .and("Environments", Content::codes(&options.environments, "–"))
        .and("Contact", words(doc, "contact_email", "None"))
        .and("Users", usage(users, limit("max_users_per_tenant")))
        .and("Applications", usage(applications, limit("max_applications_per_tenant")))
        .and("Added", time(doc, "created_at", desk.now, "–"));
    let key = Block::Copy(CopyField::new("publishable-key", "Publishable key", text(doc, "publishable_key")));
    let secret_keys = Piece::Link(desk.link("settings/security/api-keys"), "Secret API keys".to_owned());
    let mut keys = Panel::new("api-key", "API key", vec![key, Block::Text(secret_keys.into())]);
    keys.help = String::from("It names the tenant and permits nothing, so it may stand in a web page.");
    let mut screen = desk.screen("Tenant", &[]);
    let (tone, words) = standing(doc);
    screen.badge = Some(Badge { tone, words: words.to_owned() });
    if desk.caller().may(Action::Update, Kind::Tenant) {
        let own = format!("/console/tenants/{}", text(doc, "id"));
        screen.deeds.push(Deed::link("Edit", format!("{own}/edit")));
        screen.deeds.push(Deed::link("Delete", format!("{own}/delete")));
        keys.deeds.push(Deed::link("Replace key", desk.link("settings/tenant/replace-key")));
    }
    let mut endpoints = Vec::new();
    for (id, label, path) in [
        ("issuer", "Issuer", ""),
        ("token-endpoint", "Token endpoint", "/oauth2/token"),
        ("jwks", "JWKS", "/.well-known/jwks.json"),
        ("openapi", "OpenAPI", "/openapi.json"),
    ] {
        endpoints.push(Block::Copy(CopyField::new(id, label, format!("{}{path}", options.issuer))));
    }
    let mut first = Panel::new("tenant", text(doc, "name"), vec![facts.into()]);
    if desk.may(Action::Create, Kind::Application) {
        first.deeds.push(Deed::link("Add API client", desk.link("settings/iam/api-access/new")));
    }
    screen.blocks = vec![
        first.into(),
        keys.into(),
        Panel::new("endpoints", "Endpoints", endpoints).into(),
        Block::Code(CodePanel::request(
            &options.issuer,
            "GET",
            &format!("tenants/{}", text(doc, "id")),
            None,
        )),
    ];
    Ok(screen)
}

async fn show(desk: Desk) -> Answer {
    let doc = read(&desk).await?;
    let screen = screen(&desk, &doc).await?;
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn ask_replace(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    let doc = read(&desk).await?;
    let mut screen = screen(&desk, &doc).await?;
    screen.confirmation = Some(Confirmation {
        title: "Replace the publishable key?".to_owned(),
        text: "The one that there is stops at once: every page and app that sends it must have the new one."
            .to_owned(),
        button: "Replace key".to_owned(),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: desk.link("settings/tenant"),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn replace(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    desk.fresh(desk.request.path()).await?;
    let doc = read(&desk).await?;
    desk.found(desk.state.keyward.replace_publishable_key(&desk.call(), text(&doc, "id"), None).await)?;
    Ok(desk.on_to("settings/tenant"))
}
