//! Signing in: the second factor.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_core::{Enrolment, NewSession, Proof, SignInError};

use super::{
    State,
    visit::{Answer, Visit, beyond, field, origin, problems, see_other},
};
use crate::{
    Form, FormTarget, Problems, Shell,
    page::{CodeChallenge, EnrolCode, RecoveryChallenge, RecoveryCodes},
    paths,
};

pub(super) async fn ask_code(request: HttpRequest, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    Ok(show_code(&visit, StatusCode::OK, Problems::default()))
}

fn show_code(visit: &Visit<'_>, status: StatusCode, problems: Problems) -> HttpResponse {
    let mut form = visit.form_to(paths::SIGN_IN_CODE);
    form.problems = problems;
    let page = CodeChallenge {
        shell: visit.state.shell(),
        form,
        email: visit.flow.email.clone().unwrap_or_default(),
        start_again: paths::SIGN_IN.to_owned(),
        recovery: paths::SIGN_IN_RECOVERY.to_owned(),
        skew_seconds: None,
    };
    visit.show(status, &page)
}

pub(super) async fn ask_recovery(request: HttpRequest, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    Ok(show_recovery(&visit, StatusCode::OK, Problems::default()))
}

fn show_recovery(visit: &Visit<'_>, status: StatusCode, problems: Problems) -> HttpResponse {
    let mut form = visit.form_to(paths::SIGN_IN_RECOVERY);
    form.problems = problems;
    let page = RecoveryChallenge {
        shell: visit.state.shell(),
        form,
        email: visit.flow.email.clone().unwrap_or_default(),
        start_again: paths::SIGN_IN.to_owned(),
        code: paths::SIGN_IN_CODE.to_owned(),
    };
    visit.show(status, &page)
}

pub(super) async fn code(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    prove(&request, payload, &state, Proof::Code, show_code).await
}

pub(super) async fn recovery(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    prove(&request, payload, &state, Proof::Recovery, show_recovery).await
}

async fn prove(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
    proof: fn(String) -> Proof,
    show: fn(&Visit<'_>, StatusCode, Problems) -> HttpResponse,
) -> Answer {
    let visit = Visit::of(state, request);
    let fields = visit.form(payload).await?;
    let proof = proof(field(&fields, "code").unwrap_or_default().to_owned());
    match state.keyward.try_code(&visit.flow, &proof, &origin(request)).await {
        Ok(new) => visit.done(new).await,
        Err(error @ (SignInError::WrongCode | SignInError::TooMany(_))) => {
            let (status, problems) = problems(&error, "code");
            Ok(show(&visit, status, problems))
        }
        Err(error) => Err(state.failed(request, &error).into()),
    }
}

pub(super) async fn ask_enrol(request: HttpRequest, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    match state.keyward.enrolment(&visit.flow, None).await {
        Ok(enrolment) => Ok(show_enrol(&visit, &enrolment, StatusCode::OK, Problems::default())),
        Err(SignInError::OutOfDate) => Ok(see_other(paths::SIGN_IN)),
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}

fn show_enrol(
    visit: &Visit<'_>,
    enrolment: &Enrolment,
    status: StatusCode,
    problems: Problems,
) -> HttpResponse {
    let mut form = visit.form_to(paths::SIGN_IN_TWO_STEP);
    form.problems = problems;
    let email = visit.flow.email.clone().unwrap_or_default();
    visit.show(status, &enrol_page(visit.state.shell(), form, email, enrolment, None))
}

/// The page on which a second factor is set up.
pub(super) fn enrol_page(
    shell: Shell,
    mut form: Form,
    email: String,
    enrolment: &Enrolment,
    cancel: Option<String>,
) -> EnrolCode {
    form.keep.push(("enrolment".to_owned(), enrolment.sealed.clone()));
    EnrolCode {
        shell,
        form,
        email,
        uri: enrolment.uri.clone(),
        secret: enrolment.key.clone(),
        required: cancel.is_none(),
        cancel,
        skew_seconds: None,
    }
}

pub(super) async fn enrol(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    let fields = visit.form(payload).await?;
    let (sealed, code) = (field(&fields, "enrolment").unwrap_or_default(), field(&fields, "code"));
    let enrolled =
        state.keyward.enrol(&visit.flow, sealed, code.unwrap_or_default(), &origin(&request)).await;
    match enrolled {
        Ok((new, codes)) => {
            let email = visit.flow.email.clone().unwrap_or_default();
            Ok(show_recovery_codes(&state, new, codes, email, visit.destination()))
        }
        Err(error @ SignInError::WrongCode) => {
            let again = state.keyward.enrolment(&visit.flow, Some(sealed)).await;
            let again = again.map_err(|error| state.failed(&request, &error))?;
            let (status, problems) = problems(&error, "code");
            Ok(show_enrol(&visit, &again, status, problems))
        }
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}

/// Shows recovery codes, this once, and lets the session begin.
pub(super) fn show_recovery_codes(
    state: &State,
    new: NewSession,
    codes: Vec<String>,
    email: String,
    then: &str,
) -> HttpResponse {
    state.begin_session(recovery_codes(state, codes, email, then), new)
}

/// The page that shows recovery codes.
pub(super) fn recovery_codes(state: &State, codes: Vec<String>, email: String, then: &str) -> HttpResponse {
    let mut form = Form::new(paths::CONTINUE, "");
    form.keep.extend(state.keyward.seal_location(then).ok().map(|then| ("then".to_owned(), then)));
    let made_on = state.keyward.now().date_for_people();
    let page = RecoveryCodes { shell: state.shell(), form, email, codes, made_on };
    let targets: Vec<FormTarget> = beyond(then).into_iter().collect();
    crate::respond(StatusCode::OK, &page, &targets)
}
