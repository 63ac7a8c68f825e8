//! API Access: the clients by which other systems call APIs without a person.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Options, Written};
use keyward_model::{AnyId, Application, Kind, Timestamp};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    both,
    clients::{lately, show_secret},
    collection::{Collection, Doubt, read},
    desk_at::{Desk, Sent},
    doc::{ends_soon, expiry, is_over, text, texts},
    evidence::{self, last_use},
    fields::Fields,
    grants,
    parts::{WORKS, environment, key_of, status},
    permissions::{chosen, grid, in_words},
    problems,
    roles::choice,
};
use crate::{
    Problems,
    component::{
        Block, CodePanel, Content, CopyField, Deed, Facts, FormBlock, Input, Panel, Part, Piece, Row,
        RowAction, Sign, Takes,
    },
};

pub(super) struct ApiAccess;

/// A client identifier, of which the tenant's part matters less.
pub(super) fn client_id(doc: &Value) -> Piece {
    match text(doc, "client_id").split_once('.') {
        Some((tenant, local)) => Piece::Prefixed(format!("{tenant}."), local.to_owned()),
        None => Piece::Code(text(doc, "client_id").to_owned()),
    }
}

/// The same as a link.
fn linked(own: &str, client_id: &str) -> Content {
    let link = match client_id.split_once('.') {
        Some((tenant, local)) => Piece::PrefixedLink(own.to_owned(), format!("{tenant}."), local.to_owned()),
        None => Piece::CodeLink(own.to_owned(), client_id.to_owned()),
    };
    link.into()
}

fn notes(doc: &Value) -> Content {
    match text(doc, "notes") {
        "" => Piece::Muted("–".to_owned()),
        words => Piece::OneLine(words.to_owned()),
    }
    .into()
}

/// A date one year ahead, as a field of a form has it.
pub(super) fn in_a_year(now: Timestamp) -> String {
    let date = now.as_chrono().date_naive();
    date.checked_add_months(chrono::Months::new(12)).unwrap_or(date).to_string()
}

/// When something is to end: the date of the form, or of the address, which also knows `30d`, `90d` and `1y`.
pub(super) fn expiry_date(now: &Fields, today: Timestamp) -> Option<String> {
    let given = now.given("expires_at").or_else(|| now.given("expires"))?;
    let preset = spans(today).into_iter().find(|(span, _, _)| *span == given);
    Some(preset.map_or_else(|| given.to_owned(), |(_, _, date)| date))
}

/// How long most things last: as addresses and as people say it, and the date of their end.
fn spans(today: Timestamp) -> [(&'static str, &'static str, String); 3] {
    let in_days = |days: i64| today.plus_seconds(days * 86_400).as_chrono().date_naive().to_string();
    [("30d", "30 days", in_days(30)), ("90d", "90 days", in_days(90)), ("1y", "1 year", in_a_year(today))]
}

/// The same for buttons that fill a date in.
pub(super) fn presets(today: Timestamp) -> impl Iterator<Item = (String, String)> {
    spans(today).into_iter().map(|(_, words, date)| (words.to_owned(), date))
}

/// The field for when something ends.
pub(super) fn expiry_field(options: &Options, now: &Fields, today: Timestamp) -> Part {
    let given = expiry_date(now, today).unwrap_or_else(|| in_a_year(today));
    let help = format!("At most {} days ahead. No token outlives it.", options.max_expiry_days);
    Input::new("expires_at", "Expiry date", Takes::Line("date"), &given)
        .required()
        .help(help)
        .presets(presets(today))
        .into()
}

impl Collection for ApiAccess {
    type Record = Application;
    const PATH: &'static str = "settings/iam/api-access";
    const TITLE: &'static str = "API Access";
    const ONE: &'static str = "API client";
    const ADD: &'static str = "Add API client";
    const ABOUT: &'static str = "API clients let another system call your APIs without a person signing in.";
    const COLUMNS: &'static [&'static str] = &["Client ID", "Roles", "Expiry date", "Last used", "Notes"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] = &[
        ("Active", "status", "active"),
        ("Expiring", "expires_within_days", "30"),
        ("Expired", "expired", "true"),
        ("Disabled", "status", "disabled"),
    ];
    const STEP_UP: bool = true;
    const ONLY: &'static [(&'static str, &'static str)] = &[("type", "service")];

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["roles"]).await?;
        let catalogue = desk.grantable_rows().await?;
        let ids: Vec<AnyId> = docs.iter().filter_map(|doc| text(doc, "id").parse().ok()).collect();
        let uses = desk.found(desk.state.keyward.holders_use(&desk.call(), &ids).await)?;
        let may = desk.may(Action::Update, Kind::Application);
        let row = |doc: &Value| {
            let own = desk.link(&format!("{}/{}", Self::PATH, text(doc, "id")));
            let id = key_of(doc);
            let mut held = in_words(catalogue, &texts(doc, "allowed_scopes"));
            if let Some(roles) = names.all(doc, "roles") {
                held = held.below(Piece::Words(format!("Roles: {roles}")));
            }
            let mut ends = expiry(doc, desk.now);
            if may && desk.state.keyward.options().allow_renew && ends_soon(doc, desk.now) {
                ends = ends.below(Piece::Link(format!("{own}/renew"), "Renew".to_owned()));
            }
            if text(doc, "status") == "disabled" {
                ends = ends.below(Piece::Warning("Disabled".to_owned()));
            }
            Row {
                cells: vec![
                    linked(&own, &id),
                    held,
                    ends,
                    last_use(text(doc, "id").parse().ok().and_then(|id: AnyId| uses.get(&id)), desk.now),
                    notes(doc),
                ],
                actions: if may {
                    vec![
                        RowAction::of(&own, &id, Sign::Edit, "Edit", "edit"),
                        RowAction::of(&own, &id, Sign::Rotate, "Rotate secret of", "rotate"),
                        RowAction::of(&own, &id, Sign::Delete, "Delete", "delete"),
                    ]
                } else {
                    Vec::new()
                },
                over: is_over(doc),
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    fn foot(desk: &Desk) -> Vec<Block> {
        let endpoint = format!("{}/oauth2/token", desk.state.keyward.options().issuer);
        let call =
            format!("curl -u \"$CLIENT_ID:$CLIENT_SECRET\" -d grant_type=client_credentials {endpoint}");
        vec![
            Block::Copy(CopyField::new("token-endpoint", "Token endpoint", endpoint)),
            Block::Copy(CopyField::new("token-call", "A call that works when pasted", call)),
            Block::Text(
                Piece::Link(desk.link("settings/security/key-tester"), "Test a token".to_owned()).into(),
            ),
        ]
    }

    async fn parts(desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let options = desk.state.keyward.options();
        let mut parts: Vec<Part> = Vec::new();
        if editing.is_none() {
            let prefix = desk.place.as_ref().map(|place| format!("{}.", place.slug)).unwrap_or_default();
            let id = Input::new("client_id", "Client ID", Takes::Code, now.or("client_id", now.get("name")));
            let help = "Small letters, digits and hyphens: a name that says what it is for. It can't be changed later.";
            parts.push(id.required().prefix(prefix).help(help).into());
            parts.push(expiry_field(options, now, desk.now));
            parts.push(environment(&options.environments, now).into());
        }
        parts.push(
            Input::new("notes", "Notes", Takes::Lines, now.get("notes"))
                .help("Who to ask about it, what it does.")
                .into(),
        );
        parts.extend(choice(desk, now, "Beside the permissions below.").await?);
        parts.push(grid(desk, now, "allowed_scopes", "This client").await?);
        if editing.is_some() {
            parts.push(status(now, WORKS));
        }
        let lifetime = Input::new(
            "token_lifetime",
            "Token lifetime in seconds",
            Takes::Line("number"),
            now.get("token_lifetime"),
        );
        let help = format!("60 to 86,400; empty means {}.", options.token_lifetime);
        parts.push(Part::Folded("Advanced".to_owned(), vec![lifetime.help(help).into()]));
        Ok(parts)
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body = json!({
            "notes": fields.text_or_null("notes"),
            "roles": fields.all("roles"),
            "allowed_scopes": chosen(desk, fields, "allowed_scopes").await?,
            "token_lifetime": fields.number_or_null("token_lifetime"),
        });
        if editing.is_some() {
            body["status"] = fields.or("status", "active").into();
            return Ok(body);
        }
        body["type"] = "service".into();
        body["client_id"] = fields.or("client_id", fields.get("name")).into();
        let ends = expiry_date(fields, desk.now).unwrap_or_else(|| in_a_year(desk.now));
        body["expires_at"] = if ends.is_empty() { Value::Null } else { ends.into() };
        let options = desk.state.keyward.options();
        body["environment"] = fields.or("environment", options.default_environment()).into();
        Ok(desk.owned(body))
    }

    async fn doubt(desk: &Desk, fields: &Fields) -> Result<Option<Doubt>, Refused> {
        let none = chosen(desk, fields, "allowed_scopes").await?.is_empty() && fields.all("roles").is_empty();
        let words = "No permission is chosen: its tokens will permit nothing.";
        Ok(none.then(|| Doubt::Warned(words.to_owned())))
    }

    async fn made(desk: &Desk, written: &Written) -> Answer {
        Ok(show_secret::<Self>(desk, &written.body, &written.body["secret"]))
    }

    fn name(doc: &Value) -> String {
        key_of(doc)
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        let own = desk.link(&format!("{}/{}", Self::PATH, text(doc, "id")));
        let mut deeds = vec![Deed::link("Rotate secret", format!("{own}/rotate"))];
        if desk.state.keyward.options().allow_renew {
            deeds.push(Deed::link("Renew", format!("{own}/renew")));
        }
        if desk.caller().may(Action::Create, Kind::Revocation) {
            deeds.push(Deed::link("Revoke tokens", format!("{own}/revoke-tokens")));
        }
        deeds
    }

    fn tabs() -> &'static [(&'static str, &'static str, Kind)] {
        &[("secrets", "Secrets", Kind::Application), ("grants", "Tenants", Kind::Tenant)]
    }

    async fn in_use(desk: &Desk, doc: &Value) -> Result<Option<String>, Refused> {
        lately::<Self>(desk, doc).await
    }

    fn deletion(_doc: &Value) -> String {
        "It gets no more tokens, and those that it has stop. Its ID can't be used again for another one's history.".to_owned()
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        client_detail(desk, doc).await
    }
}

/// What there is to see of a client.
pub(super) async fn client_detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
    let names = desk.names(std::slice::from_ref(doc), &["roles"]).await?;
    let lifetime = match doc["token_lifetime"].as_u64() {
        Some(seconds) => format!("{seconds} seconds"),
        None => format!("{} seconds, as by default", desk.state.keyward.options().token_lifetime),
    };
    let facts = Facts::default()
        .and("Client ID", client_id(doc))
        .and("Identifier", Content::code(text(doc, "id")))
        .and("Environment", Content::words(text(doc, "environment")))
        .and("Expiry date", expiry(doc, desk.now))
        .and(
            "Permissions",
            Content::codes(&texts(doc, "allowed_scopes"), "None: it can obtain tokens that permit nothing"),
        )
        .and("Roles", names.roles(doc))
        .and("Token lifetime", Content::words(lifetime))
        .and("Notes", super::doc::words(doc, "notes", "None"));
    let usage = desk.found(desk.state.keyward.application_usage(&desk.call(), text(doc, "id")).await)?.body;
    Ok(vec![
        Panel::new("client", "API client", vec![facts.into()]).into(),
        evidence::panel(desk, doc, Some(&usage)).await?.into(),
    ])
}

pub(super) fn configure(config: &mut ServiceConfig) {
    let at = |path: &str| both(&format!("{}/{{id}}/{path}", ApiAccess::PATH));
    config
        .service(at("renew").route(web::get().to(ask_renew)).route(web::post().to(renew)))
        .service(at("revoke-tokens").route(web::get().to(ask_revoke)).route(web::post().to(revoke)));
    grants::configure(config);
}

async fn ask_renew(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    let (doc, _) = read::<ApiAccess>(&desk).await?;
    Ok(show_renew(&desk, &doc, &desk.query(), StatusCode::OK, Problems::default()))
}

fn show_renew(
    desk: &Desk,
    doc: &Value,
    now: &Fields,
    status: StatusCode,
    problems: Problems,
) -> HttpResponse {
    let own = desk.link(&format!("{}/{}", ApiAccess::PATH, desk.id()));
    let title = format!("Renew {}", key_of(doc));
    let mut screen = desk.screen(title, &[(ApiAccess::TITLE, desk.link(ApiAccess::PATH))]);
    let parts = vec![expiry_field(desk.state.keyward.options(), now, desk.now)];
    let mut form = desk.form(format!("{own}/renew"));
    form.problems = problems;
    screen.mark = form.mark().into();
    let mut block = FormBlock::new(form, parts, "Renew", own);
    if let Some(Part::Input(input)) = block.parts.first_mut() {
        input.help =
            format!("Now: {}. {}", text(doc, "expires_at").get(..10).unwrap_or_default(), input.help);
    }
    screen.blocks.push(Panel::new("renew", "New expiry date", vec![Block::Form(Box::new(block))]).into());
    let issuer = &desk.state.keyward.options().issuer;
    let body = json!({ "expires_at": in_a_year(desk.now) });
    let path = format!("applications/{}/renew", desk.id());
    screen.blocks.push(Block::Code(CodePanel::request(issuer, "POST", &path, Some(&body))));
    desk.show(status, &screen)
}

async fn renew(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(desk.request.path()).await?;
    let body = json!({ "expires_at": fields.text_or_null("expires_at") });
    match desk.state.keyward.renew(&desk.call(), desk.id(), body, None).await {
        Ok(_) => Ok(desk.on_to(&format!("{}/{}", ApiAccess::PATH, desk.id()))),
        Err(error) => {
            let (doc, _) = read::<ApiAccess>(&desk).await?;
            let parts = [expiry_field(desk.state.keyward.options(), &fields, desk.now)];
            match problems::at_form(&error, &parts) {
                Some((status, problems)) => Ok(show_renew(&desk, &doc, &fields, status, problems)),
                None => Err(desk.refused(&error).into()),
            }
        }
    }
}

async fn ask_revoke(desk: Desk) -> Answer {
    let (doc, _) = read::<ApiAccess>(&desk).await?;
    let mut screen = super::collection::object::<ApiAccess>(&desk, &doc, "").await?;
    screen.blocks.extend(client_detail(&desk, &doc).await?);
    screen.confirmation = Some(crate::Confirmation {
        title: format!("Revoke the tokens of {}?", key_of(&doc)),
        text: "Every token that it has now stops. It can obtain new ones with its secrets.".to_owned(),
        button: "Revoke tokens".to_owned(),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: desk.link(&format!("{}/{}", ApiAccess::PATH, desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn revoke(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let (doc, _) = read::<ApiAccess>(&desk).await?;
    let body = json!({ "client_id": text(&doc, "client_id"), "before": desk.now.to_string() });
    match desk.state.keyward.revoke_tokens(&desk.call(), body).await {
        Ok(_) => Ok(desk.on_to(&format!("{}/{}", ApiAccess::PATH, desk.id()))),
        Err(error) => Err(desk.refused(&error).into()),
    }
}
