//! MCP agents: identities of AI agents.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::{Action, Written};
use keyward_model::{Agent, AnyId, Kind, User};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    both,
    clients::{lately, show_secret},
    collection::{Collection, object, of_no_partner, read},
    desk_at::{Desk, Sent},
    doc::{badge, is_over, text, texts},
    evidence::{self, last_use},
    fields::Fields,
    parts::{WORKS, status},
    permissions::{chosen, grid},
};
use crate::component::{Block, Content, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Sign, Takes};

pub(super) struct Agents;

impl Collection for Agents {
    type Record = Agent;
    const PATH: &'static str = "agents";
    const TITLE: &'static str = "MCP agents";
    const ONE: &'static str = "agent";
    const ADD: &'static str = "Add agent";
    const ABOUT: &'static str = "An identity for an AI agent, with a tool list and a speed limit.";
    const COLUMNS: &'static [&'static str] =
        &["Name", "Owner", "Tools", "Per minute", "Last used", "Tenant", "Status"];
    const STEP_UP: bool = true;

    fn cannot_add(desk: &Desk) -> Option<String> {
        of_no_partner(desk)
    }

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["owner_id", "tenant_id"]).await?;
        let ids: Vec<AnyId> = docs.iter().filter_map(|doc| text(doc, "id").parse().ok()).collect();
        let uses = desk.found(desk.state.keyward.holders_use(&desk.call(), &ids).await)?;
        let may = desk.may(Action::Update, Kind::Agent);
        let row = |doc: &Value| {
            let own = desk.link(&format!("agents/{}", text(doc, "id")));
            let name = text(doc, "name");
            let tools = texts(doc, "allowed_tools");
            Row {
                cells: vec![
                    Piece::Link(own.clone(), name.to_owned()).into(),
                    match text(doc, "owner_id") {
                        "" => Piece::Muted("–".to_owned()).into(),
                        id => Content::words(names.of(id)),
                    },
                    Content::codes(&tools, "None"),
                    doc["rate_limit_rpm"].as_u64().map_or_else(
                        || Piece::Muted("No limit".to_owned()).into(),
                        |rpm| Content::words(rpm.to_string()),
                    ),
                    last_use(text(doc, "id").parse().ok().and_then(|id: AnyId| uses.get(&id)), desk.now),
                    names.owner(doc),
                    badge(doc),
                ],
                actions: if may {
                    vec![
                        RowAction::of(&own, name, Sign::Edit, "Edit", "edit"),
                        RowAction::of(&own, name, Sign::Rotate, "Rotate secret of", "rotate"),
                        RowAction::of(&own, name, Sign::Delete, "Delete", "delete"),
                    ]
                } else {
                    Vec::new()
                },
                over: is_over(doc),
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    fn given(doc: &Value) -> Fields {
        let mut fields = Fields::of(doc);
        fields.set("owner", vec![text(doc, "owner_id").to_owned()]);
        fields
    }

    async fn parts(desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let owner = Input::new("owner", "Owner", Takes::Line("text"), now.get("owner"));
        let tools = Input::new("allowed_tools", "Allowed tools", Takes::Lines, &now.lines("allowed_tools"));
        let rate = Input::new(
            "rate_limit_rpm",
            "Requests per minute at most",
            Takes::Line("number"),
            now.get("rate_limit_rpm"),
        );
        let mut parts: Vec<Part> = vec![
            Input::line("name", "Name", now.get("name")).required().into(),
            owner.help("The e-mail or identifier of a user: who answers for it.").into(),
            tools.help("One on each line. A tool that is not here is refused.").into(),
            rate.help("Empty means no limit of its own.").into(),
            grid(desk, now, "allowed_scopes", "This agent").await?,
        ];
        if editing.is_some() {
            parts.push(status(now, WORKS));
        }
        Ok(parts)
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body = json!({
            "name": fields.get("name"),
            "owner_id": owner_id(desk, fields.get("owner")).await?,
            "allowed_tools": fields.entries("allowed_tools"),
            "rate_limit_rpm": fields.number_or_null("rate_limit_rpm"),
            "allowed_scopes": chosen(desk, fields, "allowed_scopes").await?,
        });
        if editing.is_none() {
            return Ok(desk.owned(body));
        }
        body["status"] = fields.or("status", "active").into();
        Ok(body)
    }

    async fn made(desk: &Desk, written: &Written) -> Answer {
        Ok(show_secret::<Self>(desk, &written.body, &written.body["secret"]))
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        let own = desk.link(&format!("agents/{}", text(doc, "id")));
        let pause = if is_over(doc) { "Resume" } else { "Pause" };
        vec![Deed::link("Rotate secret", format!("{own}/rotate")), Deed::link(pause, format!("{own}/pause"))]
    }

    fn tabs() -> &'static [(&'static str, &'static str, Kind)] {
        &[("secrets", "Secrets", Kind::Agent)]
    }

    async fn in_use(desk: &Desk, doc: &Value) -> Result<Option<String>, Refused> {
        lately::<Self>(desk, doc).await
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let names = desk.names(std::slice::from_ref(doc), &["owner_id"]).await?;
        let facts = Facts::default()
            .and("Client ID", Content::code(text(doc, "client_id")))
            .and(
                "Owner",
                match text(doc, "owner_id") {
                    "" => Piece::Muted("None".to_owned()),
                    id => Piece::Link(desk.link(&format!("users/{id}")), names.of(id)),
                },
            )
            .and("Allowed tools", Content::codes(&texts(doc, "allowed_tools"), "None"))
            .and("Permissions", Content::codes(&texts(doc, "allowed_scopes"), "None"))
            .and(
                "Requests per minute",
                doc["rate_limit_rpm"].as_u64().map_or_else(
                    || Piece::Muted("No limit".to_owned()).into(),
                    |rpm| Content::words(rpm.to_string()),
                ),
            );
        Ok(vec![
            Panel::new("agent", "Agent", vec![facts.into()]).into(),
            evidence::panel(desk, doc, None).await?.into(),
        ])
    }
}

/// The identifier of a user that is named by it, or by an address. What names nobody goes as it is, to be refused.
async fn owner_id(desk: &Desk, named: &str) -> Result<Value, Refused> {
    if named.is_empty() {
        return Ok(Value::Null);
    }
    if !named.contains('@') {
        return Ok(named.into());
    }
    let pairs = [("email".to_owned(), named.to_owned())];
    let found = desk.found(desk.state.keyward.list::<User>(&desk.call(), &pairs).await)?;
    Ok(found.data.first().map_or_else(|| named.into(), |doc| doc["id"].clone()))
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(both("agents/{id}/pause").route(web::get().to(ask_pause)).route(web::post().to(pause)));
}

async fn ask_pause(desk: Desk) -> Answer {
    let (doc, _) = read::<Agents>(&desk).await?;
    let name = text(&doc, "name");
    let mut screen = object::<Agents>(&desk, &doc, "").await?;
    screen.blocks.extend(Agents::detail(&desk, &doc).await?);
    let (word, text) = if is_over(&doc) {
        ("Resume", "It can obtain tokens again with its secrets.")
    } else {
        ("Pause", "It gets no more tokens, and those that it has stop, until somebody resumes it.")
    };
    let mut form = desk.form(desk.request.path());
    form.keep.push(("to".to_owned(), if is_over(&doc) { "active" } else { "disabled" }.to_owned()));
    screen.confirmation = Some(crate::Confirmation {
        title: format!("{word} {name}?"),
        text: text.to_owned(),
        button: format!("{word} {name}"),
        typed: None,
        form,
        cancel: desk.link(&format!("agents/{}", desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn pause(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    // What was confirmed is done, however it stands by now. Pausing may be urgent; resuming gives back what was taken.
    let status = if fields.get("to") == "disabled" { "disabled" } else { "active" };
    if status == "active" {
        desk.fresh(desk.request.path()).await?;
    }
    let body = json!({ "status": status });
    desk.found(desk.state.keyward.update::<Agent>(&desk.call(), desk.id(), body, None).await)?;
    Ok(desk.on_to(&format!("agents/{}", desk.id())))
}
