//! Applications that people sign in with: web, single-page and native.

use keyward_core::{Action, Written};
use keyward_model::{Application, Kind};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused, see_other},
    api_access::{ApiAccess, client_id, expiry_field},
    clients::{lately, show_secret},
    collection::Collection,
    desk_at::Desk,
    doc::{badge, expiry, is_over, text, texts},
    fields::Fields,
    happening::{Outcomes, by_day},
    parts::{WORKS, environment, key_of, status},
    permissions::{chosen, grid},
};
use crate::component::{
    Block, Content, CopyField, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Takes,
};

pub(super) struct Applications;

const SIGN_INS: Outcomes = Outcomes {
    id: "sign-ins-by-day",
    title: "Sign-ins to it per day",
    series: &[("Let in", "authorization.granted"), ("Refused", "authorization.denied")],
};

/// What the types of applications are called.
pub(super) fn type_name(kind: &str) -> &'static str {
    match kind {
        "service" => "API client",
        "web" => "Web application",
        "spa" => "Single-page application",
        _ => "Native application",
    }
}

impl Collection for Applications {
    type Record = Application;
    const PATH: &'static str = "applications";
    const TITLE: &'static str = "Applications";
    const ONE: &'static str = "application";
    const ADD: &'static str = "Add application";
    const ABOUT: &'static str =
        "An application is what people sign in to, or what calls your APIs by itself.";
    const COLUMNS: &'static [&'static str] =
        &["Name", "Type", "Redirect URIs", "Expiry date", "State", "Tenant"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] = &[
        ("Web", "type", "web"),
        ("Single-page", "type", "spa"),
        ("Native", "type", "native"),
        ("API clients", "type", "service"),
    ];
    const STEP_UP: bool = true;

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["tenant_id", "partner_id"]).await?;
        let may = desk.may(Action::Update, Kind::Application);
        let row = |doc: &Value| {
            let path = if text(doc, "type") == "service" { ApiAccess::PATH } else { Self::PATH };
            let own = desk.link(&format!("{path}/{}", text(doc, "id")));
            let name = text(doc, "name");
            let uris = texts(doc, "redirect_uris");
            Row {
                cells: vec![
                    Content::from(Piece::Link(own.clone(), name.to_owned())).below(Piece::Code(key_of(doc))),
                    Content::words(type_name(text(doc, "type"))),
                    match uris.as_slice() {
                        [] => Piece::Muted("–".to_owned()).into(),
                        [only] => Content::code(only.clone()),
                        [first, more @ ..] => Content::code(first.clone())
                            .below(Piece::Words(format!("and {} more", more.len()))),
                    },
                    expiry(doc, desk.now),
                    badge(doc),
                    names.owner(doc),
                ],
                actions: if may { RowAction::edit_and_delete(&own, name) } else { Vec::new() },
                over: is_over(doc),
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    async fn parts(desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let options = desk.state.keyward.options();
        let mut parts: Vec<Part> = vec![Input::line("name", "Name", now.get("name")).required().into()];
        if editing.is_none() {
            let types = ["web", "spa", "native"].map(|kind| (kind.to_owned(), type_name(kind).to_owned()));
            let help = "Only a web application, which runs on a server, can keep a secret. It can't be changed later.";
            parts.push(
                Input::new("type", "Type", Takes::One(types.to_vec()), now.or("type", "web"))
                    .help(help)
                    .into(),
            );
            let prefix = desk.place.as_ref().map(|place| format!("{}.", place.slug)).unwrap_or_default();
            let id = Input::new("client_id", "Client ID", Takes::Code, now.get("client_id"))
                .required()
                .prefix(prefix);
            parts.push(id.help("Small letters, digits and hyphens. It can't be changed later.").into());
            parts.push(expiry_field(options, now, desk.now));
            parts.push(environment(&options.environments, now).into());
        }
        let uris = Input::new("redirect_uris", "Redirect URIs", Takes::Lines, &now.lines("redirect_uris"));
        parts.push(uris.help("One on each line. They are compared letter by letter.").into());
        let origins =
            Input::new("allowed_origins", "Allowed origins", Takes::Lines, &now.lines("allowed_origins"));
        parts.push(
            origins
                .help("From where browsers may call the token endpoint, for example https://app.example.com")
                .into(),
        );
        parts.push(Input::new("notes", "Notes", Takes::Lines, now.get("notes")).into());
        parts.push(grid(desk, now, "allowed_scopes", "People with this application").await?);
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
        let exchange = Input::new(
            "token_exchange_allowed",
            "Token exchange is allowed",
            Takes::Yes,
            now.get("token_exchange_allowed"),
        );
        parts.push(Part::Folded("Advanced".to_owned(), vec![lifetime.help(help).into(), exchange.into()]));
        Ok(parts)
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body = json!({
            "name": fields.get("name"),
            "notes": fields.text_or_null("notes"),
            "redirect_uris": fields.entries("redirect_uris"),
            "allowed_origins": fields.entries("allowed_origins"),
            "allowed_scopes": chosen(desk, fields, "allowed_scopes").await?,
            "token_lifetime": fields.number_or_null("token_lifetime"),
            "token_exchange_allowed": fields.is("token_exchange_allowed"),
        });
        if editing.is_some() {
            body["status"] = fields.or("status", "active").into();
            return Ok(body);
        }
        body["type"] = fields.or("type", "web").into();
        body["client_id"] = fields.get("client_id").into();
        for name in ["expires_at", "environment"] {
            if fields.given(name).is_some() {
                body[name] = fields.text_or_null(name);
            }
        }
        Ok(desk.owned(body))
    }

    async fn made(desk: &Desk, written: &Written) -> Answer {
        if written.body["secret"].is_object() {
            return Ok(show_secret::<Self>(desk, &written.body, &written.body["secret"]));
        }
        Ok(see_other(&desk.link(&format!("{}/{}", Self::PATH, written.id))))
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        if text(doc, "type") != "web" {
            return Vec::new();
        }
        vec![Deed::link("Rotate secret", desk.link(&format!("{}/{}/rotate", Self::PATH, text(doc, "id"))))]
    }

    fn tabs() -> &'static [(&'static str, &'static str, Kind)] {
        &[("secrets", "Secrets", Kind::Application)]
    }

    async fn in_use(desk: &Desk, doc: &Value) -> Result<Option<String>, Refused> {
        lately::<Self>(desk, doc).await
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let issuer = &desk.state.keyward.options().issuer;
        let facts = Facts::default()
            .and("Client ID", client_id(doc))
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Type", Content::words(type_name(text(doc, "type"))))
            .and("Environment", Content::words(text(doc, "environment")))
            .and("Expiry date", expiry(doc, desk.now))
            .and("Redirect URIs", Content::codes(&texts(doc, "redirect_uris"), "None"))
            .and("Allowed origins", Content::codes(&texts(doc, "allowed_origins"), "None"))
            .and("Permissions", Content::codes(&texts(doc, "allowed_scopes"), "None"))
            .and(
                "Token exchange",
                Content::words(if doc["token_exchange_allowed"] == true { "Allowed" } else { "Not allowed" }),
            )
            .and("Notes", super::doc::words(doc, "notes", "None"));
        let discovery = format!("{issuer}/.well-known/openid-configuration");
        let copies = vec![
            Block::Copy(CopyField::new("issuer", "Issuer", issuer.clone())),
            Block::Copy(CopyField::new("discovery", "Discovery document", discovery)),
        ];
        let connect = Panel::new("connect", "Connecting it", copies);
        let help = "Any OpenID Connect library: the authorization code flow with PKCE (S256).";
        let mut blocks = vec![
            Panel::new("application", "Application", vec![facts.into()]).into(),
            connect.help(help).into(),
        ];
        blocks.extend(by_day(desk, &SIGN_INS, Some(text(doc, "id"))).await);
        Ok(blocks)
    }
}
