//! Choosing a password by a link, and asking for such a link.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_core::{LinkPurpose, SignInError};

use super::{
    State,
    visit::{Answer, Visit, field, origin, problems, see_other},
};
use crate::{
    Notice, Problems, Severity,
    page::{Delivery, ForgottenPassword, NewPassword, Occasion, ResetRequested},
    paths,
};

/// How long links live that people ask for, in minutes.
const MINUTES: u32 = 60;

pub(super) async fn ask_forgotten(request: HttpRequest, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    let page = ForgottenPassword {
        shell: state.shell(),
        form: visit.form_to(paths::FORGOTTEN),
        email: visit.flow.email.clone().unwrap_or_default(),
        back: paths::SIGN_IN.to_owned(),
    };
    Ok(visit.show(StatusCode::OK, &page))
}

pub(super) async fn forgotten(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    let fields = visit.form(payload).await?;
    let email = field(&fields, "email").unwrap_or_default().to_owned();
    let asked = state.keyward.forgot_password(&email, &origin(&request)).await;
    asked.map_err(|error| state.failed(&request, &error))?;
    let delivery = if state.keyward.sends_mail() { Delivery::Mail } else { Delivery::Administrator };
    let page = ResetRequested {
        shell: state.shell(),
        email,
        delivery,
        minutes: MINUTES,
        back: paths::SIGN_IN.to_owned(),
    };
    Ok(visit.show(StatusCode::OK, &page))
}

/// The page of the link. Its code stands behind `#`, which no server sees, until the person sends it.
pub(super) async fn ask_new(request: HttpRequest, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    Ok(show_new(&visit, String::new(), Occasion::Reset, StatusCode::OK, Problems::default()))
}

fn show_new(
    visit: &Visit<'_>,
    code: String,
    occasion: Occasion,
    status: StatusCode,
    problems: Problems,
) -> HttpResponse {
    let mut form = visit.form_to(paths::NEW_PASSWORD);
    form.problems = problems;
    let page = NewPassword { shell: visit.state.shell(), form, code, occasion };
    visit.show(status, &page)
}

pub(super) async fn new(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    let fields = visit.form(payload).await?;
    let code = field(&fields, "code").unwrap_or_default().trim().to_owned();
    let password = field(&fields, "new_password").unwrap_or_default().to_owned();
    match state.keyward.choose_password(&code, password, &origin(&request)).await {
        Ok(link) => {
            let mut visit = visit;
            visit.flow = state.keyward.begin_sign_in(None);
            visit.flow.email = Some(link.email);
            let mut shell = state.shell();
            let text = match link.purpose {
                LinkPurpose::Invitation => "Your password is set. Sign in with it.",
                LinkPurpose::Reset => {
                    "Your password was changed, and you were signed out everywhere. Sign in with it."
                }
            };
            shell.notice = Some(Notice::new(Severity::Success, text));
            let page = crate::page::SignInPassword {
                shell,
                form: visit.form_to(paths::SIGN_IN_PASSWORD),
                email: visit.flow.email.clone().unwrap_or_default(),
                password_allowed: true,
                providers: Vec::new(),
                start_again: paths::SIGN_IN.to_owned(),
                forgotten: paths::FORGOTTEN.to_owned(),
            };
            Ok(visit.show(StatusCode::OK, &page))
        }
        Err(error @ (SignInError::Weak(_) | SignInError::DeadLink)) => {
            let occasion = match state.keyward.password_link_of(&code).await {
                Ok(link) if link.purpose == LinkPurpose::Invitation => Occasion::Invited,
                _ => Occasion::Reset,
            };
            let (status, problems) = problems(&error, "code");
            Ok(show_new(&visit, code, occasion, status, problems))
        }
        Err(SignInError::OutOfDate) => Ok(see_other(paths::SIGN_IN)),
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}
