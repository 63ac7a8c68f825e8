//! Moving a tenant to another partner.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use keyward_model::{Kind, Tenant};
use serde_json::{Value, json};

use super::{
    super::visit::Answer,
    both,
    collection::{Collection, read},
    desk_at::{Desk, Sent},
    doc::text,
    fields::Fields,
    problems,
    tenants::{Tenants, partner_field},
};
use crate::{
    Problems,
    component::{Block, FormBlock, Panel},
};

pub(super) fn configure(config: &mut ServiceConfig) {
    let at = both("tenants/{id}/move");
    config.service(at.route(web::get().to(ask)).route(web::post().to(set)));
}

async fn ask(desk: Desk) -> Answer {
    let (doc, _) = read::<Tenants>(&desk).await?;
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::Update, Kind::Tenant).await)?;
    show(&desk, &doc, &Fields::of(&doc), StatusCode::OK, Problems::default()).await
}

async fn show(desk: &Desk, doc: &Value, now: &Fields, status: StatusCode, problems: Problems) -> Answer {
    let own = desk.link(&format!("tenants/{}", text(doc, "id")));
    let crumbs = [(Tenants::TITLE, desk.link(Tenants::PATH)), (text(doc, "name"), own.clone())];
    let mut screen = desk.screen(format!("Move {}", text(doc, "name")), &crumbs);
    let mut form = desk.form(format!("{own}/move"));
    form.problems = problems;
    screen.mark = form.mark().into();
    let block = FormBlock::new(form, vec![partner_field(desk, now).await?.into()], "Move tenant", own);
    let panel = Panel::new("move", "Partner", vec![Block::Form(Box::new(block))]);
    let help = "The administrators of the partner that it leaves see it no more; those of the other one see all of it. \
                The other one's limits hold.";
    screen.blocks.push(panel.help(help).into());
    Ok(desk.show(status, &screen))
}

async fn set(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    desk.fresh(desk.request.path()).await?;
    let body = json!({ "partner_id": fields.text_or_null("partner_id") });
    match desk.state.keyward.update::<Tenant>(&desk.call(), desk.id(), body, None).await {
        Ok(_) => Ok(desk.on_to(&format!("tenants/{}", desk.id()))),
        Err(error) => {
            let (doc, _) = read::<Tenants>(&desk).await?;
            let parts = [partner_field(&desk, &fields).await?.into()];
            match problems::at_form(&error, &parts) {
                Some((status, problems)) => show(&desk, &doc, &fields, status, problems).await,
                None => Err(desk.refused(&error).into()),
            }
        }
    }
}
