//! Identity providers, by which people sign in elsewhere.

use std::collections::BTreeMap;

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::{AnyId, IdentityProvider, Kind, Timestamp};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused},
    both,
    collection::{Collection, object, read},
    desk_at::{Desk, Sent, query},
    doc::{badge, is_over, items, text, texts, time},
    events::NEWEST,
    fields::Fields,
    parts::{WORKS, replacing, status},
    writing,
};
use crate::{
    Moment,
    component::{
        Block, Content, CopyField, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Takes, Verdicts,
    },
    page::{TestStep, Verdict},
};

pub(super) struct Providers;

/// The providers that are known by name: what they are called, and how their issuer looks.
pub(super) const PRESETS: [(&str, &str, &str); 5] = [
    ("generic", "Another provider", "For example https://login.example.com"),
    (
        "entra",
        "Microsoft Entra ID",
        "https://login.microsoftonline.com/ followed by the directory ID and /v2.0",
    ),
    (
        "okta",
        "Okta",
        "For example https://acme.okta.com, or with /oauth2/ and the name of an authorization server",
    ),
    ("google", "Google", "https://accounts.google.com"),
    ("ping", "Ping", "https://auth.pingone.com/ followed by the environment ID and /as"),
];

/// Members of a configuration that are a line each.
const LINES: [&str; 8] =
    ["preset", "issuer", "client_id", "entity_id", "sso_url", "certificate", "metadata", "create_users"];

fn kind(fields: &Fields, editing: Option<&Value>) -> String {
    editing.map_or_else(|| fields.or("kind", "oidc").to_owned(), |doc| text(doc, "kind").to_owned())
}

/// What a kind of providers speaks.
pub(in crate::web) fn protocol(kind: &str) -> &'static str {
    if kind == "saml" { "SAML 2.0" } else { "OpenID Connect" }
}

/// The member that says which roles people get.
fn roles_member(kind: &str) -> &'static str {
    if kind == "saml" { "attribute_roles" } else { "claim_roles" }
}

impl Collection for Providers {
    type Record = IdentityProvider;
    const PATH: &'static str = "settings/identity-providers";
    const TITLE: &'static str = "Identity providers";
    const ONE: &'static str = "identity provider";
    const ADD: &'static str = "Add identity provider";
    const ABOUT: &'static str = "Let staff use your company sign-in.";
    const COLUMNS: &'static [&'static str] =
        &["Name", "Protocol", "Domains", "Last sign-in", "Status", "Tenant"];
    const STEP_UP: bool = true;
    const STEP_UP_TO_DELETE: bool = true;

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["tenant_id", "partner_id"]).await?;
        let last = last_sign_ins(desk, docs).await?;
        let may = desk.may(Action::Update, Kind::IdentityProvider);
        let row = |doc: &Value| {
            let own = desk.link(&format!("{}/{}", Self::PATH, text(doc, "id")));
            let name = text(doc, "name");
            Row {
                cells: vec![
                    Piece::Link(own.clone(), name.to_owned()).into(),
                    Content::words(protocol(text(doc, "kind"))),
                    Content::codes(&texts(&doc["config"], "email_domains"), "Any"),
                    last_sign_in(desk, last.as_ref(), doc),
                    badge(doc),
                    names.owner(doc),
                ],
                actions: if may { RowAction::edit_and_delete(&own, name) } else { Vec::new() },
                over: is_over(doc),
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    fn given(doc: &Value) -> Fields {
        let mut fields = Fields::of(doc);
        let config = &doc["config"];
        for name in LINES {
            let value = config[name].as_str().map_or_else(|| config[name].to_string(), str::to_owned);
            if !config[name].is_null() {
                fields.set(&format!("config.{name}"), vec![value]);
            }
        }
        for name in ["email_domains", "scopes"] {
            fields.set(&format!("config.{name}"), texts(config, name));
        }
        let roles = roles_member(text(doc, "kind"));
        if config[roles].is_object() {
            fields.set("config.roles", vec![config[roles].to_string()]);
        }
        fields
    }

    async fn parts(_desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let kind = kind(now, editing);
        let line = |name: &str, label: &str| {
            Input::line(&format!("config.{name}"), label, now.get(&format!("config.{name}")))
        };
        let mut parts: Vec<Part> = vec![Input::line("name", "Name", now.get("name")).required().into()];
        if editing.is_none() {
            parts.push(Part::Hidden("kind".to_owned(), kind.clone()));
        } else {
            parts.push(status(now, WORKS));
        }
        let domains = Input::new(
            "config.email_domains",
            "E-mail domains",
            Takes::Lines,
            &now.lines("config.email_domains"),
        );
        parts.push(domains.help("Whose address ends so is sent there. One on each line.").into());
        if kind == "saml" {
            parts.extend(saml(now, &line));
        } else {
            parts.extend(oidc(now, &line, editing.is_some()));
        }
        let create = Input::new(
            "config.create_users",
            "Make an account at the first sign-in",
            Takes::Yes,
            now.get("config.create_users"),
        );
        parts.push(create.into());
        let input = Input::new("config.roles", "Roles from claims", Takes::Lines, now.get("config.roles"));
        let help = r#"By claim and value, as JSON: {"groups": {"operators": ["rol_…"]}}"#;
        parts.push(Part::Folded("Advanced".to_owned(), vec![input.help(help).into()]));
        Ok(parts)
    }

    async fn body(desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let kind = kind(fields, editing);
        let names: &[&str] = if kind == "saml" {
            &["entity_id", "sso_url", "certificate", "metadata"]
        } else {
            &["preset", "issuer", "client_id"]
        };
        let mut config = json!({ "create_users": fields.is("config.create_users") });
        for name in names {
            config[*name] = fields.text_or_null(&format!("config.{name}"));
        }
        let list = |name: &str| {
            let entries = fields.entries(&format!("config.{name}"));
            if entries.is_empty() { Value::Null } else { json!(entries) }
        };
        config["email_domains"] = list("email_domains");
        if kind == "oidc" {
            config["scopes"] = list("scopes");
            if !fields.get("config.client_secret").is_empty() {
                config["client_secret"] = fields.get("config.client_secret").into();
            }
        }
        let roles = roles_member(&kind);
        let mapping = match fields.get("config.roles") {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        config[roles] =
            editing.map_or_else(|| mapping.clone(), |doc| replacing(&doc["config"][roles], mapping.clone()));
        if editing.is_none()
            && let Some(members) = config.as_object_mut()
        {
            members.retain(|_, value| !value.is_null());
        }
        let mut body = json!({ "name": fields.get("name"), "config": config });
        if editing.is_some() {
            body["status"] = fields.or("status", "active").into();
            return Ok(body);
        }
        body["kind"] = kind.into();
        Ok(desk.owned(body))
    }

    fn deletion(_doc: &Value) -> String {
        "Nobody can sign in with it any more, and sessions that it opened end.".to_owned()
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        let id = text(doc, "id");
        let check = desk.link(&format!("{}/{id}/check", Self::PATH));
        vec![
            Deed::button("Check configuration", check, desk.signed_in.form_token()),
            Deed::link("Test sign-in", crate::paths::PROVIDER_TEST.replace("{id}", id)),
        ]
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let (config, id) = (&doc["config"], text(doc, "id"));
        let mut facts = Facts::default()
            .and("Protocol", Content::words(protocol(text(doc, "kind"))))
            .and("Identifier", Content::code(id))
            .and("E-mail domains", Content::codes(&texts(config, "email_domains"), "Any"));
        for (name, label) in [
            ("issuer", "Issuer"),
            ("client_id", "Client ID"),
            ("entity_id", "Entity ID"),
            ("sso_url", "Sign-in address"),
        ] {
            facts = facts.and_maybe(label, config[name].as_str().map(Content::code));
        }
        if text(doc, "kind") == "oidc" {
            facts = facts
                .and("Client secret", Content::words(if doc["has_secret"] == true { "Set" } else { "None" }));
        }
        let makes = if config["create_users"] == true {
            "Made at the first sign-in"
        } else {
            "Only those that there are"
        };
        let last = last_sign_ins(desk, std::slice::from_ref(doc)).await?;
        facts = facts
            .and("Accounts", Content::words(makes))
            .and("Last sign-in", last_sign_in(desk, last.as_ref(), doc))
            .and_maybe("Last failure", last_failure(desk, id).await?);
        let issuer = &desk.state.keyward.options().issuer;
        let callback = format!("{issuer}{}", crate::paths::CALLBACK.replace("{id}", id));
        let mut copies = vec![Block::Copy(CopyField::new("callback", "Redirect URI", callback))];
        if text(doc, "kind") == "saml" {
            let metadata = format!("{issuer}{}", crate::paths::SAML_METADATA.replace("{id}", id));
            copies.push(Block::Copy(CopyField::new("metadata", "Metadata of this server", metadata)));
        }
        Ok(vec![
            Panel::new("provider", "Identity provider", vec![facts.into()]).into(),
            Panel::new("there", "To be entered there", copies).into(),
        ])
    }
}

/// When somebody last signed in by each provider; none where sessions may not be seen.
async fn last_sign_ins(desk: &Desk, docs: &[Value]) -> Result<Option<BTreeMap<AnyId, Timestamp>>, Refused> {
    if !desk.caller().may(Action::List, Kind::Session) {
        return Ok(None);
    }
    let ids: Vec<AnyId> = docs.iter().filter_map(|doc| text(doc, "id").parse().ok()).collect();
    desk.found(desk.state.keyward.last_sign_ins_by(&desk.call(), &ids).await).map(Some)
}

fn last_sign_in(desk: &Desk, last: Option<&BTreeMap<AnyId, Timestamp>>, doc: &Value) -> Content {
    let Some(last) = last else { return Piece::Muted("–".to_owned()).into() };
    let at = text(doc, "id").parse::<AnyId>().ok().and_then(|id| last.get(&id));
    at.map_or_else(
        || Piece::Muted("None".to_owned()).into(),
        |at| Piece::Time(Moment::new(*at, desk.now)).into(),
    )
}

/// When a sign-in by a provider last failed, and why; none where it never did, or where the log may not be seen.
async fn last_failure(desk: &Desk, id: &str) -> Result<Option<Content>, Refused> {
    if !desk.caller().may(Action::List, Kind::Event) {
        return Ok(None);
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let pairs = [
        pair("resource", id),
        pair("action", "sign_in.failed"),
        pair("cursor", NEWEST),
        pair("per_page", "1"),
    ];
    let found = desk.found(desk.state.keyward.events(&desk.call(), &pairs).await)?;
    Ok(found.data.first().map(|event| {
        let reason = text(event, "reason").replace('_', " ");
        time(event, "occurred_at", desk.now, "–").below(Piece::Words(reason))
    }))
}

fn oidc(now: &Fields, line: &dyn Fn(&str, &str) -> Input, has_secret: bool) -> Vec<Part> {
    let presets = PRESETS.map(|(value, words, _)| (value.to_owned(), words.to_owned())).to_vec();
    let preset = now.or("config.preset", "generic");
    let looks = PRESETS.iter().find(|(value, ..)| *value == preset).map_or("", |(_, _, looks)| looks);
    let mut issuer = line("issuer", "Issuer");
    if issuer.value.is_empty() && preset == "google" {
        looks.clone_into(&mut issuer.value);
    }
    let secret = Input::new("config.client_secret", "Client secret", Takes::Line("password"), "");
    let help = if has_secret {
        "Empty leaves it as it is. It must be given again when the issuer or client ID changes."
    } else {
        "It is kept sealed and never shown again."
    };
    vec![
        Input::new("config.preset", "Provider", Takes::One(presets), preset).into(),
        issuer.help(looks).into(),
        line("client_id", "Client ID").into(),
        secret.help(help).into(),
        Input::new("config.scopes", "Further scopes", Takes::Lines, &now.lines("config.scopes")).into(),
    ]
}

fn saml(now: &Fields, line: &dyn Fn(&str, &str) -> Input) -> Vec<Part> {
    let metadata = Input::new("config.metadata", "Metadata", Takes::Lines, now.get("config.metadata"));
    let certificate =
        Input::new("config.certificate", "Certificate", Takes::Lines, now.get("config.certificate"));
    vec![
        metadata.help("The provider's metadata as XML; or the three fields below.").into(),
        line("entity_id", "Entity ID").into(),
        line("sso_url", "Sign-in address").into(),
        certificate.help("PEM.").into(),
    ]
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(both("settings/identity-providers/new").route(web::get().to(ask_new)));
    config.service(both("settings/identity-providers/{id}/check").route(web::post().to(check)));
}

/// What a new one speaks is asked first, so that the form has the fields of that alone.
async fn ask_new(desk: Desk) -> Answer {
    let asked = desk.query();
    if asked.given("kind").is_some() {
        return writing::ask_new::<Providers>(desk).await;
    }
    let here = desk.link(&format!("{}/new", Providers::PATH));
    desk.fresh(&here).await?;
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::Create, Kind::IdentityProvider).await)?;
    let mut screen = desk.screen(Providers::ADD, &[(Providers::TITLE, desk.link(Providers::PATH))]);
    let link = |label: &str, pairs: &[(&str, &str)]| {
        let mut all = pairs.to_vec();
        all.extend(asked.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Deed::link(label, format!("{here}?{}", query(&all)))
    };
    let named = PRESETS.iter().filter(|(preset, ..)| *preset != "generic");
    let mut oidc: Vec<Deed> =
        named.map(|(preset, words, _)| link(words, &[("kind", "oidc"), ("config.preset", preset)])).collect();
    oidc.push(link("Another OpenID Connect provider", &[("kind", "oidc")]));
    let saml = vec![link("SAML 2.0 provider", &[("kind", "saml")])];
    screen.about = String::from("What does it speak? It can't be changed later.");
    screen.blocks = vec![
        Panel::new("oidc", "OpenID Connect", Vec::new())
            .help("What most providers speak.")
            .deeds(oidc)
            .into(),
        Panel::new("saml", "SAML 2.0", Vec::new()).help("Where there is nothing else.").deeds(saml).into(),
    ];
    Ok(desk.show(StatusCode::OK, &screen))
}

/// What of the configuration works, step by step.
async fn check(sent: Sent) -> Answer {
    let Sent { desk, .. } = sent;
    let (doc, _) = read::<Providers>(&desk).await?;
    let report = desk.found(desk.state.keyward.check_provider(&desk.call(), desk.id()).await)?.body;
    let mut screen = object::<Providers>(&desk, &doc, "").await?;
    let step = |step: &Value| TestStep {
        name: text(step, "step").to_owned(),
        verdict: if step["passed"] == true { Verdict::Passed } else { Verdict::Failed },
        detail: text(step, "detail").to_owned(),
    };
    let steps = items(&report, "steps").iter().map(step).collect();
    screen.blocks.push(Panel::new("checks", "Checks", vec![Block::Verdicts(Verdicts { steps })]).into());
    screen.blocks.extend(Providers::detail(&desk, &doc).await?);
    Ok(desk.show(StatusCode::OK, &screen))
}
