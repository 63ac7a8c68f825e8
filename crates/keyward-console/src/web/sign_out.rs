//! Signing out.

use actix_web::{
    HttpRequest,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_http::browser::{self, Kept};

use super::{
    State,
    visit::{Answer, field, keep, origin, see_other},
};
use crate::{
    Form, FormTarget,
    page::{SignOut, SignedOut},
    paths,
};

pub(super) async fn ask(request: HttpRequest, state: Data<State>) -> Answer {
    let Some(signed_in) = state.signed_in(&request).await? else { return Ok(see_other(paths::SIGNED_OUT)) };
    let mut form = Form::new(paths::SIGN_OUT, signed_in.form_token());
    let query = browser::query(&request);
    let then = field(&query, "then");
    form.keep.extend(then.map(|then| ("then".to_owned(), then.to_owned())));
    let location = then.and_then(|then| state.keyward.open_location(then));
    let target = location.as_deref().and_then(FormTarget::of_redirect);
    let page = SignOut {
        shell: state.shell(),
        form,
        email: signed_in.email().to_owned(),
        application: None,
        cancel: paths::CONSOLE.to_owned(),
    };
    Ok(crate::respond(StatusCode::OK, &page, target.as_slice()))
}

pub(super) async fn sign_out(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let Some(signed_in) = state.signed_in(&request).await? else { return Ok(see_other(paths::SIGNED_OUT)) };
    let fields = state.own_form(&request, payload, &signed_in.form_token()).await?;
    let ended = state.keyward.sign_out(&signed_in, &origin(&request)).await;
    ended.map_err(|error| state.failed(&request, &error))?;
    let then = field(&fields, "then").and_then(|then| state.keyward.open_location(then));
    let mut response = see_other(then.as_deref().unwrap_or(paths::SIGNED_OUT));
    keep(&mut response, &Kept::Session.gone(&state.keyward));
    Ok(response)
}

pub(super) async fn signed_out(state: Data<State>) -> Answer {
    let page = SignedOut { shell: state.shell(), provider: None, sign_in: paths::SIGN_IN.to_owned() };
    Ok(crate::respond(StatusCode::OK, &page, &[]))
}
