//! The first administrator.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use keyward_core::SignInError;

use super::{
    State, sign_in,
    visit::{Answer, Visit, field, origin, problems},
};
use crate::{
    Problems,
    page::{AddressMismatch, Setup, SetupUsed},
    paths,
};

/// Whether there is an administrator already, and with that nothing to set up.
async fn is_over(state: &State, request: &HttpRequest) -> Result<bool, HttpResponse> {
    let needed = state.keyward.needs_first_admin().await;
    needed.map(|needed| !needed).map_err(|error| state.failed(request, &SignInError::from(error)))
}

fn used(state: &State) -> HttpResponse {
    let page = SetupUsed { shell: state.shell(), sign_in: paths::SIGN_IN.to_owned() };
    crate::respond(StatusCode::GONE, &page, &[])
}

pub(super) async fn ask(request: HttpRequest, state: Data<State>) -> Answer {
    if is_over(&state, &request).await? {
        return Ok(used(&state));
    }
    let visit = Visit::of(&state, &request);
    Ok(show(&visit, String::new(), String::new(), StatusCode::OK, Problems::default()))
}

fn show(
    visit: &Visit<'_>,
    code: String,
    email: String,
    status: StatusCode,
    problems: Problems,
) -> HttpResponse {
    let mut form = visit.form_to(paths::SETUP);
    form.problems = problems;
    let configured = visit.state.keyward.options().issuer.clone();
    let connection = visit.request.connection_info();
    let seen = format!("{}://{}", connection.scheme(), connection.host());
    let mismatch = (seen != configured).then_some(AddressMismatch { configured, seen });
    let page = Setup { shell: visit.state.shell(), form, code, email, mismatch };
    visit.show(status, &page)
}

pub(super) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> Answer {
    let visit = Visit::of(&state, &request);
    let fields = visit.form(payload).await?;
    let get = |name| field(&fields, name).unwrap_or_default().trim().to_owned();
    let (code, email) = (get("code"), get("email"));
    let password = field(&fields, "new_password").unwrap_or_default().to_owned();
    match state.keyward.create_first_admin(&code, &email, password, &origin(&request)).await {
        Ok(step) => sign_in::next(visit, step).await,
        Err(error @ (SignInError::Weak(_) | SignInError::Invalid(_) | SignInError::TooMany(_))) => {
            let (status, problems) = problems(&error, "email");
            Ok(show(&visit, code, email, status, problems))
        }
        Err(SignInError::DeadLink) => {
            if is_over(&state, &request).await? {
                return Ok(used(&state));
            }
            let text = "This is not the code. Ask on the server: keyward admin setup-link";
            Ok(show(&visit, code, email, StatusCode::FORBIDDEN, Problems::field("code", text)))
        }
        Err(error) => Err(state.failed(&request, &error).into()),
    }
}
