//! Tenants.

use std::collections::BTreeMap;

use keyward_core::{Action, Written};
use keyward_model::{AnyId, Field, Kind, Partner, Tenant};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused, see_other},
    collection::Collection,
    desk_at::Desk,
    doc::{badge, is_over, text, time, words},
    events::NEWEST,
    fields::Fields,
    parts::{RUNS, document, replacing, status, written},
    suspending,
};
use crate::component::{Block, Content, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Sign, Takes};

pub(super) struct Tenants;

/// The page of a tenant's settings.
pub(super) fn own_page(doc: &Value) -> String {
    format!("/console/t/{}/settings/tenant", text(doc, "slug"))
}

/// The partners to choose from; there are few, and only the first hundred are offered.
async fn partners(desk: &Desk) -> Result<Vec<(String, String)>, Refused> {
    let pairs = [("sort".to_owned(), "name".to_owned()), ("per_page".to_owned(), "100".to_owned())];
    let listing = desk.found(desk.state.keyward.list::<Partner>(&desk.call(), &pairs).await)?;
    let option = |doc: &Value| (text(doc, "id").to_owned(), text(doc, "name").to_owned());
    let none = (String::new(), "None".to_owned());
    Ok(std::iter::once(none).chain(listing.data.iter().map(option)).collect())
}

/// The choice of a partner. Whoever is the partner now can be chosen, however many others there are.
pub(super) async fn partner_field(desk: &Desk, now: &Fields) -> Result<Input, Refused> {
    let mut partners = partners(desk).await?;
    let now_id = now.get("partner_id");
    if partners.iter().all(|(id, _)| id != now_id) {
        let name = desk.names(&[json!({ "id": now_id })], &["id"]).await?.of(now_id);
        partners.push((now_id.to_owned(), name));
    }
    Ok(Input::new("partner_id", "Partner", Takes::One(partners), now_id))
}

/// What can be done with a tenant of the list.
fn actions(own: &str, name: &str, over: bool) -> Vec<RowAction> {
    let (sign, word) = if over { (Sign::Rotate, "Resume") } else { (Sign::Revoke, "Suspend") };
    let mut actions = RowAction::edit_and_delete(own, name);
    actions.insert(1, RowAction::of(own, name, sign, word, "suspend"));
    actions
}

/// How many there are of each tenant.
async fn counted(
    desk: &Desk,
    docs: &[Value],
    kind: Kind,
    only: Option<(Field, &str)>,
) -> Result<Option<BTreeMap<AnyId, u64>>, Refused> {
    if !desk.caller().may(Action::List, kind) {
        return Ok(None);
    }
    let ids: Vec<AnyId> = docs.iter().filter_map(|doc| text(doc, "id").parse().ok()).collect();
    let counts = desk.state.keyward.count_each(&desk.call(), kind, Field::TenantId, &ids, only).await;
    desk.found(counts).map(Some)
}

/// How many one of them has, as a cell.
fn number_of(counts: Option<&BTreeMap<AnyId, u64>>, doc: &Value) -> Content {
    let Some((counts, id)) = counts.zip(text(doc, "id").parse::<AnyId>().ok()) else {
        return Piece::Muted("–".to_owned()).into();
    };
    Content::words(counts.get(&id).copied().unwrap_or_default().to_string())
}

/// When something last happened in a tenant, as far as the log may be read.
async fn last_activity(desk: &Desk, id: &str) -> Result<Content, Refused> {
    if !desk.caller().may(Action::List, Kind::Event) {
        return Ok(Piece::Muted("–".to_owned()).into());
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let pairs = [pair("tenant_id", id), pair("cursor", NEWEST), pair("per_page", "1")];
    let found = desk.found(desk.state.keyward.events(&desk.call(), &pairs).await)?;
    Ok(found.data.first().map_or_else(
        || Piece::Muted("Nothing yet".to_owned()).into(),
        |event| time(event, "occurred_at", desk.now, "–"),
    ))
}

impl Collection for Tenants {
    type Record = Tenant;
    const PATH: &'static str = "tenants";
    const TITLE: &'static str = "Tenants";
    const ONE: &'static str = "tenant";
    const ADD: &'static str = "Add tenant";
    const ABOUT: &'static str =
        "A tenant is a customer of your platform: its users, clients and keys are its own.";
    const COLUMNS: &'static [&'static str] =
        &["Name", "Partner", "Status", "Users", "API clients", "Contact", "Added"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] =
        &[("Active", "status", "active"), ("Suspended", "status", "suspended")];
    const IN_TENANTS: bool = false;

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["partner_id"]).await?;
        let users = counted(desk, docs, Kind::User, None).await?;
        let clients = counted(desk, docs, Kind::Application, Some((Field::Type, "service"))).await?;
        let may = desk.may(Action::Update, Kind::Tenant);
        let row = |doc: &Value| {
            let own = desk.link(&format!("tenants/{}", text(doc, "id")));
            let name = text(doc, "name");
            Row {
                cells: vec![
                    Content::from(Piece::Link(own_page(doc), name.to_owned()))
                        .below(Piece::Code(text(doc, "slug").to_owned())),
                    match text(doc, "partner_id") {
                        "" => Piece::Muted("–".to_owned()).into(),
                        id => Content::words(names.of(id)),
                    },
                    badge(doc),
                    number_of(users.as_ref(), doc),
                    number_of(clients.as_ref(), doc),
                    words(doc, "contact_email", "–"),
                    time(doc, "created_at", desk.now, "–"),
                ],
                actions: if may { actions(&own, name, is_over(doc)) } else { Vec::new() },
                over: is_over(doc),
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    fn given(doc: &Value) -> Fields {
        let mut fields = Fields::of(doc);
        for name in ["settings", "branding"] {
            fields.set(name, vec![written(doc, name)]);
        }
        fields
    }

    async fn parts(desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let mut parts: Vec<Part> = vec![Input::line("name", "Name", now.get("name")).required().into()];
        if editing.is_none() {
            let help =
                "Small letters, digits and hyphens. Client IDs begin with it, so it can't be changed later.";
            parts.push(Input::new("slug", "Slug", Takes::Code, now.get("slug")).required().help(help).into());
        } else {
            parts.push(status(now, RUNS));
        }
        parts.push(
            Input::new("contact_email", "Contact", Takes::Line("email"), now.get("contact_email")).into(),
        );
        let partner = partner_field(desk, now).await?;
        if matches!(&partner.takes, Takes::One(partners) if partners.len() > 1) {
            parts.push(partner.into());
        }
        let json = |name: &str, label: &str| {
            Part::from(Input::new(name, label, Takes::Lines, now.get(name)).help("A JSON object."))
        };
        parts.push(Part::Folded(
            "Advanced".to_owned(),
            vec![json("settings", "Settings"), json("branding", "Branding")],
        ));
        Ok(parts)
    }

    async fn body(_desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body = json!({
            "name": fields.get("name"),
            "contact_email": fields.text_or_null("contact_email"),
            "partner_id": fields.text_or_null("partner_id"),
            "settings": document(fields, "settings"),
            "branding": document(fields, "branding"),
        });
        let Some(doc) = editing else {
            body["slug"] = fields.get("slug").into();
            return Ok(body);
        };
        body["status"] = fields.or("status", "active").into();
        for name in ["settings", "branding"] {
            body[name] = replacing(&doc[name], document(fields, name));
        }
        Ok(body)
    }

    async fn made(_desk: &Desk, written: &Written) -> Answer {
        Ok(see_other(&own_page(&written.body)))
    }

    fn deletion(_doc: &Value) -> String {
        "Everything in it stops at once, for good: users, clients, keys. The audit log stays.".to_owned()
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        let moves = desk.link(&format!("tenants/{}/move", text(doc, "id")));
        vec![
            Deed::link("Open", own_page(doc)),
            suspending::deed::<Self>(desk, doc),
            Deed::link("Move to another partner", moves),
        ]
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let names = desk.names(std::slice::from_ref(doc), &["partner_id"]).await?;
        let partner = match text(doc, "partner_id") {
            "" => Piece::Muted("None".to_owned()),
            id => Piece::Link(format!("/console/partners/{id}"), names.of(id)),
        };
        let alone = std::slice::from_ref(doc);
        let users = counted(desk, alone, Kind::User, None).await?;
        let clients = counted(desk, alone, Kind::Application, Some((Field::Type, "service"))).await?;
        let facts = Facts::default()
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Slug", Content::code(text(doc, "slug")))
            .and("Partner", partner)
            .and("Contact", words(doc, "contact_email", "None"))
            .and("Users", number_of(users.as_ref(), doc))
            .and("API clients", number_of(clients.as_ref(), doc))
            .and("Last activity", last_activity(desk, text(doc, "id")).await?)
            .and("Added", time(doc, "created_at", desk.now, "–"));
        Ok(vec![Panel::new("tenant", "Tenant", vec![facts.into()]).into()])
    }
}
