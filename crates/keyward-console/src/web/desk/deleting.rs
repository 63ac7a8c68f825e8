//! The question before something is deleted, and the deletion.

use actix_web::http::StatusCode;
use keyward_core::IfMatch;
use serde_json::Value;

use super::{
    super::visit::{Answer, Refused},
    collection::{Collection, read, shown},
    desk_at::{Desk, Sent},
    parts::key_of,
    problems,
};
use crate::{Confirmation, Form, Problems};

async fn fresh<C: Collection>(desk: &Desk) -> Result<(), Refused> {
    if C::STEP_UP_TO_DELETE { desk.fresh(desk.request.path()).await } else { Ok(()) }
}

pub(super) async fn ask_delete<C: Collection>(desk: Desk) -> Answer {
    fresh::<C>(&desk).await?;
    let (doc, version) = read::<C>(&desk).await?;
    let form = desk.form(desk.link(&format!("{}/{}/delete", C::PATH, desk.id())));
    confirm_delete::<C>(&desk, &doc, version, form, StatusCode::OK).await
}

async fn confirm_delete<C: Collection>(
    desk: &Desk,
    doc: &Value,
    version: Option<i64>,
    mut form: Form,
    status: StatusCode,
) -> Answer {
    let name = C::name(doc);
    form.keep.extend(version.map(|version| ("version".to_owned(), version.to_string())));
    let in_use = C::in_use(desk, doc).await?;
    let text = in_use.iter().cloned().chain([C::deletion(doc)]).collect::<Vec<_>>().join(" ");
    let mut screen = shown::<C>(desk, doc).await?;
    screen.confirmation = Some(Confirmation {
        title: format!("Delete {name}?"),
        text,
        button: format!("Delete {name}"),
        typed: in_use.map(|_| key_of(doc)),
        form,
        cancel: desk.link(&format!("{}/{}", C::PATH, desk.id())),
    });
    Ok(desk.show(status, &screen))
}

pub(super) async fn delete<C: Collection>(sent: Sent) -> Answer {
    let Sent { desk, fields } = sent;
    fresh::<C>(&desk).await?;
    let (doc, version) = read::<C>(&desk).await?;
    let again = |problems| {
        let mut form = desk.form(desk.link(&format!("{}/{}/delete", C::PATH, desk.id())));
        form.problems = problems;
        form
    };
    if C::in_use(&desk, &doc).await?.is_some() && fields.get("typed") != key_of(&doc) {
        let form = again(Problems::field("typed", format!("Type {} to confirm.", key_of(&doc))));
        return confirm_delete::<C>(&desk, &doc, version, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let condition = fields.get("version").parse().ok().map(|version| IfMatch::Versions(vec![version]));
    match desk.state.keyward.delete::<C::Record>(&desk.call(), desk.id(), condition).await {
        Ok(()) => Ok(desk.on_to(C::PATH)),
        Err(error) => match problems::at_form(&error, &[]) {
            Some((status, problems)) => {
                confirm_delete::<C>(&desk, &doc, version, again(problems), status).await
            }
            None => Err(desk.refused(&error).into()),
        },
    }
}
