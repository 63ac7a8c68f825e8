//! API keys of tenants, with rotation and "who still uses the old one".

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Written};
use keyward_model::{ApiKey, Kind, Owner};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    api_access::{expiry_date, presets},
    both,
    clients::{self, overlaps, verb},
    collection::{Collection, Doubt, object, read},
    desk_at::{Desk, Sent},
    doc::{badge, expiry, is_over, items, moment, number, so_many, text, texts, time},
    fields::Fields,
    parts::{WORKS, environment, status},
    permissions::{chosen, grid, in_words},
    problems,
};
use crate::{
    Confirmation, Moment, Notice, Problems, Severity,
    component::{
        Block, Chart, CodePanel, Content, Deed, Facts, FormBlock, Input, Panel, Part, Piece, Row, RowAction,
        SecretShown, Series, Sign, Table, Takes,
    },
};

pub(super) struct ApiKeys;

/// The actions on a row or a page of a key that works.
fn works(doc: &Value) -> bool {
    !is_over(doc)
}

impl Collection for ApiKeys {
    type Record = ApiKey;
    const PATH: &'static str = "settings/security/api-keys";
    const TITLE: &'static str = "API Keys";
    const ONE: &'static str = "API key";
    const ADD: &'static str = "Add API key";
    const ABOUT: &'static str =
        "A key works for this tenant only. Name it after system and environment, e.g. crm-sync-prod.";
    const COLUMNS: &'static [&'static str] =
        &["Name", "Permissions", "Environment", "Last used", "Expires", "State", "Tenant"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] =
        &[("Active", "status", "active"), ("Disabled", "status", "disabled"), ("Expired", "expired", "true")];
    const STEP_UP: bool = true;

    fn cannot_add(desk: &Desk) -> Option<String> {
        desk.place
            .is_none()
            .then(|| "A key belongs to a tenant: choose one at the top to add a key.".to_owned())
    }

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["tenant_id"]).await?;
        let catalogue = desk.grantable_rows().await?;
        let may = desk.may(Action::Update, Kind::ApiKey);
        let row = |doc: &Value| {
            let own = desk.link(&format!("{}/{}", Self::PATH, text(doc, "id")));
            let name = text(doc, "name");
            let mut last = time(doc, "last_used_at", desk.now, "Never");
            if number(doc, "use_count") > 0 {
                last = last.below(Piece::Words(so_many(number(doc, "use_count"), "time", "times")));
            }
            Row {
                cells: vec![
                    Content::from(Piece::Link(own.clone(), name.to_owned()))
                        .below(Piece::Code(format!("{}…", text(doc, "hint")))),
                    in_words(catalogue, &texts(doc, "permissions")),
                    Content::words(text(doc, "environment")),
                    last,
                    expiry(doc, desk.now),
                    badge(doc),
                    Content::words(names.of(text(doc, "tenant_id"))),
                ],
                actions: if may && works(doc) {
                    vec![
                        RowAction::of(&own, name, Sign::Edit, "Edit", "edit"),
                        RowAction::of(&own, name, Sign::Rotate, "Rotate", "rotate"),
                        RowAction::of(&own, name, Sign::Revoke, "Revoke", "revoke"),
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
        let tester = Piece::Link(desk.link("settings/security/key-tester"), "Test a key or token".to_owned());
        vec![Block::Text(tester.into())]
    }

    async fn parts(desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let name = Input::line("name", "Name", now.get("name")).required();
        let mut parts: Vec<Part> = vec![name.help("For example crm-sync-prod.").into()];
        if editing.is_none() {
            parts.push(environment(&desk.state.keyward.options().environments, now).into());
            let ends = expiry_date(now, desk.now).unwrap_or_default();
            let expires = Input::new("expires_at", "Expiry date", Takes::Line("date"), &ends);
            parts.push(expires.help("Empty means never.").presets(presets(desk.now)).into());
        }
        parts.push(grid(desk, now, "permissions", "This key").await?);
        if editing.is_some() {
            parts.push(status(now, WORKS));
        }
        let ips = Input::new("allowed_ips", "Allowed addresses", Takes::Lines, &now.lines("allowed_ips"));
        let help = "One on each line, for example 10.0.0.0/8. Empty means any.";
        parts.push(Part::Folded("Advanced".to_owned(), vec![ips.help(help).into()]));
        Ok(parts)
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body = json!({
            "name": fields.get("name"),
            "permissions": chosen(desk, fields, "permissions").await?,
            "allowed_ips": fields.entries("allowed_ips"),
        });
        if editing.is_some() {
            body["status"] = fields.or("status", "active").into();
            return Ok(body);
        }
        let ends = expiry_date(fields, desk.now).filter(|date| !date.is_empty());
        body["expires_at"] = ends.map_or(Value::Null, Value::from);
        body["environment"] = fields.text_or_null("environment");
        if let Owner::Tenant(id) = desk.owner() {
            body["tenant_id"] = id.to_string().into();
        }
        Ok(body)
    }

    async fn made(desk: &Desk, written: &Written) -> Answer {
        Ok(show_key(desk, &written.body))
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        if !works(doc) {
            return Vec::new();
        }
        let own = desk.link(&format!("{}/{}", Self::PATH, text(doc, "id")));
        vec![Deed::link("Rotate", format!("{own}/rotate")), Deed::link("Revoke", format!("{own}/revoke"))]
    }

    async fn in_use(desk: &Desk, doc: &Value) -> Result<Option<String>, Refused> {
        Ok(used_lately(doc, desk))
    }

    fn deletion(_doc: &Value) -> String {
        "It stops at once, for good.".to_owned()
    }

    fn editable(doc: &Value) -> bool {
        text(doc, "state") != "revoked"
    }

    async fn doubt(desk: &Desk, fields: &Fields) -> Result<Option<Doubt>, Refused> {
        if chosen(desk, fields, "permissions").await?.is_empty() {
            let words = "Choose at least one permission: a key without any permits nothing.";
            return Ok(Some(Doubt::Refused(words.to_owned())));
        }
        let name = fields.get("name");
        let mut pairs = vec![("q".to_owned(), name.to_owned()), ("per_page".to_owned(), "100".to_owned())];
        pairs.extend(desk.place.as_ref().map(|place| ("tenant_id".to_owned(), place.id.clone())));
        let same = desk.found(desk.state.keyward.list::<ApiKey>(&desk.call(), &pairs).await)?;
        let warned = || Doubt::Warned(format!("There is a key called {name} already."));
        let is_there = same.data.iter().any(|doc| text(doc, "name") == name && works(doc));
        Ok((!name.is_empty() && is_there).then(warned))
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let mut blocks = Vec::new();
        if !doc["predecessor_id"].is_null() && works(doc) {
            blocks.extend(predecessor(desk, doc).await?);
        }
        let retires = doc["retire_after_quiet_hours"].as_u64();
        let facts = Facts::default()
            .and("Key", Content::code(format!("{}…", text(doc, "hint"))))
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Environment", Content::words(text(doc, "environment")))
            .and("Permissions", Content::codes(&texts(doc, "permissions"), "None"))
            .and("Allowed addresses", Content::codes(&texts(doc, "allowed_ips"), "Any"))
            .and("Expires", expiry(doc, desk.now))
            .and_maybe(
                "Retires",
                retires.map(|hours| Content::words(format!("by itself after {hours} hours without use"))),
            )
            .and("Added", time(doc, "created_at", desk.now, "–"));
        blocks.push(Panel::new("key", "API key", vec![facts.into()]).into());
        let usage = desk.found(desk.state.keyward.api_key_usage(&desk.call(), text(doc, "id")).await)?.body;
        blocks.push(callers("use", "Evidence of use", items(&usage, "callers"), desk).into());
        blocks.push(Block::Chart(by_day(&usage)));
        Ok(blocks)
    }
}

fn by_day(usage: &Value) -> Chart {
    let days = items(usage, "days");
    let days = &days[days.len().saturating_sub(30)..];
    Chart {
        id: "uses-by-day",
        title: "Uses per day".to_owned(),
        summary: format!("{} altogether.", so_many(number(usage, "use_count"), "use", "uses")),
        labels: days.iter().map(|day| text(day, "date").to_owned()).collect(),
        series: vec![Series {
            name: "Uses".to_owned(),
            numbers: days.iter().map(|day| number(day, "count")).collect(),
        }],
    }
}

/// Who used a key.
fn callers(id: &'static str, title: &str, callers: &[Value], desk: &Desk) -> Panel {
    let row = |caller: &Value| Row {
        cells: vec![
            Content::code(text(caller, "address")),
            Content::words(number(caller, "count").to_string()),
            time(caller, "first_used_at", desk.now, "–"),
            time(caller, "last_used_at", desk.now, "–"),
        ],
        ..Row::default()
    };
    let table = Table {
        caption: title.to_owned(),
        columns: vec!["Address", "Times", "First", "Last"],
        rows: callers.iter().map(row).collect(),
        empty: "Nobody used it.".to_owned(),
    };
    Panel::new(id, title, vec![Block::Table(table)])
}

/// Who still uses the key before this one.
async fn predecessor(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
    let found = desk.state.keyward.predecessor_callers(&desk.call(), text(doc, "id")).await;
    let found = desk.found(found)?.body;
    let (still, total) = (items(&found, "still"), number(&found, "total"));
    let old = desk.link(&format!("{}/{}", ApiKeys::PATH, text(doc, "predecessor_id")));
    if still.is_empty() {
        let notice = Notice::new(Severity::Success, "Nobody still uses it. It can be revoked.")
            .titled("The old key is unused.");
        let link = Piece::Link(old, "Look at the old key".to_owned());
        return Ok(vec![Block::Notice(notice), Block::Text(link.into())]);
    }
    let of = so_many(total, "caller", "callers");
    let words = format!("{} of {of} still {} the old key", still.len(), verb(still.len()));
    let mut panel = callers("still", &words, still, desk);
    panel.deeds.push(Deed::link("Look at the old key", old));
    Ok(vec![panel.into()])
}

fn used_lately(doc: &Value, desk: &Desk) -> Option<String> {
    let at = moment(doc, "last_used_at").filter(|at| at.plus_seconds(86_400) >= desk.now)?;
    let address = items(doc, "callers").first().map(|caller| format!(" from {}", text(caller, "address")));
    Some(format!("It was used {}{}.", Moment::new(at, desk.now).relative, address.unwrap_or_default()))
}

/// The page that shows a key once.
fn show_key(desk: &Desk, doc: &Value) -> HttpResponse {
    let own = format!("{}/{}", ApiKeys::PATH, text(doc, "id"));
    let name = text(doc, "name");
    let mut screen = desk.screen(format!("Key {name}"), &[(ApiKeys::TITLE, desk.link(ApiKeys::PATH))]);
    let value = text(doc, "value");
    if value.is_empty() {
        let words = "It was shown once, when it was made. If you have not stored it, rotate it.";
        screen.blocks.push(Block::Notice(Notice::new(Severity::Warning, words).titled("Already shown.")));
        screen.primary = Some(("Rotate".to_owned(), desk.link(&format!("{own}/rotate"))));
        return desk.show(StatusCode::OK, &screen);
    }
    let mut block = SecretShown::of_key(&desk.state.keyward.options().issuer, name, value);
    block.first_use = desk.link(&format!("{own}/first-use"));
    block.done = desk.link(&own);
    screen.blocks.push(Block::Secret(Box::new(block)));
    desk.show(StatusCode::OK, &screen)
}

pub(super) fn configure(config: &mut ServiceConfig) {
    let at = |path: &str| both(&format!("{}/{{id}}/{path}", ApiKeys::PATH));
    config
        .service(at("first-use").route(web::get().to(first_use)))
        .service(at("rotate").route(web::get().to(ask_rotate)).route(web::post().to(rotate)))
        .service(at("revoke").route(web::get().to(ask_revoke)).route(web::post().to(revoke)));
}

async fn first_use(desk: Desk) -> Answer {
    let (doc, _) = read::<ApiKeys>(&desk).await?;
    let address = items(&doc, "callers").first().map(|caller| text(caller, "address"));
    let used = moment(&doc, "last_used_at").map(|at| (at, address.unwrap_or_default()));
    let crumbs = [(ApiKeys::TITLE, desk.link(ApiKeys::PATH))];
    Ok(clients::show_first_use(
        &desk,
        used,
        "It was used.",
        &crumbs,
        &format!("{}/{}", ApiKeys::PATH, desk.id()),
    ))
}

async fn ask_rotate(desk: Desk) -> Answer {
    desk.fresh(desk.request.path()).await?;
    let (doc, _) = read::<ApiKeys>(&desk).await?;
    Ok(show_rotate(&desk, &doc, &Fields::default(), StatusCode::OK, Problems::default()))
}

fn quiet(now: &Fields) -> Part {
    let input = Input::new(
        "quiet",
        "Retire the old key by itself after so many hours without use",
        Takes::Line("number"),
        now.get("quiet"),
    );
    input.help("Empty means that somebody revokes it.").into()
}

fn show_rotate(
    desk: &Desk,
    doc: &Value,
    now: &Fields,
    status: StatusCode,
    problems: Problems,
) -> HttpResponse {
    let own = desk.link(&format!("{}/{}", ApiKeys::PATH, desk.id()));
    let name = text(doc, "name");
    let crumbs = [(ApiKeys::TITLE, desk.link(ApiKeys::PATH)), (name, own.clone())];
    let mut screen = desk.screen(format!("Rotate {name}"), &crumbs);
    let mut form = desk.form(format!("{own}/rotate"));
    form.problems = problems;
    screen.mark = form.mark().into();
    let block = FormBlock::new(form, vec![overlaps(now), quiet(now)], "Rotate", own);
    let panel = Panel::new("rotate", "New key", vec![Block::Form(Box::new(block))]);
    screen.blocks.push(panel.help("It permits what the old one permits. You will see it once.").into());
    let issuer = &desk.state.keyward.options().issuer;
    let path = format!("api-keys/{}/rotate", desk.id());
    let body = json!({ "overlap_seconds": 86_400 });
    screen.blocks.push(Block::Code(CodePanel::request(issuer, "POST", &path, Some(&body))));
    desk.show(status, &screen)
}

async fn rotate(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(desk.request.path()).await?;
    let body = json!({
        "overlap_seconds": fields.number_or_null("overlap"),
        "retire_after_quiet_hours": fields.number_or_null("quiet"),
    });
    match desk.state.keyward.rotate_api_key(&desk.call_once(&fields), desk.id(), body, None).await {
        Ok(written) => Ok(show_key(&desk, &written.body)),
        Err(error) => {
            let (doc, _) = read::<ApiKeys>(&desk).await?;
            match problems::at_form(&error, &[quiet(&fields)]) {
                Some((status, problems)) => Ok(show_rotate(&desk, &doc, &fields, status, problems)),
                None => Err(desk.refused(&error).into()),
            }
        }
    }
}

async fn ask_revoke(desk: Desk) -> Answer {
    let (doc, _) = read::<ApiKeys>(&desk).await?;
    let name = text(&doc, "name");
    let mut screen = object::<ApiKeys>(&desk, &doc, "").await?;
    screen.blocks.extend(ApiKeys::detail(&desk, &doc).await?);
    let lately =
        used_lately(&doc, &desk).unwrap_or_else(|| "It was not used in the last 24 hours.".to_owned());
    screen.confirmation = Some(Confirmation {
        title: format!("Revoke {name}?"),
        text: format!("{lately} It stops at once, for good."),
        button: format!("Revoke {name}"),
        typed: None,
        form: desk.form(desk.request.path()),
        cancel: desk.link(&format!("{}/{}", ApiKeys::PATH, desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn revoke(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    desk.found(desk.state.keyward.revoke_api_key(&desk.call(), desk.id(), None).await)?;
    Ok(desk.on_to(&format!("{}/{}", ApiKeys::PATH, desk.id())))
}
