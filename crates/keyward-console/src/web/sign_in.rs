//! Signing in: address, then password or identity provider.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_core::{SignInError, Step};
use keyward_http::browser::{self, Kept};

use super::{
    State, federation,
    visit::{Answer, Visit, field, origin, own_path, problems, see_other},
};
use crate::{
    Problems,
    page::{Provider, SignIn, SignInPassword},
    paths,
};

pub(super) async fn begin(request: HttpRequest, state: Data<State>) -> Answer {
    let query = browser::query(&request);
    let mut visit = Visit::of(&state, &request);
    visit.flow = state.keyward.begin_sign_in(field(&query, "return_to").and_then(own_path));
    visit.flow.email = field(&query, "login_hint").map(str::to_owned);
    let wants_another = visit.flow.return_to.is_some();
    if !wants_another && state.signed_in(&request).await?.is_some() {
        return Ok(see_other(paths::CONSOLE));
    }
    if let Some(hint) = field(&query, "idp_hint") {
        return federation::to(&visit, hint).await;
    }
    show(&visit, StatusCode::OK, Problems::default()).await
}

async fn show(visit: &Visit<'_>, status: StatusCode, problems: Problems) -> Answer {
    let mut form = visit.form_to(paths::SIGN_IN);
    form.problems = problems;
    let page = SignIn {
        shell: visit.state.shell(),
        form,
        email: visit.flow.email.clone().unwrap_or_default(),
        application: None,
        providers: providers(visit, None).await?,
        forgotten: paths::FORGOTTEN.to_owned(),
    };
    Ok(visit.show(status, &page))
}

async fn providers(visit: &Visit<'_>, email: Option<&str>) -> Result<Vec<Provider>, HttpResponse> {
    let known = visit.state.keyward.providers_for(email).await;
    let known = known.map_err(|error| visit.state.failed(visit.request, &error))?;
    let link = |id: &str| paths::SIGN_IN_PROVIDER.replace("{id}", id);
    Ok(known.into_iter().map(|provider| Provider { href: link(&provider.id), name: provider.name }).collect())
}

pub(super) async fn address(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let mut visit = Visit::of(&state, &request);
    let fields = visit.form(payload).await?;
    let email = field(&fields, "email").map(|email| email.trim().to_owned());
    let is_address = email.as_deref().is_some_and(|email| email.len() <= 254 && email.contains('@'));
    visit.flow.email = email;
    if !is_address {
        let wrong = Problems::field("email", "Type your e-mail address, such as ada@acme.example.");
        return show(&visit, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
    }
    Ok(visit.kept(see_other(paths::SIGN_IN_PASSWORD)))
}

pub(super) async fn ask_password(request: HttpRequest, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    if visit.flow.email.is_none() {
        return Ok(see_other(paths::SIGN_IN));
    }
    show_password(&visit, StatusCode::OK, Problems::default()).await
}

async fn show_password(visit: &Visit<'_>, status: StatusCode, problems: Problems) -> Answer {
    let email = visit.flow.email.clone().unwrap_or_default();
    let mut form = visit.form_to(paths::SIGN_IN_PASSWORD);
    form.problems = problems;
    let page = SignInPassword {
        shell: visit.state.shell(),
        form,
        password_allowed: true,
        providers: providers(visit, Some(&email)).await?,
        email,
        start_again: paths::SIGN_IN.to_owned(),
        forgotten: paths::FORGOTTEN.to_owned(),
    };
    Ok(visit.show(status, &page))
}

pub(super) async fn password(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let mut visit = Visit::of(&state, &request);
    let fields = visit.form(payload).await?;
    let email = field(&fields, "email").or(visit.flow.email.as_deref()).unwrap_or_default().to_owned();
    let password = field(&fields, "password").unwrap_or_default().to_owned();
    visit.flow.email = Some(email.clone());
    let device = Kept::Device.of(&request, &state.keyward);
    let from = origin(&request);
    match state.keyward.try_password(&visit.flow, &email, password, device.as_deref(), &from).await {
        Ok(step) => next(visit, step).await,
        Err(error @ SignInError::Unavailable(_)) => Err(state.failed(&request, &error).into()),
        Err(error) => {
            let (status, problems) = problems(&error, "password");
            show_password(&visit, status, problems).await
        }
    }
}

/// Goes on with what comes next.
pub(super) async fn next(mut visit: Visit<'_>, step: Step) -> Answer {
    match step {
        Step::Done(new) => visit.done(new).await,
        Step::Code(flow) => {
            visit.flow = flow;
            Ok(visit.kept(see_other(paths::SIGN_IN_CODE)))
        }
        Step::Enrol(flow) => {
            visit.flow = flow;
            Ok(visit.kept(see_other(paths::SIGN_IN_TWO_STEP)))
        }
    }
}

/// On from a page that showed something once.
pub(super) async fn carry_on(payload: Payload, state: Data<State>) -> Answer {
    let fields = browser::form(payload, &state.settings).await.unwrap_or_default();
    let then = field(&fields, "then").and_then(|then| state.keyward.open_location(then));
    Ok(see_other(then.as_deref().unwrap_or(paths::CONSOLE)))
}
