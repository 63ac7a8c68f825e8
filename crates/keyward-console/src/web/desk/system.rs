//! The system: what runs here, and the keys that sign tokens.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION},
    },
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::Kind;
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    desk_at::{Desk, Sent},
    doc::{text, time},
};
use crate::{
    Confirmation,
    component::{Block, CodePanel, Content, CopyField, Deed, Facts, Panel, Piece, Row, Table, Tone},
    page::Screen,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/console/settings/system").get(show))
        .service(web::resource("/console/settings/system/diagnostics").get(diagnostics))
        .service(web::resource("/console/settings/system/rotate").get(ask_rotate).post(rotate));
}

/// The value of a setting.
fn set(value: &str) -> Content {
    if value.is_empty() { Piece::Muted("not set".to_owned()).into() } else { Content::code(value) }
}

/// What is asked for when something is wrong, as a file: no secret is in it.
async fn diagnostics(desk: Desk) -> Answer {
    let pairs = [("per_page".to_owned(), "100".to_owned())];
    let keyward = &desk.state.keyward;
    let keys = desk.found(keyward.signing_keys(&desk.call(), &pairs).await)?;
    let about = &desk.state.about;
    let setting = |(key, value, source): &(String, String, String)| json!({ "key": key, "value": value, "source": source });
    let file = json!({
        "made_at": desk.now.to_string(),
        "version": about.version,
        "database": about.database,
        "ready": keyward.ready().await.err().map_or_else(|| "yes".to_owned(), |check| format!("no: {check}")),
        "environments": keyward.options().environments,
        "signing_keys": keys.data,
        "configuration": about.configuration.iter().map(setting).collect::<Vec<_>>(),
    });
    let body = serde_json::to_string_pretty(&file).unwrap_or_default();
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"keyward-diagnostics.json\""))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body))
}

/// Who may not list the signing keys sees nothing of this.
async fn screen(desk: &Desk) -> Result<Screen, Refused> {
    let pairs = [("per_page".to_owned(), "100".to_owned())];
    let keys = desk.found(desk.state.keyward.signing_keys(&desk.call(), &pairs).await)?;
    let row = |key: &Value| {
        let tone = if text(key, "state") == "active" { Tone::Good } else { Tone::Plain };
        Row {
            cells: vec![
                Content::code(text(key, "kid")),
                Content::words(text(key, "algorithm")),
                Piece::Badge(tone, text(key, "state").to_owned()).into(),
                time(key, "active_at", desk.now, "–"),
                time(key, "retires_at", desk.now, "Not yet"),
            ],
            ..Row::default()
        }
    };
    let table = Table {
        caption: "Signing keys".to_owned(),
        columns: vec!["Key", "Algorithm", "State", "Signs since", "Retires"],
        rows: keys.data.iter().map(row).collect(),
        empty: "None.".to_owned(),
    };
    let mut signing = Panel::new("keys", "Signing keys", vec![Block::Table(table)]);
    signing.help =
        String::from("A new key is published at once, and signs when everybody had time to learn of it.");
    if desk.may(Action::Act("rotate"), Kind::SigningKey) {
        signing.deeds.push(Deed::link("Rotate signing keys", "/console/settings/system/rotate"));
    }
    let options = desk.state.keyward.options();
    let about = &desk.state.about;
    let ready = desk.state.keyward.ready().await;
    let health = match ready {
        Ok(()) => Piece::Badge(Tone::Good, "Ready".to_owned()),
        Err(check) => Piece::Badge(Tone::Bad, format!("Not ready: {check}")),
    };
    let facts = Facts::default()
        .and("Version", Content::code(about.version.clone()))
        .and("Database", Content::words(about.database.clone()))
        .and("Health", health)
        .and("Environments", Content::codes(&options.environments, "–"));
    let mut endpoints = Vec::new();
    for (id, label, path) in [
        ("issuer", "Issuer", ""),
        ("jwks", "JWKS", "/.well-known/jwks.json"),
        ("openapi", "OpenAPI", "/openapi.json"),
    ] {
        endpoints.push(Block::Copy(CopyField::new(id, label, format!("{}{path}", options.issuer))));
    }
    let setting = |(key, value, source): &(String, String, String)| Row {
        cells: vec![Content::code(key.clone()), set(value), Content::words(source.clone())],
        ..Row::default()
    };
    let settings = Table {
        caption: "Configuration".to_owned(),
        columns: vec!["Key", "Value", "From"],
        rows: about.configuration.iter().map(setting).collect(),
        empty: "Everything is as by default.".to_owned(),
    };
    let mut screen = desk.screen("System", &[]);
    screen.deeds.push(Deed::link("Download diagnostics", "/console/settings/system/diagnostics"));
    screen.blocks = vec![
        Panel::new("system", "This server", vec![facts.into()]).into(),
        signing.into(),
        Panel::new("endpoints", "Endpoints", endpoints).into(),
        Panel::new("configuration", "Configuration", vec![Block::Table(settings)]).into(),
        Block::Code(
            CodePanel::request(&options.issuer, "POST", "signing-keys/rotate", Some(&json!({})))
                .and("Command line", "keyward signing-key rotate\nkeyward config show\nkeyward audit verify"),
        ),
    ];
    Ok(screen)
}

async fn show(desk: Desk) -> Answer {
    let screen = screen(&desk).await?;
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn ask_rotate(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    let mut screen = screen(&desk).await?;
    screen.confirmation = Some(Confirmation {
        title: "Rotate signing keys?".to_owned(),
        text: "New keys are made for every algorithm. Those that there are stay published for as long as their tokens can live."
            .to_owned(),
        button: "Rotate signing keys".to_owned(),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: "/console/settings/system".to_owned(),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn rotate(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(desk.request.path()).await?;
    desk.found(desk.state.keyward.rotate_signing_keys(&desk.call_once(&fields), json!({})).await)?;
    Ok(desk.on_to("settings/system"))
}
