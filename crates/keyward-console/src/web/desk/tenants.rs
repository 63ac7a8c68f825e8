//! Tenants.

use keyward_core::{Action, Written};
use keyward_model::{Kind, Partner, Tenant};
use serde_json::{Value, json};

use super::{
    super::visit::{Answer, Refused, see_other},
    collection::Collection,
    desk_at::Desk,
    doc::{badge, is_over, text, time, words},
    fields::Fields,
    parts::{RUNS, document, replacing, status, written},
};
use crate::component::{Block, Content, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Takes};

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

impl Collection for Tenants {
    type Record = Tenant;
    const PATH: &'static str = "tenants";
    const TITLE: &'static str = "Tenants";
    const ONE: &'static str = "tenant";
    const ADD: &'static str = "Add tenant";
    const ABOUT: &'static str =
        "A tenant is a customer of your platform: its users, clients and keys are its own.";
    const COLUMNS: &'static [&'static str] = &["Name", "Partner", "Status", "Contact", "Added"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] =
        &[("Active", "status", "active"), ("Suspended", "status", "suspended")];
    const IN_TENANTS: bool = false;

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let names = desk.names(docs, &["partner_id"]).await?;
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
                    words(doc, "contact_email", "–"),
                    time(doc, "created_at", desk.now, "–"),
                ],
                actions: if may { RowAction::edit_and_delete(&own, name) } else { Vec::new() },
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
        let mut partners = partners(desk).await?;
        // Whoever is the partner now can be chosen, however many others there are.
        let now_id = now.get("partner_id");
        if partners.iter().all(|(id, _)| id != now_id) {
            let name = desk.names(&[json!({ "id": now_id })], &["id"]).await?.of(now_id);
            partners.push((now_id.to_owned(), name));
        }
        if partners.len() > 1 {
            parts.push(
                Input::new("partner_id", "Partner", Takes::One(partners), now.get("partner_id")).into(),
            );
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

    fn deeds(_desk: &Desk, doc: &Value) -> Vec<Deed> {
        vec![Deed::link("Open", own_page(doc))]
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let names = desk.names(std::slice::from_ref(doc), &["partner_id"]).await?;
        let partner = match text(doc, "partner_id") {
            "" => Piece::Muted("None".to_owned()),
            id => Piece::Link(format!("/console/partners/{id}"), names.of(id)),
        };
        let facts = Facts::default()
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Slug", Content::code(text(doc, "slug")))
            .and("Partner", partner)
            .and("Contact", words(doc, "contact_email", "None"))
            .and("Added", time(doc, "created_at", desk.now, "–"));
        Ok(vec![Panel::new("tenant", "Tenant", vec![facts.into()]).into()])
    }
}
