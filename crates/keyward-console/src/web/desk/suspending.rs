//! Suspending what owns others, a tenant or a partner, and resuming it.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use keyward_core::Action;
use serde_json::{Value, json};

use super::{
    super::visit::Answer,
    both,
    collection::{Collection, kind, object, read},
    desk_at::{Desk, Sent},
    doc::{is_over, text},
};
use crate::{Confirmation, component::Deed};

/// The pages of one of a resource.
pub(super) fn configure<C: Collection>(config: &mut ServiceConfig) {
    let at = both(&format!("{}/{{id}}/suspend", C::PATH));
    config.service(at.route(web::get().to(ask::<C>)).route(web::post().to(set::<C>)));
}

fn word(doc: &Value) -> &'static str {
    if is_over(doc) { "Resume" } else { "Suspend" }
}

/// What leads there.
pub(super) fn deed<C: Collection>(desk: &Desk, doc: &Value) -> Deed {
    Deed::link(word(doc), desk.link(&format!("{}/{}/suspend", C::PATH, text(doc, "id"))))
}

async fn ask<C: Collection>(desk: Desk) -> Answer {
    desk.found(desk.state.keyward.authorise(&desk.call(), Action::Update, kind::<C>()).await)?;
    let (doc, _) = read::<C>(&desk).await?;
    let over = is_over(&doc);
    let mut screen = object::<C>(&desk, &doc, "").await?;
    screen.blocks.extend(C::detail(&desk, &doc).await?);
    let text = if over {
        "People can sign in again, and clients and keys work as before."
    } else {
        "Nobody in it can sign in, and all of its clients and keys stop, until somebody resumes it."
    };
    let mut form = desk.form(desk.request.path());
    form.keep.push(("to".to_owned(), if over { "active" } else { "suspended" }.to_owned()));
    screen.confirmation = Some(Confirmation {
        title: format!("{} {}?", word(&doc), C::name(&doc)),
        text: text.to_owned(),
        button: format!("{} {}", word(&doc), C::name(&doc)),
        typed: None,
        form: if over { form.gentle() } else { form },
        cancel: desk.link(&format!("{}/{}", C::PATH, desk.id())),
    });
    Ok(desk.show(StatusCode::OK, &screen))
}

async fn set<C: Collection>(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    // What was confirmed is done, however it stands by now. Suspending may be urgent; resuming gives back what was taken.
    let to = if fields.get("to") == "suspended" { "suspended" } else { "active" };
    if to == "active" {
        desk.fresh(desk.request.path()).await?;
    }
    let body = json!({ "status": to });
    desk.found(desk.state.keyward.update::<C::Record>(&desk.call(), desk.id(), body, None).await)?;
    Ok(desk.on_to(&format!("{}/{}", C::PATH, desk.id())))
}
