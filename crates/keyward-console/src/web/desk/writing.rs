//! The forms by which things are added and changed.

use actix_web::{HttpResponse, http::StatusCode};
use keyward_core::{Action, Administered, Error, IfMatch};
use keyward_model::{Kind, Owner};
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    collection::{Collection, Doubt, kind, pairs_of, read},
    desk_at::{Desk, Sent, query},
    doc::{capital, text},
    fields::Fields,
    parts::whose,
    problems,
};
use crate::{
    Notice, Problems, Severity,
    component::{Block, CodePanel, Content, FormBlock, Grid, Panel, Part, Piece},
};

/// A form, with what was wrong with it.
struct Asked<'a> {
    fields: &'a Fields,
    editing: Option<&'a Value>,
    version: Option<i64>,
    status: StatusCode,
    problems: Problems,
    /// What stands above it.
    above: Vec<Block>,
    /// What is asked beside the fields.
    beside: Vec<Part>,
}

impl<'a> Asked<'a> {
    fn first(fields: &'a Fields, editing: Option<&'a Value>, version: Option<i64>) -> Self {
        let (status, problems) = (StatusCode::OK, Problems::default());
        Self { fields, editing, version, status, problems, above: Vec::new(), beside: Vec::new() }
    }
}

async fn show_form<C: Collection>(desk: &Desk, asked: Asked<'_>) -> Answer {
    let mut parts = C::parts(desk, asked.fields, asked.editing).await?;
    parts.extend(asked.beside);
    let (title, action, submit, back) = match asked.editing {
        None => (C::ADD.to_owned(), desk.link(C::PATH), "Save".to_owned(), desk.link(C::PATH)),
        Some(doc) => {
            let there = desk.link(&format!("{}/{}", C::PATH, text(doc, "id")));
            (format!("Edit {}", C::name(doc)), there.clone(), "Save".to_owned(), there)
        }
    };
    let mut form = desk.form(action);
    form.keep.extend(asked.version.map(|version| ("version".to_owned(), version.to_string())));
    form.problems = asked.problems;
    let mut screen = desk.screen(title, &[(C::TITLE, desk.link(C::PATH))]);
    screen.mark = form.mark().into();
    screen.blocks = asked.above;
    screen.blocks.extend(asked.editing.is_none().then(|| whose_it_will_be::<C>(desk)).flatten());
    let body = C::body(desk, asked.fields, asked.editing).await?;
    let block = FormBlock::new(form, parts, submit, back);
    screen.blocks.push(Panel::new("form", capital(C::ONE), vec![Block::Form(Box::new(block))]).into());
    let (method, path) = match asked.editing {
        None => ("POST", C::Record::COLLECTION.to_owned()),
        Some(doc) => ("PATCH", format!("{}/{}", C::Record::COLLECTION, text(doc, "id"))),
    };
    let issuer = &desk.state.keyward.options().issuer;
    screen.blocks.push(Block::Code(CodePanel::request(issuer, method, &path, Some(&body))));
    Ok(desk.show(asked.status, &screen))
}

pub(super) async fn ask_new<C: Collection>(desk: Desk) -> Answer {
    if C::STEP_UP {
        desk.fresh(&desk.link(&format!("{}/new?{}", C::PATH, desk.request.query_string()))).await?;
    }
    let fields = desk.query();
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::Create, kind::<C>()).await)?;
    show_form::<C>(&desk, Asked::first(&fields, None, None)).await
}

/// What speaks against a form, as the form with it; nothing when somebody has read it already.
async fn doubted<C: Collection>(desk: &Desk, fields: &Fields) -> Result<Option<HttpResponse>, Refused> {
    let mut asked = Asked::first(fields, None, None);
    asked.status = StatusCode::UNPROCESSABLE_ENTITY;
    match C::doubt(desk, fields).await? {
        None => return Ok(None),
        Some(Doubt::Warned(words)) if fields.get("sure") == words => return Ok(None),
        Some(Doubt::Warned(words)) => {
            let notice = Notice::new(Severity::Warning, format!("{words} Save again if it shall be so."));
            asked.above.push(Block::Notice(notice));
            asked.beside.push(Part::Hidden("sure".to_owned(), words));
        }
        Some(Doubt::Refused(words)) => asked.problems = Problems::message(words),
    }
    show_form::<C>(desk, asked).await.map(Some)
}

/// Whose it will be that is made outside of a tenant.
fn whose_it_will_be<C: Collection>(desk: &Desk) -> Option<Block> {
    let owner = match desk.owner() {
        Owner::Partner(_) => "your partner",
        Owner::Platform => "the platform",
        Owner::Tenant(_) | Owner::Everyone => return None,
    };
    if matches!(kind::<C>(), Kind::Partner | Kind::Tenant | Kind::Permission) {
        return None;
    }
    let then = format!("/console/t/~/{}/new", C::PATH);
    let choose = format!("/console/switch?{}", query(&[("then", &then)]));
    let words = format!("You work in all tenants: this {} will belong to {owner}, to no tenant.", C::ONE);
    Some(Block::Text(Content::words(words).and(Piece::Link(choose, "Choose a tenant".to_owned()))))
}

pub(super) async fn create<C: Collection>(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    if C::STEP_UP {
        desk.fresh(&desk.link(&format!("{}/new?{}", C::PATH, pairs_of(&harmless(&fields))))).await?;
    }
    if let Some(form) = doubted::<C>(&desk, &fields).await? {
        return Ok(form);
    }
    let body = C::body(&desk, &fields, None).await?;
    match desk.state.keyward.create::<C::Record>(&desk.call_once(&fields), body).await {
        Ok(written) => C::made(&desk, &written).await,
        Err(error) => refused_form::<C>(&desk, &fields, None, None, &error).await,
    }
}

/// What of a form may stand in an address, so that it is there again after a proof of who one is.
fn harmless(fields: &Fields) -> Vec<(String, String)> {
    let secret = |name: &str| matches!(name, "csrf" | "key" | "version" | "sure") || name.contains("secret");
    fields.pairs().iter().filter(|(name, value)| !secret(name) && !value.is_empty()).cloned().collect()
}

async fn refused_form<C: Collection>(
    desk: &Desk,
    fields: &Fields,
    editing: Option<&Value>,
    version: Option<i64>,
    error: &Error,
) -> Answer {
    let parts = C::parts(desk, fields, editing).await?;
    let Some((status, problems)) = problems::at_form(error, &parts) else {
        return Err(desk.refused(error).into());
    };
    show_form::<C>(desk, Asked { status, problems, ..Asked::first(fields, editing, version) }).await
}

pub(super) async fn ask_edit<C: Collection>(desk: Desk) -> Answer {
    if C::STEP_UP {
        desk.fresh(&desk.link(&format!("{}/{}/edit", C::PATH, desk.id()))).await?;
    }
    let (doc, version) = read::<C>(&desk).await?;
    let fields = C::given(&doc);
    show_form::<C>(&desk, Asked::first(&fields, Some(&doc), version)).await
}

pub(super) async fn save<C: Collection>(sent: Sent) -> Answer {
    let Sent { desk, mut fields } = sent;
    let (doc, version) = read::<C>(&desk).await?;
    if C::STEP_UP {
        desk.fresh(&desk.link(&format!("{}/{}/edit", C::PATH, desk.id()))).await?;
    }
    let theirs = C::given(&doc);
    for (name, choice) in fields.beginning("take-") {
        if choice != "theirs" {
            continue;
        }
        if name == PERMISSIONS {
            let parts = C::parts(&desk, &theirs, Some(&doc)).await?;
            for sent in ["view", "change", "some"] {
                fields.set(sent, Vec::new());
            }
            fields.set("beside", granted(&parts));
        } else {
            fields.set(&name, theirs.all(&name));
        }
    }
    let read_at: Option<i64> = fields.get("version").parse().ok();
    let body = C::body(&desk, &fields, Some(&doc)).await?;
    let condition = read_at.map(|version| IfMatch::Versions(vec![version]));
    match desk.state.keyward.update::<C::Record>(&desk.call(), desk.id(), body, condition).await {
        Ok(_) => Ok(desk.on_to(&format!("{}/{}", C::PATH, desk.id()))),
        Err(Error::PreconditionFailed) => changed_meanwhile::<C>(&desk, &fields, &doc, version).await,
        Err(error) => refused_form::<C>(&desk, &fields, Some(&doc), read_at, &error).await,
    }
}

/// What the choice between two people's permissions is called.
const PERMISSIONS: &str = "permissions-granted";

/// The permissions that a form's grid comes to; none where there is no grid.
fn granted(parts: &[Part]) -> Vec<String> {
    let grid = parts.iter().find_map(|part| if let Part::Grid(grid) = part { Some(grid) } else { None });
    grid.map(Grid::chosen).unwrap_or_default()
}

/// Somebody else was quicker: field by field, whose value shall it be?
async fn changed_meanwhile<C: Collection>(
    desk: &Desk,
    mine: &Fields,
    doc: &Value,
    version: Option<i64>,
) -> Answer {
    let (who, when) = super::events::last_change(desk, desk.id()).await?;
    let text = format!("{who} changed this {when}. Nothing of yours is lost: choose, then save again.");
    let theirs = C::given(doc);
    let mut asked = Asked::first(mine, Some(doc), version);
    let mut beside = Vec::new();
    let parts = C::parts(desk, mine, Some(doc)).await?;
    for input in parts.iter().flat_map(Part::inputs) {
        let (own, other) = (mine.lines(&input.name), theirs.lines(&input.name));
        if own.trim() != other.trim() {
            beside.push(whose(&input.name, &input.label, &own, &other));
        }
    }
    let (own, other) = (granted(&parts), granted(&C::parts(desk, &theirs, Some(doc)).await?));
    if own != other {
        beside.push(whose(PERMISSIONS, "Permissions", &own.join("\n"), &other.join("\n")));
    }
    asked.beside = beside;
    asked.status = StatusCode::PRECONDITION_FAILED;
    asked.above.push(Block::Notice(Notice::new(Severity::Warning, text)));
    show_form::<C>(desk, asked).await
}
