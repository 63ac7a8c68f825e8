//! Proving once more who one is.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_core::{Proof, Purpose, SignInError, SignedIn};
use keyward_http::browser;

use super::{
    State, federation,
    visit::{Answer, beyond, field, origin, own_path, problems, see_other},
};
use crate::{
    Form, FormTarget, Problems,
    page::{Factor, StepUp},
    paths,
};

pub(super) async fn ask(request: HttpRequest, state: Data<State>) -> Answer {
    let query = browser::query(&request);
    let return_to = field(&query, "return_to").and_then(own_path);
    let signed_in = state.person(&request).await?;
    if let Some(provider) = field(&query, "provider") {
        return federation::leave(
            &state,
            &request,
            provider,
            Purpose::StepUp(return_to),
            Some(&signed_in),
            None,
        )
        .await;
    }
    show(&state, &request, &signed_in, return_to.as_deref(), StatusCode::OK, Problems::default()).await
}

async fn show(
    state: &State,
    request: &HttpRequest,
    signed_in: &SignedIn,
    return_to: Option<&str>,
    status: StatusCode,
    problems: Problems,
) -> Answer {
    let account = state.keyward.account(signed_in).await.map_err(|error| state.failed(request, &error))?;
    let factor = match (&account.authenticators, signed_in.provider_id()) {
        (known, _) if known.has_totp => Factor::Code,
        (known, Some(provider)) if !known.has_password => {
            let back = url::form_urlencoded::byte_serialize(return_to.unwrap_or(paths::CONSOLE).as_bytes());
            let href =
                format!("{}?provider={provider}&return_to={}", paths::STEP_UP, back.collect::<String>());
            Factor::Provider { name: "your identity provider".to_owned(), href }
        }
        _ => Factor::Password,
    };
    let mut form = Form::new(paths::STEP_UP, signed_in.form_token());
    form.keep.extend(return_to.map(|path| ("return_to".to_owned(), path.to_owned())));
    form.problems = problems;
    let page = StepUp {
        shell: state.shell(),
        form,
        email: signed_in.email().to_owned(),
        purpose: "go on".to_owned(),
        factor,
        cancel: paths::CONSOLE.to_owned(),
    };
    let targets: Vec<FormTarget> = return_to.and_then(beyond).into_iter().collect();
    Ok(crate::respond(status, &page, &targets))
}

/// Sends somebody who must prove who they are to the page for that, and back here afterwards.
pub(super) fn needed(back: &str) -> HttpResponse {
    let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    see_other(&format!("{}?return_to={back}", paths::STEP_UP))
}

pub(super) async fn confirm(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let signed_in = state.person(&request).await?;
    let fields = state.own_form(&request, payload, &signed_in.form_token()).await?;
    let return_to = field(&fields, "return_to").and_then(own_path);
    let password = field(&fields, "password").map(str::to_owned);
    let proof = field(&fields, "code").map(|code| Proof::Code(code.to_owned()));
    match state.keyward.step_up(&signed_in, password, proof.as_ref(), &origin(&request)).await {
        Ok(new) => Ok(state.begin_session(see_other(return_to.as_deref().unwrap_or(paths::CONSOLE)), new)),
        Err(error @ (SignInError::Wrong | SignInError::WrongCode | SignInError::TooMany(_))) => {
            let (status, problems) = problems(&error, "code");
            show(&state, &request, &signed_in, return_to.as_deref(), status, problems).await
        }
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}
