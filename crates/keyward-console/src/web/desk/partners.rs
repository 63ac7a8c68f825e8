//! Partners.

use keyward_core::Action;
use keyward_model::{AnyId, Field, Kind, Partner, Tenant};
use serde_json::{Value, json};

use super::{
    super::visit::Refused,
    collection::Collection,
    desk_at::{Desk, query},
    doc::{badge, is_over, number, text, time, words},
    fields::Fields,
    parts::{RUNS, status},
    suspending,
};
use crate::component::{Block, Content, Deed, Facts, Input, Panel, Part, Piece, Row, RowAction, Sign, Takes};

pub(super) struct Partners;

/// The limits, and what each is called.
const LIMITS: [(&str, &str); 3] = [
    ("max_tenants", "Tenants at most"),
    ("max_users_per_tenant", "Users per tenant at most"),
    ("max_applications_per_tenant", "Applications per tenant at most"),
];

fn limit(doc: &Value, name: &str) -> Content {
    if doc[name].is_null() {
        Piece::Muted("No limit".to_owned()).into()
    } else {
        Content::words(number(doc, name).to_string())
    }
}

/// How many tenants there are, of how many there may be.
fn of_limit(doc: &Value, used: Option<u64>) -> Content {
    let used = used.unwrap_or_default();
    match doc["max_tenants"].as_u64() {
        Some(most) if used >= most => Piece::Warning(format!("{used} of {most}")).into(),
        Some(most) => Content::words(format!("{used} of {most}")),
        None => Content::words(used.to_string()),
    }
}

impl Collection for Partners {
    type Record = Partner;
    const PATH: &'static str = "partners";
    const TITLE: &'static str = "Partners";
    const ONE: &'static str = "partner";
    const ADD: &'static str = "Add partner";
    const ABOUT: &'static str = "Partners group tenants and cap their size.";
    const COLUMNS: &'static [&'static str] = &["Name", "Status", "Tenants", "Contact", "Added"];
    const CHIPS: &'static [(&'static str, &'static str, &'static str)] =
        &[("Active", "status", "active"), ("Suspended", "status", "suspended")];
    const IN_TENANTS: bool = false;

    async fn rows(desk: &Desk, docs: &[Value]) -> Result<Vec<Row>, Refused> {
        let may = desk.may(Action::Update, Kind::Partner);
        let ids: Vec<AnyId> = docs.iter().filter_map(|doc| text(doc, "id").parse().ok()).collect();
        let field = Field::PartnerId;
        let tenants = desk.state.keyward.count_each(&desk.call(), Kind::Tenant, field, &ids, None).await;
        let tenants = desk.found(tenants)?;
        let row = |doc: &Value| {
            let own = desk.link(&format!("partners/{}", text(doc, "id")));
            let edit = RowAction::of(&own, text(doc, "name"), Sign::Edit, "Edit", "edit");
            Row {
                cells: vec![
                    Content::from(Piece::Link(own, text(doc, "name").to_owned()))
                        .below(Piece::Code(text(doc, "slug").to_owned())),
                    badge(doc),
                    of_limit(
                        doc,
                        text(doc, "id").parse().ok().and_then(|id: AnyId| tenants.get(&id)).copied(),
                    ),
                    words(doc, "contact_email", "–"),
                    time(doc, "created_at", desk.now, "–"),
                ],
                actions: if may { vec![edit] } else { Vec::new() },
                over: is_over(doc),
            }
        };
        Ok(docs.iter().map(row).collect())
    }

    async fn parts(_desk: &Desk, now: &Fields, editing: Option<&Value>) -> Result<Vec<Part>, Refused> {
        let mut parts: Vec<Part> = vec![Input::line("name", "Name", now.get("name")).required().into()];
        if editing.is_none() {
            let slug = Input::new("slug", "Slug", Takes::Code, now.get("slug"));
            parts.push(
                slug.required().help("Small letters, digits and hyphens. It can't be changed later.").into(),
            );
        } else {
            parts.push(status(now, RUNS));
        }
        parts.push(
            Input::new("contact_email", "Contact", Takes::Line("email"), now.get("contact_email")).into(),
        );
        for (name, label) in LIMITS {
            let input = Input::new(name, label, Takes::Line("number"), now.get(name));
            parts.push(input.help("Empty means no limit.").into());
        }
        Ok(parts)
    }

    async fn body(_desk: &Desk, fields: &Fields, editing: Option<&Value>) -> Result<Value, Refused> {
        let mut body =
            json!({ "name": fields.get("name"), "contact_email": fields.text_or_null("contact_email") });
        for (name, _) in LIMITS {
            body[name] = fields.number_or_null(name);
        }
        if editing.is_none() {
            body["slug"] = fields.get("slug").into();
        } else {
            body["status"] = fields.or("status", "active").into();
        }
        Ok(body)
    }

    fn deeds(desk: &Desk, doc: &Value) -> Vec<Deed> {
        vec![suspending::deed::<Self>(desk, doc)]
    }

    fn deletion(_doc: &Value) -> String {
        "All of its tenants and everything in them stop at once, for good.".to_owned()
    }

    async fn detail(desk: &Desk, doc: &Value) -> Result<Vec<Block>, Refused> {
        let pairs =
            [("partner_id".to_owned(), text(doc, "id").to_owned()), ("per_page".to_owned(), "1".to_owned())];
        let tenants = desk.found(desk.state.keyward.list::<Tenant>(&desk.call(), &pairs).await)?;
        let used = tenants.total.unwrap_or_default();
        let most = doc["max_tenants"].as_u64();
        let usage = most.map_or_else(|| used.to_string(), |most| format!("{used} of {most}"));
        let listed = format!("/console/tenants?{}", query(&[("partner_id", text(doc, "id"))]));
        let mut facts = Facts::default()
            .and("Identifier", Content::code(text(doc, "id")))
            .and("Slug", Content::code(text(doc, "slug")))
            .and("Contact", words(doc, "contact_email", "None"))
            .and("Tenants", Piece::Link(listed, usage));
        for (name, label) in &LIMITS[1..] {
            facts = facts.and(label, limit(doc, name));
        }
        let facts = facts.and("Added", time(doc, "created_at", desk.now, "–"));
        let mut panel = Panel::new("partner", "Partner", vec![facts.into()]);
        if desk.may(Action::Create, Kind::Tenant) {
            let href = format!("/console/tenants/new?{}", query(&[("partner_id", text(doc, "id"))]));
            panel.deeds.push(Deed::link("Add tenant", href));
        }
        Ok(vec![panel.into()])
    }
}
